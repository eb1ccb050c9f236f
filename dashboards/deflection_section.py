"""The part of "Requests & deflection" about launches: what they took away, and how sure that is."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import cards, frame, platform_facts, words
from dashboards.launch_charts import intervention
from dashboards.tables import mapped, show_table

EXAMPLE: Final = """[[launches]]
name = "Databases by form"
date = 2026-09-14
categories = ["New database"]
comparison = ["Firewall change"]"""

STATES: Final = {
    "fewer": "✓ fewer requests",
    "more": "▲ more requests",
    "trend": "··· may be a trend",
    "not shown": "··· no effect shown",
    "too early": "··· too early",
    "not yet": "··· not yet",
    "no number": "··· not enough data",
}

METRICS: Final = ["deflection", "self_service"]


def show(page: frame.Page) -> list[frame.Download]:
    """Show every launch with its effect, then the demand of each category; return the tables.

    Nothing is shown where there is neither a launch nor a request.
    """
    found = platform_facts.launches(page.queries)
    demand = platform_facts.demand(page.queries)
    if found.is_empty() and demand.is_empty():
        return []
    if found.is_empty():
        _no_launch()
    else:
        st.subheader("What did launches take away?", anchor=False)
        row = _chosen(found)
        _launch(page, row)
        _table(found)
    _demand(demand)
    return [
        frame.Download(name="launches", rows=lambda: found),
        frame.Download(name="demand", rows=lambda: demand.drop("history")),
    ]


def _no_launch() -> None:
    box = frame.card(
        "What did launches take away?",
        "Nothing is written down yet: a launch belongs into the settings before anyone looks at "
        "its effect, even while it lies in the future.",
    )
    box.code(EXAMPLE, language="toml")


def _chosen(found: pl.DataFrame) -> dict[str, Any]:
    """Let the reader choose a launch and category; the newest with a number comes first."""
    rows = found.to_dicts()
    best = next((i for i, row in enumerate(rows) if row["avoided"] is not None), 0)
    if len(rows) == 1:
        return rows[0]
    names = [words.one_line(f"{row['launch']}: {row['category']}") for row in rows]
    chosen = st.selectbox(
        "Launch and category",
        range(len(rows)),
        index=best,
        format_func=lambda place: names[place],
    )
    return rows[best if chosen is None else chosen]


def _launch(page: frame.Page, row: dict[str, Any]) -> None:
    """Show one launch: its sentence, its numbers, its chart and what goes with it."""
    wording = row["wording"]
    st.html(
        f'<div class="ll-title">{words.html_text(wording[0].upper() + wording[1:])}.</div>'
        f'<div class="ll-sub">{words.html_text(_about(row))}</div>'
    )
    cards.show([_avoided(row), _rate(row), _hours(row), _ratio(row), _failed(row)])
    weeks = platform_facts.launch_weeks(page.queries, row["launch"], row["category"])
    if weeks.is_empty():
        return
    box = frame.card(
        f"How many requests came, and how many were to be expected without {row['launch']}?",
        "Tickets a week. Full: came; dashed: expected, with its 95 % band; shaded: the "
        "difference. Hatched: the adoption window, left out.",
    )
    box.altair_chart(
        intervention(
            weeks, launched_on=row["launched_on"], adoption_weeks=row["adoption_weeks"] or 0
        ),
        height=300,
        alt=words.one_line(f"Weekly tickets around the launch of {row['launch']}. {wording}."),
    )
    if notes := _notes(row):
        box.html(f'<div class="ll-sub">{words.html_text(" ".join(notes))}</div>')


def _about(row: dict[str, Any]) -> str:
    whom = f", for {words.listed(row['teams'])}" if row["teams"] else ""
    return f"{row['launch']}, {row['category']}: launched {words.day(row['launched_on'])}{whom}."


def _avoided(row: dict[str, Any]) -> cards.Card:
    value = row["avoided"]
    return cards.Card(
        label="Tickets avoided",
        value=None if value is None else words.Quantity(_number(value), "tickets"),
        detail=""
        if value is None
        else f"95 %: {_number(row['avoided_low'])} to {_number(row['avoided_high'])}; "
        f"{words.count(row['weeks_after'], 'week')}",
        reason=row["reason"] or "",
    )


def _rate(row: dict[str, Any]) -> cards.Card:
    value = row["deflection_rate"]
    return cards.Card(
        label="Deflection rate",
        value=None if value is None else words.Quantity(_number(value * 100), "%"),
        detail=""
        if value is None
        else f"95 %: {_number(row['deflection_low'] * 100)} to "
        f"{_number(row['deflection_high'] * 100)} % of {row['expected']:,.0f} expected",
        reason=row["reason"] or "",
    )


def _hours(row: dict[str, Any]) -> cards.Card:
    value = row["hours_returned"]
    return cards.Card(
        label="Hours returned",
        value=None if value is None else words.Quantity(_number(value), "hours"),
        detail=""
        if value is None
        else f"95 %: {_number(row['hours_low'])} to {_number(row['hours_high'])}; "
        f"{words.number(row['handling_hours'])} h each, from {row['handling_source']}",
        reason=row["reason"] or row["handling_reason"] or "",
    )


def _ratio(row: dict[str, Any]) -> cards.Card:
    value = row["self_service_ratio"]
    return cards.Card(
        label="Self-service ratio",
        value=None if value is None else words.Quantity(f"{value * 100:.0f}", "%"),
        detail=f"{row['actions_ok'] or 0:,} actions without a ticket after them; no deflection",
        reason="no self-service action of this category is known since",
    )


def _failed(row: dict[str, Any]) -> cards.Card:
    value = row["failed_share"]
    return cards.Card(
        label="Failed self-service",
        value=None if value is None else words.Quantity(f"{value * 100:.0f}", "%"),
        detail=f"{row['failed_actions'] or 0:,} of {row['attempts'] or 0:,}: failed, unfinished or "
        "followed by a ticket",
        reason="no self-service action of this category is known since",
    )


def _notes(row: dict[str, Any]) -> list[str]:
    """What a reader must know before believing the number."""
    if row["avoided"] is None:
        return []
    notes = [f"Method: {row['method']}. n = {_weeks(row)}."]
    if row["comparison"] is None:
        refused = f" {row['comparison_reason']}." if row["comparison_reason"] else ""
        notes.append(
            "Without a comparison the drop is associated with the launch, no more: a steady drift "
            f"of 1 % a week alone can look like an effect.{refused}"
        )
    if row["smallest_drop"] is not None:
        notes.append(
            f"The smallest drop such data show in four of five cases: "
            f"{row['smallest_drop'] * 100:.0f} %."
        )
    if row["together_with"]:
        notes.append(f"In the same week: {words.listed(row['together_with'])}; both are in here.")
    if row["elimination"] == "eliminated":
        notes.append(
            "Eliminated: none came since, and a fifth of the former rate would have shown."
        )
    elif row["elimination"] == "none seen":
        notes.append("None seen since, but too few engineer weeks to call it eliminated.")
    if row["displaced"] is not None:
        notes.append(_displacement(row))
    return notes


def _displacement(row: dict[str, Any]) -> str:
    if row["displaced_low"] > 0:
        told = "more than expected: some may have moved there"
    elif row["displaced_high"] < 0:
        told = "fewer than expected too"
    else:
        told = "nothing moved there for sure"
    ends = f"95 %: {_number(row['displaced_low'])} to {_number(row['displaced_high'])}"
    return f"Other categories: {told}, {_number(row['displaced'])} tickets ({ends})."


def _weeks(row: dict[str, Any]) -> str:
    return (
        f"{words.count(row['tickets_before'], 'ticket')} in "
        f"{words.count(row['weeks_before'], 'week')} before, "
        f"{words.count(row['tickets_after'], 'ticket')} in "
        f"{words.count(row['weeks_after'], 'week')} after"
    )


def _table(found: pl.DataFrame) -> None:
    box = frame.card(
        "Every launch that is written down",
        "Avoided tickets may be negative; without a number the reason stands in its place.",
    )
    rows = found.select(
        mapped(found["launch"], words.one_line),
        mapped(found["category"], words.one_line),
        "launched_on",
        result=mapped(found["state"], lambda state: STATES[state]),
        avoided=pl.col("avoided").round(0),
        low=pl.col("avoided_low").round(0),
        high=pl.col("avoided_high").round(0),
        rate=pl.col("deflection_rate") * 100,
        hours=pl.col("hours_returned").round(0),
        reason=mapped(found["reason"], words.one_line),
    )
    number = st.column_config.NumberColumn
    show_table(
        box,
        rows,
        columns={
            "launched_on": st.column_config.DateColumn("launched", format="D MMM YYYY"),
            "avoided": number("avoided", format="%d"),
            "low": number("from", format="%d"),
            "high": number("to", format="%d"),
            "rate": number("rate", format="%.0f %%"),
            "hours": number("hours returned", format="localized"),
        },
        alt=f"{words.count(rows.height, 'launch and category', 'launches and categories')}.",
    )


def _demand(demand: pl.DataFrame) -> None:
    if demand.is_empty():
        return
    box = frame.card(
        "Who still has to ask?",
        "Requests by category over the last 13 full weeks. The self-service ratio is what people "
        "did without a ticket, of all; it is no deflection.",
    )
    rows = demand.select(
        mapped(demand["category"], words.one_line),
        "tickets",
        per_hundred=pl.col("rate") * 100,
        actions="actions",
        ratio=pl.col("ratio") * 100,
        failed=pl.col("failed") * 100,
        history="history",
    )
    number = st.column_config.NumberColumn
    show_table(
        box,
        rows,
        columns={
            "tickets": number("tickets", format="localized"),
            "per_hundred": number("a week per 100 engineers", format="%.1f"),
            "actions": number("self-service actions", format="localized"),
            "ratio": number("self-service ratio", format="%.0f %%"),
            "failed": number("failed self-service", format="%.0f %%"),
            "history": st.column_config.LineChartColumn("tickets by week", y_min=0),
        },
        alt=f"Demand of {words.count(rows.height, 'category', 'categories')}.",
    )


def _number(value: float) -> str:
    text = words.number(abs(value)) if abs(value) < 100 else f"{abs(value):,.0f}"
    return f"−{text}" if value < 0 and text != "0" else text
