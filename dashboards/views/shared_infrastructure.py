"""Shared infrastructure: how many engineers run on what several teams share."""

import streamlit as st

from dashboards import cards, frame, identity_section, shared_parts, shared_queries, words
from dashboards.facts import DOWNLOAD_LIMIT

TITLE = "Shared infrastructure"
ICON = ":material/hub:"
GROUP = "Thresholds"
ORDER = 20

page = frame.current()
measures = shared_queries.measures(page.queries)
units = shared_queries.units(page.queries)
if measures.is_empty() or units.is_empty():
    frame.missing(
        page,
        what="shared infrastructure",
        needs="It needs changes and production deployments, the team of each service, and what "
        "the services run on: a catalog, deployment targets, self-hosted runners, or the settings.",
        snippets=["github", "units"],
    )
    identity_section.show(page)
    st.stop()

latest = measures.row(-1, named=True)
limit, value = latest["threshold_value"], latest["value"]
answer = {
    "crossed": f"{value or 0:.0f} engineers share one unit: the threshold is {limit:.0f}",
    "clear": f"{value or 0:.0f} engineers share one unit, below the threshold of {limit:.0f}",
}.get(
    latest["measured_state"],
    "How many engineers share infrastructure is not known well enough"
    if latest["missing"]
    else f"Too close to call: {latest['ci_low']:.0f} to {latest['ci_high']:.0f} engineers share "
    f"one unit, the threshold is {limit:.0f}",
)
frame.heading(
    page,
    answer,
    f"Threshold {shared_queries.STATES[latest['measured_state']]}: {latest['reason']} "
    f"{latest['coverage_text'][0].upper()}{latest['coverage_text'][1:]}.",
    parts=[shared_parts.evaluated(latest, page), "whole organisation"],
)
if latest["missing"]:
    st.info(
        "To connect: " + words.plain("; ".join(latest["missing"])) + ".", icon=":material/power:"
    )

weeks = shared_queries.weeks(page.queries)
cards.show(shared_parts.row(latest, weeks, units))

left, right = st.columns([3, 2], gap="medium")
with left:
    box = frame.card(
        "Are there more of them week by week?",
        "Engineers with a merged change or a production deployment in the 90 days before, on the "
        "largest shared units.",
    )
    if shared_parts.largest(weeks).is_empty():
        box.info("No unit is shared, or there are not yet 90 days of history.")
    else:
        box.altair_chart(
            shared_parts.trend(weeks, limit),
            height=260,
            alt=f"Engineers by week on the largest shared units, threshold {limit:.0f}: "
            + ", ".join(
                f"{label} {engineers}"
                for label, engineers in shared_parts.largest(weeks)
                .group_by("label", maintain_order=True)
                .last()
                .select("label", "engineers")
                .iter_rows()
            ),
        )
with right:
    shared_parts.variant_table(latest, shared_queries.variants(page.queries, latest))

shared_parts.unit_table(units)
missing = shared_queries.unmapped(page.queries)
shared_parts.unmapped_table(missing)
identity_section.show(page)

frame.footer(
    page,
    metrics=["shared_infrastructure"],
    n=f"n = {latest['n']:,} active people",
    left_out="machines, and changes that the settings exclude",
    downloads=[
        frame.Download(
            name="units", rows=lambda: shared_queries.units(page.queries, DOWNLOAD_LIMIT)
        ),
        frame.Download(name="weeks", rows=lambda: weeks),
        frame.Download(name="evaluations", rows=lambda: measures),
    ],
)
