"""A small real world for the tests of Dagster: one CSV file, three models, one data folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines import catalog
from pipelines.settings import Settings, load

MODELS = {
    "core/disturbance.sql": """
-- One row per incident that anybody told of.
-- key: incident_id
-- not null: title
select incident_id, title, created_at from records.incident where deleted_at is null
""",
    "core/now.sql": """
-- One row per build: the moment it speaks for.
-- key: as_of
select as_of from input.clock
""",
    "metrics/disturbances.sql": """
-- One row per day with incidents.
-- key: day
-- check: incidents > 0
select cast(created_at as date) as day, count(*) as incidents from disturbance group by 1
""",
}

SETTINGS = """
[connections.imports]
kind = "files"
schedule = "30 6 * * *"

[[connections.imports.tables]]
path = "incidents.csv"
record = "incident"
columns = { incident_id = "ID", title = "Title", created_at = "Created" }
zone = "UTC"
"""


def write_incidents(folder: Path, titles: list[str]) -> None:
    """Write the file that the connection reads, one incident a title."""
    rows = [f"{day},{title},2026-03-0{day}T10:00:00" for day, title in enumerate(titles, 1)]
    (folder / "incidents.csv").write_text("\n".join(["ID,Title,Created", *rows, ""]), "utf-8")


def make_settings(folder: Path, titles: list[str], text: str = SETTINGS) -> Settings:
    """A folder with settings, a file to read and an own data folder."""
    write_incidents(folder, titles)
    path = str(folder / "incidents.csv")
    (folder / "leadline.toml").write_text(text.replace("incidents.csv", path), "utf-8")
    return load(folder)


@contextmanager
def small_models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three models of our own instead of the product's, so that tests say what they build."""
    for name, sql in MODELS.items():
        path = folder / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sql.strip(), "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "FOLDER", folder / "models")
        patch.setattr(catalog, "ROOMS", ("core", "metrics"))
        catalog.steps.cache_clear()
        catalog.models.cache_clear()
        yield
    catalog.steps.cache_clear()
    catalog.models.cache_clear()
