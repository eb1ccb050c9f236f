"""A second opinion: folds attempts, names kinds and attributes changes from the facts alone.

It shares no code with the simulation: attempts are folded by the sixty-minute rule, deployments
ordered by the moment they went live, and commits walked from the deployed one to its parents.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.forge import Commit, Deployment, Repository, WorkflowRun
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
    is_hotfix: bool = False


def fold_attempts(attempts: list[Deployment]) -> list[Folded]:
    """Attempts of one (service, environment), oldest first, as deployments."""
    return _folded(
        Folded(
            str(attempt.id),
            attempt.sha,
            attempt.created_at,
            next((s.created_at for s in attempt.statuses if s.state == "success"), None),
            1,
        )
        for attempt in attempts
    )


def fold_runs(runs: list[WorkflowRun]) -> list[Folded]:
    """Runs of the deploying workflow as deployments."""
    return _folded(
        Folded(
            str(run.id),
            run.head_sha,
            run.started_at,
            run.updated_at if run.conclusion == "success" else None,
            1,
            "hotfix" in run.head_branch,
        )
        for run in runs
        if run.name == "Deploy"
    )


def _folded(attempts: Iterable[Folded]) -> list[Folded]:
    folded: list[Folded] = []
    last: dict[str, datetime] = {}
    for attempt in sorted(attempts, key=lambda one: one.started):
        before = folded[-1] if folded else None
        is_same = before is not None and before.sha == attempt.sha
        if before is not None and is_same and attempt.started - last[attempt.sha] <= FOLDING_GAP:
            before.attempts += 1
            before.live = before.live or attempt.live
        else:
            folded.append(attempt)
        last[attempt.sha] = attempt.started
    return folded


def from_tags(repository: Repository) -> list[Folded]:
    """Final tags as deployments."""
    return [
        Folded(
            f"{repository.id}:{tag.name}",
            tag.sha,
            tag.tagger.at,
            tag.tagger.at,
            1,
            tag.name.startswith("hotfix"),
        )
        for tag in sorted(repository.tags, key=lambda tag: tag.tagger.at)
        if "-rc" not in tag.name
    ]


def from_merges(repository: Repository) -> list[Folded]:
    """Merges to the default branch as deployments."""
    merged = [
        (request.merged_at, request)
        for request in repository.change_requests
        if request.merged_at is not None and request.base_branch == repository.default_branch
    ]
    return [
        Folded(f"merge:{request.id}", request.merge_sha or "", at, at, 1)
        for at, request in sorted(merged, key=lambda pair: pair[0])
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
    """The kind of each deployment by what was live when it started, and what it brought."""
    shipped = ship_commits(graph, deployments)
    brought: dict[str, set[str]] = {}
    for sha, key in shipped.items():
        if not graph.commits[sha].is_merge:
            brought.setdefault(key, set()).update(f.path for f in graph.commits[sha].files)
    found = {}
    for key, lineage in _lineage_kinds(graph, deployments).items():
        paths = brought.get(key, set())
        found[key] = lineage
        if lineage == "normal" and paths and all(path.startswith("config/") for path in paths):
            found[key] = "config"
    for one in deployments:
        if one.is_hotfix and found[one.key] in {"normal", "config"}:
            found[one.key] = "hotfix"
    return found


def _lineage_kinds(graph: Graph, deployments: list[Folded]) -> dict[str, str]:
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
