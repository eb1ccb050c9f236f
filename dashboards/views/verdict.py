"""Verdict: is it time for platform engineering, how sure is that, and what would it take?"""

import streamlit as st

from dashboards import (
    frame,
    shown,
    threshold_cards,
    verdict_charts,
    verdict_parts,
    verdict_queries,
    words,
)
from pipelines import verdict_log, verdict_words

TITLE = "Verdict"
ICON = ":material/anchor:"
GROUP = "Verdict"
ORDER = 0

page = frame.current()
verdicts = verdict_queries.verdicts(page.queries)
states = verdict_queries.states(page.queries)
if verdicts.is_empty():
    frame.missing(
        page,
        what="verdict",
        needs=f"{verdict_words.NO_EVALUATION} They need repositories, changes and deployments, "
        "the tickets of the infrastructure team, and audits.",
        snippets=["github", "deployments"],
    )
    st.stop()

verdict = verdicts.row(-1, named=True)
rows = verdict_queries.today(states)
is_unmeasured = all(row["value"] is None for row in rows)
st.html(verdict_parts.style())
verdict_parts.heading(page, verdict)
if is_unmeasured:
    verdict_parts.missing(verdict, rows, is_open=True)
threshold_cards.show(rows, states)
verdict_parts.links()
verdict_parts.warnings(verdict)
if not is_unmeasured:
    verdict_parts.missing(verdict, rows, is_open=False)

if verdicts.height > 1:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        box = frame.card(
            "How did it come to this?",
            f"The states at {words.count(verdicts.height, 'evaluation')}, one every four weeks, "
            "replayed with what was known then. ▲ crossed, ↗ trending, ✓ clear, dashed: not enough "
            "data.",
        )
        box.altair_chart(
            verdict_charts.history(verdicts, states),
            alt=f"States of the verdict and its four thresholds at {verdicts.height} evaluations; "
            f"now {verdict['answer']}.",
        )
    with right:
        verdict_parts.advice(verdict)
else:
    verdict_parts.advice(verdict)

if not is_unmeasured:
    verdict_parts.evidence(rows)
verdict_parts.parameters(page, verdict)
frame.footer(
    page,
    metrics=["verdict", "threshold_forecast"],
    n=f"n = {words.count(verdicts.height, 'evaluation')}",
    left_out="evaluations before anything could be judged",
    downloads=[
        frame.Download(name="verdict", rows=lambda: verdicts),
        frame.Download(name="states of the thresholds", rows=lambda: states),
    ],
)
shown.remember(page, verdict_log.shown(verdict))
