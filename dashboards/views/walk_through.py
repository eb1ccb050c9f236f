"""Walk-through: one change or deployment, with every step of how it is counted."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import (
    frame,
    steps,
    walk_change,
    walk_deployment,
    walk_queries,
    words,
)
from dashboards.tables import mapped, selected_row, table_height

TITLE = "Walk-through"
ICON = ":material/footprint:"
GROUP = "Trust"
ORDER = 80

page = frame.current()
asked = {
    what: st.query_params[what] for what in ("change", "deployment") if st.query_params.get(what)
}
if not asked:
    latest = walk_queries.latest_change(page)
    if latest is not None:
        asked = {"change": latest}


def chosen(what: str, identity: str) -> None:
    """Open a result of the search: it takes the place of what the address asks for."""
    for name in ("change", "deployment"):
        if name in st.query_params:
            del st.query_params[name]
    st.query_params[what] = identity
    st.session_state["find"] = ""


def search() -> None:
    """Show the search and what it found."""
    text = st.text_input(
        "Find a change or deployment",
        placeholder="number, words of the title, commit or version",
        key="find",
        bind="query-params",
        max_chars=200,
    )
    if not text or not text.strip():
        return
    found = walk_queries.search(page, text.strip())
    if found.is_empty():
        st.info("Nothing in this selection has such a number, title, commit or version.")
        return
    event = st.dataframe(
        found.select(
            "what",
            label=mapped(found["label"], words.one_line),
            service=mapped(found["service_name"], words.one_line),
            moment=pl.col("moment").dt.convert_time_zone(page.build.zone.key),
        ),
        height=table_height(found.height),
        hide_index=True,
        column_config={
            "what": st.column_config.TextColumn("", width=100),
            "label": st.column_config.TextColumn("found", width=420),
            "moment": st.column_config.DatetimeColumn("merged or live", format="D MMM YYYY, HH:mm"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="found",
        alt=f"{words.count(found.height, 'result')}, newest first.",
    )
    position = selected_row(event)
    if position is not None and position < found.height:
        row = found.row(position, named=True)
        st.button(
            f"Walk through {words.plain(row['label'])}",
            icon=":material/footprint:",
            on_click=chosen,
            args=(row["what"], row["id"]),
            key="walk-found",
        )
    else:
        st.caption("Select a row to walk through it.")


def change_page(rows: list[dict[str, Any]]) -> frame.Download:
    """Show a change in the service where it was live first."""
    row = rows[0]
    number = f"#{row['number']} " if row["number"] else ""
    if row["lead_time_us"] is not None:
        answer = f"{number}took {words.duration(row['lead_time_us'] / 3.6e9)} from start to live"
    elif row["relation"] == "not_live":
        answer = f"{number}is merged and not live yet"
    else:
        answer = f"{number}has no lead time"
    others = [other["service_name"] for other in rows[1:]]
    also = (
        f" It belongs to {words.listed(others)} too, shown there by its own row." if others else ""
    )
    frame.heading(
        page,
        answer[0].upper() + answer[1:],
        f"{row['title'] or 'Without a title'}. Why it is counted as it is, step by step.{also}",
        parts=[row["repository_name"], f"service {row['service_name']}"],
    )
    search()
    steps.show(walk_change.steps(page, row))
    source("Open the change", row["url"])
    return frame.Download(name="change", rows=lambda: pl.DataFrame(rows, infer_schema_length=None))


def deployment_page(row: dict[str, Any]) -> frame.Download:
    """Show a deployment."""
    version = row["release"] or (row["sha"] or "")[:7] or row["ref"] or "This deployment"
    if row["live_at"] is None:
        answer = f"{version} never went live in {row['environment']}"
    elif row["is_failed"]:
        answer = f"{version} went live in {row['environment']} and failed"
    elif row["is_counted"]:
        answer = f"{version} went live in {row['environment']}; nothing says that it failed"
    else:
        answer = f"{version} went live in {row['environment']} and does not count"
    live = row["live_at"] or row["started_at"]
    frame.heading(
        page,
        answer,
        f"{words.moment(live, page.build.zone)}. Why it is counted as it is, step by step.",
        parts=["deployment", f"service {row['service_name']}"],
    )
    search()
    steps.show(walk_deployment.steps(page, row))
    source("Open the deployment", row["url"])
    return frame.Download(name="deployment", rows=lambda: pl.DataFrame([row]))


def source(label: str, url: str | None) -> None:
    """Show a link to where the row comes from."""
    link = words.safe_link(url)
    if link is not None:
        st.link_button(label, link, icon=":material/open_in_new:")


downloads = []
if "deployment" in asked:
    deployment = walk_queries.deployment(page.queries, asked["deployment"])
    if deployment is not None:
        downloads.append(deployment_page(deployment))
elif "change" in asked:
    changes = walk_queries.change(page.queries, asked["change"])
    if changes:
        downloads.append(change_page(changes))
if not downloads and asked:
    frame.heading(
        page,
        "This build has no such change or deployment",
        "It may have been left out at its source, or belong to no service: a promotion, a "
        "back-port or a request folded into another. Find another one by its number or title.",
        parts=[page.selection],
    )
    search()
elif not downloads:
    frame.missing(
        page,
        what="changes or deployments",
        needs="A walk-through takes one change from its commits to the deployment that shipped it.",
        snippets=["github", "git", "deployments"],
    )
    st.stop()

frame.footer(
    page,
    metrics=["change_lead_time", "change_fail_rate", "deployment_rework_rate"],
    n=f"n = {len(downloads)}",
    left_out="nothing",
    downloads=downloads,
)
