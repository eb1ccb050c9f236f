"""Shared infrastructure in the fixture: two units over weeks, suggestions, one of them hostile."""

from datetime import datetime, timedelta

import duckdb

SCHEMA = """
CREATE TABLE shared_measure (threshold VARCHAR, evaluated_at TIMESTAMPTZ, value DOUBLE,
  unit VARCHAR, ci_low DOUBLE, ci_high DOUBLE, threshold_value DOUBLE, n BIGINT,
  measured_state VARCHAR, direction VARCHAR, reason VARCHAR, missing VARCHAR[], evidence VARCHAR,
  coverage DOUBLE, coverage_text VARCHAR, parameters VARCHAR);
CREATE TABLE shared_variant (threshold VARCHAR, evaluated_at TIMESTAMPTZ, variant VARCHAR,
  value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, n BIGINT, state VARCHAR);
CREATE TABLE shared_moment (evaluated_at TIMESTAMPTZ, evaluated_on DATE, production BIGINT,
  mapped BIGINT, accounts BIGINT, unresolved BIGINT);
CREATE TABLE shared_unit (unit_id VARCHAR, name VARCHAR, kind VARCHAR, sources VARCHAR[],
  services BIGINT, teams BIGINT, team_names VARCHAR[], is_shared BOOLEAN);
CREATE TABLE unit_engineers (unit_id VARCHAR, week DATE, name VARCHAR, kind VARCHAR,
  engineers BIGINT, engineers_low BIGINT, joins BIGINT, leaves BIGINT, services BIGINT,
  teams BIGINT, is_shared BOOLEAN, has_full_look_back BOOLEAN);
CREATE TABLE unit_use (service_id VARCHAR, unit_id VARCHAR);
CREATE TABLE identity_suggestion (left_account VARCHAR, right_account VARCHAR, score BIGINT,
  why VARCHAR, state VARCHAR, left_name VARCHAR, right_name VARCHAR, subject VARCHAR,
  decided_by VARCHAR, decided_at TIMESTAMPTZ);
"""


def fill(connection: duckdb.DuckDBPyConnection, as_of: datetime, hostile: str | None) -> None:
    """Two units of 40 weeks, three evaluations, two suggestions that wait."""
    name = hostile or "prod-eu"
    connection.execute(
        "INSERT INTO shared_unit VALUES"
        " ('cluster:eu', $name, 'cluster', ['catalog', 'settings'], 5, 2, ['Payments', $name],"
        " true), ('runner pool:gpu', 'gpu', 'runner pool', ['runner labels'], 1, 1, ['Payments'],"
        " false)",
        {"name": name},
    )
    monday = as_of.date() - timedelta(days=as_of.weekday() + 7)
    connection.execute(
        "INSERT INTO unit_engineers SELECT 'cluster:eu', $monday - 7 * cast(i AS INTEGER), $name,"
        " 'cluster', 60 - i, 57 - i, 2, 1, 5, 2, true, i < 38 FROM range(40) AS r(i)",
        {"monday": monday, "name": name},
    )
    connection.execute(
        "INSERT INTO unit_engineers SELECT 'runner pool:gpu', $monday - 7 * cast(i AS INTEGER),"
        " 'gpu', 'runner pool', 6, 6, 0, 0, 1, 1, false, true FROM range(40) AS r(i)",
        {"monday": monday},
    )
    connection.execute(
        "INSERT INTO shared_measure SELECT 'shared_infrastructure', $at - i * INTERVAL 28 DAY,"
        " 60 - 4 * i, 'engineers', 57 - 4 * i, 60 - 4 * i, 50, 70, 'crossed', NULL,"
        " '60 (at least 57) engineers work on the cluster ' || $name || ', shared by 2 teams.',"
        " []::VARCHAR[], NULL, 0.95, '5 of 5 production services with unit and team', '{}'"
        " FROM range(3) AS r(i)",
        {"at": as_of, "name": name},
    )
    connection.execute(
        "INSERT INTO shared_moment SELECT evaluated_at, evaluated_at::DATE, 5, 5, 80, 4"
        " FROM shared_measure"
    )
    connection.execute(
        "INSERT INTO shared_variant VALUES"
        " ('shared_infrastructure', $at, '30 days', 41, 40, 41, 70, 'clear'),"
        " ('shared_infrastructure', $at, 'connected units', 64, 61, 64, 70, 'crossed')",
        {"at": as_of},
    )
    connection.execute(
        "INSERT INTO identity_suggestion VALUES"
        " ('forge:1', 'jira:1', 100, 'name “' || $name || '” is like name “Ann”', 'pending',"
        " $name, 'Ann Smith', 'forge:1 = jira:1', NULL, NULL),"
        " ('forge:2', 'jira:2', 92, 'login “bobli” fits name “Bo Li”', 'pending', 'Bob Li',"
        " 'Bo Li', 'forge:2 = jira:2', NULL, NULL)",
        {"name": name},
    )
