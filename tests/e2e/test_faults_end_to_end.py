"""Every fault of the sandbox against the whole path: the same tables, or a clear error."""

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.client import Client
from pipelines import operations
from pipelines.inputs import Clock
from pipelines.landing import LandingError
from pipelines.settings import Settings
from pipelines.sync import SyncResult
from sandbox.faults import Fault, Faults, Rule
from sandbox.generate import build_organisation
from sandbox.server import Sandbox
from tests.connectors.jira_pulling import SleepingClock
from tests.e2e.comparison import Tables, differing, records_of, tables_of
from tests.e2e.demo_world import END, settings_for

GRAPHQL = {Fault.GRAPHQL_RATE_LIMIT, Fault.GRAPHQL_PARTIAL}
GITHUB_ONLY = {Fault.SECONDARY_LIMIT, Fault.PRIMARY_LIMIT, *GRAPHQL}
CASES = [
    *(("github", fault) for fault in Fault),
    *(("jira", fault) for fault in Fault if fault not in GITHUB_ONLY),
]
CLEAR = re.compile(r"^\w+\.\w+: .*http://127\.0\.0\.1:\d+", re.DOTALL)


@dataclass(frozen=True)
class World:
    """A sandbox, and the records of undisturbed syncs: of each source alone, and of both."""

    sandbox: Sandbox
    expected: dict[str, Tables]

    def faults(self, source: str) -> Faults:
        """What spoils the answers of a source."""
        return self.sandbox.faults if source == "github" else self.sandbox.jira_faults


@pytest.fixture(scope="module", autouse=True)
def hurry() -> Iterator[None]:
    """Let time pass at once wherever a client waits."""
    real, clock = Client.__init__, SleepingClock()

    def hurried(self: Client, **options: Any) -> None:
        quick = {"clock": clock.now, "sleep": clock.sleep, "backoff_seconds": 0.001}
        real(self, **{**options, **quick})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "__init__", hurried)
        yield


@pytest.fixture(scope="module")
def world(quick_folder: Path) -> Iterator[World]:
    """A small organisation, read once without faults."""
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    with Sandbox(organisation, quick_folder / "git") as sandbox:
        expected = {}
        for name, sources in {"github": ["github"], "jira": ["jira"], "both": None}.items():
            settings = settings_for(sandbox, quick_folder / name)
            assert not errors(operations.sync(settings, sources))
            operations.load_records(settings)
            expected[name] = records_of(settings.data)
        yield World(sandbox, expected)


@pytest.fixture
def settings(world: World, quick_folder: Path) -> Iterator[Settings]:
    """Settings with a data folder of their own."""
    data = quick_folder / "data"
    yield settings_for(world.sandbox, data)
    world.sandbox.faults.clear()
    world.sandbox.jira_faults.clear()
    shutil.rmtree(data)


def errors(results: list[SyncResult]) -> list[str]:
    """What a sync could not get."""
    return [error for result in results for error in result.errors]


@pytest.mark.parametrize(("source", "fault"), CASES, ids=str)
def test_every_fault_ends_in_the_same_tables(
    world: World, settings: Settings, source: str, fault: Fault
) -> None:
    """Met in a fifth of all requests: what could not be had is told, and the next sync has it."""
    faults = world.faults(source)
    # A world that moves on is another world: the stride of DRIFT is beyond its end.
    faults.set(Rule(fault=fault, chance=0.2, seconds=0 if fault is Fault.SLOW else 1))
    told = errors(operations.sync(settings, [source]))
    assert faults.hits, "no request met the fault"
    assert [error for error in told if not CLEAR.match(error)] == []
    operations.load_records(settings)
    faults.clear()
    assert errors(operations.sync(settings, [source])) == []
    operations.load_records(settings)
    assert differing(world.expected[source], records_of(settings.data)) == {}


def test_faults_that_never_end_are_errors_and_lose_nothing(
    world: World, settings: Settings
) -> None:
    """A source that fails from a moment on: what came before stays, marks do not move past it."""
    for faults in (world.sandbox.faults, world.sandbox.jira_faults):
        faults.set(Rule(fault=Fault.SERVER_ERROR, skip=6))
    told = errors(operations.sync(settings))
    assert len(told) >= 2
    assert all("500" in error and CLEAR.match(error) for error in told)
    operations.load_records(settings)
    half = {name: len(rows) for name, rows in records_of(settings.data).items()}
    for faults in (world.sandbox.faults, world.sandbox.jira_faults):
        faults.clear()
    assert errors(operations.sync(settings)) == []
    operations.load_records(settings)
    found = records_of(settings.data)
    assert differing(world.expected["both"], found) == {}
    assert sum(half.values()) < sum(map(len, found.values()))


def test_twice_synced_is_once_synced(world: World, settings: Settings) -> None:
    """Incrementally or in full, the second sync changes no row."""
    operations.sync(settings)
    operations.load_records(settings)
    for full in (False, True):
        assert errors(operations.sync(settings, full=full)) == []
        operations.load_records(settings)
        assert differing(world.expected["both"], records_of(settings.data)) == {}


def test_two_pullers_of_one_connection_cannot_run(world: World, settings: Settings) -> None:
    """The second says who holds the connection; another connection is free."""
    world.sandbox.jira_faults.set(Rule(fault=Fault.SLOW, seconds=0.4))
    first = threading.Thread(target=operations.sync, args=(settings, ["jira"]))
    first.start()
    deadline = time.monotonic() + 20
    while not world.sandbox.jira_faults.hits and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(LandingError, match=f"jira is being pulled by process {os.getpid()} on"):
        operations.sync(settings, ["jira"])
    assert errors(operations.sync(settings, ["github"])) == []
    first.join()
    world.sandbox.jira_faults.clear()
    assert errors(operations.sync(settings)) == []
    operations.load_records(settings)
    assert differing(world.expected["both"], records_of(settings.data)) == {}


def test_a_rebuild_from_landing_equals_the_first(world: World, settings: Settings) -> None:
    """Landing and settings alone give every table of records and build again."""
    moment = Clock(END, "pinned by the test")
    operations.sync(settings)
    operations.load_records(settings)
    operations.build(settings, moment=moment)
    first = tables_of(settings.data)
    (settings.data / "records.duckdb").unlink()
    shutil.rmtree(settings.data / "builds")
    shutil.rmtree(settings.data / "clones")
    operations.load_records(settings)
    operations.build(settings, moment=moment)
    assert differing(first, tables_of(settings.data)) == {}
