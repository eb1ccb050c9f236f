"""The chart of what each source covers."""

from datetime import datetime

import altair as alt
import polars as pl

from dashboards.axes import layered
from dashboards.palette import INK


def coverage(rows: pl.DataFrame, as_of: datetime) -> alt.LayerChart:
    """Draw from when to when each stream has data, up to the moment of the build."""
    y = alt.Y(
        "name:N",
        sort=rows["name"].to_list(),
        title=None,
        axis=alt.Axis(labelLimit=200, labelPadding=8, grid=False, domain=False, ticks=False),
    )
    x = alt.X(
        "coverage_from:T",
        title=None,
        axis=alt.Axis(grid=False, tickCount=5, labelOverlap=True, format="%b %Y"),
    )
    bars = (
        alt.Chart(rows)
        .mark_bar(cornerRadius=3, height=12)
        .encode(
            x=x,
            x2="coverage_to:T",
            y=y,
            color=alt.Color("color:N", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("name:N", title="stream"),
                alt.Tooltip("coverage_from:T", title="from", format="%-d %b %Y"),
                alt.Tooltip("coverage_to:T", title="to", format="%-d %b %Y %H:%M"),
                alt.Tooltip("state:N"),
            ],
        )
    )
    limit = (
        alt.Chart(pl.DataFrame({"at": [as_of]}))
        .mark_rule(color=INK, strokeDash=[2, 3], opacity=0.6)
        .encode(x="at:T")
    )
    return layered(bars, limit, height=28 * rows.height + 48)
