"""How often the published intervals hold the true value: simulated, with the product's functions.

A 95 % interval should hold it in 95 of 100 cases; an end that is open holds everything on its
side. Limits are least and most: an interval that is always right says too little.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import binom, norm

from benchmarks.result import Result
from pipelines.estimates import (
    kaplan_meier,
    quantile_intervals,
    rate_interval,
    wilson_interval,
)

RUNS = 2_000
LEVELS = {0.5: "median", 0.75: "p75", 0.9: "p90"}
# Deployments and the changes in each; what one deployment ships belongs together, or does not.
EVEN = {"12 deployments × 20 changes": [20] * 12, "40 deployments × 3 changes": [3] * 40}
UNEVEN = [1, 1, 1, 2, 2, 3, 5, 8, 13, 21] * 3
LEAST, MOST = 92.0, 98.5

Floats = NDArray[np.float64]


def run(scale: float = 1.0) -> Iterator[Result]:
    """Coverage of every kind of interval, in per cent of the simulated samples."""
    runs = max(round(RUNS * scale), 20)
    randomly = np.random.default_rng(31)
    for size in (20, 60):
        hours = _hours([1] * size, 0.0, runs, randomly)
        yield from _quantiles(f"{size} values of their own", hours, [1] * size, least=95)
    for name, sizes in EVEN.items():
        for word, share in {"independent": 0.0, "half alike": 0.5, "nearly equal": 0.9}.items():
            hours = _hours(sizes, share, runs, randomly)
            yield from _quantiles(f"{name}, {word}", hours, sizes, MOST, LEAST)
    hours = _hours(UNEVEN, 0.5, runs, randomly)
    yield from _quantiles("30 deployments of 1 to 21 changes, half alike", hours, UNEVEN)
    yield from _waits(runs, randomly)
    yield Result("Wilson, mean over 2–30 %, n = 10 to 400", _proportions(scale), "%", 96, 94)
    counts = randomly.poisson(1.0, (runs, 26))
    yield Result("rates, Poisson, 1 a week", _rates(counts, 1.0), "%", least=95)
    counts = randomly.negative_binomial(2.0, 0.5, (runs, 26))
    yield Result("rates, twice the variance, 2 a week", _rates(counts, 2.0), "%", MOST, LEAST)


def _hours(sizes: Sequence[int], share: float, runs: int, randomly: np.random.Generator) -> Floats:
    """Skewed lead times, a row a run; `share` of their variance is that of their deployment."""
    between = np.repeat(randomly.normal(size=(runs, len(sizes))), sizes, axis=1)
    within = randomly.normal(size=between.shape)
    mixed: Floats = np.exp(math.sqrt(share) * between + math.sqrt(1 - share) * within)
    return mixed


def _quantiles(
    what: str,
    hours: Floats,
    sizes: Sequence[int],
    most: float | None = None,
    least: float | None = None,
) -> Iterator[Result]:
    runs, size = hours.shape
    values = pl.DataFrame(
        {
            "cell": np.repeat(np.arange(runs), size),
            "cluster": np.tile(np.repeat(np.arange(len(sizes)), sizes), runs),
            "x": hours.ravel(),
        }
    )
    found = quantile_intervals(values, tuple(LEVELS))
    for level, name in LEVELS.items():
        truth = math.exp(norm.ppf(level))
        covered = _covered(found.filter(level=level), truth)
        yield Result(f"{what}: {name}", covered, "%", most, least)


def _waits(runs: int, randomly: np.random.Generator) -> Iterator[Result]:
    """Waits of which a third are not over."""
    size = 40
    waits = randomly.exponential(1.0, (runs, size))
    limits = randomly.exponential(2.0, (runs, size))
    observed = pl.DataFrame(
        {
            "cell": np.repeat(np.arange(runs), size),
            "time": np.minimum(waits, limits).ravel(),
            "event": (waits <= limits).ravel(),
        }
    )
    found = kaplan_meier(observed, tuple(LEVELS)).filter(pl.col("value").is_not_null())
    for level, name in LEVELS.items():
        covered = _covered(found.filter(level=level), -math.log(1 - level))
        yield Result(f"Kaplan–Meier, 40 waits: {name}", covered, "%", MOST, LEAST)


def _covered(found: pl.DataFrame, truth: float) -> float:
    low = found["ci_low"].fill_null(-math.inf)
    high = found["ci_high"].fill_null(math.inf)
    return 100 * int(((low <= truth) & (high >= truth)).sum()) / found.height


def _proportions(scale: float) -> float:
    """The exact coverage: no sample is drawn, every outcome is weighed by its probability."""
    shares = np.linspace(0.02, 0.3, max(round(281 * scale), 15))
    covered = []
    for size in (10, 20, 50, 100, 400):
        outcomes = np.arange(size + 1)
        found = wilson_interval(pl.Series(outcomes), pl.Series(np.full(size + 1, size)))
        low, high = found["ci_low"].to_numpy(), found["ci_high"].to_numpy()
        inside = (low <= shares[:, None]) & (high >= shares[:, None])
        covered.append((binom.pmf(outcomes, size, shares[:, None]) * inside).sum(axis=1).mean())
    return 100 * float(np.mean(covered))


def _rates(counts: NDArray[np.int64], mean: float) -> float:
    """Coverage of weekly counts, widened by their own variance over their mean."""
    runs, weeks = counts.shape
    dispersion = counts.var(axis=1, ddof=1) / np.maximum(counts.mean(axis=1), 1e-9)
    found = rate_interval(
        pl.Series(counts.sum(axis=1)), pl.Series([float(weeks)] * runs), pl.Series(dispersion)
    )
    return _covered(found, mean)
