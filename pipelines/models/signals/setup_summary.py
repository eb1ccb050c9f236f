"""How long a set-up takes, described: survival curves by how the service was made."""

import polars as pl

from pipelines.estimates import kaplan_meier, minimum_n

TABLES = {
    "setup_summary": """
        One row per group of set-ups and statistic, of the latest evaluation's window: Kaplan–Meier
        median and 85th percentile of the time until ready, on the business clock and on the
        24-hour clock, and the mean tickets and logged hours of a set-up.
        key: metric, variant, group_name
        not null: unit, n, method
        check: (value is null) <> (reason is null)
    """,
    "setup_curve": """
        One row per group of set-ups and working time after which one of them was ready, or was no
        longer seen: the share that was not ready then, how many were still being set up just
        before, and how many of them became ready, or stayed open.
        key: group_name, hours
        not null: survival, at_risk
        check: survival between 0 and 1
    """,
}

INPUTS = {
    "cases": """
        with latest as (
            select evaluated_at, window_days from setup_measure
            order by evaluated_at desc limit 1
        ),
        touched as (
            select setup_id, count(*) as tickets, sum(worked_us) / 3600e6 as hours
            from setup_touch group by setup_id
        )
        select s.setup_id, v.is_golden_path, s.state = 'ready' as event,
            s.age_us / 3600e6 as working_hours, s.elapsed_us / 3600e6 as elapsed_hours,
            coalesce(t.tickets, 0) as tickets,
            case when t.tickets is null and (select count(hours) > 0 from touched)
                then 0.0 else t.hours end as hours
        from setup_standing as s
        join latest as l on l.evaluated_at = s.evaluated_at and l.window_days = s.window_days
        join service_setup as v on v.setup_id = s.setup_id
        left join touched as t on t.setup_id = s.setup_id
        where s.state <> 'unknown'
        order by s.setup_id
    """,
    "evidence": """
        select has_trackers, (select count(*) > 0 from setup_ticket) as has_tickets
        from setup_evidence
        order by evaluated_at desc limit 1
    """,
}

GROUPS = ("all", "golden path", "hand-made")
_LEVELS = {0.5: "median", 0.85: "p85"}
_CLOCKS = {"working_hours": "set_up_working_time", "elapsed_hours": "set_up_elapsed_time"}
_SUMMARY = {
    "metric": pl.String,
    "variant": pl.String,
    "group_name": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "n": pl.Int64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "method": pl.String,
    "reason": pl.String,
}


def model(cases: pl.DataFrame, evidence: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Quantiles and curves of each group; the open ones count as not yet ready."""
    golden = pl.when("is_golden_path").then(pl.lit(GROUPS[1])).otherwise(pl.lit(GROUPS[2]))
    grouped = pl.concat(
        [cases.with_columns(group_name=pl.lit(GROUPS[0])), cases.with_columns(group_name=golden)]
    ).with_columns(
        cell=pl.col("group_name").replace_strict(list(GROUPS), [0, 1, 2], return_dtype=pl.Int64)
    )
    has_tickets = not evidence.is_empty() and bool(evidence["has_tickets"].item())
    rows = [_quantiles(grouped, clock, metric) for clock, metric in _CLOCKS.items()]
    rows += [_mean(grouped, "tickets", has_tickets=has_tickets)]
    rows += [_mean(grouped, "hours", has_tickets=has_tickets)]
    numbers = pl.col("value", "ci_low", "ci_high").round_sig_figs(9)
    return {"setup_summary": pl.concat(rows).with_columns(numbers), "setup_curve": _curve(grouped)}


def _curve(grouped: pl.DataFrame) -> pl.DataFrame:
    """Survival at every time of the group; it begins with all of them at 0."""
    at_risk = pl.col("leaving").sum() - pl.col("leaving").cum_sum() + pl.col("leaving")
    return (
        grouped.with_columns(hours=pl.col("working_hours").round_sig_figs(9))
        .group_by("group_name", "hours")
        .agg(
            ready=pl.col("event").sum().cast(pl.Int64),
            still_open=(~pl.col("event")).sum().cast(pl.Int64),
            leaving=pl.len().cast(pl.Int64),
        )
        .sort("group_name", "hours")
        .with_columns(at_risk=at_risk.over("group_name"))
        .with_columns(
            survival=(1 - pl.col("ready") / pl.col("at_risk"))
            .cum_prod()
            .over("group_name")
            .round_sig_figs(9)
        )
        .select("group_name", "hours", "survival", "at_risk", "ready", "still_open")
    )


def _wanted(levels: list[float]) -> pl.DataFrame:
    groups = pl.DataFrame({"cell": [0, 1, 2], "group_name": list(GROUPS)})
    return groups.join(pl.DataFrame({"level": levels}), how="cross")


def _quantiles(grouped: pl.DataFrame, clock: str, metric: str) -> pl.DataFrame:
    found = kaplan_meier(grouped.select("cell", "event", time=clock), tuple(_LEVELS))
    least = {level: minimum_n(level) for level in _LEVELS}
    count = pl.col("n")
    return (
        _wanted(list(_LEVELS))
        .join(found, on=["cell", "level"], how="left")
        .with_columns(
            count.fill_null(0),
            least=pl.col("level").replace_strict(least, return_dtype=pl.Int64),
            metric=pl.lit(metric),
            variant=pl.col("level").replace_strict(_LEVELS, return_dtype=pl.String),
            unit=pl.lit("working h" if clock == "working_hours" else "h"),
            method=pl.lit("Kaplan–Meier"),
        )
        .with_columns(
            reason=pl.when(pl.col("value").is_not_null())
            .then(None)
            .when(count == 0)
            .then(pl.lit("no set-up of this kind"))
            .when(count < pl.col("least"))
            .then(pl.format("only {} set-ups, too few for this value", "n"))
            .otherwise(pl.format("too many of {} set-ups are not ready yet", "n"))
        )
        .select(pl.col(name).cast(kind) for name, kind in _SUMMARY.items())
    )


def _mean(grouped: pl.DataFrame, column: str, *, has_tickets: bool) -> pl.DataFrame:
    """The mean over set-ups; hours only over those whose projects log time."""
    known = grouped.filter(pl.col(column).is_not_null())
    found = known.group_by("cell").agg(value=pl.col(column).mean(), n=pl.len())
    is_hours = column == "hours"
    why = "nobody logs time on the tickets" if is_hours else "no set-up of this kind"
    if not has_tickets:
        why = "no ticket that asks for a service is seen"
    value = pl.when(pl.lit(has_tickets)).then("value")
    return (
        _wanted([0.0])
        .join(found, on="cell", how="left")
        .with_columns(pl.col("n").fill_null(0), value=value)
        .with_columns(
            metric=pl.lit("infrastructure_hours_per_set_up" if is_hours else "tickets_per_set_up"),
            variant=pl.lit("mean"),
            unit=pl.lit("h" if is_hours else "tickets"),
            ci_low=None,
            ci_high=None,
            method=pl.lit("mean"),
            reason=pl.when(pl.col("value").is_null()).then(pl.lit(why)),
        )
        .select(pl.col(name).cast(kind) for name, kind in _SUMMARY.items())
    )
