"""Parts of the page on shared infrastructure: cards, chart, tables of units and of services."""

from datetime import timedelta
from typing import Any, Final

import altair as alt
import polars as pl
import streamlit as st

from dashboards import frame, words
from dashboards.axes import layered
from dashboards.cards import Card
from dashboards.palette import INK, palette
from dashboards.shared_queries import STATES
from dashboards.tables import mapped, show_table, table_height

MOST_LINES: Final = 5


def row(latest: dict[str, Any], weeks: pl.DataFrame, units: pl.DataFrame) -> list[Card]:
    """Return the cards: engineers, shared units, mapped services, linked accounts."""
    shared = units.filter("is_shared")
    history = weeks.filter("is_shared").group_by("week").agg(pl.col("engineers").max()).sort("week")
    value = latest["value"]
    bounds = "" if value is None else f"between {latest['ci_low']:.0f} and {latest['ci_high']:.0f}"
    return [
        Card(
            label="Engineers on the largest shared unit",
            value=None if value is None else words.Quantity(f"{value:.0f}", "engineers"),
            detail=f"{bounds}; threshold {latest['threshold_value']:.0f}",
            reason="no service is known to run on a unit",
            history=[float(each) for each in history["engineers"]],
            history_words="Engineers on the largest shared unit, by week",
        ),
        Card(
            label="Shared units",
            value=words.Quantity(str(shared.height), f"of {units.height}"),
            detail="units that two teams or more run on, of all that are known",
        ),
        _share("Services mapped", "services", latest["mapped"], latest["production"]),
        _share(
            "Accounts linked",
            "accounts",
            (latest["accounts"] or 0) - (latest["unresolved"] or 0),
            latest["accounts"],
        ),
    ]


def _share(label: str, noun: str, part: int | None, whole: int | None) -> Card:
    details = {
        "services": "production services with a known unit and team; 90 % are needed",
        "accounts": "active accounts that something links to a person; 90 % are needed",
    }
    return Card(
        label=label,
        value=words.Quantity(f"{100 * (part or 0) / whole:.0f}", "%") if whole else None,
        detail=f"{part} of {whole} {details[noun]}",
        reason=f"no {noun} were active in the 90 days",
    )


def trend(weeks: pl.DataFrame, limit: float) -> alt.LayerChart:
    """Draw engineers by week on the largest shared units, and the threshold as a rule."""
    rows = largest(weeks).with_columns(week=pl.col("week").cast(pl.Datetime("ms")))
    names = rows["label"].unique(maintain_order=True).to_list()
    top = max(limit, float(rows["engineers"].max() or 0)) * 1.15  # type: ignore[arg-type]
    y = alt.Y(
        "engineers:Q",
        title=None,
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(tickCount=5, domain=False, ticks=False, labelPadding=6),
    )
    x = alt.X(
        "week:T",
        title=None,
        axis=alt.Axis(tickCount=6, grid=False, domain=False, ticks=False, labelPadding=6),
    )
    lines = (
        alt.Chart(rows)
        .mark_line(strokeWidth=2, interpolate="step-after")
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "label:N",
                title=None,
                sort=names,
                scale=alt.Scale(domain=names, range=list(palette().categories[: len(names)])),
                legend=alt.Legend(orient="top", direction="horizontal", offset=4, labelLimit=260),
            ),
            tooltip=[
                alt.Tooltip("week:T", title="week of", format="%-d %b %Y"),
                alt.Tooltip("label:N", title="unit"),
                alt.Tooltip("engineers:Q", title="engineers, at most"),
                alt.Tooltip("engineers_low:Q", title="at least"),
                alt.Tooltip("joins:Q", title="came"),
                alt.Tooltip("leaves:Q", title="left"),
            ],
        )
    )
    bound = pl.DataFrame(
        {"engineers": [limit], "week": [rows["week"].min()], "word": [f"threshold {limit:.0f}"]}
    )
    rule = alt.Chart(bound).mark_rule(color=INK, strokeDash=[5, 4], strokeWidth=1.2).encode(y=y)
    word = (
        alt.Chart(bound)
        .mark_text(align="left", dx=4, dy=-7, color=INK)
        .encode(x=x, y=y, text="word:N")
    )
    return layered(lines, rule, word)


def largest(weeks: pl.DataFrame) -> pl.DataFrame:
    """Return the weeks of the shared units that have most engineers in the last week."""
    shared = weeks.filter(pl.col("is_shared").any().over("unit_id"))
    last = shared.filter(pl.col("week") == shared["week"].max())
    kept = last.sort("engineers", "unit_id", descending=[True, False]).head(MOST_LINES)
    return (
        kept.select("unit_id", place=pl.int_range(pl.len()))
        .join(shared, on="unit_id")
        .with_columns(label=mapped(_labels(kept, shared), words.one_line))
        .sort("place", "week")
    )


def _labels(kept: pl.DataFrame, shared: pl.DataFrame) -> pl.Series:
    joined = kept.select("unit_id").join(shared, on="unit_id")
    return joined.select(label=pl.col("kind") + " " + pl.col("name"))["label"]


def unit_table(units: pl.DataFrame) -> None:
    """Show every unit with the teams, services and engineers that it has by now."""
    box = frame.card(
        "What do several teams run on?",
        f"{words.count(units.height, 'unit')}, most engineers first; one is shared from two teams.",
    )
    if units.is_empty():
        box.info("No unit is known: nothing says what the services run on.")
        return
    show_table(
        box,
        units.select(
            unit=mapped(units["name"], words.one_line),
            kind="kind",
            shared=pl.when("is_shared").then(pl.lit("shared")).otherwise(pl.lit("one team")),
            engineers="engineers",
            at_least="engineers_low",
            teams="teams",
            services="services",
            which=mapped(units["team_names"].list.join(", "), words.one_line),
            says=units["sources"].list.join(", "),
        ),
        columns={
            "unit": st.column_config.TextColumn("unit", width=180),
            "engineers": st.column_config.NumberColumn("engineers", width=90),
            "at_least": st.column_config.NumberColumn("at least", width=80),
            "teams": st.column_config.NumberColumn("teams", width=70),
            "services": st.column_config.NumberColumn("services", width=80),
            "which": st.column_config.TextColumn("which teams", width="medium"),
            "says": "what says so",
        },
        alt=f"{words.count(units.height, 'unit')} with teams, services and engineers.",
    )


def variant_table(latest: dict[str, Any], variants: pl.DataFrame) -> None:
    """Show what other ways to count say."""
    box = frame.card(
        "Would another way to count say the same?",
        "Decided by 90 days and the largest unit. Connected: all shared units that services join.",
    )
    main = {
        "variant": "as decided: 90 days",
        "value": latest["value"],
        "ci_low": latest["ci_low"],
        "ci_high": latest["ci_high"],
        "state": latest["measured_state"],
    }
    rows = pl.concat([pl.DataFrame([main], schema=variants.schema), variants])
    bounds = [
        None if low is None else f"{low:.0f}–{high:.0f}"
        for low, high in rows.select("ci_low", "ci_high").iter_rows()
    ]
    show_table(
        box,
        rows.select(
            counted="variant",
            engineers="value",
            bounds=pl.Series(bounds, dtype=pl.String),
            state=pl.col("state").replace_strict(STATES, default=None),
        ),
        columns={
            "counted": "counted by",
            "engineers": st.column_config.NumberColumn("engineers", format="%.0f", width=90),
            "bounds": st.column_config.TextColumn("bounds", width=80),
        },
        alt=f"{words.count(rows.height, 'way')} to count, with engineers, bounds and state.",
    )


def unmapped_table(rows: pl.DataFrame) -> None:
    """Show production services whose unit or team is not known."""
    with st.expander(
        f"Mapping: {words.count(rows.height, 'production service')} without a unit or a team"
    ):
        if rows.is_empty():
            st.markdown("✓ Every production service has a unit and a team.")
            return
        st.dataframe(
            rows.select(
                service=mapped(rows["name"], words.one_line),
                team=mapped(rows["team"], words.one_line),
                unit=pl.when("has_unit").then(pl.lit("known")).otherwise(pl.lit("··· unknown")),
            ),
            height=table_height(rows.height),
            hide_index=True,
            placeholder="··· unknown",
            alt=f"{words.count(rows.height, 'service')} without a unit or a team.",
        )
        st.code(frame.CONNECT["units"], language="toml")


def evaluated(latest: dict[str, Any], page: frame.Page) -> str:
    """Return the days the latest evaluation looks at."""
    last = latest["evaluated_at"].astimezone(page.build.zone).date() - timedelta(days=1)
    return f"90 days to {words.day(last)}"
