"""Tables of failures and incidents, each row with what says so and where it leads."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import frame, words
from dashboards.measures import Measure
from dashboards.tables import filled, mapped, selected_row, show_table

_LINKS: Final = {"all": "With likely signs", "high": "Sure signs only"}
_METHODS: Final = {
    "incident_reference": "named in it",
    "incident_time": "soon after going live",
    "incident_team": "same team only",
}


def times(page: frame.Page, found: pl.DataFrame) -> pl.DataFrame:
    """Return how long each failure took, or how long it has lasted so far."""
    return found.filter(pl.col("is_primary")).select(
        "is_open",
        hours=pl.when("is_open").then("open_h").otherwise("recovery_h"),
        service=mapped(found.filter("is_primary")["service_name"], words.one_line),
        version=mapped(found.filter("is_primary")["version"], words.one_line),
        at=mapped(
            found.filter("is_primary")["live_at"],
            lambda moment: words.moment(moment, page.build.zone),
        ),
    )


def failure_table(page: frame.Page, found: pl.DataFrame, rate: Measure, high: Measure) -> None:
    """Show failures with their evidence; a switch leaves out those with likely signs only."""
    box = frame.card(
        "Which deployments failed, and what says so?",
        "Newest first. Sure (high): rolled back, reverted, failed status, named by an incident. "
        "Likely (medium): a hotfix or an incident soon after. Select a row for its walk-through.",
    )
    with box:
        chosen = st.segmented_control(
            "Signs that count",
            list(_LINKS),
            default="all",
            required=True,
            format_func=lambda name: f"{_LINKS[name]} · {_rate(rate if name == 'all' else high)}",
            label_visibility="collapsed",
            key="signs",
            bind="query-params",
        )
        shown = found.filter("is_high") if chosen == "high" else found
        if shown.is_empty():
            st.success("No deployment of this period has such a sign.", icon=":material/check:")
            return
        divisor, unit = words.column_unit(shown["recovery_h"].to_list())
        rows = shown.select(
            live=pl.col("live_at").dt.convert_time_zone(page.build.zone.key),
            service=mapped(shown["service_name"], words.one_line),
            version=mapped(shown["version"], words.one_line),
            signs="signs",
            confidence=_confidence(),
            recovery=pl.col("recovery_h") / divisor,
            recovered=pl.when("is_open").then(pl.lit("▷ not over")).otherwise("recovered_by"),
            evidence=mapped(shown["evidence"].list.join("; "), words.one_line),
            deployment=mapped(shown["deployment_url"], words.safe_link),
            url=mapped(shown["evidence_urls"].list.first(), words.safe_link),
        )
        event = show_table(
            st,
            rows,
            columns={
                "live": st.column_config.DatetimeColumn("live", format="D MMM YYYY, HH:mm"),
                "version": st.column_config.TextColumn("version", width=110),
                "signs": st.column_config.TextColumn("sign", width=170),
                "recovery": st.column_config.NumberColumn(
                    f"recovery ({unit})", format="%.1f", width=110
                ),
                "recovered": "mended by",
                "evidence": st.column_config.TextColumn("evidence", width=330),
                "deployment": st.column_config.LinkColumn(
                    "deployment", display_text="open", width=90
                ),
                "url": st.column_config.LinkColumn("sign's source", display_text="open", width=95),
            },
            on_select="rerun",
            selection_mode="single-row",
            key="failures",
            alt=f"{words.count(rows.height, 'failed deployment')}, newest first.",
        )
        position = selected_row(event)
        if position is not None and position < shown.height:
            _evidence(page, shown.row(position, named=True))


def _confidence() -> pl.Expr:
    return (
        pl.when(pl.col("confidence") == "high")
        .then(pl.lit("sure"))
        .when(pl.col("is_primary"))
        .then(pl.lit("likely"))
        .otherwise(pl.lit("does not count"))
    )


def _rate(value: Measure) -> str:
    return str(value.quantity) if value.quantity is not None else "no rate"


def _evidence(page: frame.Page, failure: dict[str, Any]) -> None:
    title = f"{failure['service_name']} {failure['version']}"
    st.markdown(f"#### {words.plain(title)}", anchors=False)
    moment = words.moment(failure["live_at"], page.build.zone)
    lines = [f"- {words.plain(text)}" for text in failure["evidence"]]
    st.markdown("\n".join([f"Live {words.plain(moment)}.", "", *lines]))
    with st.container(horizontal=True):
        frame.walk_button("deployment", failure["deployment_id"])
        for number, url in enumerate(dict.fromkeys(failure["evidence_urls"])):
            link = words.safe_link(url)
            if link is not None:
                st.link_button(f"Open sign {number + 1}", link, icon=":material/open_in_new:")


def incident_table(page: frame.Page, found: pl.DataFrame, chance: dict[str, Any]) -> None:
    """Show incidents, those linked to no deployment first, with the reason."""
    free = found.filter(pl.col("deployment_id").is_null()).height
    box = frame.card(
        "Which incidents come from no deployment?",
        f"{words.count(found.height, 'incident')} began in this period, {free} of them linked to "
        f"no deployment; those first, with the reason. {_by_chance(chance)}",
    )
    if found.is_empty():
        box.info("No incident is known in this period.")
        return
    rows = found.select(
        started=pl.col("started_at").dt.convert_time_zone(page.build.zone.key),
        service=mapped(found["service_name"], words.one_line),
        title=mapped(found["title"], words.one_line),
        severity=mapped(found["severity"], words.one_line),
        duration_h="duration_h",
        linked=mapped(found["version"], words.one_line),
        link=pl.col("link_method").replace_strict(_METHODS, default=None),
        candidates="candidates",
        reason=mapped(found["reason"], words.one_line),
        url=mapped(found["url"], words.safe_link),
    )
    show_table(
        box,
        rows,
        order=filled(rows),
        columns={
            "started": st.column_config.DatetimeColumn("began", format="D MMM YYYY, HH:mm"),
            "title": st.column_config.TextColumn("incident", width=230),
            "duration_h": st.column_config.NumberColumn("lasted (h)", format="%.1f", width=90),
            "linked": "deployment",
            "candidates": st.column_config.NumberColumn("considered", width=90),
            "reason": st.column_config.TextColumn("why to none", width=330),
            "url": st.column_config.LinkColumn("source", display_text="open", width=70),
        },
        alt=f"{words.count(rows.height, 'incident')}, those linked to no deployment first.",
    )


def _by_chance(chance: dict[str, Any]) -> str:
    """Return how many links by time chance alone would give."""
    if not chance["incidents"]:
        return ""
    text = (
        f"Of {words.count(chance['incidents'], 'incident')} that name a service about "
        f"{words.number(chance['expected'] or 0)} would be linked by chance: deployments reach "
        f"over {round((chance['covered'] or 0) * 100)} % of the time in the typical service."
    )
    if chance["crowded"]:
        named = words.count(chance["crowded"], "service")
        text += f" For {named} that is over half: links by time alone do not count there."
    return text
