"""Issues of GitLab as tickets, and its incidents.

A list of issues tells when one was closed and by whom. What happened before, closings, re-openings
and labels, are two requests an issue.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.connector import Line, Page, Parsed, Pull, Scope
from connectors.failures import NotFoundError
from connectors.gitlab_lists import TimedList, UserWire, actor
from connectors.gitlab_rest import Listed, listed
from connectors.reading import Integer, Reader, Wire
from connectors.records import Incident, Record, Ticket, TicketTransition

_EVENTS = {"states": "resource_state_events", "labels": "resource_label_events"}
_UNKNOWN = "unknown"


class IssueWire(Wire):
    """An issue, task or incident."""

    id: int
    iid: Integer
    created_at: datetime
    title: str | None = None
    description: str | None = None
    state: str | None = None
    issue_type: str | None = None
    severity: str | None = None
    labels: list[str] | None = None
    author: UserWire | None = None
    assignee: UserWire | None = None
    closed_by: UserWire | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    moved_to_id: int | None = None
    duplicated_to_id: int | None = None
    web_url: str | None = None


class StateWire(Wire):
    """A closing or re-opening."""

    id: int
    state: str
    created_at: datetime
    user: UserWire | None = None


class NameWire(Wire):
    """A label; null where it was deleted since."""

    name: str | None = None


class LabelWire(Wire):
    """A label put on or taken off."""

    id: int
    action: str
    created_at: datetime
    user: UserWire | None = None
    label: NameWire | None = None


_ISSUES: Reader[IssueWire] = Reader(IssueWire, (), Ticket)
_INCIDENTS: Reader[IssueWire] = Reader(IssueWire, (), Incident)
_STATES: Reader[StateWire] = Reader(StateWire, (), TicketTransition)
_LABELS: Reader[LabelWire] = Reader(LabelWire, (), TicketTransition)


class IssuesStream(TimedList):
    """Issues as tickets, and their histories where the settings ask for them."""

    name = "issues"
    record_types: ClassVar[tuple[type[Record], ...]] = (Ticket, TicketTransition)
    feature = "issues_access_level"
    probed = "issues"
    path = "issues"

    def describing(self, pull: Pull, scope: Scope) -> Callable[[Listed], Mapping[str, str]]:  # noqa: ARG002
        """Whether the events of the issues follow on pages of their own."""
        told = {"history": "follows"} if self.options.issue_history else {}
        return lambda _: told

    def more(self, pull: Pull, scope: Scope, page: Page, item: Mapping[str, Any]) -> Iterator[Page]:
        """The events of an issue; none of one that was deleted meanwhile."""
        if not self.options.issue_history or not isinstance(item.get("iid"), int):
            return
        for part, path in _EVENTS.items():
            attributes = {
                "part": part,
                "issue": str(item.get("id")),
                "set_updated_at": str(item.get("updated_at") or ""),
            }
            try:
                for each in listed(pull.client, f"projects/{scope.id}/issues/{item['iid']}/{path}"):
                    yield each.page(items=0, set_at=page.requested_at, attributes=attributes)
            except NotFoundError:
                return

    def parse(self, line: Line) -> Parsed:
        """Issues, or the events of one."""
        parsed = Parsed()
        part = line.attributes.get("part")
        if part is not None:
            _add_events(parsed, line, part)
            return parsed
        for wire in _ISSUES.read(line, parsed):
            _add_issue(parsed, line, wire)
        return parsed


class IncidentsStream(TimedList):
    """Issues of the type incident, where the settings say that this is where incidents are."""

    name = "incidents"
    record_types: ClassVar[tuple[type[Record], ...]] = (Incident,)
    feature = "issues_access_level"
    probed = "issues"
    path = "issues"
    params: ClassVar[Mapping[str, str]] = {"issue_type": "incident"}

    def parse(self, line: Line) -> Parsed:
        """Incidents; without a service of their own they are of their project."""
        parsed = Parsed()
        for wire in _INCIDENTS.read(line, parsed):
            is_closed = (wire.state or "").lower() == "closed"
            severity = (wire.severity or _UNKNOWN).lower()
            parsed.add(
                Incident(
                    incident_id=f"{line.connection}:incident:{wire.id}",
                    service_hint=line.attributes["full_path"].rpartition("/")[2],
                    title=wire.title or "",
                    severity=None if severity == _UNKNOWN else severity,
                    status="closed" if is_closed else "open",
                    created_at=wire.created_at,
                    resolved_at=wire.closed_at if is_closed else None,
                    url=wire.web_url,
                    source_updated_at=wire.updated_at,
                )
            )
        return parsed


def _add_issue(parsed: Parsed, line: Line, wire: IssueWire) -> None:
    key = f"{line.connection}:issue:{wire.id}"
    full_path = line.attributes["full_path"]
    is_closed = (wire.state or "").lower() == "closed"
    parsed.add(
        Ticket(
            ticket_id=key,
            ticket_key=f"{full_path}#{wire.iid}",
            project=full_path,
            type=wire.issue_type,
            title=wire.title or "",
            description=wire.description or None,
            status="closed" if is_closed else "open",
            status_category="done" if is_closed else "new",
            reporter=actor(line, wire.author),
            assignee=actor(line, wire.assignee),
            labels=wire.labels or [],
            created_at=wire.created_at,
            resolved_at=wire.closed_at if is_closed else None,
            resolution=_resolution(wire) if is_closed else None,
            url=wire.web_url,
            source_updated_at=wire.updated_at,
        )
    )
    parsed.whole(TicketTransition, key, wire.updated_at)
    if is_closed and wire.closed_at is not None and "history" not in line.attributes:
        closing = StateWire(id=0, state="closed", created_at=wire.closed_at, user=wire.closed_by)
        _add_state(parsed, line, key, closing, wire.updated_at)


def _resolution(wire: IssueWire) -> str:
    if wire.moved_to_id is not None:
        return "moved"
    return "duplicate" if wire.duplicated_to_id is not None else "completed"


def _add_events(parsed: Parsed, line: Line, part: str) -> None:
    key = f"{line.connection}:issue:{line.attributes['issue']}"
    text = line.attributes.get("set_updated_at")
    updated_at = datetime.fromisoformat(text) if text else None
    parsed.whole(TicketTransition, key, updated_at)
    if part == "states":
        for state in _STATES.read(line, parsed):
            _add_state(parsed, line, key, state, updated_at)
        return
    for event in _LABELS.read(line, parsed):
        name = event.label.name if event.label is not None else None
        is_added = event.action == "add"
        parsed.add(
            TicketTransition(
                ticket_id=key,
                transition_id=f"label:{event.id}",
                field="labels",
                from_value=None if is_added else name,
                to_value=name if is_added else None,
                at=event.created_at,
                actor=actor(line, event.user),
                source_updated_at=updated_at,
            )
        )


def _add_state(
    parsed: Parsed, line: Line, key: str, wire: StateWire, updated_at: datetime | None
) -> None:
    is_closed = wire.state.lower() == "closed"
    parsed.add(
        TicketTransition(
            ticket_id=key,
            transition_id=f"state:{wire.id}",
            field="status",
            from_value="open" if is_closed else "closed",
            to_value="closed" if is_closed else "open",
            to_category="done" if is_closed else "new",
            at=wire.created_at,
            actor=actor(line, wire.user),
            source_updated_at=updated_at,
        )
    )
