"""The drill-down to single changes: a table of them, and the way of the selected one."""

from datetime import datetime
from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import facts, frame, stage_charts, words
from dashboards.facts import STAGES
from dashboards.queries import ROW_LIMIT
from dashboards.tables import filled, mapped, show_table

_MOMENTS: Final = {
    "start_at": "first commit",
    "ready_at": "ready for review",
    "first_review_at": "first review",
    "approved_at": "approved",
    "merged_at": "merged",
    "live_at": "live",
}


def change_table(page: frame.Page) -> None:
    """Show the changes of the period, slowest first; selecting one shows its way to production."""
    found = facts.changes(page)
    is_cut = found.height == ROW_LIMIT
    box = frame.card(
        "Which changes took longest?",
        f"{'The slowest ' if is_cut else ''}{words.count(found.height, 'change')}, slowest first. "
        "Select a row to see its way. The download has all of them.",
    )
    with box:
        if found.is_empty():
            st.info("No change with a lead time went live in this period.")
            return
        divisor, unit = words.column_unit(found["lead_time_h"].to_list())
        rows = found.select(
            url=mapped(found["url"], words.safe_link),
            title=mapped(found["title"], words.one_line),
            service=mapped(found["service_name"], words.one_line),
            lead_time=pl.col("lead_time_h") / divisor,
            way=pl.concat_list(pl.col(stage).fill_null(0) for stage in STAGES),
            longest=_longest(found),
            live=pl.col("live_at").dt.convert_time_zone(page.build.zone.key),
            note=pl.col("flags").list.join(", ").replace("", None),
        )
        event = show_table(
            st,
            rows,
            columns={
                "url": st.column_config.LinkColumn(
                    "source", display_text=r"/([0-9]+|[0-9a-f]{7})[^/]*$", width=80
                ),
                "title": st.column_config.TextColumn("change", width=330),
                "service": "service",
                "lead_time": st.column_config.NumberColumn(f"lead time ({unit})", format="%.1f"),
                "way": st.column_config.BarChartColumn(
                    "stages", help="Coding, waiting for review, review, merge, deploy, unreviewed"
                ),
                "longest": "longest stage",
                "live": st.column_config.DatetimeColumn("live", format="D MMM YYYY, HH:mm"),
                "note": "note",
            },
            order=filled(rows),
            on_select="rerun",
            selection_mode="single-row",
            key="changes",
            alt=f"{words.count(rows.height, 'change')} with lead time and stages, slowest first.",
        )
        selected = event.selection.rows
        if selected and selected[0] < found.height:
            _way(page, found.row(selected[0], named=True))


def _longest(found: pl.DataFrame) -> pl.Series:
    texts = []
    for row in found.select(STAGES).iter_rows(named=True):
        known = {stage: value for stage, value in row.items() if value is not None}
        stage = max(known, key=lambda name: known[name]) if known else None
        texts.append(
            None
            if stage is None
            else f"{stage_charts.STAGE_WORDS[stage]}, {words.short_duration(known[stage])}"
        )
    return pl.Series("longest", texts, dtype=pl.String)


def _way(page: frame.Page, change: dict[str, Any]) -> None:
    title = f"{change['title'] or 'Change'}"
    st.markdown(f"#### {words.plain(title)}", anchors=False)
    st.caption(
        words.plain(
            f"{change['repository_name']} · {change['service_name']} · live after "
            f"{words.duration(change['lead_time_h'])}"
        )
    )
    hours = {stage: change[stage] for stage in STAGES if change[stage] is not None}
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if hours:
            st.altair_chart(
                stage_charts.stages(hours),
                height=240,
                alt="Stages of this change: "
                + ", ".join(
                    f"{stage_charts.STAGE_WORDS[stage]} {words.duration(value)}"
                    for stage, value in hours.items()
                ),
            )
    with right:
        lines = [
            f"| {name} | {words.plain(words.moment(change[column], page.build.zone))} |"
            for column, name in _MOMENTS.items()
            if isinstance(change[column], datetime)
        ]
        st.markdown("\n".join(["| step | at |", "|---|---|", *lines]))
    with st.container(horizontal=True):
        _source("Open the change", change["url"])
        _source("Open the deployment", change["deployment_url"])
        frame.walk_button("change", change["change_id"])


def _source(label: str, url: str | None) -> None:
    link = words.safe_link(url)
    if link is not None:
        st.link_button(label, link, icon=":material/open_in_new:")
