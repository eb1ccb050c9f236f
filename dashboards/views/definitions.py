"""Definitions: every number in words, with its parameters, its variants and the SQL that ran."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import definition_queries, frame, words
from dashboards.cards import GOAL_SIGNS
from dashboards.tables import exclusion_table, exclusion_words, filled, mapped, show_table

TITLE = "Definitions"
ICON = ":material/menu_book:"
GROUP = "Trust"
ORDER = 85

RULES: Final = """
| rule | what holds |
| --- | --- |
| No data is never zero | What cannot be known has no value and says why. |
| Periods | Trailing 28, 91, 182 and 365 days up to the moment all sources have answered, and \
ISO weeks. A week that is not over is marked, not scaled. |
| Comparison | The equal period before. A change inside the interval is no news. |
| Smallest n | Median from 5 cases, 75th percentile from 10, 90th from 20; intervals of shares \
from 5. |
| Teams and the organisation | The median over their services that have a value, never a pooled \
ratio. |
| Intervals | 95 %: Wilson for shares, Poisson widened by the weekly spread for rates, order \
statistics for quantiles, clustered by deployment for lead time. |
| Open cases | Count as not yet over (Kaplan–Meier), never as missing. |
| People | Never ranked or named; machines are kept apart. |
"""

page = frame.current()
definitions = definition_queries.definitions(page.queries)
variants = definition_queries.variants(page.queries)
if definitions.is_empty():
    frame.missing(
        page,
        what="definitions",
        needs="This build carries none: it was made before anything was measured.",
        snippets=["github", "git"],
    )
    st.stop()

asked = st.query_params.get("definition", "")
frame.heading(
    page,
    f"{words.count(definitions.height, 'number')} are defined, each with the SQL that ran",
    "Search for a word, or send somebody the address of one definition.",
    parts=["all metrics"],
)
typed = st.text_input(
    "Search the definitions",
    placeholder="recovery, baseline, Wilson …",
    key="search",
    bind="query-params",
    max_chars=100,
)
found = definitions
if typed and typed.strip():
    needle = typed.strip().casefold()
    found = definitions.filter(
        pl.concat_str(["name", "title", "words", "parameters"], separator=" ", ignore_nulls=True)
        .str.to_lowercase()
        .str.contains(needle, literal=True)
    )
    if found.is_empty():
        st.info("No definition has these words.")
# What the address asks for stands first.
found = found.sort(pl.col("name") != asked, maintain_order=True)


def definition(row: dict[str, Any], *, is_asked: bool) -> None:
    """Show one definition: words, parameters, variants, and its SQL when opened."""
    with st.container(border=True):
        st.subheader(words.plain(row["title"]), anchor=row["name"])
        st.markdown(words.plain(row["words"]))
        own = variants.filter(pl.col("metric") == row["name"])
        parts = [
            f"{words.plain(name)} ({words.plain(unit)})"
            for name, unit in own.select("variant", "unit").iter_rows()
        ]
        lines = [f"**Version** {row['version']} · **name** {words.plain(row['name'])}"]
        if parts:
            lines.append(f"**Variants** {', '.join(parts)}")
        if row["parameters"]:
            lines.append(f"**Parameters** {words.plain(row['parameters'])}")
        st.caption("  \n".join(lines))
        if row["sql"]:
            with st.expander("The model that ran", expanded=is_asked):
                st.code(row["sql"], language="python" if "import " in row["sql"] else "sql")


if found.height > 1:
    st.markdown(
        " · ".join(
            f"[{words.plain(title)}](#{name})"
            for title, name in [
                *found.select("title", "name").iter_rows(),
                ("Rules for all", "rules"),
            ]
        )
    )
for each in found.iter_rows(named=True):
    definition(each, is_asked=each["name"] == asked)

with st.container(border=True):
    st.subheader("Rules for all", anchor="rules")
    st.markdown(RULES)

years = definition_queries.reference_years(page.queries)
chosen = definition_queries.chosen_year(page.queries)
if years:
    box = frame.card(
        "What are values held against?",
        "Published answers, metric by metric: no overall tier is made of them. A value's own past "
        "says more.",
    )
    with box:
        year = st.selectbox(
            "Report",
            years,
            index=years.index(chosen) if chosen in years else 0,
            format_func=lambda value: f"{value} (in use)" if value == chosen else str(value),
            key="report",
            bind="query-params",
        )
        bins = definition_queries.reference(page.queries, int(year or years[0]))
        rows = bins.select("title", "label", "share", "percentile_low", "percentile_high")
        show_table(
            st,
            rows,
            order=filled(rows),
            columns={
                "title": "metric",
                "label": "answer",
                "share": st.column_config.NumberColumn("share of answers", format="%.1f %%"),
                "percentile_low": st.column_config.NumberColumn("better than", format="%.0f %%"),
                "percentile_high": st.column_config.NumberColumn("up to", format="%.0f %%"),
            },
            alt=f"{words.count(bins.height, 'answer')} of the report of {year}.",
        )
        if not bins.is_empty():
            st.caption(words.plain(f"Source: {bins['source'][0]}. {bins['note'][0] or ''}"))

goals = definition_queries.goals(page.queries, page.scope.period)
box = frame.card(
    "Which goals are in force?",
    f"Of teams and the organisation, over {words.PERIODS[page.scope.period]}. Attained: the value "
    "and its whole interval meet the target; at risk: the value only; missed: not even the value.",
)
if goals.is_empty():
    box.markdown("None is set. For example:")
    box.code('[[goals]]\nmetric = "change_lead_time"\ntarget = "2 d"', language="toml")
else:
    signs = [f"{GOAL_SIGNS[state]} {state}" for state in goals["state"]]
    show_table(
        box,
        goals.select(
            mapped(goals["name"], words.one_line),
            "metric",
            target=pl.format("{} {}", "direction", "target_text"),
            state=pl.Series(signs, dtype=pl.String),
            value=pl.Series(
                [
                    None if value is None else words.short_quantity(value, unit)
                    for value, unit in goals.select("value", "unit").iter_rows()
                ],
                dtype=pl.String,
            ),
            services=pl.format("{} of {}", "meeting", "services"),
            before="previous_state",
            reason=mapped(goals["reason"], words.one_line),
        ),
        columns={
            "name": "of",
            "services": "services that meet it",
            "before": "period before",
        },
        alt=f"{words.count(goals.height, 'goal')} with their states.",
    )

exclusions = page.queries.exclusions()
box = frame.card(
    "What is left out, and how much?", "By rule; the settings' own exclusions carry their reason."
)
left_out = exclusion_table(box, exclusions, with_example=False)

frame.footer(
    page,
    metrics=[],
    n=f"n = {words.count(definitions.height, 'definition')}",
    left_out=exclusion_words(exclusions),
    downloads=[
        frame.Download(name="definitions", rows=lambda: definitions),
        frame.Download(name="goals", rows=lambda: goals),
        left_out,
    ],
)
