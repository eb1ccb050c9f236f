"""Tables to act on: teams, services, deployments and changes, each row with its source."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import polars as pl
import streamlit as st

from dashboards import facts, frame, words

TEN_ROWS: Final = 10 * 35 + 38
"""Height in pixels of ten rows and the header."""


def deployment_table(page: frame.Page) -> frame.Download:
    """Show the latest deployments of the selection, each with a link to its source."""
    found = facts.deployments(page)
    box = frame.card(
        "The latest deployments",
        f"{words.count(found.height, 'attempt')} in {page.period_words}, newest first; "
        "attempts that never went live and redeployments do not count. Select a row to see why "
        "each counts as it does.",
    )
    rows = found.with_columns(
        url=mapped(found["url"], words.safe_link),
        counts=pl.when("is_counted").then(pl.lit("yes")).otherwise(pl.lit("no")),
        failed=pl.when("is_failed").then(pl.lit("▲ failed")),
        rework=pl.col("rework_state"),
        at=pl.col("at").dt.convert_time_zone(page.build.zone.key),
    ).drop("is_counted", "is_failed", "rework_state")
    event = show_table(
        box,
        rows,
        order=filled(
            rows.select(
                *("at", "version", "kind", "outcome", "counts", "failed", "rework", "changes"),
                *("environment", "origin", "reason", "url"),
            )
        ),
        columns={
            "at": st.column_config.DatetimeColumn("at", format="D MMM YYYY, HH:mm"),
            "counts": "counts",
            "changes": st.column_config.NumberColumn("changes", format="localized"),
            "url": st.column_config.LinkColumn("source", display_text="open"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="deployments",
        alt=f"The latest {words.count(rows.height, 'deployment')}, newest first.",
    )
    chosen = selected_row(event)
    if chosen is not None and chosen < found.height:
        with box:
            frame.walk_button("deployment", found["deployment_id"][chosen])
    return frame.Download(name="deployments", rows=lambda: rows)


def show_table(
    box: Any,
    rows: pl.DataFrame,
    *,
    alt: str,
    columns: Mapping[str, Any] | None = None,
    order: Sequence[str] | None = None,
    **selection: Any,
) -> Any:
    """Show rows in a box or on the page, ten at a time; return what of them is selected."""
    return box.dataframe(
        rows,
        height=table_height(rows.height),
        hide_index=True,
        column_config=columns,
        column_order=order,
        placeholder="–",
        alt=alt,
        **selection,
    )


def filled(rows: pl.DataFrame) -> list[str]:
    """Return the columns that say anything."""
    return [name for name in rows.columns if not rows[name].is_null().all()]


def mapped(values: pl.Series, change: Callable[[Any], str | None]) -> pl.Series:
    """Return a text column changed value by value, nulls kept."""
    return pl.Series(
        values.name,
        [None if value is None else change(value) for value in values],
        dtype=pl.String,
    )


def table_height(rows: int) -> int | Literal["content"]:
    """Return the height of a table: all of its rows, or ten and a scroll bar."""
    return "content" if rows <= 10 else TEN_ROWS


def selected_row(event: Any) -> int | None:
    """Return the position of the selected row of a table, if one is."""
    rows = event.selection.rows
    return rows[0] if rows else None


def exclusion_table(box: Any, exclusions: pl.DataFrame, *, with_example: bool) -> frame.Download:
    """Show how much each rule leaves out and why; with one thing it leaves out as an example."""
    shown = ["rule", "left_out", "reason", *(["example"] if with_example else [])]
    if exclusions.is_empty():
        box.markdown("✓ Nothing is left out.")
    else:
        show_table(
            box,
            exclusions.select(shown).with_columns(
                mapped(exclusions[name], words.one_line) for name in shown if name != "left_out"
            ),
            columns={
                "left_out": st.column_config.NumberColumn("left out", format="localized"),
                "reason": st.column_config.TextColumn("reason", width="large"),
            },
            alt=f"{words.count(exclusions.height, 'rule')} with what they leave out.",
        )
    return frame.Download(name="exclusions", rows=lambda: exclusions)


def exclusion_words(exclusions: pl.DataFrame) -> str:
    """Return how many things are left out by how many rules."""
    return (
        f"{int(exclusions['left_out'].sum() or 0):,} things by "
        f"{words.count(exclusions['rule'].n_unique(), 'rule')}"
    )
