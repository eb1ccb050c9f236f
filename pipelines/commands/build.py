"""`leadline build`: work out every table from what has landed, and publish."""


def run() -> None:
    """Load what has landed, build every table, check and publish.

    A build that fails its checks is not published; the last good one stays.
    """
    from pipelines.commands.console import say
    from pipelines.commands.progress import build_with_progress, load_with_progress
    from pipelines.settings import load

    settings = load()
    load_with_progress(settings)
    result = build_with_progress(settings)
    rows = sum(table.rows for table in result.tables.values())
    say(
        f"published {result.build_id}: {len(result.tables)} tables, {rows:,} rows, "
        f"{result.seconds:.1f} s"
    )
    say("look at it with `leadline serve`")
