"""Charts of the platform's pages: hours by category, survival of newcomers, modes by month."""

from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import layered
from dashboards.palette import INK, palette

CURVE_DAYS: Final = 180
_MILESTONES: Final = ("first change", "first deployment", "tenth change")
_ENDS: Final = {
    "first change": "1st change",
    "first deployment": "1st live",
    "tenth change": "10th change",
}
_DASHES: Final = {"first change": [1, 0], "first deployment": [6, 3], "tenth change": [2, 3]}


def hours_by_category(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw hours a month by category: what is repeatable full, the rest of its hours light."""
    shown = rows.with_columns(
        name=pl.Series([_short(name) for name in rows["category"]], dtype=pl.String),
        whole=pl.col("per_month") * pl.col("handling_hours"),
        word=pl.Series(
            [f"{words.number(value)} h" for value in rows["hours_per_month"]], dtype=pl.String
        ),
    )
    order = shown["name"].to_list()
    most = float(shown["whole"].to_numpy().max()) or 1.0
    y = alt.Y(
        "name:N",
        title=None,
        sort=order,
        axis=alt.Axis(domain=False, ticks=False, labelLimit=170, labelPadding=8),
    )
    x: dict[str, Any] = {
        "title": None,
        "scale": alt.Scale(domain=[0, most * 1.22], nice=False),
        "axis": alt.Axis(tickCount=4, format="~d", domain=False, ticks=False, grid=True),
    }
    tooltip = [
        alt.Tooltip("category:N", title="category"),
        alt.Tooltip("hours_per_month:Q", title="hours a month", format=".1f"),
        alt.Tooltip("whole:Q", title="all hours of it", format=".1f"),
        alt.Tooltip("per_month:Q", title="tickets a month", format=".1f"),
    ]
    base = alt.Chart(shown)
    return layered(
        base.mark_bar(color=palette().primary, opacity=0.25, height=20).encode(
            x=alt.X("whole:Q", **x), y=y, tooltip=tooltip
        ),
        base.mark_bar(color=palette().primary, opacity=0.9, height=20).encode(
            x=alt.X("hours_per_month:Q", **x), y=y, tooltip=tooltip
        ),
        base.mark_text(align="left", dx=6, fontSize=12, fontWeight=600, color=INK).encode(
            x=alt.X("whole:Q", **x), y=y, text="word:N"
        ),
    )


def onboarding_curves(curves: pl.DataFrame) -> alt.LayerChart:
    """Draw the share of newcomers who have reached each milestone, by days, and a first band."""
    rows = curves.filter(pl.col("day") <= CURVE_DAYS).with_columns(
        reached=(1 - pl.col("survival")) * 100,
        low=(1 - pl.col("ci_high")) * 100,
        high=(1 - pl.col("ci_low")) * 100,
    )
    x = alt.X(
        "day:Q",
        title=None,
        scale=alt.Scale(domain=[0, CURVE_DAYS * 1.32], nice=False),
        axis=alt.Axis(
            values=[0, 7, 14, 30, 60, 90, 180],
            labelExpr="datum.value == 0 ? 'day 0' : datum.value",
            grid=False,
            labelOverlap=True,
        ),
    )
    y: dict[str, Any] = {
        "title": None,
        "scale": alt.Scale(domain=[0, 104], nice=False),
        "axis": alt.Axis(
            values=[0, 25, 50, 75, 100],
            labelExpr="datum.value + ' %'",
            domain=False,
            ticks=False,
            labelPadding=6,
        ),
    }
    layers: list[alt.Chart | alt.LayerChart] = [
        alt.Chart(rows.filter(pl.col("milestone") == _MILESTONES[0]))
        .mark_area(color=palette().primary, opacity=0.14, interpolate="step-after")
        .encode(x=x, y=alt.Y("low:Q", **y), y2="high:Q")
    ]
    ends = []
    for index, name in enumerate(_MILESTONES):
        part = rows.filter(pl.col("milestone") == name)
        if part.is_empty():
            continue
        color = palette().categories[index]
        layers.append(
            alt.Chart(part)
            .mark_line(
                color=color, strokeWidth=2.2, strokeDash=_DASHES[name], interpolate="step-after"
            )
            .encode(
                x=x,
                y=alt.Y("reached:Q", **y),
                tooltip=[
                    alt.Tooltip("milestone:N"),
                    alt.Tooltip("day:Q", title="day"),
                    alt.Tooltip("reached:Q", title="have reached it (%)", format=".0f"),
                    alt.Tooltip("at_risk:Q", title="still under way"),
                ],
            )
        )
        ends.append((part.tail(1), _ENDS[name], color))
    return layered(*layers, *_apart(ends, x, y))


def _apart(
    ends: list[tuple[pl.DataFrame, str, str]], x: alt.X, y: dict[str, Any]
) -> list[alt.Chart]:
    """Write names behind the ends of lines, at least a line of text apart."""
    placed: list[alt.Chart] = []
    last = 200.0
    for row, name, color in sorted(ends, key=lambda end: -float(end[0]["reached"].item())):
        height = min(float(row["reached"].item()), last - 8)
        last = height
        placed.append(
            alt.Chart(row.with_columns(word=pl.lit(name), height=pl.lit(height)))
            .mark_text(align="left", dx=6, fontSize=12, fontWeight=600, color=color)
            .encode(x=x, y=alt.Y("height:Q", **y), text="word:N")
        )
    return placed


def modes_by_month(rows: pl.DataFrame, modes: dict[str, str]) -> alt.LayerChart:
    """Draw how many relations between teams are of each mode, month by month, as stacked bars."""
    counted = (
        rows.group_by("month", "mode")
        .agg(pairs=pl.len())
        .with_columns(
            mode=pl.col("mode").replace_strict(modes, return_dtype=pl.String),
            order=pl.col("mode").replace_strict(
                {name: place for place, name in enumerate(modes)}, return_dtype=pl.Int64
            ),
            month=pl.col("month").cast(pl.Datetime("ms")),
        )
        .sort("month", "order")
    )
    color = alt.Color(
        "mode:N",
        sort=list(modes.values()),
        scale=alt.Scale(
            domain=list(modes.values()), range=list(palette().categories[: len(modes)])
        ),
        legend=alt.Legend(orient="top", title=None, columns=2, labelLimit=300),
    )
    bars = (
        alt.Chart(counted)
        .mark_bar(stroke=palette().ground, strokeWidth=1)
        .encode(
            x=alt.X(
                "yearmonth(month):O",
                title=None,
                axis=alt.Axis(format="%b", labelAngle=0, domain=False, ticks=False),
            ),
            y=alt.Y(
                "pairs:Q",
                title=None,
                axis=alt.Axis(tickCount=4, format="d", domain=False, ticks=False),
            ),
            color=color,
            order="order:Q",
            tooltip=[
                alt.Tooltip("yearmonth(month):T", title="month", format="%B %Y"),
                alt.Tooltip("mode:N", title="mode"),
                alt.Tooltip("pairs:Q", title="relations"),
            ],
        )
    )
    return layered(bars)


def _short(name: str, limit: int = 28) -> str:
    text = words.one_line(name)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
