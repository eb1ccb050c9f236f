"""Build and publish: every model into a fresh file, audited, then swapped in atomically."""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipelines import build_steps, duck, inputs
from pipelines.build_steps import TableResult
from pipelines.catalog import Step, models, steps
from pipelines.files import DataFolder
from pipelines.landing import Landing
from pipelines.reader import SCHEMA_VERSION, current_build
from pipelines.settings import Settings

# Beside the models: one row about the build itself.
_BUILD_TABLE = """
create or replace table build as select
    $build_id as build_id, $built_at::timestamptz as built_at, k.as_of, k.reason as as_of_reason,
    $schema_version::integer as schema_version, $organisation as organisation, k.zone,
    $fingerprint as settings_fingerprint, $seconds::double as seconds
from input.clock as k
"""


@dataclass(slots=True)
class BuildResult:
    """One build, published or not."""

    build_id: str
    path: Path
    seconds: float = 0.0
    is_published: bool = False
    tables: dict[str, TableResult] = field(default_factory=dict)


class AuditError(Exception):
    """An assertion does not hold; the build was not published and the last good one stays."""

    def __init__(self, result: BuildResult) -> None:
        self.result = result
        broken = [
            f"{table}: {audit.name} ({audit.failures} rows, for example {audit.sample[0]})"
            for table, found in result.tables.items()
            for audit in found.audits
            if not audit.passed
        ]
        super().__init__(
            "the build was not published, the last good one stays in place; broken:\n  "
            + "\n  ".join(broken)
        )


def build(
    folder: DataFolder,
    settings: Settings,
    landing: Landing,
    *,
    now: datetime,
    moment: inputs.Clock | None = None,
    selection: frozenset[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> BuildResult:
    """Run the models on a fresh file, audit them, publish; raises `AuditError` if one is broken.

    A `selection` of tables starts from a copy of the current build. The caller holds the lock of
    the records. A build killed at any moment leaves the published one untouched.
    """
    started = time.perf_counter()
    remove_unfinished(folder)
    build_id = f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    unfinished = folder.builds / f"{build_id}.part"
    path = folder.builds / f"{build_id}.duckdb"
    previous = current_build(folder.path)
    wanted = list(steps())
    if selection is not None and previous is not None:
        shutil.copyfile(previous, unfinished)
        wanted = needed(selection, {name for name, model in models().items() if model.is_kept})
    try:
        tables = fill(
            unfinished,
            folder,
            settings,
            landing,
            wanted,
            build_id=build_id,
            now=now,
            moment=moment,
            progress=progress,
        )
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    result = BuildResult(build_id, path, time.perf_counter() - started, tables=tables)
    if any(not audit.passed for table in tables.values() for audit in table.audits):
        unfinished.unlink()
        raise AuditError(result)
    publish(folder, unfinished, path)
    result.is_published = True
    prune(folder, settings.operation.keep_builds)
    result.seconds = time.perf_counter() - started
    return result


def fill(
    path: Path,
    folder: DataFolder,
    settings: Settings,
    landing: Landing,
    wanted: Sequence[Step],
    *,
    build_id: str,
    now: datetime,
    moment: inputs.Clock | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, TableResult]:
    """Make the tables of some steps in a file, beside the inputs and the row about the build."""
    started = time.perf_counter()
    connection = duck.connect(
        path,
        temporary=folder.temporary,
        memory_limit_gb=settings.operation.memory_limit_gb,
    )
    try:
        connection.execute(f"attach '{duck.quoted(folder.records)}' as records_file (read_only)")
        _records_views(connection)
        moment = moment or inputs.clock(landing, now)
        inputs.write(connection, settings, landing, moment, _known_from(connection, moment))
        tables = build_steps.run(_connections(connection, settings), wanted, models(), progress)
        connection.execute(
            _BUILD_TABLE,
            {
                "build_id": build_id,
                "built_at": now,
                "schema_version": SCHEMA_VERSION,
                "organisation": settings.organisation.name,
                "fingerprint": settings.fingerprint,
                "seconds": time.perf_counter() - started,
            },
        )
        connection.execute("drop schema records cascade")
        connection.execute("detach records_file")
        connection.execute("checkpoint")
    finally:
        connection.close()
    return tables


def needed(tables: Collection[str], present: Collection[str]) -> list[Step]:
    """The steps that make some tables, and whatever these read or refer to that is not present."""
    found = models()
    maker = {table: step for step in steps() for table in step.tables}
    wanted, asked = set[str](), list(tables)
    while asked:
        table = asked.pop()
        if table not in wanted:
            wanted.add(table)
            step = maker[table]
            audited = [a.refers_to for t in step.tables for a in found[t].assertions if a.refers_to]
            read = [*step.depends_on, *audited]
            asked += [name for name in read if name in found and name not in present]
    return [step for step in steps() if wanted & set(step.tables)]


def publish(folder: DataFolder, unfinished: Path, path: Path) -> None:
    """Make a finished build the current one: sync to disk, rename, swap the pointer."""
    _sync(unfinished)
    unfinished.rename(path)
    point_at(folder, path)


def point_at(folder: DataFolder, path: Path) -> None:
    """Swap the pointer to a build; readers see the old or the new one, never half of either."""
    pointer = folder.builds / "current"
    fresh = folder.builds / f"current.{secrets.token_hex(3)}"
    fresh.symlink_to(path.name)
    fresh.replace(pointer)
    _sync(folder.builds)


def prune(folder: DataFolder, keep: int) -> None:
    """Remove all but the newest builds, never the current one."""
    current = current_build(folder.path)
    finished = sorted(folder.builds.glob("*.duckdb"), reverse=True)
    for path in finished[keep:]:
        if current is None or path.resolve() != current:
            path.unlink()


def remove_unfinished(folder: DataFolder) -> None:
    """Remove what a killed build left; only the holder of the lock may call this."""
    for pattern in ("*.part", "*.part.wal", "current.*"):
        for path in folder.builds.glob(pattern):
            path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connections(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> list[duckdb.DuckDBPyConnection]:
    """As many as jobs run at once, all to the unfinished build, each with the macros of models.

    Each job is a thread that DuckDB does not count; with its own they are as many as the cores.
    """
    cores = connection.execute("select current_setting('threads')").fetchall()[0][0]
    connection.execute(f"set threads = {max(1, cores - build_steps.AT_ONCE + 1)}")
    found = [duck.cursor(connection) for _ in range(build_steps.AT_ONCE)]
    for each in found:
        inputs.write_macros(each, settings)
    return found


def _records_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Models read `records.<table>`; the schema lasts only as long as the build runs."""
    connection.execute("create schema if not exists records")
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'records_file'"
    ).fetchall()
    for (table,) in tables:
        connection.execute(
            f'create or replace view records."{table}" as select * from records_file."{table}"'
        )


def _known_from(connection: duckdb.DuckDBPyConnection, moment: inputs.Clock) -> inputs.KnownFrom:
    """The first moment anything is known of, for weeks and working days; absurd dates aside."""
    rows = connection.execute(
        """
        select min(earliest) filter (where not is_calendar), min(earliest) from (
            select min(authored_at) as earliest, false as is_calendar from records.commit
            where authored_at > '2000-01-01'
            union all select min(created_at), false from records.change_request
            union all select min(created_at), false from records.ticket
            union all select min(created_at), false from records.deployment_attempt
            union all select min(tagged_at), false from records.reference
            union all select min(created_at), false from records.scaffolder_task
            union all select min(created_at), true from records.repository
            where created_at > '2000-01-01'
        ) where earliest > '2000-01-01' and earliest <= $as_of
        """,
        {"as_of": moment.as_of},
    ).fetchall()
    return inputs.KnownFrom(*rows[0])
