"""Intervals and survival: against numpy, scipy, the formulas word for word, and simulation."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.estimates import (
    QUANTILE_SCHEMA,
    kaplan_meier,
    minimum_n,
    quantile_intervals,
    rank_table,
    rate_interval,
    wilson_interval,
)

LEVELS = (0.5, 0.75, 0.9)
VALUES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 10**12)), max_size=120
)


def _frame(rows: list[tuple[int, int, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"cell": pl.Int64, "cluster": pl.Int64, "x": pl.Float64}, orient="row"
    )


def _naive_woodruff(
    rows: list[tuple[int, float]], level: float
) -> tuple[float | None, float | None]:
    """The clustered interval as the definition writes it, one cell at a time."""
    x = np.array([value for _, value in rows])
    quantile = np.quantile(x, level)
    clusters = {cluster for cluster, _ in rows}
    groups, size = len(clusters), len(rows)
    if groups < 2:
        return None, None
    u = [
        sum((value <= quantile) - level for each, value in rows if each == cluster)
        for cluster in clusters
    ]
    squares = groups / (groups - 1) * sum(value**2 for value in u) / size**2
    half = stats.t.ppf(0.975, groups - 1) * math.sqrt(max(squares, level * (1 - level) / size))
    low, high = level - half, level + half
    return (
        float(np.quantile(x, low)) if low >= 0 else None,
        float(np.quantile(x, high)) if high <= 1 else None,
    )


@settings(max_examples=60)
@given(VALUES)
def test_quantiles_and_clustered_intervals_follow_the_definition(
    rows: list[tuple[int, int, int]],
) -> None:
    """Values are numpy's R-7, intervals the formula's, with the minimum n and open ends."""
    found = quantile_intervals(_frame([(a, b, float(c)) for a, b, c in rows]), LEVELS)
    assert dict(found.schema) == QUANTILE_SCHEMA
    assert found.height == len(LEVELS) * len({cell for cell, _, _ in rows})
    for row in found.iter_rows(named=True):
        here = [(cluster, float(x)) for cell, cluster, x in rows if cell == row["cell"]]
        assert row["n"] == len(here)
        if len(here) < minimum_n(row["level"]):
            assert (row["value"], row["ci_low"], row["ci_high"]) == (None, None, None)
            continue
        expected = float(np.quantile([x for _, x in here], row["level"]))
        assert row["value"] == pytest.approx(expected, rel=1e-9)
        if row["method"] == "clustered Woodruff":
            low, high = _naive_woodruff(here, row["level"])
            assert row["ci_low"] == (None if low is None else pytest.approx(low, rel=1e-9))
            assert row["ci_high"] == (None if high is None else pytest.approx(high, rel=1e-9))


@pytest.mark.parametrize("level", [0.5, 0.75, 0.85, 0.9])
def test_ranks_are_the_innermost_that_hold_the_confidence(level: float) -> None:
    """P(B < low) and P(B ≥ high) stay within 2.5 % each; one rank further in would not."""
    for row in rank_table(np.arange(1, 400), (level,)).iter_rows(named=True):
        count = stats.binom(row["n"], level)
        assert count.cdf(row["low"] - 1) <= 0.025 < count.cdf(row["low"])
        assert count.sf(row["high"] - 1) <= 0.025
        assert row["high"] == row["low"] + 1 or count.sf(row["high"] - 2) > 0.025


def test_values_of_their_own_take_order_statistics_open_where_too_few() -> None:
    """Without clusters the interval is a pair of values; 5 values bound no median at 95 %."""
    ten = _frame([(0, i, float(i + 1)) for i in range(10)] + [(1, i, float(i)) for i in range(5)])
    found = quantile_intervals(ten, (0.5,))
    assert found["method"].to_list() == ["order statistics"] * 2
    assert found.row(0)[3:6] == (5.5, 2.0, 9.0)
    assert found.row(1)[3:6] == (2.0, None, None)


def test_one_cluster_tells_a_value_and_no_interval() -> None:
    """All changes shipped by one deployment are one observation of how long it takes."""
    found = quantile_intervals(_frame([(0, 7, float(i)) for i in range(30)]), LEVELS)
    assert found["value"].null_count() == 0
    assert found["ci_low"].null_count() == found["ci_high"].null_count() == 3


def test_nothing_gives_nothing_with_the_schema() -> None:
    """Empty frames keep their columns and types."""
    assert dict(quantile_intervals(_frame([]), LEVELS).schema) == QUANTILE_SCHEMA
    empty = pl.DataFrame(schema={"cell": pl.Int64, "time": pl.Float64, "event": pl.Boolean})
    assert dict(kaplan_meier(empty, (0.5,)).schema) == QUANTILE_SCHEMA


def test_rows_in_any_order_give_equal_results() -> None:
    """Equal data give equal tables."""
    randomly = np.random.default_rng(3)
    frame = _frame(
        [(int(i % 3), int(i % 17), float(x)) for i, x in enumerate(randomly.lognormal(9, 2, 600))]
    )
    first = quantile_intervals(frame, LEVELS)
    assert first.equals(quantile_intervals(frame.sample(fraction=1, shuffle=True, seed=1), LEVELS))


def test_clustered_intervals_cover_where_naive_ones_do_not() -> None:
    """12 deployments of 20 changes that belong together: simulated coverage of the median."""
    randomly = np.random.default_rng(11)
    trials, groups, size = 400, 12, 20
    between = np.repeat(randomly.normal(0, 1, (trials, groups)), size, axis=1)
    x = (between + randomly.normal(0, 0.3, (trials, groups * size))).ravel()
    frame = pl.DataFrame(
        {
            "cell": np.repeat(np.arange(trials), groups * size),
            "cluster": np.tile(np.repeat(np.arange(groups), size), trials),
            "x": x,
        }
    )

    def coverage(values: pl.DataFrame) -> float:
        found = quantile_intervals(values, (0.5,))
        covers = (found["ci_low"].fill_null(-math.inf) <= 0) & (
            found["ci_high"].fill_null(math.inf) >= 0
        )
        return float(covers.cast(pl.Float64).sum()) / trials

    assert 0.90 <= coverage(frame) <= 0.99
    assert coverage(frame.with_columns(cluster=pl.int_range(pl.len()))) < 0.7


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 15), st.booleans()), min_size=5, max_size=60))
def test_survival_medians_agree_with_scipy(rows: list[tuple[int, bool]]) -> None:
    """The first time the curve is below the level, the midpoint where it equals it exactly."""
    times = pl.DataFrame(
        {
            "cell": [0] * len(rows),
            "time": [float(t) for t, _ in rows],
            "event": [e for _, e in rows],
        }
    )
    (found,) = kaplan_meier(times, (0.5,)).iter_rows(named=True)
    if not any(event for _, event in rows):
        assert found["value"] is None
        return
    data = stats.CensoredData(
        uncensored=[t for t, event in rows if event], right=[t for t, event in rows if not event]
    )
    curve = stats.ecdf(data).sf
    at = [t for t, s in zip(curve.quantiles, curve.probabilities, strict=True) if s <= 0.5 + 1e-12]
    after = [
        t for t, s in zip(curve.quantiles, curve.probabilities, strict=True) if s < 0.5 - 1e-12
    ]
    if not at:
        assert found["value"] is None
    elif after and at[0] != after[0]:
        assert found["value"] == (at[0] + after[0]) / 2
    else:
        assert found["value"] == at[0]
    if found["value"] is not None:
        assert found["ci_low"] <= found["value"]
        assert found["ci_high"] is None or found["ci_high"] >= found["value"]


def test_survival_intervals_cover_the_true_median() -> None:
    """Exponential waits, a third of them still open: simulated coverage."""
    randomly = np.random.default_rng(5)
    trials, size = 300, 40
    waits = randomly.exponential(1, trials * size)
    limits = randomly.exponential(2, trials * size)
    found = kaplan_meier(
        pl.DataFrame(
            {
                "cell": np.repeat(np.arange(trials), size),
                "time": np.minimum(waits, limits),
                "event": waits <= limits,
            }
        ),
        (0.5,),
    )
    covers = (found["ci_low"] <= math.log(2)) & (
        found["ci_high"].fill_null(math.inf) >= math.log(2)
    )
    assert 0.91 <= float(covers.cast(pl.Float64).sum()) / trials <= 0.99


@pytest.mark.parametrize("open_share", [0.0, 1 / 6, 1 / 3, 1 / 2])
def test_survival_intervals_are_open_where_too_few_waits_are_over(open_share: float) -> None:
    """Also of high quantiles: what the sample cannot bound is open, never cut at the last wait."""
    randomly = np.random.default_rng(6)
    trials, size = 400, 30
    waits = randomly.exponential(1, trials * size)
    scale = (1 - open_share) / open_share if open_share else math.inf
    limits = randomly.exponential(scale, trials * size) if open_share else np.inf
    found = kaplan_meier(
        pl.DataFrame(
            {
                "cell": np.repeat(np.arange(trials), size),
                "time": np.minimum(waits, limits),
                "event": waits <= limits,
            }
        ),
        LEVELS,
    ).filter(pl.col("value").is_not_null())
    for level in LEVELS:
        here = found.filter(level=level)
        truth = -math.log(1 - level)
        covers = (here["ci_low"] <= truth) & (here["ci_high"].fill_null(math.inf) >= truth)
        assert 0.91 <= covers.cast(pl.Float64).sum() / here.height <= 1
    assert found.filter(level=0.9)["ci_high"].null_count() > 0


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=30))
def test_proportions_have_wilson_intervals(pairs: list[tuple[int, int]]) -> None:
    """Equal to scipy's, inside [0, 1], around the share, nothing below five."""
    pairs = [(min(pair), max(pair)) for pair in pairs]
    found = wilson_interval(pl.Series([k for k, _ in pairs]), pl.Series([n for _, n in pairs]))
    for (successes, total), (low, high) in zip(pairs, found.iter_rows(), strict=True):
        if total < 5:
            assert (low, high) == (None, None)
            continue
        expected = stats.binomtest(successes, total).proportion_ci(method="wilson")
        assert (low, high) == (pytest.approx(expected.low), pytest.approx(expected.high))
        assert 0 <= low <= successes / total <= high <= 1


def test_rates_have_exact_poisson_intervals_widened_by_their_dispersion() -> None:
    """Equal to the exact interval at dispersion 1; wider above, never narrower below."""
    counts, exposure = pl.Series([0, 3, 20, 20, 20, 4]), pl.Series([2.0, 2.0, 4.0, 4.0, 4.0, 0.0])
    found = rate_interval(counts, exposure, pl.Series([1.0, 1.0, 1.0, 3.0, 0.2, 1.0]))
    low, high = found["ci_low"].to_list(), found["ci_high"].to_list()
    assert (low[0], high[0]) == (0.0, pytest.approx(3.688879 / 2))
    assert (low[1], high[1]) == (pytest.approx(0.618672 / 2), pytest.approx(8.767273 / 2))
    assert (low[2], high[2]) == (pytest.approx(12.21652 / 4), pytest.approx(30.88838 / 4))
    assert low[3] < low[2]
    assert high[3] > high[2]
    assert (low[4], high[4]) == (low[2], high[2])
    assert (low[5], high[5]) == (None, None)


def test_overdispersed_counts_are_covered() -> None:
    """Weekly counts with twice the variance of a Poisson: simulated coverage over 26 weeks."""
    randomly = np.random.default_rng(8)
    trials, weeks, mean = 500, 26, 4.0
    counts = randomly.negative_binomial(mean, 0.5, (trials, weeks))
    dispersion = counts.var(axis=1, ddof=1) / counts.mean(axis=1)
    found = rate_interval(
        pl.Series(counts.sum(axis=1)), pl.Series([float(weeks)] * trials), pl.Series(dispersion)
    )
    covers = (found["ci_low"] <= mean) & (found["ci_high"] >= mean)
    assert 0.90 <= float(covers.cast(pl.Float64).sum()) / trials <= 0.99
