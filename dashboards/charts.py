"""Charts over time and over lengths, from Polars frames to Altair; fonts come from the theme."""

import math
from datetime import date, datetime, timedelta
from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import duration_axis, duration_rules, layered, rate_axis
from dashboards.palette import INK, palette
from dashboards.stability import natural_limits

SMALL_SAMPLE: Final = 10
"""Weeks with fewer cases than this are drawn faint."""

_BREAK: Final = "break-paths-show-path-domains"


def trend(
    weeks: pl.DataFrame,
    *,
    lines: dict[str, str],
    is_duration: bool,
    period_start: date,
    period_words: str,
    cases: pl.DataFrame | None = None,
    limits: pl.DataFrame | None = None,
) -> alt.LayerChart:
    """Draw weekly values as lines: the first with its interval band, others dashed.

    `lines` maps variants to the word at the end of their line. Weeks without a value break the
    line, weeks with a small n are faint, a week that is not over is hollow and hatched. `cases`
    are single durations (columns at, hours) behind the lines; `limits` are natural limits of the
    first line (rows of `metric_stability`) with the signals to mark.
    """
    shown = _shown(weeks, lines)
    whole = shown.filter(~pl.col("is_partial"))
    start, end = _ends(shown["week"])
    x = alt.X(
        "week:T",
        title=None,
        scale=alt.Scale(domain=[_day(start), _day(end + (end - start) * 0.1 + timedelta(days=9))]),
        axis=alt.Axis(
            grid=False,
            tickCount={"interval": "month", "step": _month_step(start, end)},
            format="%b",
            labelOverlap=True,
        ),
    )
    y = _value_axis(shown, cases, is_duration=is_duration)
    layers: list[alt.Chart | alt.LayerChart] = [
        *_hatched(shown),
        _marker(period_start, period_words),
    ]
    if cases is not None and not cases.is_empty():
        layers.append(
            alt.Chart(cases)
            .mark_point(
                filled=True,
                size=9,
                opacity=max(0.18, min(0.55, 80 / cases.height)),
                color=palette().primary,
            )
            .encode(x=alt.X("at:T", title=None), y=alt.Y("hours:Q", **y))
        )
    layers.append(
        alt.Chart(whole.filter(pl.col("variant") == next(iter(lines))))
        .mark_area(color=palette().primary, opacity=0.17, invalid=_BREAK)
        .encode(x=x, y=alt.Y("ci_low:Q", **y), y2="ci_high:Q")
    )
    if limits is not None and not limits.is_empty():
        layers += natural_limits(limits, x, y)
    for index, (variant, word) in enumerate(lines.items()):
        rows = shown.filter(pl.col("variant") == variant)
        layers += _line(rows, word, x, y, is_first=index == 0)
    layers += _line_ends(whole, lines, end, x, y, is_duration=is_duration)
    return layered(*layers)


def _shown(weeks: pl.DataFrame, lines: dict[str, str]) -> pl.DataFrame:
    rows = weeks.filter(pl.col("variant").is_in(list(lines)))
    values = [
        "no value" if value is None else str(words.quantity(value, unit))
        for value, unit in rows.select("value", "unit").iter_rows()
    ]
    intervals = [
        words.interval(low, high, unit) or "none"
        for low, high, unit in rows.select("ci_low", "ci_high", "unit").iter_rows()
    ]
    return rows.with_columns(
        week=pl.col("period_start").cast(pl.Datetime("ms")),
        shown_value=pl.Series(values, dtype=pl.String),
        shown_interval=pl.Series(intervals, dtype=pl.String),
        opacity=pl.when(pl.col("n") < SMALL_SAMPLE).then(0.35).otherwise(1.0),
        note=pl.when("is_partial").then(pl.lit("this week is not over")).otherwise("reason"),
    )


def _line(
    rows: pl.DataFrame, word: str, x: alt.X, y: dict[str, Any], *, is_first: bool
) -> list[alt.Chart]:
    color = palette().primary if is_first else INK
    value = alt.Y("value:Q", **y)
    tooltip = [
        alt.Tooltip("week:T", title="week from", format="%-d %b %Y"),
        alt.Tooltip("shown_value:N", title=word),
        alt.Tooltip("shown_interval:N", title="95 % interval"),
        alt.Tooltip("n:Q", title="n", format=","),
        alt.Tooltip("note:N", title="note"),
    ]
    known = rows.filter(pl.col("value").is_not_null())
    opacity = alt.Opacity("opacity:Q", scale=None, legend=None)
    size = 28 if is_first else 14
    return [
        alt.Chart(rows.filter(~pl.col("is_partial")))
        .mark_line(
            color=color,
            opacity=1.0 if is_first else 0.6,
            strokeWidth=2.2 if is_first else 1.4,
            strokeDash=[1, 0] if is_first else [4, 3],
            invalid=_BREAK,
        )
        .encode(x=x, y=value),
        alt.Chart(known.filter(~pl.col("is_partial")))
        .mark_point(filled=True, size=size, color=color)
        .encode(x=x, y=value, opacity=opacity, tooltip=tooltip),
        alt.Chart(known.filter("is_partial"))
        .mark_point(filled=False, size=size, color=color, strokeWidth=1.4)
        .encode(x=x, y=value, tooltip=tooltip),
    ]


def _line_ends(
    whole: pl.DataFrame,
    lines: dict[str, str],
    end: datetime,
    x: alt.X,
    y: dict[str, Any],
    *,
    is_duration: bool,
) -> list[alt.Chart]:
    """Write each line's name behind its end, pushed apart where two ends lie close together."""
    last = {
        variant: known.row(-1, named=True)["value"]
        for variant in lines
        if not (
            known := whole.filter((pl.col("variant") == variant) & pl.col("value").is_not_null())
        ).is_empty()
    }
    ranked = sorted(last, key=lambda variant: last[variant])
    shifts = dict.fromkeys(last, 0)
    if len(ranked) == 2:
        low, high = last[ranked[0]], last[ranked[1]]
        largest = whole["value"].max()
        scale = float(largest) if isinstance(largest, int | float) and largest else 1.0
        is_close = high < low * 1.5 if is_duration else (high - low) / scale < 0.09
        if is_close:
            shifts = {ranked[0]: 9, ranked[1]: -9}
    names = []
    for variant, value in last.items():
        row = pl.DataFrame({"week": [end + timedelta(days=9)], "value": [value]})
        is_first = variant == next(iter(lines))
        names.append(
            alt.Chart(row.with_columns(word=pl.lit(lines[variant])))
            .mark_text(
                align="left",
                dx=2,
                dy=shifts[variant],
                fontWeight=600,
                fontSize=12,
                color=palette().primary if is_first else INK,
                opacity=1.0 if is_first else 0.75,
            )
            .encode(x=x, y=alt.Y("value:Q", **y), text="word:N")
        )
    return names


def _value_axis(
    shown: pl.DataFrame, cases: pl.DataFrame | None, *, is_duration: bool
) -> dict[str, Any]:
    if not is_duration:
        whole = shown.filter(~pl.col("is_partial"))
        limits = whole["ci_high"].drop_nulls().to_list()
        return {"title": None, **rate_axis(shown["value"].drop_nulls().to_list(), limits)}
    numbers = [shown["value"], shown["ci_low"], shown["ci_high"]]
    if cases is not None and cases.height:
        # The outermost dots may be cut off: the axis is there for the lines.
        numbers.append(pl.Series([cases["hours"].quantile(0.01), cases["hours"].quantile(0.99)]))
    return {"title": None, **duration_axis(pl.concat([part.cast(pl.Float64) for part in numbers]))}


def _hatched(shown: pl.DataFrame) -> list[alt.Chart]:
    """Draw thin rules over weeks that are not over."""
    partial = shown.filter(pl.col("is_partial")).unique("week").sort("week")
    if partial.is_empty():
        return []
    rules = [
        {"at": row["week"] + timedelta(hours=step * 42)}
        for row in partial.iter_rows(named=True)
        for step in range(5)
    ]
    return [
        alt.Chart(pl.DataFrame(rules))
        .mark_rule(color=INK, opacity=0.16, strokeWidth=1)
        .encode(x=alt.X("at:T", title=None))
    ]


def _marker(period_start: date, period_words: str) -> alt.LayerChart:
    start = datetime.combine(period_start, datetime.min.time())
    rows = pl.DataFrame({"at": [start], "word": [f"{period_words} →"]})
    at = alt.X("at:T", title=None)
    rule = alt.Chart(rows).mark_rule(color=INK, opacity=0.45, strokeDash=[2, 3]).encode(x=at)
    text = (
        alt.Chart(rows)
        .mark_text(align="left", baseline="top", dx=5, fontSize=11, color=INK, opacity=0.75)
        .encode(x=at, y=alt.value(0), text="word:N")
    )
    return alt.LayerChart(layer=[rule, text])


def distribution(bins: pl.DataFrame, marks: dict[str, float]) -> alt.LayerChart:
    """Draw how many changes took how long on a log scale, with labelled rules."""
    axis = duration_axis(pl.concat([bins["low_h"], bins["high_h"]]))
    most = max(bins["changes"].to_list())
    spans = [
        f"{words.short_duration(low)} to {words.short_duration(high)}"
        for low, high in bins.select("low_h", "high_h").iter_rows()
    ]
    bars = (
        alt.Chart(bins.with_columns(span=pl.Series(spans, dtype=pl.String), zero=pl.lit(0)))
        .mark_rect(color=palette().primary, opacity=0.75, stroke=palette().ground, strokeWidth=1.5)
        .encode(
            x=alt.X("low_h:Q", title=None, **axis),
            x2="high_h:Q",
            y=alt.Y(
                "changes:Q",
                title=None,
                scale=alt.Scale(domain=[0, most * 1.2], nice=False),
                axis=alt.Axis(tickCount=3, domain=False, ticks=False, labelPadding=6),
            ),
            y2="zero:Q",
            tooltip=[
                alt.Tooltip("span:N", title="lead time"),
                alt.Tooltip("changes:Q", title="changes", format=","),
            ],
        )
    )
    return layered(bars, *duration_rules(marks, axis))


def _ends(weeks: pl.Series) -> tuple[datetime, datetime]:
    ordered = weeks.sort().to_list()
    return ordered[0], ordered[-1]


def _month_step(start: datetime, end: datetime) -> int:
    return max(1, math.ceil((end - start).days / 31 / 7))


def _day(value: datetime) -> dict[str, int]:
    return {"year": value.year, "month": value.month, "date": value.day}
