"""From GitHub's REST payloads to records."""

import re
from collections.abc import Sequence
from typing import Any

from connectors.arrow import columns_table
from connectors.clone_url import repository_key
from connectors.connector import Line, Parsed
from connectors.github_names import (
    DEPLOYMENT_STATES,
    REVIEW_STATES,
    account_id,
    run_status,
    ticket_key,
)
from connectors.github_rest_wire import (
    AccountWire,
    ActorWire,
    CommitWire,
    DeploymentWire,
    IssueWire,
    JobWire,
    PullRequestWire,
    ReleaseWire,
    RepositoryWire,
    ReviewWire,
    RunWire,
    StatusWire,
    TeamWire,
    UserWire,
)
from connectors.records import (
    Account,
    ChangeRequest,
    ChangeRequestCommit,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    Release,
    Repository,
    Review,
    Team,
    TeamMember,
    Ticket,
)
from connectors.titles import ticket_keys

Match = re.Match[str]


def pulls(parsed: Parsed, line: Line, wires: Sequence[PullRequestWire], _: Match) -> None:
    """Pull requests; `merge_commit_sha` of an unmerged one is only a trial of GitHub's."""
    connection = line.connection
    key = line.attributes["repository_key"]
    bases = [wire.get("base") or {} for wire in wires]
    heads = [wire.get("head") or {} for wire in wires]
    columns: dict[str, Sequence[Any]] = {
        "source_updated_at": [wire.get("updated_at") for wire in wires],
        "change_request_id": [f"{connection}:pull:{wire['id']}" for wire in wires],
        "repository_key": [key] * len(wires),
        "number": [wire["number"] for wire in wires],
        "title": [wire.get("title") or "" for wire in wires],
        "url": [wire.get("html_url") for wire in wires],
        "author": [_user(connection, wire.get("user")) for wire in wires],
        "is_draft": [bool(wire.get("draft")) for wire in wires],
        "created_at": [wire["created_at"] for wire in wires],
        # REST tells only whether it is a draft now, not when it stopped to be one.
        "ready_at": [None] * len(wires),
        "merged_at": [wire.get("merged_at") for wire in wires],
        "closed_at": [wire.get("closed_at") for wire in wires],
        "merged_by": [_user(connection, wire.get("merged_by")) for wire in wires],
        "base_branch": [base.get("ref") for base in bases],
        "head_branch": [head.get("ref") for head in heads],
        "head_sha": [head.get("sha") for head in heads],
        "merge_sha": [
            wire.get("merge_commit_sha") if wire.get("merged_at") else None for wire in wires
        ],
        "labels": [
            [name for label in wire.get("labels") or () if label and (name := label.get("name"))]
            for wire in wires
        ],
        "additions": [wire.get("additions") for wire in wires],
        "deletions": [wire.get("deletions") for wire in wires],
        "ticket_keys": [
            ticket_keys(wire.get("title"), head.get("ref"))
            for wire, head in zip(wires, heads, strict=True)
        ],
    }
    parsed.add_table(ChangeRequest, columns_table(ChangeRequest, columns))


def review(parsed: Parsed, line: Line, wires: Sequence[ReviewWire], match: Match) -> None:
    """Reviews of one pull request."""
    key = _pull_key(line, match)
    parsed.whole(Review, key)
    for wire in wires:
        parsed.add(
            Review(
                review_id=f"{line.connection}:review:{wire.id}",
                change_request_id=key,
                reviewer=_actor(line.connection, wire.user),
                state=REVIEW_STATES.get(wire.state.upper(), wire.state.lower()),
                submitted_at=wire.submitted_at,
            )
        )


def commit(parsed: Parsed, line: Line, wires: Sequence[CommitWire], match: Match) -> None:
    """Commits of one pull request, oldest first."""
    key = _pull_key(line, match)
    parsed.whole(ChangeRequestCommit, key)
    for position, wire in enumerate(wires, int(line.attributes.get("before", "0"))):
        detail = wire.commit
        author = detail.author if detail is not None else None
        committer = detail.committer if detail is not None else None
        message = (detail.message if detail is not None else None) or ""
        parsed.add(
            ChangeRequestCommit(
                change_request_id=key,
                sha=wire.sha,
                authored_at=author.date if author is not None else None,
                committed_at=committer.date if committer is not None else None,
                author_email=author.email if author is not None else None,
                subject=message.partition("\n")[0],
                is_merge=len(wire.parents or ()) > 1,
                position=position,
            )
        )


def deployment(parsed: Parsed, line: Line, wires: Sequence[DeploymentWire], _: Match) -> None:
    """Deployments, without their states."""
    for wire in wires:
        parsed.add(
            DeploymentAttempt(
                attempt_id=f"{line.connection}:deployment:{wire.id}",
                repository_key=line.attributes["repository_key"],
                environment=wire.environment,
                sha=wire.sha,
                ref=wire.ref,
                created_at=wire.created_at,
                actor=_actor(line.connection, wire.creator),
                source_updated_at=wire.updated_at,
            )
        )


def status(parsed: Parsed, line: Line, wires: Sequence[StatusWire], match: Match) -> None:
    """States of one deployment."""
    key = f"{line.connection}:deployment:{match[1]}"
    parsed.whole(DeploymentStatus, key)
    for wire in wires:
        parsed.add(
            DeploymentStatus(
                attempt_id=key,
                status_id=wire.node_id or str(wire.id),
                state=DEPLOYMENT_STATES.get(wire.state.upper(), wire.state.lower()),
                at=wire.created_at,
            )
        )


def release(parsed: Parsed, line: Line, wires: Sequence[ReleaseWire], _: Match) -> None:
    """Releases; REST names the tag only, not its commit."""
    for wire in wires:
        parsed.add(
            Release(
                release_id=f"{line.connection}:release:{wire.id}",
                repository_key=line.attributes["repository_key"],
                tag=wire.tag_name,
                is_prerelease=bool(wire.prerelease),
                published_at=wire.published_at,
                source_updated_at=wire.updated_at,
            )
        )


def issue(parsed: Parsed, line: Line, wires: Sequence[IssueWire], _: Match) -> None:
    """Issues; pull requests in the list are change requests, not tickets."""
    full_name = line.attributes["full_name"]
    for wire in wires:
        if wire.pull_request is not None:
            continue
        is_closed = (wire.state or "").lower() == "closed"
        labels = [each if isinstance(each, str) else each.name for each in wire.labels or ()]
        parsed.add(
            Ticket(
                ticket_id=f"{line.connection}:issue:{wire.id}",
                ticket_key=ticket_key(full_name, wire.number),
                project=full_name,
                title=wire.title or "",
                description=wire.body or None,
                status=(wire.state or "open").lower(),
                status_category="done" if is_closed else "new",
                reporter=_actor(line.connection, wire.user),
                assignee=_actor(line.connection, wire.assignee),
                labels=[label for label in labels if label],
                created_at=wire.created_at,
                resolved_at=wire.closed_at if is_closed else None,
                resolution=(wire.state_reason or "completed").lower() if is_closed else None,
                url=wire.html_url,
                source_updated_at=wire.updated_at,
            )
        )


def run(parsed: Parsed, line: Line, wires: Sequence[RunWire], _: Match) -> None:
    """Runs; a finished one was last updated when it ended."""
    connection = line.connection
    updated = [wire.get("updated_at") for wire in wires]
    columns: dict[str, Sequence[Any]] = {
        "source_updated_at": updated,
        "run_id": [f"{connection}:run:{wire['id']}" for wire in wires],
        "repository_key": [line.attributes["repository_key"]] * len(wires),
        "name": [wire.get("name") for wire in wires],
        "event": [wire.get("event") for wire in wires],
        "branch": [wire.get("head_branch") for wire in wires],
        "sha": [wire.get("head_sha") for wire in wires],
        "status": [run_status(wire.get("status"), wire.get("conclusion")) for wire in wires],
        "attempt": [wire.get("run_attempt") or 1 for wire in wires],
        "queued_at": [wire.get("created_at") for wire in wires],
        "started_at": [wire.get("run_started_at") for wire in wires],
        "finished_at": [
            at if wire.get("status") == "completed" else None
            for wire, at in zip(wires, updated, strict=True)
        ],
        "actor": [_user(connection, wire.get("actor")) for wire in wires],
        "url": [wire.get("html_url") for wire in wires],
        "runner_labels": [[]] * len(wires),
        "parameters": [[]] * len(wires),
    }
    parsed.add_table(PipelineRun, columns_table(PipelineRun, columns))


def job(parsed: Parsed, line: Line, wires: Sequence[JobWire], _: Match) -> None:
    """Jobs of one run."""
    for wire in wires:
        parsed.add(
            PipelineJob(
                job_id=f"{line.connection}:job:{wire.id}",
                run_id=f"{line.connection}:run:{wire.run_id}",
                name=wire.name,
                status=run_status(wire.status, wire.conclusion),
                started_at=wire.started_at,
                finished_at=wire.completed_at,
                runner_labels=wire.labels or [],
            )
        )


def repository(parsed: Parsed, line: Line, wires: Sequence[RepositoryWire], _: Match) -> None:
    """Repositories."""
    for wire in wires:
        private = "private" if wire.private else "public"
        parsed.add(
            Repository(
                repository_id=f"{line.connection}:repository:{wire.id}",
                repository_key=repository_key(wire.html_url),
                name=wire.name,
                url=wire.html_url,
                default_branch=wire.default_branch,
                created_at=wire.created_at,
                is_archived=bool(wire.archived),
                is_fork=bool(wire.fork),
                is_template=bool(wire.is_template),
                is_mirror=wire.mirror_url is not None,
                language=wire.language,
                visibility=wire.visibility or (private if wire.private is not None else None),
            )
        )


def team(parsed: Parsed, line: Line, wires: Sequence[TeamWire], _: Match) -> None:
    """Teams."""
    for wire in wires:
        above = wire.parent.id if wire.parent is not None else None
        parsed.add(
            Team(
                team_id=f"{line.connection}:team:{wire.id}",
                name=wire.name,
                parent=None if above is None else f"{line.connection}:team:{above}",
            )
        )


def team_member(parsed: Parsed, line: Line, wires: Sequence[AccountWire], match: Match) -> None:
    """Members of one team."""
    team_id = f"{line.connection}:team:{line.attributes.get('team') or match[1] or match[2]}"
    parsed.whole(TeamMember, team_id)
    for wire in wires:
        account_of = account_id(line.connection, wire.login, wire.type)
        parsed.add(TeamMember(team_id=team_id, account_id=account_of))


def account(parsed: Parsed, line: Line, wires: Sequence[AccountWire], _: Match) -> None:
    """Accounts."""
    for wire in wires:
        parsed.add(
            Account(
                account_id=account_id(line.connection, wire.login, wire.type),
                login=wire.login,
                name=wire.name or None,
                email=wire.email or None,
                is_bot=wire.type == "Bot",
                source_updated_at=wire.updated_at,
            )
        )


def _pull_key(line: Line, match: Match) -> str:
    """REST lists below a pull request name its number only: the request for them knew its id."""
    repository_number = f"{line.scope}/{match[1]}"
    return f"{line.connection}:pull:{line.attributes.get('pull', repository_number)}"


def _actor(connection: str, wire: ActorWire | None) -> str | None:
    if wire is None or not wire.login:
        return None
    return account_id(connection, wire.login, wire.type)


def _user(connection: str, wire: UserWire | None) -> str | None:
    login = wire.get("login") if wire else None
    return account_id(connection, login, wire.get("type")) if wire and login else None
