"""Merged, not yet live: changes on their way, with the survival estimate of merge → live."""

import polars as pl

from pipelines.distribution import METRIC_SCHEMA, over_services
from pipelines.estimates import kaplan_meier

TABLES = {
    "metric_waiting": """
        One row per entity, variant and trailing period: human changes merged in the period, over
        services with at least one live deployment; those not yet live are censored at as_of.
        kept: while building
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "services": "select service_id, team_id from service",
    "merged": """
        select c.service_id, p.period, p.period_start,
            (epoch_us(least(c.live_at, k.as_of)) - epoch_us(c.merged_at)) / 3600e6 as hours,
            coalesce(c.live_at <= k.as_of, false) as is_live
        from change_fact as c
        cross join input.clock as k
        join input.period as p on p.period <> 'week'
            and c.merged_at >= p.start_at and c.merged_at < p.end_at
        where not c.is_bot and c.exclusion is null and c.relation in ('shipped', 'not_live')
            and least(c.live_at, k.as_of) >= c.merged_at
            and c.service_id in (select service_id from release_live)
    """,
    "cells": """
        select s.service_id, p.period, p.period_start
        from service as s cross join input.period as p where p.period <> 'week'
    """,
}


def model(
    services: pl.DataFrame, merged: pl.DataFrame, cells: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Counts of waiting changes and the Kaplan–Meier median of the wait."""
    keys = ["service_id", "period", "period_start"]
    counted = merged.group_by(keys).agg(
        n=pl.len().cast(pl.Int64), waiting=(~pl.col("is_live")).sum().cast(pl.Float64)
    )
    numbered = cells.with_row_index("cell")
    observed = merged.join(numbered, on=keys).select("cell", time="hours", event="is_live")
    medians = numbered.join(kaplan_meier(observed, (0.5,)), on="cell", how="left")
    placed = numbered.join(counted, on=keys, how="left").with_columns(pl.col("n").fill_null(0))
    counts = placed.with_columns(
        variant=pl.lit("count"),
        value="waiting",
        unit=pl.lit("changes"),
        ci_low=pl.lit(None, pl.Float64),
        ci_high=pl.lit(None, pl.Float64),
        method=pl.lit("count"),
    )
    waits = placed.join(
        medians.select("cell", "value", "ci_low", "ci_high"), on="cell", how="left"
    ).with_columns(variant=pl.lit("median"), unit=pl.lit("h"), method=pl.lit("Kaplan–Meier"))
    rows = [
        over_services(_as_metric(counts), services, "sum"),
        over_services(_as_metric(waits), services),
    ]
    return {"metric_waiting": pl.concat(rows)}


def _as_metric(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        metric=pl.lit("merged_not_live"),
        entity_type=pl.lit("service"),
        entity_id="service_id",
        environment=pl.lit("production"),
        services=pl.lit(1, pl.Int64),
        is_partial=pl.lit(value=False),
        reason=pl.when(pl.col("value").is_null()).then(
            pl.when(pl.col("n") == 0)
            .then(pl.lit("no change was merged in this period"))
            .otherwise(pl.format("fewer than half of {} changes are live, or too few", "n"))
        ),
    ).select(pl.col(name).cast(kind) for name, kind in METRIC_SCHEMA.items())
