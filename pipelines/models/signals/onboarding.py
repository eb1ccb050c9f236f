"""How soon new people get productive: survival curves of half-year cohorts, nobody by name."""

from typing import Any

import polars as pl

from pipelines.estimates import kaplan_meier, survival_band

TABLES = {
    "onboarding": """
        One row per milestone, cohort and day at which somebody of the cohort reached it, and for
        days 0, 7, 14, 30, 60, 90 and 180: the share that has not reached it yet (Kaplan–Meier,
        with its band), and how many were still under way. Cohorts are half-years by the day
        people were first seen at work, and all together. Fewer than 5 people have no curve.
        key: milestone, cohort, day
        not null: survival, at_risk, events
        check: survival between 0 and 1
    """,
    "onboarding_cohort": """
        One row per milestone and cohort of newcomers: how many people, how many have reached it,
        and in how many days half and 85 % of them do, with intervals; or the reason why not.
        Those who left or have not got there count as not yet over.
        key: milestone, cohort
        not null: people, reached
        check: reached <= people
        check: (median_days is null) <> (reason is null)
    """,
}

INPUTS = {
    "people": """
        select cast(year(timezone(k.zone, n.first_at)) as varchar)
                || case when month(timezone(k.zone, n.first_at)) <= 6 then ' H1' else ' H2' end
                as cohort,
            n.first_at, n.until_at, n.first_change_at, n.first_deployment_at, n.tenth_change_at
        from newcomer as n
        cross join input.clock as k
        where n.is_newcomer
    """
}

MILESTONES = {
    "first change": "first_change_at",
    "first deployment": "first_deployment_at",
    "tenth change": "tenth_change_at",
}
ALL = "all"
LEAST_PEOPLE = 5
CHECKPOINTS = (0, 7, 14, 30, 60, 90, 180)
_LEVELS = (0.5, 0.85)
_KEY = ["milestone", "cohort"]

_CURVE: dict[str, Any] = {
    "milestone": pl.String,
    "cohort": pl.String,
    "day": pl.Int64,
    "survival": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "at_risk": pl.Int64,
    "events": pl.Int64,
}
_COHORT: dict[str, Any] = {
    "milestone": pl.String,
    "cohort": pl.String,
    "people": pl.Int64,
    "reached": pl.Int64,
    "median_days": pl.Float64,
    "median_low": pl.Float64,
    "median_high": pl.Float64,
    "p85_days": pl.Float64,
    "p85_low": pl.Float64,
    "p85_high": pl.Float64,
    "method": pl.String,
    "reason": pl.String,
}


def model(people: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Estimate every milestone of every cohort at once."""
    if people.is_empty():
        return {
            "onboarding": pl.DataFrame(schema=_CURVE),
            "onboarding_cohort": pl.DataFrame(schema=_COHORT),
        }
    observed = _observed(people)
    sizes = (
        observed.group_by("cell", *_KEY)
        .agg(people=pl.len().cast(pl.Int64), reached=pl.col("event").sum().cast(pl.Int64))
        .sort("cell")
    )
    shown = observed.join(sizes.filter(pl.col("people") >= LEAST_PEOPLE), on=["cell", *_KEY])
    return {
        "onboarding": _rounded(_curves(shown, sizes)),
        "onboarding_cohort": _rounded(_cohorts(shown, sizes)),
    }


def _observed(people: pl.DataFrame) -> pl.DataFrame:
    """A row per person, milestone and cohort: whole days until it, or until they were last seen."""
    days = [
        people.select(
            pl.lit(milestone).alias("milestone"),
            "cohort",
            time=(
                pl.min_horizontal(pl.coalesce(column, "until_at"), "until_at") - pl.col("first_at")
            )
            .dt.total_days()
            .clip(lower_bound=0),
            event=(pl.col(column) <= pl.col("until_at")).fill_null(value=False),
        )
        for milestone, column in MILESTONES.items()
    ]
    each = pl.concat(days)
    both = pl.concat([each, each.with_columns(cohort=pl.lit(ALL))])
    cells = both.select(_KEY).unique().sort(_KEY).with_row_index("cell")
    return both.join(cells.with_columns(pl.col("cell").cast(pl.Int64)), on=_KEY)


def _curves(shown: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """The steps, and how things stood at the checkpoints between them."""
    steps = (
        survival_band(shown)
        .rename({"time": "day"})
        .with_columns(pl.col("day", "at_risk", "events").cast(pl.Int64))
    )
    longest = shown.group_by("cell").agg(last=pl.col("time").max())
    checkpoints = longest.join(
        pl.DataFrame({"day": CHECKPOINTS}, schema={"day": pl.Int64}), how="cross"
    ).filter(pl.col("day") <= pl.col("last"))
    between = checkpoints.join(steps.select("cell", "day"), on=["cell", "day"], how="anti")
    before = (
        between.sort("day")
        .join_asof(
            steps.sort("day").select("cell", "day", "survival", "ci_low", "ci_high"),
            on="day",
            by="cell",
            check_sortedness=False,
        )
        .with_columns(survival=pl.col("survival").fill_null(1.0))
    )
    counted = (
        before.join(shown.select("cell", "time"), on="cell")
        .group_by("cell", "day", "survival", "ci_low", "ci_high")
        .agg(at_risk=(pl.col("time") >= pl.col("day")).sum().cast(pl.Int64))
        .with_columns(events=pl.lit(0, pl.Int64))
    )
    columns = ["cell", "day", "survival", "ci_low", "ci_high", "at_risk", "events"]
    return (
        pl.concat([steps.select(columns), counted.select(columns)])
        .join(sizes.select("cell", *_KEY), on="cell")
        .sort(*_KEY, "day")
        .select(pl.col(name).cast(kind) for name, kind in _CURVE.items())
    )


def _cohorts(shown: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    found = kaplan_meier(shown.select("cell", "time", "event"), _LEVELS)
    wide = sizes
    for level, name in zip(_LEVELS, ("median", "p85"), strict=True):
        part = found.filter(pl.col("level") == level).select(
            "cell",
            pl.col("value").alias(f"{name}_days"),
            pl.col("ci_low").alias(f"{name}_low"),
            pl.col("ci_high").alias(f"{name}_high"),
        )
        wide = wide.join(part, on="cell", how="left")
    few = pl.format("only {} newcomers, fewer than {}: not shown", "people", pl.lit(LEAST_PEOPLE))
    slow = pl.format("only {} of {} have reached it yet", "reached", "people")
    return (
        wide.with_columns(
            method=pl.lit("Kaplan–Meier"),
            reason=pl.when(pl.col("people") < LEAST_PEOPLE)
            .then(few)
            .when(pl.col("median_days").is_null())
            .then(slow),
        )
        .sort(_KEY)
        .select(pl.col(name).cast(kind) for name, kind in _COHORT.items())
    )


def _rounded(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.selectors.float().round_sig_figs(9))
