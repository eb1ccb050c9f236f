"""What the projects of the made-up GitLab do: pipelines, deployments, releases, issues, incidents.

GitLab keeps one state of a deployment, and makes it when the pipeline is made. A job
that was tried again is there twice; of a deployment that nobody has begun there is one a project.
"""

import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sandbox.forge import Deployment, Issue, Release, Repository, WorkflowJob, WorkflowRun
from sandbox.gitlab_protocol import Refusal, Rows, stamp
from sandbox.gitlab_rest import Call, Handler
from sandbox.world import DEPLOYMENTS, ISSUES, RELEASES, RUNS

Body = dict[str, Any]
_STATES = {"queued": "created", "in_progress": "running", "error": "failed", "failure": "failed"}
_ENDS = {"success": "success", "failure": "failed", "cancelled": "canceled", "skipped": "skipped"}
_SOURCES = {"pull_request": "merge_request_event", "workflow_dispatch": "web", "release": "api"}
_WAITS = timedelta(minutes=20)  # between a pipeline and its deploying job
TIERS = {"production": "production", "staging": "staging"}


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


def _pipelines(call: Call) -> Rows:
    project = call.project()
    wants_children = call.asked("source") == "parent_pipeline"
    runs = [
        one for one in call.view.world.things(RUNS, project.id) if is_child(one) == wants_children
    ]
    return _rows(call, runs, lambda run: _pipeline(call, project, run))


def _jobs(call: Call) -> Rows:
    project = call.project()
    run = call.view.world.one(RUNS, project.id, int(call.path["pipeline"]))
    if run is None:
        raise Refusal(404, "404 Not found")
    jobs: list[tuple[WorkflowJob, bool]] = [(job, False) for job in run.jobs]
    if run.attempt > 1 and call.asked("include_retried") == "true":
        jobs += [(job, True) for job in run.jobs]
    return Rows(jobs, lambda each: _job(call, project, run, *each))


def _environments(call: Call) -> Rows:
    project = call.project()
    deployments = call.view.world.things(DEPLOYMENTS, project.id)
    classes = {one.environment: one.environment_class for one in deployments}
    found = [
        {
            "id": environment_id(project, name),
            "name": name,
            "slug": name.replace("/", "-"),
            "external_url": None,
            "state": "available",
            "tier": TIERS[kind],
            "created_at": stamp(project.created_at),
            "updated_at": stamp(project.created_at),
        }
        for name, kind in sorted(classes.items())
    ]
    return Rows(found, lambda body: body)


def environment_id(project: Repository, name: str) -> int:
    """The number of an environment."""
    return zlib.crc32(f"{project.id} {name}".encode())


def _deployments(call: Call) -> Rows:
    project = call.project()
    order = call.asked("order_by") or "id"
    if call.asked("updated_after") and order != "updated_at":
        raise Refusal(
            400, "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired"
        )
    if call.asked("finished_after") and (
        order != "finished_at" or call.asked("status") != "success"
    ):
        raise Refusal(
            400,
            "400 Bad request - `finished_at` filter must be combined with `success` status filter.",
        )
    found = call.view.world.things(DEPLOYMENTS, project.id)
    return _rows(call, found, lambda one: _deployment(call, project, one))


def _releases(call: Call) -> Rows:
    project = call.project()
    is_rising = call.asked("sort") == "asc"
    found = call.view.world.things(RELEASES, project.id, is_descending=not is_rising)
    return Rows([one for one in found if not one.is_draft], lambda one: _release(call, one))


def _issues(call: Call) -> Rows:
    project = call.project()
    wanted = call.asked("issue_type")
    issues = [
        one
        for one in call.view.world.things(ISSUES, project.id)
        if wanted is None or is_incident(one) == (wanted == "incident")
    ]
    return _rows(call, issues, lambda one: _issue(call, project, one))


def _issue_of(call: Call) -> Issue:
    project = call.project()
    issue = call.view.world.one(ISSUES, project.id, int(call.path["issue"]), "number")
    if issue is None:
        raise Refusal(404, "404 Not found")
    return issue


def _state_events(call: Call) -> Rows:
    """Every third closed issue was closed, opened and closed again."""
    issue = _issue_of(call)
    closed = issue.closed_at
    if closed is None:
        return Rows([], lambda each: each)
    moments = [("closed", closed)]
    if issue.number % 3 == 0:
        step = (closed - issue.created_at) / 4
        moments = [("closed", closed - 2 * step), ("reopened", closed - step), ("closed", closed)]
    return Rows(
        [(index, *moment) for index, moment in enumerate(moments)],
        lambda each: {
            "id": issue.id * 10 + each[0],
            "user": call.view.user(issue.author_account_id),
            "created_at": stamp(each[2]),
            "resource_type": "Issue",
            "resource_id": issue.id,
            "state": each[1],
        },
    )


def _label_events(call: Call) -> Rows:
    issue = _issue_of(call)
    return Rows(
        list(enumerate(issue.labels)),
        lambda each: {
            "id": issue.id * 10 + each[0],
            "user": call.view.user(issue.author_account_id),
            "created_at": stamp(issue.created_at),
            "resource_type": "Issue",
            "resource_id": issue.id,
            "label": {"id": 1, "name": each[1], "color": "#ff0000", "description": None},
            "action": "add",
        },
    )


def _rows(call: Call, things: Sequence[Any], show: Callable[[Any], Body]) -> Rows:
    """A list by number or by time of update, from a moment on."""
    after = call.asked("updated_after")
    if after is not None:
        since = datetime.fromisoformat(after)
        things = [one for one in things if one.updated_at >= since]
    field = "updated_at" if call.asked("order_by") == "updated_at" else "id"
    ordered = sorted(things, key=lambda one: (getattr(one, field), one.id))
    return Rows(ordered if call.asked("sort") == "asc" else ordered[::-1], show)


def _pipeline(call: Call, project: Repository, run: WorkflowRun) -> Body:
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


def _job(
    call: Call, project: Repository, run: WorkflowRun, job: WorkflowJob, is_retried: bool
) -> Body:
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


def _deployment(call: Call, project: Repository, deployment: Deployment) -> Body:
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


def _release(call: Call, release: Release) -> Body:
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


def _issue(call: Call, project: Repository, issue: Issue) -> Body:
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


WORK: dict[str, Handler] = {
    "/projects/{project}/pipelines": _pipelines,
    "/projects/{project}/pipelines/{pipeline}/jobs": _jobs,
    "/projects/{project}/environments": _environments,
    "/projects/{project}/deployments": _deployments,
    "/projects/{project}/releases": _releases,
    "/projects/{project}/issues": _issues,
    "/projects/{project}/issues/{issue}/resource_state_events": _state_events,
    "/projects/{project}/issues/{issue}/resource_label_events": _label_events,
}
