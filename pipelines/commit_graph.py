"""Commit graphs as integers: built once from frames, walked many times.

Commits of one repository are numbered 0…n-1. A walk over Python lists of integers takes a tenth
of a second for 200,000 commits; arrays read one element at a time would take several times that.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

Integers = npt.NDArray[np.int64]
SHORTEST_ABBREVIATION = 7


@dataclass(slots=True)
class CommitIndex:
    """All commits, sorted by repository, with their parents as row numbers.

    `ranges` holds the first row and the row behind the last of every repository.
    """

    commits: pl.DataFrame
    ranges: dict[str, tuple[int, int]]
    child: Integers
    parent: Integers

    def graph(self, repository_key: str) -> "CommitGraph":
        """The graph of one repository; an empty one where nothing of it is known."""
        start, end = self.ranges.get(repository_key, (0, 0))
        low, high = np.searchsorted(self.child, [start, end])
        return CommitGraph(
            size=end - start,
            child=self.child[low:high] - start,
            parent=self.parent[low:high] - start,
        )

    def resolve(self, deployed: pl.DataFrame) -> pl.Series:
        """The commit row of each `repository_key` and `sha`; null where it is not in the graph.

        Ids cut to at least seven signs are resolved where only one commit begins so.
        """
        asked = deployed.select(
            "repository_key", pl.col("sha").str.to_lowercase().str.strip_chars()
        ).with_row_index("place")
        found = asked.join(
            self.commits.select("repository_key", "sha", "row"),
            on=["repository_key", "sha"],
            how="left",
        ).sort("place")
        rows = found["row"].to_list()
        missing = found.filter(
            pl.col("row").is_null() & pl.col("sha").str.contains(r"^[0-9a-f]{7,}$")
        )
        for place, key, sha in missing.select("place", "repository_key", "sha").iter_rows():
            rows[place] = self._abbreviated(key, sha)
        return pl.Series("row", rows, dtype=pl.Int64)

    def _abbreviated(self, key: str, sha: str) -> int | None:
        start, end = self.ranges.get(key, (0, 0))
        ids: Sequence[str] = self.commits["sha"][start:end]  # type: ignore[assignment]
        place = bisect_left(ids, sha)
        matches = [at for at in (place, place + 1) if at < len(ids) and ids[at].startswith(sha)]
        return start + matches[0] if len(matches) == 1 else None


@dataclass
class CommitGraph:
    """One repository's commits and the edges between them, sorted by child."""

    size: int
    child: Integers
    parent: Integers
    first: list[int] = field(init=False, repr=False)
    others: dict[int, list[int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """First parents in a list, the other parents of merges beside it."""
        is_first = np.ones(len(self.child), dtype=bool)
        is_first[1:] = self.child[1:] != self.child[:-1]
        first = np.full(self.size, -1, dtype=np.int64)
        first[self.child[is_first]] = self.parent[is_first]
        self.first = first.tolist()
        self.others = {}
        for merge, parent in zip(
            self.child[~is_first].tolist(), self.parent[~is_first].tolist(), strict=True
        ):
            self.others.setdefault(merge, []).append(parent)

    def claim(self, tips: Sequence[int]) -> list[int]:
        """For every commit the first of the tips that contains it, or -1: O(commits + edges).

        Each walk stops at what an earlier one has claimed, so that a commit is entered once; that
        also makes a cycle in a corrupted history harmless.
        """
        owner = [-1] * self.size
        first, others = self.first, self.others
        for place, tip in enumerate(tips):
            open_ends = [tip]
            while open_ends:
                commit = open_ends.pop()
                while commit >= 0 and owner[commit] < 0:
                    owner[commit] = place
                    if commit in others:
                        open_ends += others[commit]
                    commit = first[commit]
        return owner

    @cached_property
    def order(self) -> list[int]:
        """All commits, children before parents; those of a cycle (corrupted) come last."""
        waiting = np.bincount(self.parent, minlength=self.size)
        order: list[int] = np.flatnonzero(waiting == 0).tolist()
        left: list[int] = waiting.tolist()
        first, others = self.first, self.others
        for commit in order:  # grows while it is read
            parent = first[commit]
            if parent >= 0:
                left[parent] -= 1
                if not left[parent]:
                    order.append(parent)
            if commit in others:
                for parent in others[commit]:
                    left[parent] -= 1
                    if not left[parent]:
                        order.append(parent)
        if len(order) < self.size:
            order += sorted(set(range(self.size)) - set(order))
        return order

    def containing(self, tips: Sequence[int]) -> list[int]:
        """For every commit a bit set: bit i says that tip i contains it (or is it).

        One pass over the history answers every question of ancestry among the tips. Commits of a
        straight line share one integer; only tips and merges make new ones.
        """
        holds = [0] * self.size
        for bit, tip in enumerate(tips):
            holds[tip] |= 1 << bit
        first, others = self.first, self.others
        for commit in self.order:
            bits = holds[commit]
            if not bits:
                continue
            parent = first[commit]
            if parent >= 0:
                before = holds[parent]
                if not before:
                    holds[parent] = bits
                elif before is not bits:
                    holds[parent] = before | bits
            if commit in others:
                for parent in others[commit]:
                    holds[parent] |= bits
        return holds


def index_commits(commits: pl.DataFrame) -> CommitIndex:
    """Number the commits and their parents.

    `commits` has repository_key, sha, parents and is_shallow_boundary; parents that are not among
    the commits are left out.
    """
    ordered = commits.sort("repository_key", "sha", maintain_order=True)
    is_repeated = pl.col("sha").eq(pl.col("sha").shift()) & pl.col("repository_key").eq(
        pl.col("repository_key").shift()
    )
    numbered = (
        ordered.filter(~is_repeated.fill_null(value=False))
        .with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64))
    )
    ends = numbered.group_by("repository_key").agg(
        pl.col("row").min().alias("start"), (pl.col("row").max() + 1).alias("end")
    )
    edges = (
        numbered.select("repository_key", "row", pl.col("parents").alias("sha"))
        .explode("sha", empty_as_null=False)
        .join(
            numbered.select("repository_key", "sha", pl.col("row").alias("parent")),
            on=["repository_key", "sha"],
            how="inner",
            maintain_order="left",
        )
    )
    return CommitIndex(
        commits=numbered,
        ranges={key: (start, end) for key, start, end in ends.iter_rows()},
        child=edges["row"].to_numpy(),
        parent=edges["parent"].to_numpy(),
    )
