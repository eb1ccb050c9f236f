"""Commit ancestry: what each deployment shipped, what it was, and the default branches."""

import polars as pl

from pipelines.commit_graph import CommitIndex, numbered_commits
from pipelines.lineage import ship
from pipelines.mainline import trace

TABLES = {
    "shipment": """
        One row per commit, service and environment: the first live deployment that contains it.
        Environment '' is production as a whole, where only the first deployment is a baseline.
        key: service_id, environment, commit_no
        not null: deployment_id, relation
    """,
    "deployment_relation": """
        One row per deployment that went live: what it was to what was live before it, and what a
        rollback left failed or undone. Unresolved ones between it and the resolved one before,
        there and in production as a whole, by the last one's live time.
        key: deployment_id
        not null: relation
    """,
    "undone_commit": """
        One row per commit, service and environment that a rollback took out of there: by which
        first, and since when it is live there again (null while it is not).
        kept: while building
        key: service_id, environment, commit_no
        not null: rollback_deployment_id, rolled_back_at
    """,
    "mainline": """
        One row per commit on the default branch, with the first-parent commit that brought it in.
        In a repository without change requests also one per commit that went live before that
        branch had it, with the one of the line it was released from.
        kept: while building
        key: commit_no
        not null: mainline_no
    """,
}

INPUTS = {
    "commits": """
        select repository_key, sha, is_shallow_boundary, committed_at
        from known_commit order by commit_no
    """,
    # Parents that are not among the commits are left out.
    "edges": """
        with named as (
            select commit_no, repository_key, unnest(parents) as sha,
                generate_subscripts(parents, 1) as place
            from known_commit
        )
        select n.commit_no as child, p.commit_no as parent
        from named as n
        join known_commit as p on p.repository_key = n.repository_key and p.sha = n.sha
        order by n.commit_no, n.place
    """,
    # Commits that are the same one written again; few are, by hash they need no texts compared.
    "twins": """
        with told as (
            select commit_no, repository_key, author_email, authored_at, subject,
                hash(repository_key, author_email, authored_at, subject) as family
            from known_commit
            where author_email is not null and authored_at is not null and subject is not null
        ),
        suspect as (
            select * from told
            where family in (select family from told group by family having count(*) > 1)
        ),
        grouped as (
            select commit_no,
                dense_rank() over (order by repository_key, author_email, authored_at, subject) - 1
                    as twin,
                count(*) over (
                    partition by repository_key, author_email, authored_at, subject) as copies
            from suspect
        )
        select commit_no, twin from grouped where copies > 1
    """,
    "deployments": """
        select d.deployment_id, d.repository_key, d.service_id, d.environment, d.sha, d.started_at,
            d.live_at, d.is_production, d.manifest_sha, c.commit_no,
            coalesce(v.version <= v.latest, false) as is_older
        from folded_deployment as d
        left join release_version as v on v.service_id || '|' || v.attempt_id = d.deployment_id
        left join known_commit as c
            on c.repository_key = d.repository_key and c.sha = lower(trim(d.sha))
    """,
    "heads": """
        select a.repository_key, min(f.sha) as sha
        from records.reference as f
        join repository_alias as a on a.alias = f.repository_key
        join repository as r on r.repository_key = a.repository_key
        where (f.kind = 'branch' and f.name = r.default_branch)
            or (f.kind = 'head' and r.default_branch is null)
        group by a.repository_key
    """,
    "with_requests": "select repository_key from repository_with_requests",
}


def model(
    *,
    commits: pl.DataFrame,
    edges: pl.DataFrame,
    twins: pl.DataFrame,
    deployments: pl.DataFrame,
    heads: pl.DataFrame,
    with_requests: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Walk every history once per environment, for production as a whole, and for the heads."""
    index = numbered_commits(commits, edges, twins)
    slices = ship(index, deployments)
    in_production = deployments.filter(pl.col("is_production") & pl.col("live_at").is_not_null())
    production = _production(index, in_production, slices.commits)
    relations = slices.deployments.join(
        _last_unknown(slices.deployments, deployments),
        on="deployment_id",
        how="left",
        maintain_order="left",
    )
    return {
        "shipment": pl.concat([slices.commits, production]),
        "deployment_relation": relations,
        "undone_commit": slices.undone,
        "mainline": trace(
            index, heads, in_production.join(with_requests, on="repository_key", how="anti")
        ),
    }


def _production(index: CommitIndex, live: pl.DataFrame, sliced: pl.DataFrame) -> pl.DataFrame:
    """Production as one place; a service with a single production environment is walked already."""
    single = (
        live.group_by("service_id")
        .agg(pl.col("environment").first(), pl.col("environment").n_unique().alias("environments"))
        .filter(pl.col("environments") == 1)
    )
    walked = sliced.join(single, on=["service_id", "environment"], how="semi").with_columns(
        environment=pl.lit("")
    )
    several = live.join(single, on="service_id", how="anti")
    if several.is_empty():
        return walked
    together = ship(index, several.with_columns(environment=pl.lit("")))
    return pl.concat([walked, together.commits])


def _last_unknown(relations: pl.DataFrame, deployments: pl.DataFrame) -> pl.DataFrame:
    """Per production deployment the last unresolved one before it, by its live time.

    It counts in any production environment of the service, as long as no resolved one followed
    there: what it brought may have been live in production since then.
    """
    live = relations.select("deployment_id", "service_id", "environment", "relation").join(
        deployments.filter("is_production").select("deployment_id", "live_at"), on="deployment_id"
    )
    is_unknown = pl.col("relation") == "unresolved"
    live = live.filter(is_unknown.any().over("service_id")).sort("live_at", "deployment_id")
    places = live.select("service_id", elsewhere="environment").unique()
    states = live.select(
        "service_id",
        "live_at",
        elsewhere="environment",
        unknown_at=pl.when(is_unknown).then("live_at"),
    )
    return (
        live.join(places, on="service_id")
        .sort("live_at")
        .join_asof(
            states,
            on="live_at",
            by=["service_id", "elsewhere"],
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .group_by("deployment_id")
        .agg(unresolved_in_production_at=pl.col("unknown_at").max())
    )
