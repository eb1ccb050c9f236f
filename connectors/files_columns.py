"""Fields as the values of record columns, in bulk; what cannot be a value says why."""

from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from connectors.arrow import INSTANT
from connectors.files_options import TableOptions

_ISO = (
    r"^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(?::(\d{2}))?(?:[.,](\d{1,9}))?"
    r"\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?$"
)
_NAIVE = "%Y-%m-%d %H:%M:%S"
_UTC = pl.Datetime("us", "UTC")
_YES = ["true", "yes", "1", "y", "t"]
_NO = ["false", "no", "0", "n", "f"]
WORDS: dict[str, dict[str, str]] = {
    "state": {
        "succeeded": "succeeded",
        "success": "succeeded",
        "successful": "succeeded",
        "ok": "succeeded",
        "failed": "failed",
        "failure": "failed",
        "error": "failed",
        "cancelled": "cancelled",
        "canceled": "cancelled",
        "aborted": "cancelled",
        "running": "running",
        "in_progress": "running",
        "queued": "queued",
        "pending": "queued",
    },
    "outcome": {
        "succeeded": "succeeded",
        "success": "succeeded",
        "completed": "succeeded",
        "ok": "succeeded",
        "failed": "failed",
        "failure": "failed",
        "error": "failed",
        "cancelled": "cancelled",
        "canceled": "cancelled",
        "aborted": "cancelled",
    },
    "status_category": {"new": "new", "in_progress": "in_progress", "done": "done"},
}


@dataclass(frozen=True)
class Column:
    """A converted column: its values, per row a problem or null, and which times are ambiguous."""

    values: pl.Series
    problems: pl.Series
    ambiguous: pl.Series | None = None


def convert(name: str, fields: pl.Series, table: TableOptions) -> Column:
    """The values of one record column; empty fields are null."""
    kind = table.shape.types[name]
    if kind == INSTANT:
        return _times(fields, table)
    if pa.types.is_list(kind):
        return _lists(fields, table.list_separator)
    texts = _texts(fields)
    if name in WORDS:
        return _words(texts, WORDS[name])
    if pa.types.is_boolean(kind):
        return _booleans(texts)
    if pa.types.is_integer(kind):
        return _integers(texts)
    return Column(texts, _no_problem(texts))


def _texts(fields: pl.Series) -> pl.Series:
    """As text without the blanks around it; nothing left is null."""
    texts = fields.cast(pl.String).str.strip_chars()
    return texts.to_frame().select(pl.when(pl.first() != "").then(pl.first())).to_series()


def _no_problem(fields: pl.Series) -> pl.Series:
    return pl.repeat(None, len(fields), dtype=pl.String, eager=True)


def _lists(fields: pl.Series, separator: str) -> Column:
    is_list = isinstance(fields.dtype, pl.List)
    items = fields.cast(pl.List(pl.String)) if is_list else _texts(fields).str.split(separator)
    trimmed = items.list.eval(pl.element().str.strip_chars()).list.eval(
        pl.element().filter(pl.element() != "")
    )
    return Column(trimmed.fill_null([]), _no_problem(fields))


def _words(texts: pl.Series, known: dict[str, str]) -> Column:
    frame = texts.alias("text").to_frame()
    frame = frame.with_columns(
        value=pl.col("text").str.to_lowercase().replace_strict(known, default=None)
    )
    expected = "is none of " + ", ".join(known)
    return _judged(frame, pl.col("value").is_null(), pl.lit(expected))


def _booleans(texts: pl.Series) -> Column:
    frame = texts.alias("text").to_frame()
    word = pl.col("text").str.to_lowercase()
    frame = frame.with_columns(
        value=pl.when(word.is_in(_YES)).then(True).when(word.is_in(_NO)).then(False)
    )
    return _judged(frame, pl.col("value").is_null(), pl.lit("is neither true nor false"))


def _integers(texts: pl.Series) -> Column:
    frame = texts.alias("text").to_frame()
    frame = frame.with_columns(value=pl.col("text").cast(pl.Int64, strict=False))
    return _judged(frame, pl.col("value").is_null(), pl.lit("is no whole number"))


def _times(fields: pl.Series, table: TableOptions) -> Column:
    if isinstance(fields.dtype, pl.Datetime):
        return _datetimes(fields, table)
    texts = _texts(fields).alias("text")
    form = table.time_format
    if form in ("epoch_s", "epoch_ms"):
        return _epochs(texts, form)
    if form is not None:
        return _formatted(texts, form, table.zone)
    # A file repeats few patterns but many values; one pass with groups reads every one of them.
    parts = texts.str.extract_groups(_ISO).struct.unnest()
    parts.columns = ["day", "minute", "second", "fraction", "offset"]
    frame = parts.select(
        texts,
        local=pl.concat_str(
            "day", pl.lit(" "), "minute", pl.lit(":"), pl.col("second").fill_null("00")
        ).str.to_datetime(_NAIVE, strict=False, time_unit="us")
        + pl.duration(
            microseconds=pl.col("fraction").str.pad_end(6, "0").str.head(6).cast(pl.Int64)
        ).fill_null(pl.duration(microseconds=0)),
        offset=_offset_minutes(pl.col("offset")),
    )
    fixed = _showable(pl.col("local") - pl.duration(minutes=pl.col("offset")))
    fixed = fixed.dt.replace_time_zone("UTC")
    expected = "is not a time such as 2026-01-31 13:45:00 or 2026-01-31T13:45:00+01:00"
    if table.time_format is None:
        expected += '; declare another form with time_format = "%d.%m.%Y %H:%M"'
    return _placed(frame, fixed, table.zone, expected)


def _showable(time: pl.Expr) -> pl.Expr:
    """A time that readers can show: taken into UTC, the year 1 may become the year 0."""
    return pl.when(time.dt.year().is_between(1, 9999)).then(time)


def _offset_minutes(offset: pl.Expr) -> pl.Expr:
    digits = offset.str.replace_all(r"\D", "")
    minutes = (
        digits.str.slice(0, 2).cast(pl.Int64) * 60
        + digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    ) * pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    return pl.when(offset.str.to_uppercase() == "Z").then(0).otherwise(minutes)


def _epochs(texts: pl.Series, form: str) -> Column:
    scale = 1_000_000 if form == "epoch_s" else 1_000
    # Beyond the year 9999 no reader can show the time; such a number is no epoch of this unit.
    number = pl.col("text").cast(pl.Int64, strict=False)
    within = number.is_between(0, 253_402_300_799_000_000 // scale)
    frame = texts.to_frame().with_columns(
        value=pl.when(within).then(number * scale).cast(pl.Datetime("us"))
    )
    frame = frame.with_columns(pl.col("value").dt.replace_time_zone("UTC"))
    unit = "seconds" if form == "epoch_s" else "milliseconds"
    expected = pl.lit(f"is not a number of {unit} since 1970")
    return _judged(frame, pl.col("value").is_null(), expected)


def _formatted(texts: pl.Series, form: str, zone: str | None) -> Column:
    expected = f'is not a time in the form "{form}"'
    if "%z" in form or "%:z" in form:
        frame = texts.to_frame().with_columns(
            value=pl.col("text").str.to_datetime(form, strict=False, time_unit="us", time_zone=None)
        )
        frame = frame.with_columns(_showable(pl.col("value").cast(_UTC)))
        return _judged(frame, pl.col("value").is_null(), pl.lit(expected))
    frame = texts.to_frame().with_columns(
        local=pl.col("text").str.to_datetime(form, strict=False, time_unit="us"),
        offset=pl.lit(None, pl.Int64),
    )
    return _placed(frame, pl.lit(None, _UTC), zone, expected)


def _datetimes(fields: pl.Series, table: TableOptions) -> Column:
    """Times that a Parquet file holds as such."""
    assert isinstance(fields.dtype, pl.Datetime)  # noqa: S101 (narrows for the type checker)
    if fields.dtype.time_zone is not None:
        told = pl.DataFrame({"text": fields.cast(pl.String), "value": fields.cast(_UTC)})
        told = told.with_columns(_showable(pl.col("value")))
        return _judged(told, pl.col("value").is_null(), pl.lit("is not a time"))
    frame = pl.DataFrame({"text": fields.cast(pl.String), "local": fields.cast(pl.Datetime("us"))})
    frame = frame.with_columns(offset=pl.lit(None, pl.Int64))
    return _placed(frame, pl.lit(None, _UTC), table.zone, "is not a time")


def _placed(frame: pl.DataFrame, fixed: pl.Expr, zone: str | None, expected: str) -> Column:
    """Local times put into their zone.

    A local time that happens twice (clocks turned back) is taken as the earlier one and marked;
    one that never happens (clocks turned forward) is a problem.
    """
    if zone is None:
        frame = frame.with_columns(value=fixed, twice=pl.lit(False))
        unplaced = 'has no zone; declare it with zone = "Europe/Berlin"'
    else:
        local = pl.col("local").dt
        early = local.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        late = local.replace_time_zone(zone, ambiguous="latest", non_existent="null")
        is_local = pl.col("offset").is_null()
        frame = frame.with_columns(
            value=pl.when(is_local).then(early.dt.convert_time_zone("UTC")).otherwise(fixed),
            twice=is_local & (early != late).fill_null(False),
        )
        unplaced = f"does not exist in {zone}: clocks were turned forward; write it with its offset"
    is_unreadable = pl.col("local").is_null() | pl.col("offset").is_not_null()
    problem = pl.when(is_unreadable).then(pl.lit(expected)).otherwise(pl.lit(unplaced))
    judged = _judged(frame, pl.col("value").is_null(), problem)
    return Column(judged.values, judged.problems, frame["twice"])


def _judged(frame: pl.DataFrame, is_bad: pl.Expr, expected: pl.Expr) -> Column:
    """Problems for the rows that have a text and no value."""
    said = pl.concat_str(pl.lit("'"), pl.col("text").str.head(60), pl.lit("' "), expected)
    judged = frame.select(
        "value", problem=pl.when(pl.col("text").is_not_null() & is_bad).then(said)
    )
    return Column(judged["value"], judged["problem"])
