"""Which commit of the default branch's first-parent line brought each commit in."""

import numpy as np
import polars as pl

MAINLINE_SCHEMA = {
    "repository_key": pl.String,
    "sha": pl.String,
    "mainline_sha": pl.String,
    "position": pl.Int64,
}


def trace(commits: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """Every commit the heads reach, with the mainline commit that brought it in.

    `commits`: repository_key, sha, parents (list). `heads`: repository_key, sha. Walks each first
    parent line from its oldest commit, so a commit belongs to the first mainline commit that
    contains it; `position` counts along the line from 0. Parents that are not among the commits
    (shallow clones) end the walk. Every commit and edge is seen once.
    """
    indexed = commits.select("repository_key", "sha", "parents").with_row_index("row")
    place = indexed.select("repository_key", "sha", "row")
    edges = (
        indexed.select("repository_key", "row", "parents")
        .explode("parents")
        .filter(pl.col("parents").is_not_null())
        .with_columns(ordinal=pl.int_range(pl.len()).over("row"))
        .join(
            place.rename({"row": "parent"}),
            left_on=("repository_key", "parents"),
            right_on=("repository_key", "sha"),
        )
        .sort("row", "ordinal")
        .select("row", "parent", "ordinal")
    )
    first_parent = np.full(commits.height, -1, dtype=np.int64)
    firsts = edges.filter(pl.col("ordinal") == 0)
    first_parent[firsts["row"].to_numpy()] = firsts["parent"].to_numpy()
    starts = np.searchsorted(edges["row"].to_numpy(), np.arange(commits.height + 1)).tolist()
    parents = edges["parent"].to_list()
    first = first_parent.tolist()
    owner = [-1] * commits.height
    position = [0] * commits.height
    rows = heads.join(place, on=("repository_key", "sha"))["row"].to_list()
    for head in rows:
        line = []
        at = head
        while at >= 0 and owner[at] < 0:
            owner[at] = at
            line.append(at)
            at = first[at]
        for number, commit in enumerate(reversed(line)):
            position[commit] = number
            waiting = [commit]
            while waiting:
                at = waiting.pop()
                for parent in parents[starts[at] : starts[at + 1]]:
                    if owner[parent] < 0:
                        owner[parent] = commit
                        position[parent] = number
                        waiting.append(parent)
    found = indexed.select("repository_key", "sha").with_columns(
        owner=pl.Series(owner, dtype=pl.Int64), position=pl.Series(position, dtype=pl.Int64)
    )
    return (
        found.filter(pl.col("owner") >= 0)
        .join(
            place.select(pl.col("row").cast(pl.Int64).alias("owner"), mainline_sha="sha"),
            on="owner",
        )
        .select(MAINLINE_SCHEMA.keys())
    )
