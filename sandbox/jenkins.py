"""The application that serves Jenkins' API over the made-up organisation's runs and deployments.

The entry point is `jenkins_app`. Addresses in answers begin with a root URL that nobody reaches,
as with a controller behind a proxy; shared libraries are checked out before the repository itself.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.jenkins_builds import (
    FREESTYLE,
    PIPELINE,
    Build,
    Job,
    controller,
    milliseconds,
)
from sandbox.jenkins_tree import parse_tree, pruned
from sandbox.request_log import TEMPLATE, logged
from sandbox.world import World

VERSION = "2.516.2"
_NEWEST = 100  # `builds` shows no more; `allBuilds` has them all
_RESULTS = {
    "success": "SUCCESS",
    "failure": "FAILURE",
    "cancelled": "ABORTED",
    "skipped": "NOT_BUILT",
}
_STAGES = {
    "success": "SUCCESS",
    "failure": "FAILED",
    "cancelled": "ABORTED",
    "skipped": "NOT_EXECUTED",
}
_BUILD_KINDS = {
    PIPELINE: "org.jenkinsci.plugins.workflow.job.WorkflowRun",
    FREESTYLE: "hudson.model.FreeStyleBuild",
}
_LIBRARY_SHA = "c0ffee" * 6 + "c0ff"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class JenkinsSettings:
    """How the served controller behaves.

    `forge_url` is where repositories are checked out from. `deployments` are those of the forge's
    API, run by one job with parameters. Of each job the newest `keep` builds are there.
    """

    user: str = "leadline"
    token: str = "sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    context_path: str = ""
    root_url: str = "https://jenkins.internal.example"
    forge_url: str = "https://github.com"
    deployments: bool = True
    tells_stages: bool = True
    tells_queue: bool = True
    keep: int | None = None


class _Controller:
    """The jobs as of the moment of the world, worked out once for each."""

    def __init__(self, world: World, settings: JenkinsSettings) -> None:
        self.world = world
        self.settings = settings
        self._kept: tuple[datetime, Job] | None = None

    def top(self) -> Job:
        """Everything there is now."""
        moment = self.world.visible_until
        if self._kept is None or self._kept[0] != moment:
            settings = self.settings
            made = controller(self.world, deployments=settings.deployments, keep=settings.keep)
            self._kept = moment, made
        return self._kept[1]


def jenkins_app(world: World, settings: JenkinsSettings | None = None) -> Starlette:
    """The controller; `app.state` holds the log `requests`."""
    settings = settings or JenkinsSettings()
    serving = _Controller(world, settings)
    pair = base64.b64encode(f"{settings.user}:{settings.token}".encode()).decode()

    async def answer(request: Request) -> Response:
        sent = request.headers.get("authorization")
        if sent is None:
            found: Response = HTMLResponse("<html>Authentication required</html>", 403)
        elif sent != f"Basic {pair}":
            found = HTMLResponse("<html>Invalid password/token for user</html>", 401)
        else:
            found = _answer(serving, request)
        found.headers["x-jenkins"] = VERSION
        return found

    return logged(Starlette(routes=[Route(settings.context_path + "/{path:path}", answer)]))


def _answer(serving: _Controller, request: Request) -> Response:
    parts = [part for part in request.path_params["path"].split("/") if part]
    if parts == ["whoAmI", "api", "json"]:
        request.scope[TEMPLATE] = "/whoAmI/api/json"
        return JSONResponse({"name": serving.settings.user, "anonymous": False})
    if len(parts) == 4 and parts[0] == "user":
        request.scope[TEMPLATE] = "/user/{user}/api/json"
        return _user(serving, request, parts[1])
    job, path = serving.top(), ""
    while len(parts) >= 2 and parts[0] == "job":
        found = next((one for one in job.members if one.name == parts[1]), None)
        if found is None:
            return _nothing()
        job, path, parts = found, f"{path}job/{quote(parts[1], safe='')}/", parts[2:]
    if parts and parts[0].isdigit():
        build = next((one for one in job.builds if one.number == int(parts[0])), None)
        request.scope[TEMPLATE] = f"/{{job}}/{{build}}/{'/'.join(parts[1:])}"
        return _nothing() if build is None else _of_build(serving, request, (job, path, build))
    request.scope[TEMPLATE] = f"/{{job}}/{'/'.join(parts)}"
    return _fields(request, _job(serving, job, path)) if parts == ["api", "json"] else _nothing()


def _of_build(serving: _Controller, request: Request, found: tuple[Job, str, Build]) -> Response:
    job, path, build = found
    if request.url.path.endswith("/wfapi/describe"):
        is_told = job.kind == PIPELINE and serving.settings.tells_stages
        return JSONResponse(_described(build)) if is_told else _nothing()
    if request.url.path.endswith("/api/json"):
        return _fields(request, _build(serving, job, path, build))
    return _nothing()


def _user(serving: _Controller, request: Request, login: str) -> Response:
    for account in serving.world.organisation.accounts:
        if account.login == login:
            told = [{}, {"address": account.email}]
            return _fields(request, {"id": login, "fullName": account.name, "property": told})
    return _nothing()


def _fields(request: Request, thing: dict[str, Any]) -> Response:
    try:
        wanted = parse_tree(request.query_params.get("tree", "_class,name,url"))
    except ValueError as error:
        return HTMLResponse(f"<html>{error}</html>", 400)
    return JSONResponse(pruned(thing, wanted))


def _nothing() -> Response:
    return HTMLResponse("<html>Not found</html>", 404)


def _job(serving: _Controller, job: Job, path: str) -> dict[str, Any]:
    """A job or folder: fields worked out when asked for."""
    shared: dict[str, Any] = {
        "_class": job.kind,
        "name": job.name,
        "url": f"{serving.settings.root_url}/{path}",
    }
    if job.is_folder:
        return {
            **shared,
            "jobs": lambda: [
                _job(serving, one, f"{path}job/{quote(one.name, safe='')}/") for one in job.members
            ],
        }

    def builds(newest: Sequence[Build]) -> list[dict[str, Any]]:
        return [_build(serving, job, path, one) for one in reversed(newest)]

    return {
        **shared,
        "lastBuild": lambda: _build(serving, job, path, job.builds[-1]) if job.builds else None,
        "builds": lambda: builds(job.builds[-_NEWEST:]),
        "allBuilds": lambda: builds(job.builds),
    }


def _build(serving: _Controller, job: Job, path: str, build: Build) -> dict[str, Any]:
    run = build.run
    is_over = run.status == "completed"
    return {
        "_class": _BUILD_KINDS[job.kind],
        "number": build.number,
        "queueId": run.id,
        "url": f"{serving.settings.root_url}/{path}{build.number}/",
        "timestamp": milliseconds(run.started_at - _EPOCH),
        "duration": milliseconds(run.updated_at - run.started_at) if is_over else 0,
        "result": _RESULTS[run.conclusion] if run.conclusion is not None else None,
        "building": not is_over,
        "actions": lambda: _actions(serving, job, build),
    }


def _actions(serving: _Controller, job: Job, build: Build) -> list[dict[str, Any]]:
    run, settings = build.run, serving.settings
    parameters = [
        {"_class": "hudson.model.StringParameterValue", "name": name, "value": value}
        for name, value in build.parameters
    ]
    found: list[dict[str, Any]] = [
        {"_class": "hudson.model.ParametersAction", "parameters": parameters} if parameters else {},
        {"_class": "hudson.model.CauseAction", "causes": [_cause(serving, build)]},
        {},
    ]
    if settings.tells_queue:
        found.append(
            {
                "_class": "jenkins.metrics.impl.TimeInQueueAction",
                "waitingDurationMillis": milliseconds(run.started_at - run.created_at),
                "blockedDurationMillis": 0,
                "buildableDurationMillis": 0,
            }
        )
    if job.kind == PIPELINE:
        library = f"{settings.forge_url}/{build.repository.owner}/jenkins-library.git"
        found.append(_checkout(library, _LIBRARY_SHA, run.head_branch))
    if build.has_checkout:
        prefix = "refs/remotes/origin/" if job.kind == FREESTYLE else ""
        clone = f"{settings.forge_url}/{build.repository.full_name}.git"
        found.append(_checkout(clone, run.head_sha, prefix + run.head_branch))
    return found


def _checkout(clone: str, sha: str, branch: str) -> dict[str, Any]:
    return {
        "_class": "hudson.plugins.git.util.BuildData",
        "lastBuiltRevision": {"SHA1": sha, "branch": [{"SHA1": sha, "name": branch}]},
        "remoteUrls": [clone],
    }


def _cause(serving: _Controller, build: Build) -> dict[str, Any]:
    run = build.run
    if run.event == "workflow_dispatch":
        account = serving.world.account(run.actor_account_id)
        return {
            "_class": "hudson.model.Cause$UserIdCause",
            "userId": account.login if account is not None else None,
        }
    if run.event == "schedule":
        return {"_class": "hudson.triggers.TimerTrigger$TimerTriggerCause"}
    return {"_class": "jenkins.branch.BranchEventCause"}


def _described(build: Build) -> dict[str, Any]:
    """The stages that have begun."""
    stages = []
    for place, job in enumerate(build.run.jobs):
        if job.status == "queued":
            continue
        end = job.completed_at or job.started_at
        stages.append(
            {
                "id": str(place * 5 + 6),
                "name": job.name,
                "status": _STAGES[job.conclusion] if job.conclusion else "IN_PROGRESS",
                "startTimeMillis": milliseconds(job.started_at - _EPOCH),
                "durationMillis": milliseconds(end - job.started_at),
            }
        )
    return {"id": str(build.number), "name": f"#{build.number}", "stages": stages}
