"""Change fail rate: the share of deployments that failed, as signals of failure say."""

import polars as pl

from pipelines.distribution import over_services, service_rows
from pipelines.estimates import wilson_interval

TABLES = {
    "metric_change_fail_rate": """
        One row per entity, variant and period: releases that failed among those that went live in
        the period and are old enough for failures to show. Without a source of incidents the share
        is at least what rollbacks and reverts say. Beside it attempts that never went live.
        kept: while building
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: value is null or (value >= 0 and value <= 100)
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "services": "select service_id, team_id from service",
    "counted": """
        with judged as (
            select l.service_id, l.environment, l.live_at,
                l.live_at <= k.as_of - to_microseconds(m.maturity_us) as is_mature,
                f.release_key is not null as is_failed, coalesce(f.is_high, false) as is_high,
                coalesce(f.is_by_time, false) as is_by_time
            from release_live as l
            cross join input.clock as k
            cross join input.measure as m
            left join release_failure as f on f.service_id = l.service_id
                and f.environment = l.environment and f.release_key = l.release_key
        ),
        counts as (
            select j.service_id, j.environment, p.period, p.period_start,
                count(*) filter (where j.is_mature) as n,
                count(*) filter (where not j.is_mature) as young,
                count(*) filter (where j.is_mature and j.is_failed) as failed,
                count(*) filter (where j.is_mature and j.is_failed and not j.is_by_time) as sure,
                count(*) filter (where j.is_mature and j.is_high) as high
            from judged as j
            join input.period as p on j.live_at >= p.start_at and j.live_at < p.end_at
            group by j.service_id, j.environment, p.period, p.period_start
        ),
        recent as (
            select c.service_id, c.environment, c.is_time_used, c.covered_share
            from incident_coverage as c
            join input.period as p on p.period = c.period and p.period_start = c.period_start
            where c.period = '91d' and p.is_current
        )
        select s.service_id, s.environment, p.period, p.period_start,
            coalesce(c.n, 0) as n, coalesce(c.young, 0) as young, coalesce(c.high, 0) as high,
            coalesce(v.is_time_used, r.is_time_used, true) as is_time_used,
            coalesce(v.covered_share, r.covered_share) as covered_share,
            case when coalesce(v.is_time_used, r.is_time_used, true)
                then coalesce(c.failed, 0) else coalesce(c.sure, 0) end as failed,
            exists (select 1 from incident_source as i
                where i.from_at < p.end_at and i.from_at <= k.as_of) as is_covered
        from service_slice as s
        cross join input.period as p
        cross join input.clock as k
        left join counts as c on c.service_id = s.service_id and c.environment = s.environment
            and c.period = p.period and c.period_start = p.period_start
        left join incident_coverage as v on v.service_id = s.service_id
            and v.environment = s.environment and v.period = p.period
            and v.period_start = p.period_start
        left join recent as r on r.service_id = s.service_id and r.environment = s.environment
        where p.period <> 'week' or c.n > 0
    """,
    "attempted": """
        select s.service_id, s.environment, p.period, p.period_start, count(*) as n,
            count(*) filter (where d.live_at is null) as failed
        from deployment as d
        join service_slice as s on s.service_id = d.service_id and s.place in ('', d.environment)
        join input.period as p on d.started_at >= p.start_at and d.started_at < p.end_at
        where d.environment_class = 'production'
            and (d.live_at is not null or d.outcome = 'failed_before_live')
        group by s.service_id, s.environment, p.period, p.period_start
    """,
}

NO_SOURCE = "no incident source covers"
_CELL = ["service_id", "environment", "period", "period_start"]


def model(
    services: pl.DataFrame, counted: pl.DataFrame, attempted: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Shares per service with Wilson intervals, and their distribution over services."""
    shares = [
        _share(counted, "failed", "primary"),
        _share(counted, "high", "high"),
        _share(counted, "high", "at_least"),
    ]
    cells = counted.select(_CELL).join(attempted, on=_CELL, how="left")
    attempts = _as_metric(
        _proportion(cells.with_columns(pl.col("n", "failed").fill_null(0)), "failed").with_columns(
            variant=pl.lit("share"),
            method=pl.lit("Wilson"),
            reason=pl.when(pl.col("n") == 0).then(pl.lit("no attempt ended in this period")),
        ),
        "attempt_failure_rate",
    )
    rows = over_services(pl.concat([*shares, attempts]), services)
    several = pl.col("entity_type") != "service"
    return {
        "metric_change_fail_rate": rows.with_columns(
            # What is at least so much has no upper end, for many services neither.
            ci_high=pl.when(pl.col("variant") != "at_least").then("ci_high"),
            reason=pl.when(several & pl.col("reason").str.starts_with(NO_SOURCE))
            .then(pl.lit(f"{NO_SOURCE} these services"))
            .otherwise("reason"),
        )
    }


def _share(counted: pl.DataFrame, failed: str, variant: str) -> pl.DataFrame:
    cells = counted
    if variant == "at_least":
        cells = counted.filter(~pl.col("is_covered"))
    without_time = ~pl.col("is_time_used") & (variant == "primary")
    nothing = pl.when(pl.col("young") > 0).then(
        pl.lit("no deployment is old enough yet for failures to show")
    )
    uncovered = ~pl.col("is_covered") & (variant != "at_least")
    found = _proportion(cells, failed).with_columns(
        variant=pl.lit(variant),
        method=pl.when(without_time)
        .then(
            pl.format(
                "Wilson; incidents linked by time left out: deployments cover {} % of the time",
                (pl.col("covered_share") * 100).round().cast(pl.Int64),
            )
        )
        .otherwise(pl.lit("Wilson")),
        reason=pl.when(pl.col("n") == 0)
        .then(nothing.otherwise(pl.lit("no deployments observed")))
        .when(uncovered)
        .then(
            pl.format(
                f"{NO_SOURCE} this service: at least {{}} of {{}} failed"
                " (rollbacks and reverts only)",
                "high",
                "n",
            )
        ),
    )
    has_value = pl.col("reason").is_null()
    return _as_metric(
        found.with_columns(
            value=pl.when(has_value).then("value"),
            ci_low=pl.when(has_value).then("ci_low"),
            ci_high=pl.when(has_value & (variant != "at_least")).then("ci_high"),
        ),
        "change_fail_rate",
    )


def _proportion(cells: pl.DataFrame, part: str) -> pl.DataFrame:
    """Percent with its interval; no value of nothing."""
    bounds = wilson_interval(cells[part], cells["n"])
    return cells.with_columns(
        value=pl.when(pl.col("n") > 0).then(pl.col(part) / pl.col("n") * 100),
        ci_low=bounds["ci_low"] * 100,
        ci_high=bounds["ci_high"] * 100,
    )


def _as_metric(rows: pl.DataFrame, metric: str) -> pl.DataFrame:
    return service_rows(rows.with_columns(metric=pl.lit(metric), unit=pl.lit("%")))
