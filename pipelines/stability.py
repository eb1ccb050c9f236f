"""Control charts of individual values (XmR): what a series does by itself, and what stands out.

All series at once, as a matrix with one row a series. Definitions: docs/metrics.md.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

CHANCE = Path(__file__).parent / "data" / "chance_signals.csv"
LEAST_POINTS = 12
BASELINE = 20
RUN = 8
RECENT_WEEKS = 8
# 3/d₂ and D₄ for ranges of two values: limits of values, and of ranges, from the mean range.
LIMIT = 2.66
RANGE_LIMIT = 3.268
# A point this close to a line lies on it: equal values must not signal by rounding.
_ON_THE_LINE = 1e-9

ABOVE = "above the limits"
BELOW = "below the limits"
RUN_ABOVE = "eight in a row above the centre"
RUN_BELOW = "eight in a row below the centre"
_SIGNALS = (None, ABOVE, BELOW, RUN_ABOVE, RUN_BELOW)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Charts:
    """One chart a row, on the scale of the values; NaN behind the end of a series.

    `signal` is an index into the plain names: 0 none. `segment` counts from 1.
    """

    centre: Floats
    half_width: Floats
    moving_range: Floats
    segment: Integers
    is_baseline: Booleans
    signal: Integers


def charts(y: Floats, lengths: Integers) -> Charts:
    """Chart series of at least `LEAST_POINTS` values, row by row from the left without gaps.

    Centre and limits come from the first `BASELINE` points of a segment and hold for all of it.
    A point outside the limits, and the eighth in a row on one side of the centre, are signals. If
    that eighth lies behind the baseline, the process has changed: a new segment starts with the
    first of the eight, as soon as it has `LEAST_POINTS` points.
    """
    shape = y.shape
    found = Charts(
        centre=np.full(shape, np.nan),
        half_width=np.full(shape, np.nan),
        moving_range=np.full(shape, np.nan),
        segment=np.zeros(shape, dtype=np.int64),
        is_baseline=np.zeros(shape, dtype=np.bool_),
        signal=np.zeros(shape, dtype=np.int64),
    )
    changes = np.zeros(shape, dtype=np.int64)
    rows, starts = np.arange(shape[0]), np.zeros(shape[0], dtype=np.int64)
    number = 0
    while len(rows):
        number += 1
        restarts = _segment(y[rows], lengths[rows], starts, rows=rows, number=number, into=found)
        again = restarts < shape[1]
        rows, starts = rows[again], restarts[again]
        # The eighth point told of the change, whatever the new limits say of it.
        eighth = starts + RUN - 1
        changes[rows, eighth] = found.signal[rows, eighth]
    np.copyto(found.signal, changes, where=changes > 0)
    return found


def _segment(
    y: Floats, lengths: Integers, starts: Integers, *, rows: Integers, number: int, into: Charts
) -> Integers:
    """Chart from each start to the end of its series; where the next segment starts, or the width.

    What lies behind the next start is written too, and written over by the next segment.
    """
    width = y.shape[1]
    columns = np.arange(width)
    offset = columns - starts[:, None]
    inside = (offset >= 0) & (columns < lengths[:, None])
    size = np.minimum(BASELINE, lengths - starts)
    is_baseline = inside & (offset < size[:, None])
    centre = np.sum(y, axis=1, where=is_baseline) / size
    ranges = np.full(y.shape, np.nan)
    ranges[:, 1:] = np.abs(np.diff(y, axis=1))
    ranges[offset <= 0] = np.nan
    mean_range = np.sum(ranges, axis=1, where=is_baseline & (offset > 0)) / (size - 1)
    half = LIMIT * mean_range
    away = y - centre[:, None]
    side = np.where(np.abs(away) <= _ON_THE_LINE, 0, np.sign(away))
    signal = np.select(
        [away > half[:, None] + _ON_THE_LINE, away < -half[:, None] - _ON_THE_LINE], [1, 2], 0
    )
    eighth = inside & (_run_lengths(side, offset) == RUN)
    signal = np.where(eighth, np.where(side > 0, 3, 4), signal)
    changed = eighth & (offset >= BASELINE) & (lengths[:, None] - columns + RUN > LEAST_POINTS)
    first: Integers = np.where(changed.any(axis=1), changed.argmax(axis=1) - RUN + 1, width)
    for array, values in (
        (into.centre, np.broadcast_to(centre[:, None], y.shape)),
        (into.half_width, np.broadcast_to(half[:, None], y.shape)),
        (into.moving_range, ranges),
        (into.segment, np.broadcast_to(number, y.shape)),
        (into.is_baseline, is_baseline),
        (into.signal, signal),
    ):
        array[rows] = np.where(inside, values, array[rows])
    return first


def _run_lengths(side: Floats, offset: Integers) -> Integers:
    """How many points in a row, up to each, lie on its side; 0 on the centre itself."""
    columns = np.arange(side.shape[1])
    begins = np.ones(side.shape, dtype=np.bool_)
    begins[:, 1:] = side[:, 1:] != side[:, :-1]
    begins |= offset == 0
    last = np.maximum.accumulate(np.where(begins, columns, 0), axis=1)
    return np.where(side == 0, 0, columns - last + 1)


def signal_names(signal: Integers) -> pl.Series:
    """The plain names of signals; null for none."""
    return pl.Series(_SIGNALS, dtype=pl.String).gather(pl.Series(signal, dtype=pl.Int64))


def expected_signals(points: Integers, mean: Floats) -> Floats:
    """How many signals the last eight points of a stable series show by chance.

    `points`: how many values the series has; `mean`: of counts, their mean a week, infinite for
    what is no count. Simulated (`benchmarks/chance_signals.py`), in between linear.
    """
    table = pl.read_csv(CHANCE)
    lengths = table["points"].to_numpy().astype(np.float64)
    means = np.array([float(name) for name in table.columns[1:]])
    rows = table.select(pl.exclude("points")).to_numpy()
    # Counts above the last mean differ no more from what is no count.
    place = np.interp(np.log(np.maximum(mean, means[0])), np.log(means), np.arange(len(means)))
    left = np.floor(place).astype(np.int64)
    right = np.minimum(left + 1, len(means) - 1)
    length = np.interp(points, lengths, np.arange(len(lengths)))
    top = np.floor(length).astype(np.int64)
    bottom = np.minimum(top + 1, len(lengths) - 1)
    across, down = place - left, length - top
    upper = rows[top, left] * (1 - across) + rows[top, right] * across
    lower = rows[bottom, left] * (1 - across) + rows[bottom, right] * across
    rare = np.minimum(mean / means[0], 1.0)
    found: Floats = (upper * (1 - down) + lower * down) * rare
    return found
