"""Shared units that hang together because some service runs on both."""

import polars as pl

TABLES = {
    "unit_component": """
        One row per evaluation and unit that was shared then: the component it belongs to, named
        by its first unit. Two units are connected if a service runs on both.
        key: evaluated_on, unit_id
        not null: component
        check: component <= unit_id
    """
}

INPUTS = {
    "uses": """
        select distinct w.ended_on as evaluated_on, u.service_id, u.unit_id
        from input.evaluation as m
        join unit_week as w on w.ended_on = m.evaluated_on and w.days = 90 and w.is_shared
        join unit_use as u on u.unit_id = w.unit_id
            and u.from_on < w.ended_on and w.ended_on <= u.until_on
        order by all
    """
}

SCHEMA = {"evaluated_on": pl.Date, "unit_id": pl.String, "component": pl.String}


def model(uses: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Give each unit the smallest unit it can be reached from, until nothing changes."""
    found = uses.select("evaluated_on", "unit_id", "service_id", component="unit_id")
    while True:
        following = found.with_columns(
            component=pl.col("component").min().over("evaluated_on", "service_id")
        ).with_columns(component=pl.col("component").min().over("evaluated_on", "unit_id"))
        if following.equals(found):
            break
        found = following
    return {"unit_component": found.select(SCHEMA.keys()).unique().sort("evaluated_on", "unit_id")}
