"""Control charts: limits by hand, changes of the process, and what chance alone shows."""

import itertools
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import chance_signals
from pipelines.stability import (
    ABOVE,
    BELOW,
    CHANCE,
    LIMIT,
    RUN_ABOVE,
    RUN_BELOW,
    Charts,
    charts,
    expected_signals,
    signal_names,
)
from tests.pipelines.metric_tables import made, weeks
from tests.pipelines.stories import line, live, repository, tell

CALM = [12.0, 10.0] * 10  # centre 11, every moving range 2, limits 11 ± 5.32
LAST_WEEK = date(2026, 6, 22)  # the last that is over at the clock of the tables


def chart(*series: list[float]) -> Charts:
    """Charts of series of any lengths."""
    lengths = np.array([len(values) for values in series])
    matrix = np.full((len(series), lengths.max()), np.nan)
    for number, values in enumerate(series):
        matrix[number, : len(values)] = values
    return charts(matrix, lengths)


def signals(values: list[float]) -> dict[int, str]:
    """Plain names of the signals of one series, by point."""
    names = signal_names(chart(values).signal[0])
    return {index: name for index, name in enumerate(names) if name is not None}


def test_limits_are_those_of_the_textbook() -> None:
    """Twelve values: their mean, and 2.66 mean moving ranges to each side."""
    values = [5.0, 7.0, 6.0, 9.0, 4.0, 8.0, 5.0, 6.0, 7.0, 5.0, 6.0, 4.0]
    found = chart(values)
    # Moving ranges 2 1 3 5 4 3 1 1 2 1 2: 25 over 11. Values: 72 over 12.
    assert found.moving_range[0][1:].tolist() == [2, 1, 3, 5, 4, 3, 1, 1, 2, 1, 2]
    assert math.isnan(found.moving_range[0][0])
    assert set(found.centre[0].tolist()) == {6.0}
    assert found.half_width[0] == pytest.approx(2.66 * 25 / 11)
    assert found.is_baseline.all()
    assert not found.signal.any()


def test_a_point_outside_the_limits_is_a_signal() -> None:
    """Above 16.32 and below 5.68, not on the limits themselves."""
    assert signals([*CALM, 16.31, 11.0, 16.33, 5.67, 5.69]) == {22: ABOVE, 23: BELOW}
    assert signals([*CALM, 11 + 5.32, 11 - 5.32]) == {}


def test_the_baseline_is_the_first_twenty_points() -> None:
    """What comes later moves no limit; fewer than twenty are all baseline."""
    found = chart([*CALM, 16.0, 6.0, 16.0, 6.0], [1.0, 2.0] * 6)
    assert found.is_baseline.sum(axis=1).tolist() == [20, 12]
    assert set(found.centre[0].tolist()) == {11.0}
    assert found.half_width[0] == pytest.approx(5.32)


def test_the_eighth_in_a_row_on_one_side_is_a_signal() -> None:
    """Once a run, above or below; a point on the centre breaks it."""
    assert signals([*CALM, *[11.5] * 7]) == {}
    assert signals([*CALM, *[11.5] * 10]) == {27: RUN_ABOVE}
    assert signals([*CALM, *[10.5] * 7]) == {26: RUN_BELOW}  # the last of the calm is the first
    assert signals([*CALM, *[11.5] * 4, 11.0, *[11.5] * 7]) == {}


def test_a_run_within_the_baseline_is_told_and_starts_nothing() -> None:
    """Limits need twenty points; a baseline with a run in it is no quiet one."""
    values = [*[9.0, 10.0] * 4, *[13.0, 14.0] * 6, 9.0]
    found = chart(values)
    assert set(found.segment[0].tolist()) == {1}
    assert signals(values) == {7: RUN_BELOW, 15: RUN_ABOVE}


def test_a_change_starts_new_limits_once_they_rest_on_twelve_points() -> None:
    """The new segment begins with the first of the eight; its eighth point told of the change."""
    higher = [20.0, 22.0] * 6
    before = chart([*CALM, *higher[:-1]])
    assert set(before.segment[0].tolist()) == {1}
    assert signals([*CALM, *higher[:-1]]) == {
        **dict.fromkeys(range(20, 31), ABOVE),
        27: RUN_ABOVE,
    }
    after = chart([*CALM, *higher])
    assert after.segment[0].tolist() == [1] * 20 + [2] * 12
    assert set(after.centre[0][:20].tolist()) == {11.0}
    assert set(after.centre[0][20:].tolist()) == {21.0}
    assert after.half_width[0][20:] == pytest.approx(5.32)
    assert math.isnan(after.moving_range[0][20])
    assert after.is_baseline.all()
    assert signals([*CALM, *higher]) == {27: RUN_ABOVE}


def test_a_process_may_change_again() -> None:
    """Each change has its own limits, also where the second run began within a baseline."""
    values = [*CALM, *[20.0, 22.0] * 10, *[5.0, 7.0] * 6]
    found = chart(values)
    assert found.segment[0].tolist() == [1] * 20 + [2] * 20 + [3] * 12
    assert found.centre[0][[0, 20, 40]].tolist() == [11.0, 21.0, 6.0]
    assert signals(values) == {27: RUN_ABOVE, 47: RUN_BELOW}


def test_equal_values_have_no_signal_by_rounding() -> None:
    """A series that never moves has limits on its centre, and any other value stands out."""
    assert signals([0.1] * 30) == {}
    assert signals([*[0.1] * 29, 0.1000001]) == {29: ABOVE}


class Told(NamedTuple):
    """One point, as the rules say word for word."""

    centre: float
    half: float
    segment: int
    signal: str | None


def by_the_rules(values: list[float]) -> list[Told]:
    """Chart one series point by point, without any cleverness."""
    told: list[Told] = []
    start, number, change = 0, 1, None
    while True:
        points = values[start:]
        baseline = points[:20]
        centre = math.fsum(baseline) / len(baseline)
        ranges = [abs(b - a) for a, b in itertools.pairwise(baseline)]
        half = LIMIT * math.fsum(ranges) / len(ranges)
        run, last_side, restart = 0, 0, None
        here: list[Told] = []
        for index, value in enumerate(points):
            side = (value > centre + 1e-9) - (value < centre - 1e-9)
            run = run + 1 if side == last_side and side else abs(side)
            last_side = side
            signal = None
            if value > centre + half + 1e-9:
                signal = ABOVE
            elif value < centre - half - 1e-9:
                signal = BELOW
            if run == 8:
                signal = RUN_ABOVE if side > 0 else RUN_BELOW
                if restart is None and index >= 20 and len(points) - (index - 7) >= 12:
                    restart = index - 7
            here.append(Told(centre, half, number, signal))
        if change is not None:
            here[7] = here[7]._replace(signal=change)
        if restart is None:
            return told + here
        told += here[:restart]
        change = here[restart + 7].signal
        start, number = start + restart, number + 1


QUIET = st.integers(0, 4).map(float)
SHIFTED = st.builds(
    lambda base, steps: [
        value + shift for shift, values in zip(itertools.accumulate(steps), base, strict=False)
        for value in values
    ],
    st.lists(st.lists(QUIET, min_size=12, max_size=30), min_size=1, max_size=4),
    st.lists(st.integers(-6, 6), min_size=4, max_size=4),
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(SHIFTED, min_size=1, max_size=4))
def test_all_series_at_once_are_charted_as_each_by_itself(series: list[list[float]]) -> None:
    """The matrix says of every point what the rules say, whatever stands beside it."""
    found = chart(*series)
    for number, values in enumerate(series):
        expected = by_the_rules(values)
        size = len(values)
        assert found.centre[number][:size] == pytest.approx([t.centre for t in expected])
        assert found.half_width[number][:size] == pytest.approx([t.half for t in expected])
        assert found.segment[number][:size].tolist() == [t.segment for t in expected]
        names = signal_names(found.signal[number][:size]).to_list()
        assert names == [t.signal for t in expected]


@pytest.mark.parametrize(
    ("mean", "points"), [(0.3, 52), (1.0, 20), (5.0, 40), (50.0, 12), (50.0, 78)]
)
def test_the_table_of_chance_is_what_the_rules_give(mean: float, points: int) -> None:
    """A smaller simulation, with another seed, of the signals in the last eight points."""
    number = 4000
    found = chance_signals.chance(mean, points, number, np.random.default_rng(77))
    (expected,) = expected_signals(np.array([points]), np.array([mean]))
    assert found == pytest.approx(
        float(expected), abs=4 * math.sqrt(max(expected, 0.01) / number) + 0.01
    )


def test_chance_is_read_between_the_lines_of_its_table() -> None:
    """Beyond its ends the last line holds; where nothing happens nothing is expected."""
    table = pl.read_csv(CHANCE)
    assert table["points"].to_list() == list(chance_signals.POINTS)
    assert [float(name) for name in table.columns[1:]] == list(chance_signals.MEANS)
    calm = table["50.0"]
    found = expected_signals(
        np.array([12, 14, 104, 5000, 40]), np.array([math.inf, math.inf, math.inf, 900.0, 0.0])
    )
    assert found.tolist() == pytest.approx(
        [calm[0], (calm[0] + calm[1]) / 2, calm[-1], calm[-1], 0.0]
    )


def stability(*rows: list[dict[str, Any]]) -> pl.DataFrame:
    return made("metric_stability", list(itertools.chain(*rows))).sort(
        "metric", "entity_id", "week"
    )


def frequency(values: list[float | None], entity: str = "service:a") -> list[dict[str, Any]]:
    return weeks("deployment_frequency", "per_week", entity, values, LAST_WEEK)


def lead_time(values: list[float | None], entity: str = "service:a") -> list[dict[str, Any]]:
    rows = weeks("change_lead_time", "median", entity, values, LAST_WEEK)
    return [{**row, "unit": "h"} for row in rows]


def test_counts_are_charted_by_their_roots() -> None:
    """Nine and sixteen a week: roots 3 and 4, centre 3.5², limits (3.5 ± 2.66)²."""
    found = stability(frequency([9.0, 16.0] * 8))
    assert found["week"].to_list()[-1] == LAST_WEEK
    assert found["week"].to_list()[0] == LAST_WEEK - timedelta(weeks=15)
    assert found["value"].to_list() == [9.0, 16.0] * 8
    for name, expected in (
        ("centre", 12.25),
        ("low", 0.84**2),
        ("high", 6.16**2),
        ("moving_range_limit", 3.268),
    ):
        assert found[name].to_list() == pytest.approx([expected] * 16)
    assert found["moving_range"].to_list() == pytest.approx([None, *[1.0] * 15])


def test_there_is_no_lower_limit_below_nothing() -> None:
    """A limit below zero deployments is zero."""
    found = stability(frequency([0.0, 4.0] * 6))
    assert found["low"].to_list() == [0.0] * 12
    assert found["centre"].to_list() == [1.0] * 12


def test_durations_are_charted_by_their_logarithms() -> None:
    """Ten and a thousand hours: centre 100 h, each moving range a factor of 100."""
    found = stability(lead_time([10.0, 1000.0] * 6))
    assert found["centre"].to_list() == pytest.approx([100.0] * 12)
    assert found["low"].to_list() == pytest.approx([100 / 100**2.66] * 12)
    assert found["high"].to_list() == pytest.approx([100 * 100**2.66] * 12)
    none = stability(lead_time([0.0] * 12))
    assert none["centre"].to_list() == pytest.approx([1 / 60] * 12)


def test_weeks_without_a_value_are_skipped() -> None:
    """They are no zeros: neighbours across the gap make the moving range."""
    gaps = [value for pair in zip([9.0, 16.0] * 6, [None] * 12, strict=True) for value in pair]
    found = stability(lead_time(gaps), lead_time([9.0, 16.0] * 6, "service:b"))
    of_a, of_b = found.filter(entity_id="service:a"), found.filter(entity_id="service:b")
    assert of_a.height == of_b.height == 12
    same = ("value", "centre", "low", "high", "moving_range", "signal", "is_baseline")
    assert of_a.select(same).equals(of_b.select(same))


def test_short_series_partial_weeks_and_other_metrics_have_no_chart() -> None:
    """Fewer than twelve points bound nothing."""
    partial = [{**row, "is_partial": True} for row in frequency([9.0] * 12, "service:p")]
    found = stability(
        frequency([9.0] * 11),
        partial,
        weeks("deployment_frequency", "days_per_week", "service:a", [1.0] * 20, LAST_WEEK),
        [{**row, "environment": "prod-eu"} for row in frequency([9.0] * 12, "service:e")],
        frequency([9.0] * 12, "team:x"),
    )
    assert found["entity_id"].unique().to_list() == ["team:x"]
    assert stability().is_empty()


def test_only_signals_of_the_last_eight_weeks_are_recent() -> None:
    """Older ones stay on the chart; a series that ended has none."""
    wild = 400.0
    calm: list[float | None] = [9.0, 16.0] * 10
    found = stability(
        frequency([*calm, wild, *calm[:7], wild, *calm[:1]]),
        frequency([*calm, wild, *[None] * 8], "service:ended"),
    )
    recent = found.filter("is_recent")
    assert recent.select("entity_id", "week", "signal").rows() == [
        ("service:a", LAST_WEEK - timedelta(weeks=1), ABOVE)
    ]
    assert found.filter(pl.col("signal").is_not_null()).height == 3
    ended = found.filter(entity_id="service:ended")
    assert ended["expected_by_chance"].unique().to_list() == [0.0]


def test_what_chance_shows_is_told_for_each_series() -> None:
    """By its number of points, its mean and how many of the last eight weeks it has."""
    values: list[float | None] = [40.0, 60.0] * 10
    found = stability(
        frequency(values),
        frequency([*values[:-4], *[None] * 4], "service:b"),
        frequency([0.0, 1.0] * 10, "service:rare"),
        lead_time(values),
    )
    told = {
        (metric, entity): expected
        for metric, entity, expected in found.select("metric", "entity_id", "expected_by_chance")
        .unique()
        .rows()
    }
    calm, rare = (expected_signals(np.array([20]), np.array([mean]))[0] for mean in (math.inf, 0.5))
    shorter = expected_signals(np.array([16]), np.array([50.0]))[0]
    assert told == {
        ("deployment_frequency", "service:a"): pytest.approx(calm, abs=0.005),
        ("deployment_frequency", "service:b"): pytest.approx(shorter / 2, abs=0.005),
        ("deployment_frequency", "service:rare"): pytest.approx(rare, abs=0.005),
        ("change_lead_time", "service:a"): pytest.approx(calm, abs=0.005),
    }


def test_a_build_charts_its_complete_weeks(tmp_path: Path) -> None:
    """Thirteen weeks with one and four deployments by turns; the first and the last are cut."""
    week, deployed = 7 * 24, [1, 4] * 7
    moments = [
        week * number + 20 * (part + 1)
        for number, count in enumerate(deployed)
        for part in range(count)
    ]
    names = [f"c{number}" for number in range(len(moments))]
    story = tell(
        tmp_path,
        repository(),
        line(*names, step=1),
        *(live(i, names[i], at=at) for i, at in enumerate(moments)),
        as_of=week * 13 + 90,
    )
    charted = story.ask(
        "select week, value, centre, low, high, segment, is_baseline, signal, is_recent "
        "from metric_stability where entity_type = 'service' order by week"
    )
    assert [row[1] for row in charted] == [4.0, 1.0] * 6
    assert charted[0][0] == date(2026, 6, 8)
    # Roots 2 and 1: centre 1.5², every moving range 1; 1.5 − 2.66 is below nothing.
    expected = (2.25, 0.0, pytest.approx(4.16**2), 1, True, None, False)
    assert {row[2:] == expected for row in charted} == {True}
