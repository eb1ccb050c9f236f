"""How long set-ups took: survival curves of the golden path and of hand-made services."""

from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import layered
from dashboards.palette import INK, palette
from dashboards.setup import GROUPS, Setup

_ROWS: Final = {"golden path": -0.2, "hand-made": -0.31}


def survival(found: Setup) -> alt.LayerChart:
    """Draw the share not ready against working time, with how many were left at each tick.

    The threshold of one working day is a labelled rule; ▷ marks those still open at their age.
    """
    colors = dict(zip(GROUPS, (palette().primary, palette().categories[1]), strict=True))
    curve = found.curve.filter(pl.col("group_name").is_in(GROUPS))
    ticks = _ticks(found, curve)
    low, high = min(ticks) / 1.15, max(*ticks, float(curve["hours"].max() or 0)) * 1.25  # type: ignore[arg-type]
    x: dict[str, Any] = {
        "scale": alt.Scale(type="log", domain=[low, high], nice=False, clamp=True),
        "axis": alt.Axis(
            values=list(ticks),
            labelExpr=" : ".join(
                f"abs(datum.value / {at!r} - 1) < 0.001 ? '{word}'" for at, word in ticks.items()
            )
            + " : ''",
            grid=False,
            domain=False,
            ticks=False,
            labelPadding=6,
            orient="bottom",
        ),
        "title": None,
    }
    y: dict[str, Any] = {
        "scale": alt.Scale(domain=[-0.36, 1.04], nice=False),
        "axis": alt.Axis(
            values=[*_ROWS.values(), 0, 0.25, 0.5, 0.75, 1],
            labelExpr=" : ".join(
                f"abs(datum.value - {place}) < 0.001 ? '{group}'" for group, place in _ROWS.items()
            )
            + " : format(datum.value, '.0%')",
            gridOpacity={"condition": {"test": "datum.value < 0", "value": 0}, "value": 1},
            domain=False,
            ticks=False,
            labelPadding=6,
        ),
        "title": None,
    }
    axes = {"x": x, "y": y}
    layers: list[alt.Chart] = [*_rule(found, axes)]
    for group in GROUPS:
        rows = _steps(curve.filter(pl.col("group_name") == group), group, low, high)
        if rows.is_empty():
            continue
        layers += _lines(rows, colors[group], found, axes)
    layers += _left(curve, ticks, colors, axes)
    return layered(*layers)


def _ticks(found: Setup, curve: pl.DataFrame) -> dict[float, str]:
    """Working time in words, from a quarter of an hour to the longest."""
    day = found.day
    known = {0.25: "15 min", 1.0: "1 h", day / 2: f"{words.number(day / 2)} h", day: "1 day"}
    known |= {2 * day: "2 days", 5 * day: "5 days", 10 * day: "10 days", 30 * day: "30 days"}
    known |= {100 * day: "100 days"}
    longest = max([2 * day, *curve["hours"].to_list()])
    return {at: word for at, word in known.items() if at <= longest}


def _steps(rows: pl.DataFrame, group: str, low: float, high: float) -> pl.DataFrame:
    """The curve from its beginning, where all are being set up, to its last case."""
    if rows.is_empty():
        return rows.with_columns(shown=pl.lit(""))
    first = pl.DataFrame(
        {
            "group_name": [group],
            "hours": [low],
            "survival": [1.0],
            "at_risk": [rows["at_risk"][0]],
            "ready": [0],
            "still_open": [0],
        },
        schema=rows.schema,
    )
    # What was ready within the first tick falls at the left edge.
    return pl.concat([first, rows.with_columns(pl.col("hours").clip(low, high))]).with_columns(
        order=pl.int_range(pl.len())
    )


def _lines(
    rows: pl.DataFrame, color: str, found: Setup, axes: dict[str, dict[str, Any]]
) -> list[alt.Chart]:
    x, y, group = axes["x"], axes["y"], rows["group_name"][0]
    told = rows.with_columns(
        length=pl.Series([str(found.length(hours)) for hours in rows["hours"]]),
        share=pl.Series([f"{100 * value:.0f} %" for value in rows["survival"]]),
    )
    dash = [1, 0] if group == GROUPS[0] else [6, 3]
    last = told.tail(1).with_columns(word=pl.lit(group))
    tooltip = [
        alt.Tooltip("group_name:N", title="made by"),
        alt.Tooltip("length:N", title="working time"),
        alt.Tooltip("share:N", title="not ready after it"),
        alt.Tooltip("ready:Q", title="ready then"),
        alt.Tooltip("at_risk:Q", title="being set up until then"),
    ]
    line = alt.Chart(told).encode(
        x=alt.X("hours:Q", **x), y=alt.Y("survival:Q", **y), order="order:Q"
    )
    open_ones = told.filter(pl.col("still_open") > 0)
    return [
        line.mark_line(interpolate="step-after", color=color, strokeWidth=2.4, strokeDash=dash),
        alt.Chart(told.filter(pl.col("ready") > 0))
        .mark_point(filled=True, size=26, color=color)
        .encode(x=alt.X("hours:Q", **x), y=alt.Y("survival:Q", **y), tooltip=tooltip),
        alt.Chart(open_ones)
        .mark_text(text="▷", color=color, fontSize=13, dx=5)
        .encode(x=alt.X("hours:Q", **x), y=alt.Y("survival:Q", **y), tooltip=tooltip),
        alt.Chart(last)
        .mark_text(
            align="left" if group == GROUPS[0] else "right",
            dx=8 if group == GROUPS[0] else -4,
            dy=-9,
            color=color,
            fontWeight=600,
            fontSize=12,
        )
        .encode(x=alt.X("hours:Q", **x), y=alt.Y("survival:Q", **y), text="word:N"),
    ]


def _rule(found: Setup, axes: dict[str, dict[str, Any]]) -> list[alt.Chart]:
    mark = alt.Chart(
        pl.DataFrame({"hours": [found.day], "top": [1.0], "word": ["one working day"], "low": [0]})
    )
    at, y = alt.X("hours:Q", **axes["x"]), axes["y"]
    return [
        mark.mark_rule(color=INK, strokeDash=[4, 3], strokeWidth=1.3).encode(
            x=at, y=alt.Y("low:Q", **y), y2="top:Q"
        ),
        mark.mark_text(
            align="left", baseline="bottom", dx=6, dy=10, color=INK, fontWeight=600, fontSize=12
        ).encode(x=at, y=alt.Y("top:Q", **y), text="word:N"),
    ]


def _left(
    curve: pl.DataFrame,
    ticks: dict[float, str],
    colors: dict[str, str],
    axes: dict[str, dict[str, Any]],
) -> list[alt.Chart]:
    """How many of each group were not ready at each tick, as rows of numbers below the curve."""
    x, y = axes["x"], axes["y"]
    layers = []
    for group, place in _ROWS.items():
        rows = curve.filter(pl.col("group_name") == group)
        if rows.is_empty():
            continue
        counts = [
            next((n for hours, n in rows.select("hours", "at_risk").iter_rows() if hours > at), 0)
            for at in ticks
        ]
        table = pl.DataFrame({"hours": list(ticks), "place": [place] * len(ticks), "count": counts})
        layers.append(
            alt.Chart(table)
            .mark_text(color=colors[group], fontSize=12, fontWeight=600)
            .encode(x=alt.X("hours:Q", **x), y=alt.Y("place:Q", **y), text="count:Q")
        )
    return layers
