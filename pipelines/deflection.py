"""Interrupted time series of weekly tickets: what a launch took away, many series at once.

Every function takes rows of series over the same weeks (series × weeks) and gives one number a
series. The weeks of the adoption window are among them: what was expected is told for them too,
but nothing is learned from them.
Definitions and the choices made within them: docs/thresholds.md, docs/decisions/0035 and 0036.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.estimates import CONFIDENCE

DRAWS = 4_000
POWER = 0.8
SHORT_HISTORY = 26
"""With fewer weeks before the launch, the level alone decides."""
RULE_OF_THREE = 3.0
LARGEST_AUTOCORRELATION = 0.9

_SEED = 35
_TINY = np.finfo(np.float64).tiny
_BLOCK = 25
_STEPS = 50
_TAIL = (1 - CONFIDENCE) / 2

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks of a series: their numbers, which are used, and which come after the launch."""

    number: Floats
    is_used: Bools
    is_after: Bools

    @classmethod
    def around(cls, before: int, adoption: int, after: int) -> "Weeks":
        """So many weeks before, within the adoption window, and after it."""
        number = np.arange(before + adoption + after, dtype=np.float64)
        is_after = number >= before + adoption
        return cls(number, (number < before) | is_after, is_after)

    @property
    def before(self) -> int:
        """How many of the weeks used come before the launch."""
        return int((self.is_used & ~self.is_after).sum())

    def design(self, *, with_trend: bool) -> Floats:
        """Columns: one, after the launch, and the week's number where there is a trend."""
        columns = [np.ones(len(self.number)), self.is_after.astype(np.float64)]
        if with_trend:
            columns.append(self.number - self.number[self.is_used].mean())
        return np.column_stack(columns)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a launch changed, a row a series; avoided tickets are negative where there were more."""

    avoided: Floats
    avoided_low: Floats
    avoided_high: Floats
    rate: Floats  # avoided of what was expected
    rate_low: Floats
    rate_high: Floats
    expected: Floats
    log_ratio: Floats
    error: Floats
    degrees: int
    dispersion: Floats
    autocorrelation: Floats
    without: Floats  # series × weeks: expected without the launch
    without_low: Floats
    without_high: Floats

    def smallest_drop(self) -> Floats:
        """The drop that such data would have shown in four of five cases."""
        # Not scipy.stats: importing it costs two seconds in every process that builds.
        from scipy.special import stdtrit

        reach = stdtrit(self.degrees, 1 - _TAIL) + stdtrit(self.degrees, POWER)
        drop: Floats = -np.expm1(-float(reach) * self.error)
        return drop


def counted(
    tickets: Floats, engineers: Floats, weeks: Weeks, *, with_trend: bool = False
) -> Effect:
    """Quasi-Poisson with log(engineers) as offset, from joint t draws of its coefficients.

    The dispersion is at least 1; the covariance is times (1 + ρ) / (1 − ρ).
    """
    design = weeks.design(with_trend=with_trend)
    fit = _fitted(design, tickets, np.log(engineers), weeks.number, weeks.is_used)
    return _effect(fit, design, _without(design), engineers, weeks.is_after)


def compared(
    tickets: Floats,
    comparison: Floats,
    weeks: Weeks,
    *,
    with_trend: bool = False,
    headcount_ratio: Floats | None = None,
) -> Effect:
    """Least squares on log((Y + ½) / (C + ½)) against a series that the launch did not touch.

    `headcount_ratio`: engineers behind the tickets over those behind the comparison, where these
    are not the same people.
    """
    design = weeks.design(with_trend=with_trend)
    people = np.ones_like(tickets) if headcount_ratio is None else headcount_ratio
    scale = (comparison + 0.5) * people
    used = design[weeks.is_used]
    y = np.log((tickets + 0.5) / scale)[:, weeks.is_used]
    inverse = np.linalg.inv(used.T @ used)
    beta = y @ used @ inverse
    residuals = y - beta @ used.T
    degrees = used.shape[0] - used.shape[1]
    variance = (residuals**2).sum(axis=1) / degrees
    rho = autocorrelation(residuals, weeks.number[weeks.is_used])
    covariance = inverse[None] * _inflated(variance, rho)[:, None, None]
    fit = _Fit(beta, covariance, degrees, variance, rho)
    return _effect(fit, design, _without(design), scale, weeks.is_after)


def vanished(
    tickets: Floats, engineers: Floats, weeks: Weeks, *, with_trend: bool = False
) -> Effect:
    """For series without a single ticket after the launch, whose level has no logarithm.

    What was expected comes from the weeks before alone; what may have gone unseen since, from the
    rule of three: an exponential total whose 95 % end is three tickets.
    """
    design = np.delete(weeks.design(with_trend=with_trend), 1, axis=1)
    is_known = weeks.is_used & ~weeks.is_after
    fit = _fitted(design, tickets, np.log(engineers), weeks.number, is_known)
    return _effect(fit, design, design, engineers, weeks.is_after)


def is_claimed(level: Effect, trend: Effect, weeks: Weeks) -> Bools:
    """Whether an effect may be claimed: its interval leaves out 0, and a trend does not undo it.

    With a short history the level decides, and the model with trend must find more than half of
    it, with the same sign; else the model with trend decides.
    """
    if weeks.before >= SHORT_HISTORY:
        return _is_clear(trend)
    agreeing = np.sign(level.avoided) * trend.avoided > 0.5 * np.abs(level.avoided)
    return _is_clear(level) & agreeing


def is_eliminated(tickets_after: float, engineer_weeks: float, rate_before: float) -> bool:
    """Whether none seen means next to none: at most a fifth of the rate there was before."""
    return tickets_after == 0 and RULE_OF_THREE / engineer_weeks < 0.2 * rate_before


def slope_change(tickets: Floats, engineers: Floats, weeks: Weeks) -> Floats:
    """How much steeper the rate runs after the launch, as a factor a week; for reading only."""
    after = weeks.is_after.astype(np.float64)
    since = (weeks.number - weeks.number[weeks.is_after].mean()) * after
    design = np.column_stack([weeks.design(with_trend=True), since])
    used = weeks.is_used
    beta, _, _ = poisson(design[used], tickets[:, used], np.log(engineers[:, used]))
    factor: Floats = np.exp(beta[:, 3])
    return factor


def poisson(design: Floats, counts: Floats, offset: Floats) -> tuple[Floats, Floats, Floats]:
    """Coefficients, inverse information and means of a Poisson model with logarithmic link.

    Iteratively reweighted least squares, all series at once.
    """
    mean = np.maximum(counts, 0.5)
    beta = np.zeros((len(counts), design.shape[1]))
    for _ in range(_STEPS):
        working = np.log(mean) - offset + (counts - mean) / mean
        information = np.einsum("tp,st,tq->spq", design, mean, design)
        score = np.einsum("tp,st->sp", design, mean * working)
        former, beta = beta, np.linalg.solve(information, score[..., None])[..., 0]
        mean = _exp(offset + beta @ design.T)
        if np.abs(beta - former).max() < 1e-10:
            break
    information = np.einsum("tp,st,tq->spq", design, mean, design)
    return beta, np.linalg.inv(information), mean


def autocorrelation(residuals: Floats, number: Floats) -> Floats:
    """ρ between neighbouring weeks, at least 0; short series understate it by (1 + 3ρ) / n."""
    is_next = np.diff(number) == 1
    weeks = residuals.shape[1]
    squares = _nonzero((residuals**2).sum(axis=1))
    products = (residuals[:, 1:] * residuals[:, :-1])[:, is_next].sum(axis=1)
    found = products / squares * weeks / max(int(is_next.sum()), 1)
    corrected: Floats = np.clip(found + (1 + 3 * found) / weeks, 0.0, LARGEST_AUTOCORRELATION)
    return corrected


@dataclass(frozen=True, slots=True)
class _Fit:
    beta: Floats
    covariance: Floats
    degrees: int
    dispersion: Floats
    autocorrelation: Floats


def _fitted(
    design: Floats, tickets: Floats, offset: Floats, number: Floats, is_used: Bools
) -> _Fit:
    used = design[is_used]
    counts = tickets[:, is_used]
    beta, inverse, mean = poisson(used, counts, offset[:, is_used])
    residuals = (counts - mean) / np.sqrt(mean)
    degrees = used.shape[0] - used.shape[1]
    dispersion = np.maximum((residuals**2).sum(axis=1) / degrees, 1.0)
    rho = autocorrelation(residuals, number[is_used])
    covariance = inverse * _inflated(dispersion, rho)[:, None, None]
    return _Fit(beta, covariance, degrees, dispersion, rho)


def _effect(fit: _Fit, design: Floats, without: Floats, scale: Floats, after: Bools) -> Effect:
    """What follows from a fit: `without` is the design as if nothing had been launched.

    Where both are one, nothing was seen after the launch.
    """
    none_seen = without is design
    plain = np.exp(fit.beta @ without.T) * scale
    happened = np.zeros_like(plain) if none_seen else np.exp(fit.beta @ design.T) * scale
    expected = plain[:, after].sum(axis=1)
    avoided = expected - happened[:, after].sum(axis=1)
    rows = len(plain)
    ends = np.empty((4, rows))
    band = np.empty((2, *plain.shape))
    steps = _steps(design.shape[1], fit.degrees)
    unseen = -np.log1p(-_quasi_uniform(DRAWS)) if none_seen else None
    for start in range(0, rows, _BLOCK):
        block = slice(start, min(start + _BLOCK, rows))
        roots = np.linalg.cholesky(fit.covariance[block] + 1e-15 * np.eye(design.shape[1]))
        drawn = fit.beta[block, None, :] + np.einsum("dq,spq->sdp", steps, roots)
        means = _exp(drawn @ without.T) * scale[block, None, :]
        total = means[:, :, after].sum(axis=2)
        if unseen is None:
            seen = (_exp(drawn @ design[after].T) * scale[block][:, None, after]).sum(axis=2)
        else:
            seen = fit.dispersion[block, None] * unseen[None]
        band[:, block] = np.quantile(means, [_TAIL, 1 - _TAIL], axis=1)
        ends[:2, block] = np.quantile(total - seen, [_TAIL, 1 - _TAIL], axis=1)
        ends[2:, block] = np.quantile(1 - seen / total, [_TAIL, 1 - _TAIL], axis=1)
    missing = np.full(rows, np.nan)
    return Effect(
        avoided=avoided,
        avoided_low=ends[0],
        avoided_high=ends[1],
        rate=avoided / expected,
        rate_low=ends[2],
        rate_high=ends[3],
        expected=expected,
        log_ratio=missing if none_seen else fit.beta[:, 1],
        error=missing if none_seen else np.sqrt(fit.covariance[:, 1, 1]),
        degrees=fit.degrees,
        dispersion=fit.dispersion,
        autocorrelation=fit.autocorrelation,
        without=plain,
        without_low=band[0],
        without_high=band[1],
    )


def _steps(width: int, degrees: int) -> Floats:
    """The same t steps for every series and every build, each with its mirror image."""
    chance = np.random.default_rng(_SEED)
    half = chance.standard_normal((DRAWS // 2, width))
    spread = np.sqrt(degrees / chance.chisquare(degrees, DRAWS // 2))[:, None]
    return np.concatenate([half * spread, -half * spread])


def _quasi_uniform(count: int) -> Floats:
    """Evenly spread numbers between 0 and 1 in an order that goes with nothing."""
    order = np.random.default_rng(_SEED + 1).permutation(count)
    return (order + 0.5) / count


def _exp(logarithm: Floats) -> Floats:
    """Draws of a slope that nothing bounds run far out; beyond e³⁰ tickets all is the same."""
    return np.exp(np.clip(logarithm, -30, 30))


def _inflated(variance: Floats, rho: Floats) -> Floats:
    return variance * (1 + rho) / (1 - rho)


def _without(design: Floats) -> Floats:
    plain = design.copy()
    plain[:, 1] = 0
    return plain


def _is_clear(effect: Effect) -> Bools:
    clear: Bools = (effect.avoided_low > 0) | (effect.avoided_high < 0)
    return clear


def _nonzero(values: Floats) -> Floats:
    return np.where(values == 0, _TINY, values)
