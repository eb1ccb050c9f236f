"""The application that serves GitHub's APIs over the made-up organisation.

Every path answers at the root, as on api.github.com, and below /api/v3, as on Enterprise Server.
Paths of a repository also answer by number, which is where former names are sent to.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.forge import Repository
from sandbox.github_graphql import answer_graphql
from sandbox.github_protocol import Gate, GithubSettings, Refusal, respond
from sandbox.github_rest import (
    GENERAL,
    OF_ORGANISATION,
    OF_REPOSITORY,
    Call,
    Handler,
    RepositoryHandler,
)
from sandbox.github_rest_alerts import SCANS_OF_ORGANISATION, SCANS_OF_REPOSITORY
from sandbox.github_work_payloads import WorkPayloads
from sandbox.request_log import TEMPLATE, logged
from sandbox.world import World

_ENTERPRISE = "/api/v3"
Endpoint = Callable[[Request], Awaitable[Response]]


def github_app(world: World, settings: GithubSettings | None = None) -> Starlette:
    """The GitHub server; `app.state` holds world, gate, settings and the log `requests`."""
    settings = settings or GithubSettings()
    routes = [*_rest_routes(), Route("/graphql", _graphql, methods=["POST"])]
    enterprise = [
        Mount(_ENTERPRISE, routes=_rest_routes()),
        Route("/api/graphql", _graphql, methods=["POST"]),
    ]
    every: list[BaseRoute] = [*enterprise, *routes]
    app = Starlette(routes=every, exception_handlers={404: _unknown, Refusal: _refused})
    app.state.world = world
    app.state.settings = settings
    app.state.gate = Gate(settings)
    app.state.payloads = {}
    return logged(app)


def _rest_routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route(path, _endpoint(path, handler)) for path, handler in GENERAL.items()
    ]
    for rest, handler in {**OF_ORGANISATION, **SCANS_OF_ORGANISATION}.items():
        endpoint = _endpoint("/orgs/{org}" + rest, _of_own(handler, rest))
        routes += [Route("/orgs/{org}" + rest, endpoint)]
        routes += [Route("/organizations/{organisation_id:int}" + rest, endpoint)]
    for rest, answer in {**OF_REPOSITORY, **SCANS_OF_REPOSITORY}.items():
        endpoint = _endpoint("/repos/{owner}/{repo}" + rest, _of_repository(answer, rest))
        routes += [Route("/repos/{owner}/{repo}" + rest, endpoint)]
        routes += [Route("/repositories/{repository_id:int}" + rest, endpoint)]
    tokens = "/app/installations/{installation_id:int}/access_tokens"
    routes.append(Route(tokens, _issue_token, methods=["POST"]))
    return routes


def _endpoint(template: str, handler: Handler) -> Endpoint:
    """What every path has in common: admission, limits, ETags, the vendor's headers."""
    resource = "search" if template.startswith("/search") else "core"

    async def endpoint(request: Request) -> Response:
        request.scope[TEMPLATE] = template
        state = request.app.state
        gate: Gate = state.gate
        caller = gate.admit(request.headers.get("authorization"))
        budget = gate.budget(caller, resource)
        is_free = template == "/rate_limit"
        if not is_free and budget.remaining <= 0:
            message = "API rate limit exceeded for user ID 1."
            raise Refusal(403, message, gate.limit_headers(caller, resource))
        headers: dict[str, str] = {}
        payloads = _payloads(request)
        call = Call(request, caller, gate, state.world, payloads, headers)
        try:
            body, status = handler(call), 200
        except Refusal as refusal:
            body, status = refusal.body, refusal.status
            headers.update(refusal.headers)
        if not caller.is_installation:
            headers["x-oauth-scopes"] = ", ".join(state.settings.scopes)
        answer = respond(request, status, body, {**headers, **_common_headers(request)})
        budget.used += 0 if is_free or answer.status_code == 304 else 1
        answer.headers.update(gate.limit_headers(caller, resource))
        return answer

    return endpoint


def _of_own(handler: Handler, rest: str) -> Handler:
    """The handler, for the one organisation there is; people need their scope."""
    is_about_people = rest not in {"", "/repos", "/code-scanning/alerts"}

    def answer(call: Call) -> Any:
        own, parameters = call.world.organisation, call.request.path_params
        is_named = parameters.get("org", own.login).lower() == own.login.lower()
        if not is_named or parameters.get("organisation_id", own.id) != own.id:
            raise Refusal(404, "Not Found")
        scopes = call.gate.settings.scopes
        if is_about_people and not call.caller.is_installation and "read:org" not in scopes:
            raise Refusal(403, "You must have the read:org scope to see members and teams.")
        return handler(call)

    return answer


def _of_repository(handler: RepositoryHandler, rest: str) -> Handler:
    """The handler, for the repository the path names."""
    return lambda call: handler(call, _found(call, rest))


def _found(call: Call, rest: str) -> Repository:
    """The repository of the path; a former name is answered by 301 to its number."""
    parameters = call.request.path_params
    if "repository_id" in parameters:
        repository = call.world.repository(parameters["repository_id"])
    else:
        asked = f"{parameters['owner']}/{parameters['repo']}"
        repository = call.world.repository_named(asked)
        if repository and repository.full_name.lower() != asked.lower():
            filled = rest.replace(":int", "").format_map(parameters)
            query = f"?{call.request.url.query}" if call.request.url.query else ""
            target = f"{call.payloads.api}/repositories/{repository.id}{filled}{query}"
            raise Refusal(301, "Moved Permanently", {"location": target}, url=target)
    if repository is None:
        raise Refusal(404, "Not Found")
    return repository


def _payloads(request: Request) -> WorkPayloads:
    """The builder of bodies for the address the request came to."""
    state = request.app.state
    origin = f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    is_enterprise = request.scope["path"].startswith("/api/")
    api = origin + (_ENTERPRISE if is_enterprise else "")
    if api not in state.payloads:
        state.payloads[api] = WorkPayloads(state.world, api, state.settings.html_url or origin)
    found: WorkPayloads = state.payloads[api]
    return found


def _common_headers(request: Request) -> dict[str, str]:
    headers = {
        "x-github-request-id": uuid4().hex[:20].upper(),
        "x-github-media-type": "github.v3; format=json",
        "vary": "Accept, Authorization, Cookie, X-GitHub-OTP",
        "cache-control": "private, max-age=60, s-maxage=60",
    }
    if request.scope["path"].startswith("/api/"):
        headers["x-github-enterprise-version"] = "3.17.0"
    return headers


async def _issue_token(request: Request) -> Response:
    request.scope[TEMPLATE] = "/app/installations/{installation_id}/access_tokens"
    state = request.app.state
    if request.path_params["installation_id"] != state.settings.installation_id:
        raise Refusal(404, "Not Found")
    body = state.gate.issue(request.headers.get("authorization"))
    return respond(request, 201, body, _common_headers(request))


async def _graphql(request: Request) -> Response:
    request.scope[TEMPLATE] = "/graphql"
    state = request.app.state
    gate: Gate = state.gate
    caller = gate.admit(request.headers.get("authorization"))
    budget = gate.budget(caller, "graphql")
    html = _payloads(request).html
    status, body = answer_graphql(await request.body(), state.world, html, budget, state.settings)
    headers = {**_common_headers(request), **gate.limit_headers(caller, "graphql")}
    return respond(request, status, body, headers)


async def _refused(request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else Refusal(500, "Server Error")
    headers = {**_common_headers(request), **refusal.headers}
    return respond(request, refusal.status, refusal.body, headers)


async def _unknown(request: Request, _: Exception) -> Response:
    return await _refused(request, Refusal(404, "Not Found"))
