"""Service projects: goals with their clocks and customer organisations, Cloud and Data Center."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Finding, Line, Parsed, Pull
from connectors.jira_streams import Issues
from connectors.records import Ticket, TicketSla
from sandbox.generate import build_organisation
from sandbox.jira import JiraSettings
from sandbox.organisation import Organisation
from sandbox.truth import truth_of
from tests.connectors.jira_pulling import Pulled, pulled
from tests.sandbox.jira_world import END, START, data_center, served, ticket_site

NEWS = datetime(2026, 9, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_TOKEN", "sandbox-token")


@pytest.fixture(scope="module")
def made_up() -> Organisation:
    """A seeded organisation with a request desk."""
    return build_organisation(
        engineers=25, months=6, services=3, end=datetime(2026, 7, 1, tzinfo=UTC)
    )


SETTINGS = [
    pytest.param(JiraSettings(), id="cloud"),
    pytest.param(data_center(page_cap=7), id="data center, small pages"),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_clock_is_received_as_it_ran(settings: JiraSettings, made_up: Organisation) -> None:
    """Start, stop, goal, elapsed and breach of each cycle equal the truth, pauses included."""
    truth = truth_of(made_up).service_levels
    assert truth["is_breached"].any()
    assert (truth["cycle"] > 1).any()
    with served(settings, site=made_up.ticket_site, visible_until=made_up.end) as jira:
        connection = pulled(jira)
        connection.sync("issues")
    assert connection.rejects == []
    keys = {t.ticket_id: t.ticket_key for t in connection.tickets.values()}
    found = {
        (keys[ticket_id], sla.name, sla.cycle): sla
        for ticket_id, slas in connection.slas.items()
        for sla in slas
    }
    assert sorted(found) == sorted(truth.select("ticket_key", "name", "cycle").iter_rows())
    for row in truth.iter_rows(named=True):
        sla = found[row["ticket_key"], row["name"], row["cycle"]]
        assert sla.started_at == row["started_at"]
        assert sla.stopped_at == row["stopped_at"]
        assert sla.goal_us == row["goal_us"]
        assert sla.elapsed_us == row["elapsed_us"]
        is_late = sla.stopped_at is None and (sla.breach_at or made_up.end) < made_up.end
        assert (sla.is_breached or is_late) == row["is_breached"]
    organisations = {t.ticket_key: tuple(t.organisations) for t in connection.tickets.values()}
    assert organisations == {t.key: t.organisations for t in made_up.ticket_site.tickets}
    assert any(organisations.values())


@pytest.mark.parametrize("settings", SETTINGS)
def test_goals_cost_no_request(settings: JiraSettings) -> None:
    """They come with the search: as many requests as where there is no service desk."""
    spent = {}
    for desk in ("agent", "absent"):
        with served(replace(settings, desk=desk)) as jira:
            spent[desk] = pulled(jira).sync()
            assert not [seen for seen in jira.requests if "servicedeskapi" in seen.path]
    assert spent["agent"] == spent["absent"]


def test_a_running_clock_reads_the_same_whenever_it_is_asked() -> None:
    """No elapsed time, no breach that has come since: the records depend on changes alone."""
    found = []
    for hours in (1, 200):
        with served(visible_until=START + timedelta(hours=hours)) as jira:
            connection = pulled(jira)
            connection.sync("issues")
        found.append([s for s in connection.slas["jira:issue:20000"] if s.stopped_at is None])
    assert len(found[0]) == 2
    assert found[1] == [sla for sla in found[0] if sla.name == "Time to resolution"]


def test_where_nothing_is_known_of_goals_none_are_told() -> None:
    """No such fields: no sets, so that nothing already known is taken away."""
    with served(JiraSettings(desk="absent")) as jira:
        connection = pulled(jira)
        connection.sync("issues")
        assert connection.slas == {}
        assert connection.is_all_of(ticket_site())
    with served(JiraSettings(desk="customer")) as jira:
        connection = pulled(jira)
        connection.sync("issues")
        assert not any(connection.slas.values())
        assert connection.rejects == []


def test_a_clock_goes_on_between_two_pulls() -> None:
    """A request that is responded to in between: the cycle under way is completed, not doubled."""
    with served(visible_until=START + timedelta(hours=3)) as jira:
        connection = pulled(jira)
        connection.sync("issues")
        ((ticket_id, before),) = [(t, s) for t, s in connection.slas.items() if s]
        assert {sla.stopped_at for sla in before} == {None}
        jira.site.world.visible_until = END
        connection.sync("issues")
        after = connection.slas[ticket_id]
    assert len(after) == len(before) == 2
    assert [sla.stopped_at for sla in after if sla.name == "Time to first response"] == [
        START + timedelta(hours=5)
    ]


SAID = {
    "agent": ("ok", "1, with 2 goals (SLAs)"),
    "customer": ("ok", "make it an agent"),
    "absent": ("ok", "not installed here"),
}


@pytest.mark.parametrize("desk", SAID)
@pytest.mark.parametrize("settings", SETTINGS)
def test_doctor_tells_of_service_projects(settings: JiraSettings, desk: Any) -> None:
    """Installed and an agent, installed and none (403), not installed (404): told, no error."""
    with served(replace(settings, desk=desk)) as jira:
        finding = _doctor(pulled(jira))
    level, part = SAID[desk]
    assert finding.level == level
    assert part in finding.message


def test_service_projects_are_counted_over_pages() -> None:
    """start, limit and isLastPage, however few a page holds."""
    site = ticket_site()
    desk = site.projects[1]
    more = tuple(replace(desk, id=600 + n, key=f"D{n}") for n in range(5))
    with served(
        JiraSettings(page_cap=2), site=replace(site, projects=site.projects + more)
    ) as jira:
        assert "6, with" in _doctor(pulled(jira)).message
        asked = [seen for seen in jira.requests if "/servicedesk" in seen.path]
        assert len(asked) == 3


def _doctor(connection: Pulled) -> Finding:
    pull = Pull(connection.client, Path(), lambda: datetime.now(UTC))
    found = {finding.subject: finding for finding in connection.jira.diagnose(pull)}
    return found["service projects"]


def parse(sla: Any, organisations: Any = None) -> Parsed:
    """One issue whose fields hold these."""
    issue = {
        "id": "7",
        "key": "INF-7",
        "fields": {"created": "2026-05-01T08:00:00.000+0000", "sla": sla, "who": organisations},
    }
    attributes = {"sla_fields": "sla,other", "organisations_field": "who"}
    body = json.dumps({"issues": [issue]}).encode()
    line = Line("jira", "site", attributes, "https://x.test/search", NEWS, body)
    parsed = Issues(lambda _: pytest.fail("parsing asks nothing"), (), None).parse(line)
    for record_type in (Ticket, TicketSla):
        rejected = sum(reject.table == record_type.table for reject in parsed.rejects)
        assert parsed.seen[record_type.table] == len(parsed.records[record_type]) + rejected
    assert len(parsed.records[Ticket]) == 1
    return parsed


def goal(**changed: Any) -> dict[str, Any]:
    """A goal with one completed cycle."""
    cycle = {"startTime": {"epochMillis": 1_777_622_400_000}, "breached": False}
    return {"id": "1", "name": "Time to resolution", "completedCycles": [cycle], **changed}


GOOD = {"startTime": {"epochMillis": 1_777_622_400_000}}
BAD: list[Callable[[], tuple[Any, int]]] = [
    lambda: (goal(), 1),
    lambda: (goal(completedCycles=[]), 0),
    lambda: (goal(ongoingCycle=GOOD), 2),
    lambda: (goal(id=1, _links=None), 1),
]
HOSTILE = {
    "a text": "com.atlassian.servicedesk.Sla@1f",
    "a list": [],
    "a number": 3,
    "no name": {"id": "1", "completedCycles": []},
    "no start": goal(completedCycles=[{"breached": True}]),
    "a year that is none": goal(completedCycles=[{"startTime": {"epochMillis": 10**18}}]),
    "before 1970": goal(completedCycles=[{"startTime": {"epochMillis": -(10**18)}}]),
    "an endless time": goal(completedCycles=[{**GOOD, "elapsedTime": {"millis": 10**19}}]),
    "half a pause": goal(completedCycles=[], ongoingCycle={**GOOD, "paused": "perhaps"}),
    "cycles that are none": goal(completedCycles="none"),
}


@pytest.mark.parametrize("make", BAD)
def test_goals_of_every_usual_shape_are_read(make: Callable[[], tuple[Any, int]]) -> None:
    """Completed alone, under way alone, none at all, ids as numbers."""
    value, rows = make()
    parsed = parse(value)
    assert parsed.rejects == []
    assert len(parsed.records[TicketSla]) == rows
    assert parsed.sets[TicketSla] == [("jira:issue:7", None)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_goal_that_cannot_be_read_is_rejected_alone(name: str) -> None:
    """With its place; the ticket stays."""
    parsed = parse(HOSTILE[name])
    assert parsed.records[TicketSla] == []
    (reject,) = parsed.rejects
    assert reject.table == "ticket_sla"
    assert reject.path.startswith("INF-7.fields.sla")


def test_a_bad_cycle_leaves_the_good_ones() -> None:
    """Each cycle is rejected on its own."""
    parsed = parse(goal(completedCycles=[GOOD, {"startTime": None}, GOOD], ongoingCycle=GOOD))
    assert len(parsed.records[TicketSla]) == 3
    assert [reject.path for reject in parsed.rejects] == ["INF-7.fields.sla.completed_cycles[1]"]


@pytest.mark.parametrize(
    ("value", "names", "rejected"),
    [
        ([{"id": "1", "name": "Payments"}, {"id": 2, "name": "Search"}], ["Payments", "Search"], 0),
        (["Payments"], ["Payments"], 0),
        (None, [], 0),
        ([{"id": "1"}, None, {"name": 5}, {"name": "Search"}], ["Search"], 3),
    ],
)
def test_organisations_are_names(value: Any, names: list[str], rejected: int) -> None:
    """Objects or texts; one without a name is rejected with its place."""
    parsed = parse(None, value)
    (ticket,) = parsed.records[Ticket]
    assert isinstance(ticket, Ticket)
    assert ticket.organisations == names
    assert len(parsed.rejects) == rejected
