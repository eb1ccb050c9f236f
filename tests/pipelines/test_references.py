"""References: every published cell at its edges, holes, percentiles, and placed values."""

import itertools
import math

import polars as pl
import pytest

from pipelines import references
from pipelines.references import BETWEEN, BEYOND, bin_frame, place, places, reports
from pipelines.settings import Settings
from pipelines.settings_measures import References
from tests.pipelines.metric_tables import made, row

DAY, WEEK, MONTH, HALF_YEAR = 24.0, 168.0, 730.0, 4380.0
EVER = math.inf
# One a day, a week, a month and six months, per week.
DAILY, WEEKLY, MONTHLY, HALF_YEARLY = 7.0, 1.0, 168 / 730, 168 / 4380

Cell = tuple[float, float, str]

SIX_SPANS: list[tuple[float, float]] = [
    (0, 1),
    (1, DAY),
    (DAY, WEEK),
    (WEEK, MONTH),
    (MONTH, HALF_YEAR),
    (HALF_YEAR, EVER),
]
SPANS = ["< 1 h", "1 h – 1 d", "1 d – 1 w", "1 w – 1 mo", "1 – 6 mo", "> 6 mo"]
SEVEN_SHARES: list[tuple[float, float]] = [
    (0, 2),
    (2, 4),
    (4, 8),
    (8, 16),
    (16, 32),
    (32, 64),
    (64, EVER),
]
SHARES = ["0–2 %", "2–4 %", "4–8 %", "8–16 %", "16–32 %", "32–64 %", "> 64 %"]
RATES: list[tuple[float, float]] = [
    (DAILY, EVER),
    (WEEKLY, DAILY),
    (MONTHLY, WEEKLY),
    (HALF_YEARLY, MONTHLY),
    (0, HALF_YEARLY),
]
RATE_NAMES = [
    "several a day",
    "1/day – 1/week",
    "1/week – 1/month",
    "1/month – 1/6 months",
    "< 1/6 months",
]
# Of the answers of 2025: cells, and the percentages as published.
ANSWERS: dict[str, tuple[list[tuple[float, float]], list[str], list[float]]] = {
    "deployment_frequency": (RATES, RATE_NAMES, [22.7, 21.9, 31.5, 20.3, 3.6]),
    "change_lead_time": (SIX_SPANS, SPANS, [9.4, 15.0, 31.9, 28.3, 13.2, 2.0]),
    "failed_deployment_recovery_time": (SIX_SPANS, SPANS, [21.3, 35.3, 28.0, 9.4, 4.9, 1.0]),
    "change_fail_rate": (SEVEN_SHARES, SHARES, [8.5, 8.1, 19.6, 26.0, 19.5, 12.5, 5.9]),
    "deployment_rework_rate": (SEVEN_SHARES, SHARES, [7.3, 12.8, 26.5, 26.1, 15.4, 6.9, 5.0]),
}
FOUR_RATES: list[Cell] = [
    (DAILY, EVER, "on demand (Elite)"),
    (WEEKLY, DAILY, "1/day – 1/week (High)"),
    (MONTHLY, WEEKLY, "1/week – 1/month (Medium)"),
    (HALF_YEARLY, MONTHLY, "1/month – 1/6 months (Low)"),
    (0, HALF_YEARLY, BEYOND),
]
FOUR_SPANS: list[Cell] = [
    (0, DAY, "< 1 d (Elite)"),
    (DAY, WEEK, "1 d – 1 w (High)"),
    (WEEK, MONTH, "1 w – 1 mo (Medium)"),
    (MONTH, HALF_YEAR, "1 – 6 mo (Low)"),
    (HALF_YEAR, EVER, BEYOND),
]
FAST_OR_WEEKS: list[Cell] = [
    (0, 1, "< 1 h (Elite)"),
    (1, DAY, "< 1 d (High, Medium)"),
    (DAY, WEEK, BETWEEN),
    (WEEK, MONTH, "1 w – 1 mo (Low)"),
    (MONTH, EVER, BEYOND),
]
TIERS: dict[tuple[int, str], list[Cell]] = {
    (2019, "deployment_frequency"): FOUR_RATES,
    (2019, "change_lead_time"): FOUR_SPANS,
    (2019, "failed_deployment_recovery_time"): FAST_OR_WEEKS,
    (2019, "change_fail_rate"): [
        (0, 15, "0–15 % (Elite, High, Medium)"),
        (15, 46, BETWEEN),
        (46, 60, "46–60 % (Low)"),
        (60, EVER, BEYOND),
    ],
    (2021, "deployment_frequency"): [
        (DAILY, EVER, "on demand (Elite)"),
        (WEEKLY, DAILY, BETWEEN),
        (MONTHLY, WEEKLY, "1/week – 1/month (High)"),
        (HALF_YEARLY, MONTHLY, "1/month – 1/6 months (Medium)"),
        (0, HALF_YEARLY, "< 1/6 months (Low)"),
    ],
    (2021, "change_lead_time"): [
        (0, 1, "< 1 h (Elite)"),
        (1, DAY, BETWEEN),
        (DAY, WEEK, "1 d – 1 w (High)"),
        (WEEK, MONTH, BETWEEN),
        (MONTH, HALF_YEAR, "1 – 6 mo (Medium)"),
        (HALF_YEAR, EVER, "> 6 mo (Low)"),
    ],
    (2021, "failed_deployment_recovery_time"): [
        (0, 1, "< 1 h (Elite)"),
        (1, DAY, "< 1 d (High)"),
        (DAY, WEEK, "1 d – 1 w (Medium)"),
        (WEEK, HALF_YEAR, BETWEEN),
        (HALF_YEAR, EVER, "> 6 mo (Low)"),
    ],
    (2021, "change_fail_rate"): [
        (0, 15, "0–15 % (Elite)"),
        (15, 16, BETWEEN),
        (16, 30, "16–30 % (High, Medium, Low)"),
        (30, EVER, BEYOND),
    ],
    (2022, "deployment_frequency"): [
        (DAILY, EVER, "on demand (High)"),
        (WEEKLY, DAILY, BETWEEN),
        (MONTHLY, WEEKLY, "1/week – 1/month (Medium)"),
        (HALF_YEARLY, MONTHLY, "1/month – 1/6 months (Low)"),
        (0, HALF_YEARLY, BEYOND),
    ],
    (2022, "change_lead_time"): [
        (0, DAY, BEYOND),
        (DAY, WEEK, "1 d – 1 w (High)"),
        (WEEK, MONTH, "1 w – 1 mo (Medium)"),
        (MONTH, HALF_YEAR, "1 – 6 mo (Low)"),
        (HALF_YEAR, EVER, BEYOND),
    ],
    (2022, "failed_deployment_recovery_time"): [
        (0, DAY, "< 1 d (High)"),
        (DAY, WEEK, "1 d – 1 w (Medium)"),
        (WEEK, MONTH, "1 w – 1 mo (Low)"),
        (MONTH, EVER, BEYOND),
    ],
    (2022, "change_fail_rate"): [
        (0, 15, "0–15 % (High)"),
        (15, 16, BETWEEN),
        (16, 30, "16–30 % (Medium)"),
        (30, 46, BETWEEN),
        (46, 60, "46–60 % (Low)"),
        (60, EVER, BEYOND),
    ],
    (2023, "deployment_frequency"): [
        (DAILY, EVER, "on demand (Elite)"),
        (WEEKLY, DAILY, "1/day – 1/week (High)"),
        (MONTHLY, WEEKLY, "1/week – 1/month (Medium, Low)"),
        (0, MONTHLY, BEYOND),
    ],
    (2023, "change_lead_time"): [
        (0, DAY, "< 1 d (Elite)"),
        (DAY, WEEK, "1 d – 1 w (High)"),
        (WEEK, MONTH, "1 w – 1 mo (Medium, Low)"),
        (MONTH, EVER, BEYOND),
    ],
    (2023, "failed_deployment_recovery_time"): [
        (0, 1, "< 1 h (Elite)"),
        (1, DAY, "< 1 d (High)"),
        (DAY, WEEK, "1 d – 1 w (Medium)"),
        (WEEK, MONTH, BETWEEN),
        (MONTH, HALF_YEAR, "1 – 6 mo (Low)"),
        (HALF_YEAR, EVER, BEYOND),
    ],
    (2023, "change_fail_rate"): [
        (0, 7.5, "about 5 % (Elite)"),
        (7.5, 12.5, "about 10 % (High)"),
        (12.5, 39.5, "about 15 % (Medium)"),
        (39.5, EVER, "about 64 % (Low)"),
    ],
    (2024, "deployment_frequency"): FOUR_RATES,
    (2024, "change_lead_time"): FOUR_SPANS,
    (2024, "failed_deployment_recovery_time"): FAST_OR_WEEKS,
    (2024, "change_fail_rate"): [
        (0, 7.5, "about 5 % (Elite)"),
        (7.5, 15, "about 10 % (Medium)"),
        (15, 30, "about 20 % (High)"),
        (30, EVER, "about 40 % (Low)"),
    ],
}
CELLS = [(year, metric, *cell) for (year, metric), cells in TIERS.items() for cell in cells] + [
    (2025, metric, *edges, label)
    for metric, (cells, labels, _) in ANSWERS.items()
    for edges, label in zip(cells, labels, strict=True)
]


def as_published(value: float) -> float:
    """A value as the table `metric` holds it."""
    return float(f"{value:.9g}")


@pytest.mark.parametrize(("year", "metric", "low", "high", "label"), CELLS)
def test_cells_begin_at_their_low_edge_and_end_before_their_high_one(
    year: int, metric: str, low: float, high: float, label: str
) -> None:
    """Half-open, also at one a month, which no decimal number says exactly."""
    found = place(year, metric, as_published(low))
    assert found is not None
    assert found.label == label
    assert found.low == as_published(low)
    assert found.high == (None if high == EVER else as_published(high))
    inside = 1e9 if high == EVER else as_published(high) - 1e-8
    last = place(year, metric, inside)
    assert last is not None
    assert last.label == label
    if high != EVER:
        after = place(year, metric, as_published(high))
        assert after is not None
        assert after.low == found.high


def test_every_report_of_the_settings_is_here_with_its_cells_and_no_other() -> None:
    """The cells above are all there are: nothing overlaps, nothing is left out."""
    assert sorted(reports()) == [2019, 2021, 2022, 2023, 2024, 2025]
    frame = bin_frame()
    assert frame.height == len(CELLS)
    for (year, metric), bins in frame.group_by("report_year", "metric"):
        edges = bins.sort("low")
        assert edges["low"][0] == 0, (year, metric)
        assert edges["high"][-1] is None
        assert edges["high"][:-1].to_list() == edges["low"][1:].to_list()
        assert bins["ordinal"].to_list() == list(range(1, bins.height + 1))
    for report in reports().values():
        assert str(report.year) in report.source
        assert report.note


def test_shares_say_which_part_of_respondents_a_value_does_better_than() -> None:
    """Counted from the worst answer; the best bin ends at 100."""
    for metric, (_, _, published) in ANSWERS.items():
        bins = reports()[2025].bins[metric]
        assert [each.share for each in bins] == published
        assert sum(published) == pytest.approx(100, abs=0.25)
        worse = [0.0, *itertools.accumulate(reversed(published))]
        expected = list(itertools.pairwise([*worse[:-1], 100.0]))[::-1]
        for each, (low, high) in zip(bins, expected, strict=True):
            assert (each.percentile_low, each.percentile_high) == pytest.approx((low, high))
    two_days = place(2025, "change_lead_time", 48.0)
    assert two_days is not None
    assert (two_days.percentile_low, two_days.percentile_high) == (43.5, 75.4)
    daily = place(2025, "deployment_frequency", 5.0)
    assert daily is not None
    assert (daily.percentile_low, daily.percentile_high) == (55.4, 77.3)


def test_legacy_reports_have_no_percentiles_and_holes_no_tiers() -> None:
    """A tier is a cell of one metric; a hole is none."""
    legacy = bin_frame().filter(pl.col("report_year") < 2025)
    for name in ("share", "percentile_low", "percentile_high"):
        assert legacy[name].null_count() == legacy.height
    holes = legacy.filter(pl.col("label").is_in([BETWEEN, BEYOND]))
    assert holes["tiers"].list.len().max() == 0
    assert (
        legacy.join(holes, on=["report_year", "metric", "ordinal"], how="anti")["tiers"]
        .list.len()
        .min()
        == 1
    )


def test_rework_has_no_reference_before_2025() -> None:
    """Nobody asked for it; that is said, not guessed."""
    assert place(2024, "deployment_rework_rate", 3.0) is None
    found = places(2024, "deployment_rework_rate", pl.Series([3.0, None]))
    assert found.null_count().row(0) == (2, 2, 2)


def test_many_values_are_placed_like_one() -> None:
    """A frame of values gives what each alone gives, and null for null."""
    values = [0.0, 0.5, 1.0, 23.9, 24.0, 5000.0, None]
    found = places(2025, "change_lead_time", pl.Series(values, dtype=pl.Float64))
    for value, placed in zip(values, found.iter_rows(), strict=True):
        one = None if value is None else place(2025, "change_lead_time", value)
        expected = one and (one.label, one.percentile_low, one.percentile_high)
        assert placed == (expected or (None, None, None))


def test_overlapping_cells_are_refused() -> None:
    """A correction that makes two cells hold one value does not pass."""
    cells = [{"label": "a", "to": "2 h"}, {"label": "b", "from": "1 h"}]
    with pytest.raises(ValueError, match="b overlaps"):
        references._bins("change_lead_time", cells)
    with pytest.raises(ValueError, match='"2 hours" is no frequency'):
        references._bins("change_lead_time", [{"label": "a", "to": "2 hours"}])


def test_values_and_the_ends_of_their_intervals_stand_in_bins() -> None:
    """Per entity; an open end has the bin open, and weeks and other variants have none."""
    rows = [
        row("change_lead_time", "median", "service:a", 30.0, unit="h", ci_low=20.0, ci_high=200.0),
        row("change_lead_time", "median", "team:x", 30.0, unit="h", ci_high=200.0),
        row("change_lead_time", "p90", "service:a", 90.0, unit="h"),
        row("change_lead_time", "median", "service:a", 3.0, unit="h", period="week"),
        row("change_lead_time", "median", "service:b", None, unit="h", reason="only 2 changes"),
    ]
    found = made("metric_reference", rows)
    assert found.select("entity_id", "label", "label_low", "label_high").rows() == [
        ("service:a", "1 d – 1 w", "1 h – 1 d", "1 w – 1 mo"),
        ("service:b", None, None, None),
        ("team:x", "1 d – 1 w", "open", "1 w – 1 mo"),
    ]
    assert found["percentile_low"].to_list() == [43.5, None, 43.5]
    assert found["reason"].to_list() == [None, "only 2 changes", None]
    assert found["report_year"].unique().to_list() == [2025]


def test_a_lower_bound_has_no_reference() -> None:
    """Without an incident source the change fail rate is at least so much: no bin for that."""
    reason = "no incident source covers a: at least 1 of 9 failed (rollbacks and reverts only)"
    rows = [
        row("change_fail_rate", "primary", "service:a", None, unit="%", reason=reason),
        row("change_fail_rate", "at_least", "service:a", 11.1, unit="%"),
        row("change_fail_rate", "high", "service:a", 11.1, unit="%"),
    ]
    found = made("metric_reference", rows)
    assert found.select("variant", "label", "reason").rows() == [("primary", None, reason)]


def test_the_rework_rate_reaches_to_what_is_possible() -> None:
    """Its upper end is that of known and unknown together."""
    rows = [
        row("deployment_rework_rate", "known", "service:a", 6.0, unit="%", ci_low=3.0, ci_high=9.0),
        row(
            "deployment_rework_rate", "possible", "service:a", 30.0, unit="%",
            ci_low=20.0, ci_high=40.0,
        ),
    ]  # fmt: skip
    found = made("metric_reference", rows)
    assert found.select("label", "label_low", "label_high").rows() == [
        ("4–8 %", "2–4 %", "32–64 %")
    ]


def test_the_report_of_the_settings_is_used() -> None:
    """Its cells, its source line, and the reason where it asked for nothing of the kind."""
    rows = [
        row("change_lead_time", "median", "service:a", 3.0, unit="h"),
        row("deployment_rework_rate", "known", "service:a", 6.0, unit="%"),
    ]
    found = made("metric_reference", rows, settings=Settings(references=References(report=2021)))
    assert found.select("metric", "label", "reason").rows() == [
        ("change_lead_time", BETWEEN, None),
        (
            "deployment_rework_rate",
            None,
            "the report of 2021 has no reference for this metric",
        ),
    ]
    assert found["source"].unique().to_list() == [reports()[2021].source]
