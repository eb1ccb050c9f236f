"""The chart of a launch: what came, what was expected without it, and the difference between."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import layered
from dashboards.palette import INK, palette

_BREAK: Final = "break-paths-show-path-domains"
_MIDDLE: Final = timedelta(days=3, hours=12)


def intervention(weeks: pl.DataFrame, *, launched_on: date, adoption_weeks: int) -> alt.LayerChart:
    """Draw observed tickets, those expected without the launch with their band, and the gap.

    `weeks` are rows of `deflection_week`; the launch is a labelled tick, the adoption window is
    hatched: nothing is learned from it.
    """
    rows = weeks.with_columns(
        at=pl.col("week").cast(pl.Datetime("ms")) + _MIDDLE,
        gap=pl.when(pl.col("phase") == "after").then("expected"),
        opacity=pl.when(pl.col("phase") == "left out").then(0.3).otherwise(1.0),
    )
    ends = rows["at"].to_list()
    start, end = ends[0], ends[-1]
    x = alt.X(
        "at:T",
        title=None,
        scale=alt.Scale(domain=[_day(start), _day(end + (end - start) * 0.13 + timedelta(days=6))]),
        axis=alt.Axis(grid=False, tickCount="month", format="%b %Y", labelOverlap=True),
    )
    tops = [rows["tickets"].max(), rows["expected_high"].max(), rows["expected"].max()]
    known = [float(top) for top in tops if isinstance(top, int | float)]
    top = min(max(known), 2.2 * max(float(known[0]), known[-1], 1.0))
    y: dict[str, Any] = {
        "title": None,
        "scale": alt.Scale(domain=[0, top * 1.15 + 1], nice=False, clamp=True),
        "axis": alt.Axis(tickCount=4, format="~d", domain=False, ticks=False, labelPadding=6),
    }
    tooltip = [
        alt.Tooltip("week:T", title="week from", format="%-d %b %Y"),
        alt.Tooltip("tickets:Q", title="tickets"),
        alt.Tooltip("expected:Q", title="expected without it", format=".1f"),
        alt.Tooltip("actions:Q", title="self-service actions"),
        alt.Tooltip("engineers:Q", title="engineers"),
        alt.Tooltip("phase:N", title="week is"),
    ]
    base = alt.Chart(rows)
    return layered(
        *_adoption(launched_on, adoption_weeks, end),
        base.mark_area(color=INK, opacity=0.08, invalid=_BREAK).encode(
            x=x, y=alt.Y("expected_low:Q", **y), y2="expected_high:Q"
        ),
        base.mark_area(color=palette().clear, opacity=0.32, invalid=_BREAK).encode(
            x=x, y=alt.Y("gap:Q", **y), y2="tickets:Q"
        ),
        base.mark_line(color=INK, opacity=0.7, strokeDash=[5, 3], invalid=_BREAK).encode(
            x=x, y=alt.Y("expected:Q", **y)
        ),
        base.mark_line(color=palette().primary, strokeWidth=2.2).encode(
            x=x, y=alt.Y("tickets:Q", **y)
        ),
        base.mark_point(filled=True, size=26, color=palette().primary).encode(
            x=x,
            y=alt.Y("tickets:Q", **y),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            tooltip=tooltip,
        ),
        *_launch(launched_on, start, end),
        *_ends(rows, x, y),
    )


def _adoption(launched_on: date, weeks: int, end: datetime) -> list[alt.Chart]:
    monday = datetime.combine(launched_on, datetime.min.time()) - timedelta(
        days=launched_on.weekday()
    )
    if weeks == 0 or monday > end:
        return []
    steps = [monday + timedelta(days=1.75 * step) for step in range(4 * weeks + 1)]
    return [
        alt.Chart(pl.DataFrame({"at": steps}))
        .mark_rule(color=INK, opacity=0.13, strokeWidth=1)
        .encode(x=alt.X("at:T", title=None))
    ]


def _launch(launched_on: date, start: datetime, end: datetime) -> list[alt.Chart]:
    moment = datetime.combine(launched_on, datetime.min.time())
    if not start <= moment <= end:
        return []
    mark = alt.Chart(pl.DataFrame({"at": [moment], "word": [f"launch {words.day(launched_on)}"]}))
    at = alt.X("at:T", title=None)
    is_late = (moment - start) > (end - start) * 0.6
    return [
        mark.mark_rule(color=INK, strokeWidth=1.5).encode(x=at),
        mark.mark_text(
            align="right" if is_late else "left",
            baseline="top",
            dx=-6 if is_late else 6,
            fontSize=12,
            fontWeight=600,
            color=INK,
        ).encode(x=at, y=alt.value(0), text="word:N"),
    ]


def _ends(rows: pl.DataFrame, x: alt.X, y: dict[str, Any]) -> list[alt.Chart]:
    """Write the name of each line behind its end, pushed apart where they meet."""
    last = rows.filter(pl.col("phase") != "left out").tail(1)
    if last.is_empty():
        return []
    tickets, expected = last["tickets"].item(), last["expected"].item()
    top = y["scale"].domain[1]
    is_close = expected is not None and abs(expected - tickets) < 0.09 * top
    sign = 1 if expected is not None and expected >= tickets else -1
    named = [("tickets", "came", palette().primary, 9 * sign if is_close else 0)]
    if expected is not None:
        named.append(("expected", "expected", INK, -9 * sign if is_close else 0))
    return [
        alt.Chart(last.with_columns(word=pl.lit(word)))
        .mark_text(align="left", dx=7, dy=shift, fontSize=12, fontWeight=600, color=color)
        .encode(x=x, y=alt.Y(f"{column}:Q", **y), text="word:N")
        for column, word, color, shift in named
    ]


def _day(value: datetime) -> dict[str, int]:
    return {"year": value.year, "month": value.month, "date": value.day}
