"""The threshold of engineers on shared infrastructure: measured at every evaluation, every week."""

import polars as pl

from pipelines.shared_infrastructure import measures, variants
from pipelines.thresholds import MEASURE, VARIANT

TABLES = {
    "shared_measure": """
        One row per evaluation: engineers on the largest shared unit, and what that means for the
        threshold. ci_low and ci_high: as few and as many people as the accounts may be.
        key: threshold, evaluated_at
        not null: measured_state, reason, missing
        check: ci_low is null or ci_low <= ci_high
    """,
    "shared_variant": """
        One row per evaluation and other way to count: 30 and 180 days instead of 90, and all
        shared units that are connected instead of the largest.
        key: threshold, evaluated_at, variant
        not null: state
        check: ci_low is null or ci_low <= ci_high
    """,
    "shared_week": """
        One row per whole ISO week whose look-back is known: engineers on the unit that was the
        largest shared one at its end, and how many came to it and left it in the week.
        key: threshold, week
        not null: value, joins, leaves
    """,
}

_LARGEST = """
    max(w.engineers) as high, max(w.engineers_low) as low,
    arg_min(u.name, (-w.engineers, w.unit_id)) as name,
    arg_min(u.kind, (-w.engineers, w.unit_id)) as kind,
    arg_min(w.teams, (-w.engineers, w.unit_id)) as teams
"""

INPUTS = {
    "moments": "select * from shared_moment order by evaluated_at",
    "largest": f"""
        select w.ended_on as evaluated_on, w.days, {_LARGEST}
        from input.evaluation as m
        join unit_week as w on w.ended_on = m.evaluated_on
        join shared_unit as u on u.unit_id = w.unit_id
        where w.is_shared
        group by w.ended_on, w.days
    """,
    "connected": """
        with people as (
            select c.evaluated_on, c.component,
                count(distinct s.person_id) filter (where s.counting = 'high') as high,
                count(distinct s.person_id) filter (where s.counting = 'low') as low
            from unit_component as c
            join unit_stay as s on s.unit_id = c.unit_id and s.days = 90
                and s.from_on < c.evaluated_on and c.evaluated_on <= s.until_on
            group by c.evaluated_on, c.component
        )
        select evaluated_on, max(high) as high, max(low) as low
        from people group by evaluated_on
    """,
    "weeks": """
        select week,
            cast(coalesce(max(engineers) filter (where is_shared), 0) as double) as value,
            cast(coalesce(max(engineers) filter (where is_shared), 0) as bigint) as n,
            coalesce(arg_min(joins, (-engineers, unit_id)) filter (where is_shared), 0) as joins,
            coalesce(arg_min(leaves, (-engineers, unit_id)) filter (where is_shared), 0) as leaves
        from unit_week
        where days = 90 and has_full_look_back
        group by week
        order by week
    """,
    "limits": "select * from input.shared_infrastructure",
}


def model(
    moments: pl.DataFrame,
    largest: pl.DataFrame,
    connected: pl.DataFrame,
    weeks: pl.DataFrame,
    limits: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Judge each evaluation; see `pipelines.shared_infrastructure`."""
    limit = limits.row(0, named=True)
    judged = measures(moments, largest, limit)
    return {
        "shared_measure": pl.DataFrame(judged, schema=dict(MEASURE)),
        "shared_variant": pl.DataFrame(
            variants(judged, moments, largest, connected, limit), schema=dict(VARIANT)
        ),
        "shared_week": weeks.select(
            pl.lit("shared_infrastructure").alias("threshold"),
            "week",
            "value",
            "n",
            pl.col("joins").cast(pl.Int64),
            pl.col("leaves").cast(pl.Int64),
        ),
    }
