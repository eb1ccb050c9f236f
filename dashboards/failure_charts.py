"""Charts of failures: how many a week, and how long recovery took."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import duration_axis, duration_rules, layered
from dashboards.palette import INK, palette

_SURE: Final = "sure: rollback, revert, status, named by an incident"
_LIKELY: Final = "likely: hotfix, incident soon after"


def by_week(
    counts: pl.DataFrame, *, since: date, until: date, period_start: date
) -> alt.LayerChart:
    """Draw failures by the week of their deployment: sure ones full, likely ones outlined on top.

    `counts` has week, confidence, failures and still_open; a week without a row had none.
    """
    monday = since - timedelta(days=since.weekday())
    weeks = pl.DataFrame(
        {"week": pl.date_range(monday, until - timedelta(days=1), "7d", eager=True)}
    )
    table = weeks.join(
        counts.group_by("week").agg(
            sure=pl.col("failures").filter(pl.col("confidence") == "high").sum(),
            likely=pl.col("failures").filter(pl.col("confidence") != "high").sum(),
            still_open=pl.col("still_open").sum(),
        ),
        on="week",
        how="left",
    ).with_columns(pl.col("sure", "likely", "still_open").fill_null(0).cast(pl.Int64))
    table = table.with_columns(
        start=pl.col("week").cast(pl.Datetime("ms")) + pl.duration(hours=14),
        end=pl.col("week").cast(pl.Datetime("ms")) + pl.duration(hours=154),
        both=pl.col("sure") + pl.col("likely"),
        zero=pl.lit(0),
    )
    most = max(int(table["both"].to_numpy().max()) if table.height else 0, 2)
    x = alt.X(
        "start:T",
        title=None,
        axis=alt.Axis(grid=False, tickCount="month", format="%b", labelOverlap=True),
    )
    y: dict[str, Any] = {
        "title": None,
        "scale": alt.Scale(domain=[0, most * 1.15], nice=False),
        "axis": alt.Axis(tickCount=min(4, most), format="d", domain=False, ticks=False),
    }
    tooltip = [
        alt.Tooltip("week:T", title="week from", format="%-d %b %Y"),
        alt.Tooltip("sure:Q", title=_SURE),
        alt.Tooltip("likely:Q", title=_LIKELY),
        alt.Tooltip("still_open:Q", title="still open"),
    ]
    marker = pl.DataFrame({"at": [datetime.combine(period_start, datetime.min.time())]})
    rule = alt.Chart(marker).mark_rule(color=INK, opacity=0.45, strokeDash=[2, 3]).encode(x="at:T")
    sure = (
        alt.Chart(table.filter(pl.col("sure") > 0))
        .mark_rect(color=palette().crossed, opacity=0.85)
        .encode(x=x, x2="end:T", y=alt.Y("zero:Q", **y), y2="sure:Q", tooltip=tooltip)
    )
    likely = (
        alt.Chart(table.filter(pl.col("likely") > 0))
        .mark_rect(
            color=palette().crossed,
            fillOpacity=0.14,
            stroke=palette().crossed,
            strokeDash=[3, 2],
            strokeWidth=1.2,
        )
        .encode(x=x, x2="end:T", y=alt.Y("sure:Q", **y), y2="both:Q", tooltip=tooltip)
    )
    # An invisible layer over all weeks keeps the axis where there is no failure at all.
    base = (
        alt.Chart(table)
        .mark_rect(opacity=0)
        .encode(x=x, x2="end:T", y=alt.Y("zero:Q", **y), y2="zero:Q")
    )
    return layered(base, rule, sure, likely)


def recoveries(times: pl.DataFrame, marks: dict[str, float]) -> alt.LayerChart:
    """Draw every recovery as a dot on a log scale, open ones as arrows at their age so far.

    `times` has hours, is_open, at (date words), version and service; `marks` are the published
    quantiles, drawn as labelled rules.
    """
    axis = duration_axis(
        pl.concat(
            [times["hours"].cast(pl.Float64), pl.Series(list(marks.values()), dtype=pl.Float64)]
        )
    )
    x = alt.X("hours:Q", title=None, **axis)
    # Dots of one place are spread by their order, so that none hides another.
    placed = (
        times.filter(pl.col("hours") > 0)
        .sort("hours")
        .with_row_index("rank")
        .with_columns(
            height=0.22 + (pl.col("rank") * 0.618034 % 1) * 0.52,
            hours_words=pl.col("hours").map_elements(words.short_duration, return_dtype=pl.String),
        )
    )
    y = alt.Y("height:Q", scale=alt.Scale(domain=[0, 1]), axis=None, title=None)
    tooltip = [
        alt.Tooltip("service:N"),
        alt.Tooltip("version:N"),
        alt.Tooltip("at:N", title="deployed"),
        alt.Tooltip("hours_words:N", title="recovery"),
    ]
    layers: list[alt.Chart] = [
        alt.Chart(placed.filter(~pl.col("is_open")))
        .mark_point(filled=True, size=46, color=palette().primary, opacity=0.65)
        .encode(x=x, y=y, tooltip=tooltip),
        alt.Chart(placed.filter("is_open"))
        .mark_point(
            shape="triangle-right", filled=False, size=90, strokeWidth=1.8, color=palette().crossed
        )
        .encode(x=x, y=y, tooltip=tooltip),
    ]
    return layered(*layers, *duration_rules(marks, axis))
