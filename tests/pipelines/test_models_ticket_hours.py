"""How long tickets took, by each source of hours, in small stories whose hours are known."""

from pathlib import Path
from typing import Any

from connectors.records import Record
from tests.pipelines.request_stories import (
    DAY,
    PEOPLE,
    SETTINGS,
    WEEK,
    account,
    handed,
    item,
    logged,
    moves,
)
from tests.pipelines.stories import repository, request, tell

MEASURED = """
select right(ticket_id, 1), right(person_id, 3), week::varchar, duration_us / 3600e6
from {} order by 1, 2, 3
"""
FIRST = "2026-06-01"


def progress(
    folder: Path, *told: list[Record] | Record, settings: str = SETTINGS
) -> list[tuple[Any, ...]]:
    """Hours by the status history: ticket, person, week, hours."""
    story = tell(folder, PEOPLE, *told, settings=settings, as_of=60 * DAY)
    return [tuple(row) for row in story.ask(MEASURED.format("progress_hours"))]


def test_days_in_progress_are_working_days(tmp_path: Path) -> None:
    """From Monday to Wednesday: three days of eight hours."""
    found = progress(
        tmp_path,
        item(1, 0, 50, assignee="pia"),
        moves(1, (1, "in_progress"), (50, "done")),
    )
    assert found == [("1", "pia", FIRST, 24.0)]


def test_a_parked_ticket_counts_until_two_days_after_its_last_activity(tmp_path: Path) -> None:
    """An epic in progress for weeks takes three days, and nothing from the requests after them."""
    found = progress(
        tmp_path,
        item(1, 0, assignee="pia"),
        moves(1, (1, "in_progress")),
        item(2, 5 * WEEK, 5 * WEEK + 26, assignee="pia"),
        moves(2, (5 * WEEK + 1, "in_progress"), (5 * WEEK + 26, "done")),
    )
    assert found == [("1", "pia", FIRST, 24.0), ("2", "pia", "2026-07-06", 16.0)]


def test_a_day_is_split_over_the_tickets_that_count(tmp_path: Path) -> None:
    """Two tickets on Monday: four hours each; the one on Tuesday has the day alone."""
    found = progress(
        tmp_path,
        item(1, 0, 5, assignee="pia"),
        moves(1, (1, "in_progress"), (5, "done")),
        item(2, 0, 26, assignee="pia"),
        moves(2, (2, "in_progress"), (26, "done")),
    )
    assert found == [("1", "pia", FIRST, 4.0), ("2", "pia", FIRST, 12.0)]


def test_activity_at_the_weekend_counts_for_the_days_after(tmp_path: Path) -> None:
    """Begun on Saturday, never touched again: Monday and Tuesday."""
    found = progress(tmp_path, item(1, 5 * DAY, assignee="pia"), moves(1, (5 * DAY, "in_progress")))
    assert found == [("1", "pia", "2026-06-08", 16.0)]


def test_each_counts_for_as_long_as_it_was_theirs(tmp_path: Path) -> None:
    """Handed over on Tuesday; on that day both had it."""
    found = progress(
        tmp_path,
        item(1, 0, 50, assignee="pat"),
        moves(1, (1, "in_progress"), (50, "done")),
        handed(1, 26, "pia", "pat"),
    )
    assert found == [("1", "pat", FIRST, 16.0), ("1", "pia", FIRST, 16.0)]


def test_holidays_are_no_days(tmp_path: Path) -> None:
    """Tuesday off: Monday, Wednesday and Thursday are within two working days of Monday."""
    settings = "[organisation]\nextra_holidays = [2026-06-02]\n" + SETTINGS
    found = progress(
        tmp_path,
        item(1, 0, assignee="pia"),
        moves(1, (1, "in_progress")),
        settings=settings,
    )
    assert found == [("1", "pia", FIRST, 24.0)]


def test_a_change_that_names_the_ticket_keeps_it_alive(tmp_path: Path) -> None:
    """A request opened two weeks later and merged the day after: the days around it count."""
    story = tell(
        tmp_path,
        PEOPLE,
        repository(),
        item(1, 0, assignee="pia"),
        moves(1, (1, "in_progress")),
        request(7, "c", opened=2 * WEEK, merged=2 * WEEK + 20, merge="c", ticket_keys=["INF-1"]),
        settings=SETTINGS,
    )
    assert story.ask(MEASURED.format("progress_hours")) == [
        ("1", "pia", FIRST, 24.0),
        # Committed on the Monday an hour before it was opened, merged on the Tuesday.
        ("1", "pia", "2026-06-15", 32.0),
    ]


def test_machines_keep_nothing_alive(tmp_path: Path) -> None:
    """A robot that touches every ticket is no activity."""
    robot = account("robot", is_bot=True)
    parked = [item(1, 0, assignee="pia"), *moves(1, (1, "in_progress"))]
    touched = [
        change.model_copy(update={"transition_id": f"touch-{day}", "field": "priority"})
        for day in range(20)
        for change in moves(1, (day * DAY, "in_progress"), actor="robot")
    ]
    found = progress(tmp_path, [robot], parked, touched)
    assert found == [("1", "pia", FIRST, 24.0)]


def test_statuses_of_the_settings_count_as_in_progress(tmp_path: Path) -> None:
    """Only those that are named, whatever their category."""
    settings = SETTINGS.replace("[requests]", '[requests]\nin_progress_statuses = ["to DO"]')
    found = progress(
        tmp_path,
        item(1, 0, 50, assignee="pia"),
        moves(1, (3, "in_progress"), (50, "done")),
        settings=settings,
    )
    assert found == [("1", "pia", FIRST, 8.0)]


def test_logged_time_counts_as_it_was_logged(tmp_path: Path) -> None:
    """Of the team and of everybody in a team; nothing negative, nothing of unknown people."""
    story = tell(
        tmp_path,
        PEOPLE,
        item(1, 0),
        logged(1, "pia", 1, 2.5),
        logged(1, "pia", 30, 1),
        logged(1, "pia", WEEK, 3),
        logged(1, "pia", 2, -4),
        logged(1, "pia", 3, 0),
        logged(1, "pia", 4, 900),
        logged(1, "sam", 1, 2),
        logged(1, "stranger", 1, 2),
        settings=SETTINGS,
    )
    assert story.ask(MEASURED.format("logged_hours")) == [
        ("1", "pia", FIRST, 3.5),
        ("1", "pia", "2026-06-08", 3.0),
        ("1", "sam", FIRST, 2.0),
    ]


def test_sessions_are_activities_close_together(tmp_path: Path) -> None:
    """Half an hour before the first, the time in between, a new session after the gap."""
    story = tell(
        tmp_path,
        PEOPLE,
        item(1, 0, 9),
        item(2, 0, 9),
        moves(1, (1, "in_progress"), (9, "done"), actor="pia"),
        moves(2, (2.5, "in_progress"), actor="pia"),
        settings=SETTINGS,
    )
    assert story.ask(MEASURED.format("session_hours")) == [
        ("1", "pia", FIRST, 1.0),
        ("2", "pia", FIRST, 1.5),
    ]


def test_absurd_times_stop_nothing(tmp_path: Path) -> None:
    """Resolved before it was created, moved in the wrong order, nobody's: no hours, no error."""
    story = tell(
        tmp_path,
        PEOPLE,
        item(1, 30, 2, assignee="pia"),
        item(2, 0, 9),
        moves(2, (9, "done"), (5, "in_progress")),
        item(3, 0, 9, assignee="pia", reporter=None, type=None),
        settings=SETTINGS,
    )
    assert story.ask(MEASURED.format("ticket_hours")) == []
    assert story.ask("select count(*) from ticket_class") == [(3,)]
