"""The one place where errors become messages and exit codes.

0 done, 1 failed, 2 wrong use or settings; 130 and 143 when stopped by Ctrl-C or SIGTERM.
"""

import errno
import functools
import os
import platform
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

FAILED = 1
WRONG_USE = 2

# Named by module, so that a command that needs none of them imports none of them.
_EXPECTED = {
    "connectors.connector.SourceError": FAILED,
    "connectors.secret.SecretMissingError": WRONG_USE,
    "pipelines.commands.boundary.FailedError": FAILED,
    "pipelines.commands.boundary.WrongUseError": WRONG_USE,
    "pipelines.decisions.DecisionError": WRONG_USE,
    "pipelines.files.BusyError": FAILED,
    "pipelines.landing.LandingError": FAILED,
    "pipelines.load.LoadError": FAILED,
    "pipelines.reader.RebuildNeededError": FAILED,
    "pipelines.settings.SettingsError": WRONG_USE,
    "pipelines.supervisor.SupervisorError": FAILED,
    "pipelines.warehouse.AuditError": FAILED,
}
_REBUILD = (
    "if it is damaged: remove records.duckdb and builds/ from the data folder and run "
    "`leadline build`; keep a copy of landing.sqlite, only it cannot be made again"
)
# Files that a library cannot use, and the way out.
_UNUSABLE = {
    "sqlite3.DatabaseError": "landing.sqlite cannot be used; put back the copy you keep of it, or "
    "move it away and run `leadline sync` to ask the sources again",
    "_duckdb.IOException": _REBUILD,
    "duckdb.IOException": _REBUILD,
}

Function = TypeVar("Function", bound=Callable[..., Any])


class WrongUseError(Exception):
    """The command was asked for something it cannot do as asked."""


class FailedError(Exception):
    """The command did what it could; the message says what is missing."""


class StoppedError(KeyboardInterrupt):
    """SIGTERM or a closed terminal: ends a command as Ctrl-C does, children included."""


def guarded(command: Function) -> Function:
    """The command with errors shown as people need them, and the right exit code."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            with _stoppable():
                command(*arguments, **options)
                sys.stdout.flush()
        except StoppedError as error:
            raise typer.Exit(143) from error
        except KeyboardInterrupt as error:
            _show("stopped")
            raise typer.Exit(130) from error
        except typer.Exit:
            raise
        except BrokenPipeError as error:
            # Whoever read our output has enough; flushing at the end must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from error
        except Exception as error:  # the boundary: whatever comes is told
            raise typer.Exit(_told(error)) from error

    return run  # type: ignore[return-value]


def _told(error: Exception) -> int:
    """Say what happened; the exit code."""
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    for name in names:
        if name in _EXPECTED:
            _show(f"error: {error}")
            return _EXPECTED[name]
        if name in _UNUSABLE:
            _show(f"error: {error}\n{_UNUSABLE[name]}")
            return FAILED
    if isinstance(error, OSError) and (message := _machine(error)):
        _show(f"error: {message}")
        return FAILED
    _show("".join(traceback.format_exception(error)).rstrip())
    _show(
        "\nerror: this is a defect of Leadline, not of your settings. Please report the lines "
        f"above, with:\n  leadline {version()}, Python {platform.python_version()}, "
        f"{platform.platform()}\n  leadline {command_line()}"
    )
    return FAILED


def _machine(error: OSError) -> str | None:
    """What the machine lacks, where that is the reason."""
    where = f" ({error.filename})" if error.filename else ""
    reasons = {
        errno.ENOSPC: "the disk is full; make room and run the command again",
        errno.EDQUOT: "the disk quota is used up; make room and run the command again",
        errno.EACCES: "no right to use this file; check its owner and mode",
        errno.EROFS: "the disk is read-only; set LEADLINE_DATA to a folder you may write",
        errno.EMFILE: "too many open files; raise the limit with `ulimit -n 4096`",
    }
    message = reasons.get(error.errno or 0)
    return f"{message}{where}" if message else None


def command_line() -> str:
    """The command that was given, without its values."""
    return " ".join(
        word.partition("=")[0] for word in sys.argv[1:] if word.startswith("-") or word.isalpha()
    )


def version() -> str:
    """The installed version."""
    from importlib.metadata import version as installed

    return installed("leadline")


def _show(text: str) -> None:
    """Say it on stderr, without any secret that was revealed (none was, if nothing read one)."""
    if "connectors.secret" in sys.modules:
        from connectors.secret import redact

        text = redact(text)
    typer.echo(text, err=True)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Within, SIGTERM and a closed terminal raise, so that what was started is ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise StoppedError

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
