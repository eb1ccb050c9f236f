"""Configuration: do security audits reveal inconsistent configurations across teams?"""

from datetime import timedelta
from typing import Any

import polars as pl
import streamlit as st

from dashboards import (
    cards,
    configuration_charts,
    configuration_parts,
    configuration_queries,
    frame,
    words,
)
from pipelines.threshold_words import SIGNS, signed
from pipelines.verdict import TRENDING

TITLE = "Configuration"
ICON = ":material/rule:"
GROUP = "Thresholds"
ORDER = 30

METRICS = ["configuration", "practice_spread"]
STATES = {
    **{state: signed(state) for state in SIGNS},
    TRENDING: "↗ trending: found and fixed",
}


def answer(measure: dict[str, Any] | None, spread: pl.DataFrame) -> str:
    """Return the sentence that answers the page's question."""
    state = None if measure is None else measure["measured_state"]
    if measure is not None and measure["value"]:
        found = f"{int(measure['value'])} of {words.count(measure['n'], 'audit')} in 12 months"
        end = {
            "crossed": "and the latest evidence still shows it",
            "trending": "and live scans show it fixed since",
            "clear": "and the latest found none",
        }.get(state or "", "and nothing says whether it was fixed")
        return f"{found} found teams configured differently, {end}"
    if state == "clear" and measure is not None:
        return (
            "The latest audit found no team configured differently from the others"
            if measure["n"]
            else "No audit, but live scans show the critical controls alike in every team"
        )
    if state == "not applicable":
        return "There are too few teams to be configured inconsistently"
    apart = spread.filter(pl.col("is_critical") & (pl.col("disagreement") > 0))
    if apart.height:
        row = apart.sort("disagreement", descending=True).row(0, named=True)
        ways = words.count(row["approaches"], "way", "ways")
        return (
            f"{words.count(row['teams'], 'team')} have {ways} of {row['title'].lower()}, "
            "but no audit has looked at it"
        )
    return "Nothing says yet whether teams are configured alike"


def sure(page: frame.Page, measure: dict[str, Any] | None) -> str:
    """Return state, reason and coverage in small type."""
    if measure is None:
        return "Nothing was evaluated yet · the whole organisation, whatever is selected"
    last = (measure["evaluated_at"].astimezone(page.build.zone) - timedelta(days=1)).date()
    parts = [
        f"{STATES[measure['measured_state']]} on {words.day(last)}",
        measure["reason"].rstrip("."),
    ]
    if measure["coverage_text"]:
        parts.append(measure["coverage_text"])
    return " · ".join([*parts, "the whole organisation, whatever is selected"])


page = frame.current()
measure = configuration_queries.measure(page.queries)
spread = configuration_queries.spread(page.queries)
has_audits = not configuration_queries.audits(page.queries).is_empty()
if spread.is_empty() and not has_audits:
    reason = "Nothing was evaluated yet." if measure is None else measure["reason"]
    frame.missing(
        page,
        what="configurations",
        needs=f"{reason} It needs repositories to scan or an audit register, and teams that own "
        "repositories.",
        snippets=["github", "audits"],
    )
    st.stop()

frame.heading(page, answer(measure, spread), sure(page, measure), parts=[])
if measure is not None and measure["missing"]:
    st.info(
        words.plain(f"What to connect: {'; '.join(measure['missing'])}."), icon=":material/cable:"
    )
cards.show(configuration_parts.cards(page, measure, spread))

cells = configuration_queries.cells(page.queries)
groups = configuration_parts.grouped(cells)
downloads = []
if groups:
    box = frame.card(
        "Which team uses what?",
        "Found in the files of each team's repositories today: a live scan, no audit. ▲ apart "
        "from the standard or from most others · ◇ exception · – nothing seen, not compared.",
    )
    chosen = box.segmented_control(
        "Categories", list(groups), default=next(iter(groups)), label_visibility="collapsed"
    )
    shown = groups[chosen or next(iter(groups))]
    box.altair_chart(configuration_charts.heat(shown), alt=configuration_charts.heat_words(shown))
    hidden = cells["team"].n_unique() - len(configuration_charts.teams_shown(shown))
    if hidden > 0:
        box.caption(f"{words.count(hidden, 'more team')} in the tables below.")
    downloads.append(configuration_parts.spread_table(spread))
    downloads.append(configuration_parts.outlier_table(cells, spread))
    configuration_parts.standard_card(page, spread, cells)

downloads.append(configuration_parts.audit_table(page))
if groups:
    downloads.append(configuration_parts.evidence_table(page, spread))

others = configuration_queries.variants(page.queries)
if not others.is_empty():
    cards.show_aside(
        [cards.Aside(row["variant"], STATES[row["state"]]) for row in others.iter_rows(named=True)]
    )

teams, scanned = configuration_queries.scope(page.queries)
frame.footer(
    page,
    metrics=METRICS,
    n=f"n = {words.count(0 if measure is None else measure['n'], 'audit')}, "
    f"{words.count(scanned, 'scanned team')}",
    left_out=f"{words.count(teams - scanned, 'team')} that no scan reaches"
    if teams > scanned
    else "nothing",
    downloads=downloads,
)
