"""What runs by itself: evaluated as the daemon does, over real pulls and builds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.assets.automation import longest_gap
from pipelines.assets.keys import identifiers
from pipelines.definitions import definitions
from pipelines.settings import Settings
from tests.pipelines.dagster_world import make_settings, small_models, write_incidents

BUILD = {"records", "core", "metrics", "published"}


class World:
    """A graph over one file, its store, and an automation tick by tick."""

    def __init__(self, settings: Settings, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.definitions = definitions(settings)
        self.cursor: Any = None
        self.time = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def asked(self, after: timedelta = timedelta(seconds=30)) -> set[str]:
        """Evaluate every condition once, as the daemon does: what is asked for."""
        self.time += after
        result = dg.evaluate_automation_conditions(
            self.definitions,
            self.instance,
            asset_selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
            evaluation_time=self.time,
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        keys = self.definitions.resolve_asset_graph().get_all_asset_keys()
        return {key.to_user_string() for key in keys if result.get_requested_partitions(key)}

    def tick(self, after: timedelta = timedelta(seconds=30)) -> set[str]:
        """The rooms of what the next evaluation asks for."""
        return {name.partition("/")[0] for name in self.asked(after)}

    def run(self, job: str) -> dg.ExecuteInProcessResult:
        """Run a job as the daemon would."""
        return self.definitions.resolve_job_def(job).execute_in_process(instance=self.instance)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world in which nothing ran yet."""
    settings = make_settings(tmp_path, ["Database down"])
    with small_models(tmp_path, monkeypatch), dg.DagsterInstance.ephemeral() as instance:
        yield World(settings, tmp_path, instance)


def test_new_connection_is_pulled_once_at_once(world: World) -> None:
    """A connection that was never pulled does not wait for its schedule, nor is it asked twice."""
    assert world.tick() == {"landing"}
    assert world.tick() == set()


def test_landed_rows_ask_for_one_whole_build(world: World) -> None:
    """A pull that brought rows asks for records, models and published together, and once."""
    world.tick()
    world.run("sync_imports")
    graph = world.definitions.resolve_asset_graph()
    expected = {
        key.to_user_string() for key in graph.get_all_asset_keys() if key.path[0] != "landing"
    }
    assert world.asked() == expected
    world.run("build")
    assert world.asked() == set()
    assert world.asked() == set()


def test_only_new_rows_and_new_days_ask_for_builds(world: World) -> None:
    """A pull that landed nothing keeps the streams fresh and starts no build; later rows do.

    Once a day there is a build though nothing landed: the trailing periods end today.
    """
    world.tick()
    world.run("sync_imports")
    world.tick()
    world.run("build")
    world.tick()
    before = _newest_pull(world)
    world.run("sync_imports")
    assert _newest_pull(world) > before
    assert world.tick() == set()
    assert world.tick() == set()
    write_incidents(world.folder, ["Database down", "Queue full"])
    world.run("sync_imports")
    assert world.tick() == BUILD
    world.run("build")
    assert world.tick() == set()
    assert world.tick(after=timedelta(hours=13)) == BUILD


def test_rows_that_land_during_a_build_are_remembered(world: World) -> None:
    """While a build is under way none is added; when it is over one follows."""
    world.tick()
    world.run("sync_imports")
    world.tick()
    build = world.instance.create_run_for_job(
        world.definitions.resolve_job_def("build"), status=dg.DagsterRunStatus.STARTED
    )
    write_incidents(world.folder, ["Database down", "Queue full"])
    world.run("sync_imports")
    assert world.tick() == set()
    assert world.tick() == set()
    world.instance.report_run_canceled(build)
    assert world.tick() == BUILD
    assert world.tick() == set()


def test_rows_that_landed_before_the_daemon_started_are_built(world: World) -> None:
    """What the command line pulled before the first tick is not forgotten."""
    world.run("sync_imports")
    assert world.tick() == BUILD


def test_records_loaded_by_hand_are_built(world: World) -> None:
    """A run that only loaded leaves the models behind; they follow."""
    world.tick()
    world.run("sync_imports")
    world.tick()
    world.run("build")
    world.tick()
    world.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=world.instance,
        asset_selection=[
            key
            for key in world.definitions.resolve_asset_graph().get_all_asset_keys()
            if key.path[0] == "records"
        ],
    )
    assert world.tick() == {"core", "metrics", "published"}


def test_sensor_and_schedules_run_by_default(world: World) -> None:
    """Nobody has to switch anything on in the UI."""
    (sensor,) = world.definitions.sensors or ()
    assert isinstance(sensor, dg.AutomationConditionSensorDefinition)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    repository = world.definitions.get_repository_def()
    assert {s.name: s.cron_schedule for s in repository.schedule_defs} == {
        "sync_imports": "30 6 * * *",
        "prune_schedule": "17 3 * * *",
    }
    assert all(
        schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        for schedule in repository.schedule_defs
    )


def test_schedule_skips_while_a_pull_is_under_way(world: World) -> None:
    """A pull that takes longer than its interval is not queued again and again."""
    schedule = world.definitions.get_repository_def().get_schedule_def("sync_imports")
    with dg.instance_for_test() as instance:
        with dg.build_schedule_context(instance) as context:
            assert schedule.evaluate_tick(context).run_requests
        run = instance.create_run_for_job(
            world.definitions.resolve_job_def("sync_imports"), status=dg.DagsterRunStatus.STARTED
        )
        with dg.build_schedule_context(instance) as context:
            tick = schedule.evaluate_tick(context)
    assert not tick.run_requests
    assert run.run_id in str(tick.skip_message)


def test_longest_gap_follows_the_cron() -> None:
    """Freshness is measured against the longest wait between two pulls."""
    assert longest_gap("0 * * * *") == timedelta(hours=1)
    assert longest_gap("0 8-18 * * *") == timedelta(hours=14)


def test_hyphens_never_make_two_connections_one() -> None:
    """Dagster's names have no hyphens; connections differ all the same."""
    assert identifiers(["a-b", "a_b", "c"]) == {"a-b": "a_b", "a_b": "a_b_", "c": "c"}


def _newest_pull(world: World) -> float:
    event = world.instance.get_latest_materialization_event(
        dg.AssetKey(["landing", "imports", "incidents"])
    )
    assert event is not None
    return event.timestamp
