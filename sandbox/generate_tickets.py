"""Tickets: what work was asked for, when it began and ended, and which changes belong to it."""

from dataclasses import dataclass, field
from random import Random

from sandbox.generate_changes import request_title
from sandbox.names import REQUEST_SUMMARIES
from sandbox.plan import Member, RequestPlan, Simulation
from sandbox.platform import WorkClass
from sandbox.ticketing import TicketProject
from sandbox.working_time import DAY, HOUR, spread

WEEK = 7 * DAY
LINKED_SHARE = 0.62
STORY, TASK, BUG = range(3)


@dataclass(frozen=True, slots=True)
class TicketWork:
    """Time that somebody really spends on a ticket."""

    member: Member
    at: int
    seconds: int
    work_class: WorkClass


@dataclass(slots=True)
class TicketPlan:
    """One ticket to come."""

    project: TicketProject
    summary: str
    reporter: Member
    assignee: Member | None
    created: int
    started: int | None
    resolved: int | None
    type_index: int = STORY
    request_type_index: int | None = None
    requests: list[RequestPlan] = field(default_factory=list)
    moved_from: TicketProject | None = None
    key: str = ""
    former_key: str | None = None
    description: str | None = None  # else made from the summary
    components: tuple[str, ...] | None = None  # else one or none by chance
    duplicate_of: "TicketPlan | None" = None
    parent: "TicketPlan | None" = None
    work: list[TicketWork] = field(default_factory=list)
    is_exact: bool = False  # its history is just this, without detours


def plan_tickets(
    simulation: Simulation,
    projects: tuple[TicketProject, ...],
    requests: list[RequestPlan],
    exact: list[TicketPlan] | None = None,
) -> list[TicketPlan]:
    """All tickets by creation, numbered; the requests they belong to get their keys.

    `exact` are the tickets of a profile, planned before: the infrastructure team has no others.
    """
    plans = _linked(simulation, projects, requests)
    plans += _unlinked(simulation, projects)
    plans += _desk_requests(simulation, projects[-1]) if exact is None else exact
    for plan in plans:
        if plan.started is not None and plan.started >= simulation.end - HOUR:
            plan.started = plan.resolved = None
        if plan.resolved is not None and plan.resolved >= simulation.end - HOUR:
            plan.resolved = None
    plans.sort(key=lambda plan: plan.created)
    _number(simulation, projects, plans)
    return plans


def _linked(
    simulation: Simulation, projects: tuple[TicketProject, ...], requests: list[RequestPlan]
) -> list[TicketPlan]:
    """Tickets of requests; some authors take several requests to finish one."""
    random = simulation.random("linked tickets")
    calendar = simulation.calendar
    plans: list[TicketPlan] = []
    current: dict[int, TicketPlan] = {}
    for request in sorted(requests, key=lambda request: (request.created, request.title)):
        author = request.author
        if request.kind != "normal" or random.random() >= LINKED_SHARE:
            continue
        if _is_exact(simulation, author.team_index):
            continue
        plan = current.get(author.person_id)
        if plan is None or random.random() >= 0.25 or plan.created < request.created - 30 * DAY:
            begun = max(request.branched, simulation.start)
            kind = random.choices((STORY, TASK, BUG), (45, 30, 25))[0]
            # Most bugs are found in production, and do not wait as planned work does.
            wait = spread(random, 8.0 if kind == BUG else 72.0, 1.1)
            created = begun - round(wait * HOUR)
            plan = TicketPlan(
                project=projects[simulation.teams[author.team_index].group_index],
                summary=request.title,
                reporter=_reporter(simulation, random, author, begun),
                assignee=author,
                created=max(simulation.start + random.randint(0, HOUR), min(created, begun - HOUR)),
                started=None,
                resolved=None,
                type_index=kind,
            )
            plan.started = max(plan.created + 300, begun - random.randint(0, 1800))
            plans.append(plan)
            current[author.person_id] = plan
        plan.requests.append(request)
    for plan in plans:
        merges = [request.merged for request in plan.requests]
        ends = [merged for merged in merges if merged is not None]
        if len(ends) == len(merges):
            plan.resolved = calendar.later(max(ends), spread(random, 5.0, 1.0)) + 61
        if random.random() < 0.04:
            plan.started = None  # dragged straight to done
    return plans


def _unlinked(simulation: Simulation, projects: tuple[TicketProject, ...]) -> list[TicketPlan]:
    """Work that leaves no change behind."""
    plans = []
    for team_index, team in enumerate(simulation.teams):
        if _is_exact(simulation, team_index):
            continue
        random = simulation.random("unlinked tickets", team_index)
        for week in range(simulation.start, simulation.end - WEEK, WEEK):
            for _ in range(random.choice((0, 1, 1, 2, 3))):
                created = simulation.calendar.later(week + random.randint(0, WEEK), 0.1)
                present = simulation.present(team_index, created)
                if not present or created >= simulation.end - 2 * HOUR:
                    continue
                started = simulation.calendar.later(created, spread(random, 20.0, 1.2))
                resolved = simulation.calendar.later(started, spread(random, 10.0, 1.0)) + 61
                fate = random.random()
                plans.append(
                    TicketPlan(
                        project=projects[team.group_index],
                        summary=request_title(random),
                        reporter=random.choice(present),
                        assignee=random.choice(present) if fate > 0.05 else None,
                        created=created,
                        started=started if fate > 0.12 else None,
                        resolved=resolved if fate > 0.08 else None,
                        type_index=random.choice((STORY, TASK, BUG)),
                    )
                )
    return plans


def _desk_requests(simulation: Simulation, desk: TicketProject) -> list[TicketPlan]:
    """Requests to the infrastructure team; the shared pipeline takes most of one kind away."""
    random = simulation.random("desk")
    calendar = simulation.calendar
    last_team = len(simulation.teams) - 1
    plans = []
    count = round(len(simulation.members) * (simulation.end - simulation.start) / WEEK * 0.17)
    for _ in range(count):
        moment = simulation.start + random.randint(0, simulation.end - simulation.start - DAY)
        created = calendar.later(moment, 0.05) + random.randint(0, 3 * HOUR)
        kind = random.randrange(len(desk.request_types))
        reporters = [m for m in simulation.members if m.joined <= created < m.left]
        helpers = simulation.present(last_team, created)
        is_gone = kind == 3 and created > simulation.launch + 14 * DAY and random.random() < 0.65
        if is_gone or not reporters or created >= simulation.end - HOUR:
            continue
        reporter = random.choice(reporters)
        service = random.choice(simulation.services)
        started = calendar.later(created, spread(random, 12.0, 1.1)) + 5
        resolved = calendar.later(started, spread(random, 5.0, 1.2)) + 61
        plans.append(
            TicketPlan(
                project=desk,
                summary=REQUEST_SUMMARIES[kind].format(service=service.slug, name=reporter.name),
                reporter=reporter,
                assignee=random.choice(helpers) if helpers else None,
                created=created,
                started=None if random.random() < 0.1 else started,
                resolved=resolved if random.random() < 0.98 else None,
                request_type_index=kind,
            )
        )
    return plans


def _is_exact(simulation: Simulation, team_index: int) -> bool:
    """Whether all tickets of a team are planned day by day."""
    team = simulation.teams[team_index]
    return simulation.profile.work is not None and team.is_infrastructure


def _reporter(simulation: Simulation, random: Random, author: Member, at: int) -> Member:
    present = simulation.present(author.team_index, at)
    return random.choice(present) if present and random.random() < 0.7 else author


def _number(
    simulation: Simulation, projects: tuple[TicketProject, ...], plans: list[TicketPlan]
) -> None:
    """Numbers tickets by creation and hands the keys to their requests."""
    random = simulation.random("ticket keys")
    last = {project.key: 0 for project in projects}
    for index, plan in enumerate(plans):
        age = simulation.end - plan.created
        is_free = not plan.requests and not plan.is_exact
        groups = projects[: len(simulation.groups)]
        if index % 200 == 150 and len(groups) > 1 and age > 60 * DAY and is_free:
            others = [project for project in groups if project.id != plan.project.id]
            plan.moved_from = random.choice(others)
            last[plan.moved_from.key] += 1
            plan.former_key = f"{plan.moved_from.key}-{last[plan.moved_from.key]}"
        last[plan.project.key] += 1
        plan.key = f"{plan.project.key}-{last[plan.project.key]}"
        for request in plan.requests:
            request.ticket_key = plan.key
            way = random.random()
            if way < 0.7:
                request.title = f"{plan.key} {request.title}"
            elif way < 0.85:
                request.title = f"[{plan.key}] {request.title}"
