"""What pages ask a build for: metric rows, what they are held against, names and health.

Metric rows are selected, never computed here. Rows behind them: `facts`, `walk_queries`.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

ROW_LIMIT: Final = 200
STABILITY: Final = {
    "metric": pl.String,
    "variant": pl.String,
    "week": pl.Date,
    "value": pl.Float64,
    "centre": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "signal": pl.String,
    "is_recent": pl.Boolean,
    "expected_by_chance": pl.Float64,
}
"""What pages read of `metric_stability`."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """The one row that describes a build."""

    build_id: str
    built_at: datetime
    as_of: datetime
    organisation: str
    zone: ZoneInfo
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the filters select."""

    period: str
    environment: str
    team_id: str | None = None
    service_id: str | None = None

    @property
    def entity(self) -> tuple[str, str]:
        """Type and id of the entity whose metric rows are shown."""
        if self.service_id is not None:
            return "service", self.service_id
        if self.team_id is not None:
            return "team", self.team_id
        return "organisation", ""


@dataclass(frozen=True)
class Span:
    """A period: first day and the day after its last."""

    start: date
    end: date

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the moments between which the period lies in the organisation's zone."""
        midnight = time(0, tzinfo=zone)
        return datetime.combine(self.start, midnight), datetime.combine(self.end, midnight)


@dataclass(frozen=True)
class Queries:
    """Questions to one published build; each runs on a cursor of its own."""

    connection: duckdb.DuckDBPyConnection

    def frame(self, statement: str, parameters: dict[str, Any] | None = None) -> pl.DataFrame:
        """Run one statement and return its rows."""
        rows: pl.DataFrame = self.connection.cursor().sql(statement, params=parameters or {}).pl()
        return rows

    def build(self) -> Build:
        """Return what the build says of itself."""
        row = self.frame("SELECT * FROM build").row(0, named=True)
        return Build(
            build_id=row["build_id"],
            built_at=row["built_at"],
            as_of=row["as_of"],
            organisation=row["organisation"] or "Your organisation",
            zone=ZoneInfo(row["zone"] or "UTC"),
            seconds=row["seconds"] or 0.0,
        )

    def teams(self) -> pl.DataFrame:
        """Return the teams, by name."""
        return self.frame("SELECT team_id, name FROM team ORDER BY lower(name), team_id")

    def services(self) -> pl.DataFrame:
        """Return the services, by name."""
        return self.frame(
            "SELECT service_id, name, team_id, repository_key, archived_at FROM service"
            " ORDER BY lower(name), service_id"
        )

    def environments(self) -> list[str]:
        """Return the environments that metrics are counted for, production first."""
        rows = self.frame(
            "SELECT DISTINCT environment FROM service_slice"
            " ORDER BY environment <> 'production', environment"
        )
        return rows["environment"].to_list()

    def span(self, scope: Scope, build: Build) -> Span:
        """Return the days of the selected period, which ends with the data of the build."""
        rows = self.frame(
            "SELECT period_start, period_end FROM metric WHERE period = $period"
            " AND environment = $environment LIMIT 1",
            {"period": scope.period, "environment": scope.environment},
        )
        if not rows.is_empty():
            return Span(*rows.row(0))
        end = build.as_of.astimezone(build.zone).date()
        return Span(end - timedelta(days=int(scope.period.removesuffix("d"))), end)

    def metrics(self, scope: Scope) -> pl.DataFrame:
        """Return the metric rows of the selected period and entity."""
        return self.frame(
            "SELECT * FROM metric WHERE period = $period AND entity_type = $entity_type"
            " AND entity_id = $entity_id AND environment = $environment",
            _entity(scope) | {"period": scope.period},
        )

    def slices(self, scope: Scope) -> pl.DataFrame:
        """Return the metric rows of the selected period and entity in each named environment."""
        return self.frame(
            "SELECT * FROM metric WHERE period = $period AND entity_type = $entity_type"
            " AND entity_id = $entity_id AND environment <> 'production'"
            " ORDER BY lower(environment), environment, metric, variant",
            {
                "period": scope.period,
                "entity_type": scope.entity[0],
                "entity_id": scope.entity[1],
            },
        )

    def references(self, scope: Scope) -> pl.DataFrame:
        """Return where the headline values of the selection fall in the report's bins."""
        return self.frame(
            "SELECT * FROM metric_reference WHERE period = $period AND entity_type = $entity_type"
            " AND entity_id = $entity_id AND environment = $environment",
            _entity(scope) | {"period": scope.period},
        )

    def goals(self, scope: Scope) -> pl.DataFrame:
        """Return the goals of the selection's teams, services or organisation in this period."""
        return self.frame(
            "SELECT * FROM metric_goal WHERE period = $period"
            " ORDER BY metric, entity_type, lower(name), entity_id",
            {"period": scope.period},
        )

    def stability(self, scope: Scope, since: date) -> pl.DataFrame:
        """Return natural limits and signals of the selection, week by week."""
        if scope.environment != "production":
            return pl.DataFrame(schema=STABILITY)
        return self.frame(
            f"SELECT {', '.join(STABILITY)} FROM metric_stability"
            " WHERE entity_type = $entity_type AND entity_id = $entity_id AND week >= $since"
            " ORDER BY metric, variant, week",
            {
                "entity_type": scope.entity[0],
                "entity_id": scope.entity[1],
                "since": since,
            },
        )

    def weeks(self, scope: Scope, metrics: list[str], since: date) -> pl.DataFrame:
        """Return the weekly metric rows of the selected entity, oldest first."""
        return self.frame(
            "SELECT metric, variant, period_start, period_end, value, unit, n, services, ci_low,"
            " ci_high, reason, is_partial FROM metric WHERE period = 'week'"
            " AND entity_type = $entity_type AND entity_id = $entity_id"
            " AND environment = $environment AND period_start >= $since"
            " AND list_contains($metrics, metric) ORDER BY metric, variant, period_start",
            _entity(scope) | {"since": since, "metrics": metrics},
        )

    def members(self, scope: Scope, level: str, metrics: list[str]) -> pl.DataFrame:
        """Return the metric rows of every team or service in the selection.

        A team or service without any row still appears once, with nulls.
        """
        if level == "team":
            source = "(SELECT team_id AS id, name, NULL AS url, team_id FROM team)"
        else:
            source = "(SELECT service_id AS id, name, repository_url AS url, team_id FROM service)"
        return self.frame(
            f"""
            SELECT e.id, e.name, e.url, t.name AS team, m.metric, m.variant, m.value, m.unit, m.n,
                   m.ci_low, m.ci_high, m.previous_value, m.reason
            FROM {source} AS e
            LEFT JOIN team AS t ON t.team_id = e.team_id
            LEFT JOIN metric AS m ON m.entity_type = $level AND m.entity_id = e.id
                 AND m.period = $period AND m.environment = $environment
                 AND list_contains($metrics, m.metric)
            WHERE ($team_id IS NULL OR e.team_id = $team_id)
              AND ($service_id IS NULL OR e.id = $service_id)
            ORDER BY lower(e.name), e.id
            """,
            {
                "level": level,
                "period": scope.period,
                "environment": scope.environment,
                "team_id": scope.team_id,
                "service_id": scope.service_id,
                "metrics": metrics,
            },
        )

    def sources(self) -> pl.DataFrame:
        """Return one row per connection and stream, troubled ones first."""
        return self.frame(
            "SELECT * FROM data_health ORDER BY failing > 0 OR last_error IS NOT NULL DESC,"
            " last_success_at NULLS FIRST, connection, stream"
        )

    def checks(self) -> pl.DataFrame:
        """Return what could not be matched, mapped or used."""
        return self.frame(
            "SELECT check_name, subject, CAST(count AS BIGINT) AS count,"
            " CAST(total AS BIGINT) AS total,"
            " CAST(count AS DOUBLE) / nullif(total, 0) * 100 AS share, message, help"
            " FROM data_check ORDER BY count DESC, check_name, subject"
        )

    def rejects(self) -> pl.DataFrame:
        """Return the latest rejected items."""
        return self.frame(
            f"SELECT * FROM reject_fact ORDER BY requested_at DESC, path LIMIT {ROW_LIMIT}"
        )

    def exclusions(self) -> pl.DataFrame:
        """Return how many things each rule leaves out, with one of them as an example."""
        return self.frame(
            "SELECT rule, reason, count(*) AS left_out, min(subject) AS example FROM exclusion"
            " GROUP BY rule, reason ORDER BY left_out DESC, rule, reason LIMIT 200"
        )

    def definitions(self, names: list[str]) -> pl.DataFrame:
        """Return the definitions of some metrics."""
        return self.frame(
            "SELECT * FROM definition WHERE list_contains($names, name) ORDER BY title, version",
            {"names": names},
        )


def _entity(scope: Scope) -> dict[str, Any]:
    entity_type, entity_id = scope.entity
    return {
        "entity_type": entity_type,
        "entity_id": entity_id,
        "environment": scope.environment,
    }
