"""Failures & recovery: which deployments failed, what says so, and how soon they were mended."""

from datetime import timedelta

import streamlit as st

from dashboards import answers, cards, facts, failure_charts, failure_tables, frame, words
from dashboards.facts import DOWNLOAD_LIMIT
from dashboards.measures import (
    ATTEMPT_FAILURES,
    FAIL_RATE,
    FAIL_RATE_AT_LEAST,
    FAIL_RATE_HIGH,
    INCIDENTS,
    RECOVERY,
    RECOVERY_P75,
    RECOVERY_P90,
    filled,
    measure,
)
from dashboards.queries import Span
from dashboards.standing import fail_rate_card, standing

TITLE = "Failures & recovery"
ICON = ":material/healing:"
GROUP = "Measure"
ORDER = 30

METRICS = [
    *("change_fail_rate", "failed_deployment_recovery_time"),
    *("incident_duration", "attempt_failure_rate"),
]

page = frame.current()
rows = page.queries.metrics(page.scope)
rate, least = measure(rows, FAIL_RATE, page), measure(rows, FAIL_RATE_AT_LEAST, page)
recovery = measure(rows, RECOVERY, page)
attempts = measure(rows, ATTEMPT_FAILURES, page)
if rate.value is None and least.value is None and attempts.value is None:
    frame.missing(
        page,
        what="failures",
        needs=f"Change fail rate: {rate.reason}. It needs deployments, and something that says "
        "which of them failed: rollbacks and reverts are seen in the history, incidents are not.",
        snippets=["github", "deployments", "incidents"],
    )
    st.stop()

since = min(page.span.start, page.span.end - timedelta(weeks=26))
weeks = filled(page.queries.weeks(page.scope, METRICS, since), since, page.span.end)
held = standing(page)
found = facts.failures(page)
young = facts.young_deployments(page)
frame.heading(page, answers.failures(page, rows), answers.failures_sure(page, rows, found, young))

cards.show(
    [
        fail_rate_card(held, rows, weeks),
        measure(rows, FAIL_RATE_HIGH, page).card(weeks),
        held.card(recovery, weeks),
        measure(rows, RECOVERY_P90, page).card(weeks),
        attempts.card(weeks),
    ]
)
cards.show_aside([measure(rows, kind, page).aside() for kind in (RECOVERY_P75, INCIDENTS)])
if least.value is not None:
    with st.expander("No incident source covers these services: what to connect"):
        st.markdown(
            "Rollbacks and reverts are only part of the failures, so the rate has no upper end. "
            "With incidents it becomes a rate. Add to `leadline.toml`:"
        )
        st.code(frame.CONNECT["incidents"], language="toml")

left, right = st.columns([3, 2], gap="medium")
with left:
    is_open = int(found["is_open"].sum())
    lasting = f"▷ {words.count(is_open, 'failure')} not over yet, at the age so far."
    box = frame.card(
        "How long until users were served again?",
        "Each dot one failure of the period, on a log scale; rules: the published quantiles. "
        + (lasting if is_open else ""),
    )
    times = failure_tables.times(page, found)
    marks = {
        name: value
        for name, value in (
            ("median", recovery.value),
            ("p90", measure(rows, RECOVERY_P90, page).value),
        )
        if value is not None
    }
    if times.is_empty():
        box.info(words.plain(f"No failure in this period. Recovery: {recovery.reason}"))
    else:
        box.altair_chart(
            failure_charts.recoveries(times, marks),
            height=230,
            alt=f"Recovery of {words.count(times.height, 'failure')}: median "
            f"{recovery.quantity or 'without a value'}, {is_open} still open.",
        )
        if not marks:
            box.caption(words.plain(f"No quantile: {recovery.reason}."))
with right:
    counts = facts.failure_weeks(page, Span(since, page.span.end))
    failed = int(counts["failures"].sum() or 0)
    box = frame.card(
        "Is it getting better?",
        "Failed deployments by week. Full: sure signs; outlined: only likely ones.",
    )
    box.altair_chart(
        failure_charts.by_week(
            counts, since=since, until=page.span.end, period_start=page.span.start
        ),
        height=230,
        alt=f"{words.count(failed, 'failed deployment')} since {since}, by week.",
    )

failure_tables.failure_table(page, found, rate, measure(rows, FAIL_RATE_HIGH, page))
incidents = facts.incidents(page)
failure_tables.incident_table(page, incidents, facts.chance(page))

if held.source():
    st.caption(words.plain(held.source()))
frame.footer(
    page,
    metrics=METRICS,
    n=f"n = {words.count(rate.n or least.n, 'deployment')}, {words.count(found.height, 'failure')}",
    left_out=f"{words.count(young, 'deployment')} too young for failures to show"
    if young
    else "nothing",
    downloads=[
        frame.Download(name="metrics", rows=lambda: rows),
        frame.Download(name="failures", rows=lambda: facts.failures(page, DOWNLOAD_LIMIT)),
        frame.Download(name="incidents", rows=lambda: facts.incidents(page, DOWNLOAD_LIMIT)),
    ],
)
