"""Service set-up: how long until a new service is ready, golden path against hand-made."""

from datetime import timedelta

import polars as pl
import streamlit as st

from dashboards import (
    cards,
    frame,
    setup,
    setup_cards,
    setup_charts,
    setup_tables,
    stage_charts,
    words,
)
from dashboards.facts import DOWNLOAD_LIMIT

TITLE = "Service set-up"
ICON = ":material/rocket_launch:"
GROUP = "Thresholds"
ORDER = 10

page = frame.current()
found = setup.load(page)
cases = setup.cases(page)
if found is None or (found.latest["coverage"] is None and cases.is_empty()):
    frame.missing(
        page,
        what="set-ups",
        needs="It needs repositories with their pipelines and deployments, and what asks for a "
        "new service: tickets, or the templates of a portal.",
        snippets=["github", "portal", "setup"],
    )
    st.stop()

latest = found.latest
window = f"{latest['window_days']} days"
evaluated = latest["evaluated_at"].astimezone(page.build.zone)
frame.heading(
    page,
    setup_cards.answer(found),
    f"Threshold {setup_cards.standing(found, page.build.zone)}: {latest['reason']} "
    f"{latest['coverage_text'].capitalize()}.",
    parts=[
        f"{window} to {words.day(evaluated.date() - timedelta(days=1))}",
        "whole organisation",
    ],
)
if latest["missing"]:
    st.info(
        "To connect: " + words.plain("; ".join(latest["missing"])) + ".",
        icon=":material/power:",
    )


cards.show(setup_cards.row(found))

left, right = st.columns([3, 2], gap="medium")
with left:
    box = frame.card(
        "How long until a service is ready?",
        "Share not ready after so much working time. Full: a portal's template made it; dashed: "
        "made by hand; ▷ still open. Below: how many were not ready yet.",
    )
    shown = found.curve.filter(pl.col("group_name") != "all")
    if shown.is_empty():
        box.info("No set-up of the window has a known length.")
    else:
        counts = {
            group: int(shown.filter(pl.col("group_name") == group)["at_risk"].max() or 0)  # type: ignore[arg-type]
            for group in setup.GROUPS
        }
        box.altair_chart(
            setup_charts.survival(found),
            height=300,
            alt="Share of services not ready against working time: "
            + ", ".join(f"{count} {group}" for group, count in counts.items())
            + f"; the threshold is one working day of {words.number(found.day)} hours.",
        )
with right:
    means = setup.stage_means(page)
    by_hand = means.filter(pl.col("made_by") == "hand-made")
    which = by_hand if by_hand.height else means
    kind = "hand-made services" if by_hand.height else "golden path services"
    box = frame.card(
        "Where does the time go?",
        f"Mean working time by stage of {kind} that are ready; stages add up.",
    )
    if which.is_empty():
        box.info("No set-up of the window is ready yet.")
    else:
        row = which.row(0, named=True)
        hours = {name: row[name] for name in setup.STAGES if row[name] > 0}
        total = sum(hours.values())
        box.altair_chart(
            stage_charts.stages(hours, names=setup.STAGES, short=found.short),
            height=300,
            alt=f"Stages of {row['n']} {kind}, together {found.length(total)}: "
            + ", ".join(
                f"{setup.STAGES[name]} {found.short(each)}" for name, each in hours.items()
            ),
        )

setup_tables.variant_table(found)
setup_tables.case_table(page, found, cases)
out = setup.left_out(page)
setup_tables.left_out_table(page, out)
st.caption(
    words.plain(
        f"Legs waited for: {', '.join(latest['legs']) or 'none that could be seen'}. "
        "The evaluation is of the whole organisation; team and service select the rows of the "
        "table. wd: working days."
    )
)
reasons = setup.reasons(page)
frame.footer(
    page,
    metrics=["setup_time", "set_up_time"],
    n=f"n = {words.count(latest['n'], 'set-up')}",
    left_out=frame.left_out_words(reasons.select("reason", "n")),
    downloads=[
        frame.Download(name="set-ups", rows=lambda: setup.cases(page, DOWNLOAD_LIMIT)),
        frame.Download(name="left out", rows=lambda: setup.left_out(page, DOWNLOAD_LIMIT)),
        frame.Download(name="evaluations", rows=lambda: setup.measures(page)),
    ],
)
