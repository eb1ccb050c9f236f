"""What to automate next: the requests that would give most hours back, and to whom."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import cards, frame, platform_charts, platform_facts, words
from dashboards.tables import filled, mapped, selected_row, show_table

TITLE = "What to automate next"
ICON = ":material/precision_manufacturing:"
GROUP = "Platform"
ORDER = 10

TRENDS = {
    "rising": "↗ rising",
    "falling": "↘ falling",
    "steady": "steady",
    "too few weeks": "··· too few weeks",
}

page = frame.current()
found = platform_facts.candidates(page.queries)
if found.is_empty():
    frame.missing(
        page,
        what="requests",
        needs="Requests to the platform team are tickets with a request type, or of a class that "
        "the settings call a request; none is known.",
        snippets=["jira", "github"],
    )
    st.stop()


def hours(value: float) -> str:
    """Return hours a month in words."""
    return f"{words.number(value)} {'hour' if round(value, 1) == 1 else 'hours'}"


def wait_words(row: dict[str, Any]) -> str:
    """Return what the wait is, and what the goals of a service desk say of it."""
    told = ["from opening to resolving, in the mean"]
    if row["first_response_hours"] is not None:
        told.append(f"first response after {words.duration(row['first_response_hours'])}")
    if row["goals"]:
        told.append(f"{words.percent(row['goals_missed'], row['goals'])} of goals missed")
    return "; ".join(told)


def teams_box(box: Any, category: str) -> None:
    """Show which teams ask for a category, and what they wait."""
    teams = platform_facts.candidate_teams(page.queries, category)
    rows = teams.select(
        team=mapped(teams["team_name"].fill_null("team unknown").alias("team"), words.one_line),
        tickets="per_month",
        waiting="waiting_hours_per_month",
        share=pl.col("share") * 100,
    )
    number = st.column_config.NumberColumn
    show_table(
        box,
        rows,
        columns={
            "tickets": number("tickets a month", format="%.1f"),
            "waiting": number("hours waited a month", format="%.0f"),
            "share": number("share", format="%.0f %%"),
        },
        alt=f"{words.count(rows.height, 'team')} that ask for it.",
    )


def examples_box(box: Any, row: dict[str, Any]) -> None:
    """Show the newest tickets of the largest group of like titles."""
    rows = pl.DataFrame(
        {
            "ticket": row["example_keys"],
            "title": [words.one_line(title) for title in row["example_titles"]],
            "url": [words.safe_link(url) for url in row["example_urls"]],
        },
        schema={"ticket": pl.String, "title": pl.String, "url": pl.String},
    )
    box.dataframe(
        rows,
        hide_index=True,
        column_config={
            "title": st.column_config.TextColumn("title", width="large"),
            "url": st.column_config.LinkColumn("source", display_text="open"),
        },
        placeholder="–",
        alt="Examples, newest first.",
    )


first = found.row(0, named=True)
weeks = words.count(first["weeks"], "full week")
known = found.filter(pl.col("hours_per_month").is_not_null())
asked = int(found["tickets"].sum())
if known.is_empty():
    answer = f"{words.count(asked, 'request')} in {weeks}, and nobody can tell how long they take"
    sure = (
        f"{first['reason']}. By tickets alone, {words.one_line(first['category'])} is asked most."
    )
else:
    together = float(known["hours_per_month"].sum())
    part = first["hours_per_month"] / together if together else 0.0
    answer = (
        f"{words.one_line(first['category'])}: automating it would give about "
        f"{hours(first['hours_per_month'])} a month back"
    )
    sure = (
        f"{words.percent(part, 1)} of all hours that repeatable requests take. "
        f"{words.count(first['tickets'], 'request')} in {weeks}; handling hours from "
        f"{first['handling_source']}, n = {first['handling_n']:,}. An estimate of what could be "
        "saved at most: nobody has automated all of it."
    )
frame.heading(page, answer, sure, parts=[f"last {weeks}", "whole organisation"])

cards.show(
    [
        cards.Card(
            label="Hours a month, first place",
            value=None
            if first["hours_per_month"] is None
            else words.Quantity(words.number(first["hours_per_month"]), "hours"),
            detail="tickets × handling × repeatability",
            reason=first["reason"] or "",
        ),
        cards.Card(
            label="Tickets a month",
            value=words.Quantity(words.number(first["per_month"]), "tickets"),
            detail=TRENDS[first["trend"]],
        ),
        cards.Card(
            label="Repeatability",
            value=words.Quantity(f"{first['repeatability'] * 100:.0f}", "%"),
            detail=f"are alike by {first['repeated_by']}"
            + (f": {first['repeated']}" if first["repeated"] else ""),
        ),
        cards.Card(
            label="Teams that ask",
            value=words.Quantity(
                f"{first['breadth']:,}", "team" if first["breadth"] == 1 else "teams"
            ),
            detail="breadth breaks ties",
        ),
        cards.Card(
            label="They wait",
            value=None
            if first["waiting_hours"] is None
            else words.duration(first["waiting_hours"]),
            detail=wait_words(first),
            reason="no request of this category was resolved",
        ),
    ]
)

left, right = st.columns([3, 2], gap="medium")
with left:
    box = frame.card(
        "Where do the hours go?",
        "Hours a month that repeatable requests take, by category; the lighter part is what no "
        "automation would catch, because those requests are unlike the others.",
    )
    if known.is_empty():
        box.info(words.plain(first["reason"]))
    else:
        box.altair_chart(
            platform_charts.hours_by_category(known.head(8)),
            height=46 * min(known.height, 8) + 30,
            alt=f"Hours a month of {words.count(min(known.height, 8), 'category', 'categories')}; "
            f"most: {words.one_line(first['category'])}.",
        )
with right:
    box = frame.card(
        f"Who gets the time back from {words.one_line(first['category'])}?",
        "Teams whose people ask, with the hours they wait.",
    )
    teams_box(box, first["category"])
    box.caption("What they ask for: the newest of the largest group of like titles.")
    examples_box(box, first)

box = frame.card(
    "All categories of requests",
    "Most hours first; those without a known handling time come last, with the reason. Select a "
    "row for its teams and examples.",
)
number = st.column_config.NumberColumn
table = found.select(
    "rank",
    mapped(found["category"], words.one_line),
    hours="hours_per_month",
    tickets="per_month",
    handling="handling_hours",
    alike=pl.col("repeatability") * 100,
    teams="breadth",
    waiting="waiting_hours",
    response="first_response_hours",
    desk="resolution_hours",
    missed=pl.when(pl.col("goals") > 0).then(pl.col("goals_missed") / pl.col("goals") * 100),
    trend=mapped(found["trend"], lambda trend: TRENDS[trend]),
    launched=found["launches"].list.join(", "),
    source="handling_source",
    reason="reason",
)
event = show_table(
    box,
    table,
    order=filled(table),
    columns={
        "rank": number("", format="%d"),
        "hours": number("hours a month", format="%.1f"),
        "tickets": number("tickets a month", format="%.1f"),
        "handling": number("hours each", format="%.1f"),
        "alike": number("alike", format="%.0f %%"),
        "teams": number("teams", format="%d"),
        "waiting": number("hours waited each", format="%.1f"),
        "response": number("first response after hours", format="%.1f"),
        "desk": number("hours by the desk's clock", format="%.1f"),
        "missed": number("goals missed", format="%.0f %%"),
        "launched": "launches for it",
        "source": "hours from",
    },
    on_select="rerun",
    selection_mode="single-row",
    key="candidates",
    alt=f"{words.count(table.height, 'category', 'categories')} of requests, most hours first.",
)
chosen = selected_row(event)
if chosen is not None and chosen < found.height:
    shown = found.row(chosen, named=True)
    named = f"{shown['category']}: who asks, and what for"
    box.html(f'<div class="ll-title">{words.html_text(named)}</div>')
    teams_box(box, shown["category"])
    examples_box(box, shown)

frame.footer(
    page,
    metrics=["automation_candidate"],
    n=f"n = {words.count(asked, 'request')}, {weeks}",
    left_out=f"{words.count(found.height - known.height, 'category', 'categories')} without hours",
    downloads=[frame.Download(name="candidates", rows=lambda: found)],
)
