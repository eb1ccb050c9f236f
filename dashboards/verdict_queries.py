"""What the verdict's page asks a build: the verdicts and the states they rest on."""

from typing import Any

import polars as pl

from dashboards.queries import Queries


def verdicts(queries: Queries) -> pl.DataFrame:
    """Return the verdict of every evaluation, oldest first."""
    return queries.frame("SELECT * FROM verdict ORDER BY evaluated_at")


def states(queries: Queries) -> pl.DataFrame:
    """Return the states of the thresholds at every evaluation, oldest first."""
    return queries.frame(
        "SELECT * FROM threshold_state ORDER BY evaluated_at, list_position("
        "['setup_time', 'shared_infrastructure', 'configuration', 'requests'], threshold)"
    )


def today(states: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the last evaluation, in the order of the thresholds."""
    if states.is_empty():
        return []
    return states.filter(pl.col("evaluated_at") == states["evaluated_at"].max()).to_dicts()
