"""Change lead time with its stages, elapsed and in business time."""

import polars as pl

from pipelines.distribution import METRIC_SCHEMA, over_services
from pipelines.estimates import quantile_intervals

TABLES = {
    "metric_lead_time": """
        One row per entity, variant and period: from the first commit to production, over human
        changes that went live in the period. Stages are means, so that they add up; they and
        working hours are known for trailing periods only, stages for production as a whole.
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: value is null or value >= 0
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "services": "select service_id, team_id from service",
    "cells": """
        with wanted as (
            select s.service_id, s.environment, p.period, p.period_start
            from service_slice as s cross join input.period as p
            where p.period <> 'week'
            union all
            select distinct l.service_id, l.environment, p.period, p.period_start
            from live_change as l
            join input.period as p
                on p.period = 'week' and l.live_at >= p.start_at and l.live_at < p.end_at
            where l.lead_time_us is not null and not l.is_bot and l.exclusion is null
        )
        select row_number() over (
                order by service_id, environment, period, period_start) as cell, *
        from wanted
    """,
    "changes": """
        select l.service_id, l.environment, p.period, p.period_start, l.deployment_id,
            l.lead_time_us, l.business_lead_time_us, l.merge_to_live_us, l.open_to_live_us,
            l.lasting_us,
            f.coding_us, f.pickup_us, f.review_us,
            f.merge_us, f.deploy_us, f.unreviewed_us
        from live_change as l
        join input.period as p on l.live_at >= p.start_at and l.live_at < p.end_at
        left join change_fact as f on f.change_id = l.change_id and f.service_id = l.service_id
            and f.environment = l.environment
        where l.lead_time_us is not null and not l.is_bot and l.exclusion is null
    """,
    "bot_changes": """
        select l.service_id, l.environment, p.period, p.period_start, l.deployment_id,
            l.lead_time_us
        from live_change as l
        join input.period as p on p.period <> 'week'
            and l.live_at >= p.start_at and l.live_at < p.end_at
        where l.lead_time_us is not null and l.is_bot and l.exclusion is null
    """,
}

HOUR_US = 3_600_000_000
STAGES = ("coding", "pickup", "review", "merge", "deploy", "unreviewed")
VARIANTS = {
    "merge_to_live": "merge_to_live_us",
    "open_to_live": "open_to_live_us",
    "lasting": "lasting_us",
}
_LEVELS = {0.5: "median", 0.75: "p75", 0.9: "p90"}


def model(
    services: pl.DataFrame, cells: pl.DataFrame, changes: pl.DataFrame, bot_changes: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Quantiles with clustered intervals per service and period, stages as means."""
    placed, by_bots = _placed(changes, cells), _placed(bot_changes, cells)
    trailing = cells.filter(pl.col("period") != "week")
    placed_trailing = placed.filter(pl.col("period") != "week")
    level = pl.col("level").replace_strict(_LEVELS, return_dtype=pl.String)
    rows = [
        _quantiles(cells, placed, "lead_time_us", tuple(_LEVELS)).with_columns(variant=level),
        *(
            _quantiles(trailing, placed_trailing, column, (0.5,)).with_columns(
                variant=pl.lit(variant)
            )
            for variant, column in VARIANTS.items()
        ),
        _quantiles(trailing, by_bots, "lead_time_us", (0.5,)).with_columns(variant=pl.lit("bots")),
    ]
    in_hours = pl.concat(rows).with_columns(metric=pl.lit("change_lead_time"), unit=pl.lit("h"))
    working = _quantiles(trailing, placed_trailing, "business_lead_time_us", (0.5,)).with_columns(
        variant=level, metric=pl.lit("lead_time_business"), unit=pl.lit("working h")
    )
    spans = pl.concat([_as_metric(in_hours), _as_metric(working)])
    # Means over services keep what means over changes have: the stages add up to the total.
    whole = pl.col("environment") == "production"
    stages = over_services(
        _stages(trailing.filter(whole), placed_trailing.filter(whole)), services, "mean"
    )
    return {"metric_lead_time": pl.concat([over_services(spans, services), stages])}


def _placed(changes: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    return changes.join(
        cells, on=["service_id", "environment", "period", "period_start"]
    ).with_columns(
        # Clusters are compared again and again: numbers in place of long names.
        cluster=pl.col("deployment_id").cast(pl.Categorical).to_physical()
    )


def _quantiles(
    cells: pl.DataFrame, placed: pl.DataFrame, column: str, levels: tuple[float, ...]
) -> pl.DataFrame:
    """One row per cell and level, in hours, with a reason where there is no value."""
    values = placed.filter(pl.col(column).is_not_null()).select(
        "cell", "cluster", x=pl.col(column).cast(pl.Float64)
    )
    found = quantile_intervals(values, levels)
    wanted = cells.join(pl.DataFrame({"level": list(levels)}), how="cross")
    in_hours = [pl.col(name) / HOUR_US for name in ("value", "ci_low", "ci_high")]
    return (
        wanted.join(found, on=["cell", "level"], how="left")
        .with_columns(*in_hours, n=pl.col("n").fill_null(0))
        .with_columns(
            reason=pl.when(pl.col("value").is_null()).then(
                pl.when(pl.col("n") == 0)
                .then(pl.lit("no change went live in this period"))
                .otherwise(pl.format("only {} changes, too few for this value", "n"))
            )
        )
    )


def _stages(cells: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """Mean hours per stage; a stage a change does not have counts 0, so the sum is the total."""
    columns = {stage: f"{stage}_us" for stage in STAGES} | {"total": "lead_time_us"}
    means = placed.group_by("cell").agg(
        *(
            (pl.col(source).fill_null(0).sum() / pl.len() / HOUR_US).alias(stage)
            for stage, source in columns.items()
        ),
        n=pl.len().cast(pl.Int64),
    )
    long = means.unpivot(list(columns), index=["cell", "n"], variable_name="variant")
    wanted = cells.join(pl.DataFrame({"variant": list(columns)}), how="cross")
    return (
        wanted.join(long, on=["cell", "variant"], how="left")
        .with_columns(
            metric=pl.lit("lead_time_stage"),
            unit=pl.lit("h"),
            n=pl.col("n").fill_null(0),
            ci_low=pl.lit(None, pl.Float64),
            ci_high=pl.lit(None, pl.Float64),
            method=pl.lit("mean over changes"),
            reason=pl.when(pl.col("value").is_null()).then(
                pl.lit("no change went live in this period")
            ),
        )
        .pipe(_as_metric)
    )


def _as_metric(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        entity_type=pl.lit("service"),
        entity_id="service_id",
        services=pl.lit(1, pl.Int64),
        is_partial=pl.lit(value=False),
        method=pl.coalesce("method", pl.lit("none")),
    ).select(pl.col(name).cast(kind) for name, kind in METRIC_SCHEMA.items())
