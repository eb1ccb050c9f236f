"""Killed at random moments, the next run ends as if nothing had happened; readers notice nothing.

Each kill starts from a kept state of the data folder, while the folder's published build stays and
is read all the time. SIGKILL leaves what the kernel has been given, so memory will do for a folder.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.reader import current_build
from sandbox.generate import build_organisation
from sandbox.server import Sandbox
from tests.dashboards.test_serve import dashboard
from tests.e2e.demo_world import END
from tests.e2e.lane import Case, Kill, Lane, Readers

BEFORE = timedelta(days=14)
LANES = 2
SEED = 20261101


def planned() -> list[Case]:
    """27 kills of plain functions: by time in sync, load and build, by step in publication.

    Where a case has several, the run after a kill is killed as well.
    """
    rng = random.Random(SEED)

    def case(start: str, *phases: str) -> Case:
        kills = (Kill(phase, rng.random(), with_children=rng.random() < 0.5) for phase in phases)
        return Case(start, tuple(kills))

    return [
        *(case("nothing", "sync", "sync", "load") for _ in range(2)),
        *(case("nothing", "sync", "load") for _ in range(2)),
        *(case("older", "sync", "build") for _ in range(3)),
        *(case("synced", "load", "build") for _ in range(3)),
        *(Case("loaded", (Kill("publish", die_before=step),)) for step in range(1, 6)),
    ]


@pytest.fixture(scope="module")
def lanes(quick_folder: Path) -> Iterator[list[Lane]]:
    """Data folders that read one small organisation, which has moved on since their first build."""
    folder = quick_folder
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    found: list[Lane] = []
    try:
        with Sandbox(organisation, folder / "git", visible_until=END - BEFORE) as sandbox:
            found.append(Lane(folder / "0", sandbox, "pipelines.definitions", "pipelines.runs"))
            found += [Lane(folder / str(number), sandbox) for number in range(1, LANES)]
            for lane in found:
                lane.wait_until_ready()
            found[0].prepare(lambda: sandbox.world.advance(BEFORE.total_seconds()))
            for lane in found[1:]:
                lane.take_over(found[0])
            yield found
    finally:
        for lane in found:
            lane.killable.close()


def test_the_run_after_a_kill_ends_as_if_nothing_had_happened(lanes: list[Lane]) -> None:
    """Tables equal an undisturbed run's after each kill; the old build is served until the end."""
    waiting = planned()
    kills = sum(len(case.kills) for case in waiting)
    readers = Readers()
    found: list[str] = []

    def work(lane: Lane) -> None:
        while waiting:
            found.extend(survived(lane, waiting.pop()))

    with dashboard(lanes[0].data) as port:
        readers.poll(port)
        for lane in lanes:
            readers.read(lane.data)
        try:
            with ThreadPoolExecutor(LANES) as pool:
                list(pool.map(work, lanes))
        finally:
            readers.stop()
    assert found == []
    assert readers.failures == []
    assert readers.reads > 50
    assert kills == 27


def survived(lane: Lane, case: Case) -> list[str]:
    """Kill runs, run once more, and say what is wrong then."""
    old = lane.killed(case)
    standing = current_build(lane.data)
    wrong = []
    if standing != old and not lane.is_publishing:
        wrong.append(f"{case}: the build changed although no run came to publication")
    lane.run()
    if current_build(lane.data) in (old, standing):
        wrong.append(f"{case}: the next run published nothing")
    if unfinished(lane.data / "builds"):
        wrong.append(f"{case}: something unfinished was left")
    different = lane.differences(case.start)
    if different:
        wrong.append(f"{case}: {different}")
    return wrong


def unfinished(builds: Path) -> list[Path]:
    """What a killed build leaves for the next one to remove."""
    return [*builds.glob("*.part*"), *builds.glob("current.*")]


def test_runs_of_the_graph_survive_kills_as_well(lanes: list[Lane]) -> None:
    """Killed in sync, in load and in build, one after the other, the graph ends with the same."""
    lane = lanes[0]
    rng = random.Random(SEED)
    lane.restore("older")
    old = current_build(lane.data)
    for phase in ("sync", "load", "build"):
        assert lane.dies(Kill(phase), rng.random() / 2, how="dagster"), phase
        assert current_build(lane.data) == old
    lane.run(how="dagster")
    assert current_build(lane.data) != old
    lane.run()  # the graph's build speaks for the moment of the pull, this one for the pinned one
    assert lane.differences("older") == {}
