"""Deployments, issues, runs, repositories, teams and accounts of GitHub, stream by stream."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from connectors.connector import Page, Pull, Scope, SourceError, State
from connectors.github_options import GithubOptions
from connectors.github_runs import WorkflowRunsStream
from connectors.github_snapshots import AccountsStream, RepositoriesStream, TeamsStream
from connectors.github_work import ChangeRequestsStream, DeploymentsStream, IssuesStream
from connectors.records import (
    Account,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    Repository,
    TeamMember,
    Ticket,
    TicketTransition,
)
from connectors.secret import Secret
from tests.connectors.github_fake import (
    NOW,
    OPTIONS,
    SCOPE,
    START,
    parsed,
    pulled,
    pulling,
    rows,
    stamp,
)
from tests.connectors.web import Asked, Reply, script

ORGANISATION = Scope("tideworks")
LAST: dict[str, Any] = {"hasNextPage": False, "endCursor": None}


def of_repository(name: str, nodes: list[Any]) -> Reply:
    """The one page of a list of a repository."""
    return Reply(200, {"data": {"node": {name: {"pageInfo": LAST, "nodes": nodes}}}})


def of_organisation(name: str, nodes: list[Any]) -> Reply:
    """The one page of a list of the organisation."""
    return Reply(200, {"data": {"organization": {name: {"pageInfo": LAST, "nodes": nodes}}}})


def deployment(number: int, state: str, at: datetime) -> dict[str, Any]:
    """A deployment with one state of GitHub's for each of its two statuses."""
    status = {"state": "SUCCESS", "createdAt": stamp(at), "logUrl": None}
    return {
        "id": f"DE_{number}", "databaseId": number, "environment": "production",
        "commitOid": "c" * 40, "createdAt": stamp(at), "updatedAt": stamp(at), "state": state,
        "ref": None, "creator": {"__typename": "User", "login": "Ada"},
        "statuses": {
            "pageInfo": {"hasNextPage": number == 1, "endCursor": "50"},
            "nodes": [{**status, "id": f"S{number}a"}, {**status, "id": "b", "state": "INACTIVE"}],
        },
    }  # fmt: skip


def test_deployments_without_an_end_are_asked_for_again(tmp_path: Path) -> None:
    """The mark stays before the oldest of them, however many were created since."""
    now = datetime.now(UTC).replace(microsecond=0)
    waiting = now - timedelta(days=10)
    nodes = [
        deployment(2, "IN_PROGRESS", now - timedelta(days=90)),
        deployment(3, "WAITING", waiting),
        deployment(4, "ACTIVE", now - timedelta(days=1)),
    ]
    stream = DeploymentsStream(OPTIONS)
    with pulling(script(of_repository("deployments", nodes)), tmp_path) as (_, pull):
        _, state = pulled(stream, pull)
    assert state.cursor == (waiting - timedelta(minutes=5)).isoformat()


def test_states_of_a_deployment_come_whole(tmp_path: Path) -> None:
    """GitHub's own `inactive` is no failure; more than fifty states come on further pages."""
    more = {"id": "S1c", "state": "ERROR", "createdAt": stamp(START), "logUrl": "https://log"}

    def answer(asked: Asked) -> Reply:
        if b"MoreStatuses" in asked.body:
            return of_repository("statuses", [more])
        return of_repository("deployments", [deployment(1, "ACTIVE", START)])

    stream = DeploymentsStream(OPTIONS)
    with pulling(answer, tmp_path) as (_, pull):
        found = parsed(stream, pulled(stream, pull)[0])
    [attempt] = rows(found, DeploymentAttempt)
    assert attempt["attempt_id"] == "github:deployment:1"
    assert attempt["actor"] == "github:account:ada"
    assert [row["state"] for row in rows(found, DeploymentStatus)] == [
        "succeeded",
        "inactive",
        "failed",
    ]


def test_issues_become_tickets_with_their_closings(tmp_path: Path) -> None:
    """Closed, opened again, closed: each a change of status, by whom and when."""
    events = [
        {"__typename": kind, "id": f"E{hour}", "createdAt": stamp(START + timedelta(hours=hour)),
         "actor": None}
        for hour, kind in enumerate(["ClosedEvent", "ReopenedEvent", "ClosedEvent"])
    ]  # fmt: skip
    node = {
        "id": "I_1", "fullDatabaseId": "9", "number": 12, "title": "It breaks", "body": "",
        "url": None, "state": "CLOSED", "stateReason": "NOT_PLANNED", "createdAt": stamp(START),
        "updatedAt": stamp(START), "closedAt": stamp(START), "author": None,
        "assignees": {"nodes": [{"login": "Ada"}]}, "labels": None,
        "timelineItems": {"nodes": events},
    }  # fmt: skip
    stream = IssuesStream(OPTIONS)
    with pulling(script(of_repository("issues", [node])), tmp_path) as (web, pull):
        pages, state = pulled(stream, pull)
        pulled(stream, pull, state)
        since = [json.loads(asked.body)["variables"]["since"] for asked in web.asked]
    assert since == [None, (START - timedelta(minutes=5)).isoformat()]
    found = parsed(stream, pages)
    [ticket] = rows(found, Ticket)
    assert ticket["ticket_key"] == "tideworks/ledger#12"
    assert (ticket["status_category"], ticket["resolution"]) == ("done", "not_planned")
    assert [row["to_value"] for row in rows(found, TicketTransition)] == [
        "closed",
        "open",
        "closed",
    ]


class Runs:
    """Workflow runs, of which GitHub lists no more than a thousand a window."""

    def __init__(self, times: list[datetime]) -> None:
        self.runs = [
            {"id": number, "name": "CI", "created_at": stamp(at), "run_started_at": stamp(at),
             "updated_at": stamp(at), "status": "completed", "conclusion": "success"}
            for number, at in enumerate(times)
        ]  # fmt: skip

    def answer(self, asked: Asked) -> Reply:
        """A page of the window, with a link to the next."""
        parts = urlsplit(asked.path)
        if parts.path.endswith("/jobs"):
            number = int(parts.path.split("/")[-2])
            job = {"id": number * 10, "run_id": number, "name": "test", "conclusion": "failure"}
            return Reply(200, {"total_count": 1, "jobs": [job]})
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        low, high = query["created"].split("..")
        inside = [run for run in reversed(self.runs) if low <= str(run["created_at"]) <= high]
        page = int(query.get("page", 1))
        headers = {}
        if len(inside) > page * 100 and page < 10:
            following = re.sub(r"&page=\d+", "", asked.path) + f"&page={page + 1}"
            headers["link"] = f'<{following}>; rel="next"'
        shown = inside[(page - 1) * 100 : page * 100]
        return Reply(200, {"total_count": len(inside), "workflow_runs": shown}, headers)


def test_windows_of_too_many_runs_are_halved(tmp_path: Path) -> None:
    """Three thousand runs, most of them on a few days, are all found."""
    times = [START + timedelta(minutes=each) for each in range(2500)]
    times += [START + timedelta(days=100, hours=each) for each in range(500)]
    stream = WorkflowRunsStream(OPTIONS)
    with pulling(Runs(times).answer, tmp_path) as (web, pull):
        pages, state = pulled(stream, pull)
        assert len(web.asked) < 60
    ids = {row["run_id"] for row in rows(parsed(stream, pages), PipelineRun)}
    assert len(ids) == 3000
    assert (state.cursor, state.resume) == ((NOW - timedelta(minutes=5)).isoformat(), None)


def test_a_pass_over_runs_goes_on_at_the_window_it_had_reached(tmp_path: Path) -> None:
    """Windows are walked oldest first; what was kept is not asked for again."""
    times = [START + timedelta(minutes=each) for each in range(2500)]
    stream = WorkflowRunsStream(OPTIONS)
    kept: list[Page] = []
    with pulling(Runs(times).answer, tmp_path) as (_, pull):
        for page in stream.pages(pull, SCOPE, State()):
            kept.append(page)
            if page.state is not None:
                break
        reached = kept[-1].state
        assert reached is not None
        assert reached.resume is not None
        rest, _ = pulled(stream, pull, reached)
    first = {row["run_id"] for row in rows(parsed(stream, kept), PipelineRun)}
    second = {row["run_id"] for row in rows(parsed(stream, rest), PipelineRun)}
    assert len(first | second) == 2500
    assert len(first & second) <= 1


def test_unfinished_runs_hold_the_mark_back(tmp_path: Path) -> None:
    """The next pass begins before the oldest run that had not ended."""
    runs = Runs([NOW - timedelta(days=3), NOW - timedelta(days=2), NOW - timedelta(days=1)])
    runs.runs[1] |= {"status": "in_progress", "conclusion": None}
    stream = WorkflowRunsStream(OPTIONS)
    with pulling(runs.answer, tmp_path) as (_, pull):
        pages, state = pulled(stream, pull)
    assert state.cursor == (NOW - timedelta(days=2, minutes=5)).isoformat()
    statuses = [row["status"] for row in rows(parsed(stream, pages), PipelineRun)]
    assert statuses == ["succeeded", "running", "succeeded"]


@pytest.mark.parametrize(("hours", "since_days"), [(1, None), (25, 30)])
def test_unchanged_repositories_are_looked_through_once_a_day(
    hours: int, since_days: int | None, tmp_path: Path
) -> None:
    """A marker cannot show runs of a schedule, or old ones started again."""
    scope = Scope("77", {**SCOPE.attributes, "marker": "[1]", "newest": ""})
    stream = WorkflowRunsStream(OPTIONS)
    with pulling(Runs([START]).answer, tmp_path) as (web, pull):
        _, state = pulled(stream, pull, scope=scope)
        web.asked.clear()
        later = NOW + timedelta(hours=hours)
        pulled(stream, Pull(pull.client, tmp_path, lambda: later), state, scope)
        asked = [parse_qs(urlsplit(each.path).query)["created"][0] for each in web.asked]
    expected = [] if since_days is None else [stamp(later - timedelta(days=since_days))]
    assert [window.partition("..")[0] for window in asked] == expected


def test_jobs_are_read_where_the_settings_ask_for_them(tmp_path: Path) -> None:
    """One request a run, and none by default."""
    stream = WorkflowRunsStream(OPTIONS.model_copy(update={"workflow_jobs": True}))
    with pulling(Runs([START, START]).answer, tmp_path) as (web, pull):
        pages, _ = pulled(stream, pull)
        assert len(web.asked) == 3
    found = rows(parsed(stream, pages), PipelineJob)
    assert {(row["run_id"], row["status"]) for row in found} == {
        ("github:run:0", "failed"),
        ("github:run:1", "failed"),
    }


def repository(number: int, name: str, **changed: Any) -> dict[str, Any]:
    """A repository as the probe shows it."""
    probe: dict[str, Any] = {"totalCount": 0, "nodes": []}
    return {
        "id": f"R_{number}", "databaseId": number, "name": name,
        "nameWithOwner": f"Tideworks/{name}", "url": f"https://github.com/Tideworks/{name}",
        "createdAt": stamp(START), "pushedAt": stamp(START), "isArchived": False,
        "visibility": "PRIVATE", "defaultBranchRef": {"name": "main", "target": {"oid": "a"}},
        "branches": {"totalCount": 1}, "tags": probe, "pullRequests": probe, "issues": probe,
        "deployments": probe, "releases": probe, **changed,
    }  # fmt: skip


def snapshot(
    stream: Any,
    answering: Callable[[Asked], Reply],
    folder: Path,
    *,
    state: State | None = None,
    known: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[list[Page], State]:
    """The pages of a list of the organisation."""
    with pulling(answering, folder) as (_, pull):
        knowing = Pull(pull.client, folder, pull.now, lambda _: known or {})
        return pulled(stream, knowing, state, ORGANISATION)


def test_a_repository_opens_a_scope_with_its_marker(tmp_path: Path) -> None:
    """The probe's marker moves with what the stream reads, and with nothing else."""
    stream, child = RepositoriesStream(OPTIONS), ChangeRequestsStream(OPTIONS)

    def marker(**changed: Any) -> str:
        reply = of_organisation("repositories", [repository(7, "Ledger", **changed)])
        [page], _ = snapshot(stream, script(reply), tmp_path)
        line = page.line("github", ORGANISATION)
        [scope] = child.scopes_in(line, stream.parse(line))
        assert scope.id == "7"
        assert scope.attributes["repository_key"] == "github.com/tideworks/ledger"
        assert scope.attributes["clone_url"] == "https://github.com/Tideworks/Ledger.git"
        return scope.attributes["marker"]

    updated = {"totalCount": 1, "nodes": [{"updatedAt": stamp(START)}]}
    assert marker() == marker(pushedAt=stamp(NOW))
    assert marker() != marker(pullRequests=updated)


def test_a_list_that_may_not_be_seen_has_no_marker(tmp_path: Path) -> None:
    """Without the permission the probe says null: the stream asks, and tells the refusal."""
    stream, child = RepositoriesStream(OPTIONS), DeploymentsStream(OPTIONS)
    forbidden = {
        "type": "FORBIDDEN",
        "message": "Resource not accessible",
        "path": ["organization", "repositories", "nodes", 0, "deployments"],
    }
    reply = of_organisation("repositories", [repository(7, "Ledger", deployments=None)])
    reply.body["errors"] = [forbidden]
    [page], _ = snapshot(stream, script(reply), tmp_path)
    line = page.line("github", ORGANISATION)
    [scope] = child.scopes_in(line, stream.parse(line))
    assert "marker" not in scope.attributes


def test_a_page_that_says_nothing_new_is_not_kept_again(tmp_path: Path) -> None:
    """Unless the pass is a full one, which begins with an empty state."""
    stream = RepositoriesStream(OPTIONS)
    same = of_organisation("repositories", [repository(7, "Ledger")])
    _, state = snapshot(stream, script(same), tmp_path)
    assert snapshot(stream, script(same), tmp_path, state=state) == ([], state)
    assert len(snapshot(stream, script(same), tmp_path)[0]) == 1
    changed = of_organisation("repositories", [repository(7, "Ledger", pushedAt=stamp(NOW))])
    assert len(snapshot(stream, script(changed), tmp_path, state=state)[0]) == 1


def test_a_renamed_repository_keeps_its_number_and_former_keys(tmp_path: Path) -> None:
    """What it was called before is known from the scopes kept, and stays known."""
    stream = RepositoriesStream(OPTIONS)
    reply = of_organisation("repositories", [repository(7, "Journal")])
    known = {
        "7": {
            "repository_key": "github.com/tideworks/ledger",
            "former_keys": '["github.com/old/ledger"]',
        }
    }
    [page], _ = snapshot(stream, script(reply), tmp_path, known=known)
    line = page.line("github", ORGANISATION)
    [row] = rows(stream.parse(line), Repository)
    assert row["repository_id"] == "github:repository:7"
    assert row["repository_key"] == "github.com/tideworks/journal"
    assert row["former_keys"] == ["github.com/old/ledger", "github.com/tideworks/ledger"]
    [scope] = ChangeRequestsStream(OPTIONS).scopes_in(line, stream.parse(line))
    assert json.loads(scope.attributes["former_keys"]) == row["former_keys"]


def test_streams_that_the_settings_leave_out_have_no_scopes(tmp_path: Path) -> None:
    """They are still there to read what was kept before."""
    stream = RepositoriesStream(OPTIONS)
    reply = of_organisation("repositories", [repository(7, "Ledger")])
    [page], _ = snapshot(stream, script(reply), tmp_path)
    line = page.line("github", ORGANISATION)
    assert not list(IssuesStream(OPTIONS, is_wanted=False).scopes_in(line, stream.parse(line)))


def test_members_that_do_not_fit_come_on_further_pages(tmp_path: Path) -> None:
    """They join the set of their team."""

    def member(number: int) -> dict[str, Any]:
        return {"role": "MAINTAINER", "node": {"login": f"Person-{number}"}}

    team = {
        "id": "T_5", "databaseId": 5, "name": "Harbour", "parentTeam": {"databaseId": 4},
        "members": {
            "pageInfo": {"hasNextPage": True, "endCursor": "100"},
            "edges": [member(number) for number in range(100)],
        },
    }  # fmt: skip
    more = {"id": "T_5", "databaseId": 5, "members": {"pageInfo": LAST, "edges": [member(100)]}}

    def answer(asked: Asked) -> Reply:
        if b"TeamMembers" in asked.body:
            return Reply(200, {"data": {"node": more}})
        return of_organisation("teams", [team])

    stream = TeamsStream(OPTIONS)
    pages, _ = snapshot(stream, answer, tmp_path)
    assert pages[1].set_at == pages[0].requested_at
    found = parsed(stream, pages, ORGANISATION)
    assert len(rows(found, TeamMember)) == 101
    assert {key for key, _ in found.sets[TeamMember]} == {"github:team:5"}


def test_accounts_are_read_without_e_mail_where_the_token_may_not(tmp_path: Path) -> None:
    """GitHub refuses the whole query for the sake of one field."""

    def answer(asked: Asked) -> Reply:
        if b" email " in asked.body:
            error = {"type": "INSUFFICIENT_SCOPES", "message": "requires read:user"}
            return Reply(200, {"errors": [error]})
        return of_organisation("membersWithRole", [{"login": "Ada", "name": ""}])

    stream = AccountsStream(OPTIONS)
    pages, _ = snapshot(stream, answer, tmp_path)
    [row] = rows(parsed(stream, pages, ORGANISATION), Account)
    assert (row["account_id"], row["login"], row["name"]) == ("github:account:ada", "Ada", None)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"token": {"env": "T"}}, "needs organisation"),
        ({"organisation": "x"}, "exactly one of token"),
        ({"organisation": "x", "token": "ghp_secret"}, "never into the settings"),
        ({"repositories": ["only-a-name"], "token": {"env": "T"}}, "match pattern"),
        (
            {
                "organisation": "x",
                "token": {"env": "T"},
                "app": {"id": 1, "installation": 2, "private_key": {"env": "K"}},
            },
            "exactly one of token",
        ),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], words: str) -> None:
    """With what is needed instead."""
    with pytest.raises(ValidationError, match=words):
        GithubOptions.model_validate(settings)


def test_patterns_match_names_and_full_names() -> None:
    """Whatever their case."""
    options = GithubOptions(
        organisation="x",
        token=Secret(env="T"),
        include=("shop-*", "x/Ledger"),
        exclude=("*-old",),
        start_date=date(2026, 1, 1),
    )
    names = ["x/Shop-web", "x/shop-old", "x/ledger", "x/other"]
    assert [name for name in names if options.takes(name)] == ["x/Shop-web", "x/ledger"]


def test_a_list_that_may_not_be_read_stops_its_stream(tmp_path: Path) -> None:
    """Null in the place of the list is a missing permission, not an empty list."""
    reply = Reply(200, {"data": {"node": {"deployments": None}}})
    with (
        pulling(script(reply), tmp_path) as (_, pull),
        pytest.raises(SourceError, match="may lack the permission"),
    ):
        pulled(DeploymentsStream(OPTIONS), pull)
