"""Intervals and survival estimates, set-based: one row a cell, many cells at once.

Definitions and their simulated coverage: docs/metrics.md. All intervals are 95 %.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_SMALLEST_PROPORTION = 5

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

QUANTILE_SCHEMA = {
    "cell": pl.Int64,
    "level": pl.Float64,
    "n": pl.Int64,
    "value": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "method": pl.String,
}


def minimum_n(level: float) -> int:
    """How many values a quantile needs before it is shown."""
    if level <= 0.5:
        return 5
    return 10 if level <= 0.75 else 20


def quantile_intervals(values: pl.DataFrame, levels: tuple[float, ...]) -> pl.DataFrame:
    """Quantiles (R-7) with intervals per cell, as `QUANTILE_SCHEMA`; one row per cell and level.

    `values`: cell (integer), cluster, x. Values that share a cluster are not independent: the
    clustered Woodruff interval turns p ± t(G−1)·SE back into values. Where every cluster holds
    one value, exact order statistics. An end outside the sample is open (null); below the minimum
    n there is no value.
    """
    if values.is_empty():
        return pl.DataFrame(schema=QUANTILE_SCHEMA)
    cell = values["cell"].cast(pl.Int64).to_numpy()
    x = values["x"].cast(pl.Float64).to_numpy()
    order = _order(cell, x)
    cell, x, cluster = cell[order], x[order], _numbered(values["cluster"]).to_numpy()[order]
    starts = _run_starts(cell)
    counts = np.diff(starts, append=len(cell))
    clusters = _Clusters(starts, counts, cluster)
    single = clusters.groups == counts
    found = []
    for level in levels:
        value = _r7(x, starts, counts, np.full(len(starts), level))
        squares = clusters.squares(x <= np.repeat(value, counts), level)
        low, high = _woodruff(
            x, starts, counts, groups=clusters.groups, squares=squares, level=level
        )
        exact_low, exact_high = _order_statistics(x, starts, counts, level)
        enough = counts >= minimum_n(level)
        found.append(
            pl.DataFrame(
                {
                    "cell": cell[starts],
                    "level": np.full(len(starts), level),
                    "n": counts,
                    "value": np.where(enough, value, np.nan),
                    "ci_low": np.where(enough, np.where(single, exact_low, low), np.nan),
                    "ci_high": np.where(enough, np.where(single, exact_high, high), np.nan),
                    "single": single,
                }
            ).select(
                "cell",
                "level",
                pl.col("n").cast(pl.Int64),
                pl.col("value", "ci_low", "ci_high").fill_nan(None),
                method=pl.when("single")
                .then(pl.lit("order statistics"))
                .otherwise(pl.lit("clustered Woodruff")),
            )
        )
    return pl.concat(found)


def _numbered(names: pl.Series) -> pl.Series:
    """Numbers in place of names: whatever is compared again and again."""
    if names.dtype.is_integer():
        return names.cast(pl.Int64)
    return names.cast(pl.Categorical).to_physical().cast(pl.Int64)


def _order(cell: Integers, x: Floats) -> Integers:
    """The order by cell, then x: two sorts of plain numbers take half the time of one of rows."""
    by_x = np.argsort(x)
    keys = cell[by_x] * len(x) + np.arange(len(x))
    keys.sort()
    order: Integers = by_x[keys % len(x)]
    return order


def _run_starts(sorted_values: Integers) -> Integers:
    """Where each run of equal values begins."""
    is_first = np.ones(len(sorted_values), dtype=bool)
    is_first[1:] = sorted_values[1:] != sorted_values[:-1]
    return np.flatnonzero(is_first)


class _Clusters:
    """The clusters of each cell: their rows together, in one pass over all cells."""

    def __init__(self, starts: Integers, counts: Integers, cluster: Integers) -> None:
        place = np.repeat(np.arange(len(starts)), counts)
        pair = place * (cluster.max() + 1) + cluster
        self._order = np.argsort(pair)
        self._pairs = _run_starts(pair[self._order])
        self._sizes = np.diff(self._pairs, append=len(pair))
        self._cells = _run_starts(place[self._order][self._pairs])
        self.groups = np.diff(self._cells, append=len(self._pairs))

    def squares(self, is_below: NDArray[np.bool_], level: float) -> Floats:
        """Per cell Σ u_d² with u_d = Σ over the values of cluster d of (1{x ≤ q} − p).

        Put together from sums of integers, so that equal data give equal numbers in any order.
        """
        below = np.add.reduceat(is_below[self._order].astype(np.int64), self._pairs)
        parts = (below * below, below * self._sizes, self._sizes * self._sizes)
        squared, mixed, sizes = (np.add.reduceat(part, self._cells) for part in parts)
        # Rounding may carry a sum that is 0 below it.
        return np.maximum(squared - 2 * level * mixed + level**2 * sizes, 0.0)


def rank_table(sizes: NDArray[np.int64], levels: tuple[float, ...]) -> pl.DataFrame:
    """The ranks (from 1) whose values bound a quantile at 95 %: columns n, level, low, high.

    Exact: of n values B ~ Binomial(n, level) lie at or below the quantile, and low and high are
    the innermost ranks with P(B < low) ≤ 2.5 % and P(B ≥ high) ≤ 2.5 %. A rank of 0 or n + 1
    means that n is too small to bound that side.
    """
    sizes = np.unique(sizes)
    return pl.concat(
        pl.DataFrame(
            {
                "n": sizes,
                "level": np.full(len(sizes), level),
                "low": _binomial_quantile(_TAIL, sizes, level),
                "high": _binomial_quantile(1 - _TAIL, sizes, level) + 1,
            }
        )
        for level in levels
    )


def _binomial_quantile(share: float, sizes: Integers, probability: float) -> Integers:
    """The smallest count that a binomial variable stays at or below with at least this share."""
    # Not scipy.stats, here and below: importing it costs two seconds in every process that builds.
    from scipy.special import bdtr, bdtrik

    count = np.where(sizes > 0, np.ceil(bdtrik(share, np.maximum(sizes, 1), probability)), 0)
    fewer = np.maximum(count - 1, 0)
    # The inverse is exact up to rounding, which may carry it past a whole number.
    found = np.where(bdtr(fewer, sizes, probability) >= share, fewer, count)
    return found.astype(np.int64)


def wilson_interval(successes: pl.Series, totals: pl.Series) -> pl.DataFrame:
    """Wilson score interval of proportions: ci_low and ci_high per row, null for fewer than 5."""
    from scipy.special import ndtri

    z = float(ndtri(1 - _TAIL))
    n = totals.cast(pl.Float64).to_numpy()
    shown = n >= _SMALLEST_PROPORTION
    n = np.where(shown, n, np.nan)
    share = successes.cast(pl.Float64).to_numpy() / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At the ends the interval touches 0 or 1 exactly; rounding must not carry it past.
    low = np.where(share == 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(share == 1, 1.0, np.minimum(middle + half, 1.0))
    bounds = {"ci_low": np.where(shown, low, np.nan), "ci_high": np.where(shown, high, np.nan)}
    return pl.DataFrame(bounds).fill_nan(None)


def exact_interval(successes: pl.Series, totals: pl.Series) -> pl.DataFrame:
    """Clopper–Pearson interval of proportions: ci_low and ci_high per row, null where n is 0."""
    from scipy.special import betaincinv

    found = successes.cast(pl.Float64).to_numpy()
    n = totals.cast(pl.Float64).to_numpy()
    shown = n > 0
    low = np.where(found > 0, betaincinv(np.maximum(found, 1), n - found + 1, _TAIL), 0.0)
    high = np.where(found < n, betaincinv(found + 1, np.maximum(n - found, 1), 1 - _TAIL), 1.0)
    bounds = {"ci_low": np.where(shown, low, np.nan), "ci_high": np.where(shown, high, np.nan)}
    return pl.DataFrame(bounds).fill_nan(None)


def rate_interval(counts: pl.Series, exposure: pl.Series, dispersion: pl.Series) -> pl.DataFrame:
    """Exact Poisson interval of counts over exposure, widened by a dispersion ≥ 1.

    Gives ci_low and ci_high per row; null where the exposure is null or not positive.
    """
    from scipy.special import gammaincinv

    spread = np.maximum(dispersion.cast(pl.Float64).fill_null(1.0).to_numpy(), 1.0)
    time = exposure.cast(pl.Float64).fill_null(np.nan).to_numpy()
    time = np.where(time > 0, time, np.nan)
    events = counts.cast(pl.Float64).to_numpy() / spread
    low = np.where(events > 0, gammaincinv(events, _TAIL), 0.0) * spread / time
    high = gammaincinv(events + 1, 1 - _TAIL) * spread / time
    return pl.DataFrame({"ci_low": low, "ci_high": high}).fill_nan(None)


def kaplan_meier(observed: pl.DataFrame, levels: tuple[float, ...]) -> pl.DataFrame:
    """Quantiles of a time that is not over for everybody, as `QUANTILE_SCHEMA` per cell and level.

    `observed`: cell (integer), time, event (false: still waiting at `time`). The quantile is the
    first time with S(t) below 1 − level, the midpoint where S equals it exactly; null where the
    curve does not get there or n is too small. Interval: Brookmeyer–Crowley with log(−log S).
    """
    from scipy.special import ndtri

    z = float(ndtri(1 - _TAIL))
    sizes = observed.group_by(pl.col("cell").cast(pl.Int64)).agg(n=pl.len().cast(pl.Int64))
    curve = survival_curve(observed)
    found = []
    for level in levels:
        target = 1 - level
        bound = float(np.log(-np.log(target)))
        # The band around the curve reaches the level first with its lower, last with its upper
        # end. Once nobody is left it has no width, and bounds nothing from above.
        above, margin = pl.col("log_log") - bound, z * pl.col("error")
        reached = curve.group_by("cell").agg(
            at=pl.col("time").filter(pl.col("survival") <= target + 1e-12).min(),
            equal=(pl.col("survival") - target).abs().min() <= 1e-12,
            after=pl.col("time").filter(pl.col("survival") < target - 1e-12).min(),
            ci_low=pl.col("time").filter((above >= -margin) | (pl.col("survival") <= 0)).min(),
            ci_high=pl.col("time").filter(above > margin).min(),
        )
        found.append(
            sizes.join(reached, on="cell", how="left").select(
                "cell",
                level=pl.lit(level),
                n="n",
                value=pl.when(pl.col("n") >= minimum_n(level)).then(
                    pl.when(pl.col("equal") & pl.col("after").is_not_null())
                    .then((pl.col("at") + pl.col("after")) / 2)
                    .otherwise("at")
                ),
                ci_low="ci_low",
                ci_high="ci_high",
                method=pl.lit("Kaplan–Meier"),
            )
        )
    shown = pl.col("value").is_not_null()
    return (
        pl.concat(found)
        .with_columns(
            ci_low=pl.when(shown).then(pl.min_horizontal("ci_low", "value")),
            # The greater of two passes over null: an open end must stay open.
            ci_high=pl.when(shown & pl.col("ci_high").is_not_null()).then(
                pl.max_horizontal("ci_high", "value")
            ),
        )
        .select(pl.col(name).cast(kind) for name, kind in QUANTILE_SCHEMA.items())
        .sort("cell", "level")
    )


def survival_band(observed: pl.DataFrame) -> pl.DataFrame:
    """The survival curve at each event time of each cell, with its 95 % band.

    As `survival_curve`; the band is the one with log(−log S), null once nobody is left.
    """
    from scipy.special import ndtri

    margin = float(ndtri(1 - _TAIL)) * pl.col("error")
    return survival_curve(observed).with_columns(
        ci_low=(-(pl.col("log_log") + margin).exp()).exp(),
        ci_high=(-(pl.col("log_log") - margin).exp()).exp(),
    )


def survival_curve(observed: pl.DataFrame) -> pl.DataFrame:
    """The survival curve at each event time of each cell, with its log-log error.

    `observed`: cell (integer), time, event. Gives cell, time, events, at_risk, survival and what
    intervals are made of.
    """
    steps = (
        observed.select(pl.col("cell").cast(pl.Int64), pl.col("time").cast(pl.Float64), "event")
        .group_by("cell", "time")
        .agg(events=pl.col("event").sum(), leaving=pl.len())
        .sort("cell", "time")
        .with_columns(
            at_risk=pl.col("leaving").sum().over("cell")
            - pl.col("leaving").cum_sum().over("cell")
            + pl.col("leaving")
        )
        .filter(pl.col("events") > 0)
    )
    risk, events = pl.col("at_risk"), pl.col("events")
    survival = (1 - events / risk).cum_prod().over("cell")
    greenwood = (
        pl.when(risk > events)
        .then(events / (risk * (risk - events)))
        .otherwise(0.0)
        .cum_sum()
        .over("cell")
    )
    return steps.with_columns(survival=survival, greenwood=greenwood).with_columns(
        log_log=pl.when((pl.col("survival") > 0) & (pl.col("survival") < 1)).then(
            (-pl.col("survival").log()).log()
        ),
        error=pl.when((pl.col("survival") > 0) & (pl.col("survival") < 1)).then(
            pl.col("greenwood").sqrt() / pl.col("survival").log().abs()
        ),
    )


def _r7(x: Floats, starts: Integers, counts: Integers, levels: Floats) -> Floats:
    """R-7 quantiles of sorted runs of `x`; NaN where the level is outside [0, 1]."""
    usable = (levels >= 0) & (levels <= 1)
    place = (counts - 1) * np.where(usable, levels, 0.0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, counts - 1)
    left, right = x[starts + below], x[starts + above]
    return np.where(usable, left + (place - below) * (right - left), np.nan)


def _woodruff(
    x: Floats,
    starts: Integers,
    counts: Integers,
    *,
    groups: Integers,
    squares: Floats,
    level: float,
) -> tuple[Floats, Floats]:
    from scipy.special import stdtrit

    usable = groups > 1
    degrees = np.where(usable, groups - 1, 1)
    clustered = np.where(usable, groups, 2) / degrees * squares / counts**2
    error = np.sqrt(np.maximum(clustered, level * (1 - level) / counts))
    sizes, inverse = np.unique(degrees, return_inverse=True)
    half = stdtrit(sizes, 1 - _TAIL)[inverse] * error
    low = _r7(x, starts, counts, level - half)
    high = _r7(x, starts, counts, level + half)
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def _order_statistics(
    x: Floats, starts: Integers, counts: Integers, level: float
) -> tuple[Floats, Floats]:
    """The values at the ranks of `rank_table`; NaN where the sample is too small for a side."""
    _, inverse = np.unique(counts, return_inverse=True)
    ranks = rank_table(counts, (level,))
    low, high = ranks["low"].to_numpy()[inverse], ranks["high"].to_numpy()[inverse]
    low_value = x[starts + np.maximum(low, 1) - 1]
    high_value = x[starts + np.minimum(high, counts) - 1]
    return (
        np.where(low >= 1, low_value, np.nan),
        np.where(high <= counts, high_value, np.nan),
    )


def lag_one(residuals: Floats) -> float:
    """How much a weekly series resembles itself a week later: lag-1 autocorrelation in [0, 0.9].

    The sample's own is too low in short series; Kendall's correction, ρ + (1 + 3ρ)/n, mends that.
    """
    total = float((residuals**2).sum())
    if len(residuals) < 3 or total == 0:
        return 0.0
    found = float((residuals[1:] * residuals[:-1]).sum()) / total
    return float(np.clip(found + (1 + 3 * found) / len(residuals), 0.0, 0.9))


def ratio_interval(part: Floats, whole: Floats) -> tuple[float, float, float]:
    """Share Σ part ÷ Σ whole over weeks, with its interval: value, ci_low, ci_high.

    u_w = (part_w − R·whole_w) ÷ mean(whole); SE² = Σu²/(W−1)/W · (1+ρ)/(1−ρ), with ρ of `lag_one`;
    t with W−1 degrees of freedom. Needs two weeks and a whole above 0.
    """
    from scipy.stats import t

    weeks = len(whole)
    value = float(part.sum() / whole.sum())
    residuals = (part - value * whole) / whole.mean()
    resemblance = lag_one(residuals)
    variance = float((residuals**2).sum()) / (weeks - 1) / weeks
    error = float(np.sqrt(variance * (1 + resemblance) / (1 - resemblance)))
    half = float(t.ppf(1 - _TAIL, weeks - 1)) * error
    return value, max(value - half, 0.0), min(value + half, 1.0)
