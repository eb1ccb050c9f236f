"""What to automate next, told as stories."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.records import Record, Ticket
from tests.pipelines.launch_world import at, engineers, requests, steady, teams
from tests.pipelines.stories import START, Story, tell

WEEKS = 28


def _told(folder: Path, *records: Iterable[Record], settings: str = "") -> Story:
    as_of = (at(WEEKS, 12) - START).total_seconds() / 3600
    return tell(folder, *records, settings=settings, as_of=as_of)


def _questions(count: int) -> Iterator[Ticket]:
    """Questions, each about something else."""
    words = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india")
    for number in range(count):
        opened = at(3 + number % 20, 12)
        first, second = words[number % 9], words[(number * 5 + 1) % 9]
        yield Ticket(
            ticket_id=f"forge:ticket:Q-{number}",
            ticket_key=f"Q-{number}",
            project="OPS",
            request_type="Question",
            title=f"{first}{number % 7} {second} {number}",
            reporter="forge:p1",
            status_category="done",
            created_at=opened,
            resolved_at=opened + timedelta(hours=5),
        )


def test_hours_are_tickets_times_handling_times_repeatability(tmp_path: Path) -> None:
    """What comes often, takes long and is always the same comes first."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(10)),
        teams(["Alpha", "Beta"], 10),
        requests("New database", WEEKS, steady(6), hours=3.0, people=10),
        requests("Firewall change", WEEKS, steady(10), hours=0.5, people=1, seed=2),
    )
    found = story.ask(
        "select rank, category, tickets, per_month, handling_hours, repeatability, "
        "hours_per_month, breadth, handling_source from automation_candidate order by rank"
    )
    assert [row[1] for row in found] == ["New database", "Firewall change"]
    for _, _, tickets, per_month, hours, share, product, _, source in found:
        assert per_month == pytest.approx(tickets / 26 * 365.25 / 84)
        assert share == 1
        assert product == pytest.approx(per_month * hours)
        assert source == "worklogs"
    assert [row[7] for row in found] == [2, 1]
    teams_of = story.ask(
        "select team_name, share from automation_candidate_team where category = 'Firewall change'"
    )
    assert teams_of == [("Alpha", 1.0)]


def test_requests_that_are_all_different_are_not_repeatable(tmp_path: Path) -> None:
    """A category of questions holds little that could be automated at once."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(10)),
        _questions(60),
        requests("New database", WEEKS, steady(2), hours=1.0),
    )
    share, source = story.ask(
        "select repeatability, handling_source from automation_candidate "
        "where category = 'Question'"
    )[0]
    assert share < 0.5
    assert source == "worklogs, all requests"


def test_without_handling_times_there_are_no_hours(tmp_path: Path) -> None:
    """Tickets alone give a reason, and come last."""
    story = _told(tmp_path, _questions(60))
    rank, hours, reason = story.ask(
        "select rank, hours_per_month, reason from automation_candidate"
    )[0]
    assert (rank, hours) == (1, None)
    assert "nobody can tell how long" in reason


def test_time_in_progress_stands_in_for_worklogs(tmp_path: Path) -> None:
    """The source is named: working hours in progress, waiting included."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(10)),
        requests("New database", WEEKS, steady(6), hours=None),
    )
    hours, source = story.ask("select handling_hours, handling_source from automation_candidate")[0]
    assert source == "time in progress"
    assert 4 < hours < 16


def test_examples_and_launches_stand_beside(tmp_path: Path) -> None:
    """The newest tickets of the largest group, and what is being done about it."""
    story = _told(
        tmp_path,
        requests("New database", WEEKS, steady(6)),
        settings='[[launches]]\nname = "Form"\ndate = 2027-01-01\ncategories = ["new DATABASE"]\n',
    )
    titles, urls, launches = story.ask(
        "select example_titles, example_urls, launches from automation_candidate"
    )[0]
    assert len(titles) == len(urls) == 3
    assert all(title.startswith("New database for service") for title in titles)
    assert launches == ["Form"]


def test_a_category_that_grows_is_rising(tmp_path: Path) -> None:
    """The trend is told only where the counts show one."""
    story = _told(
        tmp_path,
        requests("New database", WEEKS, lambda week: 4 if week < 15 else 9),
        requests("Firewall change", WEEKS, steady(6), seed=2),
    )
    found = dict(story.ask("select category, trend from automation_candidate"))
    assert found == {"New database": "rising", "Firewall change": "steady"}
