"""Processes that end with the one that started them, however that one ends.

Run as a script, with nothing but the standard library: `guard.py run PARENT COMMAND…` becomes the
command once the kernel has been told to kill it with its parent; `guard.py watch` reads process
groups from standard input and kills them all when that closes. A killed supervisor cannot clean
up, but its pipe closes.
"""

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def become(parent: int, command: list[str]) -> None:
    """Become the command; on Linux it dies with its parent (macOS relies on the watching alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the kernel was told
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - never through a shell


def watch() -> None:
    """Kill every process group that was named (`+123`) and not taken back (`-123`)."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line)
        if group > 0:
            groups.add(group)
        else:
            groups.discard(-group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch()
    else:
        become(int(sys.argv[2]), sys.argv[3:])
