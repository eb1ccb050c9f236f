"""Building organisations of three sizes, each in a process of its own; and one by Dagster."""

import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks import organisation
from benchmarks.organisation import LARGE, MIDDLE, SMALL, Size
from benchmarks.result import Result, on_cores

Given = ParamSpec("Given")
Value = TypeVar("Value")

# Per size its limit in seconds, and how many builds the best is taken of.
LIMITS = {SMALL: (1.5, 5), MIDDLE: (8, 2), LARGE: (75, 1)}
MOST_MEMORY_GB = 8
_PROJECT = Path(__file__).parents[1]
# Not multiprocessing: that would run the parent's main module again, whatever it is by then.
_CHILD = """
import pickle, sys
work, given, named = pickle.load(sys.stdin.buffer)
out, sys.stdout = sys.stdout.buffer, sys.stderr
out.write(pickle.dumps(work(*given, **named)))
"""


def run(scale: float = 1.0) -> Iterator[Result]:
    """On two cores, the best of some builds; then Dagster's job that builds, the best of two."""
    on_cores(2)
    two = 2 if scale >= 1 else 1
    each: dict[Size, float] = {}
    for full, (limit, times) in LIMITS.items():
        size = full.scaled(scale)
        with tempfile.TemporaryDirectory() as folder:
            _apart(_make, Path(folder), size, merged=False)
            seconds, peak = _apart(_built, Path(folder), times if scale >= 1 else 1)
        each[full] = seconds / size.changes
        yield Result(f"build of {size.text()}", seconds, "s", limit)
        yield Result("  its peak memory", peak, "GiB", MOST_MEMORY_GB)
    yield Result("  time for a change, the most / the fewest", each[LARGE] / each[SMALL], "×", 1)
    size = SMALL.scaled(scale)
    with tempfile.TemporaryDirectory() as folder:
        _apart(_make, Path(folder), size, merged=True)
        seconds, _ = _apart(_built, Path(folder), two)
        yield Result(f"build of {size.text()}, merged with their commits", seconds, "s")
    with tempfile.TemporaryDirectory() as folder:
        _apart(_make, Path(folder), size, merged=False)
        seconds, _ = _apart(_built, Path(folder), two)
        share = _apart(_by_dagster, Path(folder), two) - seconds
        yield Result("Dagster's own share of the same build", share, "s", 5)


def _apart(work: Callable[Given, Value], *given: Given.args, **named: Given.kwargs) -> Value:
    """Call a function in a process of its own, so that its peak memory is its own."""
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=pickle.dumps((work, given, named)),
        env={**os.environ, "PYTHONPATH": str(_PROJECT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    value: Value = pickle.loads(ran.stdout)  # noqa: S301  what our own child has written
    return value


def _make(folder: Path, size: Size, *, merged: bool) -> None:
    organisation.make(folder, size, merged=merged)


def _built(folder: Path, times: int) -> tuple[float, float]:
    """The shortest of some builds in seconds, and the peak memory of the process in GiB."""
    made = organisation.opened(folder)
    seconds = min(made.build().seconds for _ in range(times))
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def _by_dagster(folder: Path, times: int) -> float:
    from pipelines.runs import run_job_in_process

    made = organisation.opened(folder)

    def once() -> float:
        started = time.perf_counter()
        if not run_job_in_process(made.settings, "build"):
            raise RuntimeError("the run failed")
        return time.perf_counter() - started

    return min(once() for _ in range(times))
