"""Failed deployment recovery time, and beside it how long incidents lasted."""

import polars as pl

from pipelines.distribution import over_services, service_rows
from pipelines.estimates import kaplan_meier, minimum_n, quantile_intervals
from pipelines.models.metrics.metric_change_fail_rate import NO_SOURCE

TABLES = {
    "metric_recovery": """
        One row per entity, variant and period: from the failure of a release that went live in the
        period to its recovery; failures that are not over count as not yet over. Beside it the
        time from the start of an incident to its resolve.
        kept: while building
        key: metric, variant, entity_type, entity_id, environment, period, period_start
        check: value is null or value >= 0
        check: (value is null) <> (reason is null)
    """
}

INPUTS = {
    "services": "select service_id, team_id from service",
    "rated": """
        select entity_id as service_id, environment, period, period_start, n,
            reason
        from metric_change_fail_rate
        where entity_type = 'service' and metric = 'change_fail_rate' and variant = 'primary'
    """,
    "failures": """
        with recent as (
            select c.service_id, c.environment, c.is_time_used
            from incident_coverage as c
            join input.period as p on p.period = c.period and p.period_start = c.period_start
            where c.period = '91d' and p.is_current
        )
        select l.service_id, l.environment, p.period, p.period_start,
            l.service_id || '|' || l.release_key as cluster,
            (epoch_us(coalesce(f.recovered_at, k.as_of)) - epoch_us(f.failed_at)) / 3600e6 as time,
            not f.is_open as event
        from release_failure as f
        join release_live as l on l.service_id = f.service_id and l.environment = f.environment
            and l.release_key = f.release_key
        cross join input.clock as k
        cross join input.measure as m
        join input.period as p on l.live_at >= p.start_at and l.live_at < p.end_at
        left join incident_coverage as v on v.service_id = l.service_id
            and v.environment = l.environment and v.period = p.period
            and v.period_start = p.period_start
        left join recent as r on r.service_id = l.service_id and r.environment = l.environment
        where l.live_at <= k.as_of - to_microseconds(m.maturity_us)
            and (not f.is_by_time or coalesce(v.is_time_used, r.is_time_used, true))
    """,
    "incidents": """
        select i.service_id, 'production' as environment, p.period, p.period_start,
            i.incident_id as cluster,
            (epoch_us(coalesce(i.resolved_at, k.as_of)) - epoch_us(i.started_at)) / 3600e6 as time,
            i.resolved_at is not null as event
        from incident as i
        cross join input.clock as k
        join input.period as p on i.started_at >= p.start_at and i.started_at < p.end_at
        where i.service_id is not null and i.started_at <= k.as_of
            and coalesce(i.resolved_at, k.as_of) >= i.started_at
            and (i.is_open or i.resolved_at is not null)
    """,
    "covered": """
        select s.service_id, s.environment, p.period, p.period_start,
            exists (select 1 from incident_source as i
                where i.from_at < p.end_at and i.from_at <= k.as_of) as is_covered
        from service_slice as s
        cross join input.period as p
        cross join input.clock as k
        where s.environment = 'production' and p.period <> 'week'
    """,
}

_CELL = ["service_id", "environment", "period", "period_start"]
_LEVELS = {0.5: "median", 0.75: "p75", 0.9: "p90"}


def model(
    services: pl.DataFrame,
    rated: pl.DataFrame,
    failures: pl.DataFrame,
    incidents: pl.DataFrame,
    covered: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Quantiles of failures by the date of the deployment, of incidents by their start."""
    no_source = pl.col("reason").str.starts_with(NO_SOURCE)
    recovery = _quantiles(
        rated.rename({"n": "releases"}),
        failures,
        tuple(_LEVELS),
        known=pl.when(no_source)
        .then(pl.lit(f"{NO_SOURCE} this service: recovery is known of rollbacks and reverts only"))
        .otherwise("reason"),
        of="failures",
    ).with_columns(metric=pl.lit("failed_deployment_recovery_time"))
    durations = _quantiles(
        covered,
        incidents,
        (0.5,),
        known=pl.when(~pl.col("is_covered")).then(pl.lit(f"{NO_SOURCE} this service")),
        of="incidents",
    ).with_columns(metric=pl.lit("incident_duration"))
    rows = over_services(
        pl.concat([_as_metric(recovery), _as_metric(durations)]), services
    ).with_columns(
        reason=pl.when(
            (pl.col("entity_type") != "service") & pl.col("reason").str.starts_with(NO_SOURCE)
        )
        .then(pl.lit(f"{NO_SOURCE} these services"))
        .otherwise("reason")
    )
    return {"metric_recovery": rows}


def _quantiles(
    cells: pl.DataFrame,
    observed: pl.DataFrame,
    levels: tuple[float, ...],
    *,
    known: pl.Expr,
    of: str,
) -> pl.DataFrame:
    """Linear quantiles where everything is over, Kaplan–Meier where something is not."""
    numbered = cells.with_columns(known=known).sort(_CELL).with_row_index("cell")
    numbered = numbered.with_columns(pl.col("cell").cast(pl.Int64))
    placed = observed.join(numbered.select("cell", *_CELL), on=_CELL)
    is_whole = pl.col("event").all().over("cell")
    whole = placed.filter(is_whole).select("cell", "cluster", x="time")
    found = pl.concat(
        [
            quantile_intervals(whole, levels),
            kaplan_meier(placed.filter(~is_whole).select("cell", "time", "event"), levels),
        ]
    )
    least = {level: minimum_n(level) for level in levels}
    wanted = numbered.join(pl.DataFrame({"level": list(levels)}), how="cross")
    shown = pl.col("known").is_null() & pl.col("value").is_not_null()
    return (
        wanted.join(found, on=["cell", "level"], how="left")
        .with_columns(
            n=pl.col("n").fill_null(0),
            least=pl.col("level").replace_strict(least, return_dtype=pl.Int64),
            variant=pl.col("level").replace_strict(_LEVELS, return_dtype=pl.String),
            method=pl.coalesce("method", pl.lit("none")),
        )
        .with_columns(
            reason=pl.when(~shown).then(
                pl.coalesce(
                    "known",
                    pl.when(pl.col("n") == 0)
                    .then(pl.lit(f"no {of} observed"))
                    .when(pl.col("n") < pl.col("least"))
                    .then(pl.format(f"only {{}} {of}, too few for this value", "n"))
                    .otherwise(pl.format(f"too many of {{}} {of} are not over yet", "n")),
                )
            ),
            **{name: pl.when(shown).then(name) for name in ("value", "ci_low", "ci_high")},
        )
        .filter((pl.col("period") != "week") | (pl.col("n") > 0))
    )


def _as_metric(rows: pl.DataFrame) -> pl.DataFrame:
    return service_rows(rows.with_columns(unit=pl.lit("h")))
