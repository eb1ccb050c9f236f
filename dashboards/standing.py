"""What a value is held against: a published report's answers, and the goals of the settings."""

from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from dashboards import words
from dashboards.cards import Card, Goal
from dashboards.frame import Page
from dashboards.measures import (
    FAIL_RATE,
    FAIL_RATE_AT_LEAST,
    REWORK,
    REWORK_POSSIBLE,
    Kind,
    Measure,
    measure,
)

_OPEN: Final = "open"


@dataclass(frozen=True)
class Standing:
    """Reference bins and goals of the selection, by metric."""

    page: Page
    references: pl.DataFrame
    goals: pl.DataFrame

    def reference(self, kind: Kind) -> str:
        """Return where the value falls among the answers of the report, in a few words."""
        row = self._reference(kind)
        if row is None or row["label"] is None:
            return ""
        year = row["report_year"]
        if row["percentile_low"] is None:
            return f"{year} report: {row['label']}"
        low, high = round(row["percentile_low"]), round(row["percentile_high"])
        return f"{row['label']}: better than {low}–{high} % of {year} respondents"

    def certainty(self, kind: Kind) -> str:
        """Return the bins that the interval reaches, where it leaves the bin of the value."""
        row = self._reference(kind)
        if row is None or row["label"] is None:
            return ""
        low, high = row["label_low"], row["label_high"]
        if _OPEN in (low, high):
            return "no interval" if low == high else "the interval has one end only"
        ends = [end for end in (low, high) if end != row["label"]]
        return f"interval reaches {words.listed(ends)}" if ends else ""

    def goal(self, kind: Kind) -> Goal | None:
        """Return the state of the goal for this metric, if one is set for the selection."""
        row = goal_row(self.goals, kind.metric, *self.page.scope.entity)
        if row is None or self.page.scope.environment != "production":
            return None
        return Goal(row["state"], goal_words(row))

    def source(self) -> str:
        """Return the line that says where the reference comes from."""
        known = self.references.filter(pl.col("source").is_not_null())
        if known.is_empty():
            return ""
        row = known.row(0, named=True)
        return f"Reference: {row['source']}. {row['note'] or ''}".strip()

    def card(self, value: Measure, weeks: pl.DataFrame) -> Card:
        """Return the card of one of the five metrics, held against reference and goal."""
        card = value.card(weeks)
        if card.value is None:
            return replace(card, goal=self.goal(value.kind))
        reference = " · ".join(
            filter(None, (self.reference(value.kind), self.certainty(value.kind)))
        )
        return replace(card, reference=reference, goal=self.goal(value.kind))

    def _reference(self, kind: Kind) -> dict[str, Any] | None:
        found = self.references.filter(
            (pl.col("metric") == kind.metric) & (pl.col("variant") == kind.variant)
        )
        return None if found.is_empty() else found.row(0, named=True)


def standing(page: Page) -> Standing:
    """Return what the values of the selection are held against."""
    return Standing(page, page.queries.references(page.scope), page.queries.goals(page.scope))


def goal_row(goals: pl.DataFrame, metric: str, kind: str, identity: str) -> dict[str, Any] | None:
    """Return the goal of one metric that applies to one team, service or the organisation."""
    found = goals.filter(
        (pl.col("metric") == metric)
        & (pl.col("entity_type") == kind)
        & (pl.col("entity_id") == identity)
    )
    return None if found.is_empty() else found.row(0, named=True)


def goal_words(row: dict[str, Any]) -> str:
    """Return a goal with its state, and how many services meet it."""
    text = f"goal {row['target_text']}: {row['state']}"
    if row["services"]:
        verb = "meets" if row["services"] == 1 else "meet"
        text += f" ({row['meeting']} of {words.count(row['services'], 'service')} {verb} it)"
    return text


def fail_rate_card(held: Standing, rows: pl.DataFrame, weeks: pl.DataFrame) -> Card:
    """Return the card of the change fail rate; without incidents it says "at least" and no more."""
    value = measure(rows, FAIL_RATE, held.page)
    least = measure(rows, FAIL_RATE_AT_LEAST, held.page)
    if value.value is not None or least.value is None or least.row is None:
        return held.card(value, weeks)
    number = words.number(least.value)
    if held.page.scope.service_id is not None:
        failed = round(least.value * least.n / 100)
        shown = words.Quantity(f"≥ {failed}", f"of {words.count(least.n, 'deployment')}")
        detail = f"at least {failed} of {least.n:,} failed"
    else:
        shown = words.Quantity(f"≥ {number}", "%")
        services = words.count(least.row["services"] or 0, "service")
        detail = f"at least, in the typical service · {services}"
    return Card(
        label=FAIL_RATE.label,
        value=shown,
        detail=f"{detail} · n{words.NO_BREAK}={words.NO_BREAK}{least.n:,} · no incident source: "
        "rollbacks and reverts only",
    )


def rework_card(held: Standing, rows: pl.DataFrame, weeks: pl.DataFrame) -> Card:
    """Return the card of the rework rate: from what is known to what is possible."""
    known, possible = (measure(rows, kind, held.page) for kind in (REWORK, REWORK_POSSIBLE))
    card = held.card(known, weeks)
    if known.value is None or possible.value is None or known.row is None or possible.row is None:
        return card
    first, last = words.number(known.value, 2), words.number(possible.value, 2)
    interval = words.interval(known.row["ci_low"], possible.row["ci_high"], "%")
    services = (
        ""
        if held.page.scope.service_id
        else (f" · {words.count(known.row['services'] or 0, 'service')}")
    )
    return replace(
        card,
        value=words.Quantity(first if first == last else f"{first}–{last}", "%"),
        detail=f"known–possible, {interval or 'no interval'}{services}"
        f" · n{words.NO_BREAK}={words.NO_BREAK}{known.n:,}",
    )
