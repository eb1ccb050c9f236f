"""Set-ups of services in the fixture: measured, described, one by one, one of them hostile."""

from datetime import datetime, timedelta
from typing import Any

SCHEMA = """
CREATE TABLE setup_measure (threshold VARCHAR, evaluated_at TIMESTAMPTZ, value DOUBLE,
  unit VARCHAR, ci_low DOUBLE, ci_high DOUBLE, threshold_value DOUBLE, n BIGINT,
  measured_state VARCHAR, direction VARCHAR, reason VARCHAR, missing VARCHAR[], evidence VARCHAR,
  coverage DOUBLE, coverage_text VARCHAR, parameters VARCHAR, window_days BIGINT, legs VARCHAR[]);
CREATE TABLE setup_variant (threshold VARCHAR, evaluated_at TIMESTAMPTZ, variant VARCHAR,
  value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, n BIGINT, state VARCHAR);
CREATE TABLE setup_summary (metric VARCHAR, variant VARCHAR, group_name VARCHAR, value DOUBLE,
  unit VARCHAR, n BIGINT, ci_low DOUBLE, ci_high DOUBLE, method VARCHAR, reason VARCHAR);
CREATE TABLE setup_curve (group_name VARCHAR, hours DOUBLE, survival DOUBLE, at_risk BIGINT,
  ready BIGINT, still_open BIGINT);
CREATE TABLE setup_fact (setup_id VARCHAR, name VARCHAR, service_id VARCHAR, team_id VARCHAR,
  team_name VARCHAR, repository_url VARCHAR, start_at TIMESTAMPTZ, start_by VARCHAR,
  request_url VARCHAR, production_at TIMESTAMPTZ, template VARCHAR, made_by VARCHAR,
  state VARCHAR, ready_at TIMESTAMPTZ, age_us BIGINT, elapsed_us BIGINT, is_over BOOLEAN,
  approval_us BIGINT, repository_us BIGINT, pipeline_us BIGINT, environment_us BIGINT,
  deployment_us BIGINT, other_us BIGINT, waits_for VARCHAR, tickets BIGINT,
  ticket_keys VARCHAR[], worked_us BIGINT, is_in_cohort BOOLEAN, is_counted BOOLEAN,
  evaluated_state VARCHAR, reason VARCHAR);
"""
_HOUR_US = 3_600_000_000
_STAGES = ("approval", "repository", "pipeline", "environment", "deployment", "other")
_SETUPS = 20


def rows(as_of: datetime, name: str, link: str) -> dict[str, list[dict[str, Any]]]:
    """Rows by table; the newest set-up has this name, and its link."""
    cases = [_case(as_of, number) for number in range(_SETUPS)]
    cases[0] |= {"name": name, "repository_url": link, "request_url": None, "team_name": name}
    cases.append(
        {
            **_case(as_of, _SETUPS),
            "setup_id": "fork",
            "state": "left out",
            "reason": "a fork of another repository",
            "is_in_cohort": False,
            "is_counted": False,
        }
    )
    return {
        "setup_measure": [_measure(as_of - timedelta(weeks=4 * number)) for number in (0, 1, 2)],
        "setup_variant": [
            {
                "threshold": "setup_time",
                "evaluated_at": as_of,
                "variant": "24-hour clock",
                "value": 0.6,
                "ci_low": 0.36,
                "ci_high": 0.81,
                "n": _SETUPS,
                "state": "insufficient",
            }
        ],
        "setup_summary": _summary(),
        "setup_curve": [
            {
                "group_name": group,
                "hours": hours * (1 if group == "golden path" else 20.0),
                "survival": 1 - number / 10,
                "at_risk": 11 - number,
                "ready": 1,
                "still_open": int(number == 10),
            }
            for group in ("all", "golden path", "hand-made")
            for number, hours in enumerate((0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1, 1.5, 2, 4), 1)
        ],
        "setup_fact": cases,
    }


def _measure(at: datetime) -> dict[str, Any]:
    return {
        "threshold": "setup_time",
        "evaluated_at": at,
        "value": 0.75,
        "unit": "share of set-ups",
        "ci_low": 0.51,
        "ci_high": 0.91,
        "threshold_value": 0.5,
        "n": _SETUPS,
        "measured_state": "crossed",
        "direction": None,
        "reason": "15 of 20 set-ups took more than one business day.",
        "missing": ["pipeline runs: CI of the repositories"],
        "coverage": 1.0,
        "coverage_text": "20 of 20 could be followed",
        "parameters": '{"business_day_hours": 8.0}',
        "window_days": 180,
        "legs": ["repository", "first deployment to any environment"],
    }


def _summary() -> list[dict[str, Any]]:
    found = []
    for group, hours in (("all", 20.0), ("golden path", None), ("hand-made", 31.0)):
        for metric, value in (
            ("set_up_working_time", hours),
            ("tickets_per_set_up", 1.5),
            ("infrastructure_hours_per_set_up", 4.0),
        ):
            is_length = metric == "set_up_working_time"
            found.append(
                {
                    "metric": metric,
                    "variant": "median" if is_length else "mean",
                    "group_name": group,
                    "value": value,
                    "unit": "working h" if is_length else "h",
                    "n": 10,
                    "ci_low": 0.5 if is_length and value else None,
                    "ci_high": None,
                    "method": "Kaplan–Meier" if is_length else "mean",
                    "reason": None if value else "only 4 set-ups, too few for this value",
                }
            )
    return found


def _case(as_of: datetime, number: int) -> dict[str, Any]:
    is_golden = number % 4 == 0
    hours = 1 if is_golden else 30
    start = as_of - timedelta(days=5 * number + 3)
    is_open = number == 1
    return {
        "setup_id": f"service:{number}",
        "name": f"service-{number}",
        "service_id": None if is_open else f"github.com/example/service-{number}",
        "team_id": "team:ledger" if number % 2 else None,
        "team_name": "Ledger" if number % 2 else None,
        "repository_url": f"https://github.com/example/service-{number}",
        "start_at": start,
        "start_by": "task" if is_golden else "ticket",
        "request_url": None if is_golden else f"https://jira.example/browse/OPS-{number}",
        "production_at": start + timedelta(days=9),
        "template": "template:default/service" if is_golden else None,
        "made_by": "golden path" if is_golden else "hand-made",
        "state": "open" if is_open else "ready",
        "ready_at": None if is_open else start + timedelta(hours=3 * hours),
        "age_us": 6 * hours * _HOUR_US,
        "elapsed_us": 18 * hours * _HOUR_US,
        "is_over": not is_golden,
        **{f"{stage}_us": hours * _HOUR_US for stage in _STAGES},
        "waits_for": "first deployment" if is_open else "ready",
        "tickets": 0 if is_golden else 2,
        "ticket_keys": [],
        "worked_us": 4 * _HOUR_US,
        "is_in_cohort": True,
        "is_counted": True,
        "evaluated_state": "ready",
        "reason": None,
    }
