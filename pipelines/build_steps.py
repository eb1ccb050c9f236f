"""Run the steps of a build: each as soon as its inputs are there, two at a time, then audited.

What is ready runs in whatever order the machine finds; each table is made from finished ones
only, so that the order shows nowhere in it. Audits of a table wait for the tables they refer to.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter

import duckdb
import polars as pl

from pipelines import duck
from pipelines.catalog import Assertion, Model, Step

AT_ONCE = 2
SAMPLE_ROWS = 5

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Whether an assertion held, and some rows that break it."""

    name: str
    passed: bool
    failures: int
    sample: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableResult:
    """One table of a build."""

    rows: int
    seconds: float
    columns: dict[str, str]
    audits: list[AuditResult]


@dataclass(frozen=True, slots=True)
class _Job:
    """A step to run, or a table to audit."""

    kind: str
    name: str


def run(
    connections: list[duckdb.DuckDBPyConnection],
    steps: Iterable[Step],
    models: Mapping[str, Model],
    progress: Progress | None = None,
) -> dict[str, TableResult]:
    """Make and audit the tables of the steps, one job a connection; in the order of the steps.

    The first error stops the rest.
    """
    found = {step.name: step for step in steps}
    maker = {table: step for step in found.values() for table in step.tables}
    counts: dict[str, tuple[int, float]] = {}
    audits: dict[str, list[AuditResult]] = {}
    columns: dict[str, dict[str, str]] = {}
    readers = _readers(maker, models)

    def work(connection: duckdb.DuckDBPyConnection, job: _Job) -> None:
        if job.kind == "audit":
            rows, _ = counts[job.name]
            audits[job.name] = audit(connection, models[job.name], rows)
        else:
            counts.update(_make(connection, found[job.name], models))

    def done(connection: duckdb.DuckDBPyConnection, job: _Job) -> None:
        # What is read by nobody any more makes room for what follows.
        for table, jobs in readers.items():
            if job in jobs:
                jobs.remove(job)
                if not jobs:
                    columns[table] = _columns_of(connection, table)
                    connection.execute(f'drop table {duck.PASSING}.main."{table}"')

    _in_order(connections, _graph(maker, models), work, done, _Counter(len(found), progress))
    columns |= _columns(connections[0])
    return {
        table: TableResult(*counts[table], columns[table], audits[table])
        for step in found.values()
        for table in step.tables
    }


def audit(connection: duckdb.DuckDBPyConnection, model: Model, rows: int) -> list[AuditResult]:
    """Count what breaks the assertions of a table, all of them in one query; samples where any.

    Assertions speak of rows: all of them hold where a table has none.
    """
    if rows == 0:
        return [AuditResult(each.name, passed=True, failures=0) for each in model.assertions]
    counted = ", ".join(assertion.failures for assertion in model.assertions)
    failures = connection.execute(f'select {counted} from "{model.name}" as t').fetchall()[0]
    return [
        _audited(connection, assertion, int(count))
        for assertion, count in zip(model.assertions, failures, strict=True)
    ]


def _audited(
    connection: duckdb.DuckDBPyConnection, assertion: Assertion, failures: int
) -> AuditResult:
    if not failures:
        return AuditResult(assertion.name, passed=True, failures=0)
    rows = connection.execute(assertion.failing_rows).fetchall()
    sample = tuple(str(row)[:300] for row in rows[:SAMPLE_ROWS])
    return AuditResult(assertion.name, passed=not rows, failures=len(rows), sample=sample)


class _Counter:
    """Says which step of how many begins."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total = total
        self.begun = 0
        self.progress = progress

    def begin(self, job: _Job) -> None:
        if job.kind == "step":
            self.begun += 1
            if self.progress is not None:
                self.progress(job.name, self.begun, self.total)


def _graph(maker: Mapping[str, Step], models: Mapping[str, Model]) -> dict[_Job, set[_Job]]:
    """What each job waits for; tables that no step makes are there already."""

    def made(tables: Iterable[str]) -> set[_Job]:
        return {_Job("step", maker[table].name) for table in tables if table in maker}

    graph = {_Job("step", step.name): made(step.depends_on) for step in maker.values()}
    for table in maker:
        reads = [each.refers_to for each in models[table].assertions if each.refers_to]
        graph[_Job("audit", table)] = made([table, *reads])
    return graph


def _readers(maker: Mapping[str, Step], models: Mapping[str, Model]) -> dict[str, set[_Job]]:
    """Of every table that no build keeps, the jobs that read it, its own audit among them."""
    found: dict[str, set[_Job]] = {
        table: {_Job("audit", table)} for table in maker if not models[table].is_kept
    }
    for table, step in maker.items():
        audited = [each.refers_to for each in models[table].assertions if each.refers_to]
        for name in found.keys() & step.depends_on:
            found[name].add(_Job("step", step.name))
        for name in found.keys() & audited:
            found[name].add(_Job("audit", table))
    return found


def _in_order(
    connections: list[duckdb.DuckDBPyConnection],
    graph: dict[_Job, set[_Job]],
    work: Callable[[duckdb.DuckDBPyConnection, _Job], None],
    after: Callable[[duckdb.DuckDBPyConnection, _Job], None],
    counter: _Counter,
) -> None:
    waiting = TopologicalSorter(graph)
    waiting.prepare()
    rank = _ranks(graph)
    ready: list[_Job] = []
    free = list(connections)
    with ThreadPoolExecutor(len(connections)) as pool, _interrupting() as running:
        while waiting.is_active():
            ready = sorted([*ready, *waiting.get_ready()], key=rank.__getitem__)
            while ready and free:
                job, connection = ready.pop(0), free.pop()
                counter.begin(job)
                running[pool.submit(work, connection, job)] = job, connection
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                job, connection = running.pop(done)
                free.append(connection)
                done.result()
                after(connection, job)
                waiting.done(job)


def _ranks(graph: dict[_Job, set[_Job]]) -> dict[_Job, tuple[int, int]]:
    """First the jobs with the longest way after them; else the order of the graph."""
    following: dict[_Job, int] = dict.fromkeys(graph, 0)
    for job in reversed(list(TopologicalSorter(graph).static_order())):
        for before in graph[job]:
            following[before] = max(following[before], following[job] + 1)
    return {job: (-following[job], place) for place, job in enumerate(graph)}


@contextmanager
def _interrupting() -> Iterator[dict[Future[None], tuple[_Job, duckdb.DuckDBPyConnection]]]:
    """The jobs under way; interrupted when one of them, or the user, stops the build."""
    running: dict[Future[None], tuple[_Job, duckdb.DuckDBPyConnection]] = {}
    try:
        yield running
    except BaseException:
        for _, connection in running.values():
            connection.interrupt()
        raise


def _make(
    connection: duckdb.DuckDBPyConnection, step: Step, models: Mapping[str, Model]
) -> dict[str, tuple[int, float]]:
    """Make the tables of a step; gives their rows, and their share of the seconds."""
    started = time.perf_counter()
    places = {
        table: f'"{table}"' if models[table].is_kept else f'{duck.PASSING}.main."{table}"'
        for table in step.tables
    }
    try:
        if step.sql is not None:
            rows = {step.name: _made(connection, places[step.name], step.sql)}
        else:
            rows = _from_function(connection, step, places)
    except duckdb.Error as error:
        raise RuntimeError(f"model {step.name} ({step.path.name}): {error}") from error
    seconds = (time.perf_counter() - started) / len(step.tables)
    return {table: (count, seconds) for table, count in rows.items()}


def _from_function(
    connection: duckdb.DuckDBPyConnection, step: Step, places: Mapping[str, str]
) -> dict[str, int]:
    if step.function is None:
        raise RuntimeError(f"model {step.name} has neither SQL nor a function")
    frames = {name: connection.sql(query).pl() for name, query in step.inputs.items()}
    rows = {}
    for table, frame in step.function(**frames).items():
        # Texts as views, as Polars has them: an older layout would be a copy of all of them.
        connection.register("model_frame", frame.to_arrow(compat_level=pl.CompatLevel.newest()))
        rows[table] = _made(connection, places[table], "select * from model_frame")
        connection.unregister("model_frame")
    return rows


def _made(connection: duckdb.DuckDBPyConnection, place: str, sql: str) -> int:
    made = connection.execute(f"create or replace table {place} as {sql}")
    return int(made.fetchall()[0][0])


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The columns and their types of all tables that the build keeps."""
    columns: dict[str, dict[str, str]] = {}
    for name, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'opened' and schema_name = 'main' order by table_name, column_index"
    ).fetchall():
        columns.setdefault(name, {})[column] = kind
    return columns


def _columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The same of one that it does not keep, without a look at all others."""
    described = connection.execute(f'describe {duck.PASSING}.main."{table}"').fetchall()
    return {column: kind for column, kind, *_ in described}
