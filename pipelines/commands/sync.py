"""`leadline sync`: pull what is new from the sources, and load it."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipelines.load import LoadResult
    from pipelines.settings import Settings
    from pipelines.sync import SyncResult


def run(
    connections: Annotated[
        list[str] | None, typer.Argument(help="Connections to pull; default: all.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Ask for everything again, not only what is new.")
    ] = False,
    confirm_deletions: Annotated[
        bool,
        typer.Option("--confirm-deletions", help="Let deletions happen that are held back."),
    ] = False,
) -> None:
    """Pull what is new from the sources and load it; says what landed.

    Deletions of more than 20 % of a source are held back until --confirm-deletions.
    """
    from pipelines import operations
    from pipelines.commands.boundary import FailedError, WrongUseError
    from pipelines.commands.progress import load_with_progress, sync_with_progress
    from pipelines.settings import load
    from pipelines.settings_messages import suggestion
    from pipelines.sync import utc_now

    settings = load()
    if not settings.connections:
        raise WrongUseError(
            "no connection is set up; `leadline init` writes a leadline.toml that shows how"
        )
    for name in connections or ():
        if name not in settings.connections:
            hint = suggestion(name, list(settings.connections))
            raise WrongUseError(f'there is no connection "{name}"; {hint}')
    if confirm_deletions:
        with operations.opened(settings) as (_, landing):
            for name in connections or settings.connections:
                landing.confirm_deletions(name, utc_now())
    pulled = sync_with_progress(settings, connections, full=full)
    loaded = load_with_progress(settings)
    _tell(settings, pulled, loaded)
    errors = [error for result in pulled for error in result.errors]
    if errors:
        raise FailedError(
            "not everything could be pulled; what was received is kept, the rest is asked for "
            "again next time:\n  " + "\n  ".join(errors)
        )


def _tell(settings: "Settings", pulled: "list[SyncResult]", loaded: "LoadResult") -> None:
    from pipelines.commands.console import count, say

    for result in pulled:
        kind = settings.connections[result.connection].kind
        what = f"{count(result.items, 'item')}, {count(result.requests, 'request')}"
        say(f"{result.connection} ({kind}): {what}" if result.pages else f"{result.connection}: –")
    rows = ", ".join(
        f"{table} {number:,}" for table, number in sorted(loaded.rows.items()) if number
    )
    say(f"loaded: {rows or 'nothing new'}")
    for title, counts in (("rejected", loaded.rejected), ("deleted", loaded.deleted)):
        if counts.total():
            told = ", ".join(
                f"{table} {number:,}" for table, number in sorted(counts.items()) if number
            )
            say(f"{title}: {told}")
    for held in loaded.held:
        say(
            f"held back: {count(held.rows, 'deletion')} of {held.table} in {held.connection}; "
            f"if they are meant, run `leadline sync {held.connection} --confirm-deletions`"
        )
