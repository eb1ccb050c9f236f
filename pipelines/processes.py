"""Whether a process is still there, and still the same one."""

import os
from pathlib import Path

_CLOCK_SLACK = 2.0


def is_running(pid: int, known_at: float) -> bool:
    """Whether the process that had this id at `known_at` (epoch seconds) still runs.

    After a restart of the machine another process may bear the id: it started later.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # ours is never another user's
    started = started_at(pid)
    return started is None or started <= known_at + _CLOCK_SLACK


def started_at(pid: int) -> float | None:
    """When a process started, in epoch seconds; None where /proc does not tell (macOS)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        booted = Path("/proc/stat").read_text(encoding="utf-8").partition("\nbtime ")[2].split()[0]
    except (OSError, IndexError):
        return None
    fields = stat.rpartition(")")[2].split()
    return int(booted) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
