"""Requests & deflection: does the infrastructure team answer tickets more than it builds?"""

from datetime import timedelta
from typing import Any

import polars as pl
import streamlit as st

from dashboards import (
    cards,
    deflection_section,
    frame,
    request_charts,
    request_parts,
    request_queries,
    words,
)
from pipelines.threshold_words import signed

TITLE = "Requests & deflection"
ICON = ":material/support_agent:"
GROUP = "Thresholds"
ORDER = 40

METRICS = ["request_share", "interrupt_load", "ticket_text_model"]


def answer(measure: dict[str, Any]) -> str:
    """Return the sentence that answers the page's question."""
    value, limit = measure["value"], measure["threshold_value"]
    if measure["measured_state"] == "not applicable":
        return "No infrastructure team has to choose between requests and building"
    if value is None:
        return f"{measure['reason']} ({words.count(measure['n'], 'week')} of hours)"
    told = (
        f"The infrastructure team spends {value * 100:.0f} % of its hours of requests and building "
        "on requests"
    )
    end = {
        "crossed": f"more than the {limit * 100:.0f} % that is too much",
        "clear": f"less than the {limit * 100:.0f} % that would be too much",
    }.get(measure["measured_state"], f"too unsure to hold against {limit * 100:.0f} %")
    return f"{told}: {end}"


def sure(page: frame.Page, measure: dict[str, Any], state: dict[str, Any] | None) -> str:
    """Return state, interval, weeks and source of the hours in small type."""
    last = (measure["evaluated_at"].astimezone(page.build.zone) - timedelta(days=1)).date()
    parts = []
    if state is not None:
        since = state["since"].astimezone(page.build.zone).date()
        parts.append(f"{signed(state['state'])} since {words.day(since)}")
    if measure["value"] is not None:
        low, high = measure["ci_low"] * 100, measure["ci_high"] * 100
        parts.append(f"95 % interval {low:.0f} to {high:.0f} %")
    weeks = f"{words.count(measure['n'], 'week')} to " if measure["n"] else "evaluated on "
    parts.append(f"{weeks}{words.day(last)}")
    if measure["evidence"]:
        parts.append(measure["evidence"])
    return " · ".join([*parts, "the whole organisation, whatever is selected"])


page = frame.current()
measure = request_queries.measure(page.queries)
classes = request_queries.classes(page.queries)
if measure is None or (classes.is_empty() and measure["measured_state"] == "insufficient"):
    reason = "Nothing was evaluated yet." if measure is None else measure["reason"]
    frame.missing(
        page,
        what="requests",
        needs=f"{reason} It needs tickets, the team that answers them, and something that tells "
        "how long they take.",
        snippets=["github", "jira", "requests"],
    )
    deflection_section.show(page)
    st.stop()

hours = request_parts.shown_hours(request_queries.hours(page.queries))
since = measure["evaluated_at"].astimezone(page.build.zone).date() - timedelta(
    weeks=measure["n"] or 0
)
window = hours.filter(pl.col("week") >= since)
has_team = measure["measured_state"] != "not applicable"
frame.heading(
    page,
    answer(measure),
    sure(page, measure, request_queries.state(page.queries)),
    parts=[],
)
if measure["missing"]:
    st.info(
        words.plain(f"What to connect: {'; '.join(measure['missing'])}."),
        icon=":material/cable:",
    )

if has_team:
    cards.show(request_parts.cards(measure, hours, window))
cards.show_aside(
    [
        *request_parts.asides(
            request_queries.flow(page.queries), request_queries.spread(page.queries), has_team
        ),
        *request_parts.goal_aside(request_queries.goals(page.queries)),
    ]
)

if has_team:
    box = frame.card(
        "Where do the hours go?",
        "The infrastructure team's tracked hours by week and class; below, the share of requests "
        "in requests and building.",
    )
    if hours.is_empty():
        box.info("No hours that can be shown: none are known, or they are of one or two people.")
    else:
        box.altair_chart(
            request_charts.by_week(hours), height=230, alt=request_charts.week_words(hours)
        )
        box.altair_chart(
            request_charts.shares(hours, measure["threshold_value"], since),
            height=120,
            alt="Weekly share of requests against the threshold of "
            f"{measure['threshold_value'] * 100:.0f} %.",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        request_parts.class_table(classes)
        request_parts.model_card(
            request_queries.model(page.queries), request_queries.bins(page.queries)
        )
    with right:
        request_parts.variant_table(request_queries.variants(page.queries))
        request_parts.type_table(request_queries.types(page.queries))
    request_parts.corrections(page)

launch_downloads = deflection_section.show(page)

tickets = int(classes["tickets"].sum() or 0)
unclassified = int(classes.filter(pl.col("class") == "unclassified")["tickets"].sum() or 0)
frame.footer(
    page,
    metrics=[*METRICS, *deflection_section.METRICS],
    n=f"n = {words.count(measure['n'], 'week')}, {words.count(tickets, 'ticket')}",
    left_out=f"{words.count(unclassified, 'unclassified ticket')} (kept in the bounds)"
    if unclassified
    else "nothing",
    downloads=[
        *launch_downloads,
        frame.Download(name="hours", rows=lambda: hours),
        frame.Download(
            name="other definitions", rows=lambda: request_queries.variants(page.queries)
        ),
        *(
            frame.Download(
                name=f"tickets {kind}",
                rows=lambda kind=kind: request_queries.tickets(page.queries, kind, 100_000),  # type: ignore[misc]
            )
            for kind in request_queries.KINDS
        ),
    ],
)
