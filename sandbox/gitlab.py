"""The application that serves GitLab over the made-up organisation: REST, GraphQL and Git.

Paths of groups and projects are one part of an address, their slashes written as %2F. Below
`/api/` the API answers; what ends in `.git/…` is Git.
"""

import json
from types import SimpleNamespace

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.git_http import git_app
from sandbox.gitlab_graphql import answer_graphql
from sandbox.gitlab_protocol import Gate, GitlabSettings, Refusal, Rows, paged
from sandbox.gitlab_rest import HANDLERS, Call, found
from sandbox.gitlab_view import GitlabView
from sandbox.gitlab_work import WORK
from sandbox.request_log import TEMPLATE, Logged, RequestLog
from sandbox.world import World

_API = "/api/v4"
_HANDLERS = {**HANDLERS, **WORK}


def gitlab_app(world: World, settings: GitlabSettings | None = None) -> "GitlabHost":
    """The GitLab server; its `state.requests` is the log."""
    return GitlabHost(world, settings or GitlabSettings())


class GitlabHost:
    """Hands Git's addresses to Git and all others to the API."""

    def __init__(self, world: World, settings: GitlabSettings) -> None:
        self.world = world
        self.settings = settings
        self.gate = Gate(settings)
        log = RequestLog()
        self.state = SimpleNamespace(requests=log, gate=self.gate)
        self._api: ASGIApp = Logged(self._answer, log)
        paths = settings.repositories or {}
        self._git: ASGIApp = Logged(git_app(world, paths, self.gate.accepts), log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if ".git/" not in path:
            await self._api(scope, receive, send)
            return
        full_path, _, rest = path.lstrip("/").partition(".git/")
        seen = GitlabView(self.world, _origin(scope)).project(full_path)
        if seen is not None and seen[1]:
            target = f"/{GitlabView(self.world, '').full_path(seen[0])}.git/{rest}"
            await RedirectResponse(target, 301)(scope, receive, send)
            return
        known = seen[0].full_name if seen is not None else "nothing/here"
        await self._git({**scope, "path": f"/{known}.git/{rest}"}, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            self.gate.admit(request)
            response = await self._answered(request)
        except Refusal as refusal:
            response = refusal.response()
        response.headers.update(self.gate.headers())
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        view = GitlabView(self.world, _origin(request.scope))
        raw = request.scope["raw_path"].decode("ascii")
        if raw == "/api/graphql" and request.method == "POST":
            asked = json.loads(await request.body())
            return JSONResponse(answer_graphql(asked, view, self.settings))
        place = found(raw.removeprefix(_API), _HANDLERS) if raw.startswith(_API) else None
        if place is None or request.method != "GET":
            raise Refusal(404, "404 Not Found")
        template, handler, parts = place
        request.scope[TEMPLATE] = _API + template
        body = handler(Call(request, view, self.settings, parts))
        if isinstance(body, Rows):
            return paged(body, request, self.settings)
        return JSONResponse(body)


def _origin(scope: Scope) -> str:
    host = dict(scope.get("headers") or ()).get(b"host", b"localhost").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}"
