"""The application that serves Argo CD's API over the made-up organisation's deployments.

The entry point is `argocd_app`. As the vendor does it, the list has no pages, leaves out without
a word what a token may not see, and answers the address of one application that a token may not
see as if it were forbidden, whether it is there or not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.argocd_payloads import ArgocdPayloads, ArgocdSettings
from sandbox.request_log import TEMPLATE, Logged, RequestLog
from sandbox.world import World

_LISTED = ("metadata.name", "metadata.namespace", "spec", "status.health", "status.summary")


class Refusal(Exception):  # noqa: N818  an answer, not a failure of ours
    """An answer other than the one asked for, as gRPC's gateway words it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Call:
    """One admitted request."""

    payloads: ArgocdPayloads
    settings: ArgocdSettings
    request: Request


Handler = Callable[[Call], Any]


def argocd_app(world: World, settings: ArgocdSettings | None = None) -> Starlette:
    """The server; `app.state` holds the log `requests`."""
    settings = settings or ArgocdSettings()
    handlers: dict[str, Handler] = {
        "/api/v1/applications": _applications,
        "/api/v1/applications/{name}": _one,
        "/api/v1/session/userinfo": _user,
    }

    def endpoint(template: str, handler: Handler) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            request.scope[TEMPLATE] = template
            sent = request.headers.get("authorization")
            if handler is not _user and sent != f"Bearer {settings.token}":
                known = "no session information" if sent is None else "invalid session"
                raise Refusal(401, 16, known)
            return JSONResponse(handler(Call(ArgocdPayloads(world, settings), settings, request)))

        return answer

    app = Starlette(
        routes=[Route(path, endpoint(path, handler)) for path, handler in handlers.items()],
        exception_handlers={Refusal: _refused},
    )
    app.state.requests = RequestLog()
    app.add_middleware(Logged, log=app.state.requests)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else Refusal(500, 13, "failed")
    told = str(refusal)
    return JSONResponse({"error": told, "code": refusal.code, "message": told}, refusal.status)


def _visible(call: Call) -> list[dict[str, Any]]:
    allowed = call.settings.projects
    return [
        application
        for application in call.payloads.applications
        if allowed is None or application["spec"]["project"] in allowed
    ]


def _applications(call: Call) -> Any:
    query = call.request.query_params
    projects = query.getlist("projects")
    allowed = call.settings.projects
    if allowed is not None and set(projects) - allowed:
        raise Refusal(403, 7, "permission denied")
    namespace = query.get("appNamespace")
    wanted = dict(part.partition("=")[::2] for part in query.get("selector", "").split(",") if part)
    found = [
        application
        for application in _visible(call)
        if (not projects or application["spec"]["project"] in projects)
        and (not namespace or application["metadata"]["namespace"] == namespace)
        and wanted.items() <= (application["metadata"].get("labels") or {}).items()
    ]
    if "fields" in query:
        found = [_projected(application) for application in found]
    return {"metadata": {"resourceVersion": "1"}, "items": found or None}


def _projected(application: dict[str, Any]) -> dict[str, Any]:
    """Of the fields asked for only those on the server's own list: no uid and no history."""
    short: dict[str, Any] = {}
    for field in _LISTED:
        place, value = short, application
        *names, last = field.split(".")
        for name in names:
            place, value = place.setdefault(name, {}), value[name]
        place[last] = value.get(last)
    return short


def _one(call: Call) -> Any:
    for application in _visible(call):
        if application["metadata"]["name"] == call.request.path_params["name"]:
            return application
    raise Refusal(403, 7, "permission denied")


def _user(call: Call) -> Any:
    if call.request.headers.get("authorization") != f"Bearer {call.settings.token}":
        return {}
    return {"loggedIn": True, "username": "leadline", "iss": "argocd"}
