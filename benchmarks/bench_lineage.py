"""Ancestry: which deployment shipped each of 200,000 commits, among 1,000 deployments."""

from collections.abc import Iterator

from benchmarks import history
from benchmarks.result import Result, best_of, on_cores
from pipelines.commit_graph import index_commits
from pipelines.lineage import ship


def run(scale: float = 1.0) -> Iterator[Result]:
    """The walk itself, and apart from it the index every walk of a build shares; best of five."""
    on_cores(1)
    count, deployed = round(history.COMMITS * scale), round(history.DEPLOYMENTS * scale)
    commits, deployments = history.frames(count, deployed)
    seconds, index = best_of(5, lambda: index_commits(commits))
    yield Result(f"index of {count:,} commits", seconds, "s")
    graph, key = index.graph("forge.test/acme/shop"), "row"
    tips = deployments.with_columns(index.resolve(deployments).alias(key))[key].to_list()
    seconds, owners = best_of(5, lambda: graph.claim(tips))
    if min(owners) < 0 and len(set(owners)) < deployed:
        raise RuntimeError("the walk missed what was deployed")
    yield Result(f"ancestry walk, {count:,} commits × {deployed:,} deployments", seconds, "s", 0.2)
    seconds, _ = best_of(3, lambda: ship(index, deployments))
    yield Result("  the walk with relations and rewritten commits, as frames", seconds, "s")
