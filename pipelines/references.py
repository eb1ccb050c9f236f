"""Published references: the bins of the State of DevOps reports, and where a value falls.

The reports' tables are data, `data/dora_references.toml`. A bin is a place of one metric alone;
there is no overall tier.
"""

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from pipelines.settings_measures import HOURS, PER_WEEK

FILE: Final = Path(__file__).parent / "data" / "dora_references.toml"
# The metrics that references and goals speak of, and which of their variants.
HEADLINES: Final = {
    "deployment_frequency": "per_week",
    "change_lead_time": "median",
    "change_fail_rate": "primary",
    "failed_deployment_recovery_time": "median",
    "deployment_rework_rate": "known",
}
MORE_IS_BETTER: Final = frozenset({"deployment_frequency"})
BETWEEN = "between bands"
BEYOND = "beyond the bands"
OPEN = "open"

BIN_SCHEMA: Final[dict[str, Any]] = {
    "report_year": pl.Int64,
    "metric": pl.String,
    "ordinal": pl.Int64,
    "label": pl.String,
    "tiers": pl.List(pl.String),
    "low": pl.Float64,
    "high": pl.Float64,
    "unit": pl.String,
    "share": pl.Float64,
    "percentile_low": pl.Float64,
    "percentile_high": pl.Float64,
    "note": pl.String,
    "source": pl.String,
}

_PLACE_SCHEMA = {name: BIN_SCHEMA[name] for name in ("label", "percentile_low", "percentile_high")}

_RATE = re.compile(r"(\d+) per (?:(\d+) )?(day|week|month)s?")
_DURATION = re.compile(r"(\d+) (h|d|w|mo)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?) %")


@dataclass(frozen=True, slots=True)
class Bin:
    """Values from `low` up to `high`, without `high` itself; None has no end.

    `share` is the percentage of respondents in it. A value here is better than `percentile_low`
    to `percentile_high` per cent of them; all three are None for tiers and for holes.
    """

    label: str
    low: float
    high: float | None
    tiers: tuple[str, ...] = ()
    share: float | None = None
    percentile_low: float | None = None
    percentile_high: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One year's report: its bins per metric, best first, holes included."""

    year: int
    source: str
    note: str
    bins: Mapping[str, tuple[Bin, ...]]


@cache
def reports() -> dict[int, Report]:
    """Every report, by year."""
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        each["year"]: Report(
            each["year"],
            each["source"],
            each["note"],
            {metric: _bins(metric, cells) for metric, cells in each["metrics"].items()},
        )
        for each in read["reports"]
    }


def place(year: int, metric: str, value: float) -> Bin | None:
    """The bin a value falls into; None where this report has no reference for the metric."""
    if metric not in reports()[year].bins:
        return None
    number = int(_numbers(year, metric, np.array([value]))[0])
    return reports()[year].bins[metric][number]


def places(year: int, metric: str, values: pl.Series) -> pl.DataFrame:
    """The bins of many values: label, percentile_low and percentile_high per row.

    Null for null, and everywhere where this report has no reference for the metric.
    """
    bins = reports()[year].bins.get(metric)
    if bins is None:
        return pl.DataFrame(schema=_PLACE_SCHEMA).clear(len(values))
    found = pl.Series(_numbers(year, metric, values.fill_null(0.0).to_numpy()))
    described = pl.DataFrame(
        [(each.label, each.percentile_low, each.percentile_high) for each in bins],
        schema=_PLACE_SCHEMA,
        orient="row",
    )
    return described.select(pl.all().gather(found)).select(
        pl.when(values.is_not_null()).then(pl.all())
    )


def bin_frame() -> pl.DataFrame:
    """Every bin of every report, as `BIN_SCHEMA`; ordinal 1 is the best."""
    rows = [
        (
            report.year,
            metric,
            ordinal,
            each.label,
            list(each.tiers),
            each.low,
            each.high,
            unit_of(metric),
            each.share,
            each.percentile_low,
            each.percentile_high,
            report.note,
            report.source,
        )
        for report in reports().values()
        for metric, bins in report.bins.items()
        for ordinal, each in enumerate(bins, start=1)
    ]
    return pl.DataFrame(rows, schema=BIN_SCHEMA, orient="row")


def unit_of(metric: str) -> str:
    """The unit of a metric's published rows."""
    if metric == "deployment_frequency":
        return "per week"
    return "%" if metric.endswith("_rate") else "h"


def _numbers(year: int, metric: str, values: Any) -> Any:
    """Which bin each value falls into: an index into the report's bins, best first."""
    bins = reports()[year].bins[metric]
    lows = sorted(each.low for each in bins)
    ascending = np.searchsorted(lows, values, side="right") - 1
    return len(bins) - 1 - ascending if metric in MORE_IS_BETTER else ascending


def _bins(metric: str, cells: Sequence[Mapping[str, Any]]) -> tuple[Bin, ...]:
    ascending = list(reversed(cells)) if metric in MORE_IS_BETTER else list(cells)
    edges = _edges(ascending)
    found = [
        Bin(_label(cell), low, high, tuple(cell.get("tiers", ())), cell.get("share"))
        for cell, (low, high) in zip(ascending, edges, strict=True)
    ]
    whole = list(_with_holes(found))
    best_first = whole[::-1] if metric in MORE_IS_BETTER else whole
    return tuple(_with_percentiles(best_first))


def _label(cell: Mapping[str, Any]) -> str:
    tiers = ", ".join(cell.get("tiers", ()))
    return f"{cell['label']} ({tiers})" if tiers else str(cell["label"])


def _edges(cells: Sequence[Mapping[str, Any]]) -> list[tuple[float, float | None]]:
    """Low and high of cells in ascending order; of centres, half-way to their neighbours."""
    if "centre" not in cells[0]:
        return [
            (_number(cell.get("from", "0 %")), _number(cell["to"]) if "to" in cell else None)
            for cell in cells
        ]
    centres = [_number(cell["centre"]) for cell in cells]
    between = [(left + right) / 2 for left, right in itertools.pairwise(centres)]
    return list(zip([0.0, *between], [*between, None], strict=True))


def _with_holes(bins: Sequence[Bin]) -> Iterator[Bin]:
    """Bins in ascending order, with one for each stretch that no cell covers."""
    reached: float | None = 0.0
    for each in bins:
        if reached is None or each.low < reached:
            raise ValueError(f"{FILE.name}: {each.label} overlaps with the cell before it")
        if each.low > reached:
            yield Bin(BETWEEN if reached > 0 else BEYOND, reached, each.low)
        yield each
        reached = each.high
    if reached is not None:
        yield Bin(BEYOND, reached, None)


def _with_percentiles(bins: Sequence[Bin]) -> Iterator[Bin]:
    """Bins, best first, with the share of respondents whose answer was a worse one.

    Published shares add up to 99.8 to 100.1; what rounding lost belongs to the best bin, whose
    upper end is 100.
    """
    for index, each in enumerate(bins):
        if each.share is None:
            yield each
            continue
        worse = sum(other.share or 0.0 for other in bins[index + 1 :])
        upper = 100.0 if index == 0 else min(round(worse + each.share, 1), 100.0)
        yield Bin(each.label, each.low, each.high, each.tiers, each.share, round(worse, 1), upper)


def _number(text: str) -> float:
    """An edge in the unit of the metric's rows: per week, hours or per cent."""
    if found := _RATE.fullmatch(text):
        # Published values have nine digits too: one a month must not fall short of one a month.
        return float(f"{float(found[1]) / float(found[2] or 1) * PER_WEEK[found[3]]:.9g}")
    if found := _DURATION.fullmatch(text):
        return float(found[1]) * HOURS[found[2]]
    if found := _SHARE.fullmatch(text):
        return float(found[1])
    raise ValueError(f'{FILE.name}: "{text}" is no frequency, duration or share')
