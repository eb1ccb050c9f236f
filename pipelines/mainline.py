"""Which commit of the default branch's first-parent line brought each commit in."""

import polars as pl

from pipelines.commit_graph import CommitIndex

MAINLINE = {
    "repository_key": pl.String,
    "sha": pl.String,
    "mainline_sha": pl.String,
}


def trace(index: CommitIndex, heads: pl.DataFrame) -> pl.DataFrame:
    """Every commit the heads reach, with the first commit of the first-parent line holding it.

    `heads`: repository_key and sha, one row per repository. Parents that are not among the
    commits (shallow clones) end the line; so does a commit seen twice (a corrupted history).
    """
    located = heads.with_columns(index.resolve(heads)).filter(pl.col("row").is_not_null())
    owners: list[pl.DataFrame] = []
    for key, head in located.select("repository_key", "row").iter_rows():
        start, end = index.ranges[key]
        graph = index.graph(key)
        line: dict[int, None] = {}
        commit = head - start
        while commit >= 0 and commit not in line:
            line[commit] = None
            commit = graph.first[commit]
        tips = list(reversed(line))
        held = graph.claim(tips)
        owners.append(
            pl.DataFrame(
                {
                    "row": range(start, end),
                    "owner": [None if place < 0 else tips[place] + start for place in held],
                },
                schema={"row": pl.Int64, "owner": pl.Int64},
            ).drop_nulls()
        )
    if not owners:
        return pl.DataFrame(schema=MAINLINE)
    names = index.commits.select("row", "repository_key", "sha")
    return (
        pl.concat(owners)
        .join(names, on="row")
        .join(names.select(owner="row", mainline_sha="sha"), on="owner")
        .select(MAINLINE.keys())
    )
