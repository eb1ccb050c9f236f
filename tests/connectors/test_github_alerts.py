"""Alerts of code scanning: what they become, what a change costs, and where they are refused."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Line, Parsed
from connectors.github_alerts import CodeScanningStream
from connectors.records import ScanFinding
from sandbox.code_scanning import alerts_at, is_scanned
from sandbox.generate import build_organisation
from sandbox.github_protocol import GithubSettings
from sandbox.organisation import Organisation
from sandbox.server import Sandbox
from tests.connectors.github_fake import OPTIONS
from tests.connectors.test_github_sandbox import Reading, findings
from tests.pulling import ask

END = datetime(2026, 6, 1, tzinfo=UTC)
OF_ORGANISATION = "the organisation's"
Standing = dict[tuple[str, str, int], tuple[bool | None, bool]]


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A generated organisation in which some repositories are scanned."""
    made = build_organisation(engineers=8, services=10, months=3, end=END)
    assert 1 < sum(map(is_scanned, made.repositories)) < len(made.repositories)
    return made


@pytest.fixture
def sandbox(organisation: Organisation, repositories: Path) -> Iterator[Sandbox]:
    """The running sandbox, a month before its end."""
    with Sandbox(organisation, repositories, visible_until=END - timedelta(days=30)) as running:
        yield running


def standing(reading: Reading) -> dict[str, Standing]:
    """By repository: what the newest scan of it says of each rule and place."""
    rows = ask(
        reading.folder,
        "select repository_key, rule, path, at_line, is_pass, is_suppressed from finding"
        " qualify rank() over (partition by repository_key, tool order by seen_at desc) = 1",
    )
    found: dict[str, Standing] = {}
    for key, rule, path, at_line, *verdict in rows:
        found.setdefault(key.rpartition("/")[2], {})[rule, path, at_line] = tuple(verdict)
    return found


def truth(organisation: Organisation, moment: datetime) -> dict[str, Standing]:
    """The same as the organisation has it: at one place the open alert counts."""
    found: dict[str, Standing] = {}
    for repository in filter(is_scanned, organisation.repositories):
        alerts = alerts_at(repository, moment)
        rows: Standing = {}
        for state in ("fixed", "dismissed", "open"):
            for alert in alerts:
                if alert.state == state:
                    place = ("", 0) if state == "fixed" else (alert.path, alert.line)
                    verdict = None if state == "fixed" else False
                    rows[alert.rule[0], *place] = (verdict, state == "dismissed")
        if rows:
            found[repository.name] = rows
    return found


def test_alerts_become_findings(sandbox: Sandbox, tmp_path: Path) -> None:
    """Open ones fail, dismissed ones are suppressed, fixed ones are nowhere any more."""
    reading = Reading(sandbox, tmp_path)
    assert reading.sync().errors == []
    expected = truth(sandbox.organisation, sandbox.world.visible_until)
    assert {each for rows in expected.values() for each in rows.values()} == {
        (False, False),
        (False, True),
        (None, False),
    }
    assert standing(reading) == expected


def test_only_what_changed_is_read_again(sandbox: Sandbox, tmp_path: Path) -> None:
    """Without a change one request a pull; with one, the repositories it is in."""
    reading = Reading(sandbox, tmp_path)
    reading.sync()
    sandbox.requests.clear()
    assert reading.sync().errors == []
    assert _asked(sandbox) == [OF_ORGANISATION]
    changed = _changed_within(sandbox, hours=6)
    sandbox.requests.clear()
    assert reading.sync().errors == []
    assert _asked(sandbox) == [OF_ORGANISATION, *changed]
    after = truth(sandbox.organisation, sandbox.world.visible_until)
    assert standing(reading) == after


def _changed_within(sandbox: Sandbox, hours: int) -> list[str]:
    """Let time pass until alerts changed in some repositories and not in others; their names."""
    scanned = [one for one in sandbox.organisation.repositories if is_scanned(one)]
    while True:
        before = sandbox.world.visible_until
        sandbox.world.advance(hours * 3600)
        now = sandbox.world.visible_until
        changed = [one.name for one in scanned if alerts_at(one, now) != alerts_at(one, before)]
        if changed:
            assert len(changed) < len(scanned)
            return sorted(changed)


def _asked(sandbox: Sandbox) -> list[str]:
    """Which lists of alerts were asked for, the organisation's first."""
    paths = [seen.path for seen in sandbox.requests if "/code-scanning/alerts" in seen.path]
    named = {path.split("/")[3] for path in paths if path.startswith("/repos/")}
    return [OF_ORGANISATION] * sum(path.startswith("/org") for path in paths) + sorted(named)


def test_named_repositories_are_asked_one_by_one(sandbox: Sandbox, tmp_path: Path) -> None:
    """One that is not scanned answers 404, which is no error."""
    names = tuple(one.full_name for one in sandbox.organisation.repositories)
    reading = Reading(sandbox, tmp_path, organisation=None, repositories=names)
    assert reading.sync().errors == []
    assert standing(reading) == truth(sandbox.organisation, sandbox.world.visible_until)


def test_patterns_leave_their_alerts_out(sandbox: Sandbox, tmp_path: Path) -> None:
    """A repository that is not read has no findings either."""
    expected = truth(sandbox.organisation, sandbox.world.visible_until)
    left_out = min(expected)
    reading = Reading(sandbox, tmp_path, exclude=[left_out])
    assert reading.sync().errors == []
    del expected[left_out]
    assert standing(reading) == expected


def test_what_may_not_be_read_is_told_by_doctor_alone(
    organisation: Organisation, repositories: Path, tmp_path: Path
) -> None:
    """A pull goes on without; the doctor names the scope; the setting asks for nothing."""
    with Sandbox(
        organisation, repositories, github=GithubSettings(scopes=("read:org",))
    ) as sandbox:
        reading = Reading(sandbox, tmp_path)
        assert reading.sync().errors == []
        assert standing(reading) == {}
        [told] = [each for each in findings(reading, tmp_path) if each.subject == "code scanning"]
        assert told.level == "warning"
        assert "security_events" in told.message
        sandbox.requests.clear()
        off = Reading(sandbox, tmp_path, code_scanning=False)
        assert off.sync().errors == []
        assert _asked(sandbox) == []


def line(*alerts: Any) -> Line:
    """A kept page of alerts."""
    attributes = {
        "repository": "77",
        "repository_key": "github.com/tideworks/ledger",
        "seen_at": "2026-03-02T09:00:00+00:00",
    }
    at = datetime(2026, 9, 1, tzinfo=UTC)
    url = "https://api.github.com/repos/tideworks/ledger/code-scanning/alerts?page=1"
    return Line("github", "tideworks", attributes, url, at, json.dumps(alerts).encode())


def alert(**changed: Any) -> dict[str, Any]:
    """An open alert."""
    return {
        "number": 4,
        "state": "open",
        "created_at": "2026-03-01T00:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "rule": {"id": "js/zipslip", "severity": "error", "description": "Arbitrary file write"},
        "tool": {"name": "CodeQL"},
        "most_recent_instance": {"location": {"path": "lib/a.js", "start_line": 917}},
        **changed,
    }


def parse(*alerts: Any) -> Parsed:
    """What the stream reads from a page."""
    return CodeScanningStream(OPTIONS).parse(line(*alerts))


def test_an_alert_is_a_finding_of_its_scan() -> None:
    """The scan is the repository's and tool's at its newest change."""
    [row] = parse(alert()).records[ScanFinding]
    assert row.model_dump(exclude={"source_updated_at"}) == {
        "scan_id": "github:scan:77:CodeQL:2026-03-02T09:00:00+00:00",
        "repository_key": "github.com/tideworks/ledger",
        "tool": "CodeQL",
        "rule": "js/zipslip",
        "path": "lib/a.js",
        "at_line": 917,
        "severity": "error",
        "is_pass": False,
        "is_suppressed": False,
        "message": "Arbitrary file write",
        "audit": None,
        "seen_at": datetime(2026, 3, 2, 9, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"most_recent_instance": None}, ("", 0, False, False)),
        ({"most_recent_instance": {"location": {"start_line": -3}}}, ("", 0, False, False)),
        ({"state": "dismissed"}, ("lib/a.js", 917, False, True)),
        ({"state": "fixed"}, ("", 0, None, False)),
        ({"state": None}, ("", 0, None, False)),
        ({"state": "auto_dismissed_one_day"}, ("", 0, None, False)),
    ],
)
def test_states_and_places(changed: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """What is neither open nor dismissed says nothing and stands nowhere."""
    [row] = parse(alert(**changed)).records[ScanFinding]
    found = row.model_dump()
    assert (
        tuple(found[name] for name in ("path", "at_line", "is_pass", "is_suppressed")) == expected
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": {"id": None, "severity": "error"}},
        {"rule": None},
        {"tool": None},
        {"number": "four"},
        {"most_recent_instance": {"location": {"path": 7}}},
        {"updated_at": "yesterday"},
    ],
)
def test_a_bad_alert_is_rejected_alone(changed: dict[str, Any]) -> None:
    """The others of its page are read."""
    parsed = parse(alert(**changed), None, alert(number=5))
    assert len(parsed.records[ScanFinding]) == 1
    assert len(parsed.rejects) == 2
    assert all(reject.path.startswith("$[") for reject in parsed.rejects)
