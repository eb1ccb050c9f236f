"""What commands say: answers on stdout, progress on stderr, live only on a terminal."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

Update = Callable[[str], None]
# Without a terminal a long step says at this interval that it is alive.
_SECONDS_BETWEEN_LINES = 10.0


def say(text: str = "") -> None:
    """A line of the answer."""
    typer.echo(text)


def note(text: str) -> None:
    """A line beside the answer, on stderr."""
    typer.echo(text, err=True)


def mark(level: str) -> str:
    """A word for a level: colour on a terminal, never colour alone."""
    colours = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "error": typer.colors.RED}
    word = f"{level:<7}"
    if not sys.stdout.isatty() or _is_plain():
        return word
    return typer.style(word, fg=colours.get(level), bold=level == "error")


def _is_plain() -> bool:
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


@contextmanager
def step(title: str) -> Iterator[Update]:
    """Show that something is being done, how far it is, and how long it took."""
    started = time.monotonic()
    latest = [""]
    with _live(title, started, latest) if _is_terminal() else _plain(title, started, latest):
        yield lambda detail: latest.__setitem__(0, detail)
    detail = f": {latest[0]}" if latest[0] else ""
    note(f"{title}{detail} ({time.monotonic() - started:.1f} s)")


def _is_terminal() -> bool:
    return sys.stderr.isatty() and not _is_plain_terminal()


def _is_plain_terminal() -> bool:
    return os.environ.get("TERM") == "dumb"


@contextmanager
def _live(title: str, started: float, latest: list[str]) -> Iterator[None]:
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.table import Table
    from rich.text import Text

    spinner = Spinner("dots")

    def shown() -> Table:
        line = Table.grid(padding=(0, 1))
        seconds = f"{time.monotonic() - started:.0f} s"
        line.add_row(spinner, Text(title), Text(latest[0], "dim"), Text(seconds, "dim"))
        return line

    console = Console(stderr=True)
    with Live(console=console, transient=True, refresh_per_second=8, get_renderable=shown):
        yield


@contextmanager
def _plain(title: str, started: float, latest: list[str]) -> Iterator[None]:
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LINES):
            note(f"{title} … {latest[0]} ({time.monotonic() - started:.0f} s)")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def count(number: int, noun: str) -> str:
    """`1 change`, `12,345 changes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
