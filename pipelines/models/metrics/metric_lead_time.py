"""Change lead time with its stages, elapsed and in business time."""

import polars as pl

from pipelines.distribution import METRIC_SCHEMA, over_services
from pipelines.estimates import quantile_intervals

TABLES = {
    "metric_lead_time": """
        One row per entity, variant and period: from the first commit to production, over human
        changes that went live in the period. Stages are means, so that they add up; they and
        working hours are known for trailing periods only, stages for production as a whole.
        kept: while building
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: value is null or value >= 0
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "services": "select service_id, team_id from service",
    "slices": """
        select service_id, environment,
            row_number() over (order by service_id, environment) - 1 as slice
        from service_slice
    """,
    "periods": """
        select period, period_start, start_at, end_at,
            row_number() over (order by period, period_start) - 1 as place
        from input.period
    """,
    # One row a change, however many periods it counts in: they are put together where needed.
    "changes": """
        with slice as (
            select service_id, environment,
                row_number() over (order by service_id, environment) - 1 as slice
            from service_slice
        ),
        week as (
            select period, start_at, end_at,
                row_number() over (order by period, period_start) - 1 as place
            from input.period
        ),
        cluster as (
            select deployment_id, row_number() over () as cluster from deployment
        )
        select s.slice, w.place as week, d.cluster, l.live_at, l.is_bot, l.lead_time_us,
            l.business_lead_time_us, l.merge_to_live_us, l.open_to_live_us, l.lasting_us
        from live_change as l
        join slice as s on s.service_id = l.service_id and s.environment = l.environment
        join cluster as d on d.deployment_id = l.deployment_id
        left join week as w
            on w.period = 'week' and l.live_at >= w.start_at and l.live_at < w.end_at
        where l.lead_time_us is not null and l.exclusion is null
    """,
    "stages": """
        select f.service_id, f.environment, p.period, p.period_start, count(*) as n,
            coalesce(sum(f.coding_us), 0)::bigint as coding,
            coalesce(sum(f.pickup_us), 0)::bigint as pickup,
            coalesce(sum(f.review_us), 0)::bigint as review,
            coalesce(sum(f.merge_us), 0)::bigint as merge,
            coalesce(sum(f.deploy_us), 0)::bigint as deploy,
            coalesce(sum(f.unreviewed_us), 0)::bigint as unreviewed,
            sum(f.lead_time_us)::bigint as total
        from change_fact as f
        join input.period as p
            on p.period <> 'week' and f.live_at >= p.start_at and f.live_at < p.end_at
        where f.lead_time_us is not null and not f.is_bot and f.exclusion is null
        group by f.service_id, f.environment, p.period, p.period_start
    """,
}

HOUR_US = 3_600_000_000
STAGES = ("coding", "pickup", "review", "merge", "deploy", "unreviewed", "total")
VARIANTS = {
    "merge_to_live": "merge_to_live_us",
    "open_to_live": "open_to_live_us",
    "lasting": "lasting_us",
}
_LEVELS = {0.5: "median", 0.75: "p75", 0.9: "p90"}


def model(
    services: pl.DataFrame,
    slices: pl.DataFrame,
    periods: pl.DataFrame,
    changes: pl.DataFrame,
    stages: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Quantiles with clustered intervals per service and period, stages as means."""
    cells = slices.join(periods, how="cross").with_columns(
        cell=pl.col("slice") * periods.height + pl.col("place")
    )
    trailing, weeks = (
        cells.filter((pl.col("period") == "week") == is_week) for is_week in (False, True)
    )
    people, bots = changes.filter(~pl.col("is_bot")), changes.filter("is_bot")
    weekly = people.filter(pl.col("week").is_not_null()).with_columns(
        cell=pl.col("slice") * periods.height + pl.col("week")
    )
    level = pl.col("level").replace_strict(_LEVELS, return_dtype=pl.String)

    def median(rows: pl.DataFrame, column: str) -> pl.DataFrame:
        return _quantiles(trailing, _counted_in(rows, periods, column), (0.5,))

    times = [
        _quantiles(cells, values, tuple(_LEVELS)).with_columns(variant=level)
        for cells, values in (
            (weeks.join(weekly, on="cell", how="semi"), _values(weekly, "lead_time_us")),
            (trailing, _counted_in(people, periods, "lead_time_us")),
        )
    ]
    others = [
        median(people, column).with_columns(variant=pl.lit(variant))
        for variant, column in VARIANTS.items()
    ]
    by_bots = median(bots, "lead_time_us").with_columns(variant=pl.lit("bots"))
    in_hours = pl.concat([*times, *others, by_bots]).with_columns(
        metric=pl.lit("change_lead_time"), unit=pl.lit("h")
    )
    working = median(people, "business_lead_time_us").with_columns(
        variant=level, metric=pl.lit("lead_time_business"), unit=pl.lit("working h")
    )
    spans = pl.concat([_as_metric(in_hours), _as_metric(working)])
    # Means over services keep what means over changes have: the stages add up to the total.
    whole = trailing.filter(pl.col("environment") == "production")
    parts = over_services(_stages(whole, stages), services, "mean")
    return {"metric_lead_time": pl.concat([over_services(spans, services), parts])}


def _values(placed: pl.DataFrame, column: str) -> pl.DataFrame:
    return placed.filter(pl.col(column).is_not_null()).select(
        "cell", "cluster", x=pl.col(column).cast(pl.Float64)
    )


def _counted_in(changes: pl.DataFrame, periods: pl.DataFrame, column: str) -> pl.DataFrame:
    """The values of every trailing period; a change counts in several of them."""
    trailing = periods.filter(pl.col("period") != "week").select("place", "start_at", "end_at")
    return pl.concat(
        _values(
            changes.filter(pl.col("live_at").is_between(start, end, closed="left")).with_columns(
                cell=pl.col("slice") * periods.height + place
            ),
            column,
        )
        for place, start, end in trailing.iter_rows()
    )


def _quantiles(
    cells: pl.DataFrame, values: pl.DataFrame, levels: tuple[float, ...]
) -> pl.DataFrame:
    """One row per cell and level, in hours, with a reason where there is no value."""
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


def _stages(cells: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Mean hours per stage; a stage a change does not have counts 0, so the sum is the total."""
    key = ["service_id", "environment", "period", "period_start"]
    long = stages.unpivot(list(STAGES), index=[*key, "n"], variable_name="variant")
    wanted = cells.join(pl.DataFrame({"variant": list(STAGES)}), how="cross")
    return (
        wanted.join(long, on=[*key, "variant"], how="left")
        .with_columns(
            value=pl.col("value") / pl.col("n") / HOUR_US,
            metric=pl.lit("lead_time_stage"),
            unit=pl.lit("h"),
            n=pl.col("n").fill_null(0),
            ci_low=pl.lit(None, pl.Float64),
            ci_high=pl.lit(None, pl.Float64),
            method=pl.lit("mean over changes"),
        )
        .with_columns(
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
