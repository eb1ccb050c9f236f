"""PagerDuty's bodies over the made-up organisation: its incident tickets as pages that went out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.outcomes import IncidentOutcome
from sandbox.staff import Service
from sandbox.ticketing import Ticket
from sandbox.world import World

_SITE = "https://harbourline.pagerduty.com"
_ESCALATES_AFTER = timedelta(minutes=5)
_PRIORITIES = {"Highest": "P1", "High": "P2", "Medium": "P3", "Low": None}
_REOPENED_EVERY = 7
_NOTIFIED = 4  # entries that an overview leaves out


@dataclass(frozen=True)
class Event:
    """Something that happened to an incident."""

    kind: str
    at: datetime
    note: str | None = None


@dataclass(frozen=True)
class Story:
    """An incident from its first page to its end, whatever the moment."""

    id: str
    number: int
    ticket: Ticket
    outcome: IncidentOutcome
    service: Service
    merged_into: str | None
    events: tuple[Event, ...]


def incident_name(ticket: Ticket) -> str:
    """The id of the incident that a ticket tells of."""
    return f"Q{ticket.id}"


def stories(world: World) -> list[Story]:
    """Every incident of the organisation, by number."""
    organisation = world.organisation
    outcomes = {outcome.ticket_key: outcome for outcome in organisation.incident_outcomes}
    tickets = {t.key: t for t in organisation.ticket_site.tickets if t.key in outcomes}
    found = []
    for number, ticket in enumerate(sorted(tickets.values(), key=lambda t: t.id), start=1):
        outcome = outcomes[ticket.key]
        same = tickets.get(outcome.duplicate_of or "")
        found.append(
            Story(
                incident_name(ticket),
                number,
                ticket,
                outcome,
                organisation.service_by_id[outcome.service_id],
                incident_name(same) if same is not None else None,
                tuple(_events(ticket, number, world)),
            )
        )
    return found


def _events(ticket: Ticket, number: int, world: World) -> Iterable[Event]:
    statuses = world.organisation.status_by_id
    begun = min(
        (
            history.at
            for history in ticket.histories
            for item in history.items
            if item.field == "status"
            and item.to_value is not None
            and statuses[item.to_value].category == "indeterminate"
        ),
        default=None,
    )
    yield Event("trigger_log_entry", ticket.created_at)
    for turn in range(_NOTIFIED):
        yield Event("notify_log_entry", ticket.created_at + timedelta(seconds=turn))
    lines = ticket.description.split("\n\n")
    if len(lines) > 2:
        yield Event("annotate_log_entry", ticket.created_at + timedelta(minutes=1), lines[1])
    if begun is not None:
        if begun - ticket.created_at > _ESCALATES_AFTER:
            yield Event("escalate_log_entry", ticket.created_at + _ESCALATES_AFTER)
        yield Event("acknowledge_log_entry", begun)
    if ticket.resolved_at is None:
        return
    if number % _REOPENED_EVERY == 0 and begun is not None:
        middle = begun + (ticket.resolved_at - begun) / 2
        yield Event("resolve_log_entry", middle.replace(microsecond=0))
        yield Event("reopen_log_entry", (middle + timedelta(minutes=1)).replace(microsecond=0))
    yield Event("resolve_log_entry", ticket.resolved_at)


class PagerdutyPayloads:
    """Builds bodies as they stand at the world's moment, with times in a zone."""

    def __init__(self, world: World, zone: str, everything: Sequence[Story]) -> None:
        self.world = world
        self.everything = everything
        self.zone = ZoneInfo(zone)
        self.now = world.visible_until

    @cached_property
    def stories(self) -> list[Story]:
        """Incidents that had begun."""
        return [story for story in self.everything if story.ticket.created_at <= self.now]

    def stamp(self, moment: datetime | None) -> str | None:
        """A time in the zone asked for."""
        if moment is None:
            return None
        text = moment.astimezone(self.zone).isoformat(timespec="seconds")
        return text.replace("+00:00", "Z")

    def events(self, story: Story) -> list[Event]:
        """What had happened to an incident by now, oldest first."""
        return sorted((e for e in story.events if e.at <= self.now), key=lambda e: e.at)

    def status(self, story: Story) -> tuple[str, datetime]:
        """The incident's status, and since when."""
        status, since = "triggered", story.ticket.created_at
        for event in self.events(story):
            moved = {
                "acknowledge_log_entry": "acknowledged",
                "resolve_log_entry": "resolved",
                "reopen_log_entry": "triggered",
            }.get(event.kind)
            if moved is not None:
                status, since = moved, event.at
        return status, since

    def incident(self, story: Story) -> dict[str, Any]:
        """An incident."""
        status, since = self.status(story)
        is_over = status == "resolved"
        reason = None
        if is_over and story.merged_into is not None:
            target = _reference(story.merged_into, "incident", "")
            reason = {"type": "merge_resolve_reason", "incident": target}
        priority = _PRIORITIES[story.ticket.priority]
        return {
            "id": story.id,
            "type": "incident",
            "summary": f"[#{story.number}] {story.ticket.summary}",
            "self": f"https://api.pagerduty.com/incidents/{story.id}",
            "html_url": f"{_SITE}/incidents/{story.id}",
            "incident_number": story.number,
            "title": story.ticket.summary,
            "created_at": self.stamp(story.ticket.created_at),
            "updated_at": self.stamp(max(since, story.ticket.created_at)),
            "status": status,
            "urgency": "low" if story.ticket.priority == "Low" else "high",
            "service": _reference(f"S{story.service.id}", "service", story.service.incident_name),
            "teams": [_reference(f"T{story.service.team_id}", "team", "")],
            "last_status_change_at": self.stamp(since),
            "resolved_at": self.stamp(since) if is_over else None,
            "priority": {"id": priority, "type": "priority", "summary": priority}
            if priority
            else None,
            "resolve_reason": reason,
            "assignments": [],
            "acknowledgements": [],
        }

    def entries(self, story: Story, *, is_overview: bool) -> list[dict[str, Any]]:
        """The log of an incident, newest first."""
        found = [
            self._entry(story, position, event)
            for position, event in enumerate(self.events(story))
            if not is_overview or event.kind != "notify_log_entry"
        ]
        return found[::-1]

    def _entry(self, story: Story, position: int, event: Event) -> dict[str, Any]:
        channel: dict[str, Any] = {"type": "web_trigger" if position == 0 else "website"}
        if event.note is not None:
            channel = {"type": "note", "summary": event.note}
        return {
            "id": f"R{story.id}{position}",
            "type": event.kind,
            "created_at": self.stamp(event.at),
            "channel": channel,
            "contexts": [],
            "incident": _reference(story.id, "incident", story.ticket.summary),
            "teams": [_reference(f"T{story.service.team_id}", "team", "")],
        }

    def changes(self, story: Story) -> list[dict[str, Any]]:
        """The change that caused it, as a model would find it, and the one before in time."""
        causes = {o.deployment_key: o for o in self.world.organisation.deployment_outcomes}
        found = []
        cause = causes.get(story.outcome.cause_key or "")
        if cause is not None:
            found.append(_change(cause.sha, "intelligent"))
        before = [
            outcome
            for outcome in causes.values()
            if outcome.live_at is not None and outcome.live_at <= story.ticket.created_at
        ]
        if before:
            latest = max(before, key=lambda o: (o.live_at or o.started_at, o.deployment_key))
            found.append(_change(latest.sha, "most_recent"))
        return found

    def users(self) -> list[dict[str, Any]]:
        """People with an account, by id."""
        return [
            {
                "id": f"P{person.id}",
                "type": "user",
                "summary": person.name,
                "name": person.name,
                "email": person.emails[0],
                "time_zone": "Europe/Amsterdam",
                "role": "user",
                "job_title": person.role,
                "teams": [_reference(f"T{person.team_id}", "team", "")],
            }
            for person in self.world.organisation.people
            if person.joined_at <= self.now
        ]

    def teams(self) -> list[dict[str, Any]]:
        """Teams by name."""
        return [
            {
                "id": f"T{team.id}",
                "type": "team",
                "summary": team.name,
                "name": team.name,
                "parent": _reference(f"T{team.parent_id}", "team", "") if team.parent_id else None,
            }
            for team in self.world.teams()
        ]

    def members(self, team_id: str) -> list[dict[str, Any]]:
        """Members of a team."""
        return [
            {
                "user": _reference(f"P{person.id}", "user", person.name),
                "role": "manager" if person.role == "lead" else "responder",
            }
            for person in self.world.organisation.people
            if f"T{person.team_id}" == team_id and person.joined_at <= self.now
        ]

    def services(self) -> list[dict[str, Any]]:
        """Services by name."""
        return [
            {"id": f"S{one.id}", "type": "service", "name": one.incident_name}
            for one in self.world.organisation.services
        ]


def _reference(name: str, kind: str, summary: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": f"{kind}_reference",
        "summary": summary,
        "self": f"https://api.pagerduty.com/{kind}s/{name}",
        "html_url": f"{_SITE}/{kind}s/{name}",
    }


def _change(sha: str, reason: str) -> dict[str, Any]:
    return {
        "id": f"01{sha[:24].upper()}",
        "type": "change_event",
        "summary": "Deployed",
        "links": [{"href": f"https://ci.example.com/builds/{sha[:8]}", "text": "build"}],
        "custom_details": {"commit": sha, "branch": "main"},
        "correlation_reason": {"reason": reason},
    }
