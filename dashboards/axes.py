"""What charts share: layers that fill a card, and a log axis in lengths people have words for."""

import math
from typing import Any, Final, Literal

import altair as alt
import polars as pl

from dashboards import words
from dashboards.palette import INK

_DAY: Final = 24.0
_WORDS: Final = {
    1 / 60: "1 min",
    5 / 60: "5 min",
    15 / 60: "15 min",
    0.5: "30 min",
    1.0: "1 h",
    2.0: "2 h",
    4.0: "4 h",
    8.0: "8 h",
    12.0: "12 h",
    _DAY: "1 day",
    2 * _DAY: "2 days",
    3 * _DAY: "3 days",
    7 * _DAY: "1 week",
    14 * _DAY: "2 weeks",
    730.0: "1 month",
    3 * 730.0: "3 months",
    8760.0: "1 year",
    5 * 8760.0: "5 years",
}
_FEW: Final = (1 / 60, 15 / 60, 1.0, 4.0, _DAY, 7 * _DAY, 730.0, 8760.0)


def duration_axis(hours: pl.Series) -> dict[str, Any]:
    """Return scale and axis for durations in hours, wide enough for all of them."""
    low, high = _bounds(hours.filter(hours > 0).drop_nulls())
    ticks = [tick for tick in _FEW if low <= tick <= high]
    if len(ticks) < 3:
        ticks = [tick for tick in _WORDS if low <= tick <= high]
    labels = " : ".join(
        f"abs(datum.value / {tick!r} - 1) < 0.001 ? '{_WORDS[tick]}'" for tick in ticks
    )
    return {
        "scale": alt.Scale(type="log", domain=[low, high], nice=False, clamp=True),
        "axis": alt.Axis(
            values=ticks,
            labelExpr=f"{labels} : ''" if labels else "''",
            domain=False,
            ticks=False,
            labelPadding=6,
        ),
    }


def duration_rules(marks: dict[str, float], axis: dict[str, Any]) -> list[alt.Chart]:
    """Return rules with a word and the duration beside each, on an axis of `duration_axis`.

    `marks` are hours by word: the first is drawn full, the others dashed.
    """
    low, high = axis["scale"].domain
    at = alt.X("at:Q", title=None, **axis)
    layers: list[alt.Chart] = []
    for row, (name, hours) in enumerate(marks.items()):
        place = math.log(max(hours, low) / low) / math.log(high / low)
        # The first word stands left of its rule and the others right, unless the edge is near.
        is_left = place > 0.3 if row == 0 else place > 0.8
        mark = alt.Chart(
            pl.DataFrame({"at": [hours], "word": [f"{name} {words.short_duration(hours)}"]})
        )
        layers += [
            mark.mark_rule(
                color=INK, strokeWidth=1.5, strokeDash=[1, 0] if row == 0 else [4, 3]
            ).encode(x=at),
            mark.mark_text(
                align="right" if is_left else "left",
                baseline="top",
                dx=-6 if is_left else 6,
                dy=17 * row,
                color=INK,
                fontWeight=600,
                fontSize=12,
            ).encode(x=at, y=alt.value(0), text="word:N"),
        ]
    return layers


def _bounds(positive: pl.Series) -> tuple[float, float]:
    numbers = positive.to_list()
    if not numbers:
        return 1.0, 24.0
    low, high = max(min(numbers), 1 / 60) / 1.25, max(numbers) * 1.25
    # Two words at least belong on an axis: one number alone says nothing about the scale.
    while sum(low <= tick <= high for tick in _WORDS) < 2:
        low, high = low / 1.3, high * 1.3
    return low, high


def rate_axis(values: list[float], intervals: list[float]) -> dict[str, Any]:
    """Return scale and axis for rates: from zero, and up to something even if all is zero.

    Wide intervals are cut off at a multiple of the largest value, or the values would be a line
    along the bottom.
    """
    largest = max(values, default=0.0) or 1.0
    top = max(largest, min(max(intervals, default=0.0), 2.5 * largest)) * 1.06
    return {
        "scale": alt.Scale(domain=[0, top], nice=False, clamp=True),
        "axis": alt.Axis(tickCount=4, format=",.2~f", domain=False, ticks=False, labelPadding=6),
    }


def layered(
    *layers: alt.Chart | alt.LayerChart, height: int | Literal["container"] = "container"
) -> alt.LayerChart:
    """Return layers as one chart as wide as its card, and as high unless a height is given."""
    chart = alt.LayerChart(layer=list(layers))
    return chart.properties(height=height, width="container")
