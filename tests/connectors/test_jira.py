"""Jira, pulled over real HTTP from the sandbox: nothing lost, nothing asked twice."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from pydantic import ValidationError

from connectors.connector import Finding, Pull, SourceError, State, kinds
from connectors.jira import Jira, JiraOptions
from connectors.records import Worklog
from sandbox.faults import Fault, Rule
from sandbox.jira import JiraSettings
from tests.connectors.jira_pulling import Pulled, pulled
from tests.sandbox.jira_world import END, START, TICKETS, data_center, served, ticket_site
from tests.sandbox.jira_world import Jira as Served


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_TOKEN", "sandbox-token")


SETTINGS = [
    pytest.param(JiraSettings(), id="cloud"),
    pytest.param(JiraSettings(page_cap=7, history_page=20), id="cloud, small pages"),
    pytest.param(data_center(), id="data center"),
    pytest.param(data_center(page_cap=7), id="data center, small pages"),
]


def jqls(jira: Served) -> list[str]:
    """Every search that was asked."""
    paths = [unquote_plus(seen.path) for seen in jira.requests]
    return [found[1] for path in paths if (found := re.search(r"jql=([^&]*)", path))]


@pytest.mark.parametrize("settings", SETTINGS)
def test_everything_the_site_knows_is_received(settings: JiraSettings) -> None:
    """Tickets, whole histories (ninety on one ticket), worklogs and users, to the unit."""
    site = ticket_site()
    with served(settings, site=site) as jira:
        connection = pulled(jira)
        connection.sync()
        assert connection.is_all_of(site)
        assert connection.rejects == []
        expected = sum(len(ticket.worklogs) for ticket in site.tickets)
        assert len(connection.worklogs) == expected
        assert len(connection.accounts) == len(site.users)


@pytest.mark.parametrize("settings", SETTINGS)
def test_an_unchanged_site_costs_a_handful_of_requests_and_brings_nothing(
    settings: JiraSettings,
) -> None:
    """What the overlap brings again is known, and is not kept again."""
    with served(settings) as jira:
        connection = pulled(jira)
        connection.sync()
        connection.pages.clear()
        assert connection.sync() <= 6
        assert connection.pages == []


@pytest.mark.parametrize("settings", SETTINGS)
def test_changes_arrive_day_by_day_as_if_all_had_come_at_once(settings: JiraSettings) -> None:
    """A site that moves between pulls ends in the same rows, whatever zone the account has."""
    site = ticket_site()
    with served(settings, site=site, visible_until=START) as jira:
        connection = pulled(jira)
        while jira.site.world.visible_until < END:
            connection.sync("issues", "worklogs")
            jira.site.world.advance(timedelta(days=23, hours=7).total_seconds())
        jira.site.world.visible_until = END
        connection.sync("issues", "worklogs")
        assert connection.is_all_of(site)
        assert len(connection.worklogs) == sum(len(ticket.worklogs) for ticket in site.tickets)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_site_that_changes_while_it_is_read_loses_nothing(settings: JiraSettings) -> None:
    """Issues that move to the end between two pages are neither skipped nor left behind."""
    site = ticket_site()
    rule = Rule(fault=Fault.DRIFT, path="/search", skip=1, seconds=3 * 86400)
    with served(settings, rule, site=site, visible_until=START + timedelta(days=9)) as jira:
        connection = pulled(jira)
        connection.sync("issues")
        jira.faults.clear()
        jira.site.world.visible_until = END
        connection.sync("issues")
        assert connection.is_all_of(site)


def test_searches_ask_in_milliseconds_and_never_for_an_end() -> None:
    """Any other time would be read in the zone of the account that owns the token."""
    with served() as jira:
        connection = pulled(jira, projects=["EE", "OPS"], start_date=date(2026, 1, 10))
        connection.sync("issues")
        connection.sync("issues")
        first, *_, last = jqls(jira)
    assert first == (
        'project in ("EE", "OPS") AND updated >= 1768003200000 ORDER BY updated ASC, key ASC'
    )
    newest = max(ticket.updated_at for ticket in ticket_site().tickets)
    mark = int((newest - timedelta(minutes=10)).timestamp() * 1000)
    assert f"updated >= {mark} ORDER" in last


def test_an_issue_that_the_index_shows_late_is_received() -> None:
    """Cloud may show a change minutes after a later one: the mark stays behind by the overlap."""
    site = ticket_site()
    late = max(site.tickets, key=lambda ticket: ticket.updated_at)
    other = replace(site.tickets[1], updated_at=late.updated_at + timedelta(minutes=4), worklogs=())
    tickets = tuple(other if ticket.id == other.id else ticket for ticket in site.tickets)
    with served(site=replace(site, tickets=tickets)) as jira:
        jira.site.unindexed.add(late.id)
        connection = pulled(jira)
        connection.sync("issues")
        assert str(late.id) not in connection.tickets
        jira.site.unindexed.clear()
        connection.sync("issues")
        assert str(late.id) in connection.tickets


def test_the_mark_stays_behind_the_request_when_the_sites_clock_is_ahead() -> None:
    """A change dated after the request must not carry the mark past it."""
    site = ticket_site()
    ahead = datetime.now(UTC) + timedelta(days=400)
    future = replace(site.tickets[1], updated_at=ahead)
    tickets = tuple(future if ticket.id == future.id else ticket for ticket in site.tickets)
    with served(site=replace(site, tickets=tickets), visible_until=ahead) as jira:
        connection = pulled(jira)
        connection.sync("issues")
        cursor = connection.states["issues"].cursor
    assert cursor is not None
    assert int(cursor) / 1000 < datetime.now(UTC).timestamp() - 500


def test_a_broken_pull_goes_on_where_it_stood() -> None:
    """Pages come in the order of changes, so each moves the mark; nothing is left out."""
    site = ticket_site()
    settings = JiraSettings(page_cap=7)
    rule = Rule(fault=Fault.HTML, path="/search/jql", skip=4)
    with served(settings, rule, site=site) as jira:
        connection = pulled(jira)
        with pytest.raises(SourceError, match="web page instead of JSON"):
            connection.sync("issues")
        received = len(connection.tickets)
        assert 0 < received < TICKETS
        assert connection.states["issues"].marker is None
        jira.faults.clear()
        asked = len(jqls(jira))
        connection.sync("issues")
        assert connection.is_all_of(site)
        assert len(jqls(jira)) - asked <= (TICKETS - received) // 7 + 2


def test_the_state_never_passes_an_issue_whose_history_is_missing() -> None:
    """The page of issues moves nothing; the last page of their histories does."""
    rule = Rule(fault=Fault.HTML, path="/changelog/bulkfetch")
    with served(JiraSettings(), rule) as jira:
        connection = pulled(jira)
        with pytest.raises(SourceError):
            connection.sync("issues")
        assert connection.states == {}
        assert len(connection.tickets) == TICKETS


FAULTS = [
    Rule(fault=Fault.TOO_MANY_REQUESTS, every=3, once_per_url=True, seconds=1),
    Rule(fault=Fault.SERVER_ERROR, every=3, once_per_url=True),
    Rule(fault=Fault.UNAVAILABLE, every=2, once_per_url=True),
    Rule(fault=Fault.TRUNCATED, every=3, once_per_url=True),
    Rule(fault=Fault.MALFORMED_JSON, every=3, once_per_url=True),
    Rule(fault=Fault.HTML, every=3, once_per_url=True),
]


@pytest.mark.parametrize("rule", FAULTS, ids=lambda rule: rule.fault)
def test_faults_are_waited_out(rule: Rule) -> None:
    """The same rows in the end as from a healthy site."""
    site = ticket_site()
    with served(JiraSettings(page_cap=20), rule, site=site) as jira:
        connection = pulled(jira)
        connection.sync()
        assert jira.faults.hits
        assert connection.is_all_of(site)


def test_data_center_is_read_past_its_result_window() -> None:
    """Each page begins at the last change of the one before, so that no offset grows."""
    site = ticket_site()
    with served(data_center(result_window=50, page_cap=20), site=site) as jira:
        connection = pulled(jira)
        connection.sync("issues")
        assert connection.is_all_of(site)
        assert not any("startAt" in seen.path for seen in jira.requests)


def test_many_changes_of_one_moment_are_paged_by_offset() -> None:
    """A bulk change leaves many issues with one time; the overlap of one moment is paged."""
    site = ticket_site()
    moment = END - timedelta(days=1)
    tickets = tuple(replace(ticket, updated_at=moment) for ticket in site.tickets)
    with served(data_center(page_cap=7), site=replace(site, tickets=tickets)) as jira:
        connection = pulled(jira)
        connection.sync("issues")
        assert len(connection.tickets) == TICKETS


def test_statuses_count_by_category_whatever_they_are_called() -> None:
    """`Done soon` is in progress, 已完成 is done; names survive."""
    with served() as jira:
        connection = pulled(jira)
        connection.sync("issues")
        doing, done = connection.tickets["20001"], connection.tickets["20002"]
        assert (doing.status, doing.status_category) == ("Done soon", "in_progress")
        assert (done.status, done.status_category, done.resolution) == ("已完成", "done", "Done")
        moves = [t for t in connection.sets["jira:issue:20002"] if t.field == "status"]
        assert [(t.from_value, t.to_value, t.to_category) for t in moves] == [
            ("待办", "Done soon", "in_progress"),
            ("Done soon", "已完成", "done"),
        ]


@pytest.mark.parametrize(
    ("settings", "request_type"),
    [(JiraSettings(), "New database"), (data_center(), "ops/New database")],
    ids=["cloud", "data center"],
)
def test_a_ticket_is_told_in_full(settings: JiraSettings, request_type: str) -> None:
    """Type, request type, people, texts, links; a moved ticket keeps its id and says so."""
    with served(settings) as jira:
        connection = pulled(jira)
        connection.sync()
        request, story = connection.tickets["20005"], connection.tickets["20003"]
        assert (request.ticket_key, request.project, request.type) == ("OPS-6", "OPS", "Request")
        assert request.request_type == request_type
        moves = {t.field: (t.from_value, t.to_value) for t in connection.sets["jira:issue:20005"]}
        assert moves["project"] == ("Edge", "Operations")
        assert moves["key"] == ("EE-901", "OPS-6")
        assert moves["assignee"] == (None, "jira:account:u2")
        assert story.request_type is None
        assert story.description == "First line\nsecond line"
        assert story.parent_key == "EE-2"
        assert story.title == "四个排序图 3"
        assert story.url == f"{jira.url}/browse/EE-4"
        assert connection.tickets["20004"].labels == ["frontEnd", "Saas"]
        assert connection.tickets["20001"].components == ["api"]
        assert (story.reporter, story.assignee) == ("jira:account:u1", "jira:account:u2")
        assert connection.accounts["jira:account:u1"].email == "person1@x.test"
        assert connection.accounts["jira:account:u2"].email is None
        assert connection.sets["jira:issue:20007"][0].actor is None
        (worklog,) = (w for w in connection.worklogs.values() if w.ticket_id.endswith("20003"))
        assert (worklog.author, worklog.duration_us) == ("jira:account:u1", 1_800_000_000)
    is_bot = {key: row.is_bot for key, row in connection.accounts.items()}
    assert is_bot["jira:account:u4"] is settings.is_cloud  # Data Center does not tell


def test_deleted_worklogs_are_said_to_be_gone() -> None:
    """By the site's own word, in the next pull."""
    with served() as jira:
        connection = pulled(jira)
        connection.sync("worklogs")
        newest = max(connection.worklogs.values(), key=lambda w: w.source_updated_at or START)
        jira.site.deleted_worklogs[int(newest.worklog_id.rpartition(":")[2])] = END
        connection.sync("worklogs")
        assert newest.worklog_id not in connection.rows[Worklog]


def test_a_wrong_token_is_an_error_that_does_not_repeat_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """401 says what to do; the token stands nowhere, nor in what is kept of a good pull."""
    with served() as jira:
        connection = pulled(jira)
        connection.sync()
        kept = b"".join(page.url.encode() + page.body for page in connection.pages)
        assert b"sandbox-token" not in kept
        monkeypatch.setenv("JIRA_TOKEN", "canary-4711")
        wrong = pulled(jira)
        with pytest.raises(SourceError) as raised:
            wrong.sync("issues")
        assert "the token is wrong or expired (401)" in str(raised.value)
        assert "canary" not in str(raised.value)
        (finding,) = (f for f in findings(wrong) if f.level == "error")
        assert "the token is wrong or expired" in finding.message


def findings(connection: Pulled, hours: float = 0) -> list[Finding]:
    """What doctor is told, by a machine whose clock is wrong by some hours."""
    now = datetime.now(UTC) + timedelta(hours=hours)
    return list(connection.jira.diagnose(Pull(connection.client, Path(), lambda: now)))


def said(connection: Pulled, hours: float = 0) -> dict[str, tuple[str, str]]:
    """Findings by subject."""
    return {f.subject: (f.level, f.message) for f in findings(connection, hours)}


def test_doctor_tells_server_credential_projects_and_clock() -> None:
    """Good news and bad news, each with what to do."""
    with served() as jira:
        good = said(pulled(jira, projects=["EE"]))
        assert good["server"][1].startswith("Jira Cloud 1001.0.0 at http://127.0.0.1")
        assert good["credential"] == ("ok", "signed in as Metrics, zone Asia/Singapore")
        assert good["projects"] == ("ok", "1 visible")
        assert good["clock"][0] == "ok"
        assert good["rate limit"] == ("ok", "none told")
        bad = said(pulled(jira, projects=["EE", "NOPE"]), hours=2)
        assert bad["projects"][0] == "error"
        assert bad["projects"][1].startswith("not visible to the token: NOPE; check the keys")
        assert bad["clock"][0] == "warning"
        assert "set this machine's clock by NTP" in bad["clock"][1]
    with served(data_center()) as jira:
        assert said(pulled(jira))["server"][1].startswith("Jira Data Center 9.12.5")


def test_a_project_that_is_not_there_is_named() -> None:
    """Jira's own words reach the user."""
    with served() as jira, pytest.raises(SourceError, match="The value 'NOPE' does not exist"):
        pulled(jira, projects=["NOPE"]).sync("issues")


BAD_OPTIONS: dict[str, tuple[dict[str, object], str]] = {
    "no address": ({"base_url": None}, 'a jira connection needs base_url, such as "https://comp'),
    "token in the settings": ({"token": "abc"}, 'write a secret as { env = "NAME" }'),
    "no key": ({"projects": ["My project"]}, '"My project" is no project key; write one such as'),
    "kind": ({"deployment": "server"}, "Input should be 'cloud' or 'data_center'"),
}


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_settings_that_cannot_work_are_refused(options: dict[str, object], message: str) -> None:
    """With what to write instead."""
    good = {"base_url": "https://x.atlassian.net", "token": {"env": "T"}}
    with pytest.raises(ValidationError) as raised:
        JiraOptions.model_validate({**good, **options})
    assert message in str(raised.value)


def test_the_connector_is_found_and_its_options_survive_keeping() -> None:
    """Options go through JSON when a connection is remembered."""
    assert kinds()["jira"] is Jira
    options = JiraOptions.model_validate(
        {"base_url": "https://x.atlassian.net", "email": "a@x.test", "token": {"env": "T"}}
    )
    again = JiraOptions.model_validate_json(options.model_dump_json())
    assert again == options


def test_users_are_asked_for_by_full_passes_alone() -> None:
    """There is no telling which users changed."""
    with served() as jira:
        connection = pulled(jira)
        connection.sync("users")
        assert connection.sync("users") == 0
        connection.states["users"] = State()
        assert connection.sync("users") > 0
