"""How far a run is, told to whoever started it in the same process."""

from collections.abc import Callable

# Stage ("sync", "load", "build"), what is at hand, how much is done, of how much (None: unknown).
Report = Callable[[str, str, int, int | None], None]


def silence(stage: str, what: str, done: int, total: int | None) -> None:
    """Tell nobody: runs of the daemon are watched through Dagster's own events."""
