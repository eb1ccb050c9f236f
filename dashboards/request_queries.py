"""What the page of requests asks a build: threshold, hours by class, tickets, text model."""

from typing import Any, Final

import polars as pl

from dashboards.queries import Queries

CLASSES: Final = ("request", "build", "incident", "overhead", "unclassified")
TICKET_LIMIT: Final = 300
WEEKS: Final = 53
KINDS: Final = {
    "unclassified": "method = 'none'",
    "words": "method = 'text'",
    "rules": "method NOT IN ('none', 'text', 'correction')",
    "corrected": "method = 'correction'",
}
"""Which tickets a list shows, by what says their class."""


def state(queries: Queries) -> dict[str, Any] | None:
    """Return the present state of the threshold, as the verdict has it."""
    rows = queries.frame(
        "SELECT * FROM threshold_state WHERE threshold = 'requests'"
        " ORDER BY evaluated_at DESC LIMIT 1"
    )
    return None if rows.is_empty() else rows.row(0, named=True)


def measure(queries: Queries) -> dict[str, Any] | None:
    """Return what was measured at the last evaluation."""
    rows = queries.frame("SELECT * FROM request_measure ORDER BY evaluated_at DESC LIMIT 1")
    return None if rows.is_empty() else rows.row(0, named=True)


def variants(queries: Queries) -> pl.DataFrame:
    """Return the other ways to measure at the last evaluation."""
    return queries.frame(
        "SELECT variant, value, ci_low, ci_high, n, state FROM request_variant"
        " WHERE evaluated_at = (SELECT max(evaluated_at) FROM request_measure) ORDER BY variant"
    )


def hours(queries: Queries) -> pl.DataFrame:
    """Return the infrastructure team's weekly hours by class, oldest first."""
    in_hours = ", ".join(f"{name}_us / 3.6e9 AS {name}" for name in CLASSES)
    return queries.frame(
        f"""
        SELECT * FROM (
            SELECT week, source, people, {in_hours},
                request_us / nullif(request_us + build_us, 0) AS share
            FROM request_hours WHERE is_infrastructure ORDER BY week DESC LIMIT {WEEKS}
        ) ORDER BY week
        """
    )


def flow(queries: Queries) -> pl.DataFrame:
    """Return weekly requests, engineers and open requests, oldest first."""
    return queries.frame(
        f"""
        SELECT * FROM (
            SELECT week, requests, engineers, per_engineer, open_requests,
                median_age_us / 3.6e9 AS median_age_h
            FROM request_flow ORDER BY week DESC LIMIT {WEEKS}
        ) ORDER BY week
        """
    )


def spread(queries: Queries) -> dict[bool, dict[str, Any]]:
    """Return how the share of requests spreads over people: of the team (true) and of others."""
    rows = queries.frame("SELECT * FROM request_spread").iter_rows(named=True)
    return {row["is_infrastructure"]: row for row in rows}


def classes(queries: Queries) -> pl.DataFrame:
    """Return how many tickets and hours each class has by each method."""
    return queries.frame(
        """
        SELECT class, method, count(*) AS tickets, sum(duration_us) / 3.6e9 AS hours
        FROM request_fact GROUP BY class, method ORDER BY class, tickets DESC, method
        """
    )


def types(queries: Queries) -> pl.DataFrame:
    """Return what is asked for again and again: types of requests of the last 91 days."""
    return queries.frame(
        """
        SELECT coalesce(request_type, type, 'without a type') AS type, count(*) AS requests,
            count(DISTINCT team_name) AS teams,
            avg(duration_us) / 3.6e9 AS mean_hours,
            avg(first_response_us) / 3.6e9 AS response_hours,
            sum(goals_missed) * 100.0 / nullif(sum(goals), 0) AS missed,
            count(*) FILTER (WHERE is_open) AS open
        FROM request_fact, build
        WHERE class = 'request' AND created_at >= as_of - INTERVAL 91 DAY AND created_at < as_of
        GROUP BY 1 HAVING count(*) > 1 ORDER BY requests DESC, 1 LIMIT 30
        """
    )


def goals(queries: Queries) -> dict[str, Any] | None:
    """Return how many goals of the service desk were missed in the last 91 days, if there are."""
    rows = queries.frame(
        """
        SELECT sum(goals) AS goals, sum(goals_missed) AS missed,
            median(first_response_us) / 3.6e9 AS response_hours
        FROM request_fact, build
        WHERE created_at >= as_of - INTERVAL 91 DAY AND created_at < as_of
        HAVING sum(goals) > 0
        """
    )
    return None if rows.is_empty() else rows.row(0, named=True)


def tickets(queries: Queries, kind: str, limit: int = TICKET_LIMIT) -> pl.DataFrame:
    """Return tickets by what says their class: those with most hours first, then the newest."""
    return queries.frame(
        f"""
        SELECT ticket_id, ticket_key, title, url, coalesce(request_type, type) AS type, class,
            rule, probability, team_name, created_at, is_open, duration_us / 3.6e9 AS hours
        FROM request_fact WHERE {KINDS[kind]}
        ORDER BY duration_us DESC NULLS LAST, created_at DESC, ticket_id LIMIT $limit
        """,
        {"limit": limit},
    )


def model(queries: Queries) -> dict[str, Any] | None:
    """Return what the text model is and how good it was."""
    rows = queries.frame("SELECT * FROM ticket_model")
    return None if rows.is_empty() else rows.row(0, named=True)


def bins(queries: Queries) -> pl.DataFrame:
    """Return stated against real frequency of the text model."""
    return queries.frame("SELECT * FROM ticket_model_bin ORDER BY bin")
