"""Whether the infrastructure team spends more time on requests than on building (threshold T4)."""

from typing import Any

import polars as pl

from pipelines import request_share
from pipelines.request_share import CLASSES, Hours
from pipelines.thresholds import MEASURE, REQUESTS, VARIANT

TABLES = {
    "request_measure": """
        One row per evaluation: the share of requests in the infrastructure team's hours of requests
        and building over the weeks before. Crossed where it is above the threshold even if
        everything unclassified was building, clear where it is below even if it was requests.
        key: threshold, evaluated_at
        not null: measured_state, reason, missing, parameters
        check: measured_state in ('crossed', 'clear', 'not applicable', 'insufficient')
        check: measured_state <> 'not applicable' or evidence is not null
        check: ci_low is null or ci_low <= ci_high
    """,
    "request_variant": """
        One row per evaluation and other way to measure: incidents counted as building or as
        requests, and every other source of hours.
        key: threshold, evaluated_at, variant
        not null: state, n
        check: state in ('crossed', 'clear', 'insufficient')
    """,
}

INPUTS = {
    "evaluations": "select evaluated_at from input.evaluation order by evaluated_at",
    "weeks": """
        select evaluated_at, source, week, request_us, build_us, incident_us, overhead_us,
            unclassified_us, tickets, people, available_us
        from team_hours where is_infrastructure
        order by evaluated_at, source, week
    """,
    "sources": """
        select evaluated_at, source, people, is_usable, is_taken, skips_progress, straight_share,
            straight_class
        from hours_source where is_infrastructure
        order by evaluated_at, source
    """,
    "team": """
        select (select list(name order by name) from input.infrastructure_team) as teams,
            (select count(*) from tracked_person where is_infrastructure) as people,
            (select bool_or(method = 'assignee') from tracked_person where is_infrastructure)
                as is_assigned,
            (select count(*) from ticket_class where is_infrastructure) as tickets,
            (select count(*) from ticket_class) as all_tickets
    """,
    "rule": "select * from input.request_rule",
}


def model(
    evaluations: pl.DataFrame,
    weeks: pl.DataFrame,
    sources: pl.DataFrame,
    team: pl.DataFrame,
    rule: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Measure at every evaluation; at most some forty, each over at most a year of weeks."""
    rules, who = rule.row(0, named=True), team.row(0, named=True)
    hours = {
        key: _hours(rows)
        for key, rows in weeks.partition_by("evaluated_at", "source", as_dict=True).items()
    }
    judged = {
        key[0]: rows.to_dicts()
        for key, rows in sources.partition_by("evaluated_at", as_dict=True).items()
    }
    measured: list[dict[str, Any]] = []
    variants: list[dict[str, Any]] = []
    for at in evaluations["evaluated_at"]:
        key = {"threshold": REQUESTS, "evaluated_at": at}
        found = [(each, hours[at, each["source"]]) for each in judged.get(at, [])]
        measured.append(key | request_share.measure(found, who, rules))
        variants += [key | row for row in request_share.variants(found, rules)]
    return {
        "request_measure": pl.DataFrame(measured, schema=dict(MEASURE), orient="row"),
        "request_variant": pl.DataFrame(variants, schema=dict(VARIANT), orient="row"),
    }


def _hours(rows: pl.DataFrame) -> Hours:
    rows = rows.sort("week")
    return Hours(
        {name: rows[f"{name}_us"].cast(pl.Float64).to_numpy() for name in CLASSES},
        int(rows["people"].cast(pl.Int64).to_numpy().max()),
        float(rows["available_us"].sum()),
    )
