"""Deployments, word for word: what they are, what they ship, and what they were to each other.

Each function is a sentence of docs/metrics.md, "Deployments" and "Which changes a deployment
ships". Nothing here is quick; it asks git for every answer.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.oracle.facts import Attempt
from tests.oracle.repository import Repository

LONGEST_GAP = timedelta(minutes=60)


@dataclass(eq=False, repr=False)
class Deployment:
    """The attempts that form one deployment, and what is found out about it."""

    environment: str
    sha: str
    parts: list[Attempt]
    relation: str = "not_live"
    live_before: "Deployment | None" = None
    failed: "Deployment | None" = None
    undone: list["Deployment"] = field(default_factory=list)
    dropped: int | None = None

    @property
    def id(self) -> str:
        """It is called after its first attempt."""
        return self.parts[0].id

    @property
    def started(self) -> datetime:
        """It started with its first attempt."""
        return self.parts[0].started

    @property
    def ended(self) -> datetime:
        """The last that was heard of it; that a later one took its place is no news of it."""
        return max(
            at
            for part in self.parts
            for state, at in (("started", part.started), *part.statuses)
            if state != "inactive"
        )

    def times(self, state: str) -> list[datetime]:
        """When it had this state."""
        return [at for part in self.parts for found, at in part.statuses if found == state]

    @property
    def live(self) -> datetime | None:
        """It went live with its first success."""
        return min(self.times("succeeded"), default=None)

    @property
    def outcome(self) -> str:
        """How it ended."""
        succeeded, failed = self.times("succeeded"), self.times("failed")
        if succeeded:
            return (
                "failed_after_live"
                if max(failed, default=min(succeeded)) > max(succeeded)
                else "succeeded"
            )
        if failed:
            return "failed_before_live"
        return "cancelled" if self.times("cancelled") else "running"


def fold(attempts: list[Attempt]) -> list[Deployment]:
    """Attempts of one commit are one deployment, unless another lies between or a long gap."""
    found: list[Deployment] = []
    last: dict[str, Deployment] = {}
    for attempt in sorted(attempts, key=lambda each: (each.started, each.id)):
        before = last.get(attempt.environment)
        if (
            before is not None
            and before.sha == attempt.sha
            and attempt.started - before.ended <= LONGEST_GAP
        ):
            before.parts.append(attempt)
            continue
        last[attempt.environment] = Deployment(attempt.environment, attempt.sha, [attempt])
        found.append(last[attempt.environment])
    return found


def in_order(deployments: list[Deployment]) -> list[Deployment]:
    """Those that went live, in the order in which they did."""
    live = [(each.live, each.started, each.id, each) for each in deployments if each.live]
    return [each for *_, each in sorted(live, key=lambda row: row[:3])]


def went_live(deployment: Deployment) -> datetime:
    """When a deployment that is known to have gone live did."""
    assert deployment.live is not None
    return deployment.live


def resolved(repository: Repository, deployments: list[Deployment]) -> list[Deployment]:
    """Those whose commit is in the graph."""
    return [each for each in deployments if repository.has(each.sha)]


def baseline(repository: Repository, place: list[Deployment]) -> Deployment | None:
    """The first live deployment of a place, as far as its commit is known."""
    return next(iter(resolved(repository, in_order(place))), None)


def ship(repository: Repository, place: list[Deployment]) -> dict[str, Deployment]:
    """Each commit belongs to the first live deployment of the place that contains it.

    A commit equal to a shipped one is shipped. What lies at the boundary of a shallow clone may
    have shipped long ago, and belongs to the first.
    """
    shipped: dict[str, Deployment] = {}
    tips: list[str] = []
    order = resolved(repository, in_order(place))
    for deployment in order:
        for sha in repository.new(deployment.sha, tips):
            shipped[sha] = deployment
        tips.append(deployment.sha)
    for equal in repository.equals.values():
        owners = [shipped[sha] for sha in equal if sha in shipped]
        if owners:
            shipped |= dict.fromkeys(equal, min(owners, key=order.index))
    for sha in repository.boundary & shipped.keys():
        shipped[sha] = order[0]
    return shipped


def relate(repository: Repository, place: list[Deployment]) -> None:
    """Say of each live deployment what it was to the one that was live when it started."""
    order = in_order(place)
    first = baseline(repository, place)
    for deployment in order:
        by_then = [
            each
            for each in order
            if each is not deployment and went_live(each) <= deployment.started
        ]
        deployment.live_before = latest_started(by_then)
        if not repository.has(deployment.sha):
            deployment.relation = "unresolved"
        elif deployment is first:
            deployment.relation = "baseline"
        else:
            deployment.relation = relation(repository, deployment, by_then)
        if deployment.relation in {"rollback", "sideways"}:
            deployment.dropped = dropped(repository, deployment)
        if deployment.relation == "rollback":
            deployment.failed = not_a_redeploy(deployment.live_before, order)
            deployment.undone = undone(repository, deployment, by_then)


def latest_started(by_then: list[Deployment]) -> Deployment | None:
    """Among the deployments live by then, the latest started is the one that was live."""
    return max(by_then, key=lambda each: (each.started, went_live(each), each.id), default=None)


def relation(repository: Repository, deployment: Deployment, by_then: list[Deployment]) -> str:
    """Redeploy, normal, roll-forward, rollback or sideways."""
    known = resolved(repository, by_then)
    was_shipped = any(deployment.sha in repository.ancestors(each.sha) for each in known)
    live = deployment.live_before
    if live is None:
        return "normal"
    if not repository.has(live.sha):
        # What was live is not in the graph; only going back to what had shipped can be told.
        last = latest_started(known)
        if last is None or not was_shipped:
            return "normal"
        is_forward = last.sha != deployment.sha and repository.is_ancestor(last.sha, deployment.sha)
        return "roll_forward" if is_forward else "rollback"
    if live.sha == deployment.sha:
        return "redeploy"
    if repository.is_ancestor(live.sha, deployment.sha):
        return "roll_forward" if was_shipped else "normal"
    return "rollback" if was_shipped else "sideways"


def dropped(repository: Repository, deployment: Deployment) -> int | None:
    """How many live commits the deployment does not contain."""
    live = deployment.live_before
    if live is None or not repository.has(live.sha):
        return None
    return len(repository.ancestors(live.sha) - repository.ancestors(deployment.sha))


def not_a_redeploy(live: Deployment | None, order: list[Deployment]) -> Deployment | None:
    """A redeploy is no deployment of its own: the one whose commit it repeated is meant."""
    while live is not None and live.relation == "redeploy":
        live = live.live_before
    return live


def undone(
    repository: Repository, deployment: Deployment, by_then: list[Deployment]
) -> list[Deployment]:
    """The other deployments that a rollback takes back with the failed one."""
    if deployment.failed is None or not repository.has(deployment.failed.sha):
        return []
    before, after = (
        repository.ancestors(deployment.failed.sha),
        repository.ancestors(deployment.sha),
    )
    return [
        each
        for each in by_then
        if each is not deployment.failed
        and each.relation not in {"redeploy", "rollback"}
        and each.sha in before - after
    ]


def was_unknown(
    repository: Repository, place: list[Deployment], deployment: Deployment, merged: datetime
) -> bool:
    """Whether what was merged then may have gone live before, with an unresolved deployment.

    One counts that went live after the merge in any of the environments, and after which no
    resolved one came there before this deployment.
    """
    for environment in {each.environment for each in place}:
        before = [
            each
            for each in in_order(place)
            if each.environment == environment and went_live(each) < went_live(deployment)
        ]
        for each in reversed(before):
            if repository.has(each.sha):
                break
            if merged < went_live(each):
                return True
    return False
