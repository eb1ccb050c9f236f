"""What the page on service set-up asks a build for, and how it says lengths in working time."""

import json
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from dashboards import words
from dashboards.frame import Page
from dashboards.queries import ROW_LIMIT
from pipelines.threshold_words import SIGNS, signed
from pipelines.verdict import NOT_APPLICABLE

GROUPS: Final = ("golden path", "hand-made")
STAGES: Final = {
    "approval": "until taken up",
    "repository": "to the repository",
    "pipeline": "to a green pipeline",
    "environment": "to an environment",
    "deployment": "to the first deployment",
    "other": "to the other legs",
}
STATES: Final = {
    **{state: signed(state) for state in SIGNS},
    NOT_APPLICABLE: "✓ clear, does not apply",
}
_MEMBER: Final = (
    "($team_id IS NULL OR team_id = $team_id) AND ($service_id IS NULL OR service_id = $service_id)"
)
_CASES: Final = """
    setup_id, name, team_name, state, made_by, template, start_by, start_at, ready_at,
    age_us / 3.6e9 AS working_h, elapsed_us / 3.6e9 AS elapsed_h, is_over, waits_for, tickets,
    worked_us / 3.6e9 AS logged_h, is_counted, is_in_cohort, evaluated_state, reason,
    approval_us / 3.6e9 AS approval, repository_us / 3.6e9 AS repository,
    pipeline_us / 3.6e9 AS pipeline, environment_us / 3.6e9 AS environment,
    deployment_us / 3.6e9 AS deployment, other_us / 3.6e9 AS other,
    production_at, coalesce(request_url, repository_url) AS url, repository_url, ticket_keys"""


@dataclass(frozen=True)
class Setup:
    """What was measured, evaluation by evaluation, and what describes the latest."""

    measures: pl.DataFrame
    variants: pl.DataFrame
    summary: pl.DataFrame
    curve: pl.DataFrame
    standing: dict[str, Any] | None

    @property
    def latest(self) -> dict[str, Any]:
        """The latest evaluation."""
        return self.measures.row(-1, named=True)

    @property
    def state(self) -> str:
        """The state that the verdict goes by: it follows what is measured with some inertia."""
        told = self.standing["state"] if self.standing else self.latest["measured_state"]
        return STATES[told]

    @property
    def day(self) -> float:
        """Hours of one business day."""
        return float(json.loads(self.latest["parameters"])["business_day_hours"])

    def value(self, metric: str, variant: str, group: str) -> dict[str, Any]:
        """One row of the summary."""
        found = self.summary.filter(
            (pl.col("metric") == metric)
            & (pl.col("variant") == variant)
            & (pl.col("group_name") == group)
        )
        return found.row(0, named=True) if found.height else {"value": None, "reason": "none"}

    def length(self, hours: float) -> words.Quantity:
        """A length of working time as people say it: minutes, hours, working days."""
        if hours < self.day:
            return words.duration(hours)
        days = words.number(round(hours / self.day, 1))
        return words.Quantity(days, "working day" if days == "1" else "working days")

    def short(self, hours: float) -> str:
        """The same for tight places."""
        if hours < self.day:
            return words.short_duration(hours)
        return f"{words.number(round(hours / self.day, 1))}{words.NO_BREAK}wd"


def load(page: Page) -> Setup | None:
    """Everything measured of set-ups; None where no evaluation knows of any."""
    ask = page.queries.frame
    known = measures(page)
    if known.is_empty():
        return None
    return Setup(
        known,
        ask(
            "SELECT variant, value, ci_low, ci_high, n, state FROM setup_variant"
            " WHERE evaluated_at = (SELECT max(evaluated_at) FROM setup_measure) ORDER BY variant"
        ),
        ask("SELECT * FROM setup_summary"),
        ask("SELECT * FROM setup_curve ORDER BY group_name, hours"),
        next(
            ask(
                "SELECT state, since FROM threshold_state WHERE threshold = 'setup_time'"
                " ORDER BY evaluated_at DESC LIMIT 1"
            ).iter_rows(named=True),
            None,
        ),
    )


def measures(page: Page) -> pl.DataFrame:
    """Every evaluation, oldest first."""
    return page.queries.frame("SELECT * FROM setup_measure ORDER BY evaluated_at")


def cases(page: Page, limit: int = ROW_LIMIT) -> pl.DataFrame:
    """The set-ups of the selection that are none of those left out, newest first."""
    return _facts(page, "state <> 'left out'", limit)


def left_out(page: Page, limit: int = ROW_LIMIT) -> pl.DataFrame:
    """What looks like a set-up and is left out, with the reason; newest first."""
    return _facts(page, "state = 'left out'", limit)


def stage_means(page: Page) -> pl.DataFrame:
    """Mean working hours of each stage over the ready set-ups of the evaluation, by group."""
    means = ", ".join(f"avg({name}_us) / 3.6e9 AS {name}" for name in STAGES)
    return page.queries.frame(
        f"SELECT made_by, count(*) AS n, {means} FROM setup_fact"
        " WHERE is_in_cohort AND state = 'ready' GROUP BY made_by ORDER BY made_by"
    )


def reasons(page: Page) -> pl.DataFrame:
    """How many are left out, and why."""
    return page.queries.frame(
        "SELECT reason, count(*) AS n FROM setup_fact WHERE state = 'left out'"
        " GROUP BY reason ORDER BY n DESC, reason"
    )


def _facts(page: Page, which: str, limit: int) -> pl.DataFrame:
    return page.queries.frame(
        f"SELECT {_CASES} FROM setup_fact WHERE {which} AND {_MEMBER}"
        " ORDER BY start_at DESC, setup_id LIMIT $limit",
        {
            "team_id": page.scope.team_id,
            "service_id": page.scope.service_id,
            "limit": limit,
        },
    )
