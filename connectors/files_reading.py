"""Bytes of a CSV or Parquet file as a frame of its fields, with the number of each row's line.

Regular CSV is read by Polars in bulk. A file that is not (rows with too few or too many fields,
blank lines, stray quotes) is read row by row, so that each bad row is named and the rest is kept.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
from polars.exceptions import PolarsError

LINE = "\x00line"  # a name no header has: NUL cannot stand in one


@dataclass(frozen=True)
class BadRow:
    """A row that could not be taken apart."""

    line: int
    problem: str
    excerpt: str


@dataclass
class Rows:
    """Fields by header position (`0`, `1` …) and the line each row begins on."""

    frame: pl.DataFrame
    bad: list[BadRow] = field(default_factory=list)


def read_csv(text: str, width: int, delimiter: str, first_line: int) -> Rows:
    """Rows of `width` fields; `text` begins with the first row, on line `first_line`."""
    regular = _read_in_bulk(text, width, delimiter)
    if regular is not None:
        return Rows(_with_lines(regular, first_line))
    return _read_row_by_row(text, width, delimiter, first_line)


def read_parquet(body: bytes, columns: list[str]) -> Rows:
    """The named columns, under their positions; `line` counts rows from 1."""
    frame = pl.read_parquet(io.BytesIO(body), columns=list(dict.fromkeys(columns)))
    picked = frame.select(pl.col(name).alias(str(n)) for n, name in enumerate(columns))
    return Rows(picked.with_row_index(LINE, offset=1).cast({LINE: pl.Int64}))


def without_lines(text: str, count: int) -> str:
    """The text after its first `count` lines, whatever ends a line."""
    rest = io.StringIO(text, newline="")
    for _ in range(count):
        rest.readline()
    return rest.read()


def _read_in_bulk(text: str, width: int, delimiter: str) -> pl.DataFrame | None:
    """All rows at once, or None unless every row is proved to have `width` fields.

    One column more than the header has catches long rows. Short rows are filled up silently, so
    delimiters are counted: with no long row, only rows that are all complete have that many.
    """
    names = [str(position) for position in range(width)]
    try:
        frame = pl.read_csv(
            text.encode(),
            has_header=False,
            schema=dict.fromkeys([*names, "overflow"], pl.String),
            separator=delimiter,
            missing_columns="insert",
            truncate_ragged_lines=True,
            raise_if_empty=False,
        )
    except PolarsError:
        return None
    within = frame.select(
        pl.sum_horizontal(
            pl.col(name).str.count_matches(delimiter, literal=True).fill_null(0) for name in names
        ).sum()
    ).item()
    is_long = frame["overflow"].is_not_null().any()
    is_complete = text.count(delimiter) - (within or 0) == frame.height * (width - 1)
    if is_long or not is_complete or width == 1:
        return None
    return frame.drop("overflow")


def _with_lines(frame: pl.DataFrame, first_line: int) -> pl.DataFrame:
    """A row begins after all rows before it and the line breaks within their fields."""
    breaks = pl.sum_horizontal(
        pl.all().str.count_matches("\n", literal=True).fill_null(0).cast(pl.Int64)
    )
    begins = (breaks + 1).cum_sum().shift(1, fill_value=0) + first_line
    return frame.with_columns(begins.alias(LINE))


def _read_row_by_row(text: str, width: int, delimiter: str, first_line: int) -> Rows:
    kept: list[list[str | None]] = []
    lines: list[int] = []
    bad: list[BadRow] = []
    for line, fields in _split(list(io.StringIO(text, newline="")), delimiter):
        if isinstance(fields, BadRow):
            bad.append(BadRow(line + first_line, fields.problem, fields.excerpt))
        elif not fields or (width > 1 and not any(fields)):
            continue  # a blank line, or the empty rows spreadsheets leave at the end
        elif len(fields) < width or any(fields[width:]):
            problem = f"has {_fields(len(fields))}, but the header has {width}"
            bad.append(BadRow(line + first_line, problem, delimiter.join(fields)[:200]))
        else:
            kept.append([value or None for value in fields[:width]])
            lines.append(line + first_line)
    frame = pl.DataFrame(
        kept, schema={str(position): pl.String for position in range(width)}, orient="row"
    )
    return Rows(frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64)), bad)


def _split(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str] | BadRow]]:
    """Rows with the index of the line each begins on; a broken one costs its first line only."""
    start = 0
    while start < len(lines):
        reader = csv.reader(iter(lines[start:]), delimiter=delimiter, strict=True)
        begun = start
        try:
            for fields in reader:
                yield begun, fields
                begun = start + reader.line_num
            return
        except csv.Error as error:
            problem = f"cannot be taken apart ({error}); check its quotation marks"
            yield begun, BadRow(0, problem, lines[begun].rstrip("\r\n")[:200])
            start = begun + 1


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
