"""Launches told as stories: what was found, what was not, and why there is no number."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors.records import Record
from tests.pipelines.launch_world import actions, at, engineers, monday, requests, steady, teams
from tests.pipelines.stories import START, Story, tell

WEEKS = 30
LAUNCH = 14


def _launch(**more: Any) -> str:
    values = {
        "name": '"Databases by form"',
        "date": str(monday(LAUNCH)),
        "categories": '["new database"]',
        **more,
    }
    return "[[launches]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


def _told(folder: Path, settings: str, *records: Iterable[Record], weeks: int = WEEKS) -> Story:
    as_of = (at(weeks, 12) - START).total_seconds() / 3600
    return tell(folder, *records, settings=settings, as_of=as_of)


def _row(story: Story, columns: str, category: str = "New database") -> tuple[Any, ...]:
    return story.ask(f"select {columns} from deflection where category = '{category}'")[0]


def test_a_launch_that_takes_three_in_ten_away_is_found(tmp_path: Path) -> None:
    """Avoided tickets with interval, hours, self-service and words; associated, no more."""
    story = _told(
        tmp_path,
        _launch(),
        engineers(WEEKS, steady(20)),
        requests("New database", WEEKS, lambda week: 60 if week < LAUNCH else 42, seed=5),
        requests("Firewall change", WEEKS, steady(15), seed=4),
        actions("new database", range(LAUNCH, WEEKS), 6),
        actions("new database", range(LAUNCH, WEEKS), 2, outcome="failed"),
    )
    state, wording, weeks_before, weeks_after, people = _row(
        story, "state, wording, weeks_before, weeks_after, engineers_after"
    )
    assert (state, weeks_before, weeks_after, people) == ("fewer", 14, 13, 20)
    assert "associated with the launch" in wording
    low, rate, high = _row(story, "deflection_low, deflection_rate, deflection_high")
    assert 0 < low < 0.3 < high
    assert rate == pytest.approx(0.3, abs=0.08)
    avoided, returned, mean, source = _row(
        story, "avoided, hours_returned, handling_hours, handling_source"
    )
    assert (mean, source) == (2.0, "worklogs")
    assert returned == pytest.approx(2 * avoided)
    attempts, done, failed, ratio = _row(
        story, "attempts, actions, failed_actions, self_service_ratio"
    )
    assert (attempts, done) == (13 * 8, 13 * 6)
    assert failed > 13 * 2
    assert 0 < ratio < 0.3
    moved = _row(story, "displaced_low, displaced_high")
    assert moved[0] < 0 < moved[1]
    weeks = story.ask(
        "select phase, count(*), count(expected) from deflection_week group by 1 order by 1"
    )
    assert weeks == [("adoption", 3, 3), ("after", 13, 13), ("before", 14, 14)]


def test_a_launch_that_does_nothing_while_headcount_doubles_is_not_found(tmp_path: Path) -> None:
    """More engineers ask more; neither more nor fewer requests than expected."""
    story = _told(
        tmp_path,
        _launch(),
        engineers(WEEKS, lambda week: 20 if week < LAUNCH else 40),
        requests("New database", WEEKS, lambda week: 25 if week < LAUNCH else 50, seed=6),
    )
    state, claimed, wording, smallest = _row(story, "state, is_claimed, wording, smallest_drop")
    assert (state, claimed) == ("not shown", False)
    assert wording.startswith("no effect can be shown")
    assert 0.1 < smallest < 0.5


def test_growth_hides_what_was_avoided_but_not_from_the_rate(tmp_path: Path) -> None:
    """As many requests from twice as many engineers: half of them were avoided."""
    story = _told(
        tmp_path,
        _launch(),
        engineers(WEEKS, lambda week: 20 if week < LAUNCH else 40),
        requests("New database", WEEKS, steady(25), seed=7),
    )
    assert _row(story, "state")[0] == "fewer"
    assert _row(story, "deflection_rate")[0] == pytest.approx(0.5, abs=0.12)


def test_a_launch_in_the_future_is_not_yet(tmp_path: Path) -> None:
    """It is listed with its date and no number."""
    story = _told(
        tmp_path,
        _launch(date="2027-03-01"),
        engineers(WEEKS, steady(20)),
        requests("New database", WEEKS, steady(10)),
    )
    assert _row(story, "state, avoided, reason") == (
        "not yet",
        None,
        "not yet: the launch is on 1 March 2027",
    )


def test_a_launch_of_last_month_is_too_early(tmp_path: Path) -> None:
    """The adoption window and four weeks have to pass."""
    story = _told(
        tmp_path,
        _launch(date=str(monday(WEEKS - 4))),
        engineers(WEEKS, steady(20)),
        requests("New database", WEEKS, steady(10)),
    )
    state, reason = _row(story, "state, reason")
    assert state == "too early"
    assert "1 full week after the adoption window" in reason


def test_without_engineers_there_is_no_number(tmp_path: Path) -> None:
    """Growth cannot be told from need: say what to connect."""
    story = _told(tmp_path, _launch(), requests("New database", WEEKS, steady(10)))
    state, reason = _row(story, "state, reason")
    assert state == "no number"
    assert "connect git" in reason


def test_a_comparison_needs_no_engineers_and_no_association(tmp_path: Path) -> None:
    """Against another category the launch is more than associated."""
    story = _told(
        tmp_path,
        _launch(comparison='["Firewall change"]'),
        requests("New database", WEEKS, lambda week: 30 if week < LAUNCH else 15, seed=3),
        requests("Firewall change", WEEKS, steady(30), seed=4),
    )
    state, wording, method = _row(story, "state, wording, method")
    assert state == "fewer"
    assert "associated" not in wording
    assert "Firewall change" in method


def test_teams_without_it_are_the_comparison(tmp_path: Path) -> None:
    """A launch for some teams is compared with the others, by heads."""
    story = _told(
        tmp_path,
        _launch(teams='["Alpha"]'),
        engineers(WEEKS, steady(20)),
        teams(["Alpha", "Beta"], 20),
        requests("New database", WEEKS, steady(60), seed=3),
    )
    comparison, people, claimed = _row(story, "comparison, engineers_after, is_claimed")
    assert comparison == "the teams that do not have it yet"
    assert people == 10
    assert not claimed


def test_one_ticket_is_too_little(tmp_path: Path) -> None:
    """Nothing is made of a single request."""
    story = _told(
        tmp_path,
        _launch(),
        engineers(WEEKS, steady(20)),
        list(requests("New database", 1, steady(5)))[:4],
        requests("Firewall change", WEEKS, steady(5)),
    )
    assert _row(story, "tickets_before, state, avoided, reason") == (
        1,
        "no number",
        None,
        "only 1 request of New database before the launch; 10 are needed",
    )


def test_requests_that_vanish_are_eliminated_only_if_there_were_many(tmp_path: Path) -> None:
    """None seen is eliminated where a fifth of the former rate would have shown."""
    story = _told(
        tmp_path,
        _launch(categories='["New database", "Rare thing"]'),
        engineers(WEEKS, steady(20)),
        requests("New database", WEEKS, lambda week: 20 if week < LAUNCH else 0),
        requests("Rare thing", WEEKS, lambda week: 0.9 if week < LAUNCH else 0, seed=3),
        requests("Firewall change", WEEKS, steady(5)),
    )
    assert _row(story, "elimination, deflection_rate") == ("eliminated", 1.0)
    assert _row(story, "elimination", "Rare thing")[0] == "none seen"
    assert _row(story, "state", "all of its categories")[0] == "fewer"


def test_requests_without_a_reporter_count(tmp_path: Path) -> None:
    """Who asked may be unknown: the request is none the less."""
    story = _told(
        tmp_path,
        _launch(),
        engineers(WEEKS, steady(20)),
        requests("New database", WEEKS, steady(10), reporters=False),
        actions("New database", range(LAUNCH, WEEKS), 5),
    )
    assert _row(story, "state")[0] == "not shown"
    assert story.ask("select count(*), count(person_id) from platform_request")[0][1] == 0
    assert _row(story, "failed_share")[0] == 0


def test_launches_of_one_category_do_not_count_for_each_other(tmp_path: Path) -> None:
    """The weeks of a launch end where the next one begins; those of one week stand together."""
    story = _told(
        tmp_path,
        _launch()
        + _launch(name='"Second"', date=str(monday(22)))
        + _launch(name='"Third"', date=str(monday(22))),
        engineers(WEEKS, steady(20)),
        requests("New database", WEEKS, steady(20)),
    )
    found = story.ask(
        "select launch, weeks_before, weeks_after, together_with from deflection order by 1"
    )
    assert found == [
        ("Databases by form", 14, 5, []),
        ("Second", 5, 5, ["Third"]),
        ("Third", 5, 5, ["Second"]),
    ]


def test_a_category_that_nobody_asked_for_says_so(tmp_path: Path) -> None:
    """A name the tickets do not know is a reason, not zero."""
    story = _told(
        tmp_path,
        _launch(categories='["No such thing"]'),
        engineers(WEEKS, steady(20)),
        requests("New database", WEEKS, steady(20)),
    )
    found = _row(story, "state, reason", "No such thing")
    assert found == ("no number", "no request of No such thing was ever seen")


def test_without_a_launch_the_tables_are_empty(tmp_path: Path) -> None:
    """Types are there; rows are not."""
    story = _told(tmp_path, "", requests("New database", 3, steady(2)), weeks=4)
    assert story.ask("select count(*) from deflection") == [(0,)]
    assert story.ask("select count(*) from deflection_week") == [(0,)]
    assert story.ask("select max(tickets), max(engineers) from category_week")[0][1] is None
