"""Builds one repository: numbers its requests, writes its history, lets its services deploy."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace

from sandbox.forge import Branch, Repository
from sandbox.generate_deployments import AttemptPlan, DeploymentSimulation
from sandbox.generate_facts import deployment_facts, release_facts, request_facts
from sandbox.generate_history import HistoryWriter
from sandbox.generate_runs import RunMaker, issue_facts, plan_issue_times
from sandbox.ledger import Arrival, EnvironmentLedger, touches
from sandbox.outcomes import ChangeOutcome, DeploymentOutcome, Relation
from sandbox.plan import (
    NEVER,
    DirectPlan,
    History,
    ReleasePlan,
    RepositoryPlan,
    RequestPlan,
    ServicePlan,
    Simulation,
)
from sandbox.working_time import as_datetime


@dataclass(slots=True)
class BuiltRepository:
    """A finished repository and what came of its deployments and changes."""

    repository: Repository
    deployments: list[DeploymentOutcome] = field(default_factory=list)
    changes: list[ChangeOutcome] = field(default_factory=list)
    reverts: list[tuple[str, str]] = field(default_factory=list)


class RepositoryBuilder:
    """Builds one repository from its plans."""

    def __init__(
        self,
        simulation: Simulation,
        plan: RepositoryPlan,
        *,
        requests: list[RequestPlan],
        direct: list[DirectPlan],
        releases: list[ReleasePlan],
    ) -> None:
        self._simulation = simulation
        self._plan = plan
        self._requests = requests
        self._direct = direct
        self._releases = releases
        self._random = simulation.random("facts", plan.id)
        self._issue_numbers: list[tuple[int, int]] = []  # number, created
        self._attempts: list[AttemptPlan] = []
        self._deployments: list[DeploymentOutcome] = []
        self._changes: list[ChangeOutcome] = []

    def build(self) -> BuiltRepository:
        """Builds everything; call it once."""
        self._number()
        history = self._write_history()
        for service in self._plan.services:
            if service.origin in {"releases", "tags"}:
                self._release(service, history)
            elif service.origin == "merges":
                self._go_live_merged(service, history)
            else:
                self._deploy(service, history)
        self._add_other_changes(history)
        reverts = [(one.key, one.reverts.key) for one in self._requests if one.reverts is not None]
        return BuiltRepository(self._facts(history), self._deployments, self._changes, reverts)

    def _number(self) -> None:
        """Requests and issues share one line of numbers, by creation."""
        opened: list[tuple[int, int, RequestPlan | None]] = [
            (request.created, request.id, request) for request in self._requests
        ]
        opened += [(at, 0, None) for at in plan_issue_times(self._simulation, self._plan)]
        opened.sort(key=lambda item: item[:2])
        for number, (created, _, request) in enumerate(opened, start=1):
            if request is None:
                self._issue_numbers.append((number, created))
            else:
                request.number = number
                request.branch = request.branch or _branch_name(request)

    def _write_history(self) -> History:
        simulation, plan = self._simulation, self._plan
        times = {release.tag: release.at for release in self._releases}
        cuts = {
            release.branch: times[release.base_tag]
            for release in self._releases
            if release.backport is not None
        }
        team = [m for m in simulation.members if m.team_index == plan.team_index]
        return HistoryWriter(simulation, plan, cuts).write(
            requests=self._requests,
            direct=self._direct,
            team_slug=simulation.teams[plan.team_index].slug,
            root=min(team, key=lambda member: member.joined),
            mapped=simulation.members,
        )

    def _deploy(self, service: ServicePlan, history: History) -> None:
        run = DeploymentSimulation(self._simulation, service, history, self._requests)
        run.run()
        self._attempts += run.attempts
        for ledger in run.ledgers.values():
            self._deployments += ledger.deployments
            self._changes += ledger.changes
        if not service.environments:
            for entry in history.entries:
                if touches(entry, service):
                    change = _bare(entry.change_key, self._plan, service, "pending")
                    self._changes.append(change)

    def _release(self, service: ServicePlan, history: History) -> None:
        """Every release is a deployment at the moment it is published."""
        ledger = EnvironmentLedger(service, "production", "production", history.entries)
        times = [point.at for point in history.points]
        tagged = -1
        for release in self._releases:
            backport = release.backport
            if backport is None:
                point = history.points[bisect_right(times, release.at) - 1]
                if point.position <= tagged:
                    continue  # nothing new to release
                release.sha, release.position = point.sha, point.position
            else:
                release.sha, release.position = backport.merge_sha or "", backport.base_position
            if release.is_prerelease:
                continue
            tagged = max(tagged, release.position)
            original = backport.original if backport is not None else None
            outcome = ledger.record(
                Arrival(
                    f"{self._plan.id}:{release.tag}",
                    (),
                    release.sha,
                    release.position,
                    release.at,
                    release.at,
                    "succeeded",
                    tag=release.tag,
                    is_hotfix=release.is_hotfix,
                    extra_keys=(original.key,) if original is not None else (),
                )
            )
            if backport is not None and original is not None:
                change = _bare(backport.key, self._plan, service, "backport")
                self._changes.append(
                    replace(
                        change,
                        environment="production",
                        deployment_key=outcome.deployment_key,
                        live_at=outcome.live_at,
                        folded_into=original.key,
                    )
                )
        ledger.close()
        self._deployments += ledger.deployments
        self._changes += ledger.changes

    def _go_live_merged(self, service: ServicePlan, history: History) -> None:
        """Every merge to the default branch is a deployment at that moment."""
        ledger = EnvironmentLedger(service, "production", "production", history.entries)
        for position, entry in enumerate(history.entries):
            kind, _, number = entry.change_key.partition(":")
            if kind == "request":
                point = history.points[position]
                ledger.record(
                    Arrival(
                        f"merge:{number}", (), point.sha, position, entry.at, entry.at, "succeeded"
                    )
                )
        ledger.close()
        self._deployments += ledger.deployments
        self._changes += ledger.changes

    def _add_other_changes(self, history: History) -> None:
        """Merged requests that are no change of their own, and changes of no service."""
        for request in self._requests:
            carrier = request.carrier
            if request.kind == "promotion" and request.merged is not None:
                self._changes.append(_bare(request.key, self._plan, None, "promotion"))
            elif carrier is not None:
                change = _bare(request.key, self._plan, None, "stacked")
                self._changes.append(replace(change, folded_into=carrier.key))
        for entry in history.entries:
            if not any(touches(entry, service) for service in self._plan.services):
                self._changes.append(_bare(entry.change_key, self._plan, None, "unowned"))

    def _facts(self, history: History) -> Repository:
        simulation, plan, random = self._simulation, self._plan, self._random
        runs = RunMaker(simulation, plan)
        requests = sorted(self._requests, key=lambda request: request.number)
        made_runs = [runs.for_request(request) for request in requests]
        if plan.setup is not None:
            made_runs.append(runs.for_setup(plan.setup, history.points[0].sha))
        made_runs += [
            runs.for_attempt(attempt, plan.default_branch)
            for attempt in sorted(self._attempts, key=lambda attempt: attempt.created)
            if attempt.environment_class == "production"
        ]
        with_releases = any(service.origin == "releases" for service in plan.services)
        tags, releases = release_facts(
            self._releases, plan.id, with_releases=with_releases, numbers=simulation.numbers
        )
        deployments = [
            deployment_facts(attempt, simulation.numbers, plan.default_branch)
            for attempt in self._attempts
            if attempt.service.origin != "runs"
        ]
        pushed = max([history.entries[-1].at, *(point.at for point in history.points[-1:])])
        touched = pushed if plan.archived == NEVER else plan.archived
        creator = min(
            (m for m in simulation.members if m.team_index == plan.team_index),
            key=lambda member: member.joined,
        )
        return Repository(
            id=plan.id,
            owner=plan.owner,
            name=plan.name,
            former_full_names=plan.former_full_names,
            description=plan.description,
            default_branch=plan.default_branch,
            language=plan.language,
            visibility="public"
            if plan.visibility == "public"
            else ("internal" if plan.visibility == "internal" else "private"),
            is_fork=plan.fork_parent is not None,
            fork_parent=plan.fork_parent,
            is_template=plan.is_template,
            created_by_account_id=creator.shown_account_id,
            created_at=as_datetime(plan.created),
            updated_at=as_datetime(max(touched, pushed)),
            pushed_at=as_datetime(pushed),
            archived_at=None if plan.archived == NEVER else as_datetime(plan.archived),
            commits=tuple(history.commits),
            branches=tuple(Branch(name, sha) for name, sha in sorted(history.branches.items())),
            tags=tags,
            change_requests=tuple(request_facts(simulation, one, random) for one in requests),
            issues=tuple(
                issue_facts(
                    simulation=simulation,
                    repository=plan,
                    number=number,
                    created=created,
                    random=random,
                )
                for number, created in self._issue_numbers
            ),
            deployments=tuple(sorted(deployments, key=lambda one: (one.created_at, one.id))),
            runs=tuple(sorted(made_runs, key=lambda one: (one.created_at, one.id))),
            releases=releases,
        )


def _bare(
    key: str, repository: RepositoryPlan, service: ServicePlan | None, relation: Relation
) -> ChangeOutcome:
    """A change without a deployment."""
    return ChangeOutcome(
        change_key=key,
        repository_id=repository.id,
        service_id=None if service is None else service.id,
        environment=None,
        relation=relation,
        deployment_key=None,
        live_at=None,
        folded_into=None,
        is_before_merge=False,
    )


def _branch_name(request: RequestPlan) -> str:
    words = "".join(c if c.isalnum() else "-" for c in request.title.lower()).strip("-")
    slug = "-".join(part for part in words.split("-") if part)[:48].strip("-")
    if request.author.is_bot:
        return f"{request.author.login.removesuffix('[bot]')}/{slug}-{request.number}"
    if request.reverts is not None:
        return f"revert-{request.reverts.number}-{request.reverts.branch}"
    if request.kind == "hotfix":
        return f"hotfix/{slug}-{request.number}"
    key, prefix = request.ticket_key, request.branch_prefix
    if key is not None and not slug.startswith(key.lower()):
        return f"{prefix}{key}-{slug}-{request.number}"
    return f"{prefix}{slug}-{request.number}"
