"""Which commit of a first-parent line brought each commit in."""

from operator import itemgetter

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.commit_graph import CommitGraph, CommitIndex, Integers

_LONG_AGO = -(2**63)


def trace(index: CommitIndex, heads: pl.DataFrame, released: pl.DataFrame) -> pl.DataFrame:
    """Every commit the heads reach, with the first commit of the first-parent line holding it.

    `heads`: repository_key and sha, one row per repository. `released`: repository_key, sha and
    live_at of what went live from repositories in which more lines than the default branch's own
    bring commits in: what was live before that branch had it came by the line it was released
    from. `index.commits` needs committed_at for these. Gives commit_no, mainline_no and whether
    that one is_elsewhere than on the default branch's line. Parents that are not among the commits
    (shallow clones) end the line; so does a commit seen twice (a corrupted history).
    """
    located = heads.with_columns(index.resolve(heads)).filter(pl.col("row").is_not_null())
    live = released.with_columns(index.resolve(released)).filter(pl.col("row").is_not_null())
    releases: dict[str, list[tuple[int, int]]] = {}
    for key, row, at in live.select(
        "repository_key", "row", pl.col("live_at").dt.epoch("us")
    ).iter_rows():
        releases.setdefault(key, []).append((at, row))
    rows: list[Integers] = [np.empty(0, dtype=np.int64)]
    owners: list[Integers] = [np.empty(0, dtype=np.int64)]
    elsewhere: list[npt.NDArray[np.bool_]] = [np.empty(0, dtype=bool)]
    for key, head in located.select("repository_key", "row").iter_rows():
        start, end = index.ranges[key]
        graph = index.graph(key)
        mainline = tips = graph.line(head - start)
        if key in releases:
            committed = index.commits["committed_at"][start:end].gather(mainline)
            at = [(when, row - start) for when, row in sorted(releases[key])]
            tips, owner = _lines(graph, mainline, _written(committed), at)
        else:
            owner = graph.claim(tips)
        place = np.array(owner, dtype=np.int64)
        held = np.flatnonzero(place >= 0)
        rows.append(held + start)
        units = np.array(tips, dtype=np.int64)[place[held]]
        owners.append(units + start)
        elsewhere.append(~np.isin(units, mainline))
    return pl.DataFrame(
        {
            "commit_no": np.concatenate(rows),
            "mainline_no": np.concatenate(owners),
            "is_elsewhere": np.concatenate(elsewhere),
        }
    )


def _written(committed: pl.Series) -> list[int]:
    """When each commit of a line was written, in µs; never before the one below it."""
    return committed.dt.epoch("us").fill_null(_LONG_AGO).cum_max().to_list()


def _lines(
    graph: CommitGraph,
    mainline: list[int],
    written: list[int],
    releases: list[tuple[int, int]],
) -> tuple[list[int], list[int]]:
    """Units of all lines, and for every commit the place of its own: in the order of events.

    A commit of the default branch brings in what nobody has when it is written, a release the
    commits of its line that nobody has when it goes live. So nothing later changes what is there.
    """
    events = [(at, False, unit) for at, unit in zip(written, mainline, strict=True)]
    events += [(at, True, row) for at, row in releases]
    tips: list[int] = []
    owner = [-1] * graph.size
    for _, is_release, commit in sorted(events, key=itemgetter(0, 1)):
        for tip in graph.line(commit, owner) if is_release else [commit]:
            if owner[tip] < 0:
                graph.enter(owner, tip, len(tips))
                tips.append(tip)
    return tips, owner
