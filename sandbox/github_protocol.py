"""What GitHub's API does around every answer: who asks, how often, in pages, unchanged or not."""

import base64
import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from sandbox.github_identity import stamp

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True, kw_only=True)
class GithubSettings:
    """How the served GitHub behaves.

    Limits are per token and window; None switches limits and their headers off, as Enterprise
    Server has them by default. An installation token lives for `app_token_seconds` or
    `app_token_uses` requests, whichever ends first. `timeout_above_nodes` answers 502 to GraphQL
    queries that could give more nodes. Without the scope read:org teams are refused.
    """

    token: str = "sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    scopes: tuple[str, ...] = ("read:org", "repo")
    app_id: str = "4711"
    installation_id: int = 815
    app_token_seconds: float = 3600.0
    app_token_uses: int | None = None
    core_limit: int | None = 5000
    graphql_limit: int | None = 5000
    search_limit: int | None = 30
    window_seconds: float = 3600.0
    secondary_per_minute: int | None = None
    timeout_above_nodes: int | None = None
    html_url: str | None = None
    now: Callable[[], float] = time.time


class Refusal(Exception):  # noqa: N818  an answer, not a failure of ours
    """An answer other than the one asked for."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {
            "message": message,
            "documentation_url": DOCUMENTATION,
            "status": str(status),
            **more,
        }


@dataclass
class Budget:
    """How much of a limit is used up in the present window."""

    limit: int | None
    window: float
    reset_at: float = 0.0
    used: int = 0

    def roll(self, now: float) -> None:
        """Begin a new window when the last one is over."""
        if now >= self.reset_at:
            self.reset_at, self.used = now + self.window, 0

    @property
    def remaining(self) -> int:
        """What is left; a limit that is off never ends."""
        return 2**31 if self.limit is None else max(0, self.limit - self.used)

    def body(self) -> dict[str, int]:
        """The budget as /rate_limit shows it."""
        limit = self.limit if self.limit is not None else 2**31
        reset = int(self.reset_at) + 1
        return {"limit": limit, "remaining": self.remaining, "reset": reset, "used": self.used}


@dataclass
class Caller:
    """One token: its budgets, and for installation tokens how long it holds."""

    token: str
    is_installation: bool
    budgets: dict[str, Budget]
    expires_at: float | None = None
    uses_left: int | None = None
    recent: deque[float] = field(default_factory=deque)


class Gate:
    """Knows the tokens and what each may still ask."""

    def __init__(self, settings: GithubSettings) -> None:
        self.settings = settings
        self._callers = {settings.token: self._caller(settings.token, is_installation=False)}

    def admit(self, authorization: str | None) -> Caller:
        """The caller behind an Authorization header, or a refusal."""
        token = token_of(authorization)
        if not token:
            raise Refusal(401, "Requires authentication")
        caller = self._callers.get(token)
        now = self.settings.now()
        if caller is None or (caller.expires_at is not None and now >= caller.expires_at):
            raise Refusal(401, "Bad credentials")
        if caller.uses_left is not None:
            if caller.uses_left <= 0:
                raise Refusal(401, "Bad credentials")
            caller.uses_left -= 1
        self._check_secondary(caller, now)
        return caller

    def accepts(self, authorization: str | None) -> bool:
        """Whether a header holds a token that may read now; costs nothing."""
        caller = self._callers.get(token_of(authorization))
        return caller is not None and (
            caller.expires_at is None or self.settings.now() < caller.expires_at
        )

    def budget(self, caller: Caller, resource: str) -> Budget:
        """The caller's budget for core, graphql or search, in its present window."""
        budget = caller.budgets[resource]
        budget.roll(self.settings.now())
        return budget

    def limit_headers(self, caller: Caller, resource: str) -> dict[str, str]:
        """The x-ratelimit-* headers, none where limits are off."""
        budget = self.budget(caller, resource)
        if budget.limit is None:
            return {}
        headers = {f"x-ratelimit-{name}": str(value) for name, value in budget.body().items()}
        return {**headers, "x-ratelimit-resource": resource}

    def issue(self, authorization: str | None) -> dict[str, Any]:
        """A fresh installation token for a well-formed app assertion."""
        now = self.settings.now()
        self._check_assertion(token_of(authorization), now)
        token = f"ghs_{hashlib.sha256(f'{now} {len(self._callers)}'.encode()).hexdigest()[:36]}"
        caller = self._caller(token, is_installation=True)
        caller.expires_at = now + self.settings.app_token_seconds
        caller.uses_left = self.settings.app_token_uses
        self._callers[token] = caller
        return {
            "token": token,
            "expires_at": stamp(datetime.fromtimestamp(caller.expires_at, UTC)),
            "permissions": {"contents": "read", "metadata": "read", "pull_requests": "read"},
            "repository_selection": "all",
        }

    def _check_assertion(self, assertion: str, now: float) -> None:
        """Check what GitHub checks of an app's JWT, apart from the signature."""
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError as error:
            raise Refusal(401, "A JSON web token could not be decoded") from error
        if header.get("alg") != "RS256" or str(claims.get("iss")) != self.settings.app_id:
            raise Refusal(401, "A JSON web token could not be decoded")
        if not now - 60 < float(claims.get("exp", 0)) <= now + 660:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")

    def _check_secondary(self, caller: Caller, now: float) -> None:
        allowed = self.settings.secondary_per_minute
        if allowed is None:
            return
        while caller.recent and caller.recent[0] <= now - 60:
            caller.recent.popleft()
        if len(caller.recent) >= allowed:
            wait = max(1, round(caller.recent[0] + 60 - now))
            message = "You have exceeded a secondary rate limit. Please wait a few minutes."
            raise Refusal(403, message, {"retry-after": str(wait)})
        caller.recent.append(now)

    def _caller(self, token: str, *, is_installation: bool) -> Caller:
        settings = self.settings
        budgets = {
            "core": Budget(settings.core_limit, settings.window_seconds),
            "graphql": Budget(settings.graphql_limit, settings.window_seconds),
            "search": Budget(settings.search_limit, min(60.0, settings.window_seconds)),
        }
        return Caller(token, is_installation, budgets)


def token_of(authorization: str | None) -> str:
    """The token in a Bearer, token or Basic header; empty where there is none."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() in {"bearer", "token"}:
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""


@dataclass(frozen=True)
class Page:
    """One page of a list and the Link header that goes with it."""

    items: Sequence[Any]
    headers: dict[str, str]


def page_asked(query: QueryParams) -> tuple[int, int]:
    """The number of the page asked for, and its size."""
    return _positive(query.get("page"), 1), min(100, _positive(query.get("per_page"), 30))


def paged(items: Sequence[Any], query: QueryParams, address: str, cap: int | None = None) -> Page:
    """The page a query asks for; `cap` is how many items can be reached at all."""
    number, size = page_asked(query)
    reachable = items if cap is None else items[:cap]
    last = max(1, -(-len(reachable) // size))
    relations: dict[str, int] = {}
    if number > 1:
        relations |= {"prev": min(number - 1, last), "first": 1}
    if number < last:
        relations |= {"next": number + 1, "last": last}
    links = [
        f'<{address}?{_with_page(query, target)}>; rel="{relation}"'
        for relation, target in relations.items()
    ]
    start = (number - 1) * size
    return Page(reachable[start : start + size], {"link": ", ".join(links)} if links else {})


def respond(request: Request, status: int, body: Any, headers: Mapping[str, str]) -> Response:
    """The answer with its ETag; 304 without a body where the asker has it already."""
    content = json.dumps(body, separators=(",", ":")).encode()
    tag = f'W/"{hashlib.blake2b(content, digest_size=20).hexdigest()}"'
    every = {"content-type": "application/json; charset=utf-8", **headers}
    if request.method != "GET" or status != 200:
        return Response(content, status, every)
    every["etag"] = tag
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=every)
    return Response(content, status, every)


def _positive(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) > 0 else otherwise


def _with_page(query: QueryParams, number: int) -> str:
    others = [(name, value) for name, value in query.multi_items() if name != "page"]
    return str(QueryParams([*others, ("page", str(number))]))
