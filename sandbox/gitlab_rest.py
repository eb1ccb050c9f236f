"""What GitLab's REST addresses answer with, by the pattern of their raw path."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from sandbox.forge import ChangeRequest, Repository
from sandbox.gitlab_merge_payloads import (
    commit_body,
    commits,
    merge_request_body,
    note_body,
    notes,
)
from sandbox.gitlab_protocol import GitlabSettings, Refusal, Rows
from sandbox.gitlab_view import GitlabView, Group
from sandbox.world import CHANGE_REQUESTS

Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request together with what answers it."""

    request: Request
    view: GitlabView
    settings: GitlabSettings
    path: dict[str, str]

    def asked(self, name: str) -> str | None:
        """A parameter of the query."""
        return self.request.query_params.get(name)

    def group(self) -> Group:
        """The group of the path."""
        found = self.view.group(self.path["group"])
        if found is None:
            raise Refusal(404, "404 Group Not Found")
        return found

    def project(self) -> Repository:
        """The project of the path; a former path is sent to the number."""
        found = self.view.project(self.path["project"])
        if found is None:
            raise Refusal(404, "404 Project Not Found")
        project, is_former = found
        if is_former:
            raw = self.request.scope["raw_path"].decode("ascii")
            rest = re.sub(r"^/api/v4/projects/[^/]+", "", raw)
            query = f"?{self.request.url.query}" if self.request.url.query else ""
            target = f"{self.view.origin}/api/v4/projects/{project.id}{rest}{query}"
            raise Refusal(301, "This resource has been moved permanently", {"location": target})
        return project


Handler = Callable[[Call], Rows | Body]


def _user(_: Call) -> Body:
    return {"id": 1, "username": "leadline", "name": "Leadline", "bot": False}


def _token(call: Call) -> Body:
    return {"id": 1, "scopes": list(call.settings.scopes), "active": True, "expires_at": None}


def _group(call: Call) -> Body:
    return call.view.group_body(call.group())


def _subgroups(call: Call) -> Rows:
    inside = f"{call.group().full_path}/"
    found = [one for one in call.view.subgroups() if one.full_path.startswith(inside)]
    return Rows(found, call.view.group_body)


def _projects_of_group(call: Call) -> Rows:
    group = call.group()
    found = call.view.projects(group)
    if call.asked("include_subgroups") != "true":
        found = [one for one in found if call.view.place(one) == group]
    if call.asked("sort") != "asc":
        found = found[::-1]
    return Rows(found, call.view.project_body)


def _members_of_group(call: Call) -> Rows:
    return Rows(call.view.members(call.group()), call.view.member_body)


def _projects(call: Call) -> Rows:
    return Rows(call.view.projects(), call.view.project_body, has_keys=True)


def _project(call: Call) -> Body:
    return call.view.project_body(call.project())


def _members_of_project(call: Call) -> Rows:
    return Rows(call.view.members(call.view.place(call.project())), call.view.member_body)


def _merge_requests(call: Call) -> Rows:
    is_rising = call.asked("sort") == "asc"
    field = "updated_at" if call.asked("order_by") == "updated_at" else "created_at"
    project = call.project()
    found = call.view.world.things(CHANGE_REQUESTS, project.id, field, is_descending=not is_rising)
    for name, is_after in (("updated_after", True), ("updated_before", False)):
        text = call.asked(name)
        if text is None:
            continue
        try:
            bound = datetime.fromisoformat(text)
        except ValueError as error:
            raise Refusal(400, f"{name} is invalid") from error
        found = [
            one for one in found if one.updated_at == bound or is_after == (one.updated_at > bound)
        ]
    return Rows(found, lambda change: merge_request_body(call.view, change))


def _change(call: Call) -> ChangeRequest:
    number = int(call.path["iid"]) if call.path["iid"].isdigit() else 0
    found = call.view.world.one(CHANGE_REQUESTS, call.project().id, number, "number")
    if found is None:
        raise Refusal(404, "404 Not found")
    return found


def _merge_request(call: Call) -> Body:
    return merge_request_body(call.view, _change(call))


def _notes(call: Call) -> Rows:
    found = notes(_change(call))
    if call.asked("sort") != "asc":
        found = found[::-1]
    return Rows(found, lambda note: note_body(call.view, note))


def _commits(call: Call) -> Rows:
    return Rows(commits(call.view, _change(call)), commit_body)


HANDLERS: dict[str, Handler] = {
    "/user": _user,
    "/personal_access_tokens/self": _token,
    "/version": lambda _: {"version": "18.6.0", "revision": "0000000"},
    "/groups/{group}": _group,
    "/groups/{group}/descendant_groups": _subgroups,
    "/groups/{group}/projects": _projects_of_group,
    "/groups/{group}/members": _members_of_group,
    "/groups/{group}/members/all": _members_of_group,
    "/projects": _projects,
    "/projects/{project}": _project,
    "/projects/{project}/members/all": _members_of_project,
    "/projects/{project}/merge_requests": _merge_requests,
    "/projects/{project}/merge_requests/{iid}": _merge_request,
    "/projects/{project}/merge_requests/{iid}/notes": _notes,
    "/projects/{project}/merge_requests/{iid}/commits": _commits,
}


def found(
    raw_path: str, handlers: Mapping[str, Handler]
) -> tuple[str, Handler, dict[str, str]] | None:
    """The template a raw path belongs to, its handler and its parts."""
    for template, handler in handlers.items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        match = re.fullmatch(pattern, raw_path)
        if match is not None:
            return template, handler, {name: unquote(t) for name, t in match.groupdict().items()}
    return None
