"""Incidents: what deployments broke in production, what broke by itself, and how it was told.

They are planned once all deployments are known. The chance that a deployment breaks something
follows the service's share of failures and falls when its team moves to the shared pipeline; a
rollback or a hotfix is mostly the answer to an incident, which then ends shortly after it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sandbox.generate_tickets import TicketPlan
from sandbox.names import SYMPTOMS
from sandbox.outcomes import ChangeOutcome, DeploymentOutcome, IncidentOutcome, Naming
from sandbox.plan import NEVER, Member, ServicePlan, Simulation
from sandbox.ticketing import TicketProject
from sandbox.working_time import DAY, HOUR, as_seconds, spread

INCIDENT, TASK = 0, 1
MONTH = 30 * DAY
HARM = 1.4  # chance of an incident against the share of attempts that fail
UNRELATED_A_MONTH = 0.1
NAMINGS: tuple[Naming, ...] = ("commit", "change", "release", "service", "team", "nothing")


@dataclass(slots=True)
class IncidentPlan:
    """One incident to come; the ticket tells of it as well as its reporter could."""

    ticket: TicketPlan
    service: ServicePlan
    naming: Naming
    named: DeploymentOutcome | None  # the deployment whose commit or release the ticket names
    cause: DeploymentOutcome | None  # what really caused it

    def outcome(self) -> IncidentOutcome:
        """What became of it; its ticket has its number by now."""
        original = self.ticket.duplicate_of
        return IncidentOutcome(
            ticket_key=self.ticket.key,
            service_id=self.service.id,
            naming=self.naming,
            named_key=None if self.named is None else self.named.deployment_key,
            cause_key=None if self.cause is None else self.cause.deployment_key,
            duplicate_of=None if original is None else original.key,
        )


class IncidentPlanner:
    """Plans the incidents of one service after the other."""

    def __init__(
        self,
        simulation: Simulation,
        project: TicketProject,
        merge_shas: Mapping[str, str],
    ) -> None:
        """`merge_shas`: the commit that brought a change in, by change key."""
        self._simulation = simulation
        self._project = project
        self._merge_shas = merge_shas
        self._random: Random = simulation.random("incidents")
        self._tasks: list[TicketPlan] = []

    def plan(
        self, deployments: Sequence[DeploymentOutcome], changes: Sequence[ChangeOutcome]
    ) -> tuple[list[IncidentPlan], list[TicketPlan]]:
        """Incidents of all services, and the other tickets of the project, numbered."""
        live: dict[int, list[DeploymentOutcome]] = defaultdict(list)
        for one in deployments:
            if one.environment_class == "production" and one.live_at is not None:
                live[one.service_id].append(one)
        shipped: dict[tuple[str, str], list[str]] = defaultdict(list)
        for change in changes:
            # The commit of a merge that was live before it is deployed once more, as another's.
            is_clear = change.relation == "shipped" and not change.is_before_merge
            if is_clear and change.change_key in self._merge_shas:
                place = (change.deployment_key or "", change.environment or "")
                shipped[place].append(change.change_key)
        plans: list[IncidentPlan] = []
        for service in self._simulation.services:
            self._random = self._simulation.random("incidents", service.id)
            history = sorted(live[service.id], key=lambda one: (one.live_at, one.deployment_key))
            for incident in self._of_service(service, history, shipped):
                plans.append(incident)
                if self._random.random() < 0.04:
                    plans.append(self._duplicate(incident))
        self._number(plans)
        return plans, self._tasks

    def _of_service(
        self,
        service: ServicePlan,
        history: list[DeploymentOutcome],
        shipped: Mapping[tuple[str, str], list[str]],
    ) -> Iterator[IncidentPlan]:
        seen: dict[str, int] = defaultdict(int)
        for one in history:
            seen[one.sha] += 1
        for index, one in enumerate(history):
            following = history[index + 1 :]
            span = self._harm(service, one, following[:3])
            if span is None or one.is_baseline or one.kind == "redeploy":
                continue
            keys = shipped.get((one.deployment_key, one.environment), [])
            naming = self._naming(service, one, is_unique=seen[one.sha] == 1, keys=keys)
            named = one if naming in {"commit", "change", "release"} else None
            is_wrong = named is not None and following and self._random.random() < 0.02
            if is_wrong and span[1] is not None and naming == "commit":
                # Somebody names the deployment that mended it: it was not live yet.
                later = following[0]
                if seen[later.sha] == 1 and as_seconds(later.started_at) > span[1]:
                    named = later
            yield self._incident(service, span, naming=naming, named=named, cause=one, keys=keys)
        yield from self._unrelated(service)

    def _harm(
        self, service: ServicePlan, one: DeploymentOutcome, following: list[DeploymentOutcome]
    ) -> tuple[int, int | None] | None:
        """When what a deployment broke began and ended; None where nothing broke."""
        random = self._random
        live, started = as_seconds(one.live_at or one.started_at), as_seconds(one.started_at)
        place = [other for other in following if other.environment == one.environment]
        answer = place[0] if place else None
        is_undone = answer is not None and answer.failed_key == one.deployment_key
        is_mended = answer is not None and answer.kind == "hotfix"
        adopted = self._simulation.teams[service.team_index].adopted
        chance = HARM * service.failure_share * (0.35 if started >= adopted else 1.0)
        if is_undone:
            chance = 0.65
        elif is_mended:
            chance = 0.3
        if random.random() >= chance:
            return None
        if answer is not None and (is_undone or is_mended):
            begun = as_seconds(answer.started_at)
            ended = as_seconds(answer.live_at or answer.started_at) + random.randint(60, 1800)
            if live + 120 < begun and begun - live < 30 * HOUR:
                return random.randint(live + 60, begun - 30), ended
        way = random.random()
        if way < 0.04 and live - started > 120:
            start = random.randint(started + 30, live - 30)  # seen on the first machines
        elif way < 0.1:
            start = live + random.randint(25 * HOUR, 90 * HOUR)
        else:
            start = live + min(round(spread(random, 2.5, 1.1) * HOUR) + 120, 23 * HOUR)
        if random.random() < 0.05:
            return start, None
        return start, max(start, live) + round(spread(random, 2.2, 1.0) * HOUR) + 300

    def _naming(
        self, service: ServicePlan, one: DeploymentOutcome, *, is_unique: bool, keys: list[str]
    ) -> Naming:
        """How well the reporter knew what caused it."""
        random = self._random
        naming = random.choices(NAMINGS, (26, 16, 12, 36, 7, 3))[0]
        if naming == "release" and one.tag is None:
            naming = "commit"
        if naming in {"commit", "change"} and one.tag is not None:
            naming = "release"
        if naming == "change" and not keys:
            naming = "service"
        # A commit that is in several deployments tells nobody which of them it was.
        is_clear = is_unique and len(service.environments) == 1
        return naming if is_clear or naming not in {"commit", "change", "release"} else "service"

    def _incident(
        self,
        service: ServicePlan,
        span: tuple[int, int | None],
        *,
        naming: Naming,
        named: DeploymentOutcome | None,
        cause: DeploymentOutcome | None,
        keys: Sequence[str],
    ) -> IncidentPlan:
        random, simulation = self._random, self._simulation
        start, end = span
        components: tuple[str, ...] = (service.incident_name,)
        if naming in {"team", "nothing"}:
            team = simulation.teams[service.team_index].name
            components = (team,) if naming == "team" else ()
        summary = random.choice(SYMPTOMS)
        if components == (service.incident_name,):
            summary = f"{service.name}: {summary}"
        reporter = self._member(service, start)
        ticket = TicketPlan(
            project=self._project,
            summary=summary,
            reporter=reporter,
            assignee=self._member(service, start),
            created=start,
            started=start + random.randint(60, 600),
            resolved=end,
            type_index=INCIDENT,
            description=_description(summary, self._words(naming, named, keys), reporter),
            components=components,
        )
        self._bound(ticket)
        if random.random() < 0.2 and ticket.resolved is not None:
            self._follow_up(service, ticket.resolved)
        return IncidentPlan(ticket, service, naming, named, cause)

    def _words(
        self, naming: Naming, named: DeploymentOutcome | None, keys: Sequence[str]
    ) -> str | None:
        if named is None:
            return None
        if naming == "release":
            return f"It began with {named.tag}."
        if naming == "change":
            return f"Found by bisection: {self._merge_shas[self._random.choice(keys)]}."
        return f"Running commit {named.sha} since."

    def _unrelated(self, service: ServicePlan) -> Iterator[IncidentPlan]:
        """What breaks by itself, at any hour of the day."""
        random, end = self._random, min(self._simulation.end, service.repository.archived)
        begin = max(self._simulation.start, service.created) + 7 * DAY
        at = begin + round(random.expovariate(UNRELATED_A_MONTH) * MONTH)
        while at < end - DAY:
            resolved = at + round(spread(random, 1.5, 1.2) * HOUR) + 300
            naming: Naming = "service" if random.random() < 0.85 else "nothing"
            yield self._incident(
                service, (at, resolved), naming=naming, named=None, cause=None, keys=()
            )
            at += round(random.expovariate(UNRELATED_A_MONTH) * MONTH)

    def _duplicate(self, first: IncidentPlan) -> IncidentPlan:
        """The same, reported once more by somebody else and closed when that is noticed."""
        random, original = self._random, first.ticket
        created = original.created + random.randint(120, 1500)
        noticed = created + random.randint(300, 1800)
        if original.resolved is not None:
            noticed = min(noticed, max(original.resolved, created + 60))
        reporter = self._member(first.service, created)
        ticket = TicketPlan(
            project=self._project,
            summary=f"{first.service.name}: {random.choice(SYMPTOMS)}",
            reporter=reporter,
            assignee=None,
            created=created,
            started=None,
            resolved=noticed,
            type_index=INCIDENT,
            components=(first.service.incident_name,),
            duplicate_of=original,
        )
        self._bound(ticket)
        return IncidentPlan(ticket, first.service, "service", None, first.cause)

    def _follow_up(self, service: ServicePlan, resolved: int) -> None:
        """Work that is left over: a ticket of the same project, and no incident."""
        created = self._simulation.calendar.later(resolved, 2.0) + 60
        ticket = TicketPlan(
            project=self._project,
            summary=f"Write up what happened to {service.name}",
            reporter=self._member(service, created),
            assignee=self._member(service, created),
            created=created,
            started=self._simulation.calendar.later(created, 4.0),
            resolved=self._simulation.calendar.later(created, 20.0) + 61,
            type_index=TASK,
            components=(service.incident_name,),
        )
        if created < self._simulation.end - 2 * HOUR:
            self._bound(ticket)
            self._tasks.append(ticket)

    def _bound(self, ticket: TicketPlan) -> None:
        """Takes back what would happen after the end."""
        last = self._simulation.end - HOUR
        if ticket.started is not None and ticket.started >= min(last, ticket.resolved or NEVER):
            ticket.started = None
        if ticket.resolved is not None and ticket.resolved >= last:
            ticket.resolved = None

    def _member(self, service: ServicePlan, at: int) -> Member:
        present = self._simulation.present(service.team_index, at)
        everyone = [m for m in self._simulation.members if m.joined <= at < m.left]
        return self._random.choice(present or everyone or self._simulation.members)

    def _number(self, plans: list[IncidentPlan]) -> None:
        """Leaves out what lies beyond the end, and numbers the rest by creation."""
        last = self._simulation.end - 2 * HOUR
        plans[:] = [
            plan
            for plan in plans
            if plan.ticket.created < last
            and (plan.ticket.duplicate_of is None or plan.ticket.duplicate_of.created < last)
        ]
        plans.sort(key=lambda plan: plan.ticket.created)
        tickets = [*(plan.ticket for plan in plans), *self._tasks]
        tickets.sort(key=lambda ticket: ticket.created)
        for number, ticket in enumerate(tickets, start=1):
            ticket.key = f"{self._project.key}-{number}"


def _description(summary: str, words: str | None, reporter: Member) -> str:
    said = "" if words is None else f"{words}\n\n"
    return f"{summary}.\n\n{said}Reported by {reporter.name}."
