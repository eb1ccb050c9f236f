"""The rows behind the numbers: changes, deployments, failures and incidents of a selection.

Facts are filtered by dates and limited; they carry no interval.
"""

from typing import Any, Final

import polars as pl

from dashboards.frame import Page
from dashboards.queries import ROW_LIMIT, Span

DOWNLOAD_LIMIT: Final = 100_000
STAGES: Final = ("coding", "pickup", "review", "merge", "deploy", "unreviewed")

_CHANGE_COLUMNS: Final = """
    change_id, kind, number, title, url, repository_name, service_name, team_name, start_at,
    ready_at, first_review_at, approved_at, merged_at, live_at, deployment_id, deployment_url,
    lead_time_us / 3.6e9 AS lead_time_h, business_lead_time_us / 3.6e9 AS working_h,
    coding_us / 3.6e9 AS coding, pickup_us / 3.6e9 AS pickup, review_us / 3.6e9 AS review,
    merge_us / 3.6e9 AS merge, deploy_us / 3.6e9 AS deploy, unreviewed_us / 3.6e9 AS unreviewed,
    flags"""

_MEMBER: Final = (
    "($team_id IS NULL OR team_id = $team_id) AND ($service_id IS NULL OR service_id = $service_id)"
)
_SELECTED: Final = f"live_at >= $start AND live_at < $end_at AND {_MEMBER}"
_PLACE: Final = "($is_whole OR environment = $place)"
_FAILED: Final = f"live_at >= $start AND live_at < $end_at AND NOT is_immature AND {_MEMBER}"

# What a change needs to count for lead time; the rest is listed as left out.
COUNTS: Final = "relation = 'shipped' AND NOT is_bot AND lead_time_us >= 0 AND exclusion IS NULL"
# The opposite, in a form of which each part is looked up alone.
LEFT_OUT: Final = (
    "(relation IS DISTINCT FROM 'shipped' OR coalesce(is_bot, true) OR lead_time_us IS NULL"
    " OR lead_time_us < 0 OR exclusion IS NOT NULL)"
)

# In one of several production environments a change is live at that one's own moment: what lies
# between it and the first of them is part of waiting to deploy.
_IN_ENVIRONMENT: Final = """(
    SELECT c.* REPLACE (
        l.environment AS environment, l.live_at AS live_at, l.relation AS relation,
        l.deployment_id AS deployment_id, d.url AS deployment_url,
        l.lead_time_us AS lead_time_us,
        CASE WHEN c.lead_time_us IS NOT NULL
            THEN c.deploy_us + l.lead_time_us - c.lead_time_us END AS deploy_us)
    FROM change_fact AS c
    JOIN live_change AS l ON l.change_id = c.change_id AND l.service_id = c.service_id
        AND l.environment = $environment
    JOIN deployment AS d ON d.deployment_id = l.deployment_id)"""


def changes(page: Page, limit: int = ROW_LIMIT) -> pl.DataFrame:
    """Return the changes that count for lead time, slowest first."""
    return page.queries.frame(
        f"SELECT {_CHANGE_COLUMNS} FROM {_changes(page)} WHERE {COUNTS} AND {_SELECTED}"
        " ORDER BY lead_time_us DESC, change_id LIMIT $limit",
        _selected(page) | {"limit": limit},
    )


def sample(page: Page, span: Span, limit: int = 600) -> pl.DataFrame:
    """Return some of the changes as moment and hours; the same ones at every call."""
    return page.queries.frame(
        f"SELECT live_at AT TIME ZONE $zone AS at, lead_time_us / 3.6e9 AS hours"
        f" FROM {_changes(page)} WHERE {COUNTS} AND {_SELECTED} AND lead_time_us > 0"
        " ORDER BY hash(change_id) LIMIT $limit",
        _selected(page, span) | {"limit": limit, "zone": page.build.zone.key},
    )


def distribution(page: Page) -> pl.DataFrame:
    """Return how many changes fall into each of the log-scaled bins of lead time in hours."""
    return page.queries.frame(
        f"""
        SELECT power(10, bin / 8.0) AS low_h, power(10, (bin + 1) / 8.0) AS high_h,
               count(*) AS changes
        FROM (SELECT floor(log10(greatest(lead_time_us, 6e7) / 3.6e9) * 8) AS bin
              FROM {_changes(page)} WHERE {COUNTS} AND {_SELECTED})
        GROUP BY bin ORDER BY bin
        """,
        _selected(page),
    )


def left_out(page: Page) -> pl.DataFrame:
    """Return how many changes went live in the period without counting, and why."""
    return page.queries.frame(
        f"""
        SELECT CASE WHEN exclusion IS NOT NULL THEN 'excluded (' || exclusion || ')'
                    WHEN is_bot THEN 'by bots'
                    WHEN relation = 'baseline' THEN 'live before the first deployment seen'
                    WHEN relation = 'interval_censored' THEN 'live at an unknown moment'
                    WHEN lead_time_us < 0 THEN 'with a negative duration'
                    ELSE 'without a start or end' END AS reason, count(*) AS changes
        FROM {_changes(page)} WHERE {LEFT_OUT} AND {_SELECTED}
        GROUP BY 1 ORDER BY 2 DESC, 1
        """,
        _selected(page),
    )


def deployments(page: Page) -> pl.DataFrame:
    """Return the latest deployment attempts of the selection."""
    return page.queries.frame(
        f"""
        SELECT deployment_id, coalesce(live_at, started_at) AS at, service_name, environment, kind,
               outcome, coalesce(release, left(sha, 7), ref) AS version, changes, origin,
               is_counted, is_failed, rework_state, url, reason
        FROM deployment_fact
        WHERE coalesce(live_at, started_at) >= $start AND coalesce(live_at, started_at) < $end_at
          AND environment_class = 'production' AND {_MEMBER} AND {_PLACE}
        ORDER BY 2 DESC, deployment_id LIMIT {ROW_LIMIT}
        """,
        _placed(page),
    )


def failures(page: Page, limit: int = ROW_LIMIT) -> pl.DataFrame:
    """Return the deployments with a sign of failure that are old enough, newest first."""
    return page.queries.frame(
        f"""
        SELECT deployment_id, live_at, service_name, team_name, environment, kind, version,
               confidence, is_primary, is_high, signs, evidence, evidence_urls, incidents,
               recovery_us / 3.6e9 AS recovery_h, recovered_by, is_open, deployment_url,
               epoch_us($as_of) / 3.6e9 - epoch_us(failed_at) / 3.6e9 AS open_h
        FROM failure_fact WHERE {_FAILED} AND {_PLACE}
        ORDER BY live_at DESC, deployment_id LIMIT $limit
        """,
        _placed(page) | {"limit": limit, "as_of": page.build.as_of},
    )


def failure_weeks(page: Page, span: Span) -> pl.DataFrame:
    """Return how many deployments of each week have a sign of failure, by confidence."""
    return page.queries.frame(
        f"""
        SELECT CAST(date_trunc('week', live_at AT TIME ZONE $zone) AS DATE) AS week, confidence,
               count(*) AS failures, count(*) FILTER (is_open) AS still_open
        FROM failure_fact WHERE {_FAILED} AND is_primary AND {_PLACE}
        GROUP BY ALL ORDER BY ALL
        """,
        _placed(page, span) | {"zone": page.build.zone.key},
    )


def young_deployments(page: Page) -> int:
    """Return how many deployments of the period are too young for failures to have shown."""
    rows = page.queries.frame(
        f"SELECT count(*) AS n FROM deployment_fact WHERE is_immature AND {_SELECTED} AND {_PLACE}",
        _placed(page),
    )
    return int(rows["n"].item())


def incidents(page: Page, limit: int = ROW_LIMIT) -> pl.DataFrame:
    """Return the incidents that began in the period, those linked to nothing first."""
    return page.queries.frame(
        f"""
        SELECT incident_id, started_at, title, severity, source, service_name, team_name,
               duration_us / 3.6e9 AS duration_h, is_open, deployment_id, version, deployment_url,
               link_method, confidence, reason, candidates, url
        FROM incident_fact WHERE started_at >= $start AND started_at < $end_at AND {_MEMBER}
        ORDER BY deployment_id IS NOT NULL, started_at DESC, incident_id LIMIT $limit
        """,
        _member(page) | {"limit": limit},
    )


def chance(page: Page) -> dict[str, Any]:
    """Return incidents of the period, how many links chance alone would give, and the coverage."""
    rows = page.queries.frame(
        """
        SELECT sum(v.incidents) AS incidents, sum(v.expected_by_chance) AS expected,
               count(*) FILTER (NOT v.is_time_used AND v.incidents > 0) AS crowded,
               median(v.covered_share) AS covered
        FROM incident_coverage AS v JOIN service AS s ON s.service_id = v.service_id
        WHERE v.period = $period AND v.environment = $environment AND v.period_start = $since
          AND ($team_id IS NULL OR s.team_id = $team_id)
          AND ($service_id IS NULL OR s.service_id = $service_id)
        """,
        {
            "period": page.scope.period,
            "environment": page.scope.environment,
            "since": page.span.start,
            "team_id": page.scope.team_id,
            "service_id": page.scope.service_id,
        },
    )
    return rows.row(0, named=True)


def _changes(page: Page) -> str:
    return "change_fact" if page.scope.environment == "production" else _IN_ENVIRONMENT


def _member(page: Page, span: Span | None = None) -> dict[str, Any]:
    start, end = (span or page.span).bounds(page.build.zone)
    return {
        "start": start,
        "end_at": end,
        "team_id": page.scope.team_id,
        "service_id": page.scope.service_id,
    }


def _selected(page: Page, span: Span | None = None) -> dict[str, Any]:
    whole = page.scope.environment == "production"
    return _member(page, span) | ({} if whole else {"environment": page.scope.environment})


def _placed(page: Page, span: Span | None = None) -> dict[str, Any]:
    # An environment called production, beside others, has a longer name among metrics.
    return _member(page, span) | {
        "is_whole": page.scope.environment == "production",
        "place": page.scope.environment.removesuffix(" (environment)"),
    }
