"""PagerDuty: every incident with all its times, however often it is pulled; odd answers told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.connector import Finding, Line, Parsed, Pull
from connectors.pagerduty import Pagerduty, PagerdutyOptions
from connectors.pagerduty_pages import LONGEST_SPAN
from connectors.records import Account, Incident, Team, TeamMember
from sandbox.organisation import Organisation
from sandbox.pagerduty import PagerdutySettings
from sandbox.pagerduty_payloads import stories
from sandbox.server import Sandbox
from sandbox.world import World
from sandbox.worlds import WORLDS, build_world
from tests.connectors.web import Asked, Reply, script, serving
from tests.e2e.demo_world import END
from tests.pipelines.stories import commit, hour, line, live, repository, tell
from tests.pulling import ask, pull

PLENTY = PagerdutySettings(requests_a_window=100_000)
AT = "2026-09-01T12:00:00Z"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGERDUTY_TOKEN", "sandbox-token")


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A small organisation."""
    return build_world(WORLDS["steady"], end=END)


def connector(url: str, **more: Any) -> Pagerduty:
    """A connection to an account."""
    options = {"base_url": url, "token": {"env": "PAGERDUTY_TOKEN"}, **more}
    return Pagerduty("pager", PagerdutyOptions.model_validate(options))


INCIDENTS = """
    select incident_id, service_hint, status, created_at, acknowledged_at, resolved_at,
        merged_into, reopens, escalations, "references"
    from incident order by incident_id
"""


def truth(world: World) -> list[tuple[Any, ...]]:
    """What a right reading of the account must find."""
    found = []
    for story in stories(world):
        events = sorted(
            (e for e in story.events if e.at <= world.visible_until), key=lambda e: e.at
        )
        if not events:
            continue
        at = {
            kind: [event.at for event in events if event.kind == f"{kind}_log_entry"]
            for kind in ("acknowledge", "resolve", "reopen", "escalate")
        }
        is_over = len(at["resolve"]) > len(at["reopen"])
        is_acknowledged = bool(at["acknowledge"]) and not at["reopen"]
        found.append(
            (
                f"pager:incident:{story.id}",
                story.service.incident_name,
                "resolved" if is_over else "acknowledged" if is_acknowledged else "triggered",
                story.ticket.created_at,
                min(at["acknowledge"], default=None),
                at["resolve"][-1] if is_over else None,
                f"pager:incident:{story.merged_into}" if is_over and story.merged_into else None,
                len(at["reopen"]),
                len(at["escalate"]),
                [event.note for event in events if event.note],
            )
        )
    return sorted(found)


def test_all_of_an_account_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Nine months, where a month is the default and half a year the most; each with its times."""
    host = sandbox.host("pagerduty", PLENTY)
    assert pull(tmp_path, connector(host.url)).errors == []
    expected = truth(sandbox.world)
    assert len(expected) > 50
    assert any(row[6] for row in expected)
    assert any(row[7] for row in expected)
    assert any(row[8] for row in expected)
    assert any(row[9] for row in expected)
    assert ask(tmp_path, INCIDENTS) == expected
    people = sandbox.organisation.people
    assert ask(tmp_path, "select count(*), count(email) from account") == [
        (len(people), len(people))
    ]
    assert ask(tmp_path, "select count(*) from team_member") == [(len(people),)]


def test_pulled_bit_by_bit_as_if_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Between any two things that happen: what was open is complete once it is over."""
    host = sandbox.host("pagerduty", PLENTY)
    world = sandbox.world
    events = sorted({e.at for story in stories(world) for e in story.events})
    made = connector(host.url, people=False)
    for moment in [*events[-90::2], world.organisation.end]:
        world.visible_until = moment
        assert pull(tmp_path, made, now=lambda: world.visible_until).errors == []
        if moment == events[-40]:
            assert ask(tmp_path, INCIDENTS) == truth(world)
    assert ask(tmp_path, INCIDENTS) == truth(world)


def test_times_are_asked_for_and_told_in_utc(sandbox: Sandbox, tmp_path: Path) -> None:
    """An account in Los Angeles: nothing is left to its zone, and no span is too long."""
    host = sandbox.host("pagerduty", PLENTY)
    assert pull(tmp_path, connector(host.url)).errors == []
    lists = ("/incidents", "/log_entries")
    asked = [urlsplit(seen.path) for seen in host.requests if seen.template in lists]
    assert len(asked) > 10
    for parts in asked:
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert query["time_zone"] == "UTC"
        if query.get("date_range") != "all":
            since, until = (datetime.fromisoformat(query[name]) for name in ("since", "until"))
            assert query["since"].endswith("Z")
            assert query["until"].endswith("Z")
            assert until - since <= LONGEST_SPAN + timedelta(seconds=1)
    assert all(seen.status == 200 for seen in host.requests)


def test_more_than_ten_thousand_are_asked_for_in_parts(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cap made small: spans are halved until each fits, and nothing is lost."""
    monkeypatch.setattr("connectors.pagerduty_pages.ROWS_A_PAGE", 5)
    monkeypatch.setattr("connectors.pagerduty_pages.MOST_ROWS", 15)
    host = sandbox.host("pagerduty", PagerdutySettings(most_rows=15, requests_a_window=100_000))
    made = connector(host.url, people=False)
    assert pull(tmp_path, made).errors == []
    assert ask(tmp_path, INCIDENTS) == truth(sandbox.world)
    # Lists without a span cannot be split, and say so.
    result = pull(tmp_path / "people", connector(host.url))
    assert [error for error in result.errors if "users" in error] == []


def test_too_much_in_one_second_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be split any further then."""

    def answer(asked: Asked) -> Reply:
        entries = [{"id": str(n), "type": "x", "created_at": AT} for n in range(100)]
        if "log_entries" in asked.path:
            return Reply(body={"log_entries": entries, "more": True})
        return Reply(body={"incidents": [], "more": False})

    monkeypatch.setattr("connectors.pagerduty_pages.MOST_ROWS", 300)
    with serving(answer) as web:
        made = connector(web.url, people=False, start_date="2026-09-01")
        now = datetime(2026, 9, 1, 0, 0, 4, tzinfo=UTC)
        result = pull(tmp_path, made, now=lambda: now)
    assert len(result.errors) == 1
    assert "more than 300" in result.errors[0]


def test_the_limit_is_waited_for(sandbox: Sandbox, tmp_path: Path) -> None:
    """As its headers tell; nothing is lost."""
    settings = PagerdutySettings(requests_a_window=20, window_seconds=1.0)
    host = sandbox.host("pagerduty", settings)
    assert pull(tmp_path, connector(host.url)).errors == []
    assert 429 in [seen.status for seen in host.requests]
    assert ask(tmp_path, INCIDENTS) == truth(sandbox.world)


def test_an_unchanged_account_costs_a_few_requests(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is open, what is new, what the log says; people by full passes alone."""
    host = sandbox.host("pagerduty", PLENTY)
    moment = END

    def now() -> datetime:
        return moment

    assert pull(tmp_path, connector(host.url), now=now).errors == []
    host.requests.clear()
    moment = END + timedelta(hours=1)
    again = pull(tmp_path, connector(host.url), now=now)
    assert (again.errors, again.requests) == ([], 3)


def test_only_what_is_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    """Urgencies and teams."""
    host = sandbox.host("pagerduty", PLENTY)
    team = sandbox.organisation.services[0].team_id
    made = connector(host.url, team_ids=[f"T{team}"], urgencies=["high"], people=False)
    assert pull(tmp_path, made).errors == []
    expected = sorted(
        f"pager:incident:{s.id}"
        for s in stories(sandbox.world)
        if s.service.team_id == team and s.ticket.priority != "Low"
    )
    found = [row[0] for row in ask(tmp_path, "select incident_id from incident order by 1")]
    assert found == expected
    assert 0 < len(found) < len(truth(sandbox.world))


def test_a_plan_without_teams_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """Everything else is read; `people = false` is the way out."""
    host = sandbox.host("pagerduty", PagerdutySettings(has_teams=False))
    result = pull(tmp_path, connector(host.url))
    assert len(result.errors) == 1
    assert "does not have the abilities" in result.errors[0]
    assert ask(tmp_path, INCIDENTS) == truth(sandbox.world)
    found = findings(connector(host.url), tmp_path)
    assert "people = false" in found["teams"].message


def test_changes_count_where_they_are_more_than_the_latest(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """What came last before an incident is no name: the models look at time by themselves."""
    host = sandbox.host("pagerduty", PLENTY)
    made = connector(host.url, people=False, related_changes=True)
    assert pull(tmp_path, made).errors == []
    found = dict(ask(tmp_path, 'select incident_id, "references" from incident'))
    causes = {o.deployment_key: o.sha for o in sandbox.organisation.deployment_outcomes}
    expected = {
        f"pager:incident:{s.id}": {
            *[event.note for event in s.events if event.note],
            *([sha, f"https://ci.example.com/builds/{sha[:8]}"] if sha else []),
        }
        for s in stories(sandbox.world)
        for sha in [causes.get(s.outcome.cause_key or "")]
    }
    assert {name: set(references) for name, references in found.items()} == expected
    assert any(len(references) > 1 for references in expected.values())


class Scripted:
    """An account that answers from lists which tests change."""

    def __init__(self) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.entries: list[dict[str, Any]] = []
        self.users: list[dict[str, Any]] = []

    def answer(self, asked: Asked) -> Reply:
        """As the vendor does, without any filter but open ones."""
        parts = urlsplit(asked.path)
        query = parse_qs(parts.query)
        name, _, rest = parts.path.strip("/").partition("/")
        if name == "users":
            return Reply(body={"users": self.users, "more": False})
        if name == "teams":
            return Reply(body={"teams": [], "more": False})
        if name == "log_entries":
            found = [e for e in self.entries if query["since"][0] <= e["created_at"]]
            return Reply(body={"log_entries": found, "more": False})
        if rest.endswith("log_entries"):
            key = rest.partition("/")[0]
            found = [e for e in self.entries if e["incident"]["id"] == key]
            return Reply(body={"log_entries": found, "more": False})
        if rest:
            one = self.incidents.get(rest)
            return Reply(status=404, body={}) if one is None else Reply(body={"incident": one})
        found = list(self.incidents.values())
        if "statuses[]" in query:
            found = [one for one in found if one["status"] in query["statuses[]"]]
        elif "since" in query:
            found = [one for one in found if query["since"][0] <= one["created_at"]]
        return Reply(body={"incidents": found, "more": False})


def incident(name: str = "Q1", **more: Any) -> dict[str, Any]:
    """An incident that is open."""
    return {
        "id": name,
        "title": "Down",
        "status": "triggered",
        "urgency": "high",
        "created_at": AT,
        "service": {"id": "S1", "summary": "Shop"},
        **more,
    }


def entry(kind: str, minute: int, name: str = "Q1", **more: Any) -> dict[str, Any]:
    """Something that happened to it."""
    at = datetime(2026, 9, 1, 12, minute, tzinfo=UTC)
    return {
        "id": f"R{minute}{kind}",
        "type": f"{kind}_log_entry",
        "created_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "incident": {"id": name},
        **more,
    }


def test_what_the_log_does_not_tell_is_seen_in_what_is_open(tmp_path: Path) -> None:
    """A new title; an end whose entry never came; an incident that is gone."""
    account = Scripted()
    account.incidents = {"Q1": incident(), "Q2": incident("Q2"), "Q3": incident("Q3")}
    account.entries = [entry("acknowledge", 5)]
    moment = datetime(2026, 9, 1, 13, tzinfo=UTC)
    with serving(account.answer) as web:
        made = connector(web.url, people=False)
        assert pull(tmp_path, made, now=lambda: moment).items == 3
        moment += timedelta(days=3)
        assert pull(tmp_path, made, now=lambda: moment).items == 0
        account.incidents["Q1"]["title"] = "Down again"
        account.incidents["Q2"] = incident("Q2", status="resolved", resolved_at=AT)
        del account.incidents["Q3"]
        moment += timedelta(days=3)
        assert pull(tmp_path, made, now=lambda: moment).items == 2
        assert pull(tmp_path, made, now=lambda: moment).items == 0
    assert ask(
        tmp_path,
        "select title, status, acknowledged_at is null from incident order by incident_id",
    ) == [
        ("Down again", "triggered", False),
        ("Down", "resolved", True),
        ("Down", "triggered", True),
    ]


def test_users_who_left_are_gone_after_two_full_passes(tmp_path: Path) -> None:
    """And incidents stay, whatever a pass shows of them."""
    account = Scripted()
    account.users = [{"id": f"P{n}", "name": "x", "email": f"{n}@x.test"} for n in range(3)]
    account.incidents = {"Q1": incident()}
    with serving(account.answer) as web:
        assert pull(tmp_path, connector(web.url)).errors == []
        account.users.pop()
        account.incidents.clear()
        for _ in range(2):
            assert pull(tmp_path, connector(web.url), full=True).errors == []
    assert ask(tmp_path, "select count(*) from account where deleted_at is null") == [(2,)]
    assert ask(tmp_path, "select count(*) from incident where deleted_at is null") == [(1,)]


def read(stream: str, body: Any, **attributes: str) -> Parsed:
    """What a page says."""
    (found,) = [one for one in connector("https://x").streams() if one.name == stream]
    return found.parse(
        Line(
            connection="pager",
            scope="account",
            attributes=attributes,
            url=f"https://x/{stream}",
            requested_at=datetime(2026, 9, 2, tzinfo=UTC),
            body=json.dumps(body).encode(),
        )
    )


def told(told_of: Any, *log: Any, related: tuple[Any, ...] = ()) -> Incident:
    """The one incident of a page."""
    body = {"incidents": [told_of], "log_entries": log, "related": related}
    (found,) = read("incidents", body).records[Incident]
    assert isinstance(found, Incident)
    return found


def test_times_of_an_incident() -> None:
    """First acknowledgement, last resolve; none while it is open again."""
    log = [
        entry("resolve", 50),
        entry("acknowledge", 40),
        entry("resolve", 20),
        entry("acknowledge", 5),
        entry("trigger", 0),
        entry("acknowledge", 1, "Q2"),
    ]
    over = told(incident(status="resolved"), *log)
    assert over.acknowledged_at == datetime(2026, 9, 1, 12, 5, tzinfo=UTC)
    assert over.resolved_at == datetime(2026, 9, 1, 12, 50, tzinfo=UTC)
    assert (over.reopens, over.merged_into) == (1, None)
    open_again = told(incident(last_status_change_at=AT), *log)
    assert (open_again.resolved_at, open_again.reopens) == (None, 2)
    silent = told(incident(status="resolved", last_status_change_at="2026-09-01T14:00:00+02:00"))
    assert silent.resolved_at == datetime(2026, 9, 1, 12, tzinfo=UTC)


def test_what_an_incident_names() -> None:
    """Links, notes, addresses and commits in the details of its alert; no other words of those."""
    sha = "0123456789abcdef0123456789abcdef01234567"
    found = told(
        incident(
            body={"details": f"since {sha}"},
            priority={"summary": "P1"},
            resolve_reason={"type": "merge_resolve_reason", "incident": {"id": "Q9"}},
            status="resolved",
        ),
        entry(
            "trigger",
            0,
            contexts=[
                {"type": "link", "href": "https://git.x/a/b/pull/7"},
                {"type": "image", "href": None},
                {"type": "link", "href": "javascript:alert(1)"},
            ],
            channel={
                "type": "api",
                "client_url": "https://mon.x/1",
                "details": {"branch": "main", "deep": [{"commit": "a1b2c3d"}], "n": 3},
            },
        ),
        entry("annotate", 3, channel={"type": "note", "summary": " broken by #12 "}),
        entry("annotate", 4, note="v1.2.0"),
        entry("annotate", 5),
        related=(
            {
                "incident": "Q1",
                "change_events": [
                    {
                        "links": [{"href": "https://ci.x/1"}],
                        "correlation_reason": {"reason": "intelligent"},
                    },
                    {
                        "links": [{"href": "https://ci.x/2"}],
                        "correlation_reason": {"reason": "most_recent"},
                    },
                    {"links": [{"href": "https://ci.x/3"}]},
                ],
            },
        ),
    )
    assert found.references == [
        "https://git.x/a/b/pull/7",
        "https://mon.x/1",
        "a1b2c3d",
        "broken by #12",
        "v1.2.0",
        sha,
        "https://ci.x/1",
    ]
    assert (found.severity, found.merged_into) == ("P1", "pager:incident:Q9")


def test_bad_items_are_rejected_alone() -> None:
    """With their place, wherever they stand."""
    body = {
        "incidents": [incident(), {"id": "Q2"}, None, incident("Q3", created_at="noon")],
        "log_entries": [entry("resolve", 3), {"id": "R"}, "x"],
        "related": [{"incident": "Q1"}],
    }
    parsed = read("incidents", body)
    assert len(parsed.records[Incident]) == 1
    assert len(parsed.rejects) == 6
    teams = read("teams", {"teams": [{"id": "T1"}, {"id": ""}, 3]})
    assert [t.name for t in teams.records[Team] if isinstance(t, Team)] == ["T1"]
    members = read("members", {"members": [{"user": {"id": "P1"}}, {"user": {}}, {}]}, team="T1")
    assert len(members.records[TeamMember]) == 1
    assert len(members.rejects) == 2
    assert len(read("users", {"users": [{"id": "P1", "name": None}]}).records[Account]) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=[]), "unknown shape"),
        (Reply(body={"error": "x"}), "unknown shape"),
        (
            Reply(status=401, body={"error": {"message": "bad", "errors": ["no such key"]}}),
            'the token is wrong or expired (401): "bad"',
        ),
        (Reply(status=403, body={"error": {"errors": ["Access denied"]}}), "Access denied"),
        (Reply(status=302, headers={"location": "https://elsewhere.x/"}), "refused to follow"),
    ],
)
def test_odd_answers_are_told(tmp_path: Path, reply: Reply, words: str) -> None:
    """With what to do, and without the key."""
    with serving(script(reply)) as web:
        result = pull(tmp_path, connector(web.url, people=False))
    assert len(result.errors) == 1
    assert words in result.errors[0]
    assert "sandbox-token" not in result.errors[0]


def findings(made: Pagerduty, folder: Path) -> dict[str, Finding]:
    """What doctor says, by subject."""
    with made.client() as client:
        client.be_impatient()
        found = made.diagnose(Pull(client, folder, lambda: datetime.now(UTC)))
        return {finding.subject: finding for finding in found}


def test_the_doctor_says_how_it_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is visible, what is left of the limit; a wrong key; an account without incidents."""
    host = sandbox.host("pagerduty", PagerdutySettings())
    found = findings(connector(host.url), tmp_path)
    assert {finding.level for finding in found.values()} == {"ok"}
    assert set(found) == {
        *("credential", "incidents", "services", "users", "teams", "limit", "clock"),
    }
    other = sandbox.host("pagerduty", PagerdutySettings(token="another"))
    assert findings(connector(other.url), tmp_path)["pagerduty"].level == "error"
    sandbox.world.visible_until = sandbox.organisation.started_at
    assert findings(connector(host.url), tmp_path)["incidents"].level == "warning"


def test_its_incidents_are_linked_to_deployments(tmp_path: Path) -> None:
    """By a commit that a note names, by time for a service that is called otherwise here."""
    fixed = {"status": "resolved", "service": {"id": "S1", "summary": "Web shop (production)"}}

    def at(count: float) -> str:
        return f"{hour(count):%Y-%m-%dT%H:%M:%SZ}"

    named = incident("Q1", created_at=at(60), resolved_at=at(61), **fixed)
    near = incident("Q2", created_at=at(101), resolved_at=at(102), **fixed)
    same = incident(
        "Q3",
        created_at=at(101.5),
        resolved_at=at(101.6),
        resolve_reason={"type": "merge_resolve_reason", "incident": {"id": "Q2"}},
        **fixed,
    )
    foreign = incident("Q4", created_at=at(101), service={"summary": "Mail"})
    first = commit("jack", at=1)
    note = {**entry("annotate", 1), "note": f"broken since {first.sha[:9]}"}
    body = {"incidents": [named, near, same, foreign], "log_entries": [note], "related": []}
    story = tell(
        tmp_path,
        repository(),
        line("a", "jack", "c"),
        live(1, "a", 5),
        live(2, "jack", 10),
        live(3, "c", 100),
        settings='[incidents]\nservice_names = { "Web shop (production)" = "shop" }\n',
        others={"pager": read("incidents", body).records[Incident]},
    )
    assert story.ask("""
        select incident_id, service_name, link_method, version is not null
        from incident_fact order by incident_id
    """) == [
        ("pager:incident:Q1", "shop", "incident_reference", True),
        ("pager:incident:Q2", "shop", "incident_time", True),
        ("pager:incident:Q4", None, None, False),
    ]
