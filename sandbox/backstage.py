"""The application that serves Backstage's API over the made-up portal: catalog and template runs.

The entry point is `backstage_app`; what it serves are the `entities` and `runs` of
`sandbox.platform`, with the people of the organisation as users and members of its groups.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from sandbox.backstage_payloads import BackstagePayloads
from sandbox.json_api import Admitted, Refusal, json_api
from sandbox.world import World

_FIRST_PAGE = 20
_MOST_ENTITIES = 1000


@dataclass(frozen=True, kw_only=True)
class BackstageSettings:
    """How the served portal behaves; `forge_url` is where its repositories lie."""

    token: str = "sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    forge_url: str = "https://github.com"


@dataclass(frozen=True, kw_only=True)
class Call(Admitted):
    """One admitted request."""

    payloads: BackstagePayloads


def backstage_app(world: World, settings: BackstageSettings | None = None) -> Starlette:
    """The portal's backend; `app.state` holds the log `requests`."""
    settings = settings or BackstageSettings()

    def admit(request: Request) -> Call:
        sent = request.headers.get("authorization")
        if sent is None:
            raise _refusal(request, 401, "AuthenticationError", "Missing credentials")
        if sent != f"Bearer {settings.token}":
            raise _refusal(request, 401, "AuthenticationError", "Illegal token")
        return Call(request=request, payloads=BackstagePayloads(world, settings.forge_url))

    handlers = {
        "/api/catalog/entities/by-query": _by_query,
        "/api/scaffolder/v2/tasks": _tasks,
        "/api/scaffolder/v2/tasks/{task}": _task,
        "/api/scaffolder/v2/tasks/{task}/events": _events,
    }
    return json_api(handlers, admit)


def _refusal(request: Request, status: int, name: str, message: str) -> Refusal:
    return Refusal(
        status,
        {
            "error": {"name": name, "message": message},
            "request": {"method": request.method, "url": request.url.path},
            "response": {"statusCode": status},
        },
    )


def _by_query(call: Call) -> Any:
    """Entities by their uid; the cursor holds where the next page begins, not the fields."""
    wanted = [
        part.partition("=")[2].lower()
        for part in call.request.query_params.getlist("filter")
        if part.startswith("kind=")
    ]
    after = ""
    if cursor := call.request.query_params.get("cursor"):
        try:
            told = json.loads(base64.b64decode(cursor, validate=True))
        except ValueError as error:
            told = "Malformed cursor, could not be parsed"
            raise _refusal(call.request, 400, "InputError", told) from error
        after, wanted = told["after"], told["kinds"]
    everything = [
        entity
        for entity in call.payloads.entities()
        if not wanted or entity["kind"].lower() in wanted
    ]
    limit = min(call.number("limit", _FIRST_PAGE), _MOST_ENTITIES)
    left = [one for one in everything if one["metadata"]["uid"] > after]
    fields = call.request.query_params.get("fields")
    page = {}
    if len(left) > limit:
        told = {"after": left[limit - 1]["metadata"]["uid"], "kinds": wanted}
        page["nextCursor"] = base64.b64encode(json.dumps(told).encode()).decode()
    return {
        "items": [_projected(one, fields.split(",")) if fields else one for one in left[:limit]],
        "totalItems": len(everything),
        "pageInfo": page,
    }


def _projected(entity: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Only the fields asked for, as the server does it."""
    found: dict[str, Any] = {}
    for field in fields:
        value: Any = entity
        names = field.split(".")
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            continue
        place = found
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1]] = value
    return found


def _tasks(call: Call) -> Any:
    order = call.request.query_params.get("order", "desc:created_at")
    statuses = call.request.query_params.getlist("status")
    tasks = [
        task
        for task in call.payloads.tasks(is_descending=order.startswith("desc"))
        if not statuses or task["status"] in statuses
    ]
    start, limit = call.number("offset", 0), call.number("limit", 10)
    return {"tasks": tasks[start : start + limit], "totalTasks": len(tasks)}


def _task(call: Call) -> Any:
    name = call.request.path_params["task"]
    for task in call.payloads.tasks():
        if task["id"] == name:
            return task
    told = f"Task with id '{name}' does not exist."
    raise _refusal(call.request, 404, "NotFoundError", told)


def _events(call: Call) -> Any:
    return call.payloads.events(_task(call)["id"])
