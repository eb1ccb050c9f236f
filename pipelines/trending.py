"""Forecasts of thresholds: when a weekly series crosses its limit, should it go on as it does.

All series at once, as a matrix with one row a series and one column a week, the last complete week
at the right; NaN where a week has no value. Definitions and what they were checked against:
docs/thresholds.md. Equal series give equal forecasts: the draws are the same for every row.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

MOST_WEEKS = 26
LEAST_WEEKS = 12
PROBABILITY = 0.8
DRAWS = 4000
# A shift of level counts as one when its t, allowing for autocorrelation, is beyond this: the
# place of the shift is searched for, so the usual 2 would find one in most calm series.
SHIFT = 3.75
# Fewer weeks on one side of a shift are outliers.
LEAST_SIDE = 4
_SEED = 20_260_105
_HIGHEST_RHO = 0.8
_NINETY = (0.05, 0.5, 0.95)
# Rounding leaves this much of a straight line; nothing is noise below it.
_STRAIGHT = 1e-9

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Forecast:
    """One forecast a row. Weeks count from the last week of the series; infinite: never.

    `probability`: to cross within `horizon`; NaN where fewer than `LEAST_WEEKS` weeks are left.
    `low`, `middle`, `high`: the 5th, 50th and 95th percentile of the crossing time. `is_near`: the
    95 % interval of the fitted level now lies wholly on the near side of the limit.
    """

    weeks: Integers
    horizon: Integers
    probability: Floats
    low: Floats
    middle: Floats
    high: Floats
    slope: Floats
    is_near: Booleans

    @property
    def is_likely(self) -> Booleans:
        """Whether the series crosses its limit within the horizon, and has not done so yet."""
        return (self.probability >= PROBABILITY) & self.is_near


def forecast_levels(values: Floats, limits: Floats) -> Forecast:
    """Forecast when a level with a slope reaches a limit from below.

    Level and slope by least squares over the weeks since the last shift, drawn jointly from their
    t distribution, whose covariance is widened by (1 + ρ) / (1 − ρ) with the autocorrelation ρ of
    the residuals.
    """
    values = since_last_shift(_last(values))
    fit = _fit(values)
    weeks = np.isfinite(values).sum(axis=1)
    enough = weeks >= LEAST_WEEKS
    degrees = np.maximum(weeks - 2, 1)
    noise = np.nansum(fit.residuals**2, axis=1) / degrees * _widening(_rho(fit.residuals))
    # Covariance of level (at the last week) and slope, as the square root of the matrix.
    slope_variance = noise / fit.spread
    level_error = np.sqrt(noise / fit.weeks + slope_variance * fit.middle**2)
    shared = -fit.middle * slope_variance / np.where(level_error > 0, level_error, 1)
    own = np.sqrt(np.maximum(slope_variance - shared**2, 0))
    draws = _draws()
    scale = np.sqrt(degrees[:, None] / draws.chi_square.T[degrees - 1])
    first, second = draws.normal[:, 0] * scale, draws.normal[:, 1] * scale
    level = fit.level[:, None] + level_error[:, None] * first
    slope = fit.slope[:, None] + shared[:, None] * first + own[:, None] * second
    distance = limits[:, None] - level
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(distance <= 0, 0.0, np.where(slope > 0, distance / slope, np.inf))
    upper = fit.level + _t_quantile(degrees) * level_error
    return _forecast(
        times, weeks=weeks, enough=enough, slope=fit.slope, is_near=enough & (upper < limits)
    )


def forecast_counts(net: Floats, counts: Floats, limits: Floats) -> Forecast:
    """Forecast when a count reaches a limit: today's count and weekly joins minus leaves.

    The mean drift is drawn from its t distribution, widened as above; the weeks to come differ
    from it as past weeks did (drawn with replacement).
    """
    net = since_last_shift(_last(net))
    known = np.isfinite(net)
    weeks = known.sum(axis=1)
    enough = weeks >= LEAST_WEEKS
    safe = np.maximum(weeks, 2)
    drift = np.sum(net, axis=1, where=known) / safe
    residuals = np.where(known, net - drift[:, None], 0.0)
    variance = np.sum(residuals**2, axis=1) / (safe - 1)
    error = np.sqrt(variance / safe * _widening(_rho(np.where(known, residuals, np.nan))))
    draws = _draws()
    degrees = safe - 1
    scale = np.sqrt(degrees[:, None] / draws.chi_square.T[degrees - 1])
    drifts = drift[:, None] + error[:, None] * draws.normal[:, 0] * scale
    # The known weeks side by side, so that a draw is a place among them.
    order = np.argsort(~known, axis=1, kind="stable")
    packed = np.take_along_axis(residuals, order, axis=1)
    times = np.full(drifts.shape, np.inf)
    gone = np.zeros(drifts.shape)
    for week in range(1, MOST_WEEKS + 1):
        place = np.floor(draws.uniform[:, week - 1] * safe[:, None]).astype(np.int64)
        gone += drifts + np.take_along_axis(packed, place, axis=1)
        arrived = np.isinf(times) & (counts[:, None] + gone >= limits[:, None])
        times[arrived] = week
    times[counts >= limits] = 0.0
    return _forecast(
        times, weeks=weeks, enough=enough, slope=drift, is_near=enough & (counts < limits)
    )


def twice(likely: Booleans) -> Booleans:
    """Whether it is likely at this evaluation and was at the one before; columns in time order."""
    before = np.zeros_like(likely)
    before[:, 1:] = likely[:, :-1]
    return likely & before


def logit(shares: Floats, n: Floats) -> Floats:
    """Shares on the scale on which they have no ends; of counts, half a case to each side."""
    counted = np.where(np.isfinite(n) & (n > 0), n, np.inf)
    with np.errstate(invalid="ignore"):
        moved = np.where(np.isinf(counted), shares, (shares * counted + 0.5) / (counted + 1))
    inside = np.clip(moved, 0.005, 0.995)
    odds: Floats = np.log(inside / (1 - inside))
    return odds


def in_words(*, low: float, middle: float, high: float, horizon: int) -> str:
    """A crossing time for people: 'about 20 weeks (90 %: 9 to beyond 26)'."""
    if low > horizon:
        return f"not within {horizon} weeks (95 % sure)"

    def weeks(value: float) -> str:
        return f"beyond {horizon}" if value > horizon else f"{max(round(value), 1)}"

    unit = "week" if weeks(middle) == "1" else "weeks"
    about = f"{weeks(middle)} {unit}" if middle > horizon else f"about {weeks(middle)} {unit}"
    return f"{about} (90 %: {weeks(low)} to {weeks(high)})"


def since_last_shift(values: Floats) -> Floats:
    """The series without what lies before its last shift of level: NaN there.

    A shift is a step beside level and slope; searched for twice, the second time in what is left.
    """
    for _ in range(2):
        first = _last_shift(values)
        if not first.any():
            break
        values = np.where(np.arange(values.shape[1]) < first[:, None], np.nan, values)
    return values


def _last(values: Floats) -> Floats:
    """The last weeks of each series, as many as a forecast may use."""
    if values.shape[1] >= MOST_WEEKS:
        return values[:, -MOST_WEEKS:]
    short = MOST_WEEKS - values.shape[1]
    return np.pad(values, ((0, 0), (short, 0)), constant_values=np.nan)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Level (at the last week) and slope; `middle` and `spread` are those of the weeks used."""

    weeks: Integers  # at least 1, to divide by
    middle: Floats
    spread: Floats
    level: Floats
    slope: Floats
    residuals: Floats  # NaN where there is no value


def _fit(values: Floats) -> _Fit:
    known = np.isfinite(values)
    weeks = known.sum(axis=1)
    safe = np.maximum(weeks, 1)
    x = np.arange(values.shape[1]) - (values.shape[1] - 1.0)
    middle = (known * x).sum(axis=1) / safe
    mean = np.sum(values, axis=1, where=known) / safe
    away = (x - middle[:, None]) * known
    spread = np.maximum(np.sum(away**2, axis=1), 1.0)
    slope = np.sum(away * np.where(known, values, 0.0), axis=1) / spread
    level = mean - slope * middle
    residuals = values - level[:, None] - slope[:, None] * x
    residuals[np.abs(residuals) < _STRAIGHT] = 0.0
    return _Fit(safe, middle, spread, level, slope, np.where(known, residuals, np.nan))


def _last_shift(values: Floats) -> Integers:
    """The first week after the greatest shift of each series; 0 where there is none."""
    fit = _fit(values)
    known = np.isfinite(values)
    residuals = np.where(known, fit.residuals, 0.0)
    columns = np.arange(values.shape[1])
    away = (columns - (values.shape[1] - 1.0) - fit.middle[:, None]) * known
    best = np.zeros(len(values))
    first = np.zeros(len(values), dtype=np.int64)
    left = residuals.copy()
    for column in range(LEAST_SIDE, values.shape[1] - LEAST_SIDE + 1):
        after = known * (columns >= column)
        later = after.sum(axis=1)
        # The step as far as level and slope do not follow it.
        step = (after - (later / fit.weeks)[:, None]) * known
        step -= (np.sum(step * away, axis=1) / fit.spread)[:, None] * away
        size = np.sum(step**2, axis=1)
        height = np.sum(step * residuals, axis=1) / np.maximum(size, _STRAIGHT)
        gain = np.where(
            (later >= LEAST_SIDE) & (fit.weeks - later >= LEAST_SIDE), height**2 * size, 0.0
        )
        better = gain > best + _STRAIGHT
        best = np.where(better, gain, best)
        first = np.where(better, column, first)
        left = np.where(better[:, None], residuals - height[:, None] * step, left)
    degrees = np.maximum(fit.weeks - 3, 1)
    rho = _rho(np.where(known, left, np.nan))
    # Three fitted parameters hide autocorrelation in a short series.
    hidden = np.clip((fit.weeks * rho + 3) / np.maximum(fit.weeks - 5, 1), 0, _HIGHEST_RHO)
    noise = np.sum(left**2, axis=1) / degrees * _widening(hidden)
    first[best <= SHIFT**2 * np.maximum(noise, _STRAIGHT)] = 0
    return first


def _rho(residuals: Floats) -> Floats:
    """The autocorrelation at one week, over weeks that follow each other; at least 0."""
    known = np.isfinite(residuals)
    found = np.where(known, residuals, 0.0)
    pairs = known[:, 1:] & known[:, :-1]
    together = np.sum(found[:, 1:] * found[:, :-1], axis=1)
    total = np.sum(found**2, axis=1)
    share = together / np.where(total > 0, total, 1.0)
    share *= known.sum(axis=1) / np.maximum(pairs.sum(axis=1), 1)
    rho: Floats = np.clip(share, 0.0, _HIGHEST_RHO)
    return rho


def _widening(rho: Floats) -> Floats:
    return (1 + rho) / (1 - rho)


def _forecast(
    times: Floats, *, weeks: Integers, enough: Booleans, slope: Floats, is_near: Booleans
) -> Forecast:
    horizon = np.minimum(MOST_WEEKS, weeks)
    probability = np.mean(times <= horizon[:, None], axis=1)
    # An order statistic: between a time and never there is nothing to interpolate.
    ordered = np.sort(times, axis=1)
    low, middle, high = (
        np.where(enough, ordered[:, min(int(level * DRAWS), DRAWS - 1)], np.nan)
        for level in _NINETY
    )
    return Forecast(
        weeks=weeks,
        horizon=horizon,
        probability=np.where(enough, probability, np.nan),
        low=low,
        middle=middle,
        high=high,
        slope=np.where(enough, slope, np.nan),
        is_near=is_near,
    )


@dataclass(frozen=True, slots=True)
class _Draws:
    normal: Floats  # two columns
    chi_square: Floats  # column d − 1: with d degrees of freedom
    uniform: Floats  # one column a week


@cache
def _draws() -> _Draws:
    """The draws every forecast uses: seeded, so that equal data give equal tables."""
    generator = np.random.default_rng(_SEED)
    normal = generator.standard_normal((DRAWS, 2))
    squares = generator.standard_normal((DRAWS, MOST_WEEKS)) ** 2
    return _Draws(normal, np.cumsum(squares, axis=1), generator.random((DRAWS, MOST_WEEKS)))


def _t_quantile(degrees: Integers) -> Floats:
    # Not scipy.stats: importing it costs two seconds in every process that builds.
    from scipy.special import stdtrit

    quantiles: Floats = stdtrit(degrees.astype(np.float64), 0.975)
    return quantiles
