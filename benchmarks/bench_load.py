"""Merging rows into the records: a million onto a million."""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from benchmarks.result import Result
from connectors.arrow import schema
from connectors.records import PipelineRun
from pipelines import duck, merge

ROWS = 1_000_000
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _rows(first: int, count: int, title: str) -> pa.Table:
    number = pl.int_range(first, first + count, eager=True)
    moment = pl.Series([AT]).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"number": number}).select(
        source_updated_at=pl.lit(moment).first(),
        run_id=pl.format("github:run:{}", "number"),
        repository_key=pl.format("github.com/acme/service-{}", pl.col("number") % 200),
        name=pl.lit(title),
        status=pl.lit("succeeded"),
        attempt=pl.lit(1, pl.Int64),
        sha=pl.format("{}abcdef", "number"),
    )
    table = frame.to_arrow()
    columns = []
    for field in schema(PipelineRun):
        if field.name in table.column_names:
            columns.append(table[field.name].cast(field.type))
        else:
            columns.append(pa.nulls(count, field.type))
    rows = pa.Table.from_arrays(columns, names=[f.name for f in schema(PipelineRun)])
    return rows.append_column("line_number", pa.array([0] * count, pa.int64()))


def _line(batch_id: int) -> pa.Table:
    requested = AT + timedelta(days=batch_id)
    values = (0, "github", "runs", "1", batch_id, 0, requested, requested, "https://x.test")
    return pa.table(
        [
            pa.array([value], field.type)
            for value, field in zip(values, merge.LINE_SCHEMA, strict=True)
        ],
        schema=merge.LINE_SCHEMA,
    )


def run(scale: float = 1.0) -> Iterator[Result]:
    """Half of the second million is new, half changes rows of the first; the best of three."""
    count = round(ROWS * scale)
    first, second = _rows(0, count, "one"), _rows(count // 2, count, "two")
    seconds = min(_loaded(first, second) for _ in range(3))
    yield Result(f"load {count:,} rows onto {count:,}", seconds, "s", 3)


def _loaded(first: pa.Table, second: pa.Table) -> float:
    with tempfile.TemporaryDirectory() as folder:
        connection = duck.connect(Path(folder) / "r.duckdb", temporary=Path(folder))
        merge.create_tables(connection, "bench")
        for batch_id, rows in ((1, first), (2, second)):
            started = time.perf_counter()
            connection.execute("begin")
            merge.register(connection, "incoming_line", _line(batch_id))
            merge.merge_rows(connection, PipelineRun, rows)
            connection.execute("commit")
            seconds = time.perf_counter() - started
        connection.close()
    return seconds
