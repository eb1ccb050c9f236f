"""Charts of the page of requests: hours by class, the share of requests, the text model."""

from datetime import date, timedelta
from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import layered
from dashboards.palette import INK, palette

NAMES: Final = {
    "request": "requests",
    "build": "building",
    "incident": "incidents",
    "overhead": "overhead",
    "unclassified": "unclassified",
}
# Requests in the colour that stands for work of others, building in the primary one.
_PLACES: Final = {"build": 0, "request": 1, "incident": 4, "overhead": 6, "unclassified": None}
# Both charts stand above each other: their axes take the same room.
_LEFT: Final = 62
_ORDER: Final = ("build", "request", "incident", "overhead", "unclassified")


def by_week(hours: pl.DataFrame) -> alt.LayerChart:
    """Draw weekly hours as stacked bars, one colour a class, named in a legend."""
    rows = (
        hours.select("week", *_ORDER)
        .unpivot(index="week", variable_name="class", value_name="hours")
        .with_columns(
            end=pl.col("week").cast(pl.Datetime("ms")) + timedelta(days=6),
            week=pl.col("week").cast(pl.Datetime("ms")),
            name=pl.col("class").replace_strict(NAMES),
            place=pl.col("class").replace_strict({name: i for i, name in enumerate(_ORDER)}),
        )
        .filter(pl.col("hours") > 0)
        .sort("week", "place")
        .with_columns(
            above=pl.col("hours").cum_sum().over("week"),
            below=pl.col("hours").cum_sum().over("week") - pl.col("hours"),
        )
    )
    shown = [name for name in _ORDER if name in rows["class"].to_list()]
    color = alt.Color(
        "name:N",
        title=None,
        sort=[NAMES[name] for name in shown],
        scale=alt.Scale(
            domain=[NAMES[name] for name in shown], range=[_color(name) for name in shown]
        ),
        legend=alt.Legend(orient="top", columns=3, symbolType="square", offset=4),
    )
    bars = (
        alt.Chart(rows)
        .mark_rect(stroke=palette().ground, strokeWidth=0.8)
        .encode(
            x=_weeks(hours),
            x2="end:T",
            y=alt.Y(
                "below:Q",
                title=None,
                axis=alt.Axis(
                    tickCount=4,
                    labelExpr="datum.label + ' h'",
                    domain=False,
                    ticks=False,
                    labelPadding=6,
                    minExtent=_LEFT,
                ),
            ),
            y2="above:Q",
            color=color,
            tooltip=[
                alt.Tooltip("week:T", title="week from", format="%-d %b %Y"),
                alt.Tooltip("name:N", title="class"),
                alt.Tooltip("hours:Q", title="hours", format=",.1f"),
            ],
        )
    )
    return layered(bars)


def shares(hours: pl.DataFrame, threshold: float, since: date | None) -> alt.LayerChart:
    """Draw the weekly share of requests against the threshold; `since` marks the window."""
    rows = hours.with_columns(
        # In the middle of its bar.
        week=pl.col("week").cast(pl.Datetime("ms")) + timedelta(days=3),
        percent=pl.col("share") * 100,
    )
    limit = threshold * 100
    y: dict[str, Any] = {
        "title": None,
        "scale": alt.Scale(domain=[0, 102], nice=False),
        "axis": alt.Axis(
            values=[0, limit, 100],
            labelExpr=f"(datum.value == {limit!r} ? 'limit ' : '') + datum.label + ' %'",
            domain=False,
            ticks=False,
            labelPadding=6,
            minExtent=_LEFT,
        ),
    }
    rule = pl.DataFrame({"limit": [limit]})
    x = _weeks(hours)
    layers: list[alt.Chart] = [
        alt.Chart(rule)
        .mark_rule(color=palette().crossed, strokeDash=[5, 3], strokeWidth=1.4)
        .encode(y=alt.Y("limit:Q", **y)),
        alt.Chart(rows)
        .mark_line(
            color=palette().categories[1], strokeWidth=2.2, invalid="break-paths-show-path-domains"
        )
        .encode(x=x, y=alt.Y("percent:Q", **y)),
        alt.Chart(rows.filter(pl.col("share").is_not_null()))
        .mark_point(filled=True, size=26, color=palette().categories[1])
        .encode(
            x=x,
            y=alt.Y("percent:Q", **y),
            tooltip=[
                alt.Tooltip("week:T", title="week of", format="%-d %b %Y"),
                alt.Tooltip("percent:Q", title="share of requests, %", format=".0f"),
            ],
        ),
    ]
    if since is not None:
        start = pl.DataFrame(
            {"at": [since], "word": ["weeks that count →"], "zero": [0]}
        ).with_columns(pl.col("at").cast(pl.Datetime("ms")))
        at = alt.X("at:T", title=None)
        layers += [
            alt.Chart(start).mark_rule(color=INK, opacity=0.45, strokeDash=[2, 3]).encode(x=at),
            alt.Chart(start)
            .mark_text(align="left", baseline="bottom", dx=5, fontSize=11, color=INK, opacity=0.75)
            .encode(x=at, y=alt.Y("zero:Q", **y), text="word:N"),
        ]
    return layered(*layers)


def calibration(bins: pl.DataFrame) -> alt.LayerChart:
    """Draw stated against real frequency; on the diagonal both agree."""
    rows = bins.with_columns(
        stated=pl.col("mean_probability") * 100, right=pl.col("right_share") * 100
    )
    axis: dict[str, Any] = {
        "scale": alt.Scale(domain=[0, 102], nice=False),
        "axis": alt.Axis(
            values=[0, 25, 50, 75, 100],
            labelExpr="datum.value + ' %'",
            domain=False,
            ticks=False,
            titleFontWeight="normal",
        ),
    }
    line = pl.DataFrame({"stated": [0, 100], "right": [0, 100]})
    x = alt.X("stated:Q", title="says it is this sure", **axis)
    y = alt.Y("right:Q", title="and is right in", **axis)
    return layered(
        alt.Chart(line)
        .mark_line(color=INK, opacity=0.4, strokeDash=[4, 3], strokeWidth=1.2)
        .encode(x=x, y=y),
        alt.Chart(rows)
        .mark_point(filled=True, color=palette().primary, opacity=0.85)
        .encode(
            x=x,
            y=y,
            size=alt.Size("tickets:Q", scale=alt.Scale(range=[40, 420]), legend=None),
            tooltip=[
                alt.Tooltip("tickets:Q", title="tickets", format=","),
                alt.Tooltip("stated:Q", title="stated, %", format=".0f"),
                alt.Tooltip("right:Q", title="right, %", format=".0f"),
            ],
        ),
    )


def _color(name: str) -> str:
    place = _PLACES[name]
    return palette().line if place is None else palette().categories[place]


def _weeks(hours: pl.DataFrame) -> alt.X:
    first, last = hours["week"].to_list()[0], hours["week"].to_list()[-1]
    ends = [first, last + timedelta(days=8)]
    step = max(1, round((ends[1] - ends[0]).days / 31 / 8))
    return alt.X(
        "week:T",
        title=None,
        scale=alt.Scale(domain=[{"year": d.year, "month": d.month, "date": d.day} for d in ends]),
        axis=alt.Axis(
            grid=False,
            tickCount={"interval": "month", "step": step},
            format="%b",
            labelOverlap=True,
        ),
    )


def week_words(hours: pl.DataFrame) -> str:
    """Return what the chart of hours shows, for those who do not see it."""
    total = {name: float(hours[name].sum()) for name in _ORDER}
    parts = [f"{words.number(value)} h {NAMES[name]}" for name, value in total.items() if value]
    return f"Hours of {words.count(hours.height, 'week')}: {words.listed(parts)}."
