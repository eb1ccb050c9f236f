"""Deployment rework rate: the share of deployments that were unplanned work."""

import polars as pl

from pipelines.distribution import over_services, service_rows
from pipelines.estimates import wilson_interval

TABLES = {
    "metric_rework": """
        One row per entity, variant and period: releases known to be rework among those that went
        live, and those that may be, because nothing says what they were.
        kept: while building
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: value is null or (value >= 0 and value <= 100)
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "services": "select service_id, team_id from service",
    "counted": """
        with counts as (
            select l.service_id, l.environment, p.period, p.period_start, count(*) as n,
                count(*) filter (where w.state = 'rework') as rework,
                count(*) filter (where w.state = 'unknown') as unknown
            from release_live as l
            join rework as w on w.deployment_id = l.deployment_id
            join input.period as p on l.live_at >= p.start_at and l.live_at < p.end_at
            group by l.service_id, l.environment, p.period, p.period_start
        )
        select s.service_id, s.environment, p.period, p.period_start, coalesce(c.n, 0) as n,
            coalesce(c.rework, 0) as rework, coalesce(c.unknown, 0) as unknown
        from service_slice as s
        cross join input.period as p
        left join counts as c on c.service_id = s.service_id and c.environment = s.environment
            and c.period = p.period and c.period_start = p.period_start
        where p.period <> 'week' or c.n > 0
    """,
}


def model(services: pl.DataFrame, counted: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Both ends of what is known, each with its Wilson interval."""
    possible = counted["rework"] + counted["unknown"]
    rows = [_rows(counted, "known", counted["rework"]), _rows(counted, "possible", possible)]
    return {"metric_rework": over_services(pl.concat(rows), services)}


def _rows(counted: pl.DataFrame, variant: str, part: pl.Series) -> pl.DataFrame:
    is_silent = pl.col("unknown") == pl.col("n")
    reason = (
        pl.when(pl.col("n") == 0)
        .then(pl.lit("no deployments observed"))
        .when(is_silent)
        .then(
            pl.format(
                "no ticket, label, branch or revert mark says what any of {} deployments was", "n"
            )
        )
    )
    bounds = wilson_interval(part, counted["n"])
    shown = pl.col("reason").is_null()
    return (
        counted.with_columns(
            reason=reason,
            value=part / counted["n"] * 100,
            ci_low=bounds["ci_low"] * 100,
            ci_high=bounds["ci_high"] * 100,
        )
        .with_columns(
            *(pl.when(shown).then(name).alias(name) for name in ("value", "ci_low", "ci_high")),
            metric=pl.lit("deployment_rework_rate"),
            variant=pl.lit(variant),
            unit=pl.lit("%"),
            method=pl.lit("Wilson"),
        )
        .pipe(service_rows)
    )
