"""Which deployment ships what, against git's own ancestry and a naive second implementation."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run

import polars as pl
import pytest

from pipelines import lineage
from pipelines.commit_graph import index_commits
from pipelines.lineage import RELATIONS, SHIPPED, Shipped
from tests.connectors.git_repositories import git, new_repository

START = datetime(2025, 1, 1, tzinfo=UTC)
REPOSITORY = "example.com/shop"


def _sha(name: str) -> str:
    return name.encode().hex().ljust(40, "0")


def _commits(history: dict[str, str], *, boundary: str = "") -> pl.DataFrame:
    """Commits from their parents: {"c": "a b"} is a merge of a and b."""
    return pl.DataFrame(
        [
            (REPOSITORY, _sha(name), [_sha(parent) for parent in parents.split()], name in boundary)
            for name, parents in history.items()
        ],
        schema={
            "repository_key": pl.String,
            "sha": pl.String,
            "parents": pl.List(pl.String),
            "is_shallow_boundary": pl.Boolean,
        },
        orient="row",
    )


@dataclass
class Deployments:
    """Deployments of one service, one after the other."""

    rows: list[tuple[object, ...]] = field(default_factory=list)

    def add(
        self,
        name: str,
        sha: str,
        started: float,
        live: float | None = None,
        *,
        environment: str = "production",
        is_live: bool = True,
    ) -> "Deployments":
        """Deploy a commit at a minute; it is live a minute later unless said otherwise."""
        end = started + 1 if live is None else live
        self.rows.append(
            (
                name,
                REPOSITORY,
                "shop",
                environment,
                sha,
                START + timedelta(minutes=started),
                START + timedelta(minutes=end) if is_live else None,
            )
        )
        return self

    def frame(self) -> pl.DataFrame:
        """As `ship` takes it."""
        time = pl.Datetime("us", "UTC")
        names = ("deployment_id", "repository_key", "service_id", "environment", "sha")
        schema = dict.fromkeys(names, pl.String) | {"started_at": time, "live_at": time}
        return pl.DataFrame(self.rows, schema=schema, orient="row")


def ship(commits: pl.DataFrame, deployments: pl.DataFrame) -> Shipped:
    """What shipped with what, with the commits' names beside their numbers."""
    index = index_commits(commits)
    found = lineage.ship(index, deployments)
    names = index.commits["sha"].gather(found.commits["commit_no"])
    return found._replace(commits=found.commits.with_columns(names))


def _shipped(result: Shipped) -> dict[str, tuple[str, str]]:
    """Commit name → deployment and relation."""
    return {
        bytes.fromhex(sha.rstrip("0").ljust(2 * ((len(sha.rstrip("0")) + 1) // 2), "0")).decode(): (
            deployment,
            relation,
        )
        for sha, deployment, relation in result.commits.select(
            "sha", "deployment_id", "relation"
        ).iter_rows()
    }


def _relations(result: Shipped) -> dict[str, str]:
    return dict(result.deployments.select("deployment_id", "relation").iter_rows())


def _row(result: Shipped, name: str) -> dict[str, object]:
    return result.deployments.row(by_predicate=pl.col("deployment_id") == name, named=True)


LINE = {"a": "", "b": "a", "c": "b", "d": "c", "e": "d"}


def test_the_first_live_deployment_is_the_baseline() -> None:
    """All its ancestors are baseline; the next ships what it adds; attempts never live nothing."""
    deployments = (
        Deployments()
        .add("failed", _sha("a"), -10, is_live=False)
        .add("one", _sha("b"), 0)
        .add("cancelled", _sha("d"), 10, is_live=False)
        .add("two", _sha("d"), 20)
    )
    result = ship(_commits(LINE), deployments.frame())
    assert _shipped(result) == {
        "a": ("one", "baseline"),
        "b": ("one", "baseline"),
        "c": ("two", "shipped"),
        "d": ("two", "shipped"),
    }
    assert _relations(result) == {"one": "baseline", "two": "normal"}
    assert _row(result, "two")["shipped"] == 2
    assert _row(result, "two")["live_deployment_id"] == "one"
    assert dict(result.commits.drop("sha").schema) == SHIPPED
    assert dict(result.deployments.schema) == RELATIONS


def test_an_environment_seen_later_is_a_baseline_of_its_own_slice_only() -> None:
    """Per environment the newcomer starts anew; over the class a commit ships at the earliest."""
    deployments = (
        Deployments()
        .add("eu1", _sha("b"), 0, environment="eu")
        .add("us1", _sha("d"), 10, environment="us")
        .add("eu2", _sha("e"), 20, environment="eu")
        .frame()
    )
    sliced = ship(_commits(LINE), deployments)
    assert _relations(sliced) == {"eu1": "baseline", "us1": "baseline", "eu2": "normal"}
    whole = ship(_commits(LINE), deployments.with_columns(environment=pl.lit("production")))
    assert _shipped(whole) == {
        "a": ("eu1", "baseline"),
        "b": ("eu1", "baseline"),
        "c": ("us1", "shipped"),
        "d": ("us1", "shipped"),
        "e": ("eu2", "shipped"),
    }


def test_back_and_forth_is_told_apart_and_ships_once() -> None:
    """Redeploy, rollback with what failed and what is undone, roll forward: nothing ships twice."""
    deployments = Deployments()
    for place, name in enumerate("abcd"):
        deployments.add(name, _sha(name), place * 10)
    deployments.add("again", _sha("d"), 50).add("back", _sha("b"), 60)
    deployments.add("forth", _sha("d"), 70).add("new", _sha("e"), 80)
    result = ship(_commits(LINE), deployments.frame())
    assert _relations(result) == {
        "a": "baseline",
        "b": "normal",
        "c": "normal",
        "d": "normal",
        "again": "redeploy",
        "back": "rollback",
        "forth": "roll_forward",
        "new": "normal",
    }
    back = _row(result, "back")
    assert back["failed_deployment_id"] == "d", "a redeploy is no deployment of its own"
    assert back["live_deployment_id"] == "again"
    assert back["undone_deployment_ids"] == ["c"]
    assert (back["dropped"], back["shipped"]) == (2, 0)
    assert _shipped(result)["d"] == ("d", "shipped")
    assert _shipped(result)["e"] == ("new", "shipped")


def test_sideways_drops_live_commits_and_is_no_rollback() -> None:
    """Another branch that never shipped replaces the live one: normal work, with its loss told."""
    history = {**LINE, "x": "b", "y": "x"}
    deployments = Deployments().add("one", _sha("a"), 0).add("two", _sha("e"), 10)
    deployments.add("side", _sha("y"), 20)
    row = _row(ship(_commits(history), deployments.frame()), "side")
    assert (row["relation"], row["dropped"], row["shipped"]) == ("sideways", 3, 2)
    assert row["failed_deployment_id"] is None


def test_rollback_or_not_is_asked_when_the_deployment_starts() -> None:
    """An older commit that began before the newer one was live is an out-of-order finish.

    Among the deployments live by then the latest started counts: `quick`, though `slow` ended
    after it.
    """
    deployments = Deployments().add("one", _sha("a"), 0).add("slow", _sha("b"), 10, 30)
    deployments.add("quick", _sha("c"), 12, 20).add("after", _sha("b"), 40)
    result = ship(_commits(LINE), deployments.frame())
    assert _relations(result) == {
        "one": "baseline",
        "quick": "normal",
        "slow": "normal",
        "after": "rollback",
    }
    assert _shipped(result)["b"] == ("quick", "shipped")
    assert _row(result, "slow")["shipped"] == 0
    assert _row(result, "after")["failed_deployment_id"] == "quick"


def test_what_is_not_in_the_graph_is_unresolved_and_never_makes_everything_new() -> None:
    """The next resolved one carries the time of the unresolved one; going back is a rollback."""
    deployments = (
        Deployments()
        .add("lost", "f" * 40, -10)
        .add("one", _sha("b"), 0)
        .add("gone", "e" * 40, 10)
        .add("two", _sha("d"), 20)
        .add("hotfix", "d" * 40, 30)
        .add("back", _sha("d"), 40)
    )
    result = ship(_commits(LINE), deployments.frame())
    assert _relations(result) == {
        "lost": "unresolved",
        "one": "baseline",
        "gone": "unresolved",
        "two": "normal",
        "hotfix": "unresolved",
        "back": "rollback",
    }
    assert _row(result, "two")["unresolved_before_at"] == START + timedelta(minutes=11)
    assert _row(result, "back")["failed_deployment_id"] == "hotfix"
    assert {each for each, _ in _shipped(result).values()} == {"one", "two"}


def test_a_repository_nobody_knows_is_unresolved() -> None:
    """No commits at all: every deployment is listed, nothing ships."""
    empty = _commits({"a": ""}).clear()
    result = ship(empty, Deployments().add("one", _sha("a"), 0).frame())
    assert _relations(result) == {"one": "unresolved"}
    assert result.commits.is_empty()
    assert dict(result.commits.drop("sha").schema) == SHIPPED
    nothing = ship(_commits(LINE), Deployments().frame())
    assert dict(nothing.deployments.schema) == RELATIONS
    assert dict(nothing.commits.drop("sha").schema) == SHIPPED


def test_a_shallow_boundary_is_baseline() -> None:
    """A side branch that comes from beyond the boundary may have shipped long ago."""
    history = {"a": "", "b": "a", "x": "", "y": "x", "m": "b y"}
    deployments = Deployments().add("one", _sha("b"), 0).add("two", _sha("m"), 10)
    shipped = _shipped(ship(_commits(history, boundary="ax"), deployments.frame()))
    assert shipped["x"] == ("one", "baseline")
    assert shipped["y"] == ("two", "shipped")


@pytest.mark.parametrize(
    ("sha", "relation"),
    [
        ("abcdef1", "normal"),
        ("ABCDEF1" + "0" * 33, "normal"),
        ("abcdef2", "unresolved"),
        ("abcdef", "unresolved"),
        ("abcdef2" + "1" * 3, "normal"),
        ("v1.0", "unresolved"),
        ("", "unresolved"),
        (None, "unresolved"),
    ],
)
def test_abbreviated_ids_are_resolved_when_unique(sha: str | None, relation: str) -> None:
    """At least seven signs, any case, one match."""
    ids = ["0" * 40, "abcdef1" + "0" * 33, "abcdef2" + "0" * 33, "abcdef2" + "1" * 33]
    commits = pl.DataFrame(
        {
            "repository_key": [REPOSITORY] * 4,
            "sha": ids,
            "parents": [[], [ids[0]], [ids[0]], [ids[0]]],
            "is_shallow_boundary": [False] * 4,
        },
        schema_overrides={"parents": pl.List(pl.String)},
    )
    deployments = Deployments().add("one", ids[0], 0).add("two", sha, 10)  # type: ignore[arg-type]
    assert _relations(ship(commits, deployments.frame()))["two"] == relation


def test_a_rewritten_history_ships_nothing_again() -> None:
    """After a force-push equal commits (author, second, subject) belong to who shipped them."""
    history = {**LINE, "B": "a", "C": "B", "f": "C"}
    commits = _commits(history).with_columns(
        author_email=pl.lit("ada@example.com"),
        authored_at=pl.lit(START),
        subject=pl.Series([name.lower() for name in history]),
    )
    deployments = Deployments().add("one", _sha("a"), 0).add("two", _sha("c"), 10)
    deployments.add("rewritten", _sha("f"), 20)
    result = ship(commits, deployments.frame())
    assert _shipped(result) | {"f": ("rewritten", "shipped")} == _shipped(result)
    assert _shipped(result)["B"] == _shipped(result)["C"] == ("two", "shipped")
    assert _row(result, "rewritten")["shipped"] == 1


def test_a_cycle_in_a_corrupted_history_is_harmless() -> None:
    """The walk ends, and a rollback question is answered somehow."""
    history = {"a": "c", "b": "a", "c": "b", "d": "c b", "e": "d"}
    deployments = Deployments()
    for place, name in enumerate("aedb"):
        deployments.add(name, _sha(name), place * 10)
    result = ship(_commits(history), deployments.frame())
    assert set(_shipped(result)) == set("abcde")


@pytest.mark.parametrize("seed", range(4))
def test_random_real_histories_agree_with_git(tmp_path: Path, seed: int) -> None:
    """Every shipped set is what `git rev-list` says, every relation what `merge-base` says."""
    path, commits = _random_history(tmp_path, seed)
    randomly = random.Random(seed)
    ids = commits["sha"].to_list()
    deployments = Deployments()
    place = 5
    for number in range(40):
        place = max(0, min(len(ids) - 1, place + randomly.choice((-30, -8, 0, 1, 5, 9, 14, 20))))
        begin = number * 10 + randomly.random()
        deployments.add(f"d{number:02}", ids[place], begin, begin + randomly.choice((1, 2, 14, 25)))
    result = ship(commits, deployments.frame())
    ancestors = {
        sha: frozenset(git(path, "rev-list", sha).split())
        for sha in {str(row[4]) for row in deployments.rows}
    }
    naive_shipped, naive_relations = _naive(deployments, ancestors)
    assert _relations(result) == naive_relations
    found = dict(result.commits.select("sha", "deployment_id").iter_rows())
    assert found == naive_shipped
    assert {"normal", "rollback"} <= set(naive_relations.values())
    for name, relation in naive_relations.items():
        row = _row(result, name)
        if relation in {"normal", "roll_forward", "rollback", "sideways"} and row["live_sha"]:
            sha = next(str(r[4]) for r in deployments.rows if r[0] == name)
            asked = ["git", "merge-base", "--is-ancestor", str(row["live_sha"]), sha]
            is_ancestor = run(asked, cwd=path, check=False).returncode == 0
            assert is_ancestor == (relation in {"normal", "roll_forward"})
        if relation in {"rollback", "sideways"}:
            dropped = ancestors[str(row["live_sha"])] - ancestors[sha]
            assert row["dropped"] == len(dropped)


def _random_history(tmp_path: Path, seed: int) -> tuple[Path, pl.DataFrame]:
    """A real repository of 300 commits with merges, made by fast-import; oldest first."""
    randomly = random.Random(seed)
    path = new_repository(tmp_path / "shop")
    stream = []
    for mark in range(1, 301):
        stream.append(
            f"commit refs/heads/b{mark}\nmark :{mark}\n"
            f"committer A <a@example.com> {1_700_000_000 + mark} +0000\ndata 1\nx\n"
        )
        parents = randomly.sample(
            range(max(1, mark - 9), mark), min(mark - 1, randomly.choice((1, 1, 1, 2, 2, 3)))
        )
        stream += [
            f"{'from' if not place else 'merge'} :{parent}\n"
            for place, parent in enumerate(parents)
        ]
        stream.append("\n")
    git(path, "fast-import", "--quiet", stdin="".join(stream).encode())
    rows = [
        row.split(" ")
        for row in git(path, "log", "--all", "--reverse", "--format=%H %P").splitlines()
    ]
    commits = pl.DataFrame(
        {
            "repository_key": [REPOSITORY] * len(rows),
            "sha": [row[0] for row in rows],
            "parents": [[parent for parent in row[1:] if parent] for row in rows],
            "is_shallow_boundary": [False] * len(rows),
        },
        schema_overrides={"parents": pl.List(pl.String)},
    )
    return path, commits


def _naive(
    deployments: Deployments, ancestors: dict[str, frozenset[str]]
) -> tuple[dict[str, str], dict[str, str]]:
    """The definitions word for word, with whole sets."""
    rows = sorted(deployments.rows, key=lambda row: (row[6], row[5], row[0]))
    shipped: dict[str, str] = {}
    relations: dict[str, str] = {}
    for place, (name, _, _, _, sha, started, live) in enumerate(rows):
        contained = ancestors[str(sha)]
        earlier = [row for row in rows[:place] if row[6] <= started]  # type: ignore[operator]
        by_then = frozenset().union(*(ancestors[str(row[4])] for row in earlier))
        before = max(earlier, key=lambda row: (row[5], row[6]), default=None)
        for each in contained - set(shipped):
            shipped[each] = str(name)
        if not place:
            relations[str(name)] = "baseline"
        elif before is None:
            relations[str(name)] = "normal"
        elif before[4] == sha:
            relations[str(name)] = "redeploy"
        elif before[4] in contained:
            relations[str(name)] = "roll_forward" if sha in by_then else "normal"
        else:
            relations[str(name)] = "rollback" if sha in by_then else "sideways"
        assert live is not None
    return shipped, relations
