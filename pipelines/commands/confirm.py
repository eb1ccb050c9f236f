"""`leadline confirm`: say which accounts belong to one person."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.options import Author

if TYPE_CHECKING:
    from pipelines.confirming import Suggestion

MOST_LISTED = 50


def run(
    suggestions: Annotated[
        list[str] | None, typer.Argument(help="Codes of suggestions, as they are listed.")
    ] = None,
    from_score: Annotated[
        int | None,
        typer.Option(metavar="SCORE", min=80, max=100, help="All that wait, from this score on."),
    ] = None,
    reject: Annotated[bool, typer.Option("--reject", help="They are different people.")] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back what was said of them.")
    ] = False,
    author: Author = None,
) -> None:
    """Confirm that two accounts are one person, or reject it.

    Without a code it lists the suggestions that wait, the most alike first. What is confirmed is
    one person from the next build on; it can be taken back, and the history keeps all of it.
    People listed in leadline.toml win over both.
    """
    from pipelines import confirming, decisions
    from pipelines.commands.boundary import WrongUseError
    from pipelines.commands.console import count, say
    from pipelines.commands.tables import one_line, open_build
    from pipelines.settings import load
    from pipelines.sync import utc_now

    if reject and withdraw:
        raise WrongUseError("--reject and --withdraw exclude each other")
    settings = load()
    connection = open_build()
    try:
        known = confirming.suggestions(connection, decisions.history(settings.data))
    finally:
        connection.close()
    if not suggestions and from_score is None:
        say(_listed(known))
        return
    value = "rejected" if reject else decisions.WITHDRAWN if withdraw else "accepted"
    chosen = _chosen(known, suggestions or [], from_score)
    decisions.record(
        settings.data,
        confirming.choices(chosen, value),
        author=author or settings.operation.author,
        now=utc_now(),
    )
    for each in chosen:
        say(f"{value}  {one_line(each.left_name)} = {one_line(each.right_name)}")
    say(f"{count(len(chosen), 'decision')}, from the next build on (`leadline build`)")


def _chosen(
    known: "Sequence[Suggestion]", codes: Sequence[str], from_score: int | None
) -> "list[Suggestion]":
    from pipelines.commands.boundary import WrongUseError

    found = []
    for code in dict.fromkeys(codes):
        fitting = [each for each in known if each.code.startswith(code.lower())]
        if len(fitting) != 1:
            told = "no suggestion has" if not fitting else f"{len(fitting)} suggestions have"
            raise WrongUseError(f"{told} the code {code}; `leadline confirm` lists them")
        found += fitting
    if from_score is not None:
        found += [
            each
            for each in known
            if each.state == "pending"
            and each.score is not None
            and each.score >= from_score
            and each not in found
        ]
    return found


def _listed(known: "Sequence[Suggestion]") -> str:
    from pipelines.commands.console import count
    from pipelines.commands.tables import one_line

    waiting = [each for each in known if each.state == "pending"]
    lines = [
        f"{each.code}  {each.score or '–':>3}  "
        f"{one_line(f'{each.left_name} = {each.right_name}  ({each.why})')}"
        for each in waiting[:MOST_LISTED]
    ]
    if len(waiting) > MOST_LISTED:
        lines.append(f"and {len(waiting) - MOST_LISTED:,} more")
    if decided := sum(each.is_new for each in known):
        lines.append(f"{count(decided, 'decision')} made since the build; `leadline build`")
    if not lines:
        return "nothing waits: no accounts look like one person"
    if waiting:
        lines.append("`leadline confirm CODE…` if they are one person, `--reject` if they are not")
    return "\n".join(lines)
