"""What the estimate of avoided tickets is worth: power, false claims and coverage, simulated.

Weekly tickets are negative binomial with a given variance over mean, and follow each other with a
given correlation (a Gaussian copula over an autoregressive series). Twelve weeks before, three of
adoption, twelve after, as a team a quarter after a launch has them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom, norm

from benchmarks.result import Result
from pipelines import deflection
from pipelines.deflection import Effect, Weeks

SERIES = 1_000
BEFORE, ADOPTION, AFTER = 12, 3, 12
LONG = 30
MEAN = 60.0
DROP = 0.3

Floats = NDArray[np.float64]


def run(scale: float = 1.0) -> Iterator[Result]:
    """In per cent of the simulated series, cell by cell."""
    series = max(round(SERIES * scale), 20)
    for spread in (2.0, 4.0):
        for rho in (0.0, 0.4):
            cell = f"variance/mean {spread:g}, ρ {rho:g}"
            yield from _short(cell, spread, rho, series)
    for spread, rho in ((2.0, 0.4), (4.0, 0.4)):
        cell = f"variance/mean {spread:g}, ρ {rho:g}"
        yield from _long(cell, spread, rho, series)
        yield from _against(cell, spread, rho, series)


def _short(cell: str, spread: float, rho: float, series: int) -> Iterator[Result]:
    """A quarter before and after: the level decides, the trend must not undo it."""
    weeks = Weeks.around(BEFORE, ADOPTION, AFTER)
    engineers = np.full((series, len(weeks.number)), 50.0)
    found = {}
    for drop in (DROP, 0.0):
        tickets = _tickets(weeks, drop, spread, rho, series, seed=35)
        level = deflection.counted(tickets, engineers, weeks)
        trend = deflection.counted(tickets, engineers, weeks, with_trend=True)
        found[drop] = level, deflection.is_claimed(level, trend, weeks)
    level, claimed = found[DROP]
    # Widely spread weeks cannot show such a drop any better: see the decision record.
    least = 65 if spread <= 2 else None
    yield Result(
        f"power for −30 %, {cell}", _share(claimed & (level.avoided > 0)), "%", None, least
    )
    alone = (level.avoided_low > 0) | (level.avoided_high < 0)
    yield Result(f"power without the trend's word, {cell}", _share(alone), "%")
    yield Result(f"coverage at −30 %, {cell}", _covered(level, DROP), "%", 98, 88)
    level, claimed = found[0.0]
    yield Result(
        f"no effect, a drop is claimed, {cell}", _share(claimed & (level.avoided > 0)), "%", 7
    )
    yield Result(f"no effect, drop or rise is claimed, {cell}", _share(claimed), "%")
    yield Result(f"coverage at no effect, {cell}", _covered(level, 0.0), "%", 98, 88)


def _long(cell: str, spread: float, rho: float, series: int) -> Iterator[Result]:
    """Half a year and more before: level and trend decide, whatever drifts."""
    weeks = Weeks.around(LONG, ADOPTION, AFTER)
    engineers = np.full((series, len(weeks.number)), 50.0)
    drift = np.exp(-0.01 * weeks.number)
    tickets = _tickets(weeks, 0.0, spread, rho, series, seed=36, drift=drift)
    trend = deflection.counted(tickets, engineers, weeks, with_trend=True)
    claimed = deflection.is_claimed(trend, trend, weeks)
    name = f"−1 % a week and no effect, {LONG} weeks before"
    yield Result(
        f"{name}, a drop is claimed, {cell}", _share(claimed & (trend.avoided > 0)), "%", 7
    )
    yield Result(f"{name}, coverage, {cell}", _covered(trend, 0.0), "%", 98, 88)


def _against(cell: str, spread: float, rho: float, series: int) -> Iterator[Result]:
    """Both series drift; only one of them has the drop."""
    weeks = Weeks.around(BEFORE, ADOPTION, AFTER)
    drift = np.exp(-0.02 * weeks.number)
    other = _tickets(weeks, 0.0, spread, rho, series, seed=37, drift=drift)
    tickets = _tickets(weeks, 0.0, spread, rho, series, seed=38, drift=drift)
    level = deflection.compared(tickets, other, weeks)
    trend = deflection.compared(tickets, other, weeks, with_trend=True)
    claimed = deflection.is_claimed(level, trend, weeks) & (level.avoided > 0)
    name = "−2 % a week and no effect, against a comparison"
    yield Result(f"{name}, a drop is claimed, {cell}", _share(claimed), "%", 7)
    yield Result(f"{name}, coverage, {cell}", _covered(level, 0.0), "%", 98, 88)


def _tickets(
    weeks: Weeks,
    drop: float,
    spread: float,
    rho: float,
    series: int,
    *,
    seed: int,
    drift: Floats | float = 1.0,
) -> Floats:
    chance = np.random.default_rng(seed)
    length = len(weeks.number)
    latent = chance.standard_normal((series, length))
    for week in range(1, length):
        latent[:, week] = rho * latent[:, week - 1] + np.sqrt(1 - rho**2) * latent[:, week]
    mean = MEAN * np.where(weeks.is_after, 1 - drop, 1.0) * drift
    counts: Floats = nbinom.ppf(norm.cdf(latent), mean / (spread - 1), 1 / spread).astype(
        np.float64
    )
    return counts


def _covered(effect: Effect, drop: float) -> float:
    return _share((effect.rate_low <= drop) & (effect.rate_high >= drop))


def _share(values: NDArray[np.bool_]) -> float:
    return 100 * float(values.mean())
