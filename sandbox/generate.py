"""Builds a made-up organisation from a seed: the same arguments always give the same one."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta

from sandbox.generate_changes import plan_requests
from sandbox.generate_incidents import IncidentPlanner
from sandbox.generate_infrastructure import InfrastructureWork, launch_moments
from sandbox.generate_marks import mark_requests
from sandbox.generate_people import (
    account_facts,
    make_bots,
    make_members,
    make_teams,
    person_facts,
    team_facts,
)
from sandbox.generate_platform import platform_facts
from sandbox.generate_releases import plan_promotions, plan_releases
from sandbox.generate_repositories import BuiltRepository, RepositoryBuilder
from sandbox.generate_services import OWNER, make_services, service_facts
from sandbox.generate_setups import plan_setups, setup_tickets
from sandbox.generate_special_changes import (
    plan_adoptions,
    plan_bot_requests,
    plan_direct_commits,
    plan_hotfixes,
    plan_reverts,
    plan_stacked,
)
from sandbox.generate_ticket_facts import TicketMaker
from sandbox.generate_ticket_site import make_operations, make_projects, make_users
from sandbox.generate_tickets import TicketPlan, plan_tickets
from sandbox.numbers import Numbers, opaque_id
from sandbox.organisation import Organisation
from sandbox.plan import DirectPlan, RequestPlan, SelfServicePlan, Simulation
from sandbox.platform import NO_PLATFORM
from sandbox.profile import PLAIN, Profile
from sandbox.ticketing import TicketProject, TicketSite
from sandbox.working_time import DAY, WorkCalendar, as_datetime, as_seconds

ZONE = "Europe/Amsterdam"
HOLIDAY_COUNTRY = "NL"
DAYS_A_MONTH = 30.4375


def build_organisation(
    *,
    seed: int = 7,
    engineers: int = 120,
    teams: int | None = None,
    services: int | None = None,
    months: int = 18,
    end: datetime,
    profile: Profile = PLAIN,
) -> Organisation:
    """Simulates an organisation over some months until `end`.

    Teams default to one for every nine engineers, services to one for every two. A profile adds
    what a platform is judged by. The world does not depend on the clock, only on the arguments.
    """
    if engineers < 2 or months < 1:
        raise ValueError("an organisation has at least 2 engineers and 1 month")
    simulation = _prepare(
        seed=seed,
        engineers=engineers,
        teams=teams or max(1, round(engineers * 14 / 120)),
        months=months,
        end=end.astimezone(UTC).replace(microsecond=0),
        profile=profile,
    )
    make_services(simulation, services or max(4, engineers // 2))
    simulation.launches = launch_moments(simulation)
    if profile.setups is not None:
        plan_setups(simulation, profile.setups)
    projects, users = make_projects(simulation), make_users(simulation)
    operations = make_operations(simulation)
    people_requests = plan_requests(simulation)
    exact, actions = _infrastructure_tickets(simulation, projects)
    tickets = plan_tickets(simulation, projects, people_requests, exact)
    mark_requests(simulation, tickets, people_requests)
    built = _build_repositories(simulation, people_requests)
    deployments = tuple(outcome for one in built for outcome in one.deployments)
    changes = tuple(outcome for one in built for outcome in one.changes)
    incidents, left_over = IncidentPlanner(simulation, operations, _merge_shas(built)).plan(
        deployments, changes
    )
    tickets += [*(incident.ticket for incident in incidents), *left_over]
    tickets.sort(key=lambda plan: plan.created)
    ticket_maker = TicketMaker(simulation)
    repository_ids: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for repository in simulation.repositories:
        repository_ids[repository.team_index] += (repository.id,)
    members, bots = simulation.members, list(simulation.bots.values())
    return Organisation(
        id=71_004_318,
        login=OWNER,
        name="Harbourline",
        seed=seed,
        zone=ZONE,
        holidays=tuple(sorted(_holidays(simulation.start, simulation.end))),
        started_at=as_datetime(simulation.start),
        end=as_datetime(simulation.end),
        pipeline_launched_at=as_datetime(simulation.launch),
        accounts=account_facts(members, bots, simulation.start, is_linked=profile.is_linked),
        people=person_facts(members, simulation.teams),
        teams=team_facts(
            members=members,
            teams=simulation.teams,
            groups=simulation.groups,
            repository_ids=repository_ids,
            start=simulation.start,
            end=simulation.end,
        ),
        services=service_facts(simulation.services, [team.id for team in simulation.teams]),
        repositories=tuple(one.repository for one in built),
        ticket_site=TicketSite(
            cloud_id=opaque_id("cloud", seed, length=32),
            name="harbourline",
            users=users,
            projects=(*projects, operations),
            tickets=tuple(ticket_maker.make(plan) for plan in tickets),
        ),
        deployment_outcomes=deployments,
        change_outcomes=changes,
        reverts=tuple(pair for one in built for pair in one.reverts),
        incident_outcomes=tuple(incident.outcome() for incident in incidents),
        platform=NO_PLATFORM
        if profile is PLAIN
        else platform_facts(simulation, tickets=tickets, actions=actions, deployments=deployments),
        profile=profile,
    )


def _infrastructure_tickets(
    simulation: Simulation, projects: tuple[TicketProject, ...]
) -> tuple[list[TicketPlan] | None, list[SelfServicePlan]]:
    """The tickets that a profile plans (None: it plans none), and what was done without one."""
    profile = simulation.profile
    if profile.work is None:
        return (None if profile.has_infrastructure_team else []), []
    setups = setup_tickets(simulation, projects[-1])
    work = InfrastructureWork(
        simulation, profile.work, desk=projects[-1], project=projects[-2], setups=setups
    )
    return [*setups, *work.plan()], work.actions


def _merge_shas(built: list[BuiltRepository]) -> dict[str, str]:
    """The commit that brought in each merged request that made one of its own."""
    return {
        f"request:{request.id}": request.merge_sha
        for one in built
        for request in one.repository.change_requests
        if request.merge_sha is not None
    }


def _prepare(
    *, seed: int, engineers: int, teams: int, months: int, end: datetime, profile: Profile
) -> Simulation:
    first_day = (end - timedelta(days=months * DAYS_A_MONTH)).date()
    start = as_seconds(datetime.combine(first_day, time(), UTC))
    last = as_seconds(end)
    launch = max(start, last - 91 * DAY)
    numbers = Numbers()
    simulation = Simulation(
        seed=seed,
        start=start,
        end=last,
        launch=launch,
        zone=ZONE,
        calendar=WorkCalendar(
            zone=ZONE,
            first=first_day - timedelta(days=30),
            last=end.date() + timedelta(days=200),
            holidays=frozenset(_holidays(start, last + 200 * DAY)),
        ),
        numbers=numbers,
        members=[],
        bots=make_bots(),
        teams=[],
        groups=[],
        profile=profile,
    )
    simulation.teams, simulation.groups = make_teams(
        random=simulation.random("teams"),
        numbers=numbers,
        count=teams,
        launch=launch,
        has_infrastructure=profile.has_infrastructure_team,
    )
    simulation.members = make_members(
        random=simulation.random("people"),
        numbers=numbers,
        count=engineers,
        team_count=teams,
        start=start,
        end=last,
        profile=profile,
    )
    return simulation


def _holidays(start: int, end: int) -> set[date]:
    import holidays  # a second to import, and only the generator needs it

    first, last = as_datetime(start).date(), as_datetime(end).date()
    years = range(first.year, last.year + 1)
    days = holidays.country_holidays(HOLIDAY_COUNTRY, years=years)
    return {day for day in days if first <= day <= last}


def _build_repositories(
    simulation: Simulation, people_requests: list[RequestPlan]
) -> list[BuiltRepository]:
    """Adds the changes out of the ordinary, numbers everything and builds each repository."""
    requests = [
        *people_requests,
        *plan_reverts(simulation, people_requests),
        *plan_hotfixes(simulation),
        *plan_stacked(simulation, people_requests),
        *plan_adoptions(simulation),
        *plan_bot_requests(simulation),
    ]
    by_repository: dict[int, list[RequestPlan]] = defaultdict(list)
    for request in requests:
        by_repository[request.repository.id].append(request)
    releases, backports = plan_releases(simulation, by_repository)
    for request in [*backports, *plan_promotions(simulation, by_repository)]:
        by_repository[request.repository.id].append(request)
        requests.append(request)
    for request in sorted(requests, key=lambda request: request.created):
        request.id = simulation.numbers.take("change request", 1 + request.created % 4000)
    direct: dict[int, list[DirectPlan]] = defaultdict(list)
    for push in plan_direct_commits(simulation):
        direct[push.repository.id].append(push)
    return [
        RepositoryBuilder(
            simulation,
            repository,
            requests=by_repository[repository.id],
            direct=direct[repository.id],
            releases=releases.get(repository.id, []),
        ).build()
        for repository in simulation.repositories
    ]
