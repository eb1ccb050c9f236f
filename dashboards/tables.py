"""Tables to act on: teams, services, deployments and changes, each row with its source."""

from collections.abc import Callable
from typing import Any, Final, Literal

import polars as pl
import streamlit as st

from dashboards import frame, words
from dashboards.measures import (
    DEPLOYMENT_DAYS,
    DEPLOYMENTS,
    LEAD_TIME,
    LEAD_TIME_P90,
    WAITING,
    Kind,
    picked,
    side_by_side,
)

TEN_ROWS: Final = 10 * 35 + 38
"""Height in pixels of ten rows and the header."""

_MEMBER_SCHEMA: Final = {
    "name": pl.String,
    "team": pl.String,
    "deployments": pl.Float64,
    "days": pl.Float64,
    "median": pl.Float64,
    "interval": pl.String,
    "change": pl.String,
    "p90": pl.Float64,
    "n": pl.Int64,
    "waiting": pl.Float64,
    "note": pl.String,
    "source": pl.String,
}


def level(page: frame.Page) -> str:
    """Ask whether rows are teams or services; only services remain once a team is chosen."""
    if page.scope.team_id is not None or page.queries.teams().is_empty():
        return "service"
    chosen = st.segmented_control(
        "Rows are",
        ["team", "service"],
        default="team",
        required=True,
        format_func=lambda name: f"{name.capitalize()}s",
        label_visibility="collapsed",
        key="rows",
        bind="query-params",
    )
    return chosen or "team"


def member_table(page: frame.Page, metrics: list[str]) -> frame.Download:
    """Show teams or services with their delivery, slowest first; a chosen one can be opened."""
    box = frame.card(
        "Where to look first",
        "How often deployed; lead time from first commit to live, slowest median first. "
        "Select a row to open it.",
    )
    with box:
        shown_level = level(page)
        records = side_by_side(page.queries.members(page.scope, shown_level, metrics))
        rows = pl.DataFrame(
            [_member(record, page) for record in records], schema=_MEMBER_SCHEMA
        ).with_row_index("row")
        rows = rows.sort("median", descending=True, nulls_last=True, maintain_order=True)
        divisor, unit = words.column_unit(rows["median"].to_list())
        hidden = {"team", "source"} if shown_level == "team" else set()
        hidden |= {name for name in ("note", "source") if rows[name].is_null().all()}
        is_often = (rows["deployments"] >= 1).any()
        rate = "%.1f" if is_often else "%.2f"
        shown = rows.drop("row").with_columns(pl.col("median", "p90") / divisor)
        event = st.dataframe(
            shown,
            height=table_height(rows.height),
            hide_index=True,
            column_order=[column for column in _MEMBER_SCHEMA if column not in hidden],
            column_config={
                "name": st.column_config.TextColumn(shown_level, pinned=True, width=150),
                "team": st.column_config.TextColumn("team", width=110),
                "deployments": st.column_config.NumberColumn("times a week", format=rate, width=85),
                "days": st.column_config.NumberColumn("days a week", format=rate, width=85),
                "median": st.column_config.NumberColumn(
                    f"median ({unit})", format="%.1f", width=110
                ),
                "interval": st.column_config.TextColumn(
                    "95 % interval", alignment="right", width=95
                ),
                "change": st.column_config.TextColumn("against before", width=170),
                "p90": st.column_config.NumberColumn(f"p90 ({unit})", format="%.1f", width=90),
                "n": st.column_config.NumberColumn("n changes", format="localized", width=80),
                "waiting": st.column_config.NumberColumn("not yet live", format="%d", width=85),
                "note": "note",
                "source": st.column_config.LinkColumn("source", display_text="open", width=70),
            },
            on_select="rerun",
            selection_mode="single-row",
            key=f"members-{shown_level}",
            placeholder="–",
            alt=f"Delivery of {words.count(rows.height, shown_level)}, slowest lead time first.",
        )
        selected = _selected(event)
        if selected is not None and selected < rows.height:
            _open(shown_level, records[rows["row"][selected]])
    return frame.Download(name=f"{shown_level}s", rows=lambda: rows.drop("row"))


def _member(record: dict[str, Any], page: frame.Page) -> dict[str, Any]:
    low, high = picked(record, LEAD_TIME, "ci_low"), picked(record, LEAD_TIME, "ci_high")
    median = picked(record, LEAD_TIME)
    compared = words.comparison(
        value=median,
        previous=picked(record, LEAD_TIME, "previous_value"),
        low=low,
        high=high,
        unit="h",
        good="less",
        period=page.scope.period,
    )
    return {
        "name": words.one_line(record["name"]),
        "team": words.one_line(record["team"] or "no team"),
        "deployments": picked(record, DEPLOYMENTS),
        "days": picked(record, DEPLOYMENT_DAYS),
        "median": median,
        "interval": words.interval(low, high, "h"),
        "change": compared.short if median is not None else None,
        "p90": picked(record, LEAD_TIME_P90),
        "n": picked(record, LEAD_TIME, "n"),
        "waiting": picked(record, WAITING),
        "note": _note(record),
        "source": words.safe_link(record["url"]),
    }


def _note(record: dict[str, Any]) -> str | None:
    kinds: tuple[Kind, ...] = (DEPLOYMENTS, LEAD_TIME)
    reasons = [picked(record, kind, "reason") for kind in kinds]
    found = [reason for reason in reasons if reason]
    if not found and picked(record, DEPLOYMENTS) is None and picked(record, LEAD_TIME) is None:
        return "nothing measured"
    return words.one_line(found[0]) if found else None


def _open(shown_level: str, record: dict[str, Any]) -> None:
    name = words.plain(record["name"])
    with st.container(horizontal=True):
        for title, view in (("Delivery", "delivery"), ("Lead time", "lead_time")):
            st.button(
                f"{title} of {name}",
                icon=":material/arrow_forward:",
                key=f"open-{view}",
                on_click=frame.go,
                args=(f"views/{view}.py", shown_level, record["id"]),
            )


def deployment_table(page: frame.Page) -> frame.Download:
    """Show the latest deployments of the selection, each with a link to its source."""
    found = page.queries.deployments(page.scope, page.span, page.build.zone)
    box = frame.card(
        "The latest deployments",
        f"{words.count(found.height, 'attempt')} in {page.period_words}, newest first; "
        "attempts that never went live and redeployments do not count.",
    )
    rows = found.with_columns(
        url=mapped(found["url"], words.safe_link),
        counts=pl.when("is_counted").then(pl.lit("yes")).otherwise(pl.lit("no")),
        at=pl.col("at").dt.convert_time_zone(page.build.zone.key),
    ).drop("is_counted")
    box.dataframe(
        rows,
        height=table_height(rows.height),
        hide_index=True,
        column_order=[
            name
            for name in (
                *("at", "version", "kind", "outcome", "counts", "changes"),
                *("environment", "origin", "reason", "url"),
            )
            if not rows[name].is_null().all()
        ],
        column_config={
            "at": st.column_config.DatetimeColumn("at", format="D MMM YYYY, HH:mm"),
            "counts": "counts",
            "changes": st.column_config.NumberColumn("changes", format="localized"),
            "url": st.column_config.LinkColumn("source", display_text="open"),
        },
        placeholder="–",
        alt=f"The latest {words.count(rows.height, 'deployment')}, newest first.",
    )
    return frame.Download(name="deployments", rows=lambda: rows)


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


def _selected(event: Any) -> int | None:
    rows = event.selection.rows
    return rows[0] if rows else None
