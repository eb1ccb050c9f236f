"""Processes that a command starts: they end with it, however it ends."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.child import LAUNCHER

_SECONDS_TO_END = 10.0


@contextmanager
def child(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    output: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a folder; what it says goes to a log, and its stdout to `output` if given.

    It has a session of its own, so that Ctrl-C reaches only its parent, which ends it in order; and
    the launcher has the kernel end it when its parent is killed.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*LAUNCHER, "run", str(os.getpid()), *command],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file if output is None else output,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def last_lines(log: Path) -> str:
    """The end of a child's log, for a message."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
    return "\n".join([f"its last lines, from {log}:", *(f"  {line}" for line in lines)])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the child and all that it started to end, then make them."""
    _signal(process, signal.SIGTERM)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS_TO_END)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
