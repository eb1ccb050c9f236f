"""What the definitions page asks a build for: definitions, variants, references, goals."""

import polars as pl

from dashboards.queries import Queries


def definitions(queries: Queries) -> pl.DataFrame:
    """Return every metric's definition, by title."""
    return queries.frame("SELECT * FROM definition ORDER BY title, version DESC, name")


def variants(queries: Queries) -> pl.DataFrame:
    """Return the published variants of every metric with unit, and the environments they have."""
    return queries.frame(
        """
        SELECT metric, variant, unit, max(services) AS services, max(n) AS n
        FROM metric WHERE period = '91d' AND entity_type = 'organisation'
          AND environment = 'production'
        GROUP BY metric, variant, unit ORDER BY metric, variant
        """
    )


def reference_years(queries: Queries) -> list[int]:
    """Return the years of the reports, newest first."""
    rows = queries.frame("SELECT DISTINCT report_year FROM reference_bin ORDER BY report_year DESC")
    return rows["report_year"].to_list()


def chosen_year(queries: Queries) -> int | None:
    """Return the year of the report that values are held against."""
    rows = queries.frame("SELECT max(report_year) AS year FROM metric_reference")
    year: int | None = rows["year"].item()
    return year


def reference(queries: Queries, year: int) -> pl.DataFrame:
    """Return the bins of one report, metric by metric, best first."""
    return queries.frame(
        """
        SELECT b.metric, coalesce(d.title, b.metric) AS title, b.ordinal, b.label, b.share,
               b.percentile_low, b.percentile_high, b.source, b.note
        FROM reference_bin AS b LEFT JOIN definition AS d ON d.name = b.metric
        WHERE b.report_year = $year ORDER BY b.metric, b.ordinal
        """,
        {"year": year},
    )


def goals(queries: Queries, period: str) -> pl.DataFrame:
    """Return the goals in force, of teams and of the organisation, in one period."""
    return queries.frame(
        """
        SELECT coalesce(d.title, g.metric) AS metric, g.name, g.direction, g.target_text, g.state,
               g.value, g.unit, g.meeting, g.services, g.previous_state, g.reason
        FROM metric_goal AS g LEFT JOIN definition AS d ON d.name = g.metric
        WHERE g.period = $period AND g.entity_type <> 'service'
        ORDER BY g.entity_type, lower(g.name), 1
        """,
        {"period": period},
    )
