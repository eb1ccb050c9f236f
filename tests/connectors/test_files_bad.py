"""What is said about bad tables: the exact message for each, and nothing of the rest lost."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.connector import SourceError
from connectors.files_options import FilesOptions
from connectors.records import Incident
from tests.connectors.test_files import INCIDENTS, connection, parse_pages, pull_pages, rows_of

HEADER = "ID,Title,Created\n"
GOOD = "99,fine,2026-01-01 10:00\n"
TIME = (
    " is not a time such as 2026-01-31 13:45:00 or 2026-01-31T13:45:00+01:00; declare another "
    'form with time_format = "%d.%m.%Y %H:%M"'
)

BAD_FILES: dict[str, tuple[bytes | None, dict[str, Any], str]] = {
    "missing": (None, {}, "table.csv does not exist; put the file there or correct path"),
    "empty": (b"", {}, "table.csv is empty; it needs a header line with the columns' names"),
    "only a mark": (
        b"\xef\xbb\xbf\r\n",
        {},
        "table.csv is empty; it needs a header line with the columns' names",
    ),
    "blank first line": (
        b"\nID,Title,Created\n",
        {},
        "table.csv, line 1 is blank; the header must be the first line",
    ),
    "column misspelt": (
        b"ID,Titel,Created\n",
        {},
        "table.csv, line 1: no column 'Title'; did you mean 'Titel'?",
    ),
    "column missing": (
        b"ID,When,What\n",
        {},
        "table.csv, line 1: no column 'Title'; the file has 'ID', 'When', 'What'",
    ),
    "other delimiter": (
        b"ID;Title;Created\n",
        {},
        "table.csv, line 1: no column 'ID': the line is one field; is delimiter = \";\" meant?",
    ),
    "column twice": (
        b"ID,Title,Title,Created\n",
        {},
        "table.csv, line 1: the column 'Title' stands there 2 times; rename one",
    ),
    "header's quotes": (
        b'ID,"Title"x,Created\n',
        {},
        (
            "table.csv, line 1: the header cannot be taken apart (',' expected after '\"'); "
            "check its "
            "quotation marks"
        ),
    ),
    "encoding": (
        HEADER.encode() + b"1,a,2026-01-01 10:00\n2,Gr\xfc\xdfe,2026-01-01 10:00\n",
        {},
        (
            "table.csv, line 3: byte 0xFC is not utf-8; set encoding to what the file was "
            "saved in, "
            'such as "cp1252"'
        ),
    ),
    "UTF-16": (
        HEADER.encode("utf-16"),
        {},
        'table.csv is saved as UTF-16; set encoding = "utf-16" for it',
    ),
    "not Parquet": (
        b"ID,Title,Created\n",
        {"path": "table.parquet"},
        (
            "table.parquet cannot be read as Parquet (Parquet magic bytes not found in "
            "footer. Either "
            "the file is corrupted or this is not a parquet file.); write the file again, or "
            "name it "
            "*.csv if it is one"
        ),
    ),
}


@pytest.mark.parametrize(("content", "table", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_refused_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    table: dict[str, Any],
    message: str,
) -> None:
    """Nothing of the file is taken, and the message names file, line and remedy."""
    monkeypatch.chdir(tmp_path)
    table = INCIDENTS | {"path": "table.csv"} | table
    if content is not None:
        Path(table["path"]).write_bytes(content)
    with pytest.raises(SourceError) as raised:
        pull_pages(connection(**table))
    assert str(raised.value) == message


BAD_ROWS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "no time": ("1,a,soon\n", {}, "line 2, column 'Created'", "'soon'" + TIME),
    "before the year 1": (
        "1,a,0001-01-01T00:00:00+14:00\n",
        {},
        "line 2, column 'Created'",
        "'0001-01-01T00:00:00+14:00'" + TIME,
    ),
    "no such day": (
        "1,a,2026-02-30 10:00\n",
        {},
        "line 2, column 'Created'",
        "'2026-02-30 10:00'" + TIME,
    ),
    "a date alone": ("1,a,2026-02-01\n", {}, "line 2, column 'Created'", "'2026-02-01'" + TIME),
    "other form": (
        "1,a,31.01.2026\n",
        {"time_format": "%d.%m.%Y %H:%M"},
        "line 2, column 'Created'",
        "'31.01.2026' is not a time in the form \"%d.%m.%Y %H:%M\"",
    ),
    "no epoch": (
        "1,a,12 May\n",
        {"time_format": "epoch_ms"},
        "line 2, column 'Created'",
        "'12 May' is not a number of milliseconds since 1970",
    ),
    "no zone": (
        "1,a,2026-01-01 10:00\n",
        {"zone": None},
        "line 2, column 'Created'",
        "'2026-01-01 10:00' has no zone; declare it with zone = \"Europe/Berlin\"",
    ),
    "hour left out": (
        "1,a,2026-03-29 02:30\n",
        {},
        "line 2, column 'Created'",
        (
            "'2026-03-29 02:30' does not exist in Europe/Berlin: clocks were turned forward; "
            "write it "
            "with its offset"
        ),
    ),
    "required and empty": (
        "1,a,\n",
        {},
        "line 2, column 'Created'",
        "is empty, and must not be",
    ),
    "no id": (" ,a,2026-01-01 10:00\n", {}, "line 2, column 'ID'", "is empty, and must not be"),
    "same id": (
        "99,b,2026-01-01 11:00\n99,c,2026-01-01 12:00\n",
        {},
        "line 3, column 'ID'",
        "is the same row as line 2: one id, one row",
    ),
    "too few fields": ("1,a\n", {}, "line 2", "has 2 fields, but the header has 3"),
    "too many fields": (
        "1,a,b,2026-01-01 10:00\n",
        {},
        "line 2",
        "has 4 fields, but the header has 3",
    ),
    "stray quote": (
        '1,"a"b,2026-01-01 10:00\n',
        {},
        "line 2",
        "cannot be taken apart (',' expected after '\"'); check its quotation marks",
    ),
    "unclosed quote": (
        '1,"a,2026-01-01 10:00\n',
        {},
        "line 2",
        "cannot be taken apart (unexpected end of data); check its quotation marks",
    ),
    "after blank and two-line rows": (
        '7,"a\nb",2026-01-01 10:00\n\n1,a,soon\n',
        {},
        "line 5, column 'Created'",
        "'soon'" + TIME,
    ),
}


@pytest.mark.parametrize(("rows", "table", "path", "problem"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_rejected_alone(
    tmp_path: Path, rows: str, table: dict[str, Any], path: str, problem: str
) -> None:
    """One reject with line, column, value and what is expected; the good row is kept."""
    target = tmp_path / "table.csv"
    target.write_text(HEADER + rows + GOOD, encoding="utf-8")
    good = INCIDENTS | {"time_format": None}
    files = connection(target, **(good | table))
    (parsed,) = parse_pages(files, pull_pages(files))
    first = parsed.rejects[0]
    assert (first.table, first.path, first.problem) == ("incident", path, problem)
    assert rows.splitlines()[-1].split(",")[1].strip('"') in first.excerpt
    if table:
        return  # the declaration does not fit the good row either
    kept = [row["incident_id"] for row in rows_of(parsed, Incident)]
    assert kept.count("imports:incident:99") == 1


BAD_WORDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "state": (
        {"record": "deployment", "columns": {"attempt_id": "A", "created_at": "B", "state": "C"}},
        "1,2026-01-01T10:00:00Z,shrug\n",
        (
            "line 2, column 'C': 'shrug' is none of succeeded, success, successful, ok, failed, "
            "failure, error, cancelled, canceled, aborted, running, in_progress, queued, pending"
        ),
    ),
    "truth": (
        {"record": "person", "columns": {"account_id": "A", "name": "B", "is_bot": "C"}},
        "1,Ann,maybe\n",
        "line 2, column 'C': 'maybe' is neither true nor false",
    ),
    "number": (
        {
            "record": "incident",
            "columns": {"incident_id": "A", "created_at": "B", "reopens": "C"},
        },
        "1,2026-01-01T10:00:00Z,twice\n",
        "line 2, column 'C': 'twice' is no whole number",
    ),
    "value for every row": (
        {
            "record": "ticket",
            "columns": {"ticket_id": "A", "ticket_key": "A", "project": "C", "created_at": "B"},
            "values": {"status_category": "ready"},
        },
        "1,2026-01-01T10:00:00Z,OPS\n",
        "line 2: 'ready' is none of new, in_progress, done",
    ),
}


@pytest.mark.parametrize(("table", "row", "said"), BAD_WORDS.values(), ids=BAD_WORDS)
def test_a_word_that_is_not_known_rejects_the_row(
    tmp_path: Path, table: dict[str, Any], row: str, said: str
) -> None:
    """States, categories and truth values are never guessed."""
    target = tmp_path / "table.csv"
    target.write_text("A,B,C\n" + row, encoding="utf-8")
    files = connection(target, **table)
    (parsed,) = parse_pages(files, pull_pages(files))
    (reject,) = parsed.rejects
    assert f"{reject.path}: {reject.problem}" == said


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown column": (
        {"columns": {"incident_id": "ID", "create_at": "Created"}},
        (
            'record = "incident" has no column "create_at"; did you mean "created_at"? (it has '
            "acknowledged_at,"
        ),
    ),
    "required column": (
        {"columns": {"incident_id": "ID"}},
        'record = "incident" needs the column "created_at"',
    ),
    "no id": (
        {"columns": {"created_at": "Created"}},
        (
            'rows need an id: declare "incident_id" in columns, or name the columns that tell rows '
            "apart with key = [...]"
        ),
    ),
    "key not declared": (
        {"columns": {"created_at": "Created"}, "key": ["title"]},
        'key names "title", which columns does not declare',
    ),
    "id and key": (
        {"columns": {"incident_id": "ID", "created_at": "Created"}, "key": ["created_at"]},
        '"incident_id" is declared, so that key has no use; keep one of them',
    ),
    "one id for all": (
        {"columns": {"created_at": "Created"}, "values": {"incident_id": "1"}},
        '"incident_id" tells rows apart and cannot be one value',
    ),
    "declared twice": (
        {"values": {"title": "x"}},
        '"title" stands in columns and in values; keep one of them',
    ),
    "zone": ({"zone": "Berlin"}, '"Berlin" is no time zone; write one such as "Europe/Berlin"'),
    "encoding": (
        {"encoding": "ansi-ish"},
        '"ansi-ish" is no encoding; write one such as "utf-8" or "cp1252"',
    ),
    "delimiter": (
        {"delimiter": "||"},
        'a delimiter is one character, such as "," ";" or "\\t"',
    ),
}


@pytest.mark.parametrize(("table", "message"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_declaration_that_cannot_work_is_refused_with_the_settings(
    table: dict[str, Any], message: str
) -> None:
    """Before any file is opened."""
    with pytest.raises(ValidationError) as raised:
        FilesOptions.model_validate({"tables": [INCIDENTS | {"path": "table.csv"} | table]})
    assert message in str(raised.value)


def test_a_table_is_declared_once() -> None:
    """Two declarations of one file as the same kind would fight over its rows."""
    table = INCIDENTS | {"path": "table.csv"}
    with pytest.raises(ValidationError, match=r"table\.csv is declared twice as incident"):
        FilesOptions.model_validate({"tables": [table, table]})
