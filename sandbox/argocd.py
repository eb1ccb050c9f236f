"""The application that serves Argo CD's API over the made-up organisation's deployments.

The entry point is `argocd_app`. As the vendor does it, the list has no pages, leaves out without
a word what a token may not see, and answers the address of one application that a token may not
see as if it were forbidden, whether it is there or not.
"""

from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from sandbox.argocd_payloads import ArgocdPayloads, ArgocdSettings
from sandbox.json_api import Admitted, Refusal, json_api
from sandbox.request_log import TEMPLATE
from sandbox.world import World

_USER = "/api/v1/session/userinfo"
_LISTED = ("metadata.name", "metadata.namespace", "spec", "status.health", "status.summary")


@dataclass(frozen=True, kw_only=True)
class Call(Admitted):
    """One admitted request."""

    payloads: ArgocdPayloads
    settings: ArgocdSettings


def argocd_app(world: World, settings: ArgocdSettings | None = None) -> Starlette:
    """The server; `app.state` holds the log `requests`."""
    settings = settings or ArgocdSettings()

    def admit(request: Request) -> Call:
        sent = request.headers.get("authorization")
        if request.scope[TEMPLATE] != _USER and sent != f"Bearer {settings.token}":
            known = "no session information" if sent is None else "invalid session"
            raise _refusal(401, 16, known)
        return Call(request=request, payloads=ArgocdPayloads(world, settings), settings=settings)

    handlers = {
        "/api/v1/applications": _applications,
        "/api/v1/applications/{name}": _one,
        _USER: _user,
    }
    return json_api(handlers, admit)


def _refusal(status: int, code: int, told: str) -> Refusal:
    """As gRPC's gateway words it."""
    return Refusal(status, {"error": told, "code": code, "message": told})


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
        raise _refusal(403, 7, "permission denied")
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
    raise _refusal(403, 7, "permission denied")


def _user(call: Call) -> Any:
    if call.request.headers.get("authorization") != f"Bearer {call.settings.token}":
        return {}
    return {"loggedIn": True, "username": "leadline", "iss": "argocd"}
