"""Onboarding: how soon new people get productive, cohort by cohort, nobody by name."""

import polars as pl
import streamlit as st

from dashboards import cards, frame, platform_charts, platform_facts, words
from dashboards.tables import filled, mapped, show_table

TITLE = "Onboarding"
ICON = ":material/waving_hand:"
GROUP = "Platform"
ORDER = 20

MILESTONES = {
    "first change": "First change merged",
    "first deployment": "First change live",
    "tenth change": "Tenth change merged",
}
CHECKPOINTS = (0, 7, 14, 30, 60, 90, 180)

page = frame.current()
found = platform_facts.cohorts(page.queries)
if found.is_empty():
    frame.missing(
        page,
        what="newcomers",
        needs="Newcomers are people first seen at work at least 13 weeks after the history "
        "begins; none is known. It needs commits and change requests.",
        snippets=["github", "git"],
    )
    st.stop()

every = {row["milestone"]: row for row in found.filter(cohort="all").to_dicts()}
first = every["first change"]
if first["median_days"] is None:
    answer = f"{words.count(first['people'], 'newcomer')}: {first['reason']}"
else:
    answer = (
        f"Half of {words.count(first['people'], 'newcomer')} have a change merged within "
        f"{words.duration(first['median_days'] * 24)}"
    )
ends = words.interval(
    None if first["median_low"] is None else first["median_low"] * 24,
    None if first["median_high"] is None else first["median_high"] * 24,
    "h",
)
sure = (f"95 %: {ends}. " if ends and first["median_days"] is not None else "") + (
    f"{first['reached']:,} of {first['people']:,} have reached it; who has not counts as not yet "
    "over. Counted from when people were first seen at work, which may be days after they joined."
)
frame.heading(page, answer, sure, parts=["all cohorts", "whole organisation"])


def card(milestone: str) -> cards.Card:
    """Return the median of a milestone over all newcomers, with the past cohorts as a line."""
    row = every[milestone]
    past = found.filter((pl.col("milestone") == milestone) & (pl.col("cohort") != "all")).sort(
        "cohort"
    )
    value = row["median_days"]
    spread = words.interval(
        None if row["median_low"] is None else row["median_low"] * 24,
        None if row["median_high"] is None else row["median_high"] * 24,
        "h",
    )
    late = "" if row["p85_days"] is None else f"; 85 % in {words.duration(row['p85_days'] * 24)}"
    return cards.Card(
        label=MILESTONES[milestone],
        value=None if value is None else words.duration(value * 24),
        detail=f"median{'' if spread is None else f', 95 %: {spread}'}{late}",
        reason=row["reason"] or "",
        history=past["median_days"].to_list(),
        history_words=f"Median by cohort, {words.count(past.height, 'half-year')}",
    )


cards.show([card(milestone) for milestone in MILESTONES])

shown = found.filter(pl.col("people") >= 5)["cohort"].unique().sort(descending=True).to_list()
if shown:
    # "all" sorts behind the years, and stands first among the choices.
    names = [name for name in shown if name == "all"] + [n for n in shown if n != "all"]
    cohort = st.segmented_control(
        "Cohort",
        names,
        default=names[0],
        required=True,
        format_func=lambda name: "All" if name == "all" else name,
        key="cohort",
        bind="query-params",
    )
    curves = platform_facts.curves(page.queries, cohort or names[0])
    size = found.filter(cohort=cohort or names[0])["people"].to_list()[0]
    box = frame.card(
        "How many have got there, and when?",
        f"Share of the cohort, by days since people were first seen; n = {size}. Band: 95 % of the "
        "first milestone.",
    )
    box.altair_chart(
        platform_charts.onboarding_curves(curves),
        height=300,
        alt=f"Share of {size} newcomers who reached each milestone, by day.",
    )
    at_risk = curves.filter(pl.col("day").is_in(CHECKPOINTS)).pivot(
        "day", index="milestone", values="at_risk"
    )
    box.caption("Still under way at the beginning of day …")
    box.dataframe(
        at_risk,
        hide_index=True,
        placeholder="–",
        alt="How many of the cohort were still under way at each day.",
    )

box = frame.card(
    "Cohort by cohort",
    "Half-years by the day people were first seen. Fewer than five people are not shown.",
)
table = found.select(
    cohort="cohort",
    milestone=mapped(found["milestone"], lambda name: MILESTONES[name]),
    people="people",
    reached="reached",
    median="median_days",
    low="median_low",
    high="median_high",
    p85="p85_days",
    reason="reason",
)
number = st.column_config.NumberColumn
show_table(
    box,
    table,
    order=filled(table),
    columns={
        "median": number("median, days", format="%.1f"),
        "low": number("from", format="%.1f"),
        "high": number("to", format="%.1f"),
        "p85": number("85 % within, days", format="%.1f"),
    },
    alt=f"{words.count(table.height, 'row')}: cohorts and milestones.",
)
few = found.filter((pl.col("people") < 5) & (pl.col("milestone") == "first change")).height
frame.footer(
    page,
    metrics=["onboarding"],
    n=f"n = {words.count(first['people'], 'newcomer')}",
    left_out="people of the first 13 weeks of the history"
    + (f"; {words.count(few, 'cohort')} of fewer than five" if few else ""),
    downloads=[frame.Download(name="cohorts", rows=lambda: found)],
)
