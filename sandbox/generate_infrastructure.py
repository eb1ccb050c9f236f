"""The infrastructure team's days: requests of other teams, building under epics, repairs.

Demand comes first: each engineer of another team asks for each category of thing with a chance a
week. Then every working day of every member of the team goes to one kind of work, in this order:
what was begun yesterday, something broken, requests where enough of them wait, building.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sandbox.generate_tickets import TicketPlan, TicketWork
from sandbox.names import REQUEST_SUMMARIES
from sandbox.plan import NEVER, LaunchPlan, Member, SelfServicePlan, Simulation
from sandbox.platform import WorkClass
from sandbox.profile import WorkHabit
from sandbox.ticketing import TicketProject
from sandbox.working_time import DAY, HOUR, as_datetime

WEEK = 7 * DAY
EPIC, STORY, MAINTENANCE = range(3)  # of the platform project's types
# Database, access, new service (asked for by set-ups alone), pipeline, certificate, capacity.
CATEGORY_SHARES = (0.15, 0.3, 0.0, 0.25, 0.1, 0.2)
BROKEN_SHARE, AWAY_SHARE = 0.08, 0.07  # of the days
WORKED_SECONDS = round(6.5 * HOUR)
DAYS_A_WEEK = 4.8  # less holidays
EPIC_SECONDS = 70 * DAY
TRIED_SHARE = 0.35  # of those who ask all the same: they used the offer for something else
TRIED_BEFORE = 80 * HOUR
FAILED_SHARE = 0.06
SETUP_SECONDS = 90 * 60  # of a helper's day that a set-up under way takes
EPIC_TITLES = (
    "One cluster for all",
    "Shared delivery pipeline",
    "Secrets in one place",
    "Alerts that mean something",
    "Accounts by code",
    "Base images",
    "Cost by team",
)
STORY_TITLES = (
    "Module for databases",
    "Policy for namespaces",
    "Template for a service",
    "Rotate certificates by itself",
    "Dashboards by default",
    "Move the build cache",
    "Quota for each team",
    "Upgrade the controllers",
)
BROKEN = ("Nodes are full", "Runner pool hangs", "Registry is slow", "Backups failed overnight")


@dataclass(slots=True)
class Begun:
    """A story under way and the days it still takes."""

    ticket: TicketPlan
    days: int


class InfrastructureWork:
    """Plans the tickets of the infrastructure team with the time that really went into them."""

    def __init__(
        self,
        simulation: Simulation,
        habit: WorkHabit,
        *,
        desk: TicketProject,
        project: TicketProject,
        setups: list[TicketPlan],
    ) -> None:
        """`project` is where the team builds; `setups` are tickets that ask for new services."""
        self._simulation = simulation
        self._habit = habit
        self._desk = desk
        self._project = project
        self._setups = setups
        self._team_index = len(simulation.teams) - 1
        self._random: Random = simulation.random("infrastructure")
        self._epics: list[TicketPlan] = []
        self._begun: dict[int, Begun] = {}
        self.actions: list[SelfServicePlan] = []

    def plan(self) -> list[TicketPlan]:
        """All tickets but those of set-ups, which get their time here."""
        simulation = self._simulation
        requests = sorted(self._requests(), key=lambda ticket: ticket.created)
        self._epics = [*self._epic_tickets()]
        others: list[TicketPlan] = []
        waiting: deque[TicketPlan] = deque()
        coming = deque(requests)
        for opening in simulation.calendar.openings(simulation.start, simulation.end - 12 * HOUR):
            while coming and coming[0].created < opening:
                waiting.append(coming.popleft())
            team = simulation.present(self._team_index, opening)
            self._random.shuffle(team)
            for member in team:
                others += self._day(member, opening, waiting)
        parked = [*self._parked()] if self._habit.parked else []
        return [*requests, *self._epics, *others, *parked]

    def _requests(self) -> Iterator[TicketPlan]:
        """What the other teams ask for; what a launch takes away they do themselves."""
        simulation, random = self._simulation, self._random
        chance = self._chance()
        taken = 0.0
        for week in range(simulation.start, simulation.end, WEEK):
            for member in simulation.members:
                is_there = max(member.joined, week) < min(member.left, week + WEEK)
                if member.team_index == self._team_index or not is_there:
                    continue
                for category, share in enumerate(CATEGORY_SHARES):
                    if random.random() >= chance * share:
                        continue
                    moment = max(week, member.joined) + random.randint(0, WEEK)
                    created = simulation.calendar.later(moment, 0.05) + random.randint(0, 3 * HOUR)
                    if created >= min(simulation.end - HOUR, member.left):
                        continue
                    launch = self._launch(category, created)
                    taken += 0.0 if launch is None else launch.effect
                    if launch is not None and taken >= 1.0:
                        taken -= 1.0
                        self._act(launch, member, created, is_instead=True)
                        continue
                    if launch is not None and random.random() < TRIED_SHARE:
                        self._act(launch, member, created - TRIED_BEFORE, is_instead=False)
                    yield self._request(member, category, created)

    def _chance(self) -> float:
        """Requests an engineer makes in a week, so that they fill their share of the days."""
        simulation, habit = self._simulation, self._habit
        present = [m for m in simulation.members if m.joined <= simulation.end < m.left]
        helpers = sum(member.team_index == self._team_index for member in present)
        days = helpers * DAYS_A_WEEK * (1 - BROKEN_SHARE - AWAY_SHARE) * habit.request_share
        return days * habit.tickets_a_day / max(1, len(present) - helpers)

    def _launch(self, category: int, at: int) -> LaunchPlan | None:
        found = (one for one in self._simulation.launches if one.category == category)
        return next((one for one in found if one.at <= at), None)

    def _act(self, launch: LaunchPlan, member: Member, at: int, *, is_instead: bool) -> None:
        is_done = is_instead or self._random.random() >= FAILED_SHARE
        seconds = self._random.randint(20, 600)
        if at >= max(launch.at, member.joined):
            action = SelfServicePlan(launch, member, at, seconds, is_done, is_instead)
            self.actions.append(action)

    def _request(self, reporter: Member, category: int, created: int) -> TicketPlan:
        service = self._random.choice(
            [one for one in self._simulation.services if one.setup is None]
        )
        return TicketPlan(
            project=self._desk,
            summary=REQUEST_SUMMARIES[category].format(service=service.slug, name=reporter.name),
            reporter=reporter,
            assignee=None,
            created=created,
            started=None,
            resolved=None,
            request_type_index=category,
            is_exact=True,
        )

    def _epic_tickets(self) -> Iterator[TicketPlan]:
        """One large piece of building after the other."""
        simulation = self._simulation
        team = [m for m in simulation.members if m.team_index == self._team_index]
        for index, at in enumerate(range(simulation.start, simulation.end - DAY, EPIC_SECONDS)):
            created = simulation.calendar.later(at + HOUR, 0.5)
            ended = simulation.calendar.later(at + EPIC_SECONDS + 5 * DAY, 1.0)
            title = EPIC_TITLES[index % len(EPIC_TITLES)]
            yield TicketPlan(
                project=self._project,
                summary=title if index < len(EPIC_TITLES) else f"{title}, once more",
                reporter=team[0],
                assignee=None,
                created=created,
                started=created + HOUR,
                resolved=ended if ended < simulation.end - 2 * HOUR else None,
                type_index=EPIC,
                is_exact=True,
            )

    def _day(
        self, member: Member, opening: int, waiting: deque[TicketPlan]
    ) -> Iterator[TicketPlan]:
        """What a member does on one day; yields the tickets that begin with it."""
        random = self._random
        at, seconds = opening + random.randint(300, 1500), WORKED_SECONDS
        for ticket in self._setups:
            is_begun = ticket.started is not None and ticket.started <= opening
            is_under_way = is_begun and opening + 3 * SETUP_SECONDS < (ticket.resolved or NEVER)
            if ticket.assignee is member and is_under_way and seconds > 3 * SETUP_SECONDS:
                self._book(ticket, member, at, SETUP_SECONDS, "request")
                at, seconds = at + SETUP_SECONDS, seconds - SETUP_SECONDS
        begun = self._begun.get(member.person_id)
        fate = random.random()
        if begun is not None:
            self._build(begun, member, at, seconds)
        elif fate < AWAY_SHARE:
            return
        elif fate < AWAY_SHARE + BROKEN_SHARE:
            yield self._mend(member, at, seconds)
        elif len(waiting) >= self._habit.tickets_a_day:
            self._serve(member, at, seconds, waiting)
        else:
            story = self._story(member, at)
            self._begun[member.person_id] = Begun(story, random.choice((1, 2, 2, 3)))
            self._build(self._begun[member.person_id], member, at, seconds)
            yield story

    def _serve(self, member: Member, at: int, seconds: int, waiting: deque[TicketPlan]) -> None:
        """A day on the requests that have waited longest, one after the other."""
        count = self._habit.tickets_a_day
        count = max(1, min(len(waiting), count + self._random.choice((-1, 0, 0, 1))))
        weights = [self._random.uniform(0.5, 1.5) for _ in range(count)]
        for weight in weights:
            ticket = waiting.popleft()
            spent = int(seconds * weight / sum(weights))
            self._book(ticket, member, at, spent - 120, "request")
            ticket.assignee, ticket.started, ticket.resolved = member, at, at + spent - 60
            at += spent

    def _mend(self, member: Member, at: int, seconds: int) -> TicketPlan:
        ticket = TicketPlan(
            project=self._project,
            summary=self._random.choice(BROKEN),
            reporter=member,
            assignee=member,
            created=at - 240,
            started=at,
            resolved=at + seconds,
            type_index=MAINTENANCE,
            is_exact=True,
        )
        self._book(ticket, member, at, seconds, "incident")
        return ticket

    def _story(self, member: Member, at: int) -> TicketPlan:
        epics = [epic for epic in self._epics if epic.created < at]
        return TicketPlan(
            project=self._project,
            summary=self._random.choice(STORY_TITLES),
            reporter=member,
            assignee=member,
            created=max(self._simulation.start, at - self._random.randint(1, 20) * DAY),
            started=at,
            resolved=None,
            type_index=STORY,
            parent=epics[-1] if epics else None,
            is_exact=True,
        )

    def _build(self, begun: Begun, member: Member, at: int, seconds: int) -> None:
        self._book(begun.ticket, member, at, seconds, "build")
        begun.days -= 1
        if begun.days == 0:
            begun.ticket.resolved = at + seconds
            del self._begun[member.person_id]

    def _book(
        self, ticket: TicketPlan, member: Member, at: int, seconds: int, work_class: WorkClass
    ) -> None:
        ticket.work.append(TicketWork(member, at, seconds, work_class))

    def _parked(self) -> Iterator[TicketPlan]:
        """Begun half a year ago, in progress ever since, and nobody works on it."""
        simulation = self._simulation
        team = simulation.present(self._team_index, simulation.end)
        created = simulation.calendar.later(simulation.end - 210 * DAY, 1.0)
        epic = TicketPlan(
            project=self._project,
            summary="Move to the new cluster",
            reporter=team[0],
            assignee=team[0],
            created=created,
            started=created + HOUR,
            resolved=None,
            type_index=EPIC,
            is_exact=True,
        )
        yield epic
        for index, member in enumerate(team):
            begun = simulation.calendar.later(created + (index + 2) * DAY, 1.0)
            yield TicketPlan(
                project=self._project,
                summary=f"Move {STORY_TITLES[index % len(STORY_TITLES)].lower()}",
                reporter=member,
                assignee=member,
                created=begun,
                started=begun + HOUR,
                resolved=None,
                type_index=STORY,
                parent=epic,
                is_exact=True,
            )


def launch_moments(simulation: Simulation) -> list[LaunchPlan]:
    """The launches of the profile, each on a Monday morning."""
    plans = []
    for habit in simulation.profile.launches:
        moment = simulation.end - habit.weeks_ago * WEEK
        monday = moment - as_datetime(moment).weekday() * DAY
        opening = simulation.calendar.openings(monday, simulation.end)[0]
        plans.append(LaunchPlan(habit.name, habit.category, opening, habit.effect))
    return plans
