"""How often trending warns of what does not come, and whether it warns of what does: simulated.

Series of weeks are watched for a year at every fourth week, with the product's functions: how many
of the flat ones are ever warned, and how many ramps are warned before they cross. The distance to
the limit is in standard deviations of a week; ρ is the autocorrelation from week to week.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.result import Result
from pipelines.trending import MOST_WEEKS, forecast_counts, forecast_levels, twice

SERIES = 1_000
WATCHED = 52
EVERY = 4
SLOPE = 0.25
MOST_FALSE = 3.0
LEAST_TRUE = 90.0

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def run(scale: float = 1.0) -> Iterator[Result]:
    """Per cent of the series that are ever warned, and how many weeks ahead."""
    series = max(round(SERIES * scale), 10)
    randomly = np.random.default_rng(26)
    for gap in (1, 2, 3):
        for rho in (0.0, 0.4):
            noise = _noise(series, MOST_WEEKS + WATCHED, rho, randomly)
            warned = _warned_at(noise, gap, until=WATCHED) >= 0
            what = f"trending, flat, {gap} sd below the limit, ρ {rho}"
            yield Result(what, _per_cent(warned), "% warned", most=MOST_FALSE)
    for gap in (6, 10, 15):
        for rho in (0.0, 0.4):
            yield from _ramps(series, gap, rho, randomly)
    for size in (2, 3, 4):
        noise = _noise(series, MOST_WEEKS + WATCHED, 0.0, randomly)
        noise[:, MOST_WEEKS:] += size
        warned = _warned_at(noise, size + 2, until=WATCHED) >= 0
        what = f"trending, one step of {size} sd to 2 sd below the limit"
        yield Result(what, _per_cent(warned), "% warned")
    yield from _headcounts(series, randomly)


def _ramps(series: int, gap: int, rho: float, randomly: np.random.Generator) -> Iterator[Result]:
    weeks = round(gap / SLOPE)
    ramp = np.maximum(np.arange(MOST_WEEKS + weeks) - MOST_WEEKS, 0) * SLOPE
    at = _warned_at(_noise(series, len(ramp), rho, randomly) + ramp, gap, until=weeks)
    what = f"trending, ramp of {SLOPE} sd a week from {gap} sd below, ρ {rho}"
    # From 6 sd below it takes 24 weeks: less than a forecast looks back or ahead.
    least = LEAST_TRUE if gap > 6 else None
    yield Result(what, _per_cent(at >= 0), "% warned", least=least)
    if (at >= 0).any():
        yield Result(f"{what}, ahead", float(np.median(weeks - at[at >= 0])), "weeks")


def _warned_at(values: Floats, limit: float, until: int) -> Integers:
    """In which week of watching each series is first warned; −1 where never."""
    limits = np.full(len(values), float(limit))
    looks = range(0, until, EVERY)
    likely = np.column_stack(
        [forecast_levels(values[:, : MOST_WEEKS + week], limits).is_likely for week in looks]
    )
    return _first(twice(likely), list(looks))


def _headcounts(series: int, randomly: np.random.Generator) -> Iterator[Result]:
    """Engineers: as many come as go, or one more comes a week; the limit is 50."""
    limits = np.full(series, 50.0)
    for start, more in ((35, 0.0), (45, 0.0), (10, 1.0)):
        weeks = WATCHED if more == 0 else 2 * WATCHED
        come = randomly.poisson(0.5 + more, (series, MOST_WEEKS + weeks))
        net = (come - randomly.poisson(0.5, come.shape)).astype(np.float64)
        counts = start + np.cumsum(net[:, MOST_WEEKS:], axis=1)
        is_below: Booleans = np.less(np.maximum.accumulate(counts, axis=1), 50)
        likely = np.column_stack(
            [
                forecast_counts(net[:, : MOST_WEEKS + week + 1], counts[:, week], limits).is_likely
                & is_below[:, week]
                for week in range(0, weeks, EVERY)
            ]
        )
        warned = twice(likely).any(axis=1)
        if more == 0:
            what = f"trending, {start} engineers, as many come as go, warned and never 50"
            in_vain = np.logical_and(warned, is_below[:, -1])
            yield Result(what, _per_cent(in_vain), "% warned", most=MOST_FALSE)
        else:
            what = f"trending, {start} engineers, {more:.0f} more a week, warned before 50"
            yield Result(what, _per_cent(warned), "% warned", least=LEAST_TRUE)


def _first(warned: Booleans, looks: list[int]) -> Integers:
    return np.where(warned.any(axis=1), np.array(looks)[warned.argmax(axis=1)], -1)


def _noise(series: int, weeks: int, rho: float, randomly: np.random.Generator) -> Floats:
    """Weeks of standard deviation 1 that remember the week before by ρ."""
    noise: Floats = randomly.normal(size=(series, weeks))
    for week in range(1, weeks):
        noise[:, week] = rho * noise[:, week - 1] + np.sqrt(1 - rho**2) * noise[:, week]
    return noise


def _per_cent(hits: Booleans | np.bool_) -> float:
    return float(np.mean(hits)) * 100
