"""Columns of the truth: their names, types and meaning."""

import polars as pl

TIME = pl.Datetime("us", "UTC")

# One row per deployment, attempts folded; key: deployment_key, environment.
DEPLOYMENTS: dict[str, pl.DataType] = {
    "deployment_key": pl.String(),  # id of the first attempt, or "<repository id>:<tag>"
    "attempt_ids": pl.List(pl.Int64),
    "service_id": pl.Int64(),
    "repository_id": pl.Int64(),
    "environment": pl.String(),
    "environment_class": pl.String(),
    "origin": pl.String(),
    "sha": pl.String(),
    "tag": pl.String(),
    "kind": pl.String(),  # normal, hotfix, config, rollback, redeploy
    "outcome": pl.String(),
    "started_at": TIME,
    "live_at": TIME,  # null: never went live
    "is_baseline": pl.Boolean(),
}

# One row per merged change, service and environment; key: change_key, service_id, environment.
CHANGES: dict[str, pl.DataType] = {
    "change_key": pl.String(),  # "request:<id>" or "commit:<repository id>:<sha>"
    "repository_id": pl.Int64(),
    "service_id": pl.Int64(),
    "environment": pl.String(),
    "environment_class": pl.String(),
    "relation": pl.String(),
    "deployment_key": pl.String(),
    "live_at": TIME,
    "folded_into": pl.String(),
    "is_before_merge": pl.Boolean(),
    "number": pl.Int64(),
    "sha": pl.String(),
    "is_direct": pl.Boolean(),
    "is_bot": pl.Boolean(),
    "author_account_id": pl.Int64(),
    "opened_at": TIME,
    "start_at": TIME,
    "is_start_moved": pl.Boolean(),
    "ready_at": TIME,
    "first_review_at": TIME,
    "approved_at": TIME,
    "merged_at": TIME,
    # Durations where the relation is "shipped"; for direct commits coding and deploy only.
    "lead_time_us": pl.Int64(),
    "coding_us": pl.Int64(),
    "pickup_us": pl.Int64(),
    "review_us": pl.Int64(),
    "merge_us": pl.Int64(),
    "unreviewed_us": pl.Int64(),
    "deploy_us": pl.Int64(),
}

# One row per sign that a deployment failed.
SIGNALS: dict[str, pl.DataType] = {
    "deployment_key": pl.String(),
    "environment": pl.String(),
    "service_id": pl.Int64(),
    "method": pl.String(),
    "confidence": pl.String(),
    "subject": pl.String(),  # key of the rollback, hotfix, reverting change or ticket
}

# One row per failed deployment; key: deployment_key, environment.
FAILURES: dict[str, pl.DataType] = {
    "deployment_key": pl.String(),
    "environment": pl.String(),
    "service_id": pl.Int64(),
    "live_at": TIME,
    "methods": pl.List(pl.String),  # sorted, each once
    "is_high": pl.Boolean(),
    "failing_from": TIME,  # live, or earlier where an incident began while it was rolled out
    "recovered_at": TIME,
    "recovery_us": pl.Int64(),
    "recovered_by": pl.String(),
}

# One row per incident.
INCIDENTS: dict[str, pl.DataType] = {
    "ticket_key": pl.String(),
    "service_id": pl.Int64(),  # null: its ticket names none
    "naming": pl.String(),
    "cause_key": pl.String(),  # what really caused it
    "duplicate_of": pl.String(),
    "created_at": TIME,
    "resolved_at": TIME,
    "deployment_key": pl.String(),  # what it is linked to by definition
    "environment": pl.String(),
    "method": pl.String(),
}

# One row per deployment that counts; key: deployment_key, environment.
REWORK: dict[str, pl.DataType] = {
    "deployment_key": pl.String(),
    "environment": pl.String(),
    "service_id": pl.Int64(),
    "state": pl.String(),  # rework, planned, unknown
    "contains_fix": pl.Boolean(),
}

# One row per ticket.
TICKETS: dict[str, pl.DataType] = {
    "ticket_id": pl.Int64(),
    "ticket_key": pl.String(),
    "project_key": pl.String(),
    "request_type_id": pl.String(),
    "status_category": pl.String(),
    "created_at": TIME,
    "started_at": TIME,  # first move to a status of category indeterminate
    "resolved_at": TIME,
    "cycle_time_us": pl.Int64(),  # resolved less started
    "history_count": pl.Int64(),
    "worklog_seconds": pl.Int64(),
}

# One row per run of a goal's clock at the request desk; key: ticket_key, name, cycle.
SERVICE_LEVELS: dict[str, pl.DataType] = {
    "ticket_key": pl.String(),
    "name": pl.String(),
    "cycle": pl.Int64(),
    "started_at": TIME,
    "stopped_at": TIME,
    "goal_us": pl.Int64(),
    "elapsed_us": pl.Int64(),  # null: the clock runs, or stands still
    "is_breached": pl.Boolean(),
}

# One row per repository.
REPOSITORIES: dict[str, pl.DataType] = {
    "repository_id": pl.Int64(),
    "full_name": pl.String(),
    "former_full_names": pl.List(pl.String),
    "default_branch": pl.String(),
    "is_fork": pl.Boolean(),
    "is_archived": pl.Boolean(),
    "commit_count": pl.Int64(),
    "change_request_count": pl.Int64(),
    "merged_count": pl.Int64(),
    "deployment_count": pl.Int64(),
    "run_count": pl.Int64(),
    "release_count": pl.Int64(),
    "issue_count": pl.Int64(),
    "tag_count": pl.Int64(),
}

# One row per human being.
PEOPLE: dict[str, pl.DataType] = {
    "person_id": pl.Int64(),
    "name": pl.String(),
    "login": pl.String(),  # null: the account was deleted
    "account_id": pl.Int64(),
    "emails": pl.List(pl.String),
    "ticket_user_id": pl.String(),
    "team": pl.String(),
    "joined_at": TIME,
    "left_at": TIME,
}
