"""`leadline build`: work out every table from what has landed, and publish."""

from typing import Annotated

import typer


def run(
    back_to: Annotated[
        str | None,
        typer.Option(metavar="BUILD", help="Publish this kept build again instead of a new one."),
    ] = None,
) -> None:
    """Load what has landed, build every table, check and publish.

    A build that fails its checks is not published; the last good one stays.
    """
    from pipelines.commands.console import say
    from pipelines.commands.progress import build_with_progress, load_with_progress
    from pipelines.operations import go_back
    from pipelines.settings import load

    settings = load()
    if back_to is not None:
        say(f"published {go_back(settings, back_to)} again; the next build takes its place")
        return
    load_with_progress(settings)
    result = build_with_progress(settings)
    rows = sum(table.rows for table in result.tables.values())
    say(
        f"published {result.build_id}: {len(result.tables)} tables, {rows:,} rows, "
        f"{result.seconds:.1f} s"
    )
    say("look at it with `leadline serve`")
