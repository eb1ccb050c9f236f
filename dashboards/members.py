"""Teams and services side by side: the five metrics and their goals, and a way into each."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import frame, words
from dashboards.cards import GOAL_SIGNS
from dashboards.measures import (
    DEPLOYMENT_DAYS,
    DEPLOYMENTS,
    FAIL_RATE,
    FAIL_RATE_AT_LEAST,
    LEAD_TIME,
    LEAD_TIME_P90,
    RECOVERY,
    REWORK,
    REWORK_POSSIBLE,
    WAITING,
    Kind,
    picked,
    side_by_side,
)
from dashboards.tables import selected_row, show_table

_SCHEMA: Final = {
    "name": pl.String,
    "team": pl.String,
    "deployments": pl.Float64,
    "median": pl.Float64,
    "interval": pl.String,
    "fail_rate": pl.Float64,
    "at_least": pl.Float64,
    "recovery": pl.Float64,
    "rework": pl.String,
    "goals": pl.String,
    "change": pl.String,
    "p90": pl.Float64,
    "days": pl.Float64,
    "waiting": pl.Float64,
    "n": pl.Int64,
    "note": pl.String,
    "source": pl.String,
}
_NAMES: Final = {
    "deployment_frequency": "deployments",
    "change_lead_time": "lead time",
    "change_fail_rate": "fail rate",
    "failed_deployment_recovery_time": "recovery",
    "deployment_rework_rate": "rework",
}


def level(page: frame.Page) -> str:
    """Ask whether rows are teams or services; only services remain once a team is chosen."""
    if page.scope.team_id is not None or page.queries.teams().is_empty():
        return "service"
    chosen = st.segmented_control(
        "Rows are",
        ["team", "service"],
        default="team",
        required=True,
        format_func=lambda name: f"{name.capitalize()}s",
        label_visibility="collapsed",
        key="rows",
        bind="query-params",
    )
    return chosen or "team"


def member_table(page: frame.Page, metrics: list[str], goals: pl.DataFrame) -> frame.Download:
    """Show teams or services with the five metrics, slowest first; a chosen one can be opened."""
    box = frame.card(
        "Where to look first",
        "The five metrics, slowest median lead time first. Goals: ✓ attained, ↗ at risk, "
        "▲ missed. Select a row to open it.",
    )
    with box:
        shown_level = level(page)
        records = side_by_side(page.queries.members(page.scope, shown_level, metrics))
        states = _goals(goals, shown_level)
        rows = pl.DataFrame(
            [_member(record, page, states) for record in records], schema=_SCHEMA
        ).with_row_index("row")
        rows = rows.sort("median", descending=True, nulls_last=True, maintain_order=True)
        divisor, unit = words.column_unit(rows["median"].to_list())
        other, other_unit = words.column_unit(rows["recovery"].to_list())
        optional = ("at_least", "goals", "note", "source")
        hidden = {"team", "source"} if shown_level == "team" else set()
        hidden |= {name for name in optional if rows[name].is_null().all()}
        rate = "%.1f" if (rows["deployments"] >= 1).any() else "%.2f"
        shown = rows.drop("row").with_columns(
            pl.col("median", "p90") / divisor, pl.col("recovery") / other
        )
        number = st.column_config.NumberColumn
        event = show_table(
            st,
            shown,
            order=[column for column in _SCHEMA if column not in hidden],
            columns={
                "name": st.column_config.TextColumn(shown_level, pinned=True, width=140),
                "team": st.column_config.TextColumn("team", width=110),
                "deployments": number("deployments a week", format=rate, width=130),
                "median": number(f"lead time ({unit})", format="%.1f", width=100),
                "interval": st.column_config.TextColumn(
                    "95 % interval", alignment="right", width=95
                ),
                "fail_rate": number("fail rate", format="%.1f %%", width=75),
                "at_least": number(
                    "fails at least",
                    format="%.1f %%",
                    width=90,
                    help="No incident source: rollbacks and reverts only.",
                ),
                "recovery": number(f"recovery ({other_unit})", format="%.1f", width=105),
                "rework": st.column_config.TextColumn("rework", alignment="right", width=80),
                "goals": st.column_config.TextColumn("goals", width=260),
                "change": st.column_config.TextColumn("lead time against before", width=165),
                "p90": number(f"p90 ({unit})", format="%.1f", width=80),
                "days": number("days a week", format=rate, width=85),
                "waiting": number("not yet live", format="%d", width=85),
                "n": number("n changes", format="localized", width=80),
                "note": "note",
                "source": st.column_config.LinkColumn("source", display_text="open", width=70),
            },
            on_select="rerun",
            selection_mode="single-row",
            key=f"members-{shown_level}",
            alt=f"The five metrics of {words.count(rows.height, shown_level)}, slowest first.",
        )
        chosen = selected_row(event)
        if chosen is not None and chosen < rows.height:
            _open(shown_level, records[rows["row"][chosen]])
    return frame.Download(name=f"{shown_level}s", rows=lambda: rows.drop("row"))


def _goals(goals: pl.DataFrame, kind: str) -> dict[str, str]:
    """Return the states of each one's goals in words, the missed ones first."""
    states: dict[str, dict[str, list[str]]] = {}
    for row in goals.filter(pl.col("entity_type") == kind).iter_rows(named=True):
        own = states.setdefault(row["entity_id"], {})
        own.setdefault(row["state"], []).append(_NAMES[row["metric"]])
    told = {}
    for identity, own in states.items():
        parts = [
            f"{GOAL_SIGNS[state]} {', '.join(own[state])}"
            for state in ("missed", "at risk", "attained")
            if state in own
        ]
        told[identity] = " · ".join(parts) or f"{GOAL_SIGNS['not enough data']} not enough data"
    return told


def _member(record: dict[str, Any], page: frame.Page, goals: dict[str, str]) -> dict[str, Any]:
    low, high = picked(record, LEAD_TIME, "ci_low"), picked(record, LEAD_TIME, "ci_high")
    median = picked(record, LEAD_TIME)
    compared = words.comparison(
        value=median,
        previous=picked(record, LEAD_TIME, "previous_value"),
        low=low,
        high=high,
        unit="h",
        good="less",
        period=page.scope.period,
    )
    return {
        "name": words.one_line(record["name"]),
        "team": words.one_line(record["team"] or "no team"),
        "deployments": picked(record, DEPLOYMENTS),
        "median": median,
        "interval": words.interval(low, high, "h"),
        "fail_rate": picked(record, FAIL_RATE),
        "at_least": picked(record, FAIL_RATE_AT_LEAST),
        "recovery": picked(record, RECOVERY),
        "rework": _range(picked(record, REWORK), picked(record, REWORK_POSSIBLE)),
        "goals": goals.get(record["id"]),
        "change": compared.short if median is not None else None,
        "p90": picked(record, LEAD_TIME_P90),
        "days": picked(record, DEPLOYMENT_DAYS),
        "waiting": picked(record, WAITING),
        "n": picked(record, LEAD_TIME, "n"),
        "note": _note(record),
        "source": words.safe_link(record["url"]),
    }


def _range(low: float | None, high: float | None) -> str | None:
    if low is None or high is None:
        return None
    first, last = words.number(low, 2), words.number(high, 2)
    return f"{first if first == last else f'{first}–{last}'}{words.NO_BREAK}%"


def _note(record: dict[str, Any]) -> str | None:
    kinds: tuple[Kind, ...] = (DEPLOYMENTS, LEAD_TIME)
    reasons = [picked(record, kind, "reason") for kind in kinds]
    found = [reason for reason in reasons if reason]
    if not found and picked(record, DEPLOYMENTS) is None and picked(record, LEAD_TIME) is None:
        return "nothing measured"
    return words.one_line(found[0]) if found else None


def _open(shown_level: str, record: dict[str, Any]) -> None:
    name = words.plain(record["name"])
    views = (("Delivery", "delivery"), ("Lead time", "lead_time"), ("Failures", "failures"))
    with st.container(horizontal=True):
        for title, view in views:
            st.button(
                f"{title} of {name}",
                icon=":material/arrow_forward:",
                key=f"open-{view}",
                on_click=frame.go,
                args=(f"views/{view}.py", {shown_level: record["id"]}),
            )
