"""A small hand-made organisation with every oddity the GitHub server must serve."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1

import httpx
from starlette.applications import Starlette

from sandbox.forge import (
    Branch,
    ChangeRequest,
    Commit,
    Deployment,
    DeploymentStatus,
    Issue,
    Release,
    Repository,
    Review,
    Signature,
    Tag,
    TimelineEvent,
    WorkflowJob,
    WorkflowRun,
)
from sandbox.organisation import Organisation
from sandbox.request_log import RequestLog
from sandbox.staff import Account, Team
from sandbox.ticketing import TicketSite
from sandbox.world import World

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
END = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHANGES, RUNS, DEPLOYMENTS = 120, 1050, 70


@dataclass(frozen=True)
class Github:
    """The served GitHub: its address, a client with the right token, and what it knows."""

    url: str
    client: httpx.Client
    app: Starlette

    @property
    def world(self) -> World:
        """The world that is served."""
        world: World = self.app.state.world
        return world

    @property
    def requests(self) -> RequestLog:
        """What was asked so far."""
        log: RequestLog = self.app.state.requests
        return log


Start = Callable[..., Github]  # settings, and the arguments of the world


def tiny_organisation() -> Organisation:
    """Three repositories: a busy one that was renamed, an archived fork, an empty template."""
    accounts = (
        _account(1, "ada", "Ada Example", "ada@example.invalid"),
        _account(2, "brun", None, None),
        _account(3, "release-bot[bot]", None, None, is_bot=True),
    )
    teams = (
        _team(11, "engineering", None, (), ()),
        _team(12, "harbour", 11, (1,), (2,)),
    )
    return Organisation(
        id=900,
        login="tideworks",
        name="Tideworks",
        seed=1,
        zone="Europe/Berlin",
        holidays=(),
        started_at=START,
        end=END,
        pipeline_launched_at=START,
        accounts=accounts,
        people=(),
        teams=teams,
        services=(),
        repositories=(_busy(), _quiet(102, "old-fork", is_fork=True), _empty(103)),
        ticket_site=_ticket_site(),
        deployment_outcomes=(),
        change_outcomes=(),
        incident_outcomes=(),
        reverts=(),
    )


def _ticket_site() -> TicketSite:
    """Tickets play no part in what GitHub serves."""
    return None  # type: ignore[return-value]


def _account(
    number: int, login: str, name: str | None, email: str | None, *, is_bot: bool = False
) -> Account:
    return Account(
        id=number,
        login=login,
        name=name,
        email=email,
        is_bot=is_bot,
        is_site_admin=False,
        created_at=START,
        updated_at=START,
    )


def _team(
    number: int, slug: str, parent: int | None, members: tuple[int, ...], leads: tuple[int, ...]
) -> Team:
    return Team(
        id=number,
        slug=slug,
        name=slug.title(),
        description=f"The {slug} team",
        parent_id=parent,
        member_account_ids=members,
        maintainer_account_ids=leads,
        repository_ids=(101,),
        is_infrastructure=False,
        created_at=START,
    )


def _sha(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def _commit(name: str, at: datetime, parents: tuple[str, ...], account: int | None) -> Commit:
    signature = Signature("Ada Example", "ada@example.invalid", at, 60)
    return Commit(
        sha=_sha(name),
        tree_sha=_sha(f"tree of {name}"),
        parents=parents,
        author=signature,
        committer=signature,
        message=f"Change {name}\n\nWith a body.\n".encode(),
        encoding=None,
        files=(),
        author_account_id=account,
        committer_account_id=account,
    )


def _busy() -> Repository:
    commits = [_commit("root", START, (), 1)]
    changes = []
    for number in range(1, CHANGES + 1):
        at = START + timedelta(days=number)
        first = _commit(f"{number}.1", at, (commits[-1].sha,), 1)
        second = _commit(f"{number}.2", at + HOUR, (first.sha,), 3 if number % 7 == 0 else 1)
        merge = _commit(f"{number}.merge", at + 6 * HOUR, (commits[-1].sha, second.sha), 2)
        commits += [first, second, merge]
        changes.append(_change(number, at, first, second, merge))
    main = commits[-1]
    tagger = Signature("Release", "release@example.invalid", END - 24 * HOUR, -210)
    return Repository(
        id=101,
        owner="tideworks",
        name="harbour",
        former_full_names=("tideworks/dock",),
        description="The harbour",
        default_branch="main",
        language="Python",
        visibility="private",
        is_fork=False,
        fork_parent=None,
        is_template=False,
        created_by_account_id=1,
        created_at=START,
        updated_at=END - HOUR,
        pushed_at=END - HOUR,
        archived_at=None,
        commits=tuple(commits),
        branches=(Branch("main", main.sha), Branch("feature/one", commits[1].sha)),
        tags=(Tag("v1.0.0", main.sha, "First", tagger),),
        change_requests=tuple(changes),
        issues=(_issue(500), _issue(501, is_closed=True)),
        deployments=tuple(_deployment(number, main.sha) for number in range(DEPLOYMENTS)),
        runs=tuple(_run(number, main.sha) for number in range(RUNS)),
        releases=(_release(main.sha),),
    )


def _change(
    number: int, at: datetime, first: Commit, second: Commit, merge: Commit
) -> ChangeRequest:
    is_open = number > CHANGES - 3
    merged_at = None if is_open else at + 6 * HOUR
    reviews = tuple(
        Review(
            id=number * 10 + index,
            author_account_id=None if index else 2,
            state="APPROVED" if index else "CHANGES_REQUESTED",
            body="",
            submitted_at=at + (3 + index) * HOUR,
            commit_sha=second.sha,
            comment_count=index,
        )
        for index in range(2)
    )
    return ChangeRequest(
        id=10_000 + number,
        repository_id=101,
        number=number,
        title=f"TIDE-{number}: change {number}",
        body="",
        state="open" if is_open else "merged",
        is_draft=False,
        author_account_id={0: None, 7: 3}.get(number % 14, 1),
        head_branch=f"feature/{number}",
        head_sha=second.sha,
        is_head_deleted=not is_open,
        base_branch="main",
        base_sha=merge.parents[0],
        merge_method="merge",
        merge_sha=None if is_open else merge.sha,
        merged_by_account_id=None if is_open else 2,
        created_at=at,
        updated_at=merged_at or at + 4 * HOUR,
        closed_at=merged_at,
        merged_at=merged_at,
        labels=("bug", "good first issue") if number % 2 else (),
        additions=number,
        deletions=1,
        changed_files=1,
        commit_shas=(first.sha, second.sha),
        reviews=reviews,
        events=(TimelineEvent(number, "ready_for_review", 1, at + 2 * HOUR),),
        assignee_account_ids=(1,),
        ticket_keys=(f"TIDE-{number}",),
    )


def _issue(number: int, *, is_closed: bool = False) -> Issue:
    at = END - number * HOUR
    return Issue(
        id=20_000 + number,
        repository_id=101,
        number=number,
        title="It leaks",
        body="Below the waterline.",
        state="closed" if is_closed else "open",
        author_account_id=None,
        assignee_account_ids=(),
        labels=("bug",),
        comment_count=1,
        created_at=at,
        updated_at=at + HOUR,
        closed_at=at + HOUR if is_closed else None,
    )


def _deployment(number: int, sha: str) -> Deployment:
    at = START + timedelta(days=number, hours=7)
    is_last = number == DEPLOYMENTS - 1
    ends = () if is_last else (("failure" if number % 5 == 0 else "success"),)
    statuses = tuple(
        DeploymentStatus(30_000 + number * 10 + index, state, "", 3, at + index * HOUR)
        for index, state in enumerate(("queued", "in_progress", *ends))
    )
    return Deployment(
        id=40_000 + number,
        repository_id=101,
        service_id=1,
        environment="production" if number % 2 else "staging",
        environment_class="production" if number % 2 else "staging",
        sha=sha,
        ref="main",
        task="deploy",
        description="",
        creator_account_id=3,
        run_id=None,
        created_at=at,
        updated_at=statuses[-1].created_at,
        statuses=statuses,
    )


def _run(number: int, sha: str) -> WorkflowRun:
    at = START + number * HOUR
    job = WorkflowJob(
        id=60_000 + number,
        name="build",
        status="completed",
        conclusion="success",
        runner_labels=("ubuntu-24.04",),
        runner_name="runner-1",
        created_at=at,
        started_at=at + timedelta(minutes=1),
        completed_at=at + timedelta(minutes=9),
    )
    return WorkflowRun(
        id=50_000 + number,
        repository_id=101,
        workflow_id=7,
        name="CI",
        path=".github/workflows/ci.yml",
        event="push",
        head_branch="main",
        head_sha=sha,
        number=number + 1,
        attempt=2 if number % 10 == 0 else 1,
        status="completed",
        conclusion="success",
        actor_account_id=None if number == 0 else 1,
        change_request_numbers=(),
        created_at=at,
        started_at=at,
        updated_at=at + timedelta(minutes=10),
        jobs=(job,),
    )


def _release(sha: str) -> Release:
    return Release(
        id=70_000,
        repository_id=101,
        tag="v1.0.0",
        sha=sha,
        name="1.0.0",
        body="First",
        is_prerelease=False,
        is_draft=False,
        target="main",
        author_account_id=None,
        created_at=END - 24 * HOUR,
        published_at=END - 23 * HOUR,
    )


def _quiet(number: int, name: str, *, is_fork: bool) -> Repository:
    commit = _commit(f"{name} root", START, (), None)
    return Repository(
        id=number,
        owner="tideworks",
        name=name,
        former_full_names=(),
        description="",
        default_branch="main",
        language="Go",
        visibility="public",
        is_fork=is_fork,
        fork_parent="elsewhere/origin" if is_fork else None,
        is_template=not is_fork,
        created_by_account_id=None,
        created_at=START,
        updated_at=START,
        pushed_at=START,
        archived_at=START + 24 * HOUR if is_fork else None,
        commits=(commit,),
        branches=(Branch("main", commit.sha),),
        tags=(),
        change_requests=(),
        issues=(),
        deployments=(),
        runs=(),
        releases=(),
    )


def _empty(number: int) -> Repository:
    return _quiet(number, "template", is_fork=False)
