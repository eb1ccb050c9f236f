"""The part of the fixture about the platform: launches, candidates, newcomers, relations.

Made by the product's own functions from made-up histories, so that names, types and words are
those of real builds.
"""

from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import polars as pl

from pipelines.models.signals import automation_candidate, deflection, onboarding

LAUNCHED_ON = date(2026, 6, 24)
_WEEKS = 44
_CATEGORIES = {"New database": 30.0, "Firewall change": 20.0, "Repository access": 9.0}

SCHEMA = """
CREATE TABLE category_week (category VARCHAR, week DATE, is_partial BOOLEAN, tickets BIGINT,
  requesters BIGINT, engineers BIGINT, demand_rate DOUBLE, attempts BIGINT, actions BIGINT,
  actions_ok BIGINT, failed_actions BIGINT, followed_actions BIGINT, self_service_ratio DOUBLE);
CREATE TABLE team_interaction (month DATE, team_id VARCHAR, team_name VARCHAR,
  other_team_id VARCHAR, other_team_name VARCHAR, tickets BIGINT, actions BIGINT,
  reviews_by_other BIGINT, reviews_of_other BIGINT, interactions BIGINT, mode VARCHAR);
"""


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables, empty."""
    connection.execute(SCHEMA)
    for name, rows in _made(pl.DataFrame(), {}, None).items():
        _write(connection, name, rows)


def fill(connection: duckdb.DuckDBPyConnection, as_of: datetime, odd: str | None) -> None:
    """Write 44 weeks of requests with a launch in the middle; `odd` is a hostile name."""
    chance = np.random.default_rng(8)
    monday = as_of.date() - timedelta(days=as_of.weekday())
    weeks = [monday - timedelta(weeks=back) for back in range(_WEEKS, 0, -1)]
    tickets = []
    for name, mean in _CATEGORIES.items():
        for week in weeks:
            is_less = name == "New database" and week >= LAUNCHED_ON
            count = int(chance.poisson(mean * (0.55 if is_less else 1.0)))
            tickets.append({"category": name, "week": week, "tickets": count})
    counted = pl.DataFrame(tickets)
    if odd is not None:
        counted = counted.with_columns(pl.col("category").replace("Firewall change", odd))
    names = {name: odd or name for name in ("Firewall change",)}
    for name, rows in _made(counted, names, as_of).items():
        connection.execute(f"DROP TABLE {name}")
        _write(connection, name, rows)
    _weeks(connection, counted)
    connection.execute(_INTERACTIONS)


_INTERACTIONS = """
INSERT INTO team_interaction
SELECT CAST(date_trunc('month', b.as_of) AS DATE) - m.back * INTERVAL 1 MONTH,
       t.team_id, t.name, o.team_id, o.name, 9 - m.back, m.back, 2, 1, 12,
       CASE WHEN m.back > 5 THEN 'X-as-a-service' WHEN o.team_id = 'team:mobile' THEN NULL
            ELSE 'by ticket' END
FROM build AS b, range(9) AS m(back), team AS t, team AS o
WHERE t.team_id <> o.team_id AND hash(t.team_id || o.team_id) % 4 = 0;
"""


def _made(
    counted: pl.DataFrame, names: dict[str, str], as_of: datetime | None
) -> dict[str, pl.DataFrame]:
    """The tables of the three models; without a moment, of nothing."""
    compared = names.get("Firewall change", "Firewall change")
    launches: list[dict[str, Any]] = []
    if as_of is not None:
        launches = [
            _launch(0, "Databases by form", LAUNCHED_ON, "New database", [compared]),
            _launch(1, "Access by group", date(2027, 2, 1), "Repository access", []),
        ]
    listed = counted if as_of is not None else pl.DataFrame(schema=_COUNTED)
    made = deflection.model(
        pl.DataFrame(launches, schema=_LAUNCH),
        weeks=listed.select("week").unique().sort("week"),
        tickets=listed.with_columns(team_ids=pl.lit([], pl.List(pl.String))),
        engineers=listed.select("week")
        .unique()
        .with_columns(team_ids=pl.lit([], pl.List(pl.String)), engineers=pl.lit(60, pl.Int64)),
        actions=listed.filter(pl.col("category") == "New database").select(
            "category",
            "week",
            team_ids=pl.lit([], pl.List(pl.String)),
            attempts=pl.lit(12),
            actions=pl.lit(10),
            actions_ok=pl.lit(9),
            failed=pl.lit(3),
        ),
        handled=_handled(listed),
    )
    made |= automation_candidate.model(
        weeks=listed.select("week").unique().sort("week", descending=True).head(26),
        requests=_requests(listed),
        handled=_handled(listed),
        team_names=pl.DataFrame(
            {"team_id": ["team:ledger", "team:search"], "name": ["Ledger", "Search"]}
        ),
        launches=pl.DataFrame(launches, schema=_LAUNCH).select(
            "launch", "launched_on", folded=pl.col("categories").list.first().str.to_lowercase()
        ),
    )
    return made | onboarding.model(_people(as_of))


def _launch(
    ordinal: int, name: str, day: date, category: str, compared: list[str]
) -> dict[str, Any]:
    return {
        "ordinal": ordinal,
        "launch": name,
        "launched_on": day,
        "categories": [category],
        "teams": [],
        "team_ids": [],
        "comparison": compared,
        "adoption_weeks": 3,
        "as_of": date(2026, 11, 18),
    }


def _handled(listed: pl.DataFrame) -> pl.DataFrame:
    return listed.select(
        "category", source=pl.lit("worklogs"), handling_us=pl.lit(7_200_000_000, pl.Int64)
    )


def _requests(listed: pl.DataFrame) -> pl.DataFrame:
    each = listed.select(pl.exclude("tickets"), pl.col("tickets").repeat_by("tickets")).explode(
        "tickets", empty_as_null=False
    )
    number = pl.int_range(pl.len())
    opened = pl.col("week").cast(pl.Datetime("us", "UTC")) + pl.duration(hours=number % 100)
    newest = listed["week"].unique().sort(descending=True).head(26)
    return each.filter(pl.col("week").is_in(newest.implode())).select(
        "category",
        "week",
        method=pl.lit("request type"),
        ticket_id=pl.format("ticket:{}", number),
        ticket_key=pl.format("OPS-{}", number),
        title=pl.format("{} for service {}", "category", number % 9),
        url=pl.format("https://jira.example/OPS-{}", number),
        opened_at=opened,
        team_ids=pl.when(number % 3 == 0)
        .then(pl.lit(["team:ledger"]))
        .otherwise(pl.lit(["team:search"])),
        waited_us=pl.lit(30 * 3_600_000_000, pl.Int64),
        first_response_us=pl.lit(3 * 3_600_000_000, pl.Int64),
        resolution_us=pl.lit(20 * 3_600_000_000, pl.Int64),
        goals=pl.lit(2, pl.Int64),
        missed=(number % 5 == 0).cast(pl.Int64),
    )


def _people(as_of: datetime | None) -> pl.DataFrame:
    rows = []
    for number in range(0 if as_of is None else 24):
        assert as_of is not None
        first = as_of - timedelta(days=40 + 17 * number)
        is_there = number % 6 > 0
        rows.append(
            {
                "cohort": f"{first.year} H{1 if first.month <= 6 else 2}",
                "first_at": first,
                "until_at": as_of,
                "first_change_at": first + timedelta(days=2 + number) if is_there else None,
                "first_deployment_at": first + timedelta(days=5 + number) if is_there else None,
                "tenth_change_at": first + timedelta(days=60) if number % 2 else None,
            }
        )
    return pl.DataFrame(rows, schema=_PEOPLE)


def _weeks(connection: duckdb.DuckDBPyConnection, counted: pl.DataFrame) -> None:
    rows = counted.with_columns(
        is_partial=pl.lit(value=False),
        requesters=pl.col("tickets"),
        engineers=pl.lit(60),
        demand_rate=pl.col("tickets") / 60,
        attempts=pl.when(pl.col("category") == "New database").then(12).otherwise(0),
        actions=pl.when(pl.col("category") == "New database").then(10).otherwise(0),
        actions_ok=pl.when(pl.col("category") == "New database").then(9).otherwise(0),
        failed_actions=pl.when(pl.col("category") == "New database").then(2).otherwise(0),
        followed_actions=pl.when(pl.col("category") == "New database").then(1).otherwise(0),
    )
    connection.register("incoming", rows)
    connection.execute("INSERT INTO category_week BY NAME SELECT * FROM incoming")
    connection.unregister("incoming")


def _write(connection: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    connection.register("incoming", rows)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    connection.unregister("incoming")


_MOMENT = pl.Datetime("us", "UTC")
_COUNTED: dict[str, Any] = {"category": pl.String, "week": pl.Date, "tickets": pl.Int64}
_LAUNCH: dict[str, Any] = {
    "ordinal": pl.Int64,
    "launch": pl.String,
    "launched_on": pl.Date,
    "categories": pl.List(pl.String),
    "teams": pl.List(pl.String),
    "team_ids": pl.List(pl.String),
    "comparison": pl.List(pl.String),
    "adoption_weeks": pl.Int64,
    "as_of": pl.Date,
}
_PEOPLE: dict[str, Any] = {
    "cohort": pl.String,
    "first_at": _MOMENT,
    "until_at": _MOMENT,
    "first_change_at": _MOMENT,
    "first_deployment_at": _MOMENT,
    "tenth_change_at": _MOMENT,
}
