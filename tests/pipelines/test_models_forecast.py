"""The forecasts of a build: which weeks they use, whom they warn, and why some say nothing."""

import polars as pl

from pipelines.models.signals.threshold_forecast import INPUTS, TABLES, model
from pipelines.thresholds import REQUESTS, SETUP_TIME, SHARED_INFRASTRUCTURE
from tests.pipelines.threshold_tables import evaluations, history, measured, measures, on, weeks

RISING = [0.30 + 0.005 * week + (0.01 if week % 2 else -0.01) for week in range(30)]


def forecast(measured: pl.DataFrame, weekly: pl.DataFrame, count: int = 2) -> pl.DataFrame:
    """The forecasts of so many evaluations."""
    found = model(evaluations(count), measured.select(columns()), weekly)["threshold_forecast"]
    return found.sort("threshold", "evaluated_at")


def columns() -> list[str]:
    """What the model reads of a measure."""
    return ["threshold", "evaluated_at", "value", "threshold_value", "measured_state"]


def of(found: pl.DataFrame, threshold: str) -> list[dict[str, object]]:
    """The forecasts of one threshold, oldest first."""
    return found.filter(threshold=threshold).to_dicts()


def test_a_rising_share_is_warned_of_at_the_second_evaluation() -> None:
    """Likely twice is a warning, told with its weeks."""
    first, second = of(forecast(history(requests="✓✓"), weeks(REQUESTS, RISING, on(1))), REQUESTS)
    assert (first["weeks"], second["weeks"]) == (26, 26)
    assert (first["is_likely"], first["is_warned"]) == (True, False)
    assert (second["is_likely"], second["is_warned"]) == (True, True)
    assert str(second["words"]).startswith("about 1")
    assert second["reason"] is None


def test_only_weeks_before_an_evaluation_count() -> None:
    """The future is not known to the past."""
    all_weeks = weeks(REQUESTS, RISING, on(1))
    whole = of(forecast(history(requests="✓✓"), all_weeks), REQUESTS)
    cut = all_weeks.filter(pl.col("week") < on(0))
    (early,) = of(forecast(history(requests="✓"), cut, count=1), REQUESTS)
    assert early == whole[0]


def test_nothing_is_warned_of_unless_it_is_clear() -> None:
    """Too close to call and missing are no near side."""
    for line in ("<<", "··", "▲▲"):
        found = of(forecast(history(requests=line), weeks(REQUESTS, RISING, on(1))), REQUESTS)
        assert [row["is_likely"] for row in found] == [False, False]


def test_engineers_are_counted_from_today() -> None:
    """One more a week from 42 is warned of; the same drift from 10 is not."""
    weekly = weeks(
        SHARED_INFRASTRUCTURE,
        [42.0] * 30,
        on(1),
        joins=[1 + week % 2 for week in range(30)],
        leaves=[(week + 1) % 2 for week in range(30)],
    )
    near, far = (
        forecast(
            measures(
                [measured(SHARED_INFRASTRUCTURE, "clear", each, value=value) for each in range(2)]
            ),
            weekly,
        )
        for value in (42.0, 10.0)
    )
    assert of(near, SHARED_INFRASTRUCTURE)[1]["is_warned"] is True
    assert of(near, SHARED_INFRASTRUCTURE)[1]["words"] == "about 8 weeks (90 %: 5 to 17)"
    assert of(far, SHARED_INFRASTRUCTURE)[1]["is_warned"] is False


def test_too_few_weeks_say_so() -> None:
    """Fewer than twelve weeks give a reason in place of a number."""
    (found,) = of(
        forecast(history(requests="✓"), weeks(REQUESTS, RISING[:11], on(0)), count=1), REQUESTS
    )
    assert found["probability"] is None
    assert found["weeks"] == 11
    assert found["reason"] == (
        "no forecast: 11 of at least 12 weeks with a value since the last shift"
    )


def test_without_a_value_there_is_no_forecast() -> None:
    """Weeks alone, or nothing at all, are not enough; no number is made of nothing."""
    weekly = weeks(REQUESTS, RISING, on(0))
    (missing,) = of(forecast(history(), weekly, count=1), REQUESTS)
    assert missing["reason"] == "no forecast: the present value is not known"
    nothing = forecast(history(), weeks(REQUESTS, [], on(0)), count=1)
    assert nothing["probability"].to_list() == [None, None]
    assert nothing["weeks"].to_list() == [0, 0]
    assert forecast(history(), weekly, count=0).is_empty()


def test_set_ups_and_audits_are_not_forecast() -> None:
    """Their weeks may be there; they make no row."""
    found = forecast(history(setup_time="✓✓", configuration="✓✓"), weeks(SETUP_TIME, RISING, on(1)))
    assert set(found["threshold"]) == {REQUESTS, SHARED_INFRASTRUCTURE}
    assert set(INPUTS) == {"evaluations", "measures", "weeks"}
    assert set(TABLES) == {"threshold_forecast"}
