"""Every SQL statement of the pages: metric rows are selected, never computed here.

Drill-down tables filter facts by dates and are limited; they carry no interval.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

ROW_LIMIT: Final = 200
DOWNLOAD_LIMIT: Final = 100_000
STAGES: Final = ("coding", "pickup", "review", "merge", "deploy", "unreviewed")

_CHANGE_COLUMNS: Final = """
    change_id, kind, number, title, url, repository_name, service_name, team_name, start_at,
    ready_at, first_review_at, approved_at, merged_at, live_at, deployment_url,
    lead_time_us / 3.6e9 AS lead_time_h, business_lead_time_us / 3.6e9 AS working_h,
    coding_us / 3.6e9 AS coding, pickup_us / 3.6e9 AS pickup, review_us / 3.6e9 AS review,
    merge_us / 3.6e9 AS merge, deploy_us / 3.6e9 AS deploy, unreviewed_us / 3.6e9 AS unreviewed,
    flags"""

# What a change needs to count for lead time; the rest is listed as left out.
_COUNTS: Final = "relation = 'shipped' AND NOT is_bot AND lead_time_us >= 0"


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
        """Return the environments that have metric rows, production first."""
        rows = self.frame(
            "SELECT DISTINCT environment FROM metric WHERE environment IS NOT NULL"
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

    def changes(
        self, scope: Scope, span: Span, zone: ZoneInfo, limit: int = ROW_LIMIT
    ) -> pl.DataFrame:
        """Return the changes that count for lead time, slowest first."""
        return self.frame(
            f"SELECT {_CHANGE_COLUMNS} FROM change_fact WHERE {_COUNTS} AND {_SELECTED}"
            " ORDER BY lead_time_us DESC, change_id LIMIT $limit",
            _selected(scope, span, zone) | {"limit": limit},
        )

    def waiting(self, scope: Scope, span: Span, zone: ZoneInfo) -> pl.DataFrame:
        """Return the changes merged in the period and not yet live, oldest first."""
        return self.frame(
            "SELECT number, title, url, service_name, team_name, merged_at FROM change_fact"
            " WHERE relation = 'not_live' AND NOT is_bot AND merged_at >= $start"
            " AND merged_at < $end_at AND environment = $environment"
            " AND ($team_id IS NULL OR team_id = $team_id)"
            " AND ($service_id IS NULL OR service_id = $service_id)"
            " ORDER BY merged_at, change_id LIMIT 50",
            _selected(scope, span, zone),
        )

    def sample(self, scope: Scope, span: Span, zone: ZoneInfo, limit: int = 600) -> pl.DataFrame:
        """Return some of the changes as moment and hours; the same ones at every call."""
        return self.frame(
            f"SELECT live_at AT TIME ZONE $zone AS at, lead_time_us / 3.6e9 AS hours"
            f" FROM change_fact WHERE {_COUNTS} AND {_SELECTED} AND lead_time_us > 0"
            " ORDER BY hash(change_id) LIMIT $limit",
            _selected(scope, span, zone) | {"limit": limit, "zone": zone.key},
        )

    def distribution(self, scope: Scope, span: Span, zone: ZoneInfo) -> pl.DataFrame:
        """Return how many changes fall into each of the log-scaled bins of lead time in hours."""
        return self.frame(
            f"""
            SELECT power(10, bin / 8.0) AS low_h, power(10, (bin + 1) / 8.0) AS high_h,
                   count(*) AS changes
            FROM (SELECT floor(log10(greatest(lead_time_us, 6e7) / 3.6e9) * 8) AS bin
                  FROM change_fact WHERE {_COUNTS} AND {_SELECTED})
            GROUP BY bin ORDER BY bin
            """,
            _selected(scope, span, zone),
        )

    def left_out(self, scope: Scope, span: Span, zone: ZoneInfo) -> pl.DataFrame:
        """Return how many changes went live in the period without counting, and why."""
        return self.frame(
            f"""
            SELECT CASE WHEN is_bot THEN 'by bots'
                        WHEN relation = 'baseline' THEN 'live before the first deployment seen'
                        WHEN relation = 'interval_censored' THEN 'live at an unknown moment'
                        WHEN lead_time_us < 0 THEN 'with a negative duration'
                        ELSE 'without a start or end' END AS reason, count(*) AS changes
            FROM change_fact WHERE NOT ({_COUNTS}) AND {_SELECTED}
            GROUP BY 1 ORDER BY 2 DESC, 1
            """,
            _selected(scope, span, zone),
        )

    def deployments(self, scope: Scope, span: Span, zone: ZoneInfo) -> pl.DataFrame:
        """Return the latest deployment attempts of the selection."""
        return self.frame(
            "SELECT coalesce(live_at, started_at) AS at, service_name, environment, kind, outcome,"
            " coalesce(release, ref, left(sha, 10)) AS version, changes, origin, is_counted, url,"
            " reason FROM deployment_fact"
            " WHERE coalesce(live_at, started_at) >= $start"
            " AND coalesce(live_at, started_at) < $end_at"
            " AND environment_class = $environment"
            " AND ($team_id IS NULL OR team_id = $team_id)"
            " AND ($service_id IS NULL OR service_id = $service_id)"
            f" ORDER BY 1 DESC LIMIT {ROW_LIMIT}",
            _selected(scope, span, zone),
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


_SELECTED: Final = (
    "live_at >= $start AND live_at < $end_at AND environment = $environment"
    " AND ($team_id IS NULL OR team_id = $team_id)"
    " AND ($service_id IS NULL OR service_id = $service_id)"
)


def _entity(scope: Scope) -> dict[str, Any]:
    entity_type, entity_id = scope.entity
    return {
        "entity_type": entity_type,
        "entity_id": entity_id,
        "environment": scope.environment,
    }


def _selected(scope: Scope, span: Span, zone: ZoneInfo) -> dict[str, Any]:
    start, end = span.bounds(zone)
    return {
        "start": start,
        "end_at": end,
        "environment": scope.environment,
        "team_id": scope.team_id,
        "service_id": scope.service_id,
    }
