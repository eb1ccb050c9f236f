"""Charts of where lead time goes: the stages of one way, and stages against teams or services."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import layered
from dashboards.palette import INK, palette

STAGE_WORDS: Final = {
    "coding": "coding",
    "pickup": "waiting for review",
    "review": "in review",
    "merge": "waiting to merge",
    "deploy": "waiting to deploy",
    "unreviewed": "without review",
}
_ROW: Final = 32
_ROOM: Final = 72
"""Height of the axis above a heat map and the margin below it."""


def stages(
    hours: dict[str, float],
    *,
    note: dict[str, str] | None = None,
    names: Mapping[str, str] = STAGE_WORDS,
    short: Callable[[float], str] = words.short_duration,
) -> alt.LayerChart:
    """Draw stages as one stacked bar that adds up, and below it each stage by name and value.

    The lower bars hang under their piece of the upper one, so that colour is not needed to read
    the chart. `note` adds words behind a stage's value; `names` are what the stages are called,
    `short` says their lengths.
    """
    total = sum(hours.values())
    reach = _reach(hours, total)
    frame = pl.DataFrame(_pieces(hours, reach, note or {}, names, short))
    whole = frame.with_columns(name=pl.lit("all stages"))
    each = frame.with_columns(name=pl.col("stage"))
    y = alt.Y(
        "name:N",
        sort=["all stages", *frame["stage"].to_list()],
        title=None,
        axis=alt.Axis(ticks=False, domain=False, labelLimit=140, labelPadding=8),
        scale=alt.Scale(paddingInner=0.36, paddingOuter=0.12),
    )
    x = alt.X(
        "from:Q",
        title=None,
        axis=None,
        scale=alt.Scale(domain=[0, max(reach, 1e-9)], nice=False),
    )
    bars = (
        alt.Chart(pl.concat([whole, each]))
        .mark_bar(cornerRadius=2)
        .encode(
            x=x,
            x2="to:Q",
            y=y,
            color=alt.Color("color:N", scale=None, legend=None),
            tooltip=[alt.Tooltip("stage:N"), alt.Tooltip("label:N", title="mean")],
        )
    )
    sides = [
        alt.Chart(each.filter(pl.col("is_left") == is_left))
        .mark_text(
            align="right" if is_left else "left", dx=-6 if is_left else 6, color=INK, fontSize=12
        )
        .encode(x=alt.X("label_at:Q"), y=y, text="label:N")
        for is_left in sorted(set(frame["is_left"].to_list()))
    ]
    return layered(bars, *sides)


def _reach(hours: dict[str, float], total: float) -> float:
    """Return where the axis ends: beyond the total if a bar would leave its words no room."""
    start, reach = 0.0, total
    for value in hours.values():
        end = start + value
        if max(start, total - end) < total * 0.42:
            reach = max(reach, end + total * 0.42)
        start = end
    return reach


def _pieces(
    hours: dict[str, float],
    reach: float,
    note: dict[str, str],
    names: Mapping[str, str],
    short: Callable[[float], str],
) -> list[dict[str, Any]]:
    pieces = []
    total = sum(hours.values())
    start = 0.0
    for stage, value in hours.items():
        end = start + value
        # Room for the words is on the side where more of the chart is empty.
        is_left = start > reach - end
        share = value / total * 100 if total else 0.0
        after = f" {note[stage]}" if stage in note else ""
        pieces.append(
            {
                "stage": names[stage],
                "from": start,
                "to": end,
                "label_at": start if is_left else end,
                "label": f"{short(value)} · {share:.0f} %{after}",
                "is_left": is_left,
                "color": palette().categories[list(names).index(stage)],
            }
        )
        start = end
    return pieces


def heat(rows: pl.DataFrame, *, row_title: str) -> alt.LayerChart:
    """Draw hours per stage and team or service as a heat map with the value in each cell."""
    order = rows["name"].unique(maintain_order=True).to_list()
    known = set(rows["stage"].to_list())
    shown = rows.with_columns(
        text=pl.col("hours").map_elements(words.short_duration, return_dtype=pl.String)
    )
    base = alt.Chart(shown).encode(
        x=alt.X(
            "stage:N",
            sort=[word for word in STAGE_WORDS.values() if word in known],
            title=None,
            axis=alt.Axis(
                orient="top",
                labelAngle=0,
                labelLimit=110,
                labelExpr="split(datum.label, ' ')",
                labelOverlap=False,
                labelBaseline="top",
                labelPadding=42,
                grid=False,
                domain=False,
                ticks=False,
            ),
        ),
        y=alt.Y(
            "name:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelLimit=150, labelPadding=8, grid=False, domain=False, ticks=False),
        ),
        tooltip=[
            alt.Tooltip("name:N", title=row_title),
            alt.Tooltip("stage:N"),
            alt.Tooltip("text:N", title="mean"),
            alt.Tooltip("n:Q", title="n", format=","),
        ],
    )
    # The strongest cell stays light enough for text in the colour of all other text.
    cells = base.mark_rect(
        color=palette().primary, stroke=palette().ground, strokeWidth=3, cornerRadius=4
    ).encode(
        fillOpacity=alt.FillOpacity(
            "hours:Q", legend=None, scale=alt.Scale(range=[0.05, 0.5], zero=True)
        )
    )
    texts = base.mark_text(color=INK, fontSize=12).encode(text="text:N")
    return layered(cells, texts, height=_ROW * len(order) + _ROOM)
