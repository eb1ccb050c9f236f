"""Data health: what arrived, how fresh it is, and what could not be used."""

from datetime import datetime, timedelta

import polars as pl
import streamlit as st

from dashboards import cards, coverage_chart, frame, words
from dashboards.palette import palette
from dashboards.tables import exclusion_table, exclusion_words, mapped, show_table

TITLE = "Data health"
ICON = ":material/fact_check:"
GROUP = "Trust"
ORDER = 90

LATE = timedelta(days=1)

page = frame.current()
sources = page.queries.sources()
checks = page.queries.checks()
rejects = page.queries.rejects()
exclusions = page.queries.exclusions()
if sources.is_empty() and checks.is_empty():
    frame.missing(
        page,
        what="sources",
        needs="No connection has delivered anything into this build.",
        snippets=["github", "git"],
    )
    st.stop()


def state(row: dict[str, object]) -> str:
    """Return the state of a stream in words; colour only repeats it."""
    seen = row["last_success_at"]
    if not isinstance(seen, datetime):
        return "▲ never succeeded"
    if row["failing"]:
        return f"▲ {row['failing']} of {row['scopes']} failing"
    if row["last_error"]:
        return "▲ last pull failed"
    if page.build.as_of - seen > LATE and page.now - seen > LATE:
        return "↗ late"
    return "✓ complete"


states = [state(row) for row in sources.iter_rows(named=True)]
troubled = sum(not text.startswith("✓") for text in states)
received, rejected = int(sources["rows"].sum() or 0), int(sources["rejects"].sum() or 0)
age = words.duration(max(0.0, (page.now - page.build.as_of).total_seconds() / 3600))
if sources.is_empty():
    answer = "No source reports how it is doing"
elif troubled:
    verb = "needs" if troubled == 1 else "need"
    answer = f"{troubled} of {words.count(sources.height, 'stream')} {verb} a look"
else:
    answer = f"All {words.count(sources.height, 'stream')} are complete"
frame.heading(
    page,
    f"{answer}; the numbers are {age} old",
    f"Everything is measured up to {words.moment(page.build.as_of, page.build.zone)}: "
    "the earliest moment that all needed sources had answered.",
    parts=["all sources"],
)


def check_card(pattern: str, label: str) -> cards.Card:
    """Return a card for one kind of check, summed over its subjects; only findings have rows."""
    found = checks.filter(pl.col("check_name").str.contains(pattern))
    bad, seen = int(found["count"].sum()), int(found["total"].sum() or 0)
    share = f"{words.percent(bad, seen)} of {seen:,}" if seen else "none found"
    return cards.Card(label=label, value=words.Quantity(f"{bad:,}", ""), detail=share)


cards.show(
    [
        cards.Card(
            label="Age of the data",
            value=age,
            detail=f"build {words.ago(page.build.built_at, page.now)}, "
            f"took {page.build.seconds:.1f} s",
        ),
        cards.Card(
            label="Streams complete",
            value=words.Quantity(str(sources.height - troubled), f"of {sources.height}"),
            detail=f"{words.count(int(sources['requests'].sum() or 0), 'request')} spent",
        ),
        cards.Card(
            label="Rows received",
            value=words.Quantity(f"{received:,}", ""),
            detail=f"{rejected:,} rejected ({words.percent(rejected, received + rejected)})"
            if received + rejected
            else "nothing yet",
        ),
        check_card("(unmatched|unresolved) deployments", "Unmatched deployments"),
        check_card("unmapped people|unlinked accounts", "Unmapped people"),
    ]
)

if not sources.is_empty():
    colors = {"✓": palette().primary, "▲": palette().crossed, "↗": palette().trending}
    named = sources.with_columns(
        name=pl.format(
            "{} {} · {}", pl.Series([text[0] for text in states]), "connection", "stream"
        ),
        state=pl.Series(states),
        color=pl.Series([colors[text[0]] for text in states]),
    )
    covered = named.drop_nulls(["coverage_from", "coverage_to"])
    if covered.is_empty():
        box = frame.card("What did each source give?", "One row per stream, troubled ones first.")
    else:
        box = frame.card(
            "From when to when is there data?",
            "Coverage by stream; the dotted line is the moment up to which everything is measured.",
        )
        box.altair_chart(
            coverage_chart.coverage(
                covered.select("name", "coverage_from", "coverage_to", "state", "color"),
                page.build.as_of,
            ),
            alt=f"Coverage of {words.count(covered.height, 'stream')}.",
        )
    table = named.select(
        mapped(sources["connection"], words.one_line),
        mapped(sources["stream"], words.one_line),
        "state",
        last_success=pl.col("last_success_at").dt.convert_time_zone(page.build.zone.key),
        lag_h=pl.col("lag_us") / 3.6e9,
        rows="rows",
        rejects="rejects",
        scopes="scopes",
        requests="requests",
        last_full=pl.col("last_full_at").dt.convert_time_zone(page.build.zone.key),
        error=mapped(sources["last_error"], words.one_line),
    )
    show_table(
        box,
        table,
        columns={
            "last_success": st.column_config.DatetimeColumn(
                "last success", format="D MMM YYYY, HH:mm"
            ),
            "lag_h": st.column_config.NumberColumn("lag (h)", format="%.1f"),
            "rows": st.column_config.NumberColumn("rows", format="localized"),
            "rejects": st.column_config.NumberColumn("rejects", format="localized"),
            "requests": st.column_config.NumberColumn("requests", format="localized"),
            "last_full": st.column_config.DatetimeColumn(
                "last full pass", format="D MMM YYYY, HH:mm"
            ),
            "error": "last error",
        },
        alt=f"{words.count(table.height, 'stream')} with state, freshness and counts.",
    )

box = frame.card(
    "What could not be matched or used?", "Largest first; the last column says what mends it."
)
if checks.is_empty():
    box.info("This build carries no checks.")
else:
    show_table(
        box,
        checks.select(
            mapped(checks["check_name"], words.one_line),
            mapped(checks["subject"], words.one_line),
            "count",
            "total",
            "share",
            message=mapped(checks["message"], words.one_line),
            help=mapped(checks["help"], words.one_line),
        ),
        columns={
            "check_name": "check",
            "count": st.column_config.NumberColumn("count", format="localized"),
            "total": st.column_config.NumberColumn("of", format="localized"),
            "share": st.column_config.NumberColumn("share", format="%.1f %%"),
            "message": st.column_config.TextColumn("what it means", width="large"),
            "help": st.column_config.TextColumn("what to do", width="large"),
        },
        alt=f"{words.count(checks.height, 'check')}, largest count first.",
    )

if rejects.is_empty():
    right = st.container()
else:
    left, right = st.columns(2, gap="medium")
    with left:
        box = frame.card("What was rejected?", "Items a source sent that could not be read.")
        show_table(
            box,
            rejects.select(
                *(
                    mapped(rejects[column], words.one_line)
                    for column in ("connection", "stream", "path", "problem", "excerpt")
                ),
                mapped(rejects["url"], words.safe_link),
            ),
            columns={"url": st.column_config.LinkColumn("source", display_text="open")},
            alt=f"{words.count(rejects.height, 'rejected item')}.",
        )
with right:
    box = frame.card(
        "What is left out, and why?",
        "Everything that some number does not count."
        + (" Nothing was rejected as unreadable." if rejects.is_empty() else ""),
    )
    left_out = exclusion_table(box, exclusions, with_example=True)

frame.footer(
    page,
    metrics=[],
    n=f"n = {received:,} rows",
    left_out=exclusion_words(exclusions),
    downloads=[
        frame.Download(name="sources", rows=lambda: sources),
        frame.Download(name="checks", rows=lambda: checks),
        frame.Download(name="rejects", rows=lambda: rejects),
        left_out,
    ],
)
