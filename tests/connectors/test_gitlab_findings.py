"""Vulnerabilities of GitLab: what they become, what they cost, and a GitLab without them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Line, Parsed, Pull
from connectors.gitlab_findings import VulnerabilitiesStream
from connectors.gitlab_options import GitlabOptions
from connectors.records import ScanFinding
from connectors.secret import Secret
from sandbox.code_scanning import is_scanned
from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from tests.connectors.gitlab_work_reading import GitlabReading, gitlab_reading
from tests.connectors.test_github_alerts import Standing, truth

END = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A generated organisation in which some projects are scanned."""
    made = build_organisation(engineers=8, services=10, months=3, end=END)
    assert 1 < sum(map(is_scanned, made.repositories)) < len(made.repositories)
    return made


@pytest.fixture
def reading(organisation: Organisation, tmp_path: Path) -> Iterator[GitlabReading]:
    """A connection to a GitLab that has vulnerabilities, a month before its end."""
    month = timedelta(days=30)
    with gitlab_reading(organisation, tmp_path, before_end=month, vulnerabilities=True) as one:
        yield one


def standing(reading: GitlabReading) -> dict[str, Standing]:
    """By project: what the newest scan of it says of each rule and place."""
    found: dict[str, Standing] = {}
    for key, rule, path, at_line, *verdict in reading.ask(
        "select repository_key, rule, path, at_line, is_pass, is_suppressed from finding"
        " qualify rank() over (partition by repository_key, tool order by seen_at desc) = 1"
    ):
        found.setdefault(key.rpartition("/")[2], {})[rule, path, at_line] = tuple(verdict)
    return found


def test_vulnerabilities_become_findings(reading: GitlabReading) -> None:
    """Detected ones fail, dismissed ones are suppressed, resolved ones are nowhere any more."""
    assert reading.sync().errors == []
    sandbox = reading.sandbox
    assert standing(reading) == truth(sandbox.organisation, sandbox.world.visible_until)
    again = reading.sync()
    assert (again.pages, again.errors) == (0, [])
    sandbox.world.advance(20 * 86_400)
    assert reading.sync().errors == []
    assert standing(reading) == truth(sandbox.organisation, sandbox.world.visible_until)


def test_a_gitlab_without_them_is_told_by_doctor_alone(
    organisation: Organisation, tmp_path: Path
) -> None:
    """The free edition does not know the question; by default nothing is asked."""
    lacks = {"unknown_fields": frozenset({"vulnerabilities"})}
    with gitlab_reading(organisation, tmp_path, settings=lacks, vulnerabilities=True) as reading:
        assert reading.sync().errors == []
        assert standing(reading) == {}
        pull = Pull(reading.connector.client(), tmp_path, lambda: datetime.now(UTC))
        found = {each.subject: each for each in reading.connector.diagnose(pull)}
        pull.close()
    assert found["vulnerabilities"].level == "warning"
    assert "Ultimate" in found["vulnerabilities"].message


def vulnerability(**changed: Any) -> dict[str, Any]:
    """One that was detected."""
    return {
        "id": "gid://gitlab/Vulnerability/7",
        "title": "SQL injection",
        "state": "DETECTED",
        "severity": "HIGH",
        "updatedAt": "2026-03-02T09:00:00Z",
        "primaryIdentifier": {"externalId": "bandit.B608", "name": "Bandit B608"},
        "scanner": {"externalId": "semgrep", "name": "Semgrep"},
        "location": {"file": "shop/db.py", "startLine": "12"},
        **changed,
    }


def parse(*nodes: Any) -> Parsed:
    """What the stream reads from a page."""
    body = {"data": {"project": {"vulnerabilities": {"nodes": nodes}}}}
    options = GitlabOptions(groups=("acme",), token=Secret(env="TOKEN"))
    attributes = {"repository_key": "gitlab.test/acme/shop", "seen_at": "2026-03-02T09:00:00+00:00"}
    url = "https://gitlab.test/api/graphql#vulnerabilities:7:after="
    line = Line("gitlab", "7", attributes, url, END, json.dumps(body).encode())
    return VulnerabilitiesStream(options).parse(line)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ("bandit.B608", "shop/db.py", 12, False, False)),
        ({"state": "CONFIRMED"}, ("bandit.B608", "shop/db.py", 12, False, False)),
        ({"state": "DISMISSED"}, ("bandit.B608", "shop/db.py", 12, False, True)),
        ({"state": "RESOLVED"}, ("bandit.B608", "", 0, None, False)),
        ({"location": None}, ("bandit.B608", "", 0, False, False)),
        ({"location": {"file": "a", "startLine": "-1"}}, ("bandit.B608", "a", 0, False, False)),
        ({"location": {"file": "a", "startLine": "9" * 30}}, ("bandit.B608", "a", 0, False, False)),
        ({"location": {"startLine": 4}}, ("bandit.B608", "", 4, False, False)),
        ({"primaryIdentifier": None}, ("SQL injection", "shop/db.py", 12, False, False)),
    ],
)
def test_states_and_places(changed: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """What is resolved says nothing and stands nowhere."""
    [row] = parse(vulnerability(**changed)).records[ScanFinding]
    found = row.model_dump()
    names = ("rule", "path", "at_line", "is_pass", "is_suppressed")
    assert tuple(found[name] for name in names) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"scanner": None},
        {"state": None},
        {"primaryIdentifier": None, "title": None},
        {"location": {"file": 7}},
        {"updatedAt": "yesterday"},
    ],
)
def test_a_bad_one_is_rejected_alone(changed: dict[str, Any]) -> None:
    """The others of its page are read."""
    parsed = parse(vulnerability(**changed), None, vulnerability())
    assert len(parsed.records[ScanFinding]) == 1
    assert len(parsed.rejects) == 2
