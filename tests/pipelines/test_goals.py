"""Goals: what attained, at risk and missed mean, for whom a goal holds, and what came before."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import Settings
from pipelines.settings_measures import Goal
from tests.pipelines.metric_tables import made, row
from tests.pipelines.stories import line, live, repository, tell

SERVICES = {"a": "x", "b": "x", "c": "x", "d": "y", "e": None}


def goals(*wanted: tuple[str, str, str | None]) -> Settings:
    """Settings with goals (metric, target, team)."""
    listed = tuple(Goal(metric=m, target=t, team=team) for m, t, team in wanted)
    return Settings(goals=listed)


LEAD_TIME = goals(("change_lead_time", "2 d", None))
FREQUENCY = goals(("deployment_frequency", "2 per week", None))


def state(settings: Settings, *rows: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """State and reason per entity in the period of 91 days."""
    found = made("metric_goal", list(rows), services=SERVICES, settings=settings)
    return {
        (kind, entity): (told, reason)
        for kind, entity, period, told, reason in found.select(
            "entity_type", "entity_id", "period", "state", "reason"
        ).rows()
        if period == "91d"
    }


def lead_time(entity: str, value: float | None, **more: Any) -> dict[str, Any]:
    return row("change_lead_time", "median", entity, value, unit="h", **more)


def frequency(entity: str, value: float | None, **more: Any) -> dict[str, Any]:
    return row("deployment_frequency", "per_week", entity, value, **more)


PAST = "the interval reaches past the target"
UNBOUND = "too few data to bound the value on this side"


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (20.0, 10.0, 30.0, ("attained", None)),
        (20.0, None, 48.0, ("attained", None)),
        (48.0, 40.0, 48.0, ("attained", None)),
        (20.0, 10.0, 48.1, ("at risk", PAST)),
        (20.0, 10.0, None, ("at risk", UNBOUND)),
        (48.1, 10.0, 60.0, ("missed", None)),
        (48.1, None, None, ("missed", None)),
        (None, None, None, ("not enough data", "too few")),
    ],
)
def test_of_durations_less_is_better(
    value: float | None, low: float | None, high: float | None, expected: tuple[str, str | None]
) -> None:
    """The upper end of the interval decides between attained and at risk."""
    found = state(LEAD_TIME, lead_time("service:a", value, ci_low=low, ci_high=high))
    assert found["service", "service:a"] == expected


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (3.0, 2.0, 4.0, ("attained", None)),
        (2.0, 2.0, None, ("attained", None)),
        (3.0, 1.9, 4.0, ("at risk", PAST)),
        (3.0, None, 4.0, ("at risk", UNBOUND)),
        (1.9, 1.0, 4.0, ("missed", None)),
        (0.0, 0.0, 0.3, ("missed", None)),
    ],
)
def test_of_deployments_more_is_better(
    value: float, low: float | None, high: float | None, expected: tuple[str, str | None]
) -> None:
    """The lower end decides; no deployment at all is a value, and misses."""
    found = state(FREQUENCY, frequency("service:a", value, ci_low=low, ci_high=high))
    assert found["service", "service:a"] == expected


def test_a_target_is_met_by_the_very_value() -> None:
    """Five a month is no round number of deployments a week; published values have nine digits."""
    settings = goals(("deployment_frequency", "5 per month", None))
    exact = float(f"{5 * 168 / 730:.9g}")
    found = state(settings, frequency("service:a", exact, ci_low=exact, ci_high=9.0))
    assert found["service", "service:a"] == ("attained", None)


def test_teams_are_held_against_the_median_of_their_services() -> None:
    """The team's row is the value; its services say how many of those with a value meet it."""
    rows = [
        lead_time("service:a", 20.0),
        lead_time("service:b", 48.0),
        lead_time("service:c", None),
        lead_time("service:d", 90.0),
        lead_time("service:e", 30.0),
        lead_time("team:x", 34.0, ci_high=40.0),
        lead_time("", 39.0, ci_low=20.0, ci_high=90.0),
    ]
    found = made("metric_goal", rows, services=SERVICES, settings=LEAD_TIME)
    told = {
        row["entity_id"]: (row["state"], row["meeting"], row["services"])
        for row in found.iter_rows(named=True)
        if row["period"] == "91d" and row["entity_type"] != "service"
    }
    assert told == {
        "team:x": ("attained", 2, 2),
        "team:y": ("not enough data", 0, 1),
        "": ("at risk", 3, 4),
    }
    x = found.filter(entity_id="team:x", period="91d").row(0, named=True)
    assert (x["target"], x["unit"], x["target_text"], x["direction"]) == (48, "h", "2 d", "at most")
    assert found.filter(entity_type="service")["meeting"].null_count() == 5 * 4


def test_a_goal_of_a_team_goes_before_one_for_all() -> None:
    """And does not reach the organisation; case plays no part in the name."""
    settings = goals(("change_lead_time", "2 d", None), ("change_lead_time", "1 h", "X"))
    rows = [lead_time(entity, 20.0) for entity in ("team:x", "team:y", "service:a", "service:d")]
    found = state(settings, *rows, lead_time("", 20.0))
    assert found["team", "team:x"] == found["service", "service:a"] == ("missed", None)
    assert found["team", "team:y"][0] == found["service", "service:d"][0] == "at risk"
    assert found["organisation", ""][0] == "at risk"


def test_a_goal_of_one_team_says_nothing_about_others() -> None:
    """Its rows are those of the team and of its services."""
    found = state(goals(("change_lead_time", "2 d", "y")), lead_time("service:d", 1.0, ci_high=2.0))
    assert found == {
        ("team", "team:y"): ("not enough data", "no service has this metric"),
        ("service", "service:d"): ("attained", None),
    }


def test_services_count_against_the_goal_of_the_whole() -> None:
    """The organisation's k of m meet its own target, whatever the team's is."""
    settings = goals(("change_lead_time", "2 d", None), ("change_lead_time", "1 h", "x"))
    rows = [lead_time("service:a", 20.0), lead_time("team:x", 20.0), lead_time("", 20.0)]
    found = made("metric_goal", rows, services=SERVICES, settings=settings).filter(period="91d")
    meeting = {row["entity_id"]: row["meeting"] for row in found.iter_rows(named=True)}
    assert (meeting[""], meeting["team:x"]) == (1, 0)


def test_a_goal_of_an_unknown_team_has_no_rows() -> None:
    """It is listed among the data checks instead."""
    settings = goals(("change_lead_time", "2 d", "nobody"))
    assert made("metric_goal", [], services=SERVICES, settings=settings).is_empty()


def test_every_trailing_period_has_a_row_and_weeks_have_none() -> None:
    """Also where the metric has no row: not enough data, and why."""
    found = made("metric_goal", [], services={"a": None}, settings=LEAD_TIME)
    assert sorted(found.filter(entity_id="service:a")["period"]) == ["182d", "28d", "365d", "91d"]
    assert found["state"].unique().to_list() == ["not enough data"]


def test_the_state_before_is_told_by_the_value_alone() -> None:
    """Its interval is not kept; without a value nothing is said."""
    rows = [
        lead_time("service:a", 20.0, previous_value=48.0),
        lead_time("service:b", 20.0, previous_value=48.1),
        lead_time("service:c", 20.0),
    ]
    found = made("metric_goal", rows, services=SERVICES, settings=LEAD_TIME)
    told = found.filter(entity_type="service", period="91d").sort("entity_id")
    assert told["previous_state"].to_list() == ["attained", "missed", None, None, None]
    assert told["previous_value"].to_list() == [48.0, 48.1, None, None, None]


def test_a_lower_bound_attains_nothing() -> None:
    """Without an incident source, two failures of nine are at least that many."""
    reason = "no incident source covers a: at least 2 of 9 failed (rollbacks and reverts only)"
    found = state(
        goals(("change_fail_rate", "50 %", None)),
        row("change_fail_rate", "primary", "service:a", None, unit="%", reason=reason),
        row("change_fail_rate", "at_least", "service:a", 22.2, unit="%", ci_low=5.0),
        row("change_fail_rate", "high", "service:a", 22.2, unit="%", ci_high=40.0),
    )
    assert found["service", "service:a"] == ("not enough data", reason)


def test_what_is_unknown_may_be_rework() -> None:
    """A goal is attained only if known and unknown together keep below it."""
    settings = goals(("deployment_rework_rate", "10 %", None))
    known = row("deployment_rework_rate", "known", "service:a", 4.0, unit="%", ci_high=9.0)

    def possible(high: float | None) -> dict[str, Any]:
        return row("deployment_rework_rate", "possible", "service:a", 8.0, unit="%", ci_high=high)

    assert state(settings, known, possible(9.5))["service", "service:a"] == ("attained", None)
    assert state(settings, known, possible(20.0))["service", "service:a"] == ("at risk", PAST)
    assert state(settings, known, possible(None))["service", "service:a"] == ("at risk", UNBOUND)


def test_named_environments_have_no_goals_of_their_own() -> None:
    """A goal holds for production as a whole."""
    rows = [lead_time("service:a", 20.0), lead_time("service:a", 99.0, environment="prod-eu")]
    assert state(LEAD_TIME, *rows)["service", "service:a"] == ("at risk", UNBOUND)


def test_a_build_holds_values_against_goals_and_lists_unknown_teams(tmp_path: Path) -> None:
    """From records to states: four deployments in four weeks, and a team nobody knows."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d", "e", step=100),
        *(live(i, sha, at=100 * i + 1) for i, sha in enumerate("abcde")),
        settings="""
            [[teams]]
            name = "Shop"
            repositories = ["shop"]
            [[goals]]
            metric = "deployment_frequency"
            target = "1 per month"
            [[goals]]
            metric = "change_lead_time"
            target = "2 d"
            team = "Shoppe"
        """,
        as_of=28 * 24,
    )
    assert story.ask(
        "select entity_type, state, meeting, services from metric_goal "
        "where period = '28d' order by entity_type"
    ) == [
        ("organisation", "at risk", 1, 1),
        ("service", "attained", None, None),
        ("team", "at risk", 1, 1),
    ]
    assert story.ask(
        "select subject, count, total from data_check where check_name = 'goals for unknown teams'"
    ) == [("Shoppe", 1, 1)]
