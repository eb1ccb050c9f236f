"""The Jira parsers over recorded answers and an emulator's: nothing fails, counts match."""

import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Line, Parsed, SourceError
from connectors.jira_records import TRACKED
from connectors.jira_streams import Issues, Worklogs
from connectors.records import Ticket, TicketTransition, Worklog

PAYLOADS = Path(__file__).parents[3] / "shared/payloads/jira/jira_api_issues.jsonl"
PERCEVAL = "perceval==1.6.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "leadline-tests"
NEWS = datetime(2026, 9, 1, tzinfo=UTC)


def parse(stream: type[Issues | Worklogs], body: Any, **attributes: str) -> Parsed:
    """What a kept page holds."""
    content = json.dumps(body, ensure_ascii=False).encode()
    line = Line("jira", "site", attributes, "https://x.test/search", NEWS, content)
    parsed = stream(lambda _: pytest.fail("parsing asks nothing"), (), None).parse(line)
    for record_type in (Ticket, TicketTransition, Worklog):
        rejected = sum(reject.table == record_type.table for reject in parsed.rejects)
        read = sum(table.num_rows for table in parsed.tables[record_type])
        read += len(parsed.records[record_type])
        assert parsed.seen[record_type.table] == read + rejected
    return parsed


def tracked(issues: list[dict[str, Any]]) -> int:
    """Items of histories that become transitions."""
    return sum(
        (item.get("fieldId") or item["field"]) in TRACKED and item["fieldtype"] == "jira"
        for issue in issues
        for history in issue["changelog"]["histories"]
        for item in history["items"]
    )


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Any]]:
    """Recorded issues of a Cloud board, Chinese names, times at +0800."""
    if not PAYLOADS.is_file():
        pytest.skip(f"the recorded payloads are not at {PAYLOADS}")
    lines = PAYLOADS.read_text(encoding="utf-8").splitlines()
    return [json.loads(text)["data"] for text in lines]


def test_recorded_issues_are_read_to_the_unit(recorded: list[dict[str, Any]]) -> None:
    """33 issues, 522 histories, no reject; names as they are, categories by key."""
    assert sum(len(issue["changelog"]["histories"]) for issue in recorded) == 522
    parsed = parse(Issues, {"issues": recorded})
    assert parsed.rejects == []
    assert len(parsed.records[Ticket]) == 33
    assert len(parsed.sets[TicketTransition]) == 33
    assert len(parsed.records[TicketTransition]) == tracked(recorded)
    first = parsed.records[Ticket][0]
    assert isinstance(first, Ticket)
    assert (first.ticket_key, first.type, first.status) == ("EE-1", "故事", "已完成")
    assert first.created_at == datetime(2020, 6, 12, 0, 13, 13, 360000, tzinfo=UTC)
    assert first.resolution == "完成"
    categories = Counter(
        ticket.status_category for ticket in parsed.records[Ticket] if isinstance(ticket, Ticket)
    )
    expected = Counter(
        {"new": "new", "indeterminate": "in_progress", "done": "done"}[
            issue["fields"]["status"]["statusCategory"]["key"]
        ]
        for issue in recorded
    )
    assert categories == expected


def test_recorded_histories_read_the_same_from_a_bulk_answer(
    recorded: list[dict[str, Any]],
) -> None:
    """The bulk answer's epoch milliseconds and the issues' own times are the same moments."""
    embedded = parse(Issues, {"issues": recorded})
    logs = [
        {
            "issueId": issue["id"],
            "changeHistories": [
                {**history, "created": _epoch(history["created"])}
                for history in issue["changelog"]["histories"]
            ],
        }
        for issue in recorded
    ]
    bulk = parse(Issues, {"issueChangeLogs": logs}, holds="histories")
    assert bulk.records[TicketTransition] == embedded.records[TicketTransition]


def test_recorded_worklogs_are_read(recorded: list[dict[str, Any]]) -> None:
    """As they stand in the issues, and as `worklog/list` gives them."""
    worklogs = [worklog for issue in recorded for worklog in issue["fields"]["worklog"]["worklogs"]]
    assert worklogs
    parsed = parse(Worklogs, worklogs, holds="worklogs")
    assert parsed.rejects == []
    assert sum(table.num_rows for table in parsed.tables[Worklog]) == len(worklogs)


def _epoch(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.fixture(scope="module")
def perceval() -> Path:
    """The recorded Data Center answers in perceval's source distribution."""
    folder = CACHE / "perceval"
    if not (found := list(folder.glob("*.tar.gz"))):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        _run([*pip, "--no-binary", ":all:", "--dest", str(folder), PERCEVAL], PERCEVAL)
        found = list(folder.glob("*.tar.gz"))
    data = folder / "jira"
    with tarfile.open(found[0]) as archive:
        for member in archive.getmembers():
            if "/tests/data/jira/" in member.name and member.isfile():
                source = archive.extractfile(member)
                assert source is not None
                data.mkdir(exist_ok=True)
                (data / Path(member.name).name).write_bytes(source.read())
    return data


@pytest.mark.parametrize(
    ("name", "issues"),
    [
        ("jira_issues_page_1.json", 2),
        ("jira_issues_page_2.json", 1),
        ("jira_issues_page_empty.json", 0),
    ],
)
def test_percevals_pages_are_read(perceval: Path, name: str, issues: int) -> None:
    """Answers of a real Data Center."""
    body = json.loads((perceval / name).read_text(encoding="utf-8"))
    parsed = parse(Issues, body)
    assert parsed.rejects == []
    assert len(parsed.records[Ticket]) == issues


@pytest.mark.parametrize(
    "name", ["jira_comments_issue_page_1.json", "jira_comments_issue_empty.json"]
)
def test_another_kind_of_page_is_told_by_its_shape(perceval: Path, name: str) -> None:
    """A page of comments is no search result."""
    body = json.loads((perceval / name).read_text(encoding="utf-8"))
    with pytest.raises(SourceError, match=r"at \$ expected an object with 'issues', found an obj"):
        parse(Issues, body)


def _run(command: list[str], what: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"{what} cannot be installed here: {error}")
