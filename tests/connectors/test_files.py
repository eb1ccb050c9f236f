"""Tables in files: what rows become, and when a file is read."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import files_disk, files_reading
from connectors.arrow import schema
from connectors.connector import Page, Parsed, Pull, SourceError, State, kinds
from connectors.files import Files
from connectors.files_options import FilesOptions
from connectors.files_reading import LINE
from connectors.records import (
    Account,
    CatalogEntity,
    DeploymentAttempt,
    DeploymentStatus,
    Incident,
    Record,
    Team,
    TeamMember,
    Ticket,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
INCIDENTS: dict[str, Any] = {
    "record": "incident",
    "columns": {"incident_id": "ID", "title": "Title", "created_at": "Created"},
    "zone": "Europe/Berlin",
}


def connection(path: Path, **table: Any) -> Files:
    """A connection to one file."""
    return Files("imports", FilesOptions.model_validate({"tables": [{"path": path, **table}]}))


def pull_pages(files: Files, state: State | None = None) -> list[Page]:
    """The pages of the connection's only table."""
    pull = Pull(None, Path("clones"), lambda: NOW)
    return [
        page
        for stream in files.streams()
        for scope in files.scopes(stream)
        for page in stream.pages(pull, scope, state or State())
    ]


def parse_pages(files: Files, pages: list[Page]) -> list[Parsed]:
    """What each page holds."""
    (stream,) = (stream for stream in files.streams() if list(files.scopes(stream)))
    (scope,) = files.scopes(stream)
    return [stream.parse(page.line("imports", scope)) for page in pages]


def rows_of(parsed: Parsed, record_type: type[Record]) -> list[dict[str, Any]]:
    """Records of a type, whether found one by one or in bulk; checks the Arrow schema."""
    found = [record.model_dump() for record in parsed.records[record_type]]
    for table in parsed.tables[record_type]:
        assert table.schema == schema(record_type)
        table.validate(full=True)
        found += [record_type(**row).model_dump() for row in table.to_pylist()]
    return found


Read = Callable[..., Parsed]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a file, pull it and parse it."""

    def run(content: str | bytes, name: str = "table.csv", **table: Any) -> Parsed:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        files = connection(path, **table)
        (parsed,) = parse_pages(files, pull_pages(files))
        for record_type in parsed.records.keys() | parsed.tables.keys():
            rejected = sum(reject.table == record_type.table for reject in parsed.rejects)
            kept = len(rows_of(parsed, record_type))
            assert parsed.seen[record_type.table] == kept + rejected
        return parsed

    return run


def test_the_connector_is_found_by_its_module() -> None:
    """Kind `files` needs no registration."""
    assert kinds()["files"] is Files


def test_rows_become_records_with_ids_zones_and_lists(read: Read) -> None:
    """Declared columns fill the record; others of the file are left out; text stays as it is."""
    parsed = read(
        "\ufeffID;Title;Created;Links;Unused\r\n"
        '7;"=HYPERLINK(""http://x"");\nsecond line";2026-01-31 13:45;a, b ,;x\r\n'
        "8;四个排序图;2026-07-31T13:45:10.5+02:00;;y\r\n",
        **(INCIDENTS | {"columns": INCIDENTS["columns"] | {"references": "Links"}}),
        delimiter=";",
    )
    first, second = rows_of(parsed, Incident)
    assert first["incident_id"] == "imports:incident:7"
    assert first["title"] == '=HYPERLINK("http://x");\nsecond line'
    assert first["created_at"] == datetime(2026, 1, 31, 12, 45, tzinfo=UTC)
    assert first["references"] == ["a", "b"]
    assert second["title"] == "四个排序图"
    assert second["created_at"] == datetime(2026, 7, 31, 11, 45, 10, 500000, tzinfo=UTC)
    assert second["references"] == []
    assert second["severity"] is None
    assert parsed.rejects == []


def test_deployments_bring_the_state_they_came_to(read: Read) -> None:
    """Finished without a state is succeeded, unfinished is running, a state word is understood."""
    parsed = read(
        "Id,Repo,Start,End,Result\n"
        "1,git@GitHub.com:Acme/Shop.git,2026-01-01T10:00:00Z,2026-01-01T10:05:00Z,\n"
        "2,github.com/Acme/Shop,2026-01-02T10:00:00Z,,\n"
        "3,https://github.com/acme/shop,2026-01-03T10:00:00Z,2026-01-03T10:01:00Z,FAILURE\n",
        record="deployment",
        columns={
            "attempt_id": "Id",
            "repository_key": "Repo",
            "created_at": "Start",
            "finished_at": "End",
            "state": "Result",
        },
        values={"environment": "production"},
    )
    attempts = rows_of(parsed, DeploymentAttempt)
    assert {attempt["repository_key"] for attempt in attempts} == {"github.com/acme/shop"}
    assert {attempt["environment"] for attempt in attempts} == {"production"}
    statuses = rows_of(parsed, DeploymentStatus)
    assert [(status["state"], status["at"].minute) for status in statuses] == [
        ("succeeded", 5),
        ("running", 0),
        ("failed", 1),
    ]
    assert [parent for parent, _ in parsed.sets[DeploymentStatus]] == [
        attempt["attempt_id"] for attempt in attempts
    ]


def test_rows_without_an_id_get_the_same_one_every_time(read: Read) -> None:
    """The id comes from the named columns as written, so that nothing else moves it."""
    table = {
        "record": "deployment",
        "columns": {"service_hint": "Service", "created_at": "Start", "actor": "By"},
        "key": ["service_hint", "created_at"],
        "zone": "UTC",
    }
    one = read("Service,Start,By\nshop,2026-01-01 10:00,ann\n", **table)
    other = read("Start,By,Service\n2026-01-01 10:00,bob,shop\n", **table)
    (first,), (second,) = rows_of(one, DeploymentAttempt), rows_of(other, DeploymentAttempt)
    assert first["attempt_id"] == second["attempt_id"]
    written = hashlib.sha256(b"shop\x1f2026-01-01 10:00").hexdigest()
    assert first["attempt_id"] == f"imports:deployment:{written[:20]}"
    assert second["actor"] == "imports:account:bob"


def test_teams_come_with_their_members_as_whole_sets(read: Read) -> None:
    """One row a member; a member by e-mail or login brings an account, one by id does not."""
    parsed = read(
        "Team,Mail,Login,Id\nPay,Ann@x.test,,\nPay,,bob,\nPay,,,e7\nShip,,,\n",
        record="team",
        columns={
            "team_id": "Team",
            "name": "Team",
            "member_email": "Mail",
            "member_login": "Login",
            "member": "Id",
        },
    )
    assert [team["name"] for team in rows_of(parsed, Team)] == ["Pay", "Ship"]
    assert [member["account_id"] for member in rows_of(parsed, TeamMember)] == [
        "imports:member:ann@x.test",
        "imports:member:bob",
        "imports:account:e7",
    ]
    assert [account["email"] or account["login"] for account in rows_of(parsed, Account)] == [
        "Ann@x.test",
        "bob",
    ]
    assert parsed.sets[TeamMember] == [("imports:team:Pay", None), ("imports:team:Ship", None)]


def test_people_services_and_tickets_are_read(read: Read) -> None:
    """Every kind of table has its record."""
    people = read(
        "Id,Mail,Bot\ne7,ann@x.test,no\nci,,YES\n",
        record="person",
        columns={"account_id": "Id", "email": "Mail", "is_bot": "Bot"},
    )
    assert [(row["account_id"], row["is_bot"]) for row in rows_of(people, Account)] == [
        ("imports:account:e7", False),
        ("imports:account:ci", True),
    ]
    services = read(
        "Name,Kind,Owner\nCheckout,,team-a\nLedger,Resource,team-b\n",
        record="service",
        columns={"name": "Name", "kind": "Kind", "owner": "Owner"},
    )
    assert [row["entity_ref"] for row in rows_of(services, CatalogEntity)] == [
        "component:default/checkout",
        "resource:default/ledger",
    ]
    tickets = read(
        "Key,Made,State\nOPS-1,1767225600,Done\n",
        record="ticket",
        columns={
            "ticket_id": "Key",
            "ticket_key": "Key",
            "created_at": "Made",
            "status_category": "State",
        },
        values={"project": "OPS"},
        time_format="epoch_s",
    )
    (ticket,) = rows_of(tickets, Ticket)
    assert ticket["status_category"] == "done"
    assert ticket["created_at"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    """Typed columns, local times and lists included; a bad row is named by its number."""
    path = tmp_path / "incidents.parquet"
    frame = pl.DataFrame(
        {
            "ID": [7, 8, None],
            "Title": ["=a", None, "c"],
            "Created": [datetime(2026, 1, 31, 13, 45)] * 3,  # noqa: DTZ001 (local on purpose)
            "Links": [["a", " b"], None, []],
            "Fixed": [datetime(2026, 1, 31, 14, tzinfo=UTC), None, None],
        }
    )
    frame.write_parquet(path)
    columns = INCIDENTS["columns"] | {"references": "Links", "resolved_at": "Fixed"}
    files = connection(path, **(INCIDENTS | {"columns": columns}))
    (parsed,) = parse_pages(files, pull_pages(files))
    first, second = rows_of(parsed, Incident)
    assert first["incident_id"] == "imports:incident:7"
    assert first["references"] == ["a", "b"]
    assert first["created_at"] == datetime(2026, 1, 31, 12, 45, tzinfo=UTC)
    assert first["resolved_at"] == datetime(2026, 1, 31, 14, tzinfo=UTC)
    assert second["title"] == ""
    assert [(reject.path, reject.problem) for reject in parsed.rejects] == [
        ("row 3, column 'ID'", "is empty, and must not be")
    ]


def test_an_hour_that_happens_twice_is_taken_as_the_earlier_and_counted(read: Read) -> None:
    """Ambiguity is no reason to lose a row, and no reason to keep quiet about it."""
    parsed = read("ID,Title,Created\n1,a,2026-10-25 02:30\n2,b,2026-10-25 03:30\n", **INCIDENTS)
    assert [row["created_at"].hour for row in rows_of(parsed, Incident)] == [0, 2]
    assert parsed.mended == {"incident": 1}
    exact = read("ID,Title,Created\n1,a,2026-10-25 02:30+01:00\n", **INCIDENTS)
    assert [row["created_at"].hour for row in rows_of(exact, Incident)] == [1]
    assert not exact.mended


def test_other_encodings_and_time_formats_are_declared(read: Read) -> None:
    """cp1252 and UTF-16 with BOM, German times, times with offset by format."""
    text = "ID\tTitle\tCreated\n1\tGrüße\t31.01.2026 13:45\n"
    for encoding in ("cp1252", "utf-16"):
        parsed = read(
            text.encode(encoding),
            **INCIDENTS,
            encoding=encoding,
            delimiter="\t",
            time_format="%d.%m.%Y %H:%M",
        )
        (row,) = rows_of(parsed, Incident)
        assert row["title"] == "Grüße"
        assert row["created_at"] == datetime(2026, 1, 31, 12, 45, tzinfo=UTC)
    parsed = read(
        "ID,Title,Created\n1,a,31/01/26 13:45 +0500\n",
        **INCIDENTS,
        time_format="%d/%m/%y %H:%M %z",
    )
    assert rows_of(parsed, Incident)[0]["created_at"] == datetime(2026, 1, 31, 8, 45, tzinfo=UTC)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    """The marker holds while bytes and declaration stay; either change reads the file whole."""
    path = tmp_path / "table.csv"
    path.write_text("ID,Title,Created\n1,a,2026-01-01 10:00\n", encoding="utf-8")
    files = connection(path, **INCIDENTS)
    (page,) = pull_pages(files)
    assert page.body == path.read_bytes()
    assert page.state is not None
    assert pull_pages(files, page.state) == []
    moved = connection(path, **(INCIDENTS | {"zone": "Asia/Tokyo"}))
    assert len(pull_pages(moved, page.state)) == 1
    path.write_text("ID,Title,Created\n1,b,2026-01-01 10:00\n", encoding="utf-8")
    assert len(pull_pages(files, page.state)) == 1


def test_a_large_file_is_cut_between_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces join to the file's bytes, parse alone, keep line numbers, and end the pass last."""
    monkeypatch.setattr(files_disk, "PIECE", 300)
    path = tmp_path / "table.csv"
    lines = [f'{n},"two\nlines, {n}",2026-01-01 10:00\n' for n in range(100)]
    path.write_text("ID,Title,Created\n" + "".join(lines) + "x,y,never\n", encoding="utf-8")
    files = connection(path, **INCIDENTS)
    pages = pull_pages(files)
    assert len(pages) > 10
    assert b"".join(page.body for page in pages) == path.read_bytes()
    assert len({page.url for page in pages}) == len(pages)
    assert [page.state is not None for page in pages] == [False] * (len(pages) - 1) + [True]
    everything = parse_pages(files, pages)
    found = [row["title"] for parsed in everything for row in rows_of(parsed, Incident)]
    assert found == [f"two\nlines, {n}" for n in range(100)]
    (reject,) = (reject for parsed in everything for reject in parsed.rejects)
    assert reject.path == "line 202, column 'Created'"


def test_a_file_that_changes_while_it_is_read_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last piece, which moves the marker, is only given for the bytes that were announced."""
    path = tmp_path / "table.csv"
    path.write_text("ID,Title,Created\n1,a,2026-01-01 10:00\n", encoding="utf-8")
    files = connection(path, **INCIDENTS)
    honest = files_disk.fingerprint

    def then_append(table: Any) -> str:
        marker = honest(table)
        with path.open("a", encoding="utf-8") as target:
            target.write("2,b,2026-01-01 11:00\n")
        return marker

    monkeypatch.setattr("connectors.files.fingerprint", then_append)
    with pytest.raises(SourceError, match=r"table\.csv was changed while it was read; sync again"):
        pull_pages(files)


def test_doctor_reads_every_table_once(tmp_path: Path) -> None:
    """Findings say rows, rejects, ambiguous times, and errors with their file."""
    path = tmp_path / "table.csv"
    path.write_text("ID,Title,Created\n1,a,2026-10-25 02:30\n2,b,soon\n", encoding="utf-8")
    files = connection(path, **INCIDENTS)
    pull = Pull(None, tmp_path, lambda: NOW)
    (finding,) = files.diagnose(pull)
    assert finding.level == "warning"
    assert "2 rows of incidents, 1 times in an hour that happens twice" in finding.message
    assert "1 rejected, the first at line 3, column 'Created'" in finding.message
    path.unlink()
    (finding,) = files.diagnose(pull)
    assert finding.level == "error"
    assert finding.message.endswith("does not exist; put the file there or correct path")


FIELD = st.text(alphabet='ab1 ,"\n\u00e9', max_size=6).filter(lambda text: text.strip() == text)


@given(st.lists(st.lists(FIELD, min_size=3, max_size=3), max_size=8))
def test_reading_in_bulk_and_row_by_row_agree(rows: list[list[str]]) -> None:
    """Whatever the fields hold, both ways give the same fields on the same lines."""
    rows = [row for row in rows if any(row)]
    text = "".join(
        ",".join('"' + field.replace('"', '""') + '"' for field in row) + "\n" for row in rows
    )
    one = files_reading._read_row_by_row(text, 3, ",", 2)
    bulk = files_reading.read_csv(text, 3, ",", 2)
    assert not one.bad
    assert not bulk.bad
    texts = pl.exclude(LINE).replace("", None)
    assert bulk.frame.select(texts, LINE).rows() == one.frame.select(texts, LINE).rows()
    assert bulk.frame.height == len(rows)


def test_many_rows_are_read_in_bulk(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """A well-formed file, quotes within its fields, is never walked row by row."""

    def refuse(*_: object) -> None:
        raise AssertionError("read row by row")

    monkeypatch.setattr(files_reading, "_read_row_by_row", refuse)
    count = 60_000
    text = "ID,Title,Created\n" + "".join(
        f'{n},"title ""{n}""",2026-01-{n % 28 + 1:02} 10:00\n' for n in range(count)
    )
    assert read(text, **INCIDENTS).seen["incident"] == count
