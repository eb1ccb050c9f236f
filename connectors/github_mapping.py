"""From GitHub's GraphQL payloads to records."""

from collections.abc import Iterable
from datetime import datetime

from connectors.connector import Line, Parsed
from connectors.github_names import (
    DEPLOYMENT_STATES,
    account_id,
    ticket_key,
)
from connectors.github_wire import (
    AccountWire,
    ActorWire,
    DeploymentWire,
    EventWire,
    IssueWire,
    LabelsWire,
    MemberWire,
    ReleaseWire,
    StatusWire,
    TeamWire,
    TimelineWire,
)
from connectors.records import (
    Account,
    DeploymentAttempt,
    DeploymentStatus,
    Release,
    Team,
    TeamMember,
    Ticket,
    TicketTransition,
)


def account(line: Line, wire: AccountWire) -> Account:
    """A member of the organisation."""
    return Account(
        account_id=account_id(line.connection, wire.login, "User"),
        login=wire.login,
        name=wire.name or None,
        email=wire.email or None,
        source_updated_at=wire.updated_at,
    )


def team(line: Line, wire: TeamWire) -> Team:
    """A team."""
    above = wire.parent_team.database_id if wire.parent_team is not None else None
    return Team(
        team_id=f"{line.connection}:team:{wire.database_id}",
        name=wire.name,
        parent=None if above is None else f"{line.connection}:team:{above}",
        source_updated_at=wire.updated_at,
    )


def add_members(
    parsed: Parsed, line: Line, database_id: int, members: Iterable[MemberWire]
) -> None:
    """Members of a team; membership changes leave the team's own time alone."""
    team_id = f"{line.connection}:team:{database_id}"
    parsed.whole(TeamMember, team_id)
    for member in members:
        account_of = _account(line.connection, member.node)
        if account_of is None:
            parsed.reject(TeamMember, f"{team_id}.members", "a member without a login", member)
            continue
        role = member.role.lower() if member.role else None
        parsed.add(TeamMember(team_id=team_id, account_id=account_of, role=role))


def add_deployment(parsed: Parsed, line: Line, wire: DeploymentWire) -> None:
    """A deployment with its states."""
    key = f"{line.connection}:deployment:{wire.database_id}"
    statuses = (wire.statuses.nodes if wire.statuses is not None else None) or []
    parsed.add(
        DeploymentAttempt(
            attempt_id=key,
            repository_key=line.attributes["repository_key"],
            environment=wire.environment,
            sha=wire.commit_oid,
            ref=wire.ref.name if wire.ref is not None else None,
            created_at=wire.created_at,
            actor=_account(line.connection, wire.creator),
            url=next((status.log_url for status in statuses if status.log_url), None),
            source_updated_at=wire.updated_at,
        )
    )
    add_statuses(parsed, key, statuses, wire.updated_at)


def add_statuses(
    parsed: Parsed, key: str, statuses: Iterable[StatusWire], updated_at: datetime | None
) -> None:
    """States of a deployment, or a part of them."""
    parsed.whole(DeploymentStatus, key, updated_at)
    for status in statuses:
        parsed.add(
            DeploymentStatus(
                attempt_id=key,
                status_id=status.id,
                state=DEPLOYMENT_STATES.get(status.state.upper(), status.state.lower()),
                at=status.created_at,
                source_updated_at=updated_at,
            )
        )


def release(line: Line, wire: ReleaseWire) -> Release:
    """A release; a draft has no time of publication."""
    return Release(
        release_id=f"{line.connection}:release:{wire.database_id}",
        repository_key=line.attributes["repository_key"],
        tag=wire.tag_name,
        sha=wire.tag_commit.oid if wire.tag_commit is not None else None,
        is_prerelease=bool(wire.is_prerelease),
        published_at=wire.published_at,
        source_updated_at=wire.updated_at,
    )


def add_issue(parsed: Parsed, line: Line, wire: IssueWire) -> None:
    """An issue with its closings and re-openings."""
    key = f"{line.connection}:issue:{wire.full_database_id}"
    full_name = line.attributes["full_name"]
    is_closed = (wire.state or "").upper() == "CLOSED"
    assignees = (wire.assignees.nodes if wire.assignees is not None else None) or [None]
    parsed.add(
        Ticket(
            ticket_id=key,
            ticket_key=ticket_key(full_name, wire.number),
            project=full_name,
            title=wire.title or "",
            description=wire.body or None,
            status=(wire.state or "open").lower(),
            status_category="done" if is_closed else "new",
            reporter=_account(line.connection, wire.author),
            assignee=_account(line.connection, assignees[0]),
            labels=_labels(wire.labels),
            created_at=wire.created_at,
            resolved_at=wire.closed_at if is_closed else None,
            resolution=(wire.state_reason or "completed").lower() if is_closed else None,
            url=wire.url,
            source_updated_at=wire.updated_at,
        )
    )
    parsed.whole(TicketTransition, key, wire.updated_at)
    for event in _events(wire.timeline_items):
        if event.created_at is None or event.id is None:
            parsed.reject(TicketTransition, key, "an event without id or time", event)
            continue
        to_closed = event.kind == "ClosedEvent"
        parsed.add(
            TicketTransition(
                ticket_id=key,
                transition_id=event.id,
                field="status",
                from_value="open" if to_closed else "closed",
                to_value="closed" if to_closed else "open",
                to_category="done" if to_closed else "new",
                at=event.created_at,
                actor=_account(line.connection, event.actor),
                source_updated_at=wire.updated_at,
            )
        )


def _account(connection: str, actor: ActorWire | None) -> str | None:
    if actor is None or not actor.login:
        return None
    return account_id(connection, actor.login, actor.kind)


def _labels(labels: LabelsWire | None) -> list[str]:
    if labels is None or not labels.nodes:
        return []
    return [label.name for label in labels.nodes if label is not None and label.name]


def _events(timeline: TimelineWire | None) -> list[EventWire]:
    if timeline is None or not timeline.nodes:
        return []
    return [event for event in timeline.nodes if event is not None]
