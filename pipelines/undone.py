"""Which commits rollbacks took out of an environment, and since when they are live again.

Commits that the same deployed commits contain share one fate, so it is worked out once for each
such set (see `CommitGraph.containing`), not once for each commit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.commit_graph import Integers
from pipelines.deployment_relations import History, Relation


@dataclass(frozen=True, slots=True)
class Undone:
    """Commits with the first rollback that took each out, and the deployment it is back since.

    `again` is -1 for what is not live now.
    """

    commits: Integers
    rollbacks: Integers
    again: Integers

    def moved(self, *, rows: int, places: int) -> "Undone":
        """The same with commits and deployments counted from the start of all of them."""
        again = np.where(self.again < 0, -1, self.again + places)
        return Undone(self.commits + rows, self.rollbacks + places, again)


def taken_back(
    history: History,
    tips: list[int | None],
    relations: list[Relation],
    twins: npt.NDArray[np.int64] | None,
) -> Undone:
    """Walk the deployments of one service and environment for each set of commits.

    A rollback takes out what the commit live before it holds and its own does not; any later
    deployment that holds it brings it back.
    """
    bits = [0 if tip is None else history.bit(tip) for tip in tips]
    gone = [
        bits[each.live] if each.name == "rollback" and each.live is not None else 0
        for each in relations
    ]
    numbers, sets = history.sets(twins)
    fates = [_fate(held, bits, gone) for held in sets]
    rollbacks = np.array([rollback for rollback, _ in fates], dtype=np.int64)[numbers]
    again = np.array([place for _, place in fates], dtype=np.int64)[numbers]
    commits = np.flatnonzero(rollbacks >= 0)
    return Undone(commits, rollbacks[commits], again[commits])


def _fate(held: int, bits: list[int], gone: list[int]) -> tuple[int, int]:
    """The first rollback that took the set out, or -1, and where it is back since, or -1."""
    if not any(held & before and not held & bits[at] for at, before in enumerate(gone) if before):
        return -1, -1
    first, again, is_live = -1, -1, True
    for at, (new, before) in enumerate(zip(bits, gone, strict=True)):
        if is_live and held & before and not held & new:
            first, again, is_live = (at if first < 0 else first), -1, False
        elif not is_live and held & new:
            again, is_live = at, True
    return first, again
