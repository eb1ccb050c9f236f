"""Charts as specifications: what they draw for which rows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from dashboards import axes, cards, charts, coverage_chart, stage_charts
from dashboards.palette import palette


def _weeks(values: list[float | None]) -> pl.DataFrame:
    monday = date(2026, 8, 31)
    return pl.DataFrame(
        {
            "variant": ["median"] * len(values),
            "period_start": [monday + timedelta(weeks=week) for week in range(len(values))],
            "value": values,
            "unit": ["h"] * len(values),
            "n": [30] * (len(values) - 1) + [2],
            "ci_low": [None if value is None else value * 0.8 for value in values],
            "ci_high": [None if value is None else value * 1.3 for value in values],
            "reason": [None if value else "too few changes" for value in values],
            "is_partial": [False] * (len(values) - 1) + [True],
        },
        schema_overrides={"value": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64},
    )


def _spec(chart: Any) -> dict[str, Any]:
    spec = chart.to_dict()
    assert isinstance(spec, dict)
    return spec


def _marks(spec: dict[str, Any]) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    for layer in spec["layer"]:
        layers += _marks(layer) if "layer" in layer else [layer["mark"]]
    return layers


def _trend(values: list[float | None], **options: Any) -> dict[str, Any]:
    return _spec(
        charts.trend(
            _weeks(values),
            lines={"median": "median"},
            is_duration=True,
            period_start=date(2026, 9, 14),
            period_words="91 days",
            **options,
        )
    )


def test_trend_breaks_at_weeks_without_value() -> None:
    """Line and band are broken where a week has no value; no point is drawn there."""
    spec = _trend([30, None, 20, 25])
    paths = [mark for mark in _marks(spec) if mark["type"] in {"line", "area"}]
    assert paths
    assert all(mark["invalid"] == "break-paths-show-path-domains" for mark in paths)


def test_trend_marks_small_samples_and_open_weeks() -> None:
    """A small n is faint, an open week is hollow, hatched and off the line."""
    spec = _trend([30, 31, 32, 25])
    rows = [row for data in spec["datasets"].values() for row in data]
    assert {row["opacity"] for row in rows if "opacity" in row} == {1.0, 0.35}
    hollow = [mark for mark in _marks(spec) if mark["type"] == "point" and not mark["filled"]]
    assert hollow
    assert any("not over" in str(row.get("note")) for row in rows)


def test_trend_shows_single_cases_behind_the_line() -> None:
    """Given single cases, each of them is a dot."""
    cases = pl.DataFrame(
        {"at": [datetime(2026, 9, 1), datetime(2026, 9, 2)], "hours": [3.0, 300.0]}  # noqa: DTZ001
    )
    rows = [row for data in _trend([30, 31, 32], cases=cases)["datasets"].values() for row in data]
    assert sum("hours" in row for row in rows) == 2


@pytest.mark.parametrize(
    "hours", [[0.02, 0.5], [1, 4], [20, 31], [5, 900], [0.1, 20000], [24, 24], [0.0, 3.0], []]
)
def test_log_axis_has_few_rules_all_with_a_word(hours: list[float]) -> None:
    """Two to nine rules, each one at a length that has a name."""
    axis = axes.duration_axis(pl.Series(hours, dtype=pl.Float64))
    low, high = axis["scale"].to_dict()["domain"]
    spec = axis["axis"].to_dict()
    assert 2 <= len(spec["values"]) <= 9
    assert all(low <= tick <= high for tick in spec["values"])
    assert spec["labelExpr"].count("?") == len(spec["values"])
    assert all(low <= hour <= high for hour in hours if hour > 1 / 60)


def test_stages_add_up_and_name_their_values() -> None:
    """Pieces follow each other without gap up to the total; each carries value and share."""
    hours = {"coding": 6.0, "pickup": 9.0, "deploy": 5.0}
    spec = _spec(stage_charts.stages(hours, note={"pickup": "(11 h)"}))
    rows = [row for data in spec["datasets"].values() for row in data if "from" in row]
    whole = sorted((row["from"], row["to"]) for row in rows if row.get("name") == "all stages")
    assert whole == [(0, 6), (6, 15), (15, 20)]
    labels = {row["stage"]: row["label"].replace("\xa0", " ") for row in rows}
    assert labels["waiting for review"] == "9 h · 45 % (11 h)"


def test_stages_of_nothing_are_still_a_chart() -> None:
    """All stages at zero do not divide by zero."""
    assert _spec(stage_charts.stages({"coding": 0.0, "deploy": 0.0}))["layer"]


def test_distribution_labels_its_rules() -> None:
    """Median and p90 stand at their rules with their value."""
    bins = pl.DataFrame({"low_h": [1.0, 10.0], "high_h": [10.0, 100.0], "changes": [5, 3]})
    spec = _spec(charts.distribution(bins, {"median": 8.0, "p90": 70.0}))
    texts = {
        row["word"].replace("\xa0", " ")
        for data in spec["datasets"].values()
        for row in data
        if "word" in row
    }
    assert texts == {"median 8 h", "p90 2.9 d"}


def test_heat_writes_the_value_into_each_cell() -> None:
    """A heat map is read by its numbers, the colour only repeats them."""
    rows = pl.DataFrame(
        {
            "name": ["a", "b"],
            "stage": ["coding", "coding"],
            "hours": [3.0, 90.0],
            "n": [4, 5],
        }
    )
    spec = _spec(stage_charts.heat(rows, row_title="team"))
    assert {mark["type"] for mark in _marks(spec)} == {"rect", "text"}


def test_coverage_has_one_bar_per_stream() -> None:
    """Each stream is one bar; the build's moment is a rule."""
    now = datetime(2026, 11, 18, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "name": ["✓ github · commits"],
            "coverage_from": [now - timedelta(days=9)],
            "coverage_to": [now],
            "state": ["✓ complete"],
            "color": [palette().primary],
        }
    )
    assert {mark["type"] for mark in _marks(_spec(coverage_chart.coverage(rows, now)))} == {
        "bar",
        "rule",
    }


def test_sparkline_breaks_at_gaps() -> None:
    """A missing week lifts the pen; a lonely week is a dot; fewer than two weeks are no line."""
    drawing = cards.sparkline([1, 2, None, 3, None, 4, 5])
    assert drawing is not None
    path = drawing.split('d="')[1].split('"')[0]
    assert path.count("M") == 3
    assert "h.1" in path
    assert cards.sparkline([1, None]) is None
    assert cards.sparkline([2, 2, 2]) is not None


def test_colours_exist_in_both_themes() -> None:
    """Every role has a light and a dark colour."""
    assert palette().primary == "light-dark(#0F6E84, #4FB3C8)"
    assert len(palette().categories) == 8
