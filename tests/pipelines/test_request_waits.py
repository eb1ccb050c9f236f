"""What the goals of a service desk say of waiting, and whose requests they are."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.records import Account, Record, Ticket, TicketSla
from tests.pipelines.launch_world import at, teams
from tests.pipelines.stories import START, Story, hour, tell

HOUR = 3_600_000_000


def told(folder: Path, *records: Record | Iterable[Record], settings: str = "") -> Story:
    as_of = (at(30, 12) - START).total_seconds() / 3600
    groups = [[each] if isinstance(each, Record) else each for each in records]
    return tell(folder, *groups, settings=settings, as_of=as_of)


def asked(number: int, week: int = 20, **more: Any) -> Ticket:
    values = {"request_type": "New database", "title": "a database", "project": "INF", **more}
    return Ticket(
        ticket_id=f"desk:{number}",
        ticket_key=f"INF-{number}",
        created_at=at(week, 9 + number),
        **values,
    )


def clock(
    number: int, name: str, cycle: int = 1, *, stopped: bool = True, **more: Any
) -> TicketSla:
    values: dict[str, Any] = {"elapsed_us": 2 * HOUR, "goal_us": 8 * HOUR, **more}
    return TicketSla(
        ticket_id=f"desk:{number}",
        sla_id=name,
        cycle=cycle,
        name=name,
        started_at=hour(0),
        stopped_at=hour(1) if stopped else None,
        **values,
    )


FIRST, DONE = "Time to first response", "Time to resolution"


def waits(story: Story) -> list[tuple[Any, ...]]:
    return story.ask(
        "select ticket_id, first_response_us / 3600e6, resolution_us / 3600e6, goals, missed"
        " from request_wait order by ticket_id"
    )


def test_waits_are_those_of_the_desks_clock(tmp_path: Path) -> None:
    """The first run of the one, all runs of the other; another goal has no wait, but may miss."""
    story = told(
        tmp_path,
        asked(1),
        clock(1, FIRST, elapsed_us=HOUR),
        clock(1, FIRST, 2, elapsed_us=9 * HOUR, is_breached=True),
        clock(1, DONE, elapsed_us=3 * HOUR),
        clock(1, DONE, 2, elapsed_us=4 * HOUR),
        clock(1, "Time to close after resolution", elapsed_us=50 * HOUR, is_breached=True),
    )
    assert waits(story) == [("desk:1", 1.0, 7.0, 5, 2)]


def test_a_clock_that_runs_has_no_wait_and_misses_its_goal_by_itself(tmp_path: Path) -> None:
    """Past its breach it is missed, though nobody pulled it since; paused it is not."""
    past, ahead = hour(2), datetime(2030, 1, 1, tzinfo=START.tzinfo)
    story = told(
        tmp_path,
        (asked(number) for number in range(1, 5)),
        clock(1, DONE, stopped=False, breach_at=past),
        clock(2, DONE, stopped=False, breach_at=ahead),
        clock(3, DONE, stopped=False, is_paused=True, breach_at=past),
        clock(4, DONE, stopped=False),
    )
    assert [row[1:] for row in waits(story)] == [
        (None, None, 1, 1),
        (None, None, 1, 0),
        (None, None, 1, 0),
        (None, None, 1, 0),
    ]


def test_goals_may_be_called_otherwise(tmp_path: Path) -> None:
    """The settings say which goal is which."""
    settings = '[requests]\nfirst_response_pattern = "^Erste"\nresolution_pattern = "Lösung$"\n'
    story = told(
        tmp_path,
        asked(1),
        clock(1, "Erste Antwort"),
        clock(1, "Zeit bis zur Lösung", elapsed_us=5 * HOUR),
        settings=settings,
    )
    assert waits(story) == [("desk:1", 2.0, 5.0, 2, 0)]


def test_candidates_and_tickets_carry_waits_and_misses(tmp_path: Path) -> None:
    """Means over the tickets that have them; without goals there is nothing to say."""
    story = told(
        tmp_path,
        (asked(number) for number in range(1, 7)),
        (asked(number, request_type="Access") for number in range(11, 17)),
        clock(1, FIRST, elapsed_us=HOUR),
        clock(2, FIRST, elapsed_us=3 * HOUR, is_breached=True),
        clock(2, DONE, elapsed_us=30 * HOUR),
    )
    found = story.ask(
        "select category, first_response_hours, resolution_hours, goals, goals_missed"
        " from automation_candidate order by category"
    )
    assert found == [("Access", None, None, 0, 0), ("New database", 2.0, 30.0, 3, 1)]


def test_an_organisation_stands_for_the_team_of_who_asks(tmp_path: Path) -> None:
    """Members count for their teams; else one of a team's name is it; others are served."""
    story = told(
        tmp_path,
        teams(["Alpha", "Beta"], 2),
        Account(account_id="forge:p0", login="p0", name="Person 0"),
        asked(1, reporter="forge:p0", organisations=["Acme"]),
        asked(2, organisations=["beta "]),
        asked(3, organisations=["Acme", "acme"]),
        asked(4, organisations=["Bolt", ""]),
        asked(5),
    )
    found = dict(story.ask("select ticket_key, team_ids from platform_request"))
    assert found == {
        "INF-1": ["team:alpha"],
        "INF-2": ["team:beta"],
        "INF-3": ["team:acme"],
        "INF-4": ["team:bolt"],
        "INF-5": [],
    }
    assert story.ask("select breadth from automation_candidate") == [(4,)]
    served = story.ask("select team_id, team_name from automation_candidate_team order by team_id")
    assert served == [
        ("", None),
        ("team:acme", "Acme"),
        ("team:alpha", "Alpha"),
        ("team:beta", "Beta"),
        ("team:bolt", "Bolt"),
    ]
