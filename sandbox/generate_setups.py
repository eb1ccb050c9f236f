"""New services: asked for, given a repository, a green pipeline and a first deployment, in time."""

from dataclasses import dataclass
from random import Random

from sandbox.generate_services import add_service
from sandbox.generate_tickets import TicketPlan
from sandbox.numbers import opaque_id
from sandbox.plan import RepositoryPlan, SetupPlan, Simulation
from sandbox.platform import SetupOutcome, SetupWay, TemplateRun, TemplateStep
from sandbox.profile import SetupHabit
from sandbox.ticketing import TicketProject
from sandbox.working_time import DAY, HOUR, as_datetime

TEMPLATE = "service"
NEW_SERVICE = 2  # of the request types
MARGIN = 12 * DAY  # the last one is ready before the end
FRIDAY = 4
# Id, name, and seconds from the request on.
TEMPLATE_STEPS = (
    ("fetch", "Fetch the skeleton", 0, 9),
    ("publish", "Publish", 9, 40),
    ("register", "Register in the catalog", 40, 55),
)


@dataclass(frozen=True, slots=True)
class Legs:
    """The moments of one set-up, in whole seconds."""

    requested: int
    approved: int
    created: int
    checked: int
    deploying: int


def plan_setups(simulation: Simulation, habit: SetupHabit) -> None:
    """Adds the new services, evenly over the days of the habit and over the teams that build."""
    random = simulation.random("setups")
    counts: dict[SetupWay, int] = {
        "quick": habit.quick,
        "slow": habit.slow,
        "weekend": habit.weekend,
        "open": habit.open,
    }
    ways = [way for way, count in counts.items() for _ in range(count)]
    random.shuffle(ways)
    builders = [i for i, team in enumerate(simulation.teams) if not team.is_infrastructure]
    first = simulation.end - habit.days * DAY
    for index, way in enumerate(ways):
        moment = first + (2 * index + 1) * (habit.days * DAY - MARGIN) // (2 * len(ways))
        legs = _legs(simulation, random, way, moment)
        present = simulation.present(builders[index % len(builders)], legs.requested)
        plan = SetupPlan(
            way=way,
            requester=random.choice(present),
            requested=legs.requested,
            approved=legs.approved,
            created=legs.created,
            checked=legs.checked,
            deploying=None if way == "open" else legs.deploying,
        )
        add_service(simulation, random, builders[index % len(builders)], plan)


def setup_tickets(simulation: Simulation, desk: TicketProject) -> list[TicketPlan]:
    """The tickets that asked for the new services; what a template made needed none."""
    random = simulation.random("setup tickets")
    plans = []
    for repository in simulation.repositories:
        setup = repository.setup
        if setup is None or setup.way == "quick":
            continue
        helpers = simulation.present(len(simulation.teams) - 1, setup.requested)
        ticket = TicketPlan(
            project=desk,
            summary=f"Set up the service {repository.name}",
            reporter=setup.requester,
            assignee=random.choice(helpers),
            created=setup.requested,
            started=setup.approved,
            resolved=None if setup.deploying is None else setup.deploying + HOUR,
            request_type_index=NEW_SERVICE,
            is_exact=True,
        )
        setup.ticket = ticket
        plans.append(ticket)
    return plans


def template_runs(repositories: list[RepositoryPlan]) -> tuple[TemplateRun, ...]:
    """The runs of the portal's template, by creation."""
    runs = []
    for repository in repositories:
        setup = repository.setup
        if setup is None or setup.way != "quick":
            continue
        steps = tuple(
            TemplateStep(
                name,
                title,
                as_datetime(setup.requested + begin),
                as_datetime(setup.requested + end),
            )
            for name, title, begin, end in TEMPLATE_STEPS
        )
        runs.append(
            TemplateRun(
                id=_run_id(repository),
                template=TEMPLATE,
                requester_login=setup.requester.login,
                repository_id=repository.id,
                service_name=repository.name,
                created_at=as_datetime(setup.requested),
                completed_at=steps[-1].ended_at,
                status="completed",
                steps=steps,
            )
        )
    return tuple(sorted(runs, key=lambda run: run.created_at))


def setup_outcome(
    simulation: Simulation, repository: RepositoryPlan, live: int | None
) -> SetupOutcome | None:
    """What came of a set-up; `live` is the first moment that its service was live anywhere."""
    setup = repository.setup
    if setup is None:
        return None
    is_templated = setup.way == "quick" and simulation.profile.has_portal
    return SetupOutcome(
        service_name=repository.name,
        repository_id=repository.id,
        way=setup.way,
        ticket_key=None if setup.ticket is None else setup.ticket.key,
        run_id=_run_id(repository) if is_templated else None,
        requested_at=as_datetime(setup.requested),
        created_at=as_datetime(setup.created),
        checked_at=as_datetime(setup.checked),
        live_at=None if live is None else as_datetime(live),
    )


def _legs(simulation: Simulation, random: Random, way: SetupWay, moment: int) -> Legs:
    """The moments of the legs, of a set-up that is asked for on the working day after `moment`."""
    calendar = simulation.calendar
    openings = calendar.openings(moment, simulation.end + 30 * DAY)
    if way == "weekend":
        friday = next(one for one in openings if as_datetime(one).weekday() == FRIDAY)
        monday = calendar.openings(friday + DAY, simulation.end + 30 * DAY)[0]
        asked = friday + 6 * HOUR
        return Legs(asked, asked + 1800, asked + HOUR, monday + 1200, monday + 1800)
    asked = openings[0] + random.randint(HOUR, 3 * HOUR)
    if way == "quick":
        return Legs(asked, asked, asked + 20, asked + 400, asked + 600)
    moments = [asked]
    for low, high in ((3.0, 8.0), (2.0, 6.0), (4.0, 9.0), (12.0, 30.0)):
        moments.append(calendar.later(moments[-1], random.uniform(low, high)) + 7)
    return Legs(*moments)


def _run_id(repository: RepositoryPlan) -> str:
    digits = opaque_id("template run", repository.id, length=32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
