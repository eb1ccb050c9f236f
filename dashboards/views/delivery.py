"""Delivery: the five metrics, how they move, and where to look first."""

from datetime import timedelta

import polars as pl
import streamlit as st

from dashboards import answers, cards, charts, facts, failure_charts, frame, stability, words
from dashboards.measures import (
    ATTEMPT_FAILURES,
    DEPLOYMENT_DAYS,
    DEPLOYMENTS,
    LEAD_TIME,
    LEAD_TIME_P90,
    RECOVERY,
    WAITING,
    filled,
    measure,
)
from dashboards.members import member_table
from dashboards.queries import Span
from dashboards.standing import fail_rate_card, rework_card, standing
from dashboards.tables import deployment_table

TITLE = "Delivery"
ICON = ":material/rocket_launch:"
GROUP = "Measure"
ORDER = 10

METRICS = [
    *("deployment_frequency", "change_lead_time", "change_fail_rate"),
    *("failed_deployment_recovery_time", "deployment_rework_rate"),
    *("merged_not_live", "attempt_failure_rate"),
]

page = frame.current()
rows = page.queries.metrics(page.scope)
deployments, lead_time = measure(rows, DEPLOYMENTS, page), measure(rows, LEAD_TIME, page)
if not rows["value"].is_not_null().any():
    frame.missing(
        page,
        what="deployments or changes",
        needs=f"Deployments: {deployments.reason}. Lead time: {lead_time.reason}. "
        "Delivery needs repositories, and to know what counts as a deployment.",
        snippets=["github", "git", "deployments"],
    )
    st.stop()

# Four points are no trend: whatever the period, half a year is drawn and the period is marked.
since = min(page.span.start, page.span.end - timedelta(weeks=26))
weeks = filled(page.queries.weeks(page.scope, METRICS, since), since, page.span.end)
limits = page.queries.stability(page.scope, since)
held = standing(page)
frame.heading(page, answers.delivery(page, rows), answers.delivery_sure(page, rows))

cards.show(
    [
        held.card(deployments, weeks),
        held.card(lead_time, weeks),
        fail_rate_card(held, rows, weeks),
        held.card(measure(rows, RECOVERY, page), weeks),
        rework_card(held, rows, weeks),
    ]
)
beside = (DEPLOYMENT_DAYS, LEAD_TIME_P90, WAITING, ATTEMPT_FAILURES)
cards.show_aside([measure(rows, kind, page).aside() for kind in beside])

left, right = st.columns([3, 2], gap="medium")
with left:
    told = lead_time.comparison
    own = stability.of(limits, LEAD_TIME)
    box = frame.card(
        "How long from first commit to production?",
        "By week on a log scale: median with its 95 % interval, and the slowest tenth (p90). "
        "Dots behind: single changes. Faint: fewer than 10 changes; gap: too few; "
        f"hatched: week not over. {stability.told(own)}",
    )
    history = weeks.filter(pl.col("metric") == "change_lead_time")
    sample = facts.sample(page, Span(since, page.span.end))
    if history.height and (history["value"].is_not_null().any() or sample.height):
        box.altair_chart(
            charts.trend(
                history,
                lines={"median": "median", "p90": "p90"},
                is_duration=True,
                cases=sample,
                limits=own,
                period_start=page.span.start,
                period_words=words.PERIODS[page.scope.period],
            ),
            height="stretch",
            alt=f"Lead time by week since {since}: {told.long or told.short}. "
            f"Median now {lead_time.quantity or 'without a value'}.",
        )
    else:
        box.info(words.plain(f"No weekly lead time: {lead_time.reason}"))
with right:
    told = deployments.comparison
    own = stability.of(limits, DEPLOYMENTS)
    box = frame.card(
        "How often is something deployed?",
        "By week: deployments with their 95 % interval, and days with a deployment. "
        f"{stability.told(own)}",
    )
    history = weeks.filter(pl.col("metric") == "deployment_frequency")
    if history["value"].is_not_null().any():
        box.altair_chart(
            charts.trend(
                history,
                lines={"per_week": "times", "days_per_week": "days"},
                is_duration=False,
                limits=own,
                period_start=page.span.start,
                period_words=words.PERIODS[page.scope.period],
            ),
            height="stretch",
            alt=f"Deployments by week since {since}: {told.long or told.short}. "
            f"Now {deployments.quantity or 'without a value'}.",
        )
    else:
        box.info(words.plain(f"No weekly deployments: {deployments.reason}"))

left, right = st.columns([3, 2], gap="medium")
with left:
    counts = facts.failure_weeks(page, Span(since, page.span.end))
    failed = int(counts["failures"].sum() or 0)
    box = frame.card(
        "How many deployments failed?",
        f"{words.count(failed, 'failure')} by week of the deployment since {since:%-d %B %Y}. "
        "Full: sure (rolled back, reverted, named by an incident); outlined: likely (a hotfix or "
        "an incident soon after).",
    )
    box.altair_chart(
        failure_charts.by_week(
            counts, since=since, until=page.span.end, period_start=page.span.start
        ),
        height=190,
        alt=f"{words.count(failed, 'failed deployment')} since {since}, by week.",
    )
with right:
    answers.signal_card(limits)

is_one_service = page.scope.service_id is not None
table = deployment_table(page) if is_one_service else member_table(page, METRICS, held.goals)

if held.source():
    st.caption(words.plain(held.source()))
frame.footer(
    page,
    metrics=METRICS,
    n=f"n = {words.count(lead_time.n, 'change')}, {words.count(deployments.n, 'deployment')}",
    left_out=frame.left_out_words(facts.left_out(page)),
    downloads=[
        frame.Download(name="metrics", rows=lambda: rows),
        frame.Download(name="weeks", rows=lambda: weeks),
        frame.Download(name="references", rows=lambda: held.references),
        frame.Download(name="goals", rows=lambda: held.goals),
        table,
    ],
)
