"""Building and publishing: all or nothing, audited, atomic, reversible."""

from pathlib import Path

import duckdb
import pytest

from pipelines import catalog, operations, warehouse
from pipelines.catalog import Assertion, CatalogError, models, steps
from pipelines.files import BusyError, DataFolder
from pipelines.reader import current_build
from pipelines.settings import Settings, SettingsError
from pipelines.warehouse import AuditError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Nothing connected, an own data folder."""
    return Settings(data=tmp_path / "data")


def test_a_build_is_published_by_a_pointer(settings: Settings) -> None:
    """The pointer names a finished file, and nothing unfinished is left."""
    result = operations.build(settings)
    assert current_build(settings.data) == result.path.resolve()
    assert sorted(path.suffix for path in result.path.parent.iterdir()) == ["", ".duckdb"]


def test_a_failed_audit_leaves_the_last_good_build(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the table, the assertion and a row."""
    first = operations.build(settings)
    never = Assertion("never holds", "select * from input.clock", "1 + count(*)")
    broken = dict(models())
    broken["definition"] = catalog.Model(
        **{f: getattr(broken["definition"], f) for f in catalog.Model.__slots__}
        | {"assertions": (never,)}
    )
    monkeypatch.setattr(warehouse, "models", lambda: broken)
    with pytest.raises(AuditError, match=r"definition: never holds \(1 rows, for example"):
        operations.build(settings)
    assert current_build(settings.data) == first.path.resolve()
    assert list(first.path.parent.glob("*.part*")) == []


@pytest.mark.parametrize("sql", ["select nothing", "select ("])
def test_a_failing_model_is_named(
    sql: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves nothing behind."""
    step = next(step for step in steps() if step.name == "team")
    values = {f: getattr(step, f) for f in catalog.Step.__slots__} | {"sql": sql}
    monkeypatch.setattr(warehouse, "steps", lambda: (catalog.Step(**values),))
    with pytest.raises(RuntimeError, match=r"model team \(team.sql\)"):
        operations.build(settings)
    assert current_build(settings.data) is None
    assert list((settings.data / "builds").iterdir()) == []


def test_what_a_killed_build_left_is_removed(settings: Settings) -> None:
    """Only finished builds end in .duckdb."""
    folder = DataFolder(settings.data).create()
    for name in ("dead.part", "dead.part.wal", "current.dead"):
        (folder.builds / name).write_text("", encoding="utf-8")
    operations.build(settings)
    assert not [path for path in folder.builds.iterdir() if "dead" in path.name]


def test_old_builds_are_pruned_and_any_kept_one_can_be_brought_back(settings: Settings) -> None:
    """The last five are kept."""
    built = [operations.build(settings).build_id for _ in range(7)]
    kept = sorted(path.stem for path in (settings.data / "builds").glob("*.duckdb"))
    assert len(kept) == 5
    assert kept[-1] in built
    operations.go_back(settings, kept[0])
    current = current_build(settings.data)
    assert current is not None
    assert current.stem == kept[0]
    with pytest.raises(SettingsError, match='there is no build "gone"'):
        operations.go_back(settings, "gone")


def test_a_subset_starts_from_the_current_build(settings: Settings) -> None:
    """Tables that were not asked for stay as they were."""
    first = operations.build(settings)
    second = operations.build(settings, selection=frozenset({"definition"}))
    assert list(second.tables) == ["definition"]
    with duckdb.connect(str(second.path), read_only=True) as connection:
        found = {row[0] for row in connection.execute("show tables").fetchall()}
    kept = {name for name in first.tables if models()[name].is_kept}
    assert found == kept | {"build"}


def test_a_subset_makes_again_what_no_build_keeps(settings: Settings) -> None:
    """A table between is not in the build it starts from, so it is made for those that read it."""
    operations.build(settings)
    second = operations.build(settings, selection=frozenset({"change"}))
    assert {"change", "known_change", "known_commit", "merged_request"} <= set(second.tables)
    assert second.tables["known_commit"].columns["commit_no"] == "BIGINT"
    assert not {"metric", "change_fact", "deployment"} & set(second.tables)


def test_equal_records_give_equal_tables(settings: Settings) -> None:
    """A rebuild equals the build before it."""
    from pipelines.inputs import Clock
    from pipelines.sync import utc_now

    moment = Clock(utc_now(), "pinned")
    paths = [operations.build(settings, moment=moment).path for _ in range(2)]
    contents = []
    for path in paths:
        with duckdb.connect(str(path), read_only=True) as connection:
            contents.append(
                [
                    connection.execute(f'from "{name}" order by all').fetchall()
                    for name, model in models().items()
                    if model.is_kept
                ]
            )
    assert contents[0] == contents[1]


def test_only_one_process_writes_the_records(settings: Settings) -> None:
    """The second is told who does."""
    folder = DataFolder(settings.data).create()
    with (
        folder.writing("building"),
        pytest.raises(BusyError, match="building by process"),
        folder.writing("loading", wait=False),
    ):
        pass


def test_every_model_says_its_grain_and_its_key() -> None:
    """The opening comment is what people read everywhere."""
    for model in models().values():
        assert model.grain.startswith("One row per")
        assert model.key
        assert model.assertions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select 1 as a", "must begin 'One row per"),
        ("-- One row per thing.\nselect 1 as a", "names no key"),
        ("-- One row per thing.\n-- key: a\nselect * from nowhere", "reads nowhere"),
    ],
)
def test_a_model_written_wrongly_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    """With the name of the file."""
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "thing.sql").write_text(text, encoding="utf-8")
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    for cached in (catalog.steps, catalog.models):
        cached.cache_clear()
    try:
        with pytest.raises(CatalogError, match=message):
            models()
    finally:
        for cached in (catalog.steps, catalog.models):
            cached.cache_clear()
