"""Interrupted time series: against statsmodels, by what they must do, and with seeded truth."""

import warnings

import numpy as np
import pytest

from pipelines import deflection
from pipelines.deflection import Weeks

WEEKS = Weeks.around(12, 3, 12)


def _series(mean: float, drop: float, seed: int = 1, weeks: Weeks = WEEKS) -> np.ndarray:
    chance = np.random.default_rng(seed)
    means = mean * np.where(weeks.is_after, 1 - drop, 1.0)
    return chance.poisson(means)[None].astype(float)


def _people(count: float = 50.0, weeks: Weeks = WEEKS) -> np.ndarray:
    return np.full((1, len(weeks.number)), count)


@pytest.mark.parametrize("with_trend", [False, True])
def test_the_model_is_that_of_statsmodels(with_trend: bool) -> None:
    """Coefficients, their covariance and the dispersion are those of a quasi-Poisson GLM."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api as sm
    chance = np.random.default_rng(4)
    tickets = chance.negative_binomial(20, 0.25, (5, 27)).astype(float)
    engineers = np.linspace(40, 70, 27)[None].repeat(5, axis=0)
    design = WEEKS.design(with_trend=with_trend)[WEEKS.is_used]
    found = deflection.poisson(
        design, tickets[:, WEEKS.is_used], np.log(engineers[:, WEEKS.is_used])
    )
    effect = deflection.counted(tickets, engineers, WEEKS, with_trend=with_trend)
    for row in range(5):
        theirs = sm.GLM(
            tickets[row, WEEKS.is_used],
            design,
            family=sm.families.Poisson(),
            offset=np.log(engineers[row, WEEKS.is_used]),
        ).fit(scale="X2", tol=1e-12)
        assert np.allclose(found[0][row], theirs.params, rtol=1e-8)
        spread = max(theirs.scale, 1.0)
        assert effect.dispersion[row] == pytest.approx(spread, rel=1e-8)
        assert np.allclose(found[1][row] * theirs.scale, theirs.cov_params(), rtol=1e-6)
        rho = effect.autocorrelation[row]
        error = np.sqrt(theirs.cov_params()[1, 1] / theirs.scale * spread * (1 + rho) / (1 - rho))
        assert effect.error[row] == pytest.approx(error, rel=1e-6)


def test_a_launch_that_takes_a_third_away_is_found() -> None:
    """The interval holds the truth, leaves out none, and the trend agrees."""
    tickets = _series(60, 0.3)
    level = deflection.counted(tickets, _people(), WEEKS)
    trend = deflection.counted(tickets, _people(), WEEKS, with_trend=True)
    assert level.avoided_low[0] > 0
    assert level.rate_low[0] < 0.3 < level.rate_high[0]
    assert deflection.is_claimed(level, trend, WEEKS)[0]
    assert level.avoided[0] == pytest.approx(level.expected[0] - tickets[0, WEEKS.is_after].sum())


def test_growth_of_the_organisation_is_no_effect() -> None:
    """As many tickets from twice as many engineers were avoided; twice as many were not."""
    people = _people()
    people[:, WEEKS.is_after] *= 2
    same = deflection.counted(_series(60, 0.0, seed=2), people, WEEKS)
    assert same.rate[0] == pytest.approx(0.5, abs=0.1)
    grown = deflection.counted(_series(60, -1.0, seed=2), people, WEEKS)
    assert grown.avoided_low[0] < 0 < grown.avoided_high[0]


def test_more_tickets_are_avoided_ones_below_zero() -> None:
    """Nothing is cut off at zero."""
    more = deflection.counted(_series(40, -0.8), _people(), WEEKS)
    assert more.avoided_high[0] < 0
    assert more.rate[0] < -0.5


def test_a_steady_drift_is_claimed_by_the_level_but_undone_by_the_trend() -> None:
    """What falls by itself is no effect."""
    tickets = np.round(200 * np.exp(-0.03 * WEEKS.number))[None]
    level = deflection.counted(tickets, _people(), WEEKS)
    trend = deflection.counted(tickets, _people(), WEEKS, with_trend=True)
    assert level.avoided_low[0] > 0
    assert not deflection.is_claimed(level, trend, WEEKS)[0]


def test_with_half_a_year_before_the_trend_decides() -> None:
    """A long history needs no guess about its drift."""
    weeks = Weeks.around(30, 3, 12)
    falling = np.round(300 * np.exp(-0.02 * weeks.number))[None]
    people = _people(weeks=weeks)
    level = deflection.counted(falling, people, weeks)
    trend = deflection.counted(falling, people, weeks, with_trend=True)
    assert level.rate[0] > 0.3
    assert not deflection.is_claimed(level, trend, weeks)[0]
    dropped = falling * np.where(weeks.is_after, 0.6, 1.0)
    trend = deflection.counted(np.round(dropped), people, weeks, with_trend=True)
    assert deflection.is_claimed(level, trend, weeks)[0]
    assert trend.rate[0] == pytest.approx(0.4, abs=0.03)


def test_a_comparison_takes_out_what_moves_both() -> None:
    """Where everything falls, only what falls more than the rest was avoided."""
    drift = np.where(WEEKS.is_after, 0.6, 1.0)
    tickets, other = np.round(60 * drift)[None], np.round(80 * drift)[None]
    assert abs(deflection.compared(tickets, other, WEEKS).rate[0]) < 0.02
    tickets = np.round(60 * drift * np.where(WEEKS.is_after, 0.7, 1.0))[None]
    assert deflection.compared(tickets, other, WEEKS).rate[0] == pytest.approx(0.3, abs=0.02)


def test_a_comparison_by_other_people_counts_heads() -> None:
    """Twice the people with it, as many without: as many tickets are half of the rate."""
    flat = np.full((1, 27), 50.0)
    heads = np.where(WEEKS.is_after, 2.0, 1.0)[None]
    found = deflection.compared(flat, flat, WEEKS, headcount_ratio=heads)
    assert found.rate[0] == pytest.approx(0.5, abs=0.01)


def test_none_seen_since_is_all_that_was_expected() -> None:
    """Without a ticket after the launch there is a number too, open by the rule of three."""
    tickets = _series(5, 0.0)
    tickets[:, WEEKS.is_after] = 0
    found = deflection.vanished(tickets, _people(), WEEKS)
    assert found.rate[0] == 1
    assert 0.8 < found.rate_low[0] < 1
    assert found.avoided_low[0] > 0
    assert deflection.is_eliminated(0, 600, 0.1)
    assert not deflection.is_eliminated(0, 600, 0.02)
    assert not deflection.is_eliminated(1, 600, 0.1)


def test_the_smallest_drop_shrinks_with_more_tickets() -> None:
    """Few tickets cannot show a small drop; ten times as many show a third of it."""
    few = deflection.counted(_series(4, 0.0), _people(), WEEKS).smallest_drop()[0]
    many = deflection.counted(_series(400, 0.0), _people(), WEEKS).smallest_drop()[0]
    assert many < 0.1
    assert 0.35 < few < 1


def test_the_same_series_gives_the_same_numbers() -> None:
    """Draws are seeded; a series does not depend on those beside it."""
    tickets = np.concatenate([_series(60, 0.3, seed) for seed in range(40)])
    people = _people().repeat(40, axis=0)
    together = deflection.counted(tickets, people, WEEKS)
    alone = deflection.counted(tickets[-1:], people[-1:], WEEKS)
    assert together.avoided_low[-1] == pytest.approx(alone.avoided_low[0], rel=1e-9)
    again = deflection.counted(tickets, people, WEEKS)
    assert (together.avoided_low == again.avoided_low).all()


def test_neighbouring_weeks_that_go_together_widen_the_interval() -> None:
    """ρ is that of neighbours only, and never below 0."""
    waves = 60 + 15 * np.sin(WEEKS.number * 0.9)
    calm = deflection.counted(np.round(waves)[None], _people(), WEEKS)
    assert calm.autocorrelation[0] > 0.4
    zigzag = 60 + 15 * (-1.0) ** WEEKS.number
    assert deflection.counted(zigzag[None], _people(), WEEKS).autocorrelation[0] == 0


def test_a_steeper_fall_after_the_launch_shows_as_slope() -> None:
    """The slope is told as a factor a week."""
    after = np.where(WEEKS.is_after, WEEKS.number - 15, 0)
    tickets = np.round(2000 * np.exp(-0.05 * after))[None]
    assert deflection.slope_change(tickets, _people(), WEEKS)[0] == pytest.approx(0.951, abs=0.01)
