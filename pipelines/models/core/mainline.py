"""The default branch of every repository, and what each of its commits brought in."""

import polars as pl

from pipelines.mainline import trace

TABLES = {
    "mainline": """
        One row per commit on the default branch, with the first-parent commit that brought it in.
        key: repository_key, sha
        not null: mainline_sha
    """
}

INPUTS = {
    "commits": """
        select a.repository_key, c.sha, any_value(c.parents) as parents
        from records.commit as c join repository_alias as a on a.alias = c.repository_key
        group by a.repository_key, c.sha
    """,
    "heads": """
        select a.repository_key, f.sha
        from records.reference as f
        join repository_alias as a on a.alias = f.repository_key
        join repository as r on r.repository_key = a.repository_key
        where (f.kind = 'branch' and f.name = r.default_branch)
            or (f.kind = 'head' and r.default_branch is null)
    """,
}


def model(commits: pl.DataFrame, heads: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Walk the default branches; see `pipelines.mainline`."""
    return {"mainline": trace(commits, heads)}
