"""What the walk-through asks a build for: one change or deployment, and all that was considered."""

from typing import Any, Final

import polars as pl

from dashboards.frame import Page
from dashboards.queries import Queries

_AROUND: Final = 25
"""How many deployments between the merge and the one that ships a change are listed at most."""

_MEMBER: Final = (
    "($team_id IS NULL OR team_id = $team_id) AND ($service_id IS NULL OR service_id = $service_id)"
)
_NAMED: Final = "coalesce(release, left(sha, 7), ref) AS version"


def search(page: Page, text: str) -> pl.DataFrame:
    """Return changes and deployments by number, title, commit or version, newest first."""
    return page.queries.frame(
        f"""
        SELECT what, id, label, service_name, moment FROM (
            SELECT 'change' AS what, change_id AS id, service_name, merged_at AS moment,
                   coalesce('#' || number || ' ', '') || coalesce(title, '') AS label
            FROM change_fact WHERE {_MEMBER} AND (
                CAST(number AS VARCHAR) = ltrim($text, '#!') OR contains(lower(title), lower($text))
                OR change_id = $text OR change_id IN (
                    SELECT change_id FROM change WHERE len($text) >= 6 AND (
                        starts_with(merge_sha, lower($text))
                        OR starts_with(head_sha, lower($text)))))
            UNION ALL BY NAME
            SELECT 'deployment' AS what, deployment_id AS id, service_name,
                   coalesce(live_at, started_at) AS moment,
                   coalesce(release, left(sha, 7), ref) || ' to ' || environment AS label
            FROM deployment_fact WHERE {_MEMBER} AND (
                deployment_id = $text OR lower(release) = lower($text)
                OR (len($text) >= 6 AND starts_with(sha, lower($text)))))
        ORDER BY moment DESC, what, id LIMIT 30
        """,
        {"text": text, "team_id": page.scope.team_id, "service_id": page.scope.service_id},
    )


def latest_change(page: Page) -> str | None:
    """Return the change of the selection that went live last."""
    rows = page.queries.frame(
        "SELECT change_id FROM change_fact WHERE relation = 'shipped' AND NOT is_bot"
        " AND exclusion IS NULL"
        f" AND {_MEMBER} ORDER BY live_at DESC, change_id LIMIT 1",
        {"team_id": page.scope.team_id, "service_id": page.scope.service_id},
    )
    return None if rows.is_empty() else str(rows["change_id"][0])


def change(queries: Queries, change_id: str) -> list[dict[str, Any]]:
    """Return a change once for each service it belongs to."""
    return queries.frame(
        """
        SELECT f.*, c.opened_at, c.base_branch, c.head_branch, c.head_sha, c.merge_sha,
               c.is_start_from_committer, c.is_without_commits
        FROM change_fact AS f
        JOIN change AS c ON c.change_id = f.change_id AND c.merged_at = f.merged_at
        WHERE f.change_id = $id ORDER BY f.live_at NULLS LAST, f.service_id
        """,
        {"id": change_id},
    ).to_dicts()


def evidence(queries: Queries, row: dict[str, Any]) -> pl.DataFrame:
    """Return the commits and reviews of a change, earliest first."""
    return queries.frame(
        "SELECT * FROM change_evidence WHERE change_id = $id AND merged_at = $merged_at"
        " ORDER BY kind, moment, item_id",
        {"id": row["change_id"], "merged_at": row["merged_at"]},
    )


def keys(queries: Queries, row: dict[str, Any]) -> pl.DataFrame:
    """Return the commits that ship a change, and which deployment carried each one first."""
    return queries.frame(
        """
        SELECT k.sha, s.deployment_id, s.relation, d.live_at,
               coalesce(d.release, left(d.sha, 7), d.ref) AS version
        FROM change_key AS k
        LEFT JOIN shipment AS s ON s.commit_no = k.commit_no
             AND s.environment = '' AND s.service_id = $service_id
        LEFT JOIN deployment AS d ON d.deployment_id = s.deployment_id
             AND d.service_id = $service_id
        WHERE k.change_id = $id AND k.merged_at = $merged_at
        ORDER BY d.live_at NULLS LAST, k.sha
        """,
        {
            "id": row["change_id"],
            "merged_at": row["merged_at"],
            "service_id": row["service_id"],
        },
    )


def around(queries: Queries, row: dict[str, Any]) -> pl.DataFrame:
    """Return the deployments of the service from before the merge to after the change was live."""
    return queries.frame(
        f"""
        WITH placed AS (
            SELECT rowid AS place, deployment_id, coalesce(live_at, started_at) AS moment
            FROM deployment WHERE service_id = $service_id),
        before AS (SELECT * FROM placed WHERE moment < $merged_at AND deployment_id <> $shipping
                   ORDER BY moment DESC, deployment_id LIMIT 2),
        since AS (SELECT * FROM placed WHERE moment >= $merged_at AND deployment_id <> $shipping
                  AND moment <= coalesce($live_at, moment)
                  ORDER BY moment DESC, deployment_id LIMIT {_AROUND}),
        shipping AS (SELECT * FROM placed WHERE deployment_id = $shipping),
        later AS (SELECT * FROM placed WHERE moment > $live_at AND deployment_id <> $shipping
                  ORDER BY moment, deployment_id LIMIT 1)
        SELECT deployment_id, environment, environment_class, kind, relation, outcome,
               started_at, live_at, is_resolved, is_baseline, url, {_NAMED},
               coalesce(live_at, started_at) AS moment
        FROM deployment WHERE rowid IN (
            SELECT place FROM before UNION ALL SELECT place FROM since
            UNION ALL SELECT place FROM shipping UNION ALL SELECT place FROM later)
        ORDER BY moment, deployment_id
        """,
        {
            "service_id": row["service_id"],
            "merged_at": row["merged_at"],
            "live_at": row["live_at"],
            "shipping": row["deployment_id"] or "",
        },
    )


def left_out_as(queries: Queries, subject: str) -> list[str]:
    """Return the reasons for which a change or deployment is left out of some number."""
    rows = queries.frame(
        "SELECT reason FROM exclusion WHERE subject = $subject ORDER BY rule, reason",
        {"subject": subject},
    )
    return rows["reason"].to_list()


def deployment(queries: Queries, deployment_id: str) -> dict[str, Any] | None:
    """Return a deployment with all that is known of it."""
    rows = queries.frame(
        """
        SELECT d.*, f.service_name, f.team_name, f.changes, f.is_failed, f.is_immature,
               f.confidence, f.reason, o.pattern AS origin_pattern, o.is_ruled,
               w.state AS rework_state, w.reason AS rework_reason
        FROM deployment AS d
        JOIN deployment_fact AS f ON f.deployment_id = d.deployment_id
        LEFT JOIN deployment_origin AS o ON o.repository_key = d.repository_key
        LEFT JOIN rework AS w ON w.deployment_id = d.deployment_id
        WHERE d.deployment_id = $id
        """,
        {"id": deployment_id},
    )
    return None if rows.is_empty() else rows.row(0, named=True)


def attempts(queries: Queries, row: dict[str, Any]) -> pl.DataFrame:
    """Return the attempts that were folded into a deployment."""
    return queries.frame(
        """
        SELECT attempt_id, started_at, live_at, failed_at, cancelled_at, ended_at, url
        FROM service_attempt
        WHERE service_id = $service_id AND environment = $environment
          AND sha IS NOT DISTINCT FROM $sha AND started_at >= $since AND started_at <= $until
        ORDER BY started_at, attempt_id LIMIT 30
        """,
        {
            "service_id": row["service_id"],
            "environment": row["environment"],
            "sha": row["sha"],
            "since": row["started_at"],
            "until": row["ended_at"] or row["live_at"] or row["started_at"],
        },
    )


def named(queries: Queries, deployment_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return version, times and address of some deployments, by id."""
    rows = queries.frame(
        f"SELECT deployment_id, {_NAMED}, started_at, live_at, url, kind FROM deployment"
        " WHERE list_contains($ids, deployment_id)",
        {"ids": deployment_ids},
    )
    return {row["deployment_id"]: row for row in rows.iter_rows(named=True)}


def shipped(queries: Queries, deployment_id: str) -> pl.DataFrame:
    """Return the changes a deployment shipped, with their lead time."""
    return queries.frame(
        "SELECT change_id, kind, number, title, url, relation, is_bot,"
        " lead_time_us / 3.6e9 AS lead_time_h FROM change_fact WHERE deployment_id = $id"
        " ORDER BY lead_time_us DESC NULLS LAST, change_id LIMIT 50",
        {"id": deployment_id},
    )


def commits(queries: Queries, row: dict[str, Any]) -> int:
    """Return how many commits a deployment was the first to bring live in its environment."""
    rows = queries.frame(
        "SELECT count(*) AS n FROM shipment WHERE deployment_id = $id"
        " AND environment = $environment",
        {"id": row["deployment_id"], "environment": row["environment"]},
    )
    return int(rows["n"].item())


def signals(queries: Queries, deployment_id: str) -> pl.DataFrame:
    """Return the signs that a deployment failed."""
    return queries.frame(
        'SELECT * FROM failure_signal WHERE deployment_id = $id ORDER BY "at", signal_id',
        {"id": deployment_id},
    )


def failure(queries: Queries, deployment_id: str) -> dict[str, Any] | None:
    """Return the failure of a deployment with its recovery."""
    rows = queries.frame(
        "SELECT * FROM failure_fact WHERE deployment_id = $id", {"id": deployment_id}
    )
    return None if rows.is_empty() else rows.row(0, named=True)


def incidents_near(queries: Queries, row: dict[str, Any]) -> pl.DataFrame:
    """Return incidents linked to a deployment, and those of its service that began around it."""
    return queries.frame(
        """
        SELECT incident_id, title, started_at, deployment_id, version, link_method, reason, url
        FROM incident_fact
        WHERE deployment_id = $id OR (service_id = $service_id AND started_at >= $started_at
              AND started_at <= CAST($live_at AS TIMESTAMPTZ) + INTERVAL 3 DAY)
        ORDER BY started_at, incident_id LIMIT 30
        """,
        {
            "id": row["deployment_id"],
            "service_id": row["service_id"],
            "started_at": row["started_at"],
            "live_at": row["live_at"],
        },
    )
