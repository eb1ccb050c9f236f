"""The reader of published builds: what it finds, refuses and forbids."""

from pathlib import Path

import duckdb
import pytest

from pipelines import reader
from tests.dashboards.fixture import write_empty_build


def test_no_build_is_none(tmp_path: Path) -> None:
    """A data folder without a build, or with a dangling pointer, has no current build."""
    assert reader.current_build(tmp_path) is None
    (tmp_path / "builds").mkdir()
    (tmp_path / "builds" / "current").symlink_to("gone.duckdb")
    assert reader.current_build(tmp_path) is None


def test_pointer_is_followed(tmp_path: Path) -> None:
    """The pointer is resolved to the build file at the moment of asking."""
    path = write_empty_build(tmp_path)
    assert reader.current_build(tmp_path) == path.resolve()


def test_other_schema_version_needs_a_rebuild(tmp_path: Path) -> None:
    """A build of another schema version is refused with the command that mends it."""
    path = write_empty_build(tmp_path, schema_version=reader.SCHEMA_VERSION + 1)
    with pytest.raises(reader.RebuildNeededError, match=r"rebuild needed.*leadline build"):
        reader.connect(path)


def test_file_without_build_table_needs_a_rebuild(tmp_path: Path) -> None:
    """A database that was never a build of ours is refused in the same words."""
    path = tmp_path / "old.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(reader.RebuildNeededError, match="without a schema version"):
        reader.connect(path)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO build SELECT * FROM build",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY build TO '/tmp/copied.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
    ],
)
def test_reader_cannot_write_or_leave_the_file(tmp_path: Path, statement: str) -> None:
    """A reader neither writes nor opens files nor unlocks its own configuration."""
    connection = reader.connect(write_empty_build(tmp_path))
    with pytest.raises(duckdb.Error):
        connection.cursor().execute(statement)
    connection.close()


def test_settings_hold_for_cursors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cursors share the time zone of the one connection, whatever the machine's own is."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    connection = reader.connect(write_empty_build(tmp_path))
    row = connection.cursor().execute("SELECT current_setting('TimeZone')").fetchone()
    assert row == ("UTC",)
    connection.close()


def test_a_build_can_be_opened_while_it_is_open(tmp_path: Path) -> None:
    """A second connection of the same process reads as well, under the same restrictions."""
    path = write_empty_build(tmp_path)
    with reader.connect(path), reader.connect(path) as second:
        assert second.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
        with pytest.raises(duckdb.Error):
            second.execute("SELECT * FROM read_csv('/etc/passwd')")
