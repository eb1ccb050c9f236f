"""Turns ticket plans into facts: status histories with detours, assignments, booked time."""

from random import Random
from typing import Literal

from sandbox.generate_tickets import TicketPlan
from sandbox.names import TICKET_COMPONENTS
from sandbox.numbers import Numbers, opaque_id
from sandbox.plan import Simulation
from sandbox.ticketing import History, HistoryItem, Ticket, TicketStatus, Worklog
from sandbox.working_time import DAY, HOUR, as_datetime

BOOKING_PROJECT = "COM"  # the only one whose teams book their time
TO_DO, IN_PROGRESS, IN_REVIEW, BLOCKED, DONE = range(5)
PRIORITIES: tuple[Literal["Highest", "High", "Medium", "Low"], ...] = (
    "Highest",
    "High",
    "Medium",
    "Low",
)

Change = tuple[int, str, tuple[HistoryItem, ...]]  # moment, author, what changed


class TicketMaker:
    """Makes the facts of tickets, one after the other by creation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._numbers: Numbers = simulation.numbers
        self._random: Random = simulation.random("ticket facts")
        self._made = 0

    def make(self, plan: TicketPlan) -> Ticket:
        """One ticket with its whole history."""
        random = self._random
        self._made += 1
        steps = self._steps(plan)
        statuses = plan.project.statuses
        author = (plan.assignee or plan.reporter).user_id
        changes = [self._status_change(statuses, step, author) for step in steps]
        if plan.assignee is not None and random.random() < 0.6:
            changes.append(self._assignment(plan, steps))
        if plan.moved_from is not None and plan.former_key is not None:
            changes.append(self._move(plan, plan.former_key, plan.moved_from.key))
        if self._made % 150 == 40 and plan.created < self._simulation.end - 90 * DAY:
            changes += self._rank_changes(plan)
        changes.sort(key=lambda change: change[0])
        worklogs = self._worklogs(plan)
        resolved = steps[-1][0] if steps and steps[-1][2] == DONE else None
        moments = [plan.created, *(change[0] for change in changes)]
        updated = as_datetime(max(moments))
        if worklogs:
            updated = max(updated, worklogs[-1].updated_at)
        request_types = plan.project.request_types
        index = plan.request_type_index
        return Ticket(
            id=self._numbers.take("ticket", random.randint(1, 3)),
            key=plan.key,
            project_id=plan.project.id,
            former_keys=() if plan.former_key is None else (plan.former_key,),
            ticket_type_id=plan.project.ticket_types[plan.type_index].id,
            request_type_id=None if index is None else request_types[index].id,
            summary=plan.summary,
            description=plan.description or f"{plan.summary}.\n\nReported by {plan.reporter.name}.",
            status_id=statuses[steps[-1][2] if steps else TO_DO].id,
            priority=random.choices(PRIORITIES, (4, 16, 60, 20))[0],
            reporter_user_id=plan.reporter.user_id,
            assignee_user_id=None if plan.assignee is None else plan.assignee.user_id,
            labels=("customer",) if random.random() < 0.15 else (),
            components=self._components(plan),
            parent_key=None if plan.parent is None else plan.parent.key,
            duplicate_of=None if plan.duplicate_of is None else plan.duplicate_of.key,
            created_at=as_datetime(plan.created),
            updated_at=updated,
            resolved_at=None if resolved is None else as_datetime(resolved),
            resolution=None if resolved is None else _resolution(plan),
            histories=tuple(
                History(self._numbers.take("history", 3), by, as_datetime(at), items)
                for at, by, items in changes
            ),
            worklogs=worklogs,
            organisations=self._organisations(plan),
        )

    def _organisations(self, plan: TicketPlan) -> tuple[str, ...]:
        """Each team is a customer of the request desk, but for one in ten, who asks alone."""
        if plan.request_type_index is None or plan.reporter.person_id % 10 == 7:
            return ()
        return (self._simulation.teams[plan.reporter.team_index].name,)

    def _components(self, plan: TicketPlan) -> tuple[str, ...]:
        if plan.components is not None:
            return plan.components
        return (self._random.choice(TICKET_COMPONENTS),) if self._random.random() < 0.4 else ()

    def _steps(self, plan: TicketPlan) -> list[tuple[int, int, int]]:
        """The way through the statuses: moment, from, to."""
        if plan.is_exact:
            return _exact_steps(plan)
        random, steps = self._random, []
        status, at = TO_DO, plan.created
        end = plan.resolved or self._simulation.end - HOUR
        if plan.started is not None:
            way = [IN_PROGRESS, *random.choice(((), (IN_REVIEW,), (IN_REVIEW,), (BLOCKED, 1)))]
            if random.random() < 0.05:
                way = [IN_PROGRESS, TO_DO, IN_PROGRESS]
            if random.random() < 0.03 and plan.resolved is not None:
                way += [DONE, IN_PROGRESS]  # closed too early
            room = max(end - plan.started, 0)
            for index, target in enumerate(way):
                moment = plan.started + room * index // (len(way) + 1)
                if at < moment < end:
                    steps.append((moment, status, target))
                    status, at = target, moment
        if plan.resolved is not None:
            steps.append((max(plan.resolved, at + 1), status, DONE))
        return steps

    def _status_change(
        self, statuses: tuple[TicketStatus, ...], step: tuple[int, int, int], author: str
    ) -> Change:
        at, before, after = step
        items = [
            HistoryItem(
                "status",
                statuses[before].id,
                statuses[before].name,
                statuses[after].id,
                statuses[after].name,
            )
        ]
        if after == DONE:
            items.append(HistoryItem("resolution", None, None, "10000", "Done"))
        elif before == DONE:
            items.append(HistoryItem("resolution", "10000", "Done", None, None))
        return at, author, tuple(items)

    def _assignment(self, plan: TicketPlan, steps: list[tuple[int, int, int]]) -> Change:
        """Taken up by whoever has it now, from nobody or from a colleague."""
        assignee = plan.assignee or plan.reporter
        at = steps[0][0] if steps else plan.created + 60
        before = plan.reporter if self._random.random() < 0.2 else None
        if before is assignee:
            before = None
        item = HistoryItem(
            "assignee",
            before.user_id if before else None,
            before.name if before else None,
            assignee.user_id,
            assignee.name,
        )
        return at, assignee.user_id, (item,)

    def _move(self, plan: TicketPlan, former_key: str, former_project: str) -> Change:
        at = plan.created + self._random.randint(HOUR, 2 * DAY)
        return (
            at,
            plan.reporter.user_id,
            (
                HistoryItem("Key", None, former_key, None, plan.key),
                HistoryItem("project", None, former_project, None, plan.project.key),
            ),
        )

    def _rank_changes(self, plan: TicketPlan) -> list[Change]:
        """A ticket that is dragged about: more history than a search answer carries."""
        random = self._random
        user = plan.reporter.user_id
        return [
            (
                plan.created + random.randint(600, 60 * DAY),
                user,
                (
                    HistoryItem(
                        "Rank", None, "", None, random.choice(("Ranked higher", "Ranked lower"))
                    ),
                ),
            )
            for _ in range(random.randint(45, 70))
        ]

    def _worklogs(self, plan: TicketPlan) -> tuple[Worklog, ...]:
        """Booked time; only one project keeps it, and an infrastructure team that books."""
        if plan.is_exact:
            return self._booked(plan)
        is_kept = plan.project.key == BOOKING_PROJECT and plan.assignee is not None
        if not is_kept or plan.started is None or plan.resolved is None or plan.assignee is None:
            return ()
        random, worklogs = self._random, []
        count = random.choice((0, 1, 1, 2, 3))
        room = max(1, (plan.resolved - plan.started) // (count + 1))
        for index in range(count):
            started = plan.started + room * index
            booked = as_datetime(started + room // 2)
            worklogs.append(
                Worklog(
                    id=self._numbers.take("worklog", random.randint(1, 4)),
                    author_user_id=plan.assignee.user_id,
                    started_at=as_datetime(started),
                    duration_seconds=random.choice((900, 1800, 3600, 7200, 14400)),
                    comment=f"{plan.summary} ({opaque_id(plan.key, index, length=4)})",
                    created_at=booked,
                    updated_at=booked,
                )
            )
        return tuple(worklogs)

    def _booked(self, plan: TicketPlan) -> tuple[Worklog, ...]:
        """All the time that went into it, where the team books its time."""
        habit = self._simulation.profile.work
        if habit is None or not habit.books_time:
            return ()
        return tuple(
            Worklog(
                id=self._numbers.take("worklog", 2),
                author_user_id=work.member.user_id,
                started_at=as_datetime(work.at),
                duration_seconds=work.seconds,
                comment=plan.summary,
                created_at=as_datetime(work.at + work.seconds),
                updated_at=as_datetime(work.at + work.seconds),
            )
            for work in plan.work
        )


def _exact_steps(plan: TicketPlan) -> list[tuple[int, int, int]]:
    """Begun and ended just when the plan says."""
    steps = []
    if plan.started is not None:
        steps.append((plan.started, TO_DO, IN_PROGRESS))
    if plan.resolved is not None:
        steps.append((plan.resolved, IN_PROGRESS if steps else TO_DO, DONE))
    return steps


def _resolution(plan: TicketPlan) -> Literal["Done", "Won't Do", "Duplicate"]:
    if plan.duplicate_of is not None:
        return "Duplicate"
    return "Won't Do" if plan.started is None and not plan.requests else "Done"
