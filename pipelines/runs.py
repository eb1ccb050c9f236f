"""Dagster's runs: run a job here and now, give up lost runs, forget old ones."""

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

from pipelines import processes
from pipelines.assets.progress import Report, silence
from pipelines.dagster_home import prepare
from pipelines.settings import Settings

_IN_PROGRESS = (
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)
_FINISHED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)

# What a run in this process says on stderr; its progress goes to whoever started it.
_ERRORS_ONLY = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


@contextmanager
def opened_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """Dagster's store in the data folder."""
    with DagsterInstance.from_config(str(prepare(settings))) as instance:
        yield instance


def run_job_in_process(
    settings: Settings, job_name: str = "refresh", report: Report = silence
) -> bool:
    """Run a job of the graph in this process, kept in the data folder's store like any other run.

    `refresh` pulls every connection, loads, builds and publishes. True when every step succeeded.
    """
    from pipelines.definitions import definitions

    with _same_sigterm(), opened_instance(settings) as instance:
        job = definitions(settings, report).resolve_job_def(job_name)
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, run_config=_ERRORS_ONLY
        )
        return result.success


@contextmanager
def _same_sigterm() -> Iterator[None]:
    """Afterwards SIGTERM does what it did before.

    Dagster leaves it with what SIGINT does, which a process started in the background ignores.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def mark_lost_runs(instance: DagsterInstance) -> list[str]:
    """Mark runs whose process is gone as failed and free their slots; returns their ids.

    Called before the daemon starts. Dagster's local launcher cannot see that a run's process is
    gone: after a power cut such a run would hold its pool for ever, and every later one wait.
    """
    lost = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_IN_PROGRESS)):
        if not _is_alive(instance, run):
            instance.report_run_failed(run, "The process of this run is gone (power cut or kill).")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            lost.append(run.run_id)
    return lost


def _is_alive(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Whether the process that last spoke for the run still exists and is that same process."""
    for entry in reversed(instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)):
        metadata = entry.get_dagster_event().engine_event_data.metadata
        if "pid" in metadata:
            return processes.is_running(int(str(metadata["pid"].value)), entry.timestamp)
    return False


def prune_runs(instance: DagsterInstance, keep: timedelta, now: datetime | None = None) -> int:
    """Delete finished runs older than `keep`, with events and logs; returns how many.

    A run that holds the newest materialization of an asset or the newest result of a check stays:
    without it the graph would forget when that table was last made.
    """
    before = (now or datetime.now(UTC)) - keep
    old = instance.get_runs(dg.RunsFilter(statuses=_FINISHED, created_before=before))
    needed = _newest(instance) if old else set()
    doomed = [run.run_id for run in old if run.run_id not in needed]
    for run_id in doomed:
        instance.delete_run(run_id)
        _remove_files(instance, run_id)
    return len(doomed)


def _newest(instance: DagsterInstance) -> set[str]:
    """The runs that made the newest version of anything."""
    keys = instance.all_asset_keys()
    events = instance.get_latest_materialization_events(keys).values()
    return {event.run_id for event in events if event is not None}


def _remove_files(instance: DagsterInstance, run_id: str) -> None:
    """What the store leaves of a deleted run: the emptied database and what was kept beside."""
    root = Path(instance.root_directory)
    for suffix in ("db", "db-wal", "db-shm"):
        (root / "history" / "runs" / f"{run_id}.{suffix}").unlink(missing_ok=True)
    shutil.rmtree(root / "storage" / run_id, ignore_errors=True)
