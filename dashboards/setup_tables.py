"""Tables of set-ups: every case with its length, stages and source, and what is left out."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import frame, setup, words
from dashboards.tables import filled, mapped, show_table

_STATES: Final = {
    "ready": "ready",
    "open": "▷ not ready",
    "cancelled": "given up",
    "young": "▷ under a day old",
    "unknown": "··· unknown",
}
_STARTS: Final = {"ticket": "a ticket", "task": "the portal", "repository": "its repository"}


def case_table(page: frame.Page, found: setup.Setup, cases: pl.DataFrame) -> None:
    """Show every set-up, newest first, with what it took and where it waits."""
    counted = cases.filter("is_counted").height
    box = frame.card(
        "Every set-up",
        f"{words.count(cases.height, 'set-up')}, newest first; {counted} of them count at the "
        f"latest evaluation. Lengths in working days of {words.number(found.day)} hours; ▲ took "
        "more than one.",
    )
    if cases.is_empty():
        box.info("No set-up of this selection is known.")
        return
    rows = cases.select(
        began=pl.col("start_at").dt.convert_time_zone(page.build.zone.key),
        service=mapped(cases["name"], words.one_line),
        team=mapped(cases["team_name"], words.one_line),
        state=pl.col("state").replace_strict(_STATES, default=None),
        took=pl.col("working_h") / found.day,
        over=pl.when("is_over").then(pl.lit("▲")).when(~pl.col("is_over")).then(pl.lit("✓")),
        waits=pl.when(pl.col("waits_for") != "ready").then("waits_for"),
        made_by="made_by",
        began_with=pl.col("start_by").replace_strict(_STARTS, default=None),
        tickets="tickets",
        logged="logged_h",
        production=pl.col("production_at").dt.convert_time_zone(page.build.zone.key),
        counts=pl.when("is_counted").then(pl.lit("yes")).otherwise(pl.lit("no")),
        note=mapped(cases["reason"], words.one_line),
        url=mapped(cases["url"], words.safe_link),
    )
    show_table(
        box,
        rows,
        order=filled(rows),
        columns={
            "began": st.column_config.DatetimeColumn("began", format="D MMM YYYY, HH:mm"),
            "service": st.column_config.TextColumn("service", width=170),
            "took": st.column_config.NumberColumn("took (working days)", format="%.1f", width=145),
            "over": st.column_config.TextColumn("over a day", width=80),
            "waits": "waits for",
            "made_by": "made by",
            "began_with": "began with",
            "tickets": st.column_config.NumberColumn("tickets", width=70),
            "logged": st.column_config.NumberColumn("logged (h)", format="%.1f", width=90),
            "production": st.column_config.DatetimeColumn(
                "in production", format="D MMM YYYY, HH:mm"
            ),
            "url": st.column_config.LinkColumn("source", display_text="open", width=70),
        },
        alt=f"{words.count(rows.height, 'set-up')} with length, state and source.",
    )


def left_out_table(page: frame.Page, rows: pl.DataFrame) -> None:
    """Show what looks like a set-up and counts nowhere, with the reason."""
    with st.expander(f"Left out: {words.count(rows.height, 'thing')} that look like a set-up"):
        if rows.is_empty():
            st.markdown("✓ Nothing is left out.")
            return
        show_table(
            st,
            rows.select(
                began=pl.col("start_at").dt.convert_time_zone(page.build.zone.key),
                name=mapped(rows["name"], words.one_line),
                reason=mapped(rows["reason"], words.one_line),
                url=mapped(rows["url"], words.safe_link),
            ),
            columns={
                "began": st.column_config.DatetimeColumn("began", format="D MMM YYYY, HH:mm"),
                "reason": st.column_config.TextColumn("why", width="large"),
                "url": st.column_config.LinkColumn("source", display_text="open", width=70),
            },
            alt=f"{words.count(rows.height, 'thing')} left out, with the reason.",
        )


def variant_table(found: setup.Setup) -> None:
    """Show what other definitions of a set-up's length would say."""
    latest = found.latest
    box = frame.card(
        "Does the answer hang on the definition?",
        "The same threshold with other ends and clocks. The portal's run is the least a set-up "
        "can take, the first production deployment the most.",
    )
    main: dict[str, Any] = {
        "variant": "as decided: working time until ready",
        "value": latest["value"],
        "ci_low": latest["ci_low"],
        "ci_high": latest["ci_high"],
        "n": latest["n"],
        "state": latest["measured_state"],
    }
    rows = pl.concat([pl.DataFrame([main], schema=found.variants.schema), found.variants])
    show_table(
        box,
        rows.select(
            definition="variant",
            over=pl.col("value") * 100,
            interval=pl.Series(
                [
                    words.interval(
                        None if low is None else 100 * low,
                        None if high is None else 100 * high,
                        "%",
                    )
                    for low, high in rows.select("ci_low", "ci_high").iter_rows()
                ],
                dtype=pl.String,
            ),
            n="n",
            state=pl.col("state").replace_strict(setup.STATES, default=None),
        ),
        columns={
            "definition": st.column_config.TextColumn("definition", width="medium"),
            "over": st.column_config.NumberColumn("over a day", format="%.0f %%", width=90),
            "interval": st.column_config.TextColumn("95 % interval", width=110),
            "n": st.column_config.NumberColumn("n", width=50),
        },
        alt=f"{words.count(rows.height, 'definition')} with share, interval and state.",
    )
