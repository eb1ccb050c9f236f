"""What the ticket system of the made-up organisation knows, in the terms of Jira Cloud.

Times are aware UTC datetimes with whole seconds; ids are Jira's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

StatusCategory = Literal["new", "indeterminate", "done"]


@dataclass(frozen=True, slots=True)
class TicketUser:
    """One user of the ticket system."""

    id: str  # Jira's accountId
    display_name: str
    email: str | None  # None: hidden by the profile's settings
    zone: str
    is_active: bool
    kind: Literal["atlassian", "app", "customer"]


@dataclass(frozen=True, slots=True)
class TicketStatus:
    """One status; names may be localised, the category never is."""

    id: str
    name: str
    category: StatusCategory


@dataclass(frozen=True, slots=True)
class TicketType:
    """One issue type."""

    id: str
    name: str
    is_subtask: bool


@dataclass(frozen=True, slots=True)
class RequestType:
    """One kind of request a service project offers on its portal."""

    id: str
    name: str
    ticket_type_id: str


@dataclass(frozen=True, slots=True)
class TicketProject:
    """One Jira project."""

    id: int
    key: str
    name: str
    kind: Literal["software", "service_desk"]
    lead_user_id: str
    team_ids: tuple[int, ...]
    statuses: tuple[TicketStatus, ...]
    ticket_types: tuple[TicketType, ...]
    request_types: tuple[RequestType, ...]


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One field changed; `*_value` is Jira's id, `*_text` the name shown then."""

    field: str
    from_value: str | None
    from_text: str | None
    to_value: str | None
    to_text: str | None


@dataclass(frozen=True, slots=True)
class History:
    """Fields changed together by one user at one moment."""

    id: int
    author_user_id: str | None
    at: datetime
    items: tuple[HistoryItem, ...]


@dataclass(frozen=True, slots=True)
class Worklog:
    """Time booked on a ticket."""

    id: int
    author_user_id: str
    started_at: datetime
    duration_seconds: int
    comment: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """One Jira issue with its whole history."""

    id: int
    key: str
    project_id: int
    former_keys: tuple[str, ...]  # of tickets moved between projects
    ticket_type_id: str
    request_type_id: str | None
    summary: str
    description: str
    status_id: str
    priority: Literal["Highest", "High", "Medium", "Low"]
    reporter_user_id: str
    assignee_user_id: str | None
    labels: tuple[str, ...]
    components: tuple[str, ...]
    parent_key: str | None
    duplicate_of: str | None  # key of the ticket that this one repeats
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    resolution: Literal["Done", "Won't Do", "Duplicate"] | None
    histories: tuple[History, ...]  # oldest first
    worklogs: tuple[Worklog, ...]  # oldest first
    organisations: tuple[str, ...] = ()  # customers of the desk that the request is shared with


@dataclass(frozen=True, slots=True)
class TicketSite:
    """One Jira Cloud site."""

    cloud_id: str
    name: str
    users: tuple[TicketUser, ...]
    projects: tuple[TicketProject, ...]
    tickets: tuple[Ticket, ...]  # by id
