"""Runs that are killed, given up, repeated and forgotten: real processes, real SIGKILL."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus

from pipelines import reader
from pipelines.assets.automation import POOL
from pipelines.runs import mark_lost_runs, opened_instance, prune_runs, run_job_in_process
from pipelines.settings import Settings
from tests.pipelines.dagster_world import make_settings, small_models, write_incidents

TITLES = ["Database down", "Queue full", "Disk full"]

# Runs the whole graph and kills itself the moment a stage has come so far.
KILLED = """
import os, signal, sys
from pathlib import Path
import pytest
from pipelines.runs import run_job_in_process
from pipelines.settings import load
from tests.pipelines.dagster_world import small_models

folder, stage, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def report(*found):
    if found[0] == stage and what in found[1]:
        os.kill(os.getpid(), signal.SIGKILL)

with small_models(folder, pytest.MonkeyPatch()):
    run_job_in_process(load(folder), "refresh", report)
"""
MOMENTS = [("sync", "incidents"), ("load", "batches"), ("build", "disturbances")]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A small world that nothing has run in."""
    settings = make_settings(tmp_path, TITLES)
    with small_models(tmp_path, monkeypatch):
        yield settings


def tables(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """What the published build holds."""
    path = reader.current_build(settings.data)
    assert path is not None
    with reader.connect(path) as connection:
        return {
            name: connection.execute(f'select * from "{name}" order by all').fetchall()
            for name in ("disturbance", "disturbances")
        }


def statuses(instance: DagsterInstance) -> list[DagsterRunStatus]:
    """How the runs ended, newest first."""
    return [run.status for run in instance.get_runs()]


def test_killed_runs_are_given_up_and_the_next_run_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it syncs, loads or builds: the run is lost, the next gives equal tables."""
    folders = [tmp_path / stage for stage, _ in MOMENTS]
    for folder in folders:
        folder.mkdir()
    killed = [make_settings(folder, TITLES) for folder in folders]
    commands = [
        [sys.executable, "-c", KILLED, str(folder), *moment]
        for folder, moment in zip(folders, MOMENTS, strict=True)
    ]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(timeout=120) for process in processes] == [-signal.SIGKILL] * 3
    with small_models(tmp_path, monkeypatch):
        calm = make_settings(tmp_path, TITLES)
        assert run_job_in_process(calm)
        undisturbed = tables(calm)
        assert len(undisturbed["disturbance"]) == 3
        for settings in killed:
            assert reader.current_build(settings.data) is None
            with opened_instance(settings) as instance:
                (lost,) = instance.get_runs()
                assert lost.status is DagsterRunStatus.STARTED
                assert mark_lost_runs(instance) == [lost.run_id]
                assert statuses(instance) == [DagsterRunStatus.FAILURE]
                assert mark_lost_runs(instance) == []
            assert run_job_in_process(settings)
            assert tables(settings) == undisturbed


def test_a_run_leaves_signals_as_they_were(settings: Settings) -> None:
    """SIGTERM still stops a process that was started in the background and ignores Ctrl-C."""

    def stop(*_: object) -> None:
        pass

    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    before = signal.signal(signal.SIGTERM, stop)
    try:
        assert run_job_in_process(settings)
        assert signal.getsignal(signal.SIGTERM) is stop
    finally:
        signal.signal(signal.SIGINT, ignored)
        signal.signal(signal.SIGTERM, before)


def test_lost_run_frees_its_slot_and_living_runs_stay(settings: Settings, tmp_path: Path) -> None:
    """The pool is free again; a run whose process lives is left alone."""
    code = KILLED.replace("os.kill(os.getpid(), signal.SIGKILL)", "signal.pause()")
    with opened_instance(settings) as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots(POOL, 1)
        command = [sys.executable, "-c", code, str(tmp_path), "load", "batches"]
        process = subprocess.Popen(command)
        try:
            deadline = time.monotonic() + 60
            while not any(status is DagsterRunStatus.STARTED for status in statuses(instance)):
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.05)
            (run,) = instance.get_runs()
            while not instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START):
                time.sleep(0.05)
            assert mark_lost_runs(instance) == []
            storage.claim_concurrency_slot(POOL, run.run_id, "load_records")
            assert not storage.claim_concurrency_slot(POOL, "another", "load_records").is_claimed
        finally:
            process.kill()
            process.wait()
        assert mark_lost_runs(instance) == [run.run_id]
        assert storage.claim_concurrency_slot(POOL, "another", "load_records").is_claimed


def test_run_that_never_started_is_lost(settings: Settings) -> None:
    """Launched a moment before the power went: no process ever spoke for it. Queued runs stay."""
    with opened_instance(settings) as instance:
        job = dg.GraphDefinition("nothing").to_job()
        starting = instance.create_run_for_job(job, status=DagsterRunStatus.STARTING)
        instance.create_run_for_job(job, status=DagsterRunStatus.NOT_STARTED)
        assert mark_lost_runs(instance) == [starting.run_id]


def test_old_runs_go_but_not_the_newest_of_a_table(settings: Settings, tmp_path: Path) -> None:
    """A superseded run is deleted with its files; what the graph still shows stays."""
    assert run_job_in_process(settings)
    write_incidents(tmp_path, TITLES[:1])
    assert run_job_in_process(settings)
    later = datetime.now(UTC) + timedelta(days=8)
    with opened_instance(settings) as instance:
        newest, oldest = instance.get_runs()
        shard = settings.data / "dagster" / "history" / "runs" / f"{oldest.run_id}.db"
        assert shard.exists()
        assert prune_runs(instance, timedelta(days=9), later) == 0
        assert prune_runs(instance, timedelta(days=7), later) == 1
        assert [run.run_id for run in instance.get_runs()] == [newest.run_id]
        assert not shard.exists()
        event = instance.get_latest_materialization_event(dg.AssetKey("published"))
        assert event is not None
        assert event.run_id == newest.run_id


def test_progress_and_failure_are_told(settings: Settings, tmp_path: Path) -> None:
    """Whoever started the run hears how far it is, and that it failed."""
    heard: list[tuple[str, str, int, int | None]] = []
    assert run_job_in_process(settings, "refresh", lambda *found: heard.append(found))
    assert ("sync", "imports.incidents", 3, None) in heard
    assert ("load", "batches", 1, 1) in heard
    assert ("build", "disturbances", 3, 3) in heard
    (tmp_path / "incidents.csv").unlink()
    assert not run_job_in_process(settings)
    assert len(tables(settings)["disturbance"]) == 3


def test_home_lies_in_the_data_folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever DAGSTER_HOME and the working folder are, the store is the data folder's."""
    monkeypatch.setenv("DAGSTER_HOME", "/nonexistent")
    monkeypatch.chdir("/")
    with opened_instance(settings) as instance:
        home = settings.data.resolve() / "dagster"
        assert instance.root_directory == str(home)
        assert not instance.telemetry_enabled
        assert instance.run_retries_enabled
        assert instance.run_monitoring_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
    assert (home / "dagster.yaml").stat().st_mode & 0o077 == 0
    assert {path.name for path in settings.data.iterdir()} <= {
        *("dagster", "builds", "clones", "tmp", "landing.sqlite", "records.duckdb"),
        "records.lock",
    }
    assert os.environ["DAGSTER_HOME"] == "/nonexistent"
