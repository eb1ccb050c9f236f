"""Metric rows written by hand, and what the marts that read them make of them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import polars as pl

from pipelines import inputs
from pipelines.catalog import models, steps
from pipelines.inputs_measures import measure_tables
from pipelines.settings import Settings

AS_OF = datetime(2026, 7, 1, 12, tzinfo=UTC)

_METRIC = {
    "metric": pl.String,
    "variant": pl.String,
    "entity_type": pl.String,
    "entity_id": pl.String,
    "environment": pl.String,
    "period": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "value": pl.Float64,
    "unit": pl.String,
    "n": pl.Int64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "reason": pl.String,
    "previous_value": pl.Float64,
    "is_partial": pl.Boolean,
}


def row(metric: str, variant: str, entity: str, value: float | None, **more: Any) -> dict[str, Any]:
    """A row of `metric`; the entity is `service:a`, `team:a` or empty for the organisation."""
    kind = entity.partition(":")[0] or "organisation"
    days = int(more.get("period", "91d").rstrip("d")) if more.get("period") != "week" else 7
    values = {
        "metric": metric,
        "variant": variant,
        "entity_type": kind,
        "entity_id": entity,
        "environment": "production",
        "period": "91d",
        "period_end": AS_OF.date() + timedelta(days=1),
        "value": value,
        "unit": "per week",
        "n": 9,
        "ci_low": None,
        "ci_high": None,
        "reason": None if value is not None else "too few",
        "previous_value": None,
        "is_partial": False,
        **more,
    }
    return {"period_start": values["period_end"] - timedelta(days=days), **values}


def weeks(
    metric: str, variant: str, entity: str, values: Iterable[float | None], last: date
) -> list[dict[str, Any]]:
    """Rows of consecutive weeks up to the one that begins on `last`; None is a week without."""
    listed = list(values)
    return [
        row(
            metric,
            variant,
            entity,
            value,
            period="week",
            period_end=last - timedelta(weeks=len(listed) - 2 - number),
        )
        for number, value in enumerate(listed)
        if value is not None
    ]


def made(
    table: str,
    rows: list[dict[str, Any]],
    *,
    services: Mapping[str, str | None] | None = None,
    settings: Settings | None = None,
) -> pl.DataFrame:
    """The table that a mart makes from metric rows, services (with their teams) and settings."""
    settings = settings or Settings()
    owners = services or {}
    teams = sorted({team for team in owners.values() if team is not None})
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; create schema input")
    inputs.write_macros(connection, settings)
    frames = {
        "metric": pl.DataFrame(rows, schema=_METRIC),
        "team": pl.DataFrame(
            {"team_id": [f"team:{t}" for t in teams], "name": teams},
            schema={"team_id": pl.String, "name": pl.String},
        ),
        "service": pl.DataFrame(
            {
                "service_id": [f"service:{s}" for s in owners],
                "name": list(owners),
                "team_id": [t and f"team:{t}" for t in owners.values()],
            },
            schema={"service_id": pl.String, "name": pl.String, "team_id": pl.String},
        ),
        "input.period": inputs.periods(settings.organisation, AS_OF, AS_OF - timedelta(days=600)),
        **{f"input.{name}": frame for name, frame in measure_tables(settings).items()},
    }
    for name, frame in frames.items():
        connection.register("frame", frame.to_arrow())
        connection.execute(f"create table {name} as select * from frame")
        connection.unregister("frame")
    step = next(step for step in steps() if table in step.tables)
    if step.sql is not None:
        connection.execute(f"create table made as {step.sql}")
    else:
        assert step.function is not None
        given = {name: connection.sql(query).pl() for name, query in step.inputs.items()}
        connection.register("frame", step.function(**given)[table].to_arrow())
        connection.execute("create table made as select * from frame")
    for assertion in models()[table].assertions:
        broken = connection.sql(assertion.failing_rows.replace(f'"{table}"', "made"))
        assert broken.fetchall() == [], assertion.name
    found: pl.DataFrame = connection.sql("select * from made").pl()
    return found
