"""Forecasts: what is warned of, what is not, and how it is said."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.trending import (
    LEAST_WEEKS,
    MOST_WEEKS,
    Floats,
    forecast_counts,
    forecast_levels,
    in_words,
    logit,
    since_last_shift,
    twice,
)

HUNDREDTHS = st.integers(-5000, 5000).map(lambda count: count / 100)
WEEKS = np.arange(MOST_WEEKS, dtype=np.float64)


def noise(seed: int = 3, weeks: int = MOST_WEEKS) -> Floats:
    """Weeks of standard deviation 1."""
    return np.random.default_rng(seed).normal(size=weeks)


def row(values: Floats) -> Floats:
    """One series."""
    return np.asarray(values, dtype=np.float64)[None, :]


def test_a_straight_line_crosses_when_it_does() -> None:
    """Without noise every draw is the line itself."""
    found = forecast_levels(row(WEEKS), np.array([35.0]))
    assert found.probability.tolist() == [1.0]
    assert found.middle[0] == pytest.approx(10)
    assert found.low[0] == pytest.approx(found.high[0])
    assert found.is_likely.tolist() == [True]


def test_a_line_that_falls_or_stays_never_crosses() -> None:
    """What moves away has no time of crossing."""
    found = forecast_levels(np.vstack([-WEEKS, 0 * WEEKS]), np.array([5.0, 1.0]))
    assert found.probability.tolist() == [0.0, 0.0]
    assert np.isinf(found.middle).all()
    assert not found.is_likely.any()


def test_what_is_beyond_the_limit_is_not_on_its_way() -> None:
    """A level past the limit crosses at once, but is not on the near side."""
    found = forecast_levels(row(10 + noise()), np.array([5.0]))
    assert found.probability.tolist() == [1.0]
    assert found.middle.tolist() == [0.0]
    assert found.is_near.tolist() == [False]
    assert found.is_likely.tolist() == [False]


def test_fewer_than_twelve_weeks_give_no_forecast() -> None:
    """Eleven weeks say nothing, twelve do, and the horizon is as long as they are."""
    eleven, twelve = (forecast_levels(row(WEEKS[-n:]), np.array([30.0])) for n in (11, 12))
    assert np.isnan(eleven.probability).all()
    assert not eleven.is_likely.any()
    assert (twelve.weeks[0], twelve.horizon[0]) == (LEAST_WEEKS, LEAST_WEEKS)
    assert twelve.probability.tolist() == [1.0]


def test_the_horizon_ends_a_forecast() -> None:
    """A line that crosses after 20 weeks does so beyond a horizon of 12."""
    found = forecast_levels(row(WEEKS[:12]), np.array([11.0 + 20]))
    assert found.probability.tolist() == [0.0]
    assert found.middle[0] == pytest.approx(20)


def test_weeks_without_a_value_keep_their_place() -> None:
    """A gap is no week less: the line goes on at its slope."""
    gapped = WEEKS.copy()
    gapped[[3, 4, 11]] = math.nan
    found = forecast_levels(row(gapped), np.array([35.0]))
    assert found.weeks.tolist() == [23]
    assert found.middle[0] == pytest.approx(10)


def test_older_weeks_are_not_asked() -> None:
    """Only the last 26 weeks count."""
    longer = row(np.concatenate([[500.0, -500.0], WEEKS]))
    limits = np.array([40.0])
    assert forecast_levels(longer, limits).middle == forecast_levels(row(WEEKS), limits).middle


def test_weeks_before_a_shift_are_left_out() -> None:
    """A step is no slope: what comes after it is flat."""
    stepped = noise() * 0.3 + np.where(WEEKS >= 13, 4.0, 0.0)
    kept = since_last_shift(row(stepped))
    assert np.isfinite(kept).sum() == 13
    assert not forecast_levels(row(stepped), np.array([5.5])).is_likely.any()
    ramp = noise() * 0.3 + 0.25 * WEEKS
    assert np.isfinite(since_last_shift(row(ramp))).all()


def test_autocorrelation_widens() -> None:
    """The same slope is less sure where weeks remember the week before."""
    calm = np.tile([1.0, -1.0], 13)
    slow = np.repeat(np.tile([1.0, -1.0], 4), 4)[:MOST_WEEKS]
    found = forecast_levels(0.12 * WEEKS + np.vstack([calm, slow]), np.array([5.0, 5.0]))
    assert found.high[1] - found.low[1] > found.high[0] - found.low[0]


def test_counts_grow_from_today() -> None:
    """One more a week from 40 reaches 50 in about ten weeks, more or less."""
    net = 1 + np.tile([1.0, -1.0], 13)
    found = forecast_counts(row(net), np.array([40.0]), np.array([50.0]))
    assert found.probability[0] > 0.9
    assert 8 <= found.middle[0] <= 12
    assert found.low[0] < found.middle[0] < found.high[0]
    later = forecast_counts(row(net), np.array([20.0]), np.array([50.0]))
    assert later.probability[0] < 0.5
    assert not later.is_likely.any()


def test_a_count_beyond_is_not_on_its_way() -> None:
    """Who has 50 is not about to have them."""
    found = forecast_counts(row(np.ones(MOST_WEEKS)), np.array([50.0]), np.array([50.0]))
    assert found.is_likely.tolist() == [False]
    assert found.middle.tolist() == [0.0]


def test_two_evaluations_in_a_row() -> None:
    """One is not enough, and a gap begins anew."""
    likely = np.array([[True, True, False, True, True, True]])
    assert twice(likely).tolist() == [[False, True, False, False, True, True]]


def test_shares_lose_their_ends() -> None:
    """No count is certainty: none of four is not never; an even share stays in the middle."""
    shares, n = np.array([[0.0, 1.0, 0.5]]), np.array([[4.0, 4.0, math.nan]])
    odds = logit(shares, n)[0]
    assert odds[0] == pytest.approx(math.log(0.1 / 0.9))
    assert odds[0] == pytest.approx(-odds[1])
    assert odds[2] == 0


@pytest.mark.parametrize(
    ("times", "horizon", "words"),
    [
        ((9, 20, math.inf), 26, "about 20 weeks (90 %: 9 to beyond 26)"),
        ((0.2, 1.2, 3.4), 26, "about 1 week (90 %: 1 to 3)"),
        ((13, 31, 90), 26, "beyond 26 weeks (90 %: 13 to beyond 26)"),
        ((15, math.inf, math.inf), 14, "not within 14 weeks (95 % sure)"),
    ],
)
def test_words(times: tuple[float, float, float], horizon: int, words: str) -> None:
    """A time of crossing as people say it, never more exact than it is."""
    low, middle, high = times
    assert in_words(low=low, middle=middle, high=high, horizon=horizon) == words


@given(
    values=arrays(
        np.float64,
        (3, MOST_WEEKS),
        elements=st.one_of(st.just(math.nan), HUNDREDTHS),
    ),
    limit=HUNDREDTHS,
)
def test_any_series_has_an_honest_forecast(values: Floats, limit: float) -> None:
    """No error, a probability or none, times in order; and each row is its own."""
    limits = np.full(3, limit)
    counts = np.full(3, limit - 5)
    for found, alone in (
        (forecast_levels(values, limits), forecast_levels(values[1:2], limits[:1])),
        (
            forecast_counts(values, counts, limits),
            forecast_counts(values[1:2], counts[:1], limits[:1]),
        ),
    ):
        told = np.isfinite(found.probability)
        assert (told == (np.isfinite(since_last_shift(values)).sum(axis=1) >= LEAST_WEEKS)).all()
        assert ((found.probability[told] >= 0) & (found.probability[told] <= 1)).all()
        assert (found.low[told] <= found.middle[told]).all()
        assert (found.middle[told] <= found.high[told]).all()
        assert not found.is_likely[~told].any()
        assert found.probability[1:2] == pytest.approx(alone.probability, nan_ok=True)
