"""An organisation with requests to its platform team, of which a launch takes some away."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np

from connectors.records import (
    Account,
    ChangeRequest,
    Record,
    SelfServiceAction,
    Team,
    TeamMember,
    Ticket,
    TicketTransition,
    Worklog,
)
from tests.pipelines.stories import KEY, full, repository

FIRST = date(2026, 1, 5)  # a Monday

Weekly = Callable[[int], float]


def steady(count: float) -> Weekly:
    """The same number every week."""
    return lambda _: count


def at(week: int, hours: float = 9) -> datetime:
    """A moment of a week of the story, in hours from its Monday."""
    return datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(
        weeks=week, hours=hours
    )


def monday(week: int) -> date:
    """The first day of a week of the story."""
    return FIRST + timedelta(weeks=week)


def engineers(weeks: int, count: Weekly) -> Iterator[Record]:
    """So many people who merge a change a week, twelve weeks of history before the story too."""
    yield repository()
    number = 0
    known = 0
    for week in range(-13, weeks):
        there = round(count(week))
        for person in range(known, there):
            yield Account(
                account_id=f"forge:p{person}", login=f"p{person}", name=f"Person {person}"
            )
        known = max(known, there)
        for person in range(there):
            number += 1
            moment = at(week, 20 + person % 90)
            yield ChangeRequest(
                change_request_id=f"forge:pull:{number}",
                repository_key=KEY,
                number=number,
                title=f"change {number}",
                author=f"forge:p{person}",
                base_branch="main",
                head_branch=f"topic-{number}",
                created_at=moment - timedelta(hours=2),
                merged_at=moment,
                merge_sha=full(f"m{number}"),
                head_sha=full(f"h{number}"),
            )


def teams(names: list[str], people: int) -> Iterator[Record]:
    """Teams that share the people evenly."""
    for name in names:
        yield Team(team_id=f"forge:team:{name.lower()}", name=name)
    for person in range(people):
        name = names[person % len(names)]
        yield TeamMember(team_id=f"forge:team:{name.lower()}", account_id=f"forge:p{person}")


def requests(
    category: str,
    weeks: int,
    mean: Weekly,
    *,
    seed: int = 1,
    people: int = 20,
    hours: float | None = 2.0,
    reporters: bool = True,
) -> Iterator[Record]:
    """Requests of a category, by chance around a weekly mean; each takes so many logged hours."""
    chance = np.random.default_rng(seed)
    slug = category.lower().replace(" ", "-")
    for week in range(weeks):
        for number in range(int(chance.poisson(mean(week)))):
            key = f"OPS-{slug}-{week}-{number}"
            opened = at(week, 9 + number % 100)
            ticket_id = f"forge:ticket:{key}"
            who = f"forge:p{int(chance.integers(people))}" if reporters else None
            yield Ticket(
                ticket_id=ticket_id,
                ticket_key=key,
                project="OPS",
                type="Service request",
                request_type=category,
                title=f"{category} for service {number}",
                reporter=who,
                status_category="done",
                created_at=opened,
                resolved_at=opened + timedelta(hours=30),
                url=f"https://tracker.test/{key}",
            )
            yield _moved(ticket_id, 1, "in_progress", opened + timedelta(hours=1))
            yield _moved(ticket_id, 2, "done", opened + timedelta(hours=30))
            if hours is not None:
                yield Worklog(
                    worklog_id=f"forge:worklog:{key}",
                    ticket_id=ticket_id,
                    started_at=opened + timedelta(hours=1),
                    duration_us=round(hours * 3.6e9),
                )


def actions(
    category: str, weeks: range, a_week: int, *, people: int = 20, outcome: str = "succeeded"
) -> Iterator[Record]:
    """Self-service actions, so many a week."""
    for week in weeks:
        for number in range(a_week):
            started = at(week, 10 + number % 100)
            yield SelfServiceAction(
                action_id=f"forge:action:{category}:{week}:{number}:{outcome}",
                category=category,
                actor=f"forge:p{(week * a_week + number) % people}",
                started_at=started,
                completed_at=started + timedelta(minutes=5),
                outcome=outcome,
            )


def _moved(ticket_id: str, number: int, category: str, moment: datetime) -> TicketTransition:
    return TicketTransition(
        ticket_id=ticket_id,
        transition_id=str(number),
        field="status",
        to_value=category,
        to_category=category,
        at=moment,
    )
