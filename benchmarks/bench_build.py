"""Building: 50,000 changes and 50,000 deployments of 200 repositories, plain and by Dagster."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks import organisation
from benchmarks.result import Result, on_cores
from pipelines.catalog import models
from pipelines.warehouse import BuildResult


def run(scale: float = 1.0) -> Iterator[Result]:
    """On two cores, the best of some builds; then Dagster's job that builds, the best of two."""
    on_cores(2)
    times = 5 if scale >= 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        best = _best(
            organisation.make(Path(folder), organisation.SMALL.scaled(scale), merged=True), times
        )
        commits = best.tables["mainline"].rows
        yield Result(f"build of as many, merged with {commits:,} commits", best.seconds, "s")
    with tempfile.TemporaryDirectory() as folder:
        made = organisation.make(Path(folder), organisation.SMALL.scaled(scale))
        best = _best(made, times)
        changes = best.tables["change"].rows
        yield Result(f"build of {changes:,} changes and deployments", best.seconds, "s", 1.5)
        rooms: dict[str, float] = defaultdict(float)
        for name, table in best.tables.items():
            rooms[models()[name].room] += table.seconds
        for room, seconds in rooms.items():
            yield Result(f"  of which the models of {room}", seconds, "s")
        yield Result(
            "  of which audits, inputs and publishing", best.seconds - sum(rooms.values()), "s"
        )
        yield Result(
            "Dagster's own share of the same build",
            _by_dagster(made, min(times, 2)) - best.seconds,
            "s",
            5,
        )


def _best(made: organisation.Organisation, times: int) -> BuildResult:
    return min((made.build() for _ in range(times)), key=lambda build: build.seconds)


def _by_dagster(made: organisation.Organisation, times: int) -> float:
    from pipelines.runs import run_job_in_process

    def once() -> float:
        started = time.perf_counter()
        if not run_job_in_process(made.settings, "build"):
            raise RuntimeError("the run failed")
        return time.perf_counter() - started

    return min(once() for _ in range(times))
