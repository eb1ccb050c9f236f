"""Team interactions: which mode of Team Topologies pairs of teams really work in."""

import polars as pl
import streamlit as st

from dashboards import cards, frame, platform_charts, platform_facts, words
from dashboards.tables import mapped, show_table

TITLE = "Team interactions"
ICON = ":material/handshake:"
GROUP = "Platform"
ORDER = 30

MODES = {
    "X-as-a-service": "X-as-a-service",
    "facilitating": "facilitating",
    "collaboration": "collaboration",
    "by ticket": "by ticket (none of the three)",
}

page = frame.current()
found = platform_facts.interactions(page.queries, page.scope.team_id)
if found.is_empty():
    frame.missing(
        page,
        what="interactions of teams",
        needs="It needs teams with their people, and what goes between them: tickets with "
        "reporter and assignee, reviews, self-service actions.",
        snippets=["github", "jira"],
    )
    st.stop()

judged = found.filter(pl.col("mode").is_not_null())
months = found["month"].unique().sort().to_list()
newest = months[-2] if len(months) > 1 else months[-1]
latest = judged.filter(pl.col("month") == newest)
counts = {mode: latest.filter(pl.col("mode") == mode).height for mode in MODES}
if latest.is_empty():
    answer = f"In {newest:%B %Y} no two teams had five interactions or more"
elif counts["by ticket"] * 2 > latest.height:
    answer = (
        f"{counts['by ticket']:,} of {words.count(latest.height, 'relation')} between teams are by "
        "ticket: none of the three modes"
    )
else:
    most = max(counts, key=lambda mode: counts[mode])
    answer = (
        f"{counts[most]:,} of {words.count(latest.height, 'relation')} between teams are "
        f"{MODES[most]}"
    )
named = found.filter(pl.col("team_id") == (page.scope.team_id or ""))["team_name"].to_list()
team = f"team {words.one_line(named[0])}" if named else "all teams"
total = int(found.filter(pl.col("month") == newest)["interactions"].sum())
frame.heading(
    page,
    answer,
    f"{newest:%B %Y}, {words.count(total, 'interaction')}. What is in use, as tickets, "
    "self-service actions and reviews show it; conversations leave no trace here.",
    parts=["last 13 months", team],
)

before = months[-3] if len(months) > 2 else None
former = judged.filter(pl.col("month") == before) if before is not None else None
cards.show(
    [
        cards.Card(
            label=name[0].upper() + name[1:],
            value=words.Quantity(
                f"{counts[mode]:,}", "relation" if counts[mode] == 1 else "relations"
            ),
            detail=f"of {latest.height:,} in {newest:%B %Y}"
            + (
                ""
                if former is None
                else f"; {former.filter(pl.col('mode') == mode).height:,} in {before:%B}"
            ),
        )
        for mode, name in MODES.items()
    ]
)

left, right = st.columns([3, 2], gap="medium")
with left:
    box = frame.card(
        "Is self-service taking over from tickets?",
        "Relations by mode and month, from five interactions on; two teams have one each way. The "
        "last month may not be over.",
    )
    if judged.is_empty():
        box.info("No two teams had five interactions in any month.")
    else:
        box.altair_chart(
            platform_charts.modes_by_month(judged, MODES),
            height=280,
            alt=f"Relations between teams by mode over {words.count(len(months), 'month')}.",
        )
with right:
    box = frame.card("How a mode is told", "The rule, from five interactions a month on.")
    box.markdown(
        "1. At least half of them reviews: **collaboration** where each side gives a quarter of "
        "the reviews or more, else **facilitating**.\n"
        "2. Otherwise **X-as-a-service** where at least half of what is asked for is done by "
        "self-service.\n"
        "3. Else **by ticket**: a hand-off, which is none of the three modes.\n\n"
        "Reviews are change requests of the one team reviewed by people of the other. "
        "Self-service counts for the team that handles most tickets of that category. People of "
        "both teams are left out."
    )

box = frame.card(
    "Pair by pair",
    "Newest month first. The first team asks, the other serves.",
)
table = found.select(
    "month",
    team=mapped(found["team_name"], words.one_line),
    other=mapped(found["other_team_name"], words.one_line),
    mode=pl.col("mode").replace_strict(MODES, default=None, return_dtype=pl.String),
    tickets="tickets",
    actions="actions",
    by_other="reviews_by_other",
    of_other="reviews_of_other",
)
show_table(
    box,
    table,
    columns={
        "month": st.column_config.DateColumn("month", format="MMM YYYY"),
        "other": "other team",
        "actions": "self-service",
        "by_other": "reviews by the other",
        "of_other": "reviews of the other",
    },
    alt=f"{words.count(table.height, 'relation')} between teams, by month.",
)
frame.footer(
    page,
    metrics=["team_interaction"],
    n=f"n = {int(found['interactions'].sum()):,} interactions",
    left_out=f"{words.count(found.height - judged.height, 'relation')} with fewer than five",
    downloads=[frame.Download(name="team interactions", rows=lambda: found)],
)
