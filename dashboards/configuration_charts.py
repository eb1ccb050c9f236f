"""The chart of who uses what: teams against categories, with the value written in the cell."""

from typing import Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.axes import layered
from dashboards.palette import INK, palette

MOST_TEAMS: Final = 30
_ROW: Final = 34
_ROOM: Final = 58
_SIGNS: Final = 29


def heat(cells: pl.DataFrame) -> alt.LayerChart:
    """Draw what each team uses in each category; outliers are marked by sign and shade."""
    teams = teams_shown(cells)
    order = cells["title"].unique(maintain_order=True).to_list()
    shown = cells.filter(pl.col("team").is_in(teams)).with_columns(
        text=_texts(cells.filter(pl.col("team").is_in(teams))),
        all=pl.col("titles").list.join(", "),
        standing=pl.when("is_excepted")
        .then(pl.lit("exception"))
        .when("is_outlier")
        .then(pl.lit("outlier"))
        .otherwise(pl.lit("as others")),
    )
    grid = pl.DataFrame({"team": teams}).join(pl.DataFrame({"title": order}), how="cross")
    empty = grid.join(shown, on=["team", "title"], how="anti").with_columns(
        text=pl.lit("–"), all=pl.lit("nothing seen"), standing=pl.lit("not compared")
    )
    rows = pl.concat([shown.select(empty.columns), empty])
    base = alt.Chart(rows).encode(
        x=alt.X(
            "title:N",
            sort=order,
            title=None,
            axis=alt.Axis(
                orient="top",
                labelAngle=0,
                labelLimit=150,
                labelOverlap=False,
                grid=False,
                domain=False,
                ticks=False,
                labelPadding=8,
            ),
        ),
        y=alt.Y(
            "team:N",
            sort=teams,
            title=None,
            axis=alt.Axis(labelLimit=150, labelPadding=8, grid=False, domain=False, ticks=False),
        ),
        tooltip=[
            alt.Tooltip("team:N"),
            alt.Tooltip("title:N", title="category"),
            alt.Tooltip("all:N", title="uses"),
            alt.Tooltip("standing:N"),
        ],
    )
    colors = palette()
    strength = alt.Scale(
        domain=["as others", "exception", "outlier", "not compared"], range=[0.1, 0.22, 0.34, 0.0]
    )
    cell_color = alt.Scale(
        domain=["as others", "exception", "outlier", "not compared"],
        range=[colors.primary, colors.trending, colors.crossed, colors.line],
    )
    marks = base.mark_rect(stroke=colors.ground, strokeWidth=3, cornerRadius=4).encode(
        fill=alt.Fill("standing:N", legend=None, scale=cell_color),
        fillOpacity=alt.FillOpacity("standing:N", legend=None, scale=strength),
    )
    texts = base.mark_text(color=INK, fontSize=12).encode(text="text:N")
    return layered(marks, texts, height=_ROW * len(teams) + _ROOM)


def teams_shown(cells: pl.DataFrame) -> list[str]:
    """Return the teams a chart has room for: those with most outliers where there are too many."""
    ranked = (
        cells.group_by("team")
        .agg(pl.col("is_outlier").sum().alias("outliers"))
        .sort(["outliers", "team"], descending=[True, False])
    )
    kept = ranked.head(MOST_TEAMS)["team"].to_list()
    return [team for team in cells["team"].unique(maintain_order=True).to_list() if team in kept]


def heat_words(cells: pl.DataFrame) -> str:
    """Return in words what the chart shows."""
    outliers = cells.filter("is_outlier")
    return (
        f"What {words.count(cells['team'].n_unique(), 'team')} use in "
        f"{words.count(cells['title'].n_unique(), 'category', 'categories')}; "
        f"{words.count(outliers.height, 'outlier')}."
    )


def _texts(cells: pl.DataFrame) -> pl.Series:
    """Return what fits into a cell: the sign of an outlier or exception, and the approaches."""
    texts = []
    for titles, is_outlier, is_excepted in cells.select(
        "titles", "is_outlier", "is_excepted"
    ).iter_rows():
        whole = ", ".join(titles)
        short = whole if len(whole) <= _SIGNS else titles[0][: _SIGNS - 1]
        if len(whole) > _SIGNS and len(titles) > 1:
            short = f"{titles[0][: _SIGNS - 4]} +{len(titles) - 1}"
        elif len(whole) > _SIGNS:
            short += "…"
        sign = "◇ " if is_excepted else "▲ " if is_outlier else ""
        texts.append(sign + short)
    return pl.Series("text", texts, dtype=pl.String)
