"""Lead time: where the time goes between first commit and production, down to each change."""

import polars as pl
import streamlit as st

from dashboards import charts, facts, frame, stage_charts, words
from dashboards.change import change_table
from dashboards.facts import DOWNLOAD_LIMIT, STAGES
from dashboards.measures import LEAD_TIME, LEAD_TIME_P90, Kind, measure, picked, side_by_side
from dashboards.variants import environment_table, variant_table

TITLE = "Lead time"
ICON = ":material/timeline:"
GROUP = "Measure"
ORDER = 20

METRICS = ["lead_time_stage", "change_lead_time", "lead_time_business"]
HEAT_ROWS = 12

page = frame.current()
rows = page.queries.metrics(page.scope)
median, slowest = measure(rows, LEAD_TIME, page), measure(rows, LEAD_TIME_P90, page)
parts = [
    measure(
        rows,
        Kind("lead_time_stage", stage, stage_charts.STAGE_WORDS[stage], "less", "change"),
        page,
    )
    for stage in STAGES
]
hours = {
    stage: part.value for stage, part in zip(STAGES, parts, strict=True) if part.value is not None
}
unseen = [stage_charts.STAGE_WORDS[stage] for stage, value in hours.items() if value == 0]
if len(unseen) < len(hours):
    hours = {stage: value for stage, value in hours.items() if value > 0}
left_out = facts.left_out(page)
if not hours and median.value is None:
    frame.missing(
        page,
        what="lead times",
        needs=f"Lead time: {median.reason}. It needs changes and the deployments that shipped "
        f"them. Left out in this period: {frame.left_out_words(left_out)}.",
        snippets=["github", "git", "deployments"],
    )
    st.stop()

total = sum(hours.values())
if total > 0:
    longest = max(hours, key=lambda stage: hours[stage])
    answer = (
        f"The longest part is {stage_charts.STAGE_WORDS[longest]}: "
        f"{words.duration(hours[longest])}, {hours[longest] / total * 100:.0f} % of the way"
    )
    if median.quantity is not None:
        answer += f"; half of all changes are live within {median.quantity}"
elif median.quantity is not None:
    answer = f"Half of all changes are live within {median.quantity}"
else:
    answer = "Changes reach production without a measurable wait"
frame.heading(
    page,
    answer,
    f"Median {median.quantity or 'unknown'} (95 % interval {median.interval or 'unknown'}), "
    f"{median.comparison.long or median.comparison.short} · n = {median.n:,} changes",
)

left, right = st.columns([1, 1], gap="medium")
with left:
    box = frame.card(
        "Where does the time go?",
        f"Mean per stage; the stages add up to {words.duration(total)}. "
        "In brackets the same stage in the period before.",
    )
    if hours:
        notes = {
            stage: f"({words.short_duration(part.row['previous_value'])})"
            for stage, part in zip(STAGES, parts, strict=True)
            if part.row is not None and part.row["previous_value"] is not None
        }
        box.altair_chart(
            stage_charts.stages(hours, note=notes),
            height="stretch",
            alt="Stages of lead time: "
            + ", ".join(
                f"{stage_charts.STAGE_WORDS[stage]} {words.duration(value)}"
                for stage, value in hours.items()
            ),
        )
        if 0 < len(unseen) < len(STAGES):
            box.caption(f"Nothing was seen of: {words.listed(unseen)}.")
    else:
        box.info(words.plain(f"No stages: {parts[0].reason}"))
with right:
    box = frame.card(
        "How different are changes from each other?",
        "Height: how many changes took that long; the scale is logarithmic.",
    )
    bins = facts.distribution(page)
    if bins.is_empty():
        box.info("No change with a lead time went live in this period.")
    else:
        marks = {
            word: kind.value
            for word, kind in (("median", median), ("p90", slowest))
            if kind.value is not None
        }
        box.altair_chart(
            charts.distribution(bins, marks),
            height="stretch",
            alt=f"Distribution of lead time over {bins['changes'].sum():,} changes: "
            f"median {median.quantity or 'unknown'}, p90 {slowest.quantity or 'unknown'}.",
        )

if page.scope.service_id is None:
    level = "service" if page.scope.team_id is not None else "team"
    records = side_by_side(page.queries.members(page.scope, level, METRICS))
    if level == "team" and not records:
        level = "service"
        records = side_by_side(page.queries.members(page.scope, level, METRICS))
    total_kind = Kind("lead_time_stage", "total", "", "less", "change")
    known = [record for record in records if picked(record, total_kind) is not None]
    known.sort(key=lambda record: picked(record, total_kind), reverse=True)
    box = frame.card(
        f"Which {level} waits where?",
        f"Mean per stage, slowest {level} first. "
        + (
            f"Without a value: {len(records) - len(known)} of {len(records)}."
            if len(known) < len(records)
            else f"All {len(records)}."
        )
        + (f" Shown: the slowest {HEAT_ROWS}." if len(known) > HEAT_ROWS else ""),
    )
    cells = pl.DataFrame(
        [
            {
                "name": words.one_line(record["name"]),
                "stage": stage_charts.STAGE_WORDS[stage],
                "hours": picked(record, Kind("lead_time_stage", stage, "", "less", "change")),
                "n": picked(record, total_kind, "n"),
            }
            for record in known[:HEAT_ROWS]
            for stage in STAGES
        ],
        schema={"name": pl.String, "stage": pl.String, "hours": pl.Float64, "n": pl.Int64},
    ).drop_nulls("hours")
    cells = cells.filter(pl.col("hours").max().over("stage") > 0)
    if cells.is_empty():
        box.info(f"No {level} has enough changes for a value.")
    else:
        box.altair_chart(
            stage_charts.heat(cells, row_title=level),
            alt=f"Mean hours per stage for {words.count(len(known[:HEAT_ROWS]), level)}; "
            f"slowest: {known[0]['name']}.",
        )

change_table(page)
variant_table(page, rows)
environment_table(page)

frame.footer(
    page,
    metrics=METRICS,
    n=f"n = {words.count(median.n, 'change')}",
    left_out=frame.left_out_words(left_out),
    downloads=[
        frame.Download(name="metrics", rows=lambda: rows),
        frame.Download(name="changes", rows=lambda: facts.changes(page, DOWNLOAD_LIMIT)),
        frame.Download(name="environments", rows=lambda: page.queries.slices(page.scope)),
    ],
)
