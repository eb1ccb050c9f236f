"""What the page on shared infrastructure asks a build for."""

from typing import Any, Final

import polars as pl

from dashboards.queries import ROW_LIMIT, Queries
from pipelines.threshold_words import SIGNS, signed
from pipelines.verdict import NOT_APPLICABLE

STATES: Final = {
    **{state: signed(state) for state in SIGNS},
    NOT_APPLICABLE: "✓ clear, does not apply",
}


def measures(queries: Queries) -> pl.DataFrame:
    """Return every evaluation, oldest first."""
    return queries.frame(
        "SELECT m.*, s.production, s.mapped, s.accounts, s.unresolved FROM shared_measure AS m"
        " LEFT JOIN shared_moment AS s ON s.evaluated_at = m.evaluated_at"
        " ORDER BY m.evaluated_at"
    )


def variants(queries: Queries, latest: dict[str, Any]) -> pl.DataFrame:
    """Return what other ways to count say at the latest evaluation."""
    return queries.frame(
        "SELECT variant, value, ci_low, ci_high, state FROM shared_variant"
        " WHERE evaluated_at = $at ORDER BY variant",
        {"at": latest["evaluated_at"]},
    )


def weeks(queries: Queries) -> pl.DataFrame:
    """Return engineers per unit and week where the look-back is known, of the last two years."""
    return queries.frame(
        "SELECT unit_id, name, kind, week, engineers, engineers_low, joins, leaves, is_shared"
        " FROM unit_engineers WHERE has_full_look_back"
        " AND week > (SELECT max(week) FROM unit_engineers) - INTERVAL 728 DAY"
        " ORDER BY unit_id, week"
    )


def units(queries: Queries, limit: int = ROW_LIMIT) -> pl.DataFrame:
    """Return the units, those of most engineers first, with who uses them by now."""
    return queries.frame(
        """
        SELECT u.unit_id, u.name, u.kind, u.is_shared, u.teams, u.team_names, u.services,
            w.engineers, w.engineers_low, u.sources
        FROM shared_unit AS u
        LEFT JOIN unit_engineers AS w ON w.unit_id = u.unit_id
            AND w.week = (SELECT max(week) FROM unit_engineers)
        ORDER BY w.engineers DESC NULLS LAST, u.unit_id
        LIMIT $limit
        """,
        {"limit": limit},
    )


def unmapped(queries: Queries) -> pl.DataFrame:
    """Return services that went live in the 90 days before and lack a unit or a team."""
    return queries.frame(
        """
        SELECT s.name, t.name AS team, count(u.unit_id) > 0 AS has_unit
        FROM service AS s
        LEFT JOIN team AS t ON t.team_id = s.team_id
        LEFT JOIN unit_use AS u ON u.service_id = s.service_id
        WHERE s.service_id IN (
            SELECT service_id FROM deployment_fact
            WHERE is_counted AND live_at >= (SELECT as_of FROM build) - INTERVAL 90 DAY)
        GROUP BY s.service_id, s.name, t.name
        HAVING count(u.unit_id) = 0 OR t.name IS NULL
        ORDER BY lower(s.name), s.name, s.service_id
        """
    )
