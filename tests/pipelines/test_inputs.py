"""Periods, working time and environments."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.inputs import evaluations, holidays_between, periods, working_days, write_macros
from pipelines.settings import Organisation, Settings

BERLIN = Organisation(zone="Europe/Berlin", holidays="DE-BE")
AS_OF = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_trailing_periods_end_at_as_of_with_the_equal_period_before() -> None:
    """28, 91, 182 and 365 days, twice each, without a gap."""
    found = periods(BERLIN, AS_OF, None).filter(pl.col("period") != "week")
    for days in (28, 91, 182, 365):
        current, before = found.filter(pl.col("period") == f"{days}d").rows(named=True)
        assert current["is_current"]
        assert not before["is_current"]
        assert current["end_at"] == AS_OF
        assert current["start_at"] == before["end_at"] == AS_OF - timedelta(days=days)
        assert current["period_start"] == before["period_end"]
        assert current["period_end"] == date(2026, 11, 24)


def test_a_later_build_evaluates_at_the_same_moments() -> None:
    """Every fourth week end, whatever the day of the build; the newest at most four weeks old."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for days in range(60):
        as_of = AS_OF + timedelta(days=days)
        found = evaluations(BERLIN, as_of, first)
        before = evaluations(BERLIN, AS_OF, first)
        assert before.equals(found.head(before.height))
        assert timedelta(0) <= as_of - found["evaluated_at"][-1] < timedelta(weeks=4)
        assert set(found["evaluated_on"].diff().drop_nulls()) == {timedelta(weeks=4)}
        assert found["evaluated_on"][0] >= date(2026, 1, 1)
    assert evaluations(BERLIN, AS_OF, AS_OF - timedelta(days=5000)).height == 41


def test_weeks_are_iso_weeks_of_the_organisation() -> None:
    """They begin on Monday at midnight in its zone, and the last one is partial."""
    first = datetime(2026, 10, 1, tzinfo=UTC)
    weeks = periods(BERLIN, AS_OF, first).filter(pl.col("period") == "week").sort("start_at")
    zone = ZoneInfo("Europe/Berlin")
    for week in weeks.iter_rows(named=True):
        start = week["start_at"].astimezone(zone)
        assert (start.weekday(), start.hour, start.date()) == (0, 0, week["period_start"])
    assert weeks["period_start"][0] == date(2026, 9, 28)
    assert weeks["is_partial"].to_list() == [False] * (weeks.height - 1) + [True]
    # The week in which summer time ends is an hour longer.
    longest = weeks.with_columns(length=pl.col("end_at") - pl.col("start_at"))["length"].max()
    assert longest == timedelta(days=7, hours=1)


def test_working_time_leaves_out_weekends_and_holidays() -> None:
    """3 October is a holiday in Germany, a Saturday in 2026; 25 December a Friday."""
    days = working_days(
        BERLIN, datetime(2026, 12, 31, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    )
    hours = dict(
        days.select(
            "day", ((pl.col("work_end_at") - pl.col("work_start_at")).dt.total_hours())
        ).rows()
    )
    assert hours[date(2026, 12, 24)] == 8
    assert hours[date(2026, 12, 25)] == 0
    assert hours[date(2026, 10, 3)] == 0
    assert hours[date(2026, 10, 4)] == 0
    assert hours[date(2026, 10, 25)] == 0
    assert hours[date(2026, 10, 26)] == 8


def test_extra_holidays_count() -> None:
    """Days the settings add are off."""
    organisation = Organisation(extra_holidays=(date(2026, 5, 4),))
    assert holidays_between(organisation, date(2026, 1, 1), date(2026, 12, 31)) == {
        date(2026, 5, 4)
    }


@given(st.integers(0, 300 * 24 * 60), st.integers(0, 60 * 24 * 60))
def test_working_time_never_exceeds_elapsed_time(before: int, minutes: int) -> None:
    """And never runs backwards."""
    start = AS_OF - timedelta(minutes=before)
    end = start + timedelta(minutes=minutes)
    days = working_days(BERLIN, end, start)
    worked = [_worked(days, moment) for moment in (start, end)]
    assert 0 <= worked[1] - worked[0] <= minutes * 60_000_000


def _worked(days: pl.DataFrame, moment: datetime) -> int:
    day = moment.astimezone(BERLIN.tzinfo).date()
    row = days.row(by_predicate=pl.col("day") == day, named=True)
    length = (row["work_end_at"] - row["work_start_at"]) // timedelta(microseconds=1)
    passed = (moment - row["work_start_at"]) // timedelta(microseconds=1)
    return int(row["worked_before_us"] + max(0, min(passed, length)))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("prod", True),
        ("Production", True),
        ("live", True),
        ("eu-prod-1", True),
        ("cart-production", True),
        ("prod/eu", True),
        ("prod_eu", True),
        ("preprod", False),
        ("pre-prod", False),
        ("non-prod", False),
        ("prod-like", False),
        ("product-docs", False),
        ("staging", False),
        ("liveness", False),
        ("", False),
        ("продакшн-prod", True),
    ],
)
def test_production_is_a_whole_token(environment: str, expected: bool) -> None:
    """Environments that only sound like production are listed, not promoted."""
    with duckdb.connect() as connection:
        write_macros(connection, Settings())
        (found,) = connection.execute("select is_production(?)", [environment]).fetchall()[0]
    assert found is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.23456789123, 1.23456789),
        (123456.789123, 123456.789),
        (0.0, 0.0),
        (-2e-7 / 3, -6.66666667e-8),
    ],
)
def test_numbers_are_rounded_to_nine_significant_digits(value: float, expected: float) -> None:
    """Equal data give equal tables."""
    with duckdb.connect() as connection:
        write_macros(connection, Settings())
        (found,) = connection.execute("select round_significant(?::double)", [value]).fetchall()[0]
    assert found == pytest.approx(expected, rel=1e-12)
