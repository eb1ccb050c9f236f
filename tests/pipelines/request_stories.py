"""Tickets of an infrastructure team, for stories: who, what, when it was in progress."""

from typing import Any

from connectors.records import Account, Decision, Record, Ticket, TicketTransition, Worklog
from tests.pipelines.stories import hour

SETTINGS = """
[requests]
infrastructure_team = "Platform"
projects = ["INF"]

[[teams]]
name = "Platform"
people = ["pia", "pat", "pim"]

[[teams]]
name = "Shop"
people = ["sam", "sue", "sid", "sol", "syl"]
"""
DAY = 24
WEEK = 7 * DAY


def account(login: str, *, is_bot: bool = False) -> Account:
    """Somebody with an account at the tracker."""
    return Account(account_id=f"tracker:{login}", login=login, name=login, is_bot=is_bot)


PEOPLE = [account(name) for name in ("pia", "pat", "pim", "sam", "sue", "sid", "sol", "syl")]


def item(number: int, at: float, resolved: float | None = None, **more: Any) -> Ticket:
    """A ticket of the infrastructure project, opened at an hour of the story."""
    values: dict[str, Any] = {"type": "Task", "title": f"ticket {number}", **more}
    for who in ("reporter", "assignee"):
        if values.get(who):
            values[who] = f"tracker:{values[who]}"
    key = values.pop("key", f"INF-{number}")
    return Ticket(
        ticket_id=f"tracker:{number}",
        ticket_key=key,
        project=values.pop("project", key.split("-", 1)[0]),
        status_category="new" if resolved is None else "done",
        created_at=hour(at),
        resolved_at=None if resolved is None else hour(resolved),
        **values,
    )


def moves(number: int, *steps: tuple[float, str], actor: str | None = None) -> list[Record]:
    """Changes of the status: hour and category it moved to."""
    names = {"new": "To do", "in_progress": "Doing", "done": "Done"}
    return [
        TicketTransition(
            ticket_id=f"tracker:{number}",
            transition_id=f"{number}-{index}",
            field="status",
            from_value="To do" if index == 0 else names[steps[index - 1][1]],
            to_value=names[category],
            to_category=category,
            at=hour(at),
            actor=f"tracker:{actor}" if actor else None,
        )
        for index, (at, category) in enumerate(steps)
    ]


def handed(number: int, at: float, before: str | None, after: str | None) -> TicketTransition:
    """A change of the assignee."""
    return TicketTransition(
        ticket_id=f"tracker:{number}",
        transition_id=f"{number}-to-{at}",
        field="assignee",
        from_value=f"tracker:{before}" if before else None,
        to_value=f"tracker:{after}" if after else None,
        at=hour(at),
    )


def logged(number: int, who: str, at: float, hours: float) -> Worklog:
    """Time that somebody logged."""
    return Worklog(
        worklog_id=f"tracker:log:{number}:{who}:{at}",
        ticket_id=f"tracker:{number}",
        author=f"tracker:{who}",
        started_at=hour(at),
        duration_us=round(hours * 3.6e9),
    )


def correction(number: int, value: str, at: float, who: str = "lead") -> Decision:
    """A user's word on the class of a ticket."""
    return Decision(
        decision_id=f"local:{number}:{at}",
        kind="ticket_class",
        subject=f"tracker:{number}",
        value=value,
        author=who,
        at=hour(at),
    )
