"""From PagerDuty's incidents, teams and users to records."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.connector import Line, Parsed
from connectors.pagerduty_wire import (
    ChangeWire,
    EntryWire,
    IncidentWire,
    LinkWire,
    MemberWire,
    TeamWire,
    UserWire,
)
from connectors.records import Account, Incident, Team, TeamMember

_NOTE = "annotate_log_entry"
_RESOLVED = "resolve_log_entry"
_MERGED = "merge_resolve_reason"
_ESCALATED = {
    "escalate_log_entry",
    "exhaust_escalation_path_log_entry",
    "repeat_escalation_path_log_entry",
}
# In the details of alerts and changes only what can name a commit or a page is of use: the other
# words there (a branch, a region) would be taken for names of deployments.
_NAMES = re.compile(r"https?://[^\s<>\"'()\[\]{}|]+|\b[0-9a-fA-F]{7,40}\b")
_LONGEST_NOTE = 2_000
_MOST_REFERENCES = 50
_DEEPEST = 4


def add_incident(
    parsed: Parsed,
    line: Line,
    wire: IncidentWire,
    log: Iterable[EntryWire],
    changes: Iterable[ChangeWire],
) -> None:
    """An incident with the times its log tells.

    The first acknowledgement counts and the last resolve; one that was opened again is not over.
    """
    entries = sorted(log, key=lambda entry: (entry.created_at, entry.id))
    acknowledged = [e.created_at for e in entries if e.type == "acknowledge_log_entry"]
    resolves = [e.created_at for e in entries if e.type == _RESOLVED]
    is_over = wire.status == "resolved"
    resolved_at = wire.resolved_at or (resolves[-1] if resolves else wire.last_status_change_at)
    reason = wire.resolve_reason
    merged = (
        reason.incident.id
        if is_over and reason is not None and reason.type == _MERGED and reason.incident is not None
        else None
    )
    priority = wire.priority
    severity = (priority.summary or priority.name) if priority is not None else None
    times = [wire.created_at, wire.updated_at, wire.last_status_change_at, wire.resolved_at]
    times += [entry.created_at for entry in entries]
    references = [*_named_in_log(entries), *_named_by(wire.body.details if wire.body else None)]
    references += [name for change in changes for name in _named_by_change(change)]
    parsed.add(
        Incident(
            incident_id=incident_id(line, wire.id),
            service_hint=wire.service.summary if wire.service is not None else None,
            title=wire.title or wire.summary or "",
            severity=severity or wire.urgency,
            status=wire.status,
            created_at=wire.created_at,
            started_at=wire.created_at,
            acknowledged_at=min(acknowledged, default=None),
            resolved_at=resolved_at if is_over else None,
            merged_into=incident_id(line, merged) if merged else None,
            references=list(dict.fromkeys(references))[:_MOST_REFERENCES],
            url=wire.html_url,
            reopens=max(
                len(resolves) - is_over, sum(e.type == "reopen_log_entry" for e in entries), 0
            ),
            escalations=sum(entry.type in _ESCALATED for entry in entries),
            source_updated_at=max(time for time in times if time is not None),
        )
    )


def add_user(parsed: Parsed, line: Line, wire: UserWire) -> None:
    """A user; the address is also what they log in with."""
    parsed.add(
        Account(
            account_id=f"{line.connection}:user:{wire.id}",
            login=wire.email,
            name=wire.name,
            email=wire.email,
        )
    )


def add_team(parsed: Parsed, line: Line, wire: TeamWire) -> None:
    """A team."""
    parent = wire.parent.id if wire.parent is not None else None
    parsed.add(
        Team(
            team_id=f"{line.connection}:team:{wire.id}",
            name=wire.name or wire.summary or wire.id,
            parent=f"{line.connection}:team:{parent}" if parent else None,
        )
    )


def add_members(parsed: Parsed, line: Line, members: Iterable[MemberWire]) -> None:
    """The members of a team, or a part of them."""
    team_id = f"{line.connection}:team:{line.attributes['team']}"
    parsed.whole(TeamMember, team_id)
    for member in members:
        if not member.user.id:
            parsed.reject(TeamMember, "$.members", "a member without an id", member)
            continue
        parsed.add(
            TeamMember(
                team_id=team_id,
                account_id=f"{line.connection}:user:{member.user.id}",
                role=member.role,
            )
        )


def incident_id(line: Line, name: str) -> str:
    """The id of an incident."""
    return f"{line.connection}:incident:{name}"


def logs(entries: Iterable[EntryWire]) -> dict[str, list[EntryWire]]:
    """Entries by the incident they are about."""
    found: dict[str, list[EntryWire]] = defaultdict(list)
    for entry in entries:
        if entry.incident is not None and entry.incident.id:
            found[entry.incident.id].append(entry)
    return found


def _named_in_log(entries: Iterable[EntryWire]) -> Iterator[str]:
    """Links of what set it off, and notes, as somebody wrote them."""
    for entry in entries:
        channel = entry.channel
        if entry.type == _NOTE:
            note = entry.note or (channel.content or channel.summary if channel else None)
            if note and note.strip():
                yield note.strip()[:_LONGEST_NOTE]
            continue
        yield from _hrefs(entry.contexts)
        if channel is not None and entry.type == "trigger_log_entry":
            yield from _named_by(channel.client_url)
            yield from _named_by(channel.details)


def _named_by_change(change: ChangeWire) -> Iterator[str]:
    """What a change names, unless it is held against the incident for its time alone.

    Who came last before an incident is found here too, and is no more than that.
    """
    reason = change.correlation_reason
    if reason is None or reason.reason != "intelligent":
        return
    yield from _hrefs(change.links)
    yield from _named_by(change.custom_details)


def _hrefs(links: Iterable[LinkWire] | None) -> Iterator[str]:
    for link in links or []:
        if link.href and link.href.startswith(("https://", "http://")):
            yield link.href


def _named_by(value: Any, depth: int = 0) -> Iterator[str]:
    """Addresses and commits in the details of an alert, however they are nested."""
    if isinstance(value, str):
        yield from _NAMES.findall(value)
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        for each in value.values():
            yield from _named_by(each, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for each in value:
            yield from _named_by(each, depth + 1)
