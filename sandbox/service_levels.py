"""The clocks of the request desk: how long until a first response, how long until it is resolved.

Both run around the clock from the creation; the second stops while a ticket is blocked and starts
again when a closed ticket is opened once more. Computed from the ticket's own history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.ticketing import Ticket, TicketProject

FIRST_RESPONSE = "Time to first response"
RESOLUTION = "Time to resolution"
_GOALS = {FIRST_RESPONSE: timedelta(hours=24), RESOLUTION: timedelta(hours=72)}
_BLOCKED = 3  # the position of that status in a project's


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run of a clock; `elapsed` leaves out the time it stood still."""

    name: str
    number: int  # from 1, within the goal
    started_at: datetime
    stopped_at: datetime | None
    paused: timedelta
    is_paused: bool
    elapsed: timedelta

    @property
    def goal(self) -> timedelta:
        """How long it may take."""
        return _GOALS[self.name]

    @property
    def breach_at(self) -> datetime | None:
        """When the goal is missed; nobody can say while the clock stands still."""
        return None if self.is_paused else self.started_at + self.goal + self.paused

    @property
    def is_breached(self) -> bool:
        """Whether it took too long, or takes already."""
        return self.elapsed > self.goal


def cycles_of(ticket: Ticket, project: TicketProject, moment: datetime) -> tuple[Cycle, ...]:
    """The cycles of a request as they stand at a moment; a ticket of another kind has none."""
    if ticket.request_type_id is None or project.kind != "service_desk":
        return ()
    moves = [
        (history.at, item.to_value)
        for history in ticket.histories
        for item in history.items
        if item.field == "status" and history.at <= moment
    ]
    first = moves[0][0] if moves else None
    elapsed = (first or moment) - ticket.created_at
    response = Cycle(FIRST_RESPONSE, 1, ticket.created_at, first, timedelta(0), False, elapsed)
    return (response, *_resolutions(ticket, project, moves, moment))


def _resolutions(
    ticket: Ticket,
    project: TicketProject,
    moves: list[tuple[datetime, str | None]],
    moment: datetime,
) -> Iterator[Cycle]:
    done = {status.id for status in project.statuses if status.category == "done"}
    blocked = {status.id for status in project.statuses[_BLOCKED : _BLOCKED + 1]} - done
    number, started, paused = 1, ticket.created_at, timedelta(0)
    is_closed, since = False, None
    for at, status in moves:
        if is_closed and status not in done:
            number, started, paused, is_closed = number + 1, at, timedelta(0), False
        if since is not None and status not in blocked:
            paused, since = paused + (at - since), None
        if status in done and not is_closed:
            elapsed = at - started - paused
            yield Cycle(RESOLUTION, number, started, at, paused, False, elapsed)
            is_closed = True
        elif status in blocked and since is None:
            since = at
    if not is_closed:
        standing = moment - since if since is not None else timedelta(0)
        elapsed = moment - started - paused - standing
        yield Cycle(RESOLUTION, number, started, None, paused, since is not None, elapsed)
