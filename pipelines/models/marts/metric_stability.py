"""Which weeks stand out from what a series does by itself: control charts of individual values."""

import numpy as np
import polars as pl

from pipelines.stability import (
    LEAST_POINTS,
    LIMIT,
    RANGE_LIMIT,
    RECENT_WEEKS,
    charts,
    expected_signals,
    signal_names,
)

TABLES = {
    "metric_stability": """
        One row per complete week with a value of deployment frequency and of the median lead
        time, for each entity with at least 12 of them: the natural process limits (XmR) in the
        metric's unit, and whether the week is a signal. Weeks without a value are skipped, never
        zero. Moving ranges and their limit are on the chart's scale: logarithms of hours, roots
        of deployments. expected_by_chance: how many signals a stable series like this one shows
        in its last eight weeks; only signals of these weeks are recent.
        key: metric, variant, entity_type, entity_id, week
        not null: value, centre, low, high, moving_range_limit, segment, expected_by_chance
        check: low <= centre and centre <= high
        check: signal is not null or not is_recent
    """
}

INPUTS = {
    "points": """
        select metric, variant, entity_type, entity_id, period_start as week, value, unit
        from metric
        where period = 'week' and environment = 'production' and not is_partial
            and value is not null
            and (metric, variant) in (
                ('deployment_frequency', 'per_week'), ('change_lead_time', 'median'))
    """,
    "last": """
        select max(period_start) as week from input.period
        where period = 'week' and not is_partial
    """,
}

SHORTEST_HOURS = 1 / 60
_SERIES = ["metric", "variant", "entity_type", "entity_id"]


def model(points: pl.DataFrame, last: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Chart all series at once on their scales, and turn the limits back into units."""
    is_duration = pl.col("unit") == "h"
    newest = pl.lit(last["week"][0], pl.Date)  # null where no week is complete
    # One number a series: sorting and windows over numbers cost a fraction of those over names.
    series = (
        points.group_by(_SERIES)
        .agg(points=pl.len())
        .filter(pl.col("points") >= LEAST_POINTS)
        .sort(_SERIES)
        .with_columns(row=pl.int_range(pl.len()))
    )
    rows = (
        points.join(series, on=_SERIES)
        .sort("row", "week")
        .with_columns(
            column=pl.int_range(pl.len()).over("row"),
            # A median of nothing is told as of one minute: zero has no logarithm.
            y=pl.when(is_duration)
            .then(pl.max_horizontal("value", pl.lit(SHORTEST_HOURS)).log())
            .otherwise(pl.col("value").sqrt()),
            is_late=pl.col("week") > newest - pl.duration(weeks=RECENT_WEEKS),
        )
    )
    charted = rows.with_columns(_charted(rows)).with_columns(_by_chance(rows))
    centre, half = pl.col("chart_centre"), pl.col("half_width")
    ends = {"centre": centre, "low": centre - half, "high": centre + half}
    found = charted.with_columns(
        *(
            pl.when(is_duration)
            .then(end.exp())
            .otherwise(pl.max_horizontal(end, pl.lit(0.0)) ** 2)
            .alias(name)
            for name, end in ends.items()
        ),
        moving_range_limit=half / LIMIT * RANGE_LIMIT,
        is_recent=pl.col("is_late") & pl.col("signal").is_not_null(),
    ).select(
        *_SERIES,
        "week",
        "value",
        "unit",
        pl.col("centre", "low", "high", "moving_range", "moving_range_limit").round_sig_figs(9),
        "signal",
        "is_baseline",
        "segment",
        "is_recent",
        pl.col("expected_by_chance").round(2),
    )
    return {"metric_stability": found}


def _charted(rows: pl.DataFrame) -> pl.DataFrame:
    """What the charts say of each row."""
    row, column = rows["row"].to_numpy(), rows["column"].to_numpy()
    lengths = np.bincount(row)
    matrix = np.full((len(lengths), lengths.max(initial=0)), np.nan)
    matrix[row, column] = rows["y"].to_numpy()
    found = charts(matrix, lengths)
    return pl.DataFrame(
        {
            "chart_centre": found.centre[row, column],
            "half_width": found.half_width[row, column],
            "moving_range": found.moving_range[row, column],
            "segment": found.segment[row, column],
            "is_baseline": found.is_baseline[row, column],
            "signal": signal_names(found.signal[row, column]),
        }
    ).with_columns(pl.col("moving_range").fill_nan(None))


def _by_chance(rows: pl.DataFrame) -> pl.Series:
    """The signals to expect in the last weeks of each row's series."""
    series = rows.group_by("row").agg(
        points=pl.len(),
        mean=pl.when(pl.col("unit").first() == "h")
        .then(pl.lit(float("inf")))
        .otherwise(pl.col("value").mean()),
        late=pl.col("is_late").sum(),
    )
    expected = expected_signals(series["points"].to_numpy(), series["mean"].to_numpy())
    share = series["late"].to_numpy() / RECENT_WEEKS
    placed = series.select("row", expected_by_chance=pl.Series(expected * share))
    return rows.join(placed, on="row", how="left", maintain_order="left")["expected_by_chance"]
