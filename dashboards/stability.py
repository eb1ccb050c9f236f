"""Natural limits of a weekly series, and the weeks that stand out of it."""

from datetime import date
from typing import Any, Final

import altair as alt
import polars as pl

from dashboards import words
from dashboards.measures import Kind
from dashboards.palette import INK, palette

_STEP: Final = "step-after"
_RULES: Final = (("centre", 0.35, [1, 0]), ("low", 0.3, [1, 4]), ("high", 0.3, [1, 4]))


def of(rows: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Return the weeks of one measure."""
    return rows.filter((pl.col("metric") == kind.metric) & (pl.col("variant") == kind.variant))


def natural_limits(limits: pl.DataFrame, x: alt.X, y: dict[str, Any]) -> list[alt.Chart]:
    """Draw the centre and the natural limits as thin rules, and mark recent signals."""
    shown = limits.with_columns(week=pl.col("week").cast(pl.Datetime("ms")))
    layers = [
        alt.Chart(shown.filter(pl.col(name).is_not_null()))
        .mark_line(color=INK, opacity=opacity, strokeWidth=1, strokeDash=dash, interpolate=_STEP)
        .encode(x=x, y=alt.Y(f"{name}:Q", **y))
        for name, opacity, dash in (
            ("centre", 0.35, [1, 0]),
            ("low", 0.3, [1, 4]),
            ("high", 0.3, [1, 4]),
        )
    ]
    marked = shown.filter("is_recent")
    if not marked.is_empty():
        layers.append(
            alt.Chart(marked)
            .mark_point(
                shape="diamond", size=150, filled=False, strokeWidth=2, color=palette().trending
            )
            .encode(
                x=x,
                y=alt.Y("value:Q", **y),
                tooltip=[
                    alt.Tooltip("week:T", title="week from", format="%-d %b %Y"),
                    alt.Tooltip("signal:N", title="signal"),
                ],
            )
        )
    return layers


def told(limits: pl.DataFrame) -> str:
    """Return in words how many recent weeks stand out, and how many chance alone would give."""
    if limits.is_empty():
        return ""
    count = int(limits["is_recent"].sum())
    found = "No week" if count == 0 else f"{words.count(count, 'week')} ◇"
    return f"{found} of the last eight out of the natural limits (dotted); {by_chance(limits)}."


def by_chance(limits: pl.DataFrame) -> str:
    """Return in words how many signals a stable series of this shape would show in eight weeks."""
    expected = limits["expected_by_chance"].max()
    assert isinstance(expected, int | float)  # noqa: S101  # every series carries the number
    return f"about {words.number(float(expected))} expected by chance"


def signals(limits: pl.DataFrame) -> dict[str, list[date]]:
    """Return the recent weeks that stand out, by the rule they break."""
    found: dict[str, list[date]] = {}
    for week, signal in (
        limits.filter("is_recent").sort("week").select("week", "signal").iter_rows()
    ):
        found.setdefault(signal, []).append(week)
    return found
