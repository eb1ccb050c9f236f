"""Whether requests take more time than building: states, reasons and other ways to measure."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.records import Record
from tests.pipelines.request_stories import (
    DAY,
    PEOPLE,
    SETTINGS,
    WEEK,
    item,
    logged,
    moves,
)
from tests.pipelines.stories import Story, tell

TEAM = ("pia", "pat", "pim")
# The Monday two weeks after fourteen weeks of hours; evaluations are on 31 August and before.
AS_OF = 13 * WEEK + 2 * DAY
TICKETS: list[Record] = [
    item(1, 0, labels=["request"]),
    item(2, 0, labels=["build"]),
    item(3, 0, labels=["incident"]),
    item(4, 0, reporter="pia"),
]


def worked(
    shares: dict[int, float], weeks: int = 13, team: tuple[str, ...] = TEAM, wobble: float = 2
) -> list[Record]:
    """Logged hours of everybody in each week by ticket; requests wobble against building."""
    rows: list[Record] = []
    for week in range(weeks):
        for who in team:
            for number, hours in shares.items():
                swing = wobble * (-1) ** week * {1: 1, 2: -1}.get(number, 0)
                at = (13 - weeks + week) * WEEK + number
                rows.append(logged(number, who, at, hours + swing))
    return rows


def last(story: Story) -> dict[str, Any]:
    """The measure at the last evaluation."""
    names = ("measured_state", "direction", "value", "ci_low", "ci_high", "n", "reason", "missing")
    (row,) = story.ask(
        f"select {', '.join(names)}, coverage, evidence from request_measure"
        " order by evaluated_at desc limit 1"
    )
    return dict(zip((*names, "coverage", "evidence"), row, strict=True))


def measured(folder: Path, *told: Sequence[Record], settings: str = SETTINGS) -> dict[str, Any]:
    """The last measure of a world of tickets and hours."""
    return last(tell(folder, PEOPLE, TICKETS, *told, settings=settings, as_of=AS_OF))


def test_more_requests_than_building_cross(tmp_path: Path) -> None:
    """Thirty of forty hours a week over thirteen weeks: 75 %, and surely above a half."""
    story = tell(tmp_path, PEOPLE, TICKETS, worked({1: 30, 2: 10}), settings=SETTINGS, as_of=AS_OF)
    found = last(story)
    assert (found["measured_state"], found["n"]) == ("crossed", 13)
    # Seven weeks of 32 and six of 28 hours of forty.
    assert found["value"] == pytest.approx((7 * 32 + 6 * 28) / (13 * 40))
    assert 0.5 < found["ci_low"] < found["value"] < found["ci_high"] < 1
    assert found["coverage"] == 1
    assert "went to requests" in found["reason"]
    assert found["evidence"] == "hours from logged time"
    assert story.ask("select count(*), min(value), max(value) from request_week") == [
        (13, 0.7, 0.8)
    ]
    ((rule,),) = story.ask("select parameters from request_measure limit 1")
    assert json.loads(rule)["infrastructure_team"] == ["Platform"]
    # The same rows stand among the other thresholds.
    assert story.ask(
        "select measured_state from threshold_measure where threshold = 'requests'"
        " order by evaluated_at desc limit 1"
    ) == [("crossed",)]


@pytest.mark.parametrize(
    ("hours", "state", "direction", "gap"),
    [
        ({1: 10, 2: 30}, "clear", None, ""),
        ({1: 20.5, 2: 19.5}, "insufficient", "above", ""),
        ({1: 19.5, 2: 20.5}, "insufficient", "below", ""),
        # Unclassified hours decide: 24 to 16, but eight more might have been building.
        ({1: 22, 2: 14, 4: 8}, "insufficient", "above", ""),
        # Incidents and what is outside change nothing.
        ({1: 26, 2: 8, 3: 4}, "crossed", None, ""),
        # Too little of the working hours.
        ({1: 12, 2: 4}, "insufficient", "above", "are tracked"),
        # Too few hours have a class.
        ({1: 20, 2: 5, 4: 14}, "insufficient", "above", "have a class"),
    ],
)
def test_states(
    tmp_path: Path, hours: dict[int, float], state: str, direction: str | None, gap: str
) -> None:
    """The bounds hold whatever the unclassified hours were."""
    found = measured(tmp_path, worked(hours))
    assert (found["measured_state"], found["direction"]) == (state, direction)
    assert gap in found["reason"]
    assert bool(found["missing"]) is bool(gap)


def test_a_few_weeks_say_nothing(tmp_path: Path) -> None:
    """Seven weeks of hours, however clear they are."""
    found = measured(tmp_path, worked({1: 30, 2: 10}, weeks=7))
    assert (found["measured_state"], found["n"]) == ("insufficient", 7)
    assert found["reason"] == "Hours are known of 7 weeks so far; 8 are needed."


def test_two_people_have_a_state_and_no_share(tmp_path: Path) -> None:
    """It would tell of a person; weekly values and other ways to measure are hidden too."""
    settings = SETTINGS.replace('"pia", "pat", "pim"', '"pia", "pat"')
    story = tell(
        tmp_path,
        PEOPLE,
        TICKETS,
        worked({1: 30, 2: 10}, team=("pia", "pat")),
        settings=settings,
        as_of=AS_OF,
    )
    found = last(story)
    assert found["measured_state"] == "crossed"
    assert (found["value"], found["ci_low"], found["ci_high"]) == (None, None, None)
    assert "lies above the threshold" in found["reason"]
    assert "%" not in found["reason"].replace("50 %", "")
    assert story.ask("select count(*) from request_week") == [(0,)]
    assert story.ask("select count(value) from request_variant") == [(0,)]


@pytest.mark.parametrize(
    ("settings", "state", "missing"),
    [
        ('[requests]\ninfrastructure_team = "none"', "not applicable", None),
        ("", "insufficient", "the infrastructure team: name it"),
        ('[requests]\ninfrastructure_team = ["Platform"]', "insufficient", "the members of"),
        (SETTINGS, "insufficient", "logged time, or moving tickets"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, settings: str, state: str, missing: str | None
) -> None:
    """Never a number made of nothing."""
    found = measured(tmp_path, settings=settings)
    assert (found["measured_state"], found["value"]) == (state, None)
    assert [missing in each for each in found["missing"]] == ([True] if missing else [])
    assert (found["evidence"] is not None) is (state == "not applicable")


def test_without_any_ticket(tmp_path: Path) -> None:
    """Nothing but people."""
    found = last(tell(tmp_path, PEOPLE, settings=SETTINGS, as_of=AS_OF))
    assert found["missing"] == ["a ticket system, such as Jira, or a file of tickets"]


def test_whoever_is_assigned_stands_in_for_members(tmp_path: Path) -> None:
    """The team is named, nobody knows its people: the evidence says who counts."""
    told = [item(10 + i, 0, assignee=who) for i, who in enumerate(TEAM)]
    settings = '[requests]\ninfrastructure_team = ["Platform"]\nprojects = ["inf"]'
    found = measured(tmp_path, told, worked({1: 30, 2: 10}), settings=settings)
    assert found["measured_state"] == "crossed"
    assert "whoever is assigned" in found["evidence"]


def test_incidents_each_way_and_other_hours(tmp_path: Path) -> None:
    """60 % of 20 to 12 hours is sensitive to what eight hours of incidents are."""
    story = tell(
        tmp_path,
        PEOPLE,
        TICKETS,
        worked({1: 20, 2: 12, 3: 8}),
        item(20, 0, assignee="pia", labels=["build"]),
        moves(20, (1, "in_progress")),
        settings=SETTINGS,
        as_of=AS_OF,
    )
    rows = story.ask(
        "select variant, round(value, 4), state from request_variant"
        " where evaluated_at = (select max(evaluated_at) from request_variant) order by 1"
    )
    swung = (7 * 22 + 6 * 18) / 13
    assert rows == [
        ("hours from the status history of tickets", 0.0, "insufficient"),
        ("incidents counted as building", round(swung / 40, 4), "insufficient"),
        ("incidents counted as requests", round((swung + 8) / 40, 4), "crossed"),
    ]


def _tickets_of_weeks(*, straight: bool) -> list[Record]:
    """Each of the team has a ticket a day: requests on four days, building on the fifth."""
    rows: list[Record] = []
    number = 100
    for week in range(13):
        for who in TEAM:
            for day in range(5):
                number += 1
                at = week * WEEK + day * DAY
                label = "build" if day == 4 else "request"
                rows.append(item(number, at, at + 8, assignee=who, labels=[label], type="Task"))
                if straight and label == "request" and number % 2:
                    rows += moves(number, (at + 8, "done"), actor=who)
                else:
                    rows += moves(number, (at + 1, "in_progress"), (at + 8, "done"), actor=who)
    return rows


def test_the_status_history_where_nothing_is_logged(tmp_path: Path) -> None:
    """Four of five days are requests."""
    story = tell(
        tmp_path, PEOPLE, _tickets_of_weeks(straight=False), settings=SETTINGS, as_of=AS_OF
    )
    found = last(story)
    assert (found["measured_state"], found["value"]) == ("crossed", pytest.approx(0.8))
    assert found["evidence"] == "hours from the status history of tickets"
    assert story.ask("select distinct source from ticket_hours") == [("status history",)]


def test_a_status_history_that_skips_progress_is_none(tmp_path: Path) -> None:
    """Half of the requests went straight to done: what a ticket of the type takes stands in."""
    story = tell(tmp_path, PEOPLE, _tickets_of_weeks(straight=True), settings=SETTINGS, as_of=AS_OF)
    found = last(story)
    # A ticket takes eight hours by those that were in progress, so all of them together say so.
    assert found["evidence"] == "hours from the mean effort of each type"
    assert (found["measured_state"], found["value"]) == ("crossed", pytest.approx(0.8))
    rows = story.ask(
        "select source, skips_progress, is_taken from hours_source where is_infrastructure"
        " and evaluated_at = (select max(evaluated_at) from hours_source) order by 1"
    )
    assert ("status history", True, False) in rows
    assert ("effort per type", False, True) in rows


def test_effort_is_a_winsorised_mean_of_ten(tmp_path: Path) -> None:
    """One ticket of ten times the others' hours counts as the 95th percentile."""
    told: list[Record] = []
    for number in range(100, 111):
        told.append(item(number, 0, 5 * DAY, labels=["request"], type="Access"))
        told.append(logged(number, "pia", number / 100, 40 if number == 110 else 4))
    told += [item(n, 0, 5 * DAY, labels=["request"], type="Rare") for n in (200, 201)]
    story = tell(tmp_path, PEOPLE, told, settings=SETTINGS, as_of=AS_OF)
    # Of ten times 4 and one 40 the 95th percentile lies halfway: 22.
    effort = round((10 * 4 + 22) / 11 * 3.6e9)
    assert story.ask(
        "select distinct level, name, source, tickets, abs(effort_us - $e) < 2 from type_effort"
        " order by 1".replace("$e", str(effort))
    ) == [("class", "request", "worklogs", 11, True), ("type", "access", "worklogs", 11, True)]


def test_hours_of_the_settings_stand_for_a_type(tmp_path: Path) -> None:
    """Tickets of a file: no history at all, but the settings say how long one takes."""
    told = [
        item(100 + i, i * DAY, i * DAY + 5, assignee=TEAM[i % 3], labels=[label], type=kind)
        for i, (label, kind) in enumerate([("request", "Ask"), ("build", "Make")] * 44)
    ]
    settings = SETTINGS.replace("[requests]", "[requests]\neffort_hours = { Ask = 20, Make = 10 }")
    story = tell(tmp_path, PEOPLE, told, settings=settings, as_of=AS_OF)
    assert last(story)["value"] == pytest.approx(2 / 3, abs=0.02)
    assert story.ask("select distinct source from ticket_hours") == [("effort per type",)]


def test_spread_needs_five_people(tmp_path: Path) -> None:
    """Three of the team are only counted; five others show how requests interrupt them."""
    others = ("sam", "sue", "sid", "sol", "syl")
    told = [
        logged(number, who, week * WEEK + number, hours)
        for week in range(13)
        for place, who in enumerate(others)
        for number, hours in ((1, 2.0 * place), (2, 20 - 2.0 * place))
        if hours > 0
    ]
    story = tell(
        tmp_path, PEOPLE, TICKETS, worked({1: 30, 2: 10}), told, settings=SETTINGS, as_of=AS_OF
    )
    assert story.ask(
        "select is_infrastructure, people, quarter, median, three_quarters from request_spread"
        " order by 1"
    ) == [(False, 5, 0.1, 0.2, 0.3), (True, 3, None, None, None)]


def test_demand_backlog_and_what_tickets_took(tmp_path: Path) -> None:
    """Two requests of five engineers in the first week, one of them open for three weeks."""
    story = tell(
        tmp_path,
        PEOPLE,
        item(1, 4, 30, reporter="sam", type="Access request"),
        item(2, 9, reporter="sue", type="Access request"),
        item(3, 9, reporter="pia"),
        logged(1, "pia", 5, 2),
        logged(1, "sam", 5, 1),
        settings=SETTINGS,
        as_of=4 * WEEK + DAY,
    )
    rows = story.ask(
        "select week::varchar, requests, engineers, open_requests, median_age_us / 3600e6"
        " from request_flow order by 1 limit 2"
    )
    # Three of the five were never seen: they count as there from the beginning.
    assert rows == [
        ("2026-06-01", 2, 5, 1, 7 * 24 - 17),
        ("2026-06-08", 0, 5, 1, 14 * 24 - 17),
    ]
    assert story.ask(
        "select ticket_key, class, team_name, duration_us / 3600e6 from request_fact order by 1"
    ) == [
        ("INF-1", "request", "Shop", 2.0),
        ("INF-2", "request", "Shop", None),
        ("INF-3", "unclassified", "Platform", None),
    ]
