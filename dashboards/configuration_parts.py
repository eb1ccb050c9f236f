"""Parts of the page of configurations: cards, spread, outliers, audits, evidence, standards."""

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import configuration_queries, exception_section, frame, words
from dashboards.cards import Card
from dashboards.tables import filled, mapped, show_table
from dashboards.words import Quantity

CORROBORATES: Final = 0.5
LEAST_TEAMS: Final = 4
GROUPS: Final = {
    "Build and ship": (
        *("ci_cd", "action_pinning", "container_build", "deployment_tool"),
        *("dependency_updates", "test_runner"),
    ),
    "Run": (
        *("kubernetes_packaging", "infrastructure_as_code", "terraform_state", "monitoring"),
        *("logging", "log_shipping", "feature_flags", "sign_in"),
    ),
}


def cards(page: frame.Page, measure: dict[str, Any] | None, spread: pl.DataFrame) -> list[Card]:
    """Return audits, reach, critical controls, the widest category, and conformance."""
    teams, scanned = configuration_queries.scope(page.queries)
    live = configuration_queries.live(page.queries)
    differing = live.filter("is_inconsistent")
    found = [_audit_card(page, measure)]
    found.append(
        Card(
            label="Teams scanned",
            value=Quantity(f"{scanned} of {teams}", "teams") if teams else None,
            detail="repositories of theirs were read",
            reason="no team is known to own a repository",
        )
    )
    found.append(
        Card(
            label="Critical controls that differ",
            value=Quantity(
                f"{differing['title'].n_unique()} of {live['title'].n_unique()}", "controls"
            )
            if live.height
            else None,
            detail=words.listed(differing["title"].unique(maintain_order=True).to_list())
            if differing.height
            else "all teams agree",
            reason="none is seen at two teams",
        )
    )
    return [*found, _widest(page, spread), _conformance(spread)]


def _audit_card(page: frame.Page, measure: dict[str, Any] | None) -> Card:
    value = None if measure is None or measure["value"] is None else int(measure["value"])
    return Card(
        label="Audits with a finding",
        value=None
        if measure is None or value is None
        else Quantity(f"{value} of {measure['n']}", "audits"),
        detail="in the 12 months before the last evaluation",
        reason="no audit is known",
        history=configuration_queries.history(page.queries),
        history_words="Audits with a finding at each evaluation",
    )


def _widest(page: frame.Page, spread: pl.DataFrame) -> Card:
    known = spread.filter(pl.col("disagreement").is_not_null()).sort(
        ["disagreement", "category"], descending=[True, False]
    )
    if known.is_empty():
        reason = "no category is seen at two teams"
        return Card(label="Widest spread", value=None, detail="", reason=reason)
    row = known.row(0, named=True)
    return Card(
        label=f"Widest spread: {row['title']}",
        value=Quantity(f"{row['disagreement']:.2f}", "G"),
        detail=f"{words.count(row['approaches'], 'approach', 'approaches')} in "
        f"{words.count(row['teams'], 'team')}; 1 is none alike, 0 all alike",
        history=configuration_queries.disagreement(page.queries, row["category"]),
        history_words=f"Disagreement on {row['title']} over time",
    )


def _conformance(spread: pl.DataFrame) -> Card:
    ruled = spread.filter(pl.col("conformance").is_not_null())
    teams = int(ruled["with_standard"].sum() or 0)
    share = float((ruled["conformance"] * ruled["with_standard"]).sum()) / teams if teams else None
    return Card(
        label="Conformance to standards",
        value=None if share is None else Quantity(f"{share * 100:.0f}", "%"),
        detail=f"{words.count(ruled.height, 'standard')}, exceptions conform",
        reason="no standard is declared",
    )


def grouped(cells: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the cells by the groups they are shown in, those that have any."""
    rest = ~pl.col("is_critical")
    named = [name for names in GROUPS.values() for name in names]
    groups = {"Critical controls": cells.filter("is_critical")}
    for group, names in GROUPS.items():
        groups[group] = cells.filter(rest & pl.col("category").is_in(names))
    groups["Others"] = cells.filter(rest & ~pl.col("category").is_in(named))
    return {group: rows for group, rows in groups.items() if not rows.is_empty()}


def outlier_table(cells: pl.DataFrame, spread: pl.DataFrame) -> frame.Download:
    """Show the teams that are apart from the standard or from most others."""
    most = dict(spread.select("category", "modal_title").iter_rows())
    rows = cells.filter(pl.col("is_outlier") | pl.col("is_excepted")).select(
        "team",
        category=pl.col("title"),
        uses=pl.col("titles").list.join(", "),
        expected=pl.coalesce(
            pl.col("standard").list.join(" or "),
            pl.col("category").replace_strict(most, default=None, return_dtype=pl.String),
        ),
        standing=pl.when("is_excepted")
        .then(pl.concat_str(pl.lit("◇ exception: "), pl.col("exception").fill_null("")))
        .otherwise(pl.lit("▲ outlier")),
    )
    box = frame.card(
        "Who stands apart?",
        "Teams that do not use what the standard says or, without one, what at least half of the "
        "teams use.",
    )
    if rows.is_empty():
        box.markdown("✓ Nobody: no standard is broken, and no majority is left.")
    else:
        _table(box, rows, f"{words.count(rows.height, 'outlier')} with what they use.")
    return frame.Download(name="outliers", rows=lambda: rows)


def spread_table(spread: pl.DataFrame) -> frame.Download:
    """Show how much teams differ in each category."""
    is_wide = (pl.col("disagreement") > CORROBORATES) & (pl.col("teams") >= LEAST_TEAMS)
    rows = spread.select(
        category=pl.col("title"),
        critical=pl.when("is_critical").then(pl.lit("critical")),
        teams="teams",
        approaches="approaches",
        G=pl.col("disagreement").round(2),
        D1=pl.col("effective_shannon").round(2),
        D2=pl.col("effective_simpson").round(2),
        most_use=pl.concat_str(
            "modal_title",
            pl.lit(" ("),
            (pl.col("modal_share") * 100).round(0).cast(pl.Int64),
            pl.lit(" %)"),
        ),
        conformance=(pl.col("conformance") * 100).round(0),
        drifted=pl.col("drifted").list.len(),
        corroborates=pl.when(is_wide & pl.col("is_critical")).then(pl.lit("▲ yes")),
    )
    box = frame.card(
        "How much do teams differ?",
        "G is the mean disagreement of two teams; D1 and D2 are how many approaches there are in "
        "effect. Above 0.5 in a critical category, with four teams or more, G corroborates an "
        "audit. Drifted: other approaches than four weeks ago.",
    )
    _table(box, rows, f"{words.count(rows.height, 'category', 'categories')} by disagreement.")
    return frame.Download(name="spread", rows=lambda: spread)


def audit_table(page: frame.Page) -> frame.Download:
    """Show what audits observed, with the evidence."""
    found = configuration_queries.audits(page.queries)
    box = frame.card(
        "What did audits find?",
        "A control is inconsistent where two teams were seen with different values, or the "
        "auditor says so; exceptions that have not ended are left out.",
    )
    rows = found.select(
        audit=pl.col("audit_name"),
        on=pl.col("performed_at").dt.convert_time_zone(page.build.zone.key),
        control=pl.col("control_title"),
        team=pl.col("team_name"),
        observed=pl.col("value"),
        finding=pl.when(pl.col("is_finding") & ~pl.col("is_excepted")).then(
            pl.lit("▲ inconsistent")
        ),
        exception=pl.when("is_excepted").then(pl.col("exception").fill_null("granted")),
        evidence="evidence",
        source=mapped(found["url"], words.safe_link),
    )
    if rows.is_empty():
        box.markdown("No audit is known. A register in CSV has one row per audit, control, team:")
        box.code(REGISTER, language="toml")
    else:
        _table(box, rows, f"{words.count(rows.height, 'observation')} of audits, newest first.")
    return frame.Download(name="audits", rows=lambda: found)


REGISTER: Final = """[[connections.files.tables]]
path = "audits.csv"
record = "audit_result"
columns = { audit_id = "audit", performed_at = "date", control = "control", team = "team", \
observed = "found", is_pass = "passed" }
zone = "UTC\""""


def evidence_table(page: frame.Page, spread: pl.DataFrame) -> frame.Download:
    """Show the files and lines behind one category, which the reader chooses."""
    box = frame.card(
        "Where does it show?",
        "The first line of each file that shows an approach, at the commit that was read.",
    )
    titles = dict(spread.select("category", "title").iter_rows())
    category = box.selectbox("Category", list(titles), format_func=lambda name: titles[name])
    found = configuration_queries.evidence(page.queries, category)
    rows = found.select(
        team=pl.col("team_name"),
        approach=pl.col("approach_title"),
        standing=pl.when(~pl.col("is_conforming").fill_null(value=True))
        .then(pl.lit("▲ not in the standard"))
        .when("is_outlier")
        .then(pl.lit("▲ outlier")),
        repository=pl.col("repository_name"),
        file=pl.concat_str("path", pl.lit(":"), "at_line"),
        since=pl.col("since_at").dt.convert_time_zone(page.build.zone.key),
        source=mapped(found["url"], words.safe_link),
    )
    _table(box, rows, f"{words.count(rows.height, 'file')} that show {titles[category]}.")
    return frame.Download(name="evidence", rows=lambda: found)


def standard_card(page: frame.Page, spread: pl.DataFrame, cells: pl.DataFrame) -> None:
    """Show the declared standards and the exceptions from them, with a form to allow one."""
    standards = configuration_queries.standards(page.queries)
    exceptions = configuration_queries.exceptions(page.queries)
    titles = dict(spread.select("category", "title").iter_rows())
    box = frame.card("What is agreed?", "Standards and exceptions of leadline.toml, and decisions.")
    if standards.is_empty():
        box.markdown("No standard is declared: name what may be used under `[[standards]]`.")
    else:
        rows = standards.select(
            category=pl.col("category").replace(titles),
            approaches=pl.col("standard").list.join(" or "),
            teams="teams",
        )
        _table(box, rows, f"{words.count(rows.height, 'standard')}.")
    if exceptions.is_empty():
        box.markdown("No exception is granted.")
    else:
        _exception_table(page, box, exceptions)
    with box:
        exception_section.show(page, cells)


def _exception_table(page: frame.Page, box: Any, exceptions: pl.DataFrame) -> None:
    ends = (pl.col("until_at") - pl.duration(hours=1)).dt.convert_time_zone(page.build.zone.key)
    is_over = pl.col("until_at") <= page.build.as_of
    rows = exceptions.select(
        "control",
        "team",
        "reason",
        until=ends,
        standing=pl.when(is_over).then(pl.lit("ended")).otherwise(pl.lit("◇ holds")),
    )
    _table(box, rows, f"{words.count(rows.height, 'exception')}.")


def _table(box: Any, rows: pl.DataFrame, alt: str) -> None:
    """Show rows of plain text; columns that nothing fills are left out."""
    texts = [n for n, kind in rows.schema.items() if kind == pl.String and n != "source"]
    show_table(
        box,
        rows.with_columns(mapped(rows[name], words.one_line) for name in texts),
        order=filled(rows),
        columns={
            "on": st.column_config.DatetimeColumn("on", format="D MMM YYYY"),
            "since": st.column_config.DatetimeColumn("since", format="D MMM YYYY"),
            "until": st.column_config.DatetimeColumn("until", format="D MMM YYYY"),
            "most_use": "most use",
            "conformance": st.column_config.NumberColumn("conformance", format="%d %%"),
            "source": st.column_config.LinkColumn("source", display_text="open"),
        },
        alt=alt,
    )
