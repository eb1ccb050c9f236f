"""How tickets looked at a moment: later changes undone from the tickets' own histories."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sandbox.ticketing import History, HistoryItem, Ticket, TicketProject

_COLUMNS = {
    "status": "status_id",
    "assignee": "assignee_user_id",
    "priority": "priority",
    "resolution": "resolution",
    "issuetype": "ticket_type_id",
    "key": "key",
}
_KEPT_AS_TEXT = {"priority", "resolution", "key"}


def tickets_at(
    tickets: Iterable[Ticket], projects: Iterable[TicketProject], moment: datetime
) -> list[Ticket]:
    """The tickets there were at the moment, each as it stood then."""
    by_key = {project.key: project.id for project in projects}
    return [ticket_at(ticket, by_key, moment) for ticket in tickets if ticket.created_at <= moment]


def ticket_at(ticket: Ticket, projects: Mapping[str, int], moment: datetime) -> Ticket:
    """The ticket as it stood, histories and worklogs after the moment undone.

    `projects` are ids by key: a moved ticket's former key tells its former project.
    """
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
        undone["project_id"] = projects[undone["key"].rpartition("-")[0]]
    times = [ticket.created_at, *(history.at for history in kept)]
    times += [worklog.updated_at for worklog in worklogs]
    resolution = undone.get("resolution", ticket.resolution)
    return replace(
        ticket,
        **{
            **undone,
            "resolved_at": _resolved_at(kept) if resolution else None,
            # A ticket is linked to the one it repeats when it is closed for that.
            "duplicate_of": ticket.duplicate_of if resolution else None,
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
    return {column: item.from_text if column in _KEPT_AS_TEXT else item.from_value}


def _resolved_at(histories: Sequence[History]) -> datetime | None:
    """When the resolution was last given."""
    times = [
        history.at
        for history in histories
        for item in history.items
        if item.field.lower() == "resolution" and item.to_text is not None
    ]
    return times[-1] if times else None
