"""Our Jira connector pulls an emulated Data Center 8.20: all there is, once, and what changes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Pull
from connectors.jira import Jira, JiraOptions
from connectors.jira_records import TRACKED
from pipelines.sync import SyncResult
from tests.connectors.web import Web, serving
from tests.pulling import ask, pull
from tests.tool.jira820 import Completed, emulator

pytestmark = pytest.mark.tool

ISSUES = 364


class Site:
    """The emulator, and a connection to it with its data."""

    def __init__(self, emulated: Completed, web: Web, folder: Path) -> None:
        self.emulated = emulated
        self.web = web
        self.folder = folder
        self.jira = Jira(
            "jira",
            JiraOptions.model_validate(
                {"base_url": web.url, "token": {"env": "JIRA_TOKEN"}, "projects": ["JIRA820"]}
            ),
        )

    def sync(self, *, full: bool = False) -> SyncResult:
        """Pull everything once."""
        return pull(self.folder, self.jira, full=full)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the records say, all received so far loaded."""
        return ask(self.folder, query)

    def searches(self) -> int:
        """How often was searched."""
        return sum("/search?" in asked.path for asked in self.web.asked)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A fresh emulator with its 364 issues."""
    monkeypatch.setenv("JIRA_TOKEN", "any")
    with emulator(tmp_path) as address:
        emulated = Completed(address)
        with serving(emulated.answer) as web:
            yield Site(emulated, web, tmp_path)


def test_everything_is_received_and_counts_are_the_emulators_own(site: Site) -> None:
    """All issues by pages, their whole histories, worklogs and people; nothing rejected."""
    assert site.sync().errors == []
    issues = site.emulated.issues()
    assert len(issues) == ISSUES
    tickets = site.rows("select ticket_id, ticket_key from ticket order by ticket_key")
    expected = [(f"jira:issue:{issue['id']}", issue["key"]) for issue in issues]
    assert tickets == sorted(expected, key=lambda pair: pair[1])
    assert site.searches() >= ISSUES / 50
    histories = sorted(
        (f"jira:issue:{issue['id']}", history["id"], TRACKED[item["field"]])
        for issue in issues
        for history in site.emulated.histories(issue["key"])["histories"]
        for item in history["items"]
        if item["field"] in TRACKED
    )
    assert histories
    found = site.rows("select ticket_id, transition_id, field from ticket_transition order by all")
    assert found == histories
    assert site.rows("select count(*) from worklog") == [(len(site.emulated.worklogs),)]
    assert site.rows("select count(*) > 0, count(*) = count(name) from account") == [(True, True)]
    assert site.rows("select * from reject") == []


def test_the_next_pull_brings_nothing_and_full_passes_what_changed(site: Site) -> None:
    """The cursor holds; a new state arrives with its history, a deleted issue goes."""
    site.sync()
    searches = site.searches()
    assert site.sync().items == 0
    assert site.searches() == searches + 1

    moved, gone = site.emulated.issues("statusCategory = new", "updated")[:2]
    count = f"select count(*) from ticket_transition where ticket_id = 'jira:issue:{moved['id']}'"
    ((before,),) = site.rows(count)
    assert site.emulated.move(moved["key"])
    assert site.emulated.delete(gone["key"])
    for _ in range(2):
        assert site.sync(full=True).errors == []
    assert site.rows(count) == [(before + 1,)]
    left = {key for (key,) in site.rows("select ticket_key from ticket where deleted_at is null")}
    assert len(left) == ISSUES - 1
    assert gone["key"] not in left


def test_doctor_names_server_and_projects(site: Site) -> None:
    """What `leadline doctor` asks is answered by a Data Center too."""
    client = site.jira.client()
    pull = Pull(client, site.folder, lambda: datetime.now(UTC))
    said = {finding.subject: finding for finding in site.jira.diagnose(pull)}
    pull.close()
    assert said["server"].message.startswith("Jira Data Center 8.20.8")
    assert said["projects"].level == "ok"
