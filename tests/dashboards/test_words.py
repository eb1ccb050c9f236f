"""Numbers, times and names as people read them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import words


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0, "0 minutes"),
        (1 / 60, "1 minute"),
        (1.5, "90 minutes"),
        (2, "2 hours"),
        (4.14, "4.1 hours"),
        (31.4, "31 hours"),
        (47.9, "48 hours"),
        (48, "2 days"),
        (100, "4.2 days"),
        (2400, "100 days"),
    ],
)
def test_durations_come_in_the_unit_people_say(hours: float, expected: str) -> None:
    """Minutes under two hours, hours under two days, days beyond."""
    assert str(words.duration(hours)) == expected


def test_units_of_metrics_are_spelt_out() -> None:
    """Every unit of the published tables has words."""
    assert str(words.quantity(4.21, "per week")) == "4.2 a week"
    assert str(words.quantity(1, "changes")) == "1 change"
    assert str(words.quantity(1204, "changes")) == "1,204 changes"
    assert str(words.quantity(30, "h")) == "30 hours"
    assert str(words.quantity(6.5, "working h")) == "6.5 working hours"


def test_intervals_share_their_unit_and_may_be_open() -> None:
    """An interval names its unit once where it can, and says when an end is missing."""
    space = words.NO_BREAK
    assert words.interval(26, 38, "h") == f"26–38{space}h"
    assert words.interval(30, 60, "h") == f"30{space}h–2.5{space}d"
    assert words.interval(None, 38, "h") == f"at most 38{space}h"
    assert words.interval(26, None, "h") == f"at least 26{space}h"
    assert words.interval(None, None, "h") is None
    assert words.interval(1.2, 1.9, "per week") == "1.2–1.9"


def _compare(
    value: float | None, previous: float | None, low: float | None, high: float | None, unit: str
) -> words.Comparison:
    return words.comparison(
        value=value,
        previous=previous,
        low=low,
        high=high,
        unit=unit,
        good="less" if unit == "h" else "more",
        period="91d",
    )


def test_comparison_judges_by_direction_and_in_words() -> None:
    """Faster is better and deploying more often is better; both are said, not only coloured."""
    faster = _compare(20, 30, 18, 25, "h")
    assert (faster.outcome, faster.long) == ("better", "33 % faster than in the 91 days before")
    assert faster.short.startswith("↓")
    assert faster.short.endswith("better")
    assert _compare(30, 20, 25, 35, "h").outcome == "worse"
    assert _compare(5, 3, 4, 6, "per week").long.startswith("67 % more often")
    assert _compare(2, 3, 1.5, 2.5, "per week").outcome == "worse"


def test_comparison_inside_the_interval_is_no_news() -> None:
    """A previous value inside the interval, or no interval at all, is not called a change."""
    assert _compare(20, 21, 18, 25, "h").outcome == "unclear"
    assert "no clear change" in _compare(20, 21, 18, 25, "h").long
    unsure = _compare(20, 40, None, None, "h")
    assert unsure.outcome == "unclear"
    assert "unsure" in unsure.short


def test_comparison_without_values_says_so() -> None:
    """Missing values are named, never taken for zero."""
    assert _compare(None, 3, None, None, "h").outcome == "unknown"
    assert "nothing to compare" in _compare(3, None, 1, 4, "h").short
    assert _compare(3, 0, 1, 4, "per week").long == "more often than in the 91 days before"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " https://x.example",
        "data:text/html,x",
        "https://",
        "//x.example",
        "https://x.example/\njavascript:1",
        'https://x.example/"onmouseover=1',
        "https://[broken",
        "",
        None,
    ],
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    """Everything but a clean http(s) address with a host is dropped."""
    assert words.safe_link(url) is None


def test_web_addresses_stay_as_they_are() -> None:
    """A real address is not touched."""
    url = "https://github.com/org/repo/pull/12?x=1#y"
    assert words.safe_link(url) == url


def test_plain_text_leaves_no_markup_standing() -> None:
    """Every sign with a meaning in Markdown is escaped, and no bare address is left."""
    shown = words.plain(
        "**b** $x$ <i> [a](javascript:b) :red[c] https://e.example www.e.example a@b.c"
    )
    for sign in "*$<>[]():_`":
        assert sign not in shown.replace(f"\\{sign}", "")
    assert "https\\:\\/\\/" not in shown
    assert f"www{words.JOINER}" in shown
    assert f"{words.JOINER}\\@" in shown


@given(st.text())
def test_plain_text_keeps_what_people_read(text: str) -> None:
    """Apart from escapes and invisible joiners the text is the same, on one line."""
    shown = words.plain(text).replace("\\", "").replace(words.JOINER, "")
    expected = words.one_line(text).replace("\\", "").replace(words.JOINER, "")
    assert shown == expected
    assert "\n" not in shown


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", " =cmd|x", "|x", "%x"])
def test_cells_never_start_a_formula(cell: str) -> None:
    """A spreadsheet gets text, not a formula."""
    guarded = words.guard_formula(cell)
    assert guarded is not None
    assert guarded.startswith("'")


def test_harmless_cells_stay() -> None:
    """Ordinary text and missing values are left alone."""
    assert words.guard_formula("a=b") == "a=b"
    assert words.guard_formula(None) is None


def test_dates_and_ages_in_words() -> None:
    """Dates are written out, times are in the organisation's zone."""
    assert words.day(date(2026, 11, 15)) == "Sunday 15 November 2026"
    at = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)
    assert words.moment(at, ZoneInfo("Europe/Berlin")) == "16 Nov 2026, 00:30"
    assert words.ago(at, at + timedelta(hours=3)) == "3 hours ago"
    assert words.ago(at, at) == "just now"


def test_small_things() -> None:
    """Counts agree with their noun, small shares do not vanish, columns pick a unit."""
    assert words.count(1, "service") == "1 service"
    assert words.count(0, "service") == "0 services"
    assert words.percent(3, 118_000) == f"under 0.1{words.NO_BREAK}%"
    assert words.percent(1, 2) == f"50{words.NO_BREAK}%"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.column_unit([1, None, 3]) == (1.0, "hours")
    assert words.column_unit([100, 200, None]) == (24.0, "days")
    assert words.html_text('<b>"x"') == "&lt;b&gt;&quot;x&quot;"


def test_settings_are_set_as_what_is_typed() -> None:
    """Their names are code, everything else stays words, and nothing becomes markup."""
    told = (
        'name it as infrastructure_team under [requests] in leadline.toml, or try_it = "none" <b>'
    )
    assert words.html_with_settings(told) == (
        "name it as <code>infrastructure_team</code> under <code>[requests]</code> in "
        "<code>leadline.toml</code>, or <code>try_it = &quot;none&quot;</code> &lt;b&gt;"
    )
    assert words.html_with_settings("hours of the 3 teams, e.g. n = 9") == words.html_text(
        "hours of the 3 teams, e.g. n = 9"
    )


def test_no_line_ends_within_a_date_or_a_number() -> None:
    """What belongs together stays on one line; everything else may break."""
    told = words.html_text("clear since 2 August 2026 · 16–26 %, n = 13 weeks · May 2026 or 9 of 9")
    assert told.split(" ") == [
        "clear",
        "since",
        "2\xa0August\xa02026",
        "·",
        "16–\u206026\xa0%,",
        "n\xa0=\xa013",
        "weeks",
        *["·", "May", "2026", "or", "9", "of", "9"],
    ]
