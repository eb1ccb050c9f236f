"""What the projects of the made-up GitLab do: what its REST lists answer with."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sandbox.forge import Issue, WorkflowJob
from sandbox.gitlab_protocol import Refusal, Rows, stamp
from sandbox.gitlab_rest import Call, Handler
from sandbox.gitlab_work_payloads import (
    Body,
    deployment_body,
    environment_id,
    is_child,
    is_incident,
    issue_body,
    job_body,
    pipeline_body,
    release_body,
)
from sandbox.world import DEPLOYMENTS, ISSUES, RELEASES, RUNS

TIERS = {"production": "production", "staging": "staging"}


def _pipelines(call: Call) -> Rows:
    project = call.project()
    wants_children = call.asked("source") == "parent_pipeline"
    runs = [
        one for one in call.view.world.things(RUNS, project.id) if is_child(one) == wants_children
    ]
    return _rows(call, runs, lambda run: pipeline_body(call, project, run))


def _jobs(call: Call) -> Rows:
    project = call.project()
    run = call.view.world.one(RUNS, project.id, int(call.path["pipeline"]))
    if run is None:
        raise Refusal(404, "404 Not found")
    jobs: list[tuple[WorkflowJob, bool]] = [(job, False) for job in run.jobs]
    if run.attempt > 1 and call.asked("include_retried") == "true":
        jobs += [(job, True) for job in run.jobs]
    return Rows(jobs, lambda each: job_body(call, project, run, *each))


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
    return _rows(call, found, lambda one: deployment_body(call, project, one))


def _releases(call: Call) -> Rows:
    project = call.project()
    is_rising = call.asked("sort") == "asc"
    found = call.view.world.things(RELEASES, project.id, is_descending=not is_rising)
    return Rows([one for one in found if not one.is_draft], lambda one: release_body(call, one))


def _issues(call: Call) -> Rows:
    project = call.project()
    wanted = call.asked("issue_type")
    issues = [
        one
        for one in call.view.world.things(ISSUES, project.id)
        if wanted is None or is_incident(one) == (wanted == "incident")
    ]
    return _rows(call, issues, lambda one: issue_body(call, project, one))


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
