"""Killed at random moments, the next run ends as if nothing had happened; readers notice nothing.

Each kill starts from a kept state of the data folder, while the folder's published build stays and
is read all the time. SIGKILL leaves what the kernel has been given, so the folders lie in memory
where there is `/dev/shm`: the disk's own time to sync proves nothing here.
"""

import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from dashboards import serve
from pipelines.reader import current_build
from sandbox.generate import build_organisation
from sandbox.server import Sandbox
from tests.dashboards.test_serve import free_port, wait_until_healthy
from tests.e2e.demo_world import END
from tests.e2e.lane import Kill, Lane, Readers

BEFORE = timedelta(days=14)
LANES = 2
SEED = 20261101


def planned() -> list[Kill]:
    """27 kills of plain functions: sync, load and build by time, publication step by step."""
    rng = random.Random(SEED)
    starts = {
        "sync": ["nothing", "older"] * 4,
        "load": ["synced"] * 7,
        "build": ["loaded"] * 7,
    }
    by_time = [
        Kill(start, phase, rng.random(), with_children=rng.random() < 0.5)
        for phase, kept in starts.items()
        for start in kept
    ]
    by_step = [Kill("loaded", "publish", die_before=step) for step in range(1, 6)]
    return by_time + by_step


@pytest.fixture(scope="module")
def lanes() -> Iterator[list[Lane]]:
    """Data folders that read one small organisation, which has moved on since their first build."""
    memory = Path("/dev/shm")
    folder = Path(
        tempfile.mkdtemp(prefix="leadline-kill-", dir=memory if memory.is_dir() else None)
    )
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    found: list[Lane] = []
    try:
        with Sandbox(organisation, folder / "git", visible_until=END - BEFORE) as sandbox:
            found += [Lane(folder / str(number), sandbox) for number in range(LANES)]
            for lane in found:
                lane.wait_until_ready()
            found[0].prepare(lambda: sandbox.world.advance(BEFORE.total_seconds()))
            for lane in found[1:]:
                lane.take_over(found[0])
            yield found
    finally:
        for lane in found:
            lane.killable.close()
        shutil.rmtree(folder)


@contextmanager
def dashboard(data: Path) -> Iterator[int]:
    """The dashboard over a data folder; yields its port."""
    port = free_port()
    process = subprocess.Popen(
        serve.command(port, data),
        env=serve.environment(data),
        cwd=serve.working_directory(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(port)
        yield port
        assert process.poll() is None, "the dashboard died"
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_the_run_after_a_kill_ends_as_if_nothing_had_happened(lanes: list[Lane]) -> None:
    """Tables equal an undisturbed run's after each kill; the old build is served until the end."""
    waiting = planned()
    readers = Readers()
    found: list[str] = []

    def work(lane: Lane) -> int:
        done = 0
        while waiting:
            kill = waiting.pop()
            done += 1
            found.extend(survived(lane, kill))
        return done

    with dashboard(lanes[0].data) as port:
        readers.poll(port)
        for lane in lanes:
            readers.read(lane.data)
        try:
            with ThreadPoolExecutor(LANES) as pool:
                done = sum(pool.map(work, lanes))
        finally:
            readers.stop()
    assert found == []
    assert readers.failures == []
    assert readers.reads > 100
    assert done == 27


def survived(lane: Lane, kill: Kill) -> list[str]:
    """Kill a run, run once more, and say what is wrong then."""
    old = current_build(lane.data)
    lane.killed(kill)
    standing = current_build(lane.data)
    wrong = []
    if kill.phase != "publish" and standing != old:
        wrong.append(f"{kill}: the build changed although the run was killed before publication")
    lane.run()
    if current_build(lane.data) in (old, standing):
        wrong.append(f"{kill}: the next run published nothing")
    if list((lane.data / "builds").glob("*.part*")) + list(
        (lane.data / "builds").glob("current.*")
    ):
        wrong.append(f"{kill}: something unfinished was left")
    different = lane.differences(kill)
    if different:
        wrong.append(f"{kill}: {different}")
    return wrong


def test_runs_of_the_graph_survive_kills_as_well(lanes: list[Lane]) -> None:
    """Killed in sync, in load and in build, one after the other, the graph ends with the same."""
    lane = lanes[0]
    rng = random.Random(SEED)
    lane.restore("older")
    old = current_build(lane.data)
    for phase in ("sync", "load", "build"):
        kill = Kill("older", phase, rng.random() / 2)
        assert lane.dies(kill, kill.share, how="dagster"), phase
        assert current_build(lane.data) == old
    lane.run(how="dagster")
    assert current_build(lane.data) != old
    lane.run()  # the graph's build speaks for the moment of the pull, this one for the pinned one
    assert lane.differences(kill) == {}
