"""How soon newcomers get productive, and how teams deal with each other, told as stories."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.records import Account, ChangeRequest, Record, Review, Ticket
from tests.pipelines.launch_world import actions, at, engineers, steady, teams
from tests.pipelines.stories import KEY, START, Story, full, tell

WEEKS = 26


def _told(folder: Path, *records: Iterable[Record], settings: str = "") -> Story:
    as_of = (at(WEEKS, 12) - START).total_seconds() / 3600
    return tell(folder, *records, settings=settings, as_of=as_of)


def _newcomer(number: int, week: int, *, merged_after_days: float | None) -> Iterator[Record]:
    """Somebody who opens a first change in a week, merged so many days later, or never."""
    account = f"forge:n{number}"
    yield Account(account_id=account, login=f"n{number}", name=f"Newcomer {number}")
    opened = at(week, 10)
    is_merged = merged_after_days is not None
    yield ChangeRequest(
        change_request_id=f"forge:pull:9{number:03}",
        repository_key=KEY,
        number=90_000 + number,
        title="first",
        author=account,
        base_branch="main",
        head_branch=f"first-{number}",
        created_at=opened,
        merged_at=opened + timedelta(days=merged_after_days or 0) if is_merged else None,
        merge_sha=full(f"nm{number}") if is_merged else None,
        head_sha=full(f"nh{number}"),
    )


def test_the_curve_of_newcomers_holds_those_still_waiting(tmp_path: Path) -> None:
    """Eight came, six got there: the others count as not yet over, nobody is named."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(3)),
        *(_newcomer(n, 10, merged_after_days=2 + n) for n in range(6)),
        *(_newcomer(n, 10, merged_after_days=None) for n in (6, 7)),
    )
    people, reached, median, reason = story.ask(
        "select people, reached, median_days, reason from onboarding_cohort "
        "where milestone = 'first change' and cohort = 'all'"
    )[0]
    assert (people, reached, reason) == (8, 6, None)
    assert median == pytest.approx(5.5)
    curve = story.ask(
        "select day, survival, at_risk, events from onboarding "
        "where milestone = 'first change' and cohort = '2026 H1' order by day"
    )
    assert curve[0] == (0, 1.0, 8, 0)
    assert (2, 0.875, 8, 1) in curve
    assert (7, 0.25, 3, 1) in curve
    assert (14, 0.25, 2, 0) in curve
    columns = story.ask("select column_name from duckdb_columns() where table_name = 'onboarding'")
    assert not {"person_id", "name"} & {row[0] for row in columns}
    slow = story.ask(
        "select median_days, reason from onboarding_cohort "
        "where milestone = 'tenth change' and cohort = 'all'"
    )[0]
    assert slow == (None, "only 0 of 8 have reached it yet")


def test_a_cohort_of_four_is_not_shown(tmp_path: Path) -> None:
    """Fewer than five people could be recognised."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(3)),
        *(_newcomer(n, 10, merged_after_days=2) for n in range(4)),
    )
    assert story.ask("select count(*) from onboarding") == [(0,)]
    reasons = {row[0] for row in story.ask("select reason from onboarding_cohort")}
    assert reasons == {"only 4 newcomers, fewer than 5: not shown"}


def test_people_who_were_there_from_the_start_are_no_newcomers(tmp_path: Path) -> None:
    """Nobody can tell when they came."""
    story = _told(tmp_path, engineers(WEEKS, steady(9)))
    assert story.ask("select count(*), count(*) filter (is_newcomer) from newcomer") == [(9, 0)]
    assert story.ask("select count(*) from onboarding_cohort") == [(0,)]


def _reviews(author: str, reviewer: str, count: int, first: int) -> Iterator[Record]:
    for number in range(first, first + count):
        opened = at(25, number % 40)
        request = f"forge:pull:8{number:03}"
        yield ChangeRequest(
            change_request_id=request,
            repository_key=KEY,
            number=80_000 + number,
            title="shared",
            author=f"forge:{author}",
            base_branch="main",
            created_at=opened,
        )
        for again in range(2):
            yield Review(
                review_id=f"forge:review:{number}:{again}",
                change_request_id=request,
                reviewer=f"forge:{reviewer}",
                state="commented",
                submitted_at=opened + timedelta(hours=1 + again),
            )


def _asked(reporter: str, assignee: str, count: int, first: int) -> Iterator[Record]:
    for number in range(first, first + count):
        yield Ticket(
            ticket_id=f"forge:ticket:T-{number}",
            ticket_key=f"T-{number}",
            project="OPS",
            request_type="New database",
            title="a database",
            reporter=f"forge:{reporter}",
            assignee=f"forge:{assignee}",
            created_at=at(25, number % 40),
        )


def _mode(story: Story, team: str, other: str) -> tuple[object, ...]:
    return story.ask(
        "select tickets, actions, reviews_by_other, reviews_of_other, mode from team_interaction "
        f"where team_name = '{team}' and other_team_name = '{other}'"
    )[0]


def test_reviews_one_way_are_facilitating_both_ways_collaboration(tmp_path: Path) -> None:
    """A change reviewed twice by the same person is one; both directions make collaboration."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(3)),
        teams(["Alpha", "Beta", "Gamma"], 3),
        _reviews("p0", "p1", 6, 0),
        _reviews("p0", "p2", 4, 20),
        _reviews("p2", "p0", 3, 40),
    )
    assert _mode(story, "Alpha", "Beta") == (0, 0, 6, 0, "facilitating")
    assert _mode(story, "Beta", "Alpha") == (0, 0, 0, 6, "facilitating")
    assert _mode(story, "Alpha", "Gamma") == (0, 0, 4, 3, "collaboration")


def test_self_service_is_a_service_and_tickets_are_none_of_the_three(tmp_path: Path) -> None:
    """Who handles the tickets of a category is who serves its actions."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(3)),
        teams(["Alpha", "Beta", "Gamma"], 3),
        _asked("p0", "p2", 3, 0),
        _asked("p1", "p2", 6, 20),
        actions("new database", range(25, 26), 5, people=1),
    )
    assert _mode(story, "Alpha", "Gamma") == (3, 5, 0, 0, "X-as-a-service")
    assert _mode(story, "Beta", "Gamma") == (6, 0, 0, 0, "by ticket")


def test_few_interactions_have_no_mode(tmp_path: Path) -> None:
    """Four things say little of how two teams work together."""
    story = _told(
        tmp_path,
        engineers(WEEKS, steady(3)),
        teams(["Alpha", "Beta", "Gamma"], 3),
        _asked("p0", "p2", 4, 0),
    )
    assert _mode(story, "Alpha", "Gamma") == (4, 0, 0, 0, None)
