"""A second opinion: folds attempts, names kinds and attributes changes from the facts alone.

It shares no code with the simulation: attempts are folded by the sixty-minute rule, deployments
ordered by the moment they went live, and commits walked from the deployed one to its parents.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.forge import Commit, Deployment, Repository
from sandbox.staff import Service

FOLDING_GAP = timedelta(minutes=60)


@dataclass(slots=True)
class Folded:
    """Attempts of one commit that form one deployment."""

    key: str
    sha: str
    started: datetime
    live: datetime | None
    attempts: int


def fold_attempts(attempts: list[Deployment]) -> list[Folded]:
    """Attempts of one (service, environment), oldest first, as deployments."""
    folded: list[Folded] = []
    last: dict[str, datetime] = {}
    for attempt in sorted(attempts, key=lambda one: one.created_at):
        live = next((s.created_at for s in attempt.statuses if s.state == "success"), None)
        before = folded[-1] if folded else None
        is_same = before is not None and before.sha == attempt.sha
        if before is not None and is_same and attempt.created_at - last[attempt.sha] <= FOLDING_GAP:
            before.attempts += 1
            before.live = before.live or live
        else:
            folded.append(Folded(str(attempt.id), attempt.sha, attempt.created_at, live, 1))
        last[attempt.sha] = attempt.created_at
    return folded


def from_tags(repository: Repository) -> list[Folded]:
    """Final tags as deployments."""
    return [
        Folded(f"{repository.id}:{tag.name}", tag.sha, tag.tagger.at, tag.tagger.at, 1)
        for tag in sorted(repository.tags, key=lambda tag: tag.tagger.at)
        if "-rc" not in tag.name
    ]


class Graph:
    """The commits of one repository and what each of them contains."""

    def __init__(self, repository: Repository) -> None:
        self.commits: dict[str, Commit] = {commit.sha: commit for commit in repository.commits}
        self._index = {sha: number for number, sha in enumerate(self.commits)}
        self._sets: dict[str, int] = {}
        for commit in repository.commits:
            bits = 1 << self._index[commit.sha]
            for parent in commit.parents:
                bits |= self._sets[parent]
            self._sets[commit.sha] = bits

    def contains(self, sha: str, other: str) -> bool:
        """Whether `other` is `sha` or one of its ancestors."""
        return bool(self._sets[sha] >> self._index[other] & 1)

    def walk(self, sha: str, shipped: Container[str]) -> set[str]:
        """Commits reachable from `sha` that are not yet shipped."""
        found: set[str] = set()
        waiting = [sha]
        while waiting:
            current = waiting.pop()
            if current not in shipped and current not in found:
                found.add(current)
                waiting.extend(self.commits[current].parents)
        return found


def kinds(graph: Graph, deployments: list[Folded]) -> dict[str, str]:
    """The kind of each deployment by what was live when it started."""
    found = {}
    for one in deployments:
        before = [
            d for d in deployments if d is not one and d.live is not None and d.live <= one.started
        ]
        if not before:
            found[one.key] = "normal"
            continue
        live = max(before, key=lambda d: d.started)
        if one.sha == live.sha:
            found[one.key] = "redeploy"
        elif graph.contains(one.sha, live.sha):
            found[one.key] = "normal"
        else:
            shipped = any(graph.contains(d.sha, one.sha) for d in before)
            found[one.key] = "rollback" if shipped else "normal"
    return found


def ship_commits(graph: Graph, deployments: list[Folded]) -> dict[str, str]:
    """SHA of every shipped commit to the key of the deployment that shipped it."""
    shipped: dict[str, str] = {}
    live = [d for d in deployments if d.live is not None]
    for one in sorted(live, key=lambda d: (d.live, d.started)):
        for sha in graph.walk(one.sha, shipped):
            shipped[sha] = one.key
    return shipped


def touched_by(service: Service, commit: Commit) -> bool:
    """Whether a first-parent step touches the service's paths."""
    return not service.paths or any(file.path.startswith(service.paths) for file in commit.files)
