"""What the page of configurations asks a build."""

from typing import Any

import polars as pl

from dashboards.queries import Queries

_TITLES = "(SELECT DISTINCT category, approach, approach_title FROM practice_fact)"


def measure(queries: Queries) -> dict[str, Any] | None:
    """Return what the last evaluation found, if there was one."""
    rows = queries.frame(
        "SELECT * FROM configuration_measure ORDER BY evaluated_at DESC LIMIT 1"
    ).to_dicts()
    return rows[0] if rows else None


def history(queries: Queries) -> list[float | None]:
    """Return the audits with a finding at each evaluation, oldest first."""
    rows = queries.frame("SELECT value FROM configuration_measure ORDER BY evaluated_at")
    return rows["value"].to_list()


def spread(queries: Queries) -> pl.DataFrame:
    """Return how much teams differ today in each category, the critical ones first."""
    return queries.frame(
        "SELECT s.*, coalesce(t.approach_title, s.modal_approach) AS modal_title"
        f" FROM practice_spread AS s LEFT JOIN {_TITLES} AS t"
        " ON t.category = s.category AND t.approach = s.modal_approach"
        " WHERE s.is_now ORDER BY s.is_critical DESC, s.disagreement DESC NULLS LAST, s.category"
    )


def disagreement(queries: Queries, category: str) -> list[float | None]:
    """Return the disagreement of a category over time, oldest first."""
    rows = queries.frame(
        "SELECT disagreement FROM practice_spread WHERE category = $category ORDER BY moment_at",
        {"category": category},
    )
    return rows["disagreement"].to_list()


def cells(queries: Queries) -> pl.DataFrame:
    """Return what each team uses today in each category, as people call it."""
    return queries.frame(
        "WITH now AS (SELECT * FROM practice_spread WHERE is_now), named AS ("
        " SELECT team_id, category, list(DISTINCT approach_title ORDER BY approach_title) AS titles"
        " FROM practice_fact GROUP BY team_id, category)"
        " SELECT t.name AS team, c.team_id, s.category, s.title, s.is_critical,"
        " coalesce(n.titles, c.approaches) AS titles, c.files, c.is_excepted, c.exception,"
        " c.exception_until, list_contains(s.outliers, c.team_id) AS is_outlier,"
        " list_contains(s.drifted, c.team_id) AS is_drifted, g.standard, s.modal_approach"
        " FROM team_control AS c"
        " JOIN now AS s ON s.moment_at = c.moment_at AND s.control = c.control"
        " JOIN team AS t ON t.team_id = c.team_id"
        " LEFT JOIN named AS n ON n.team_id = c.team_id AND n.category = s.category"
        " LEFT JOIN team_standard AS g ON g.team_id = c.team_id AND g.category = s.category"
        " WHERE c.source = 'practices' ORDER BY lower(t.name), t.name, s.category"
    )


def scope(queries: Queries) -> tuple[int, int]:
    """Return how many teams own repositories today, and how many of them were scanned."""
    rows = queries.frame(
        "SELECT count(*) AS teams, count(*) FILTER (WHERE scanned > 0) AS scanned FROM team_scope"
        " WHERE moment_at = (SELECT max(moment_at) FROM team_scope)"
    )
    return rows.row(0)


def live(queries: Queries) -> pl.DataFrame:
    """Return what live scans show of each critical control today."""
    return queries.frame(
        "SELECT * FROM live_control WHERE is_critical AND teams > 1"
        " AND moment_at = (SELECT max(moment_at) FROM live_control) ORDER BY title, source"
    )


def audits(queries: Queries) -> pl.DataFrame:
    """Return what audits observed, the newest first, findings before the rest."""
    return queries.frame(
        "SELECT * FROM audit_fact ORDER BY performed_at DESC, audit_name, is_finding DESC,"
        " control_title, lower(team_name), value"
    )


def evidence(queries: Queries, category: str) -> pl.DataFrame:
    """Return the files that show the approaches of a category today."""
    return queries.frame(
        "SELECT team_name, approach_title, is_conforming, is_outlier, repository_name, path,"
        " at_line, since_at, url FROM practice_fact WHERE category = $category"
        " ORDER BY lower(team_name), approach_title, repository_name, path LIMIT 5000",
        {"category": category},
    )


def standards(queries: Queries) -> pl.DataFrame:
    """Return the declared standards, with how many teams each holds for."""
    return queries.frame(
        "SELECT category, standard, count(*) AS teams FROM team_standard"
        " GROUP BY category, standard ORDER BY category, standard"
    )


def exceptions(queries: Queries) -> pl.DataFrame:
    """Return the deviations that were allowed, those that end first before the others."""
    return queries.frame(
        "SELECT e.control, coalesce(t.name, e.team) AS team, e.reason, e.source, e.until_at"
        " FROM control_exception AS e LEFT JOIN team AS t ON t.team_id = e.team"
        " ORDER BY e.until_at NULLS LAST, e.control, team"
    )


def variants(queries: Queries) -> pl.DataFrame:
    """Return the state of the last evaluation under other definitions."""
    return queries.frame(
        "SELECT variant, value, n, state FROM configuration_variant WHERE evaluated_at ="
        " (SELECT max(evaluated_at) FROM configuration_variant) ORDER BY variant"
    )
