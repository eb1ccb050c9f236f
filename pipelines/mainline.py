"""Which commit of the default branch's first-parent line brought each commit in."""

import numpy as np
import polars as pl

from pipelines.commit_graph import CommitIndex, Integers

MAINLINE = {
    "repository_key": pl.String,
    "sha": pl.String,
    "mainline_sha": pl.String,
}


def trace(index: CommitIndex, heads: pl.DataFrame) -> pl.DataFrame:
    """Every commit the heads reach, with the first commit of the first-parent line holding it.

    `heads`: repository_key and sha, one row per repository. Gives commit_no and mainline_no.
    Parents that are not among the commits (shallow clones) end the line; so does a commit seen
    twice (a corrupted history).
    """
    located = heads.with_columns(index.resolve(heads)).filter(pl.col("row").is_not_null())
    rows: list[Integers] = [np.empty(0, dtype=np.int64)]
    owners: list[Integers] = [np.empty(0, dtype=np.int64)]
    for key, head in located.select("repository_key", "row").iter_rows():
        start, _ = index.ranges[key]
        graph = index.graph(key)
        line: dict[int, None] = {}
        commit = head - start
        while commit >= 0 and commit not in line:
            line[commit] = None
            commit = graph.first[commit]
        tips = list(reversed(line))
        place = np.array(graph.claim(tips), dtype=np.int64)
        held = np.flatnonzero(place >= 0)
        rows.append(held + start)
        owners.append(np.array(tips, dtype=np.int64)[place[held]] + start)
    return pl.DataFrame({"commit_no": np.concatenate(rows), "mainline_no": np.concatenate(owners)})
