"""Deployment frequency: releases that went live per week observed, and days with one."""

import polars as pl

from pipelines.distribution import METRIC_SCHEMA, over_services
from pipelines.estimates import rate_interval

TABLES = {
    "metric_deployment_frequency": """
        One row per entity, variant and period: how often production changes. A release in several
        production environments counts once; zero days count; days before the service's first live
        deployment, before the source starts, or after archiving do not.
        kept: while building
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: value is null or value >= 0
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "services": "select service_id, team_id from service",
    "counted": """
        with first_live as (
            select r.service_id, r.environment, min(r.live_at) as first_at
            from release_live as r cross join input.clock as k
            where r.live_at <= k.as_of
            group by r.service_id, r.environment
        ),
        observed as (
            select e.service_id, e.environment, p.period, p.period_start, p.end_at,
                case when f.first_at is not null
                    then greatest(p.start_at, f.first_at) end as from_at,
                least(p.end_at, k.as_of, coalesce(s.archived_at, k.as_of)) as to_at
            from service_slice as e
            join service as s on s.service_id = e.service_id
            cross join input.period as p
            cross join input.clock as k
            left join first_live as f
                on f.service_id = e.service_id and f.environment = e.environment
        ),
        placed as (
            select service_id, environment, live_at,
                cast(timezone(k.zone, live_at) as date) as day
            from release_live cross join input.clock as k
        ),
        days as (
            select p.period, p.period_start, l.service_id, l.environment, l.day, count(*) as n
            from placed as l
            join input.period as p on l.live_at >= p.start_at and l.live_at < p.end_at
            group by p.period, p.period_start, l.service_id, l.environment, l.day
        ),
        counts as (
            select period, period_start, service_id, environment, sum(n)::bigint as n,
                count(*) as days
            from days group by period, period_start, service_id, environment
        )
        select o.service_id, o.environment, o.period, o.period_start,
            case when o.from_at < o.to_at
                then (epoch_us(o.to_at) - epoch_us(o.from_at)) / 86400e6 end as observed_days,
            coalesce(c.n, 0) as n, coalesce(c.days, 0) as days
        from observed as o
        left join counts as c using (service_id, environment, period, period_start)
        where o.period <> 'week' or o.from_at < o.to_at
    """,
    "weekly": """
        select r.service_id, r.environment, p.period_start as week, count(*) as n
        from release_live as r
        join input.period as p on p.period = 'week' and not p.is_partial
            and r.live_at >= p.start_at and r.live_at < p.end_at
        group by r.service_id, r.environment, p.period_start
    """,
    "periods": "select period, period_start, period_end from input.period where period <> 'week'",
}


LEAST_DAYS = 7
_CELL = ["service_id", "environment", "period", "period_start"]


def model(
    services: pl.DataFrame, counted: pl.DataFrame, weekly: pl.DataFrame, periods: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Rates per service with their intervals, and the distribution over services."""
    cells = counted.join(_dispersions(weekly, periods), on=_CELL, how="left").with_columns(
        pl.col("dispersion").fill_null(1.0),
        # Weeks that are cut are flagged, never scaled; a few days are no rate to extrapolate.
        weeks=pl.when(pl.col("observed_days").is_null())
        .then(None)
        .when(pl.col("period") == "week")
        .then(1.0)
        .when(pl.col("observed_days") >= LEAST_DAYS)
        .then(pl.col("observed_days") / 7),
        is_partial=(pl.col("period") == "week") & (pl.col("observed_days") < 7),
        reason=pl.when(pl.col("observed_days").is_null())
        .then(pl.lit("no deployments observed"))
        .when((pl.col("period") != "week") & (pl.col("observed_days") < LEAST_DAYS))
        .then(pl.lit("observed for less than a week")),
    )
    rated = cells.with_columns(
        rate_interval(cells["n"], cells["weeks"], cells["dispersion"]).rename(
            {"ci_low": "rate_low", "ci_high": "rate_high"}
        )
    )
    per_week = rated.select(
        *_CELL,
        "n",
        "is_partial",
        "reason",
        variant=pl.lit("per_week"),
        value=pl.col("n") / pl.col("weeks"),
        unit=pl.lit("per week"),
        ci_low="rate_low",
        ci_high="rate_high",
        method=pl.lit("Poisson × weekly dispersion"),
    )
    days = rated.select(
        *_CELL,
        "n",
        "is_partial",
        "reason",
        variant=pl.lit("days_per_week"),
        value=pl.col("days") / pl.col("weeks"),
        unit=pl.lit("days per week"),
        ci_low=pl.lit(None, pl.Float64),
        ci_high=pl.lit(None, pl.Float64),
        method=pl.lit("count"),
    )
    rows = (
        pl.concat([per_week, days])
        .with_columns(
            metric=pl.lit("deployment_frequency"),
            entity_type=pl.lit("service"),
            entity_id="service_id",
            services=pl.lit(1, pl.Int64),
        )
        .select(pl.col(name).cast(kind) for name, kind in METRIC_SCHEMA.items())
    )
    return {"metric_deployment_frequency": over_services(rows, services)}


def _dispersions(weekly: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Weekly variance over mean per service and trailing period, weeks without any included."""
    placed = (
        weekly.join(periods, how="cross")
        .filter(
            (pl.col("week") >= pl.col("period_start"))
            & (pl.col("week") + pl.duration(days=7) <= pl.col("period_end"))
        )
        .with_columns(weeks=(pl.col("period_end") - pl.col("period_start")).dt.total_days() // 7)
    )
    return (
        placed.group_by(_CELL)
        .agg(
            weeks=pl.col("weeks").first(),
            total=pl.col("n").sum(),
            squares=(pl.col("n") ** 2).sum(),
        )
        .with_columns(mean=pl.col("total") / pl.col("weeks"))
        .select(
            *_CELL,
            dispersion=pl.max_horizontal(
                pl.lit(1.0),
                (pl.col("squares") - pl.col("weeks") * pl.col("mean") ** 2)
                / (pl.col("weeks") - 1)
                / pl.col("mean"),
            ),
        )
    )
