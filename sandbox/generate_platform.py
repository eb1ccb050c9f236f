"""The facts of the platform that no forge and no ticket holds: catalog, units, audits, actions."""

from datetime import timedelta

from sandbox.generate_practices import secrets_approach
from sandbox.generate_setups import setup_outcome, template_runs
from sandbox.generate_tickets import TicketPlan
from sandbox.names import REQUEST_TYPES
from sandbox.numbers import opaque_id
from sandbox.outcomes import DeploymentOutcome
from sandbox.plan import SelfServicePlan, Simulation
from sandbox.platform import (
    Audit,
    AuditResult,
    CatalogEntity,
    EntityKind,
    Launch,
    Platform,
    SelfServiceAction,
    SharedUnit,
    WorkSpan,
)
from sandbox.working_time import as_datetime, as_seconds

CLUSTER = "production"
AGREED = "vault"  # what a clean audit sees everywhere


def platform_facts(
    simulation: Simulation,
    *,
    tickets: list[TicketPlan],
    actions: list[SelfServicePlan],
    deployments: tuple[DeploymentOutcome, ...],
) -> Platform:
    """All of it, once tickets are numbered and deployments known."""
    units = _units(simulation)
    audits, results = _audits(simulation)
    live: dict[int, int] = {}
    for one in deployments:
        if one.live_at is not None:
            at = as_seconds(one.live_at)
            live[one.repository_id] = min(at, live.get(one.repository_id, at))
    setups = [setup_outcome(simulation, one, live.get(one.id)) for one in simulation.repositories]
    return Platform(
        entities=_entities(simulation, units) if simulation.profile.has_portal else (),
        runs=template_runs(simulation.repositories) if simulation.profile.has_portal else (),
        units=units,
        audits=audits,
        audit_results=results,
        actions=_actions(actions),
        launches=tuple(
            Launch(
                launch.name,
                as_datetime(launch.at).date(),
                (REQUEST_TYPES[launch.category],),
                launch.effect,
            )
            for launch in simulation.launches
        ),
        setups=tuple(one for one in setups if one is not None),
        work=tuple(
            WorkSpan(
                ticket_key=ticket.key,
                person_id=work.member.person_id,
                work_class=work.work_class,
                started_at=as_datetime(work.at),
                seconds=work.seconds,
            )
            for ticket in tickets
            for work in ticket.work
        ),
    )


def _units(simulation: Simulation) -> tuple[SharedUnit, ...]:
    """Clusters: one for all teams, or one a team."""
    clusters: dict[str, tuple[int, ...]] = {}
    for service in simulation.services:
        team = simulation.teams[service.team_index].slug
        name = CLUSTER if simulation.profile.shares_cluster else f"{CLUSTER}-{team}"
        clusters[name] = (*clusters.get(name, ()), service.id)
    return tuple(SharedUnit(name, "cluster", ids) for name, ids in clusters.items())


def _audits(simulation: Simulation) -> tuple[tuple[Audit, ...], tuple[AuditResult, ...]]:
    """Audits with what was seen at each team; where teams differ, of those that build products."""
    audits, results = [], []
    for habit in simulation.profile.audits:
        teams = [
            (index, team)
            for index, team in enumerate(simulation.teams)
            if not (habit.is_inconsistent and team.is_infrastructure)
        ]
        at = as_datetime(simulation.end) - timedelta(days=habit.days_ago)
        audit = Audit(
            id=f"{at:%Y-%m}-{habit.name.lower().replace(' ', '-')}",
            name=habit.name,
            performed_at=at,
            teams=tuple(team.name for _, team in teams),
        )
        audits.append(audit)
        for index, team in teams:
            observed = secrets_approach(index) if habit.is_inconsistent else AGREED
            results.append(
                AuditResult(audit.id, habit.control, team.name, observed, observed == AGREED)
            )
    return tuple(audits), tuple(results)


def _actions(plans: list[SelfServicePlan]) -> tuple[SelfServiceAction, ...]:
    return tuple(
        SelfServiceAction(
            id=opaque_id("action", index, plan.at, plan.actor.login),
            category=REQUEST_TYPES[plan.launch.category],
            actor_login=plan.actor.login,
            started_at=as_datetime(plan.at),
            completed_at=as_datetime(plan.at + plan.seconds),
            outcome="succeeded" if plan.is_done else "failed",
            launch=plan.launch.name,
            is_instead=plan.is_instead,
        )
        for index, plan in enumerate(sorted(plans, key=lambda plan: (plan.at, plan.actor.login)))
    )


def _entities(simulation: Simulation, units: tuple[SharedUnit, ...]) -> tuple[CatalogEntity, ...]:
    """What the catalog holds: teams, what they run on, and their services."""
    runs_on = {
        service_id: f"resource:default/{unit.name}"
        for unit in units
        for service_id in unit.service_ids
    }
    entities = [
        _entity("Group", team.slug, title=team.name, of_type="team") for team in simulation.teams
    ]
    entities += [
        _entity("Resource", unit.name, title=unit.name, of_type="kubernetes-cluster")
        for unit in units
    ]
    entities.append(_entity("Template", "service", title="New service", of_type="service"))
    is_unsaid = "units" in simulation.profile.without
    for service in simulation.services:
        if service.setup is not None and service.setup.deploying is None:
            continue
        entities.append(
            CatalogEntity(
                kind="Component",
                name=service.slug,
                title=service.name,
                type="service",
                lifecycle="production" if service.environments else "experimental",
                owner=f"group:default/{simulation.teams[service.team_index].slug}",
                system=None,
                depends_on=() if is_unsaid else (runs_on[service.id],),
                repository_id=service.repository.id,
            )
        )
    return tuple(entities)


def _entity(kind: EntityKind, name: str, *, title: str, of_type: str) -> CatalogEntity:
    return CatalogEntity(
        kind=kind,
        name=name,
        title=title,
        type=of_type,
        lifecycle=None,
        owner=None,
        system=None,
        depends_on=(),
        repository_id=None,
    )
