"""Pages over a real build: the fixture has its columns, and every view reads it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import reader
from tests.dashboards.fixture import write_empty_build
from tests.dashboards.test_pages import APP, VIEWS
from tests.pipelines.stories import line, live, repository, request, review, tell

_COLUMNS = """
SELECT table_name, column_name, data_type FROM duckdb_columns()
WHERE NOT internal AND schema_name = 'main'
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a build of one service: two releases, one request, a rollback."""
    folder = tmp_path_factory.mktemp("real")
    tell(
        folder,
        repository(),
        *line("a", "b", "c", "d"),
        *request(7, "c", opened=1.2, merged=2.5, merge="c"),
        review(7, 2),
        *live(1, "b", 10),
        *live(2, "d", 40),
        *live(3, "b", 42),
    ).publish()
    return folder / "data"


def _columns(path: Path) -> dict[tuple[str, str], str]:
    with reader.connect(path) as connection:
        rows = connection.execute(_COLUMNS).fetchall()
    return {(table, column): kind for table, column, kind in rows}


def test_the_fixture_has_only_columns_of_real_builds(tmp_path: Path, real: Path) -> None:
    """What pages are tested on is named and typed as what builds hold."""
    path = reader.current_build(real)
    assert path is not None
    built = _columns(path)
    made = _columns(write_empty_build(tmp_path))
    assert {key for key in made if key not in built} == set()
    numbers = {"INTEGER", "BIGINT", "UINTEGER", "HUGEINT", "DOUBLE"}
    differing = {
        key: (kind, built[key])
        for key, kind in made.items()
        if kind != built[key] and not {kind, built[key]} <= numbers
    }
    assert differing == {}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("period", ["Last 28 days", "Last 365 days"])
def test_every_view_reads_a_real_build(
    monkeypatch: pytest.MonkeyPatch, real: Path, view: str, period: str
) -> None:
    """Each page over a real build, thin as it is, ends without an exception."""
    monkeypatch.setenv("LEADLINE_DATA", str(real))
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.query_params["period"] = period
    if view != VIEWS[0]:
        app.switch_page(f"views/{view}")
    app.run()
    assert not app.exception


def test_a_real_rollback_is_walked_through(monkeypatch: pytest.MonkeyPatch, real: Path) -> None:
    """The deployment that was rolled back says so, and by which it was mended."""
    monkeypatch.setenv("LEADLINE_DATA", str(real))
    path = reader.current_build(real)
    assert path is not None
    with reader.connect(path) as connection:
        failed = connection.execute("SELECT deployment_id FROM failure").fetchall()
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.query_params["deployment"] = failed[0][0]
    app.switch_page("views/walk_through.py").run()
    assert not app.exception
    html = "\n".join(str(element.proto.body) for element in app.get("html"))
    assert "rolled back to" in html
    assert "change 7" in html
    assert "by rollback" in html
