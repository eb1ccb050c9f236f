"""`leadline query` and `leadline export`: reading only, in four formats."""

import csv
import io
import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.dashboards.fixture import World, write_build, write_empty_build
from tests.pipelines.command_line import leadline, work_in


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a published build; queries never change it."""
    folder = tmp_path_factory.mktemp("built")
    write_build(folder / ".leadline", World(services=4, changes=60, days=120, hostile=True))
    return folder


@pytest.fixture
def here(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work_in(built, monkeypatch)
    return built


REFUSED = {
    "reading a file": "select * from read_csv('/etc/passwd')",
    "reading a file by name": "select * from '/etc/passwd'",
    "reading text": "select * from read_text('/etc/passwd')",
    "reading bytes": "select * from read_blob('/etc/passwd')",
    "reading Parquet": "select * from read_parquet('x.parquet')",
    "reading JSON": "select * from read_json('x.json')",
    "guessing a CSV": "select * from sniff_csv('/etc/passwd')",
    "listing files": "select * from glob('/etc/*')",
    "an address": "select * from read_csv('http://127.0.0.1:9/x.csv')",
    "writing a file": "copy service to 'stolen.csv'",
    "writing a file in an explanation": "explain analyze copy service to 'stolen.csv'",
    "exporting all": "export database 'stolen'",
    "another database": "attach 'other.duckdb'",
    "a database in memory": "attach ':memory:' as other",
    "an extension": "install httpfs",
    "loading an extension": "load httpfs",
    "the environment": "select getenv('HOME')",
    "a variable of the program": "select * from text",
    "a setting": "set enable_external_access = true",
    "a pragma": "pragma enable_profiling",
    "a call": "call force_checkpoint()",
    "inserting": "insert into team values ('x', 'x', null)",
    "updating": "update team set name = 'x'",
    "deleting": "delete from team",
    "dropping": "drop table team",
    "creating": "create table x as select 1",
    "creating for a while": "create temp table x as select 1",
    "a prepared statement": "prepare p as select 1",
    "two statements": "select 1; drop table team",
    "nothing": "  ",
    "no SQL": "how fast are we?",
    "an unknown table": "select * from deployments",
    "an unknown column": "select speed from service",
}


@pytest.mark.parametrize("what", REFUSED)
def test_everything_but_reading_is_refused(what: str, here: Path) -> None:
    """Writes, files, network, settings and environment: message, exit code 2, nothing changed."""
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*") if path.is_file()}
    result = leadline("query", REFUSED[what])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    after = {path: path.stat().st_mtime_ns for path in here.rglob("*") if path.is_file()}
    assert after == before


def test_table_lines_up(here: Path) -> None:
    """A table for people: names, a line, text left, numbers right."""
    result = leadline("query", "select * from (values ('a', 1), ('long', 20)) as t(name, n)")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "name   n\n----  --\na      1\nlong  20\n"


def test_table_cannot_steer_the_terminal(here: Path) -> None:
    """Control signs of a title do not reach the terminal."""
    result = leadline("query", "select 'a' || chr(27) || '[31m' || chr(10) || 'b' as title")
    assert result.stdout == "title\n--------\na [31m b\n"


def test_long_cell_is_cut(here: Path) -> None:
    """A cell of a table ends with … after 100 signs; other formats have all of it."""
    sql = "select repeat('x', 150) as t"
    assert leadline("query", sql).stdout.splitlines()[2] == "x" * 99 + "…"
    assert json.loads(leadline("query", sql, "-f", "json").stdout) == [{"t": "x" * 150}]


def test_plan_is_shown_as_drawn(here: Path) -> None:
    """EXPLAIN gives the plan over several lines."""
    result = leadline("query", "explain select count(*) from service")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) > 3


def test_long_table_says_that_it_is_cut(here: Path) -> None:
    """A table stops at 1,000 rows and says how to get them all."""
    result = leadline("query", "select * from range(1500)")
    assert len(result.stdout.splitlines()) == 1002
    assert "the first 1,000 rows" in result.stderr


def test_csv_holds_values_exactly(here: Path) -> None:
    """Times in UTC, lists as JSON, nulls empty, and no apostrophe before a formula."""
    sql = (
        "select '=1+1' as formula, timestamptz '2026-01-02 03:04:05.5+01' as at, ['a', 'b'] as l,"
        " null as nothing, true as yes, date '2026-01-02' as day, 1.5 as x, 'a,\"b' as quoted"
    )
    result = leadline("query", sql, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert rows == [
        {
            "formula": "=1+1",
            "at": "2026-01-02T02:04:05.500000Z",
            "l": '["a", "b"]',
            "nothing": "",
            "yes": "true",
            "day": "2026-01-02",
            "x": "1.5",
            "quoted": 'a,"b',
        }
    ]


def test_json_is_an_array_of_objects(here: Path) -> None:
    """JSON is valid for any value: no NaN, nested lists, and an empty array without rows."""
    sql = "select 1 as n, 'nan'::double as x, {'a': [1, 2]} as s, timestamptz '2026-01-02 00:00Z' t"
    result = leadline("query", sql, "--format", "json")
    assert json.loads(result.stdout) == [
        {"n": 1, "x": None, "s": {"a": [1, 2]}, "t": "2026-01-02T00:00:00Z"}
    ]
    empty = leadline("query", "select 1 as n where false", "--format", "json")
    assert json.loads(empty.stdout) == []


def test_parquet_to_a_file_and_to_stdout(here: Path, tmp_path: Path) -> None:
    """Both hold the same rows with their types."""
    sql = "select service_id, archived_at from service order by service_id"
    file = tmp_path / "services.parquet"
    to_file = leadline("query", sql, "-f", "parquet", "-o", str(file))
    assert to_file.exit_code == 0, to_file.stderr
    assert to_file.stdout == ""
    piped = leadline("query", sql, "-f", "parquet")
    frame = pl.read_parquet(file)
    assert frame.equals(pl.read_parquet(io.BytesIO(piped.stdout_bytes)))
    assert frame.schema["archived_at"] == pl.Datetime("us", "UTC")
    assert frame.height == 4


def test_query_from_stdin(here: Path) -> None:
    """A dash reads the query from stdin, as long ones come from files."""
    result = leadline("query", "-", "--format", "json", stdin="select 41 + 1 as n")
    assert json.loads(result.stdout) == [{"n": 42}]


def test_query_that_fails_while_it_runs(here: Path) -> None:
    """A value that cannot be cast is no wrong use: exit code 1, DuckDB's words."""
    result = leadline("query", "select cast(title as integer) from change_fact")
    assert result.exit_code == 1
    assert "Could not convert string" in result.stderr


def test_failed_query_leaves_no_file(here: Path, tmp_path: Path) -> None:
    """A file appears whole or not at all."""
    sql = "select cast(if(range = 30000, 'x', '1') as integer) from range(40000)"
    result = leadline("query", sql, "-f", "csv", "-o", str(tmp_path / "out.csv"))
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "message"), [("", "is a folder"), ("none/out.csv", "there is no folder")]
)
def test_output_that_cannot_be(output: str, message: str, here: Path, tmp_path: Path) -> None:
    """A wrong place for the file is told before anything is written."""
    result = leadline("query", "select 1", "-o", str(tmp_path / output))
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first build the message says what to run, and no folder is made."""
    work_in(tmp_path, monkeypatch)
    result = leadline("query", "select 1")
    assert result.exit_code == 1
    assert "nothing is published" in result.stderr
    assert "leadline build" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_build_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build this version cannot read is told as such."""
    write_empty_build(work_in(tmp_path, monkeypatch), schema_version=99)
    result = leadline("query", "select 1")
    assert result.exit_code == 1
    assert "rebuild needed" in result.stderr


def test_build_file_that_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken file gives a way out instead of a traceback."""
    path = write_empty_build(work_in(tmp_path, monkeypatch))
    path.write_bytes(b"no database" * 1000)
    result = leadline("query", "select 1")
    assert result.exit_code == 1
    assert "remove records.duckdb and builds/" in result.stderr
    assert "Traceback" not in result.stderr


def test_export_guards_spreadsheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that a spreadsheet would run gets an apostrophe; numbers and other formats do not."""
    path = write_empty_build(work_in(tmp_path, monkeypatch))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "insert into data_check values ('=cmd()', '@x', -1, 2, '-1', '+a'),"
            " ('fine', 'x=1', 0, 0, '', null)"
        )
    result = leadline("export", "data_check", "--format", "csv")
    assert result.stdout.splitlines()[1:] == ["'=cmd(),'@x,-1,2,'-1,'+a", "fine,x=1,0,0,,"]
    exact = leadline("export", "data_check", "--format", "json")
    assert json.loads(exact.stdout)[0]["check_name"] == "=cmd()"


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_export_of_every_table(kind: str, here: Path, tmp_path: Path) -> None:
    """Every published table can be written in every format, with all of its rows."""
    names = json.loads(leadline("query", "show tables", "-f", "json").stdout)
    for name in (row["name"] for row in names):
        file = tmp_path / f"{name}.{kind}"
        result = leadline("export", name, "--format", kind, "--output", str(file))
        assert result.exit_code == 0, result.stderr
        counted = leadline("query", f'select count(*) as n from "{name}"', "-f", "json")
        assert _rows(file, kind) == json.loads(counted.stdout)[0]["n"], name


def _rows(file: Path, kind: str) -> int:
    if kind == "parquet":
        return pl.read_parquet(file).height
    text = file.read_text(encoding="utf-8")
    return len(json.loads(text)) if kind == "json" else len(list(csv.reader(io.StringIO(text)))) - 1


def test_export_of_an_unknown_table(here: Path) -> None:
    """A misspelt table suggests the right one."""
    result = leadline("export", "change_facts", "--format", "csv")
    assert result.exit_code == 2
    assert result.stderr == 'error: there is no table "change_facts"; did you mean "change_fact"?\n'
