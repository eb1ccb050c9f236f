"""How long one request takes in the mean: winsorised, from one source, per category."""

from typing import Any

import numpy as np
import polars as pl

LEAST_TICKETS = 10
WINSORISED_AT = 0.95
SOURCES = ("worklogs", "status history", "activity sessions", "time in progress")
EVERY_REQUEST = "all requests"

HANDLING_SCHEMA = {
    "category": pl.String,
    "handling_hours": pl.Float64,
    "handling_n": pl.Int64,
    "handling_source": pl.String,
    "handling_reason": pl.String,
}
_HOUR_US = 3_600_000_000


def mean_hours(handled: pl.DataFrame, categories: list[str]) -> pl.DataFrame:
    """One row a category, as `HANDLING_SCHEMA`; `handled`: category, source, handling_us.

    The mean of the category's own tickets, cut at their 95th percentile, from 10 tickets on; else
    that of all requests. The first source with as many tickets is taken, they are never mixed: time
    in progress holds the waiting within it.
    """
    return pl.DataFrame(
        [_row(handled, category) for category in categories], schema=HANDLING_SCHEMA, orient="row"
    )


def pooled(handled: pl.DataFrame, categories: list[str], name: str) -> dict[str, Any]:
    """The row of several categories together, under another name."""
    own = handled.filter(pl.col("category").is_in(categories)).with_columns(category=pl.lit(name))
    rest = handled.filter(~pl.col("category").is_in(categories))
    return mean_hours(pl.concat([own, rest]), [name]).row(0, named=True)


def _row(
    handled: pl.DataFrame, category: str
) -> tuple[str, float | None, int, str | None, str | None]:
    for rows, whose in (
        (handled.filter(pl.col("category") == category), ""),
        (handled, f", {EVERY_REQUEST}"),
    ):
        for source in SOURCES:
            hours = np.sort(rows.filter(pl.col("source") == source)["handling_us"].to_numpy())
            if len(hours) >= LEAST_TICKETS:
                cut = np.quantile(hours, WINSORISED_AT)
                mean = float(np.minimum(hours, cut).mean()) / _HOUR_US
                return category, mean, len(hours), f"{source}{whose}", None
    reason = (
        f"fewer than {LEAST_TICKETS} resolved requests with worklogs or a status in progress: "
        "nobody can tell how long one takes"
    )
    return category, None, 0, None, reason
