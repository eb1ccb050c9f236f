"""A seeded published build as pages read it: gaps, reasons and odd names included."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.reader import SCHEMA_VERSION
from pipelines.references import bin_frame
from tests.dashboards import (
    fixture_configuration,
    fixture_core,
    fixture_platform,
    fixture_requests,
    fixture_setup,
    fixture_shared,
    fixture_verdict,
)
from tests.dashboards.fixture_sql import METRICS, SCHEMA

AS_OF = datetime(2026, 11, 18, 6, 0, tzinfo=UTC)
HOSTILE = (
    "<img src=x onerror=alert(1)> **bold** [link](javascript:alert(1)) $x^2$ :red[red] "
    ":material/home: `code` https://evil.example/ a@b.example"
)
TEAMS = [
    "Commerce",
    "Discovery",
    "Identity",
    "Ledger",
    "Mobile",
    "Onboarding",
    "Payments",
    "Search",
]
NOUNS = ["api", "worker", "gateway", "store", "events", "portal"]
HOUR_US = 3_600_000_000
STAGES = ("coding", "pickup", "review", "merge", "deploy", "unreviewed")


@dataclass(frozen=True, kw_only=True)
class World:
    """How large the build is and what is wrong with it."""

    seed: int = 7
    services: int = 18
    changes: int = 7000
    days: int = 560
    hostile: bool = False
    has_incidents: bool = True
    schema_version: int = SCHEMA_VERSION
    build_id: str = "20261118T061500-7f3a"
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def write_build(data: Path, world: World | None = None) -> Path:
    """Write and publish a build with data under a data folder; returns its file."""
    world = world or World()
    path = _new_file(data, world.build_id)
    connection = duckdb.connect(str(path))
    connection.execute("SET timezone = 'UTC'")
    _create(connection, world.schema_version)
    dice = random.Random(world.seed)
    services = _services(world)
    _insert(connection, "team", [_team(name, world) for name in TEAMS])
    _insert(connection, "service", services)
    deployments, changes = _history(world, services, dice)
    _insert(connection, "deployment_fact", deployments)
    _insert(connection, "change_fact", changes)
    for table, rows in _health(world, changes).items():
        _insert(connection, table, rows)
    connection.execute(fixture_core.CORE)
    if not world.has_incidents:
        connection.execute(fixture_core.WITHOUT_INCIDENTS)
    connection.execute(METRICS)
    if not world.has_incidents:
        connection.execute(fixture_core.AT_LEAST)
    connection.execute(fixture_core.HELD)
    for table, filled in fixture_verdict.tables(HOSTILE if world.hostile else None).items():
        _insert_frame(connection, table, filled)
    link = "javascript:alert(1)" if world.hostile else "https://github.com/example/new"
    for table, made in fixture_setup.rows(
        AS_OF, HOSTILE if world.hostile else "new-portal", link
    ).items():
        _insert(connection, table, made)
    connection.execute(fixture_requests.FILLED)
    if world.hostile:
        connection.execute(fixture_requests.hostile(HOSTILE))
    fixture_platform.fill(connection, AS_OF, HOSTILE if world.hostile else None)
    fixture_configuration.fill(connection, AS_OF, HOSTILE if world.hostile else "env files")
    fixture_shared.fill(connection, AS_OF, HOSTILE if world.hostile else None)
    connection.close()
    return _publish(data, path)


def write_empty_build(data: Path, schema_version: int = SCHEMA_VERSION) -> Path:
    """Publish a build in which every table but `build` is empty."""
    path = _new_file(data, "20261118T061500-empty")
    connection = duckdb.connect(str(path))
    connection.execute("SET timezone = 'UTC'")
    _create(connection, schema_version)
    connection.close()
    return _publish(data, path)


def _new_file(data: Path, build_id: str) -> Path:
    folder = data / "builds"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{build_id}.duckdb"
    path.unlink(missing_ok=True)
    return path


def _publish(data: Path, path: Path) -> Path:
    fresh = data / "builds" / "current.new"
    fresh.symlink_to(path.name)
    fresh.rename(data / "builds" / "current")
    return path


def _create(connection: duckdb.DuckDBPyConnection, schema_version: int) -> None:
    connection.execute(SCHEMA)
    connection.execute(fixture_core.SCHEMA)
    fixture_platform.create(connection)
    connection.execute(fixture_setup.SCHEMA)
    connection.execute(fixture_shared.SCHEMA)
    connection.register("bins", bin_frame())
    connection.execute("CREATE TABLE reference_bin AS SELECT * FROM bins")
    connection.unregister("bins")
    connection.execute(fixture_configuration.SCHEMA)
    for table, rows in fixture_verdict.no_tables().items():
        connection.register("typed", rows)
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM typed")
        connection.unregister("typed")
    connection.execute(fixture_requests.SCHEMA)
    connection.execute(
        "INSERT INTO build VALUES (?, ?, ?, ?, 'Example Harbour', 'Europe/Berlin', 1.4)",
        ["20261118T061500", AS_OF + timedelta(minutes=15), AS_OF, schema_version],
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    _insert_frame(connection, table, pl.DataFrame(rows, infer_schema_length=None))


def _insert_frame(connection: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    connection.register("incoming", rows)
    connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    connection.unregister("incoming")


def _team(name: str, world: World) -> dict[str, Any]:
    shown = HOSTILE if world.hostile and name == "Ledger" else name
    return {"team_id": f"team:{name.lower()}", "name": shown, "parent": None}


def _services(world: World) -> list[dict[str, Any]]:
    rows = []
    for index in range(world.services):
        team = TEAMS[index % len(TEAMS)]
        name = f"{team.lower()}-{NOUNS[index // len(TEAMS) % len(NOUNS)]}"
        if index >= len(TEAMS) * len(NOUNS):
            name += f"-{index}"
        key = f"github.com/example/{name}"
        rows.append(
            {
                "service_id": key,
                "name": HOSTILE if world.hostile and index == 3 else name,
                # One service belongs to no team, as happens with every real catalog.
                "team_id": None if index == world.services - 1 else f"team:{team.lower()}",
                "repository_key": key,
                "repository_name": f"example/{name}",
                "repository_url": "javascript:alert(1)"
                if world.hostile and index == 3
                else f"https://{key}",
                "archived_at": None,
            }
        )
    return rows


def _history(
    world: World, services: list[dict[str, Any]], dice: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    deployments: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    # The last two services have never been deployed: their pages have to say so.
    for index, service in enumerate(services[:-2]):
        pace = dice.lognormvariate(0, 0.6)
        slowness = dice.lognormvariate(0, 0.5)
        count = max(3, int(world.changes / max(1, len(services) - 2) * min(pace, 2.5)))
        for number in range(count):
            live = AS_OF - timedelta(days=world.days * (1 - (number + dice.random()) / count))
            age = (AS_OF - live).days
            if index == 5 and 90 < age < 120:
                continue  # four weeks without data: sparklines and trends show a gap
            moment = live.replace(hour=dice.choice((8, 9, 11, 13, 14, 15, 16)))
            deployment = _deployment(service, moment, len(deployments), dice)
            deployments.append(deployment)
            change = _change(world, service, deployment, 1000 + len(changes), dice)
            # A shared pipeline went live about five months ago and took a third off the waits.
            _stages(change, slowness * (0.62 if age < 150 else 1.0), dice)
            changes.append(change)
    return deployments, changes


def _deployment(
    service: dict[str, Any], moment: datetime, number: int, dice: random.Random
) -> dict[str, Any]:
    odd = dice.random()
    kind = "rollback" if odd < 0.03 else "redeploy" if odd < 0.05 else "normal"
    outcome = "failed_before_live" if 0.05 < odd < 0.08 else "succeeded"
    return {
        "deployment_id": f"deployment:{number}",
        "service_id": service["service_id"],
        "service_name": service["name"],
        "team_id": service["team_id"],
        "team_name": service["team_id"],
        "environment": "production-eu",
        "environment_class": "production",
        "kind": kind,
        "outcome": outcome,
        "origin": "deployments_api",
        "sha": f"{number:040x}",
        "ref": "main",
        "release": f"v1.{number}",
        "attempts": 1,
        "started_at": moment - timedelta(minutes=dice.randint(2, 20)),
        "live_at": None if outcome != "succeeded" else moment,
        "changes": 1,
        "is_counted": outcome == "succeeded" and kind != "redeploy",
        "is_resolved": True,
        "is_baseline": False,
        "url": f"https://{service['repository_key']}/deployments/{number}",
        "reason": None,
    }


def _change(
    world: World,
    service: dict[str, Any],
    deployment: dict[str, Any],
    number: int,
    dice: random.Random,
) -> dict[str, Any]:
    odd = dice.random()
    shipped = deployment["live_at"] is not None
    title = dice.choice(["Fix rounding of totals", "Add retry to export", "Move to new client"])
    return {
        "change_id": f"change:{number}",
        "kind": "direct" if dice.random() < 0.1 else "change_request",
        "number": number,
        "title": f"{HOSTILE} =1+1" if world.hostile and number % 5 == 0 else f"{title} ({number})",
        "url": "javascript:alert(1)"
        if world.hostile and number % 5 == 0
        else f"https://{service['repository_key']}/pull/{number}",
        "repository_key": service["repository_key"],
        "repository_name": service["repository_name"],
        "service_id": service["service_id"],
        "service_name": service["name"],
        "team_id": service["team_id"],
        "team_name": service["team_id"],
        "environment": "production",
        "relation": "not_live"
        if not shipped
        else "baseline"
        if odd < 0.02
        else "interval_censored"
        if odd < 0.03
        else "shipped",
        "is_bot": dice.random() < 0.12,
        "live_at": deployment["live_at"],
        "deployment_id": deployment["deployment_id"] if shipped else None,
        "deployment_url": deployment["url"] if shipped else None,
        "flags": ["deployed before merge"] if odd > 0.99 else [],
        "started": deployment["started_at"],
    }


def _stages(change: dict[str, Any], slowness: float, dice: random.Random) -> None:
    reviewed = dice.random() < 0.85
    weights = (0.26, 0.34, 0.18, 0.06, 0.16, 0) if reviewed else (0.35, 0, 0, 0, 0.25, 0.4)
    hours = dice.lognormvariate(3.6, 1.05) * slowness
    parts = [int(hours * HOUR_US * share * dice.lognormvariate(0, 0.5)) for share in weights]
    end = change["live_at"] or change["started"]
    cuts = [end - timedelta(microseconds=sum(parts))]
    for part in parts[:5]:
        cuts.append(cuts[-1] + timedelta(microseconds=part))
    change.pop("started")
    change["start_at"], change["ready_at"] = cuts[0], cuts[1]
    change["first_review_at"] = cuts[2] if reviewed else None
    change["approved_at"] = cuts[3] if reviewed else None
    change["merged_at"] = end - timedelta(microseconds=parts[4])
    for name, part in zip(STAGES, parts, strict=True):
        change[f"{name}_us"] = None if part == 0 else part
    shipped = change["relation"] == "shipped"
    change["lead_time_us"] = sum(parts) if shipped else None
    change["business_lead_time_us"] = sum(parts) // 3 if shipped else None


def _health(world: World, changes: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    odd = HOSTILE if world.hostile else None
    streams = [
        ("github", "github", "change_requests", 24, 0, 2, None),
        ("github", "github", "deployments", 24, 0, 2, None),
        ("github", "github", "workflow_runs", 24, 3, 30, "403 on 3 of 24 repositories"),
        ("jira", "jira", "issues", 3, 0, 3, None),
        ("clones", "git", "commits", 24, 0, 1, odd),
    ]
    health = [
        {
            "connection": connection,
            "kind": kind,
            "stream": stream,
            "scopes": scopes,
            "failing": failing,
            "last_success_at": AS_OF - timedelta(hours=lag),
            "last_full_at": AS_OF - timedelta(hours=lag + 20),
            "last_error": error,
            "rows": 1200 * scopes,
            "rejects": 3 if stream == "issues" else 0,
            "requests": 20 + scopes,
            "coverage_from": AS_OF - timedelta(days=200 if kind == "jira" else world.days),
            "coverage_to": AS_OF - timedelta(hours=lag),
            "lag_us": lag * HOUR_US,
        }
        for connection, kind, stream, scopes, failing, lag, error in streams
    ]
    checks = [
        ("unmatched deployments", "production", 14, 2600, "Their commit is in no fetched branch."),
        ("unmapped people", "accounts", 9, 140, "Accounts without a team."),
        ("unmatched environments", "prod-like", 2, 31, "Match no production pattern."),
        ("negative durations", "change lead time", 0, len(changes), "Left out of lead time."),
    ]
    return {
        "data_health": health,
        "data_check": [
            {
                "check_name": name,
                "subject": subject,
                "count": count,
                "total": total,
                "message": odd or message,
                "help": "Name them in leadline.toml.",
            }
            for name, subject, count, total, message in checks
        ],
        "reject_fact": [
            {
                "connection": "jira",
                "stream": "issues",
                "table_name": "ticket",
                "path": f"fields.created[{index}]",
                "problem": odd or "not a time: 'yesterday'",
                "excerpt": "{'created': 'yesterday'}",
                "url": "javascript:alert(1)" if odd else "https://jira.example/rest/api/3/search",
                "requested_at": AS_OF - timedelta(hours=3),
            }
            for index in range(3)
        ],
        "exclusion": [
            {
                "subject": f"change:{1000 + index}",
                "rule": rule,
                "reason": odd or reason,
            }
            for index in range(40)
            for rule, reason in [
                ("bot", "author is a bot: reported apart")
                if index % 3
                else ("baseline", "already live when the service was first seen")
            ]
        ],
        "definition": [
            _definition("deployment_frequency", "Deployment frequency", "Deployments ÷ weeks."),
            _definition("change_lead_time", "Change lead time", "First commit to live."),
            _definition("lead_time_stage", "Lead time by stage", "Six stages that add up."),
            _definition("change_fail_rate", "Change fail rate", "Failed ÷ live."),
            _definition("attempt_failure_rate", "Attempt failure rate", "Never live ÷ all."),
            _definition("failed_deployment_recovery_time", "Recovery time", "Live to mended."),
            _definition("incident_duration", "Duration of incidents", "Start to resolve."),
            _definition("deployment_rework_rate", "Rework rate", "Rework ÷ live."),
            _definition("verdict", "Verdict", "Any of four thresholds."),
            _definition("threshold_forecast", "Trending", "Crossed, if it goes on."),
            _definition("merged_not_live", "Merged, not yet live", "Kaplan–Meier of the wait."),
        ],
    }


def _definition(name: str, title: str, words: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": 1,
        "title": title,
        "words": words,
        "parameters": "",
        "sql": f"SELECT value FROM metric WHERE metric = '{name}'",
    }
