"""The history of the verdict: one strip a threshold, and the answer above them."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final

import altair as alt
import polars as pl

from dashboards.axes import layered
from dashboards.palette import INK, palette
from pipelines import threshold_words
from pipelines.thresholds import TITLES

_EVERY: Final = timedelta(weeks=4)
_ANSWER: Final = "Verdict"
_ANSWERS: Final = {
    "platform engineering": ("crossed", "▲", "platform engineering"),
    "devops": ("clear", "✓", "DevOps"),
    "undecided": ("insufficient", "···", "undecided"),
}


def history(verdicts: pl.DataFrame, states: pl.DataFrame) -> alt.LayerChart:
    """Draw what each threshold was at every evaluation; a sign stands where a state begins."""
    table = strips(verdicts, states)
    # Names stand above their strip: beside it they would take half of a phone's width.
    order = [_ANSWER, *TITLES.values()]
    spaced = alt.Scale(paddingInner=0.52, paddingOuter=0.22, align=1)
    y = alt.Y("row:N", sort=order, axis=None, scale=spaced)
    x = alt.X(
        "start:T",
        title=None,
        axis=alt.Axis(grid=False, format="%b %Y", labelOverlap=True, tickCount=6),
    )
    color = alt.Color(
        "state:N",
        legend=None,
        scale=alt.Scale(domain=list(_colors()), range=list(_colors().values())),
    )
    tooltip = [
        alt.Tooltip("row:N", title="threshold"),
        alt.Tooltip("day:N", title="evaluated to"),
        alt.Tooltip("words:N", title="state"),
        alt.Tooltip("value:N", title="value"),
    ]
    base = alt.Chart(table).encode(x=x, x2="end:T", y=y, tooltip=tooltip)
    known = base.transform_filter("datum.state != 'insufficient'").mark_rect(
        opacity=0.9, stroke=palette().ground, strokeWidth=1.2
    )
    gaps = alt.Chart(_gaps(table)).encode(x=x, x2="end:T", y=y)
    unknown = gaps.mark_rect(
        fillOpacity=0, strokeOpacity=0.7, strokeDash=[2, 2], strokeWidth=1, stroke=INK
    )
    asked = base.transform_filter("datum.state == 'insufficient'").mark_rect(fillOpacity=0.06)
    signs = (
        alt.Chart(table.filter("is_first"))
        .mark_text(align="left", dx=4, fontSize=12, fontWeight=700)
        .encode(
            x=x,
            y=y,
            text="sign:N",
            color=alt.condition(
                "datum.state == 'insufficient'", alt.value(INK), alt.value(palette().ground)
            ),
        )
    )
    first = table.filter(start=table["start"].min()) if table.height else table
    names = (
        alt.Chart(first)
        .mark_text(align="left", baseline="bottom", dy=-13, color=INK, fontSize=12.5)
        .encode(x=x, y=y, text="row:N")
    )
    return layered(known.encode(color=color), unknown, asked, signs, names, height=270)


def strips(verdicts: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """Return one row a strip and evaluation, with what is drawn and told."""
    rows: list[dict[str, Any]] = []
    for each in verdicts.iter_rows(named=True):
        state, sign, told = _ANSWERS[each["answer"]]
        rows.append(_cell(_ANSWER, each["evaluated_on"], state, sign, told))
    for each in states.iter_rows(named=True):
        number = "no value"
        if each["value"] is not None:
            number = " ".join(threshold_words.value(each["threshold"], each["value"]))
        state = "clear" if each["state"] == "not applicable" else each["state"]
        told = threshold_words.in_words(each["state"])
        sign = threshold_words.SIGNS[each["state"]]
        rows.append(
            _cell(each["title"], each["evaluated_on"], state, sign, told) | {"value": number}
        )
    return (
        pl.DataFrame(rows)
        .sort("row", "start")
        .with_columns(
            is_first=(pl.col("sign") != pl.col("sign").shift(1).over("row")).fill_null(value=True)
        )
    )


def _gaps(table: pl.DataFrame) -> pl.DataFrame:
    """Return one row a time without enough data: one box, however many evaluations it spans."""
    runs = table.with_columns(run=pl.col("state").rle_id().over("row"))
    return (
        runs.filter(state="insufficient")
        .group_by("row", "run", maintain_order=True)
        .agg(pl.col("start").min(), pl.col("end").max())
    )


def _cell(row: str, on: date, state: str, sign: str, told: str) -> dict[str, Any]:
    start = datetime.combine(on, time())
    return {
        "row": row,
        "start": start,
        "end": start + _EVERY,
        "state": state,
        "sign": sign,
        "words": told,
        "day": threshold_words.day(on),
        "value": "–",
    }


def _colors() -> dict[str, str]:
    colors = palette()
    return {
        "crossed": colors.crossed,
        "trending": colors.trending,
        "clear": colors.clear,
        "insufficient": colors.raised,
    }
