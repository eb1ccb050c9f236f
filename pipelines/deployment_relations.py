"""What a deployment is to the one that was live when it started.

Deployments are positions in the list of one service and environment, in order of live time.
Whether L, the commit live then, is an ancestor of X is mostly seen from the walk itself; the rest
is read from bit sets that one pass over the history fills for all deployed commits at once, so
that no question costs a walk of its own.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipelines.commit_graph import CommitGraph


@dataclass(slots=True)
class Relation:
    """What one deployment is; deployments are positions in their cell, later in the frame."""

    name: str = "normal"
    live: int | None = None
    shipped: int = 0
    dropped: int | None = None
    is_unrelated: bool = False  # neither commit contains the other: two branches take turns
    failed: int | None = None
    undone: list[int] = field(default_factory=list)
    unresolved_before: int | None = None  # microseconds

    def moved(self, offset: int) -> "Relation":
        """The same with positions counted from the frame's start."""
        self.live = None if self.live is None else self.live + offset
        self.failed = None if self.failed is None else self.failed + offset
        self.undone = [each + offset for each in self.undone]
        return self


class History:
    """Ancestry among the deployed commits of one repository, worked out once when asked."""

    def __init__(self, graph: CommitGraph, tips: list[int]) -> None:
        self.graph = graph
        self.tips = tips

    @cached_property
    def _bits(self) -> dict[int, int]:
        return {tip: bit for bit, tip in enumerate(self.tips)}

    @cached_property
    def _holders(self) -> list[int]:
        return self.graph.containing(self.tips)

    @cached_property
    def _counts(self) -> Counter[int]:
        return Counter(self._holders)

    def touched(self, owner: npt.NDArray[np.int64]) -> set[tuple[int, int]]:
        """Pairs of an owner and a deployed commit that is a parent of what the owner shipped.

        The ordinary next deployment starts right on top of the last one; this tells so from the
        walk alone, and a history of only such deployments needs nothing else.
        """
        is_tip = np.zeros(self.graph.size, dtype=bool)
        is_tip[self.tips] = True
        edges = np.flatnonzero(is_tip[self.graph.parent])
        return set(
            zip(
                owner[self.graph.child[edges]].tolist(),
                self.graph.parent[edges].tolist(),
                strict=True,
            )
        )

    def contains(self, tip: int, commit: int) -> bool:
        """Whether the deployed commit is the other one or has it among its ancestors."""
        return bool(self._holders[commit] >> self._bits[tip] & 1)

    def bit(self, tip: int) -> int:
        """The bit that stands for a deployed commit in every set."""
        return 1 << self._bits[tip]

    def sets(self, twins: npt.NDArray[np.int64] | None) -> tuple[npt.NDArray[np.int64], list[int]]:
        """For each commit the number of the set of deployed commits that contain it; the sets.

        A commit equal to another (history was rewritten) is contained where that one is.
        """
        holders = self._holders
        if twins is not None and (rows := np.flatnonzero(twins >= 0).tolist()):
            holders = holders.copy()
            groups = twins[rows].tolist()
            joint: dict[int, int] = {}
            for row, group in zip(rows, groups, strict=True):
                joint[group] = joint.get(group, 0) | holders[row]
            for row, group in zip(rows, groups, strict=True):
                holders[row] = joint[group]
        number: dict[int, int] = {}
        numbers = np.array([number.setdefault(each, len(number)) for each in holders], np.int64)
        return numbers, list(number)

    def dropped(self, live: int, new: int) -> int:
        """How many commits the one deployed commit contains and the other does not."""
        has, lacks = 1 << self._bits[live], 1 << self._bits[new]
        return sum(count for bits, count in self._counts.items() if bits & has and not bits & lacks)


def relate(
    relations: list[Relation],
    history: History,
    tips: list[int | None],
    *,
    at: int,
    was_shipped: bool,
    touched: set[tuple[int, int]],
    manifests: list[str | None],
    is_older: bool,
    last_known: int | None,
) -> None:
    """Name what the deployment is to the one live when it started.

    Where the commit of that one is not in the graph, to the `last_known` one live by then. The
    same commit under another manifest (GitOps) is a deployment of configuration. A release of an
    older version that does not hold what is live goes beside it: it takes nothing back.
    """
    relation, new = relations[at], tips[at]
    if relation.live is None or new is None:
        return
    is_live_known = tips[relation.live] is not None
    live = relation.live if is_live_known else last_known
    before = tips[live] if live is not None else None
    if live is None or before is None:
        return
    if not is_live_known:
        # What was live is not in the graph: going back to anything shipped leaves it behind.
        is_forward = before != new and history.contains(new, before)
        if was_shipped:
            behind = "older_version" if is_older else "rollback"
            relation.name = "roll_forward" if is_forward else behind
    elif before == new:
        known = {manifests[at], manifests[live]} - {None}
        relation.name = "config" if len(known) > 1 else "redeploy"
    elif (at, before) in touched or history.contains(new, before):
        relation.name = "roll_forward" if was_shipped else "normal"
    elif is_older:
        relation.name = "older_version"
    else:
        relation.name = "rollback" if was_shipped else "sideways"
        relation.dropped = history.dropped(before, new)
        relation.is_unrelated = not history.contains(before, new)


def undo(
    relations: list[Relation],
    history: History,
    tips: list[int | None],
    *,
    at: int,
    by_then: list[int],
) -> None:
    """Say which deployment a rollback takes back as failed, and which others with it."""
    live, new = relations[at].live, tips[at]
    # A redeploy is no deployment of its own: what failed is the one whose commit it repeated.
    while live is not None and relations[live].name == "redeploy":
        live = relations[live].live
    relations[at].failed = live
    before = tips[live] if live is not None else None
    if before is None or new is None:
        return
    relations[at].undone = [
        each
        for each in by_then
        if each != live
        and relations[each].name not in {"redeploy", "config", "rollback"}
        and history.contains(before, tip := tips[each] or 0)
        and not history.contains(new, tip)
    ]


def live_at_start(
    started: list[int], ended: list[int], counted: list[bool] | None = None
) -> list[int | None]:
    """For each deployment the one live when it started: live by then, and the latest started.

    Only those `counted` are looked at, where it is given.
    """
    found: list[int | None] = [None] * len(started)
    latest: tuple[int, int] | None = None
    reached = 0
    for at in sorted(range(len(started)), key=lambda each: (started[each], each)):
        while reached < at and ended[reached] <= started[at]:
            if counted is None or counted[reached]:
                latest = max(latest or (started[reached], reached), (started[reached], reached))
            reached += 1
        found[at] = latest[1] if latest is not None else None
    return found
