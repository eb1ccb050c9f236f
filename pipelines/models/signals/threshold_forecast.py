"""When a threshold that is not crossed will be, should its weeks go on as they do."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from pipelines.thresholds import REQUESTS, SHARED_INFRASTRUCTURE
from pipelines.trending import (
    LEAST_WEEKS,
    MOST_WEEKS,
    Floats,
    Forecast,
    forecast_counts,
    forecast_levels,
    in_words,
    logit,
    twice,
)

TABLES = {
    "threshold_forecast": """
        One row per threshold that is forecast and evaluation: how likely its weekly values cross
        the limit within the horizon, and when. weeks: how many were used, the last 26 at most
        since the last shift of level. weeks_low, weeks_middle, weeks_high: the 5th, 50th and
        95th percentile of the weeks until then; null: beyond the horizon. slope: engineers a
        week, or log-odds a week of a share. is_likely: probability of at least 0.8, and the
        present state clear with its whole interval; is_warned: likely at the evaluation before as
        well. reason: why there is no forecast.
        key: threshold, evaluated_at
        not null: weeks, horizon, is_likely, is_warned
        check: threshold in ('shared_infrastructure', 'requests')
        check: (probability is null) = (reason is not null)
        check: probability is null or probability between 0 and 1
        check: not is_warned or is_likely
        check: not is_warned or (weeks_middle is not null and words is not null)
    """
}

INPUTS = {
    "evaluations": "select evaluated_on, evaluated_at from input.evaluation",
    "measures": """
        select threshold, evaluated_at, value, threshold_value, measured_state
        from threshold_measure where threshold in ('shared_infrastructure', 'requests')
    """,
    "weeks": "select threshold, week, value, n, joins, leaves from threshold_week",
}

# Set-ups are too few a week, and audits have none: neither is projected.
FORECAST = (SHARED_INFRASTRUCTURE, REQUESTS)

_SCHEMA: Mapping[str, Any] = {
    "threshold": pl.String,
    "evaluated_at": pl.Datetime("us", "UTC"),
    "weeks": pl.Int64,
    "horizon": pl.Int64,
    "probability": pl.Float64,
    "weeks_low": pl.Float64,
    "weeks_middle": pl.Float64,
    "weeks_high": pl.Float64,
    "slope": pl.Float64,
    "is_likely": pl.Boolean,
    "is_warned": pl.Boolean,
    "words": pl.String,
    "reason": pl.String,
}


def model(
    evaluations: pl.DataFrame, measures: pl.DataFrame, weeks: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Forecast each threshold at every evaluation from the weeks before it."""
    asked = evaluations.sort("evaluated_at").with_row_index("row")
    found = [_forecast(name, asked, measures, weeks) for name in FORECAST]
    return {"threshold_forecast": pl.concat(found)}


def _forecast(
    threshold: str, asked: pl.DataFrame, measures: pl.DataFrame, weeks: pl.DataFrame
) -> pl.DataFrame:
    own = asked.join(
        measures.filter(threshold=threshold), on="evaluated_at", how="left", maintain_order="left"
    )
    limits, now = _floats(own, "threshold_value"), _floats(own, "value")
    placed = _placed(asked, weeks.filter(threshold=threshold))
    if threshold == SHARED_INFRASTRUCTURE:
        net = placed.with_columns(net=pl.col("joins") - pl.col("leaves"))
        forecast = forecast_counts(_matrix(net, "net", own.height), now, limits)
        is_known = np.isfinite(limits) & np.isfinite(now)
    else:
        values = logit(_matrix(placed, "value", own.height), _matrix(placed, "n", own.height))
        nowhere = np.full(own.height, np.inf)
        forecast = forecast_levels(values, logit(np.nan_to_num(limits, nan=0.5), nowhere))
        is_known = np.isfinite(limits)
    is_clear = (own["measured_state"] == "clear").fill_null(value=False).to_numpy()
    likely = forecast.is_likely & is_clear & is_known
    warned = twice(likely[None, :])[0]
    return (
        _table(threshold, own, forecast, is_known=is_known)
        .with_columns(is_likely=pl.Series(likely), is_warned=pl.Series(warned))
        .select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
    )


def _placed(asked: pl.DataFrame, weeks: pl.DataFrame) -> pl.DataFrame:
    """The weeks before each evaluation, with their place in its row of the matrix."""
    age = (pl.col("evaluated_on") - pl.col("week")).dt.total_days() // 7
    return (
        asked.select("row", "evaluated_on")
        .join(weeks, how="cross")
        .with_columns(column=MOST_WEEKS - age)
        .filter(pl.col("column").is_between(0, MOST_WEEKS - 1))
    )


def _matrix(placed: pl.DataFrame, name: str, height: int) -> Floats:
    values = np.full((height, MOST_WEEKS), np.nan)
    values[placed["row"].to_numpy(), placed["column"].to_numpy()] = _floats(placed, name)
    return values


def _floats(rows: pl.DataFrame, name: str) -> Floats:
    return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _table(
    threshold: str, own: pl.DataFrame, forecast: Forecast, *, is_known: np.ndarray
) -> pl.DataFrame:
    """The forecasts as rows; nothing is told where too little is known."""
    is_told = is_known & np.isfinite(forecast.probability)
    inside = {
        f"weeks_{name}": np.where(is_told & (times <= forecast.horizon), times, np.nan)
        for name, times in (
            ("low", forecast.low),
            ("middle", forecast.middle),
            ("high", forecast.high),
        )
    }
    words = [
        in_words(low=low, middle=middle, high=high, horizon=horizon) if told else None
        for low, middle, high, horizon, told in zip(
            forecast.low.tolist(),
            forecast.middle.tolist(),
            forecast.high.tolist(),
            forecast.horizon.tolist(),
            is_told.tolist(),
            strict=True,
        )
    ]
    short = (
        pl.lit("no forecast: ")
        + pl.col("weeks").cast(pl.String)
        + f" of at least {LEAST_WEEKS} weeks with a value since the last shift"
    )
    return (
        pl.DataFrame(
            {
                "weeks": forecast.weeks,
                "horizon": forecast.horizon,
                "probability": np.where(is_told, forecast.probability, np.nan),
                **inside,
                "slope": np.where(is_told, forecast.slope, np.nan),
                "words": pl.Series(words, dtype=pl.String),
                "is_known": is_known,
            }
        )
        .with_columns(pl.col(pl.Float64).round_sig_figs(9).fill_nan(None))
        .with_columns(
            threshold=pl.lit(threshold),
            evaluated_at=own["evaluated_at"],
            reason=pl.when(pl.col("probability").is_not_null())
            .then(None)
            .when(pl.col("is_known") | (pl.col("weeks") == 0))
            .then(short)
            .otherwise(pl.lit("no forecast: the present value is not known")),
        )
    )
