"""Metric rows as pages use them: picked by name, worded, compared with the period before."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

import polars as pl

from dashboards import words
from dashboards.cards import Aside, Card
from dashboards.frame import Page

Good = Literal["more", "less", "neither"]


@dataclass(frozen=True)
class Kind:
    """A metric with one variant: its label on a card and which direction is good."""

    metric: str
    variant: str
    label: str
    good: Good
    noun: str
    """What n counts."""


DEPLOYMENTS: Final = Kind(
    "deployment_frequency", "per_week", "Deployments a week", "more", "deployment"
)
DEPLOYMENT_DAYS: Final = Kind(
    "deployment_frequency", "days_per_week", "Deployment days a week", "more", "deployment"
)
LEAD_TIME: Final = Kind("change_lead_time", "median", "Lead time, median", "less", "change")
LEAD_TIME_P90: Final = Kind("change_lead_time", "p90", "Lead time, p90", "less", "change")
LEAD_TIME_P75: Final = Kind("change_lead_time", "p75", "Lead time, p75", "less", "change")
WAITING: Final = Kind("merged_not_live", "count", "Merged, not yet live", "less", "change")
FAIL_RATE: Final = Kind("change_fail_rate", "primary", "Change fail rate", "less", "deployment")
FAIL_RATE_HIGH: Final = Kind(
    "change_fail_rate", "high", "Change fail rate, sure signs only", "less", "deployment"
)
FAIL_RATE_AT_LEAST: Final = Kind(
    "change_fail_rate", "at_least", "Change fail rate", "less", "deployment"
)
RECOVERY: Final = Kind(
    "failed_deployment_recovery_time", "median", "Recovery, median", "less", "failure"
)
RECOVERY_P75: Final = Kind(
    "failed_deployment_recovery_time", "p75", "Recovery, p75", "less", "failure"
)
RECOVERY_P90: Final = Kind(
    "failed_deployment_recovery_time", "p90", "Recovery, p90", "less", "failure"
)
REWORK: Final = Kind("deployment_rework_rate", "known", "Rework rate", "less", "deployment")
REWORK_POSSIBLE: Final = Kind(
    "deployment_rework_rate", "possible", "Rework rate, possible", "less", "deployment"
)
ATTEMPT_FAILURES: Final = Kind(
    "attempt_failure_rate", "share", "Attempts that never went live", "less", "attempt"
)
INCIDENTS: Final = Kind("incident_duration", "median", "Incidents, median", "less", "incident")
FIVE: Final = (DEPLOYMENTS, LEAD_TIME, FAIL_RATE, RECOVERY, REWORK)
"""The headline variants of the five metrics."""


@dataclass(frozen=True)
class Measure:
    """One metric row of the selection, or the reason why there is none."""

    kind: Kind
    row: dict[str, Any] | None
    page: Page

    @property
    def value(self) -> float | None:
        """The value in the unit of the published table."""
        return None if self.row is None else self.row["value"]

    @property
    def n(self) -> int:
        """The number of cases behind the value."""
        return 0 if self.row is None else self.row["n"] or 0

    @property
    def reason(self) -> str:
        """Why there is no value."""
        if self.row is None:
            return "nothing is measured for this selection"
        return self.row["reason"] or "no reason given"

    @property
    def quantity(self) -> words.Quantity | None:
        """The value in words."""
        if self.row is None or self.value is None:
            return None
        return words.quantity(self.value, self.row["unit"])

    @property
    def interval(self) -> str | None:
        """The 95 % interval in words."""
        if self.row is None or self.value is None:
            return None
        return words.interval(self.row["ci_low"], self.row["ci_high"], self.row["unit"])

    @property
    def comparison(self) -> words.Comparison:
        """How the value stands to the equal period before."""
        row = self.row or {}
        return words.comparison(
            value=self.value,
            previous=row.get("previous_value"),
            low=row.get("ci_low"),
            high=row.get("ci_high"),
            unit=row.get("unit", ""),
            good=self.kind.good,
            period=self.page.scope.period,
        )

    @property
    def detail(self) -> str:
        """Interval, services and n in small type."""
        parts = [self.interval] if self.interval else []
        services = 0 if self.row is None else self.row["services"] or 0
        if self.page.scope.service_id is None and services:
            parts.append(words.count(services, "service"))
        parts.append(f"n{words.NO_BREAK}={words.NO_BREAK}{self.n:,}")
        return " · ".join(parts)

    def aside(self) -> Aside:
        """Return this measure as a smaller number beside the cards."""
        if self.value is None:
            return Aside(self.kind.label, "···", self.reason)
        shown = str(self.quantity).removesuffix(" days a week").removesuffix(" day a week")
        noun = words.count(self.n, self.kind.noun)
        return Aside(self.kind.label, shown, " · ".join(filter(None, (self.interval, noun))))

    def card(self, weeks: pl.DataFrame) -> Card:
        """Return the card of this measure with its weekly history."""
        history = weekly(weeks, self.kind)
        known = [value for value in history["value"].to_list() if value is not None]
        unit = history["unit"].drop_nulls()
        told = (
            f"{self.kind.label}, {history.height} weeks: from "
            f"{words.short_quantity(known[0], unit[0])} to "
            f"{words.short_quantity(known[-1], unit[0])}"
            if known and unit.len()
            else ""
        )
        return Card(
            label=self.kind.label,
            value=self.quantity,
            detail=self.detail,
            reason=self.reason,
            comparison=self.comparison,
            history=history["value"].to_list(),
            history_words=told,
        )


def measure(rows: pl.DataFrame, kind: Kind, page: Page) -> Measure:
    """Return one measure out of the metric rows of a page."""
    chosen = rows.filter((pl.col("metric") == kind.metric) & (pl.col("variant") == kind.variant))
    return Measure(kind, None if chosen.is_empty() else chosen.row(0, named=True), page)


def filled(weeks: pl.DataFrame, since: date, until: date) -> pl.DataFrame:
    """Return weekly rows with one row per week and measure: a missing week is a gap, not a jump."""
    monday = since - timedelta(days=since.weekday())
    calendar = pl.DataFrame(
        {"period_start": pl.date_range(monday, until - timedelta(days=1), "7d", eager=True)}
    )
    grid = weeks.select("metric", "variant", "unit").unique().join(calendar, how="cross")
    return (
        grid.join(
            weeks.drop("unit"), on=["metric", "variant", "period_start"], how="left", coalesce=True
        )
        .with_columns(
            pl.col("n").fill_null(0),
            pl.col("is_partial").fill_null(
                pl.col("period_start") + pl.duration(days=7) > pl.lit(until)
            ),
            pl.when(pl.col("value").is_null())
            .then(pl.col("reason").fill_null("no value"))
            .alias("reason"),
        )
        .sort("metric", "variant", "period_start")
    )


def weekly(weeks: pl.DataFrame, kind: Kind, *, with_partial: bool = False) -> pl.DataFrame:
    """Return the weekly rows of one measure; a week that is not over is left out by default."""
    chosen = (pl.col("metric") == kind.metric) & (pl.col("variant") == kind.variant)
    return weeks.filter(chosen if with_partial else chosen & ~pl.col("is_partial"))


def side_by_side(members: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one record per team or service: its names, and metric rows by (metric, variant)."""
    records: dict[str, dict[str, Any]] = {}
    for row in members.iter_rows(named=True):
        record = records.setdefault(
            row["id"],
            {"id": row["id"], "name": row["name"], "url": row["url"], "team": row["team"]},
        )
        if row["metric"] is not None:
            record[row["metric"], row["variant"]] = row  # type: ignore[index]
    return list(records.values())


def picked(record: dict[str, Any], kind: Kind, column: str = "value") -> Any:
    """Return a column of one metric row of a record, or None."""
    row = record.get((kind.metric, kind.variant))  # type: ignore[call-overload]
    return None if row is None else row[column]
