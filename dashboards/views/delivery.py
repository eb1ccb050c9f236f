"""Delivery: how often services deploy and how long changes take to reach production."""

from datetime import timedelta

import polars as pl
import streamlit as st

from dashboards import cards, charts, frame, words
from dashboards.measures import (
    DEPLOYMENT_DAYS,
    DEPLOYMENTS,
    LEAD_TIME,
    LEAD_TIME_P90,
    WAITING,
    filled,
    measure,
)
from dashboards.queries import Span
from dashboards.tables import deployment_table, member_table

TITLE = "Delivery"
ICON = ":material/rocket_launch:"
GROUP = "Measure"
ORDER = 10

METRICS = ["deployment_frequency", "change_lead_time", "merged_not_live"]

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

if lead_time.quantity is not None and page.scope.service_id is None:
    answer = f"In the typical service half of all changes are live within {lead_time.quantity}"
elif lead_time.quantity is not None:
    answer = f"Half of all changes are live within {lead_time.quantity}"
else:
    counted = words.count(deployments.n, "deployment") if deployments.n else "No deployment"
    answer = f"{counted} in {words.PERIODS[page.scope.period]}; how long changes take is not known"
if lead_time.comparison.long and lead_time.quantity is not None:
    answer += f", {lead_time.comparison.long}"
sure = []
if lead_time.quantity is not None:
    sure.append(
        f"95 % interval {lead_time.interval or 'unknown'} from {words.count(lead_time.n, 'change')}"
    )
else:
    sure.append(f"Lead time: {lead_time.reason}")
if deployments.quantity is not None:
    sure.append(
        f"{words.count(deployments.n, 'deployment')}, {deployments.quantity} "
        f"in the typical service ({deployments.interval or 'interval unknown'})"
        if page.scope.service_id is None
        else f"{words.count(deployments.n, 'deployment')}, {deployments.quantity}"
        f" ({deployments.interval or 'interval unknown'})"
    )
else:
    sure.append(f"deployments: {deployments.reason}")
frame.heading(page, answer, " · ".join(sure))

cards.show(
    [
        measure(rows, kind, page).card(weeks)
        for kind in (DEPLOYMENTS, DEPLOYMENT_DAYS, LEAD_TIME, LEAD_TIME_P90, WAITING)
    ]
)

left, right = st.columns([3, 2], gap="medium")
with left:
    told = lead_time.comparison
    box = frame.card(
        "How long from first commit to production?",
        "By week on a log scale: median with its 95 % interval, and the slowest tenth (p90). "
        "Dots behind: single changes. Faint: fewer than 10 changes; gap: too few; "
        "hatched: week not over.",
    )
    history = weeks.filter(pl.col("metric") == "change_lead_time")
    sample = page.queries.sample(page.scope, Span(since, page.span.end), page.build.zone)
    if history.height and (history["value"].is_not_null().any() or sample.height):
        box.altair_chart(
            charts.trend(
                history,
                lines={"median": "median", "p90": "p90"},
                is_duration=True,
                cases=sample,
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
    box = frame.card(
        "How often is something deployed?",
        "By week: deployments with their 95 % interval, and days with a deployment.",
    )
    history = weeks.filter(pl.col("metric") == "deployment_frequency")
    if history["value"].is_not_null().any():
        box.altair_chart(
            charts.trend(
                history,
                lines={"per_week": "times", "days_per_week": "days"},
                is_duration=False,
                period_start=page.span.start,
                period_words=words.PERIODS[page.scope.period],
            ),
            height="stretch",
            alt=f"Deployments by week since {since}: {told.long or told.short}. "
            f"Now {deployments.quantity or 'without a value'}.",
        )
    else:
        box.info(words.plain(f"No weekly deployments: {deployments.reason}"))

is_one_service = page.scope.service_id is not None
table = deployment_table(page) if is_one_service else member_table(page, METRICS)

left_out = page.queries.left_out(page.scope, page.span, page.build.zone)
frame.footer(
    page,
    metrics=METRICS,
    n=f"n = {words.count(lead_time.n, 'change')}, {words.count(deployments.n, 'deployment')}",
    left_out=frame.left_out_words(left_out),
    downloads=[
        frame.Download(name="metrics", rows=lambda: rows),
        frame.Download(name="weeks", rows=lambda: weeks),
        table,
    ],
)
