"""Processes that a command starts: they end with it, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_SECONDS_TO_END = 10.0
_PR_SET_PDEATHSIG = 1


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

    It has a session of its own, so that Ctrl-C reaches only its parent, which ends it in order.
    """
    die_with_parent = _die_with_parent()
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file if output is None else output,
            stderr=file,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, prepared before the fork
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
    """Ask the child to end, then make it."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_SECONDS_TO_END)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _die_with_parent() -> Callable[[], None] | None:
    """What a child calls so that the kernel ends it when this process is killed (Linux)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def call() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return call
