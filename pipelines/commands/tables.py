"""Rows of the published build as text, CSV, JSON or Parquet, to a file or to stdout."""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pipelines.commands.boundary import FailedError, WrongUseError
from pipelines.commands.console import note

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 10_000
TABLE_ROWS = 1_000
TABLE_CELL = 100
# A spreadsheet runs a cell that starts so; an apostrophe makes it text again.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class FileFormat(StrEnum):
    """How a table is exported."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def open_build() -> "duckdb.DuckDBPyConnection":
    """The published build, read-only and locked up; raises `FailedError` where there is none."""
    from pipelines import reader
    from pipelines.settings import load

    data = load().data
    path = reader.current_build(data)
    if path is None:
        raise FailedError(
            f"nothing is published in {data} yet; run `leadline sync`, then `leadline build`"
        )
    return reader.connect(path)


def write(
    rows: "pa.RecordBatchReader", kind: Format, output: Path | None, *, for_spreadsheets: bool
) -> None:
    """Write every row; a file appears whole or not at all."""
    if kind is Format.PARQUET:
        _write_parquet(rows, output)
        return
    with text_out(output) as out:
        if kind is Format.CSV:
            _write_csv(rows, out, for_spreadsheets=for_spreadsheets)
        elif kind is Format.JSON:
            _write_json(rows, out)
        else:
            _write_table(rows, out)


def plain(value: Any) -> Any:
    """A value as JSON has it: times in UTC by ISO 8601, no NaN, exact decimals as text."""
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, timedelta | Decimal):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


def _text_of(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _rows(rows: "pa.RecordBatchReader") -> Iterator[tuple[Any, ...]]:
    for batch in rows:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_csv(rows: "pa.RecordBatchReader", out: IO[str], *, for_spreadsheets: bool) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows.schema.names)
    for row in _rows(rows):
        writer.writerow(_cell(value, for_spreadsheets=for_spreadsheets) for value in row)


def _cell(value: Any, *, for_spreadsheets: bool) -> str:
    text = _text_of(value)
    is_risky = for_spreadsheets and isinstance(value, str) and text.startswith(_FORMULA)
    return f"'{text}" if is_risky else text


def _write_json(rows: "pa.RecordBatchReader", out: IO[str]) -> None:
    names = rows.schema.names
    separator = "[\n"
    for row in _rows(rows):
        record = dict(zip(names, map(plain, row), strict=True))
        out.write(f"{separator}{json.dumps(record, ensure_ascii=False)}")
        separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def _write_table(rows: "pa.RecordBatchReader", out: IO[str]) -> None:
    names = rows.schema.names
    kept: list[Sequence[str]] = []
    is_cut = False
    for row in _rows(rows):
        if len(kept) == TABLE_ROWS:
            is_cut = True
            break
        kept.append([one_line(_text_of(value)) for value in row])
    numeric = [_is_numeric(field.type) for field in rows.schema]
    widths = [max(map(len, column)) for column in zip(names, *kept, strict=True)]
    for line in (names, ["-" * width for width in widths], *kept):
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        out.write("  ".join(cells).rstrip() + "\n")
    if is_cut:
        note(f"the first {TABLE_ROWS:,} rows; use --format csv, json or parquet for all of them")


def _is_numeric(kind: "pa.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def one_line(text: str) -> str:
    """Text of bounded length, without line breaks or signs that would steer a terminal."""
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    return line if len(line) <= TABLE_CELL else f"{line[: TABLE_CELL - 1]}…"


def _write_parquet(rows: "pa.RecordBatchReader", output: Path | None) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    if output is None:
        if sys.stdout.isatty():
            raise WrongUseError("Parquet is no text; name a file with --output")
        buffer = pa.BufferOutputStream()
        _fill(parquet.ParquetWriter(buffer, rows.schema), rows)
        sys.stdout.buffer.write(buffer.getvalue())
        return
    with _beside(output) as path:
        _fill(parquet.ParquetWriter(path, rows.schema), rows)


def _fill(writer: Any, rows: "pa.RecordBatchReader") -> None:
    with writer:
        for batch in rows:
            writer.write_batch(batch)


@contextmanager
def text_out(output: Path | None) -> Iterator[IO[str]]:
    """Where text goes: stdout, or a file that appears whole or not at all."""
    if output is None:
        # Names may hold what the terminal's encoding does not; output never fails on that.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        yield sys.stdout
        return
    with _beside(output) as path, path.open("w", encoding="utf-8", newline="") as out:
        yield out


@contextmanager
def _beside(output: Path) -> Iterator[Path]:
    """A path to write to, moved into place at the end and removed after a failure."""
    if output.is_dir():
        raise WrongUseError(f"{output} is a folder; --output names a file")
    if not output.absolute().parent.is_dir():
        raise WrongUseError(f"there is no folder {output.absolute().parent}")
    path = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        yield path
        path.replace(output)
    finally:
        path.unlink(missing_ok=True)
