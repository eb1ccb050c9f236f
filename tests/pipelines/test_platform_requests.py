"""Which tickets are requests to the platform team, their category, and what people do instead."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.records import Account, Record, ScaffolderTask, SelfServiceAction, Ticket
from tests.pipelines.launch_world import at, teams
from tests.pipelines.stories import START, Story, tell

TEAM = '[requests]\ninfrastructure_team = ["Platform"]\n'


def _told(folder: Path, *records: Any, settings: str = "") -> Story:
    as_of = (at(10, 12) - START).total_seconds() / 3600
    return tell(folder, *records, settings=settings, as_of=as_of)


def _people(count: int) -> Iterator[Record]:
    for person in range(count):
        yield Account(account_id=f"forge:p{person}", login=f"p{person}", name=f"Person {person}")


def _ticket(number: int, week: int = 5, **more: Any) -> Ticket:
    values = {"request_type": "New database", "title": "a database", "project": "OPS", **more}
    return Ticket(
        ticket_id=f"forge:ticket:{number}",
        ticket_key=f"OPS-{number}",
        created_at=at(week, 9 + number),
        **values,
    )


def test_what_nobody_touched_yet_is_whose_its_kind_is(tmp_path: Path) -> None:
    """The team's requests count, new ones of the same kind too; those of other teams do not."""
    story = _told(
        tmp_path,
        _people(4),
        teams(["Platform", "Payments"], 4),
        *(_ticket(n, assignee="forge:p0", reporter="forge:p1") for n in range(3)),
        _ticket(3, reporter="forge:p1"),
        *(
            _ticket(n, project="PAY", request_type="Refund", assignee="forge:p1")
            for n in range(10, 14)
        ),
        _ticket(20, request_type=None, type="Improvement", assignee="forge:p0"),
        settings=TEAM,
    )
    found = story.ask("select category, sum(tickets) from category_week group by 1")
    assert found == [("New database", 4)]


def test_without_a_team_every_request_counts(tmp_path: Path) -> None:
    """Nobody says whose they are: all with a request type."""
    story = _told(
        tmp_path, _ticket(1), _ticket(2, request_type="Refund"), _ticket(3, request_type=None)
    )
    found = story.ask("select category, sum(tickets) from category_week group by 1 order by 1")
    assert found == [("New database", 1), ("Refund", 1)]


def test_the_category_is_the_first_that_says_something(tmp_path: Path) -> None:
    """Request type, then a telling type, then a component, then words; case does not matter."""
    story = _told(
        tmp_path,
        _ticket(1, request_type="New database"),
        _ticket(2, request_type="new database"),
        _ticket(3, request_type="New database"),
        _ticket(4, request_type=None, type="Access request", components=["vpn"]),
        _ticket(5, request_type=None, type="Support", components=["vpn", "dns"]),
        *(
            _ticket(n, request_type=None, type="Support", title=f"Quota raised for job-{n} please")
            for n in range(10, 16)
        ),
        _ticket(30, request_type=None, type="Support", title="Lunch"),
    )
    assert dict(story.ask("select category, sum(tickets) from category_week group by 1")) == {
        "Access request": 1,
        "New database": 3,
        "Other requests": 1,
        "Quota raised": 6,
        "dns": 1,
    }


def test_self_service_that_needed_a_ticket_did_not_help(tmp_path: Path) -> None:
    """Within 72 hours, by the same person, of the same category; a template stands for one."""

    def action(number: int, person: int, **more: Any) -> SelfServiceAction:
        started = at(5, 9)
        return SelfServiceAction(
            action_id=f"forge:action:{number}",
            category="create-db",
            actor=f"forge:p{person}",
            started_at=started,
            completed_at=started + timedelta(minutes=3),
            **{"outcome": "succeeded", **more},
        )

    story = _told(
        tmp_path,
        _people(4),
        action(1, 1),
        action(2, 2),
        action(3, 3, outcome="failed"),
        SelfServiceAction(
            action_id="forge:action:4",
            category="create-db",
            started_at=at(5, 20),
            completed_at=at(5, 21),
            outcome="succeeded",
        ),
        _ticket(40, reporter="forge:p1"),
        _ticket(90, week=6, reporter="forge:p2"),
        settings='[self_service]\ncategories = { create-db = "New database" }\n',
    )
    week = story.ask(
        "select attempts, actions, actions_ok, failed_actions, followed_actions, tickets, "
        "self_service_ratio from category_week where category = 'New database' and actions > 0"
    )
    # Of the four: one helped, one was followed by a ticket, one failed, one is nobody's.
    assert week == [(4, 3, 1, 1, 1, 1, 0.5)]


def test_runs_of_templates_are_self_service(tmp_path: Path) -> None:
    """A run that failed, and one still under way, are attempts."""
    story = _told(
        tmp_path,
        _people(2),
        *(
            ScaffolderTask(
                task_id=f"portal:task:{n}",
                template="node-service",
                requester="forge:p1",
                created_at=at(5, 9 + n),
                completed_at=at(5, 10 + n) if status == "succeeded" else None,
                status=status,
            )
            for n, status in enumerate(("succeeded", "failed", "running"))
        ),
        _ticket(1),
    )
    assert story.ask(
        "select sum(attempts), sum(actions), sum(actions_ok), sum(failed_actions) "
        "from category_week where category = 'node-service'"
    ) == [(3, 1, 1, 2)]
