"""The truth about the organisation as plain frames, to hold computed numbers against.

What shipped what was entered in a ledger while the simulation ran; nothing here walks a commit
graph. Lead times and stages follow the metric definitions from the facts of each change alone.
Durations are whole microseconds, times UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from sandbox.organisation import Organisation
from sandbox.outcomes import ChangeOutcome, DeploymentOutcome
from sandbox.service_levels import cycles_of
from sandbox.truth_changes import ChangeFacts, change_facts
from sandbox.truth_failures import FailureTruth, failure_rows, incident_rows, signal_rows
from sandbox.truth_ledger import LiveLedger
from sandbox.truth_rework import rework_rows
from sandbox.truth_schemas import (
    CHANGES,
    DEPLOYMENTS,
    FAILURES,
    INCIDENTS,
    PEOPLE,
    REPOSITORIES,
    REWORK,
    SERVICE_LEVELS,
    SIGNALS,
    TICKETS,
)

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Truth:
    """Frames; their columns are described in `sandbox.truth_schemas`."""

    deployments: pl.DataFrame
    changes: pl.DataFrame
    signals: pl.DataFrame
    failures: pl.DataFrame
    incidents: pl.DataFrame
    rework: pl.DataFrame
    tickets: pl.DataFrame
    service_levels: pl.DataFrame
    repositories: pl.DataFrame
    people: pl.DataFrame

    def write(self, folder: Path) -> None:
        """Writes each frame to `folder` as Parquet."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.__slots__:
            frame: pl.DataFrame = getattr(self, name)
            frame.write_parquet(folder / f"{name}.parquet")


def truth_of(organisation: Organisation) -> Truth:
    """The frames of one organisation."""
    ledger = LiveLedger(organisation)
    failed = FailureTruth(ledger)
    return Truth(
        deployments=_frame(map(_row, ledger.deployments), DEPLOYMENTS),
        signals=_frame(signal_rows(failed), SIGNALS),
        failures=_frame(failure_rows(failed), FAILURES),
        incidents=_frame(incident_rows(failed), INCIDENTS),
        rework=_frame(rework_rows(ledger), REWORK),
        changes=_frame(_change_rows(organisation), CHANGES),
        tickets=_frame(_ticket_rows(organisation), TICKETS),
        service_levels=_frame(_service_level_rows(organisation), SERVICE_LEVELS),
        repositories=_frame(_repository_rows(organisation), REPOSITORIES),
        people=_frame(_person_rows(organisation), PEOPLE),
    )


def _frame(rows: Iterable[Mapping[str, Any]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Rows to a frame of this schema; keys beyond it are left out."""
    kept = list(rows)
    return pl.DataFrame({name: [row[name] for row in kept] for name in schema}, schema=schema)


def _row(outcome: DeploymentOutcome | ChangeOutcome) -> dict[str, Any]:
    return {field.name: getattr(outcome, field.name) for field in fields(outcome)}


def _change_rows(organisation: Organisation) -> Iterable[dict[str, Any]]:
    facts = change_facts(organisation)
    classes = {
        (service.id, environment): "production"
        for service in organisation.services
        for environment in service.production_environments
    }
    for outcome in organisation.change_outcomes:
        change = facts[outcome.change_key]
        row = _row(outcome) | change.row()
        environment_class = None
        if outcome.service_id is not None and outcome.environment is not None:
            key = (outcome.service_id, outcome.environment)
            environment_class = classes.get(key, "staging")
        row["environment_class"] = environment_class
        is_counted = outcome.relation == "shipped" and outcome.live_at is not None
        row |= _durations(change, outcome.live_at) if is_counted else dict.fromkeys(DURATIONS)
        yield row


DURATIONS = (
    "lead_time_us",
    "coding_us",
    "pickup_us",
    "review_us",
    "merge_us",
    "unreviewed_us",
    "deploy_us",
)


def _durations(change: ChangeFacts, live_at: Any) -> dict[str, int | None]:
    """Lead time and its stages: each cut point lies within [the one before, min(merged, live)]."""
    limit = min(change.merged_at, live_at)
    start = min(change.start_at, limit)

    def clamp(moment: Any, before: Any) -> Any:
        return max(before, min(moment, limit))

    ready = clamp(change.ready_at, start)
    found: dict[str, int | None] = dict.fromkeys(DURATIONS)
    found["lead_time_us"] = (live_at - start) // MICROSECOND
    found["coding_us"] = (ready - start) // MICROSECOND
    found["deploy_us"] = (live_at - limit) // MICROSECOND
    if change.is_direct:
        return found
    if change.first_review_at is None:
        found["unreviewed_us"] = (limit - ready) // MICROSECOND
        return found
    reviewed = clamp(change.first_review_at, ready)
    found["pickup_us"] = (reviewed - ready) // MICROSECOND
    if change.approved_at is None:
        found["review_us"] = (limit - reviewed) // MICROSECOND
        return found
    approved = clamp(change.approved_at, reviewed)
    found["review_us"] = (approved - reviewed) // MICROSECOND
    found["merge_us"] = (limit - approved) // MICROSECOND
    return found


def _ticket_rows(organisation: Organisation) -> Iterable[dict[str, Any]]:
    projects = {project.id: project for project in organisation.ticket_site.projects}
    categories = {
        status.id: status.category for project in projects.values() for status in project.statuses
    }
    for ticket in organisation.ticket_site.tickets:
        started = next(
            (
                history.at
                for history in ticket.histories
                for item in history.items
                if item.field == "status" and categories[item.to_value or ""] == "indeterminate"
            ),
            None,
        )
        cycle = None
        if started is not None and ticket.resolved_at is not None:
            cycle = (ticket.resolved_at - started) // MICROSECOND
        yield {
            "ticket_id": ticket.id,
            "ticket_key": ticket.key,
            "project_key": projects[ticket.project_id].key,
            "request_type_id": ticket.request_type_id,
            "status_category": categories[ticket.status_id],
            "created_at": ticket.created_at,
            "started_at": started,
            "resolved_at": ticket.resolved_at,
            "cycle_time_us": cycle,
            "history_count": len(ticket.histories),
            "worklog_seconds": sum(worklog.duration_seconds for worklog in ticket.worklogs),
        }


def _service_level_rows(organisation: Organisation) -> Iterable[dict[str, Any]]:
    projects = {project.id: project for project in organisation.ticket_site.projects}
    for ticket in organisation.ticket_site.tickets:
        for cycle in cycles_of(ticket, projects[ticket.project_id], organisation.end):
            is_over = cycle.stopped_at is not None
            yield {
                "ticket_key": ticket.key,
                "name": cycle.name,
                "cycle": cycle.number,
                "started_at": cycle.started_at,
                "stopped_at": cycle.stopped_at,
                "goal_us": cycle.goal // MICROSECOND,
                "elapsed_us": cycle.elapsed // MICROSECOND if is_over else None,
                "is_breached": cycle.is_breached,
            }


def _repository_rows(organisation: Organisation) -> Iterable[dict[str, Any]]:
    for repository in organisation.repositories:
        yield {
            "repository_id": repository.id,
            "full_name": repository.full_name,
            "former_full_names": list(repository.former_full_names),
            "default_branch": repository.default_branch,
            "is_fork": repository.is_fork,
            "is_archived": repository.archived_at is not None,
            "commit_count": len(repository.commits),
            "change_request_count": len(repository.change_requests),
            "merged_count": sum(r.state == "merged" for r in repository.change_requests),
            "deployment_count": len(repository.deployments),
            "run_count": len(repository.runs),
            "release_count": len(repository.releases),
            "issue_count": len(repository.issues),
            "tag_count": len(repository.tags),
        }


def _person_rows(organisation: Organisation) -> Iterable[dict[str, Any]]:
    accounts = organisation.account_by_id
    teams = {team.id: team.slug for team in organisation.teams}
    for person in organisation.people:
        account = None if person.account_id is None else accounts[person.account_id]
        yield {
            "person_id": person.id,
            "name": person.name,
            "login": None if account is None else account.login,
            "account_id": person.account_id,
            "emails": list(person.emails),
            "ticket_user_id": person.ticket_user_id,
            "team": teams[person.team_id],
            "joined_at": person.joined_at,
            "left_at": person.left_at,
        }
