"""The application that serves Backstage's API over the made-up portal: catalog and template runs.

The entry point is `backstage_app`; what it serves are the `entities` and `runs` of
`sandbox.platform`, with the people of the organisation as users and members of its groups.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.backstage_payloads import BackstagePayloads
from sandbox.request_log import TEMPLATE, Logged, RequestLog
from sandbox.world import World

_FIRST_PAGE = 20
_MOST_ENTITIES = 1000


@dataclass(frozen=True, kw_only=True)
class BackstageSettings:
    """How the served portal behaves; `forge_url` is where its repositories lie."""

    token: str = "sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    forge_url: str = "https://github.com"


class Refusal(Exception):  # noqa: N818  an answer, not a failure of ours
    """An answer other than the one asked for."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name = name


@dataclass(frozen=True)
class Call:
    """One admitted request."""

    payloads: BackstagePayloads
    request: Request

    def number(self, name: str, otherwise: int) -> int:
        """A parameter that is a number."""
        text = self.request.query_params.get(name, "")
        return int(text) if text.isdigit() else otherwise


Handler = Callable[[Call], Any]


def backstage_app(world: World, settings: BackstageSettings | None = None) -> Starlette:
    """The portal's backend; `app.state` holds the log `requests`."""
    settings = settings or BackstageSettings()
    handlers: dict[str, Handler] = {
        "/api/catalog/entities/by-query": _by_query,
        "/api/scaffolder/v2/tasks": _tasks,
        "/api/scaffolder/v2/tasks/{task}": _task,
        "/api/scaffolder/v2/tasks/{task}/events": _events,
    }

    def endpoint(template: str, handler: Handler) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            request.scope[TEMPLATE] = template
            sent = request.headers.get("authorization")
            if sent is None:
                raise Refusal(401, "AuthenticationError", "Missing credentials")
            if sent != f"Bearer {settings.token}":
                raise Refusal(401, "AuthenticationError", "Illegal token")
            payloads = BackstagePayloads(world, settings.forge_url)
            return JSONResponse(handler(Call(payloads, request)))

        return answer

    app = Starlette(
        routes=[Route(path, endpoint(path, handler)) for path, handler in handlers.items()],
        exception_handlers={Refusal: _refused},
    )
    app.state.requests = RequestLog()
    app.add_middleware(Logged, log=app.state.requests)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else Refusal(500, "Error", "failed")
    return JSONResponse(
        {
            "error": {"name": refusal.name, "message": str(refusal)},
            "request": {"method": request.method, "url": request.url.path},
            "response": {"statusCode": refusal.status},
        },
        refusal.status,
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
            raise Refusal(400, "InputError", "Malformed cursor, could not be parsed") from error
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
    raise Refusal(404, "NotFoundError", f"Task with id '{name}' does not exist.")


def _events(call: Call) -> Any:
    return call.payloads.events(_task(call)["id"])
