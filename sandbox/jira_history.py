"""How tickets looked at a moment: later changes undone from the tickets' own histories."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sandbox.ticketing import HistoryItem, Ticket

_COLUMNS = {
    "status": "status_id",
    "assignee": "assignee_user_id",
    "priority": "priority",
    "resolution": "resolution",
    "issuetype": "ticket_type_id",
    "key": "key",
    "project": "project_id",
}
_KEPT_AS_TEXT = {"priority", "resolution", "key"}


def tickets_at(tickets: Iterable[Ticket], moment: datetime) -> list[Ticket]:
    """The tickets there were at the moment, each as it stood then."""
    return [ticket_at(ticket, moment) for ticket in tickets if ticket.created_at <= moment]


def ticket_at(ticket: Ticket, moment: datetime) -> Ticket:
    """The ticket as it stood: histories and worklogs after the moment undone."""
    if ticket.updated_at <= moment:
        return ticket
    kept = tuple(history for history in ticket.histories if history.at <= moment)
    worklogs = tuple(worklog for worklog in ticket.worklogs if worklog.created_at <= moment)
    undone: dict[str, Any] = {}
    for history in reversed(ticket.histories[len(kept) :]):
        for item in reversed(history.items):
            undone.update(_undo(item))
    former = ticket.former_keys
    if "key" in undone:
        former = former[: former.index(undone["key"])] if undone["key"] in former else former
    times = [ticket.created_at, *(history.at for history in kept)]
    times += [worklog.updated_at for worklog in worklogs]
    is_resolved = ticket.resolved_at is not None and ticket.resolved_at <= moment
    return replace(
        ticket,
        **{
            "resolution": ticket.resolution if is_resolved else None,
            **undone,
            "resolved_at": ticket.resolved_at if is_resolved else None,
            "histories": kept,
            "worklogs": worklogs,
            "former_keys": former,
            "updated_at": min(max(times), moment),
        },
    )


def _undo(item: HistoryItem) -> dict[str, Any]:
    """What the ticket's column held before the item changed it."""
    column = _COLUMNS.get(item.field.lower())
    if column is None:
        return {}
    if column == "project_id":
        return {column: int(item.from_value or 0)}
    return {column: item.from_text if column in _KEPT_AS_TEXT else item.from_value}
