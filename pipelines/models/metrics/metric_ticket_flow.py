"""Flow of tickets: created, started and resolved a week, work in progress, cycle time."""

import polars as pl

from pipelines.distribution import METRIC_SCHEMA
from pipelines.estimates import quantile_intervals, rate_interval

TABLES = {
    "metric_ticket_flow": """
        One row per project (or the whole organisation), variant and period.
        kept: while building
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "counted": """
        with entity as (
            select ticket_id, created_at, started_at, resolved_at,
                'project' as entity_type, project as entity_id from ticket_fact
            union all
            select ticket_id, created_at, started_at, resolved_at, 'organisation', ''
            from ticket_fact
        ),
        moment as (
            select entity_type, entity_id, 'created_per_week' as variant, created_at as at
            from entity
            union all
            select entity_type, entity_id, 'started_per_week', started_at from entity
            union all
            select entity_type, entity_id, 'resolved_per_week', resolved_at from entity
        ),
        counts as (
            select m.entity_type, m.entity_id, m.variant, p.period, p.period_start, count(*) as n
            from moment as m
            join input.period as p on m.at >= p.start_at and m.at < p.end_at
            group by all
        ),
        start as (
            select entity_type, entity_id, min(created_at) as first_at
            from entity group by entity_type, entity_id
        )
        select s.entity_type, s.entity_id, v.variant, p.period, p.period_start,
            coalesce(c.n, 0) as n,
            (epoch_us(least(p.end_at, k.as_of)) - epoch_us(greatest(p.start_at, s.first_at)))
                / (7 * 86400e6) as weeks
        from start as s
        cross join input.period as p
        cross join input.clock as k
        cross join (select unnest(
            ['created_per_week', 'started_per_week', 'resolved_per_week']) as variant) as v
        left join counts as c on c.entity_type = s.entity_type and c.entity_id = s.entity_id
            and c.variant = v.variant and c.period = p.period and c.period_start = p.period_start
        where least(p.end_at, k.as_of) > greatest(p.start_at, s.first_at)
    """,
    "progress": """
        select e.entity_type, e.entity_id, p.period, p.period_start, count(*) as n
        from (
            select started_at, resolved_at, 'project' as entity_type, project as entity_id
            from ticket_fact
            union all
            select started_at, resolved_at, 'organisation', '' from ticket_fact
        ) as e
        cross join input.clock as k
        join input.period as p on e.started_at < least(p.end_at, k.as_of)
            and (e.resolved_at is null or e.resolved_at >= least(p.end_at, k.as_of))
        group by all
    """,
    "cycles": """
        select e.entity_type, e.entity_id, p.period, p.period_start, e.ticket_id, e.cycle_time_us
        from (
            select ticket_id, resolved_at, cycle_time_us, 'project' as entity_type,
                project as entity_id from ticket_fact
            union all
            select ticket_id, resolved_at, cycle_time_us, 'organisation', '' from ticket_fact
        ) as e
        join input.period as p on e.resolved_at >= p.start_at and e.resolved_at < p.end_at
        where e.cycle_time_us is not null
    """,
}

HOUR_US = 3_600_000_000
_KEYS = ["entity_type", "entity_id", "period", "period_start"]
_LEVELS = {0.5: "cycle_time_median", 0.85: "cycle_time_p85"}


def model(
    counted: pl.DataFrame, progress: pl.DataFrame, cycles: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Rates, work in progress at the end of the period, and cycle-time quantiles."""
    ones = pl.Series([1.0] * counted.height, dtype=pl.Float64)
    rates = counted.with_columns(
        rate_interval(counted["n"], counted["weeks"], ones),
        value=pl.col("n") / pl.col("weeks"),
        unit=pl.lit("per week"),
        method=pl.lit("Poisson"),
    )
    cells = counted.select(_KEYS).unique().sort(_KEYS).with_row_index("cell")
    open_work = cells.join(progress, on=_KEYS, how="left").with_columns(
        pl.col("n").fill_null(0),
        variant=pl.lit("wip"),
        value=pl.col("n").fill_null(0).cast(pl.Float64),
        unit=pl.lit("tickets"),
        ci_low=pl.lit(None, pl.Float64),
        ci_high=pl.lit(None, pl.Float64),
        method=pl.lit("count at the end of the period"),
    )
    placed = cycles.join(cells, on=_KEYS).select(
        "cell", cluster="ticket_id", x=pl.col("cycle_time_us").cast(pl.Float64)
    )
    wanted = cells.join(pl.DataFrame({"level": list(_LEVELS)}), how="cross")
    times = wanted.join(
        quantile_intervals(placed, tuple(_LEVELS)), on=["cell", "level"], how="left"
    ).with_columns(
        *(pl.col(c) / HOUR_US for c in ("value", "ci_low", "ci_high")),
        pl.col("n").fill_null(0),
        pl.coalesce("method", pl.lit("none")),
        variant=pl.col("level").replace_strict(_LEVELS, return_dtype=pl.String),
        unit=pl.lit("h"),
    )
    rows = pl.concat([_as_metric(frame) for frame in (rates, open_work, times)])
    return {"metric_ticket_flow": rows}


def _as_metric(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        metric=pl.lit("ticket_flow"),
        environment=pl.lit("production"),
        services=pl.lit(None, pl.Int64),
        is_partial=pl.lit(value=False),
        reason=pl.when(pl.col("value").is_null()).then(
            pl.format("{} resolved tickets with a known start, too few for this value", "n")
        ),
    ).select(pl.col(name).cast(kind) for name, kind in METRIC_SCHEMA.items())
