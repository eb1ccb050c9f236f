"""`leadline correct`: say of what class a ticket is, where the rules got it wrong."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import Author

KIND = "ticket_class"


class TicketClass(StrEnum):
    """What a ticket of the infrastructure team is."""

    REQUEST = "request"
    BUILD = "build"
    INCIDENT = "incident"
    OVERHEAD = "overhead"


def run(
    ticket: Annotated[str | None, typer.Argument(help="Key of the ticket, such as OPS-12.")] = None,
    ticket_class: Annotated[
        TicketClass | None, typer.Argument(metavar="CLASS", help="What it really is.")
    ] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take the correction of this ticket back.")
    ] = False,
    author: Author = None,
) -> None:
    """Correct the class of a ticket: request, build, incident or overhead.

    Without a ticket it lists the corrections in force. A correction wins over every rule from the
    next build on; it can be changed or taken back, and the history keeps all of it.
    """
    from pipelines import decisions
    from pipelines.commands.boundary import WrongUseError
    from pipelines.commands.console import note, say
    from pipelines.settings import load
    from pipelines.sync import utc_now

    settings = load()
    if ticket is None:
        say(_listed(settings.data))
        return
    if (ticket_class is None) is not withdraw:
        raise WrongUseError(
            f"say what {ticket} is ({', '.join(TicketClass)}), or take its correction back with "
            "--withdraw"
        )
    key = _known_key(settings.data, ticket)
    if key is None:
        note(f"note: the published build has no ticket {ticket}; it counts once there is one")
    value = decisions.WITHDRAWN if ticket_class is None else ticket_class.value
    choice = decisions.Choice(KIND, key or ticket, value)
    decisions.record(
        settings.data, [choice], author=author or settings.operation.author, now=utc_now()
    )
    told = "no longer corrected" if withdraw else value
    say(f"{choice.subject}: {told}, from the next build on (`leadline build`)")


def _listed(data: Path) -> str:
    from pipelines import decisions

    found = decisions.in_force(decisions.history(data), KIND)
    if not found:
        return "no ticket is corrected; `leadline correct OPS-12 request` says what one is"
    width = max(len(subject) for subject in found)
    return "\n".join(
        f"{subject:<{width}}  {each.value:<8}  {each.at:%Y-%m-%d}  {each.author}"
        for subject, each in found.items()
    )


def _known_key(data: Path, ticket: str) -> str | None:
    """The ticket's key as its source writes it; None where the published build has it not."""
    from pipelines import reader

    path = reader.current_build(data)
    try:
        connection = None if path is None else reader.connect(path)
    except reader.RebuildNeededError:
        connection = None
    if connection is None:
        return ticket
    try:
        rows = connection.execute(
            "select min(ticket_key) from ticket_fact where lower(ticket_key) = lower($key)",
            {"key": ticket},
        ).fetchall()
    finally:
        connection.close()
    return None if rows[0][0] is None else str(rows[0][0])
