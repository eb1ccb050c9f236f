"""Dagster's store with its files kept open: the same events, in the same files."""

from pathlib import Path

import dagster as dg
from dagster import DagsterInstance
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from pipelines.dagster_store import _MOST_OPEN, EventLog
from pipelines.runs import opened_instance
from pipelines.settings import Settings


@dg.asset
def counted() -> dg.MaterializeResult[None]:
    """An asset that says how many rows it has."""
    return dg.MaterializeResult(metadata={"rows": 3})


def runs_of(instance: DagsterInstance, count: int) -> list[str]:
    """Ids of so many runs of the asset."""
    return [dg.materialize([counted], instance=instance).run_id for _ in range(count)]


def told(log: SqliteEventLogStorage, run_id: str) -> list[str]:
    """Kinds of the events of a run, in order."""
    return [
        str(entry.dagster_event.event_type_value)
        for entry in log.get_logs_for_run(run_id)
        if entry.dagster_event is not None
    ]


def test_dagster_itself_reads_what_was_written(tmp_path: Path) -> None:
    """And the other way round; more runs than files are kept open."""
    with opened_instance(Settings(data=tmp_path)) as instance:
        log = instance.event_log_storage
        assert isinstance(log, EventLog)
        runs = runs_of(instance, _MOST_OPEN + 2)
        assert len(log._engines) == _MOST_OPEN
        events = {run_id: told(log, run_id) for run_id in runs}
        key = counted.key
        newest = instance.get_latest_materialization_event(key)
        assert newest is not None
        assert newest.run_id == runs[-1]
        folder = Path(log._base_dir)
    assert log._engines == {}
    plain = SqliteEventLogStorage(str(folder))
    for run_id, found in events.items():
        assert "ASSET_MATERIALIZATION" in found
        assert found[-1] == "PIPELINE_SUCCESS"
        assert told(plain, run_id) == found
    (tmp_path / "plain").mkdir()
    with DagsterInstance.local_temp(str(tmp_path / "plain")) as instance:
        (run_id,) = runs_of(instance, 1)
        found = told(instance.event_log_storage, run_id)  # type: ignore[arg-type]
        folder = Path(instance.root_directory) / "history" / "runs"
    assert told(EventLog(str(folder)), run_id) == found
