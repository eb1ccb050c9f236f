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
from polars import selectors

Integers = npt.NDArray[np.int64]
_TWIN = ("author_email", "authored_at", "subject")


@dataclass(slots=True)
class CommitIndex:
    """All commits by number, sorted by repository and id, with their parents as numbers.

    `commits` has repository_key and sha. `ranges` holds the first number and the one behind the
    last of every repository. `twins` numbers the groups of commits that are the same one written
    again, -1 for the rest; none where that is not known.
    """

    commits: pl.DataFrame
    boundary: npt.NDArray[np.bool_]
    twins: Integers | None
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
        """The number of the commit of each `repository_key` and `sha`; null where it is unknown.

        Where `commit_no` is there it has the numbers of whole ids already. Ids cut to at least
        seven signs are resolved where only one commit begins so.
        """
        asked = deployed.with_columns(pl.col("sha").str.to_lowercase().str.strip_chars())
        if "commit_no" not in asked.columns:
            asked = asked.join(
                self.commits.with_row_index("commit_no"),
                on=["repository_key", "sha"],
                how="left",
                maintain_order="left",
            )
        numbers = asked["commit_no"].cast(pl.Int64).to_list()
        missing = asked.with_row_index("place").filter(
            pl.col("commit_no").is_null() & pl.col("sha").str.contains(r"^[0-9a-f]{7,}$")
        )
        for place, key, sha in missing.select("place", "repository_key", "sha").iter_rows():
            numbers[place] = self._abbreviated(key, sha)
        return pl.Series("row", numbers, dtype=pl.Int64)

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
        for place, tip in enumerate(tips):
            self.enter(owner, tip, place)
        return owner

    def enter(self, owner: list[int], tip: int, place: int) -> None:
        """Claim for `place` whatever the tip contains that nobody owns yet."""
        first, others = self.first, self.others
        open_ends = [tip]
        while open_ends:
            commit = open_ends.pop()
            while commit >= 0 and owner[commit] < 0:
                owner[commit] = place
                if commit in others:
                    open_ends += others[commit]
                commit = first[commit]

    def line(self, tip: int, owner: Sequence[int] | None = None) -> list[int]:
        """The first-parent line up to a commit, oldest first; from where nobody owns it."""
        found: dict[int, None] = {}
        commit = tip
        while commit >= 0 and commit not in found and (owner is None or owner[commit] < 0):
            found[commit] = None
            commit = self.first[commit]
        return list(reversed(found))

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
    the commits are left out. With author_email, authored_at and subject too, commits equal in
    these are twins (history was rewritten).
    """
    ordered = commits.sort("repository_key", "sha", maintain_order=True)
    is_repeated = pl.col("sha").eq(pl.col("sha").shift()) & pl.col("repository_key").eq(
        pl.col("repository_key").shift()
    )
    numbered = (
        ordered.filter(~is_repeated.fill_null(value=False))
        .with_row_index("commit_no")
        .with_columns(pl.col("commit_no").cast(pl.Int64))
    )
    edges = (
        numbered.select("repository_key", pl.col("commit_no").alias("child"), sha="parents")
        .explode("sha", empty_as_null=False)
        .join(
            numbered.select("repository_key", "sha", parent="commit_no"),
            on=["repository_key", "sha"],
            how="inner",
            maintain_order="left",
        )
    )
    twins = _twins(numbered) if set(_TWIN) <= set(commits.columns) else None
    return numbered_commits(numbered, edges, twins)


def numbered_commits(
    commits: pl.DataFrame, edges: pl.DataFrame, twins: pl.DataFrame | None
) -> CommitIndex:
    """An index of commits that are numbered already.

    `commits` has repository_key, sha, is_shallow_boundary and, where lines of branches are asked
    for, committed_at, row by row in the order of the numbers; `edges` child and parent, by child
    and then in the order a commit names its parents; `twins` commit_no and the number of its group.
    """
    ends = (
        commits.select("repository_key")
        .with_row_index("row")
        .group_by("repository_key")
        .agg(pl.col("row").min().alias("start"), (pl.col("row").max() + 1).alias("end"))
    )
    groups = None
    if twins is not None:
        groups = np.full(len(commits), -1, dtype=np.int64)
        groups[twins["commit_no"].to_numpy()] = twins["twin"].to_numpy()
    return CommitIndex(
        commits=commits.select(
            "repository_key", "sha", selectors.by_name("committed_at", require_all=False)
        ),
        boundary=commits["is_shallow_boundary"].to_numpy(),
        twins=groups,
        ranges={key: (start, end) for key, start, end in ends.iter_rows()},
        child=edges["child"].to_numpy(),
        parent=edges["parent"].to_numpy(),
    )


def _twins(commits: pl.DataFrame) -> pl.DataFrame:
    """The commits equal to another in author, second and subject, with the number of the group."""
    key = ["repository_key", *_TWIN]
    # Few are written twice; by hash they are found without comparing all the texts.
    return (
        commits.filter(commits.select(key).hash_rows().is_duplicated())
        .drop_nulls(list(_TWIN))
        .group_by(key)
        .agg("commit_no")
        .filter(pl.col("commit_no").list.len() > 1)
        .with_row_index("twin")
        .explode("commit_no")
        .select("commit_no", pl.col("twin").cast(pl.Int64))
    )
