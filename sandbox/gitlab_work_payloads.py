"""Bodies of GitLab's REST for pipelines, jobs, deployments, releases and issues.

GitLab keeps one state of a deployment, and makes it when the pipeline is made. A job that was
tried again is there twice.
"""

import zlib
from datetime import datetime, timedelta
from typing import Any

from sandbox.forge import Deployment, Issue, Release, Repository, WorkflowJob, WorkflowRun
from sandbox.gitlab_protocol import stamp
from sandbox.gitlab_rest import Call

Body = dict[str, Any]
_STATES = {"queued": "created", "in_progress": "running", "error": "failed", "failure": "failed"}
_ENDS = {"success": "success", "failure": "failed", "cancelled": "canceled", "skipped": "skipped"}
_SOURCES = {"pull_request": "merge_request_event", "workflow_dispatch": "web", "release": "api"}
_WAITS = timedelta(minutes=20)  # between a pipeline and its deploying job


def final_state(deployment: Deployment) -> tuple[str, datetime | None]:
    """The state GitLab keeps of a deployment, and when it ended.

    That is what its job said: there is no place for a failure that showed later.
    """
    lasting = [status for status in deployment.statuses if status.state != "inactive"]
    if not lasting or lasting[-1].state == "queued":
        return "created", None
    told = next((one for one in lasting if one.state == "success"), lasting[-1])
    is_over = told.state in {"success", "failure", "error"}
    return _STATES.get(told.state, told.state), told.created_at if is_over else None


def is_incident(issue: Issue) -> bool:
    """Whether the made-up GitLab has this issue as an incident."""
    return issue.number % 4 == 0


def is_child(run: WorkflowRun) -> bool:
    """Whether a pipeline was started by another of its project."""
    return run.name == "CI" and run.number % 7 == 0


def environment_id(project: Repository, name: str) -> int:
    """The number of an environment."""
    return zlib.crc32(f"{project.id} {name}".encode())


def pipeline_body(call: Call, project: Repository, run: WorkflowRun) -> Body:
    """A pipeline as lists give it."""
    url = f"{call.view.origin}/{call.view.full_path(project)}/-/pipelines/{run.id}"
    return {
        "id": run.id,
        "iid": run.number,
        "project_id": project.id,
        "sha": run.head_sha,
        "ref": run.head_branch,
        "status": _ENDS[run.conclusion] if run.conclusion else _STATES[run.status],
        "source": "parent_pipeline" if is_child(run) else _SOURCES.get(run.event, run.event),
        "created_at": stamp(run.created_at),
        "updated_at": stamp(run.updated_at),
        "web_url": url,
        "name": run.name,
    }


def job_body(
    call: Call, project: Repository, run: WorkflowRun, job: WorkflowJob, is_retried: bool
) -> Body:
    """A job, or an attempt at it that failed."""
    state = _ENDS[job.conclusion] if job.conclusion else _STATES[job.status]
    number = job.id + 5_000_000_000 if is_retried else job.id
    url = f"{call.view.origin}/{call.view.full_path(project)}/-/jobs/{number}"
    return {
        "id": number,
        "status": "failed" if is_retried else state,
        "stage": "test",
        "name": job.name,
        "ref": run.head_branch,
        "tag": False,
        "allow_failure": False,
        "created_at": stamp(job.created_at),
        "started_at": stamp(job.started_at),
        "finished_at": stamp(job.started_at if is_retried else job.completed_at),
        "user": call.view.user(run.actor_account_id),
        "pipeline": {"id": run.id, "project_id": project.id, "sha": run.head_sha},
        "web_url": url,
        "runner": {"id": 1, "description": job.runner_name, "runner_type": "instance_type"},
        "tag_list": list(job.runner_labels),
    }


def deployment_body(call: Call, project: Repository, deployment: Deployment) -> Body:
    """A deployment with the job that deploys."""
    state, ended_at = final_state(deployment)
    begun_at = None if state == "created" else deployment.created_at
    url = f"{call.view.origin}/{call.view.full_path(project)}/-"
    job = {
        "id": deployment.id + 1,
        "name": f"deploy ({deployment.environment})",
        "status": state,
        "stage": "deploy",
        "ref": deployment.ref,
        "tag": False,
        "created_at": stamp(deployment.created_at - _WAITS),
        "started_at": stamp(begun_at),
        "finished_at": stamp(ended_at),
        "web_url": f"{url}/jobs/{deployment.id + 1}",
        "pipeline": {"id": deployment.run_id, "web_url": f"{url}/pipelines/{deployment.run_id}"},
    }
    return {
        "id": deployment.id,
        "iid": deployment.id,
        "ref": deployment.ref,
        "sha": deployment.sha,
        "status": state,
        "created_at": stamp(deployment.created_at - _WAITS),
        "updated_at": stamp(deployment.updated_at),
        "user": call.view.user(deployment.creator_account_id),
        "environment": {
            "id": environment_id(project, deployment.environment),
            "name": deployment.environment,
            "external_url": None,
        },
        "deployable": job,
    }


def release_body(call: Call, release: Release) -> Body:
    """A release."""
    return {
        "tag_name": release.tag,
        "name": release.name,
        "description": release.body,
        "created_at": stamp(release.created_at),
        "released_at": stamp(release.published_at),
        "upcoming_release": False,
        "author": call.view.user(release.author_account_id),
        "commit": {"id": release.sha, "short_id": release.sha[:8]},
    }


def issue_body(call: Call, project: Repository, issue: Issue) -> Body:
    """An issue or incident."""
    people = [call.view.user(one) for one in issue.assignee_account_ids]
    path = call.view.full_path(project)
    return {
        "id": issue.id,
        "iid": issue.number,
        "project_id": project.id,
        "title": issue.title,
        "description": issue.body,
        "state": "closed" if issue.state == "closed" else "opened",
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "closed_by": call.view.user(issue.author_account_id) if issue.closed_at else None,
        "labels": list(issue.labels),
        "author": call.view.user(issue.author_account_id),
        "assignees": people,
        "assignee": people[0] if people else None,
        "issue_type": "incident" if is_incident(issue) else "issue",
        "severity": "HIGH" if is_incident(issue) else "UNKNOWN",
        "moved_to_id": None,
        "web_url": f"{call.view.origin}/{path}/-/issues/{issue.number}",
        "references": {"full": f"{path}#{issue.number}"},
    }
