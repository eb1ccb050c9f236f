"""Lead time measured in other ways, and apart for each production environment."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import frame, words
from dashboards.measures import (
    DEPLOYMENTS,
    FAIL_RATE,
    LEAD_TIME,
    LEAD_TIME_P75,
    LEAD_TIME_P90,
    Kind,
    measure,
)
from dashboards.tables import filled, show_table

_VARIANTS: Final = (
    (LEAD_TIME, "the headline: first commit to live, half of the changes"),
    (LEAD_TIME_P75, "three quarters of the changes"),
    (LEAD_TIME_P90, "all but the slowest tenth"),
    (
        Kind("lead_time_business", "median", "In working hours", "less", "change"),
        "only the organisation's working hours",
    ),
    (
        Kind("change_lead_time", "open_to_live", "Opened to live", "less", "change"),
        "without the time before it was opened",
    ),
    (
        Kind("change_lead_time", "merge_to_live", "Merged to live", "less", "change"),
        "the part after the merge",
    ),
    (
        Kind("change_lead_time", "lasting", "Lasting", "less", "change"),
        "up to when it was live for good, after rollbacks",
    ),
    (
        Kind("change_lead_time", "bots", "Changes by machines", "less", "change"),
        "apart from people's, first commit to live",
    ),
)


def variant_table(page: frame.Page, rows: pl.DataFrame) -> None:
    """Show the headline beside its variants, each with what it measures."""
    box = frame.card(
        "How does it look when measured in other ways?",
        "Labelled variants: not to be compared with the headline, with goals or with reports.",
    )
    found = [(measure(rows, kind, page), meaning) for kind, meaning in _VARIANTS]
    table = pl.DataFrame(
        [
            {
                "variant": each.kind.label,
                "value": "–" if each.quantity is None else str(each.quantity),
                "interval": each.interval,
                "n": each.n,
                "change": each.comparison.short if each.quantity is not None else None,
                "meaning": meaning if each.quantity is not None else each.reason,
            }
            for each, meaning in found
            if each.row is not None
        ],
        schema={
            "variant": pl.String,
            "value": pl.String,
            "interval": pl.String,
            "n": pl.Int64,
            "change": pl.String,
            "meaning": pl.String,
        },
    )
    box.dataframe(
        table,
        height="content",
        hide_index=True,
        column_config={
            "variant": st.column_config.TextColumn("variant", width=150),
            "value": st.column_config.TextColumn("value", alignment="right", width=120),
            "interval": st.column_config.TextColumn("95 % interval", alignment="right", width=110),
            "n": st.column_config.NumberColumn("n", format="localized", width=70),
            "change": st.column_config.TextColumn("against before", width=190),
            "meaning": st.column_config.TextColumn("what it measures", width=330),
        },
        placeholder="–",
        alt=f"Lead time in {words.count(table.height, 'variant')}.",
    )


def environment_table(page: frame.Page) -> None:
    """Show each production environment apart, where the selection has several."""
    rows = page.queries.slices(page.scope)
    if rows.is_empty():
        return
    kinds = (LEAD_TIME, LEAD_TIME_P90, DEPLOYMENTS, FAIL_RATE)
    shown: list[dict[str, Any]] = []
    for (name,), own in rows.group_by("environment", maintain_order=True):
        values = {kind: measure(own, kind, page) for kind in kinds}
        shown.append(
            {
                "environment": words.one_line(name),
                "median": values[LEAD_TIME].value,
                "interval": values[LEAD_TIME].interval,
                "p90": values[LEAD_TIME_P90].value,
                "n": values[LEAD_TIME].n,
                "deployments": values[DEPLOYMENTS].value,
                "fail_rate": values[FAIL_RATE].value,
                "note": values[LEAD_TIME].reason if values[LEAD_TIME].value is None else None,
            }
        )
    table = pl.DataFrame(shown, infer_schema_length=None)
    divisor, unit = words.column_unit(table["median"].to_list())
    box = frame.card(
        "How do the production environments differ?",
        "Services with several production environments: each one apart. In the headline a change "
        "is live at the first of them. The filter shows one of them on every page.",
    )
    number = st.column_config.NumberColumn
    show_table(
        box,
        table.with_columns(pl.col("median", "p90").cast(pl.Float64) / divisor),
        order=filled(table),
        columns={
            "environment": st.column_config.TextColumn("environment", pinned=True, width=200),
            "median": number(f"lead time ({unit})", format="%.1f"),
            "interval": st.column_config.TextColumn("95 % interval", alignment="right"),
            "p90": number(f"p90 ({unit})", format="%.1f"),
            "n": number("n changes", format="localized"),
            "deployments": number("deployments a week", format="%.1f"),
            "fail_rate": number("fail rate", format="%.1f %%"),
        },
        alt=f"{words.count(table.height, 'production environment')} side by side.",
    )
