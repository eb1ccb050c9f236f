"""The shapes of PagerDuty's answers, as far as they are used."""

from typing import Any

from pydantic import Field

from connectors.reading import Wire
from connectors.records import Instant


class ReferenceWire(Wire):
    """Another thing, by its id and its name of then."""

    id: str | None = None
    type: str | None = None
    summary: str | None = None


class ReasonWire(Wire):
    """Why an incident is resolved; merging is the only reason there is."""

    type: str | None = None
    incident: ReferenceWire | None = None


class PriorityWire(Wire):
    """A priority as the account names it."""

    summary: str | None = None
    name: str | None = None


class BodyWire(Wire):
    """What an incident was opened with."""

    details: Any = None


class IncidentWire(Wire):
    """An incident as it stands."""

    id: str = Field(min_length=1)
    title: str | None = None
    summary: str | None = None
    status: str | None = None
    urgency: str | None = None
    created_at: Instant
    updated_at: Instant | None = None
    resolved_at: Instant | None = None
    last_status_change_at: Instant | None = None
    priority: PriorityWire | None = None
    service: ReferenceWire | None = None
    resolve_reason: ReasonWire | None = None
    body: BodyWire | None = None
    html_url: str | None = None


class LinkWire(Wire):
    """A link that an event came with."""

    type: str | None = None
    href: str | None = None


class ChannelWire(Wire):
    """How something came in; notes have their words here."""

    type: str | None = None
    summary: str | None = None
    content: str | None = None
    details: Any = None
    client_url: str | None = None


class EntryWire(Wire):
    """Something that happened to an incident."""

    id: str
    type: str
    created_at: Instant
    incident: ReferenceWire | None = None
    channel: ChannelWire | None = None
    note: str | None = None
    contexts: list[LinkWire] | None = None


class CorrelationWire(Wire):
    """Why PagerDuty thinks that a change has to do with an incident."""

    reason: str | None = None


class ChangeWire(Wire):
    """A change event: what somebody's pipeline told of a change."""

    id: str | None = None
    links: list[LinkWire] | None = None
    custom_details: Any = None
    correlation_reason: CorrelationWire | None = None


class RelatedWire(Wire):
    """Changes that PagerDuty holds against an incident."""

    incident: str
    change_events: list[ChangeWire]


class UserWire(Wire):
    """A person with an account."""

    id: str = Field(min_length=1)
    name: str | None = None
    email: str | None = None


class TeamWire(Wire):
    """A team."""

    id: str = Field(min_length=1)
    name: str | None = None
    summary: str | None = None
    parent: ReferenceWire | None = None


class MemberWire(Wire):
    """A member of a team."""

    user: ReferenceWire
    role: str | None = None
