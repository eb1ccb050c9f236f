"""What GitLab does around every answer: who asks, how often, in pages by number or by key."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

FIRST_PAGE = 20
LARGEST_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class GitlabSettings:
    """How the served GitLab behaves.

    `repositories` are the written Git repositories by number, to be served on the same host.
    `per_minute` is the limit of requests, None switches it and its headers off, as GitLabs of
    one's own have it. Totals are left out above `total_cap` rows, lists by number end at
    `offset_cap` where there is a list by key too. GraphQL refuses what is more complex than
    `complexity` and times out above `timeout_above_items` items a page. `unknown_fields` of
    GraphQL are those an older GitLab would lack. `largest_page` bounds every page of either API.
    """

    token: str = "glpat-sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    scopes: tuple[str, ...] = ("read_api", "read_repository")
    repositories: Mapping[int, Path] | None = None
    per_minute: int | None = None
    window_seconds: float = 60.0
    largest_page: int = LARGEST_PAGE
    total_cap: int = 10_000
    offset_cap: int = 50_000
    complexity: int = 250
    timeout_above_items: int | None = None
    unknown_fields: frozenset[str] = frozenset()
    now: Callable[[], float] = time.time


class Refusal(Exception):  # noqa: N818  an answer, not a failure of ours
    """An answer other than the one asked for."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """As GitLab words it: limits in plain text, all else as JSON."""
        if self.status == 429:
            return PlainTextResponse(f"{self}\n", 429, self.headers)
        return JSONResponse({"message": str(self)}, self.status, self.headers)


class Gate:
    """Knows the token and how much of the minute's limit is used up."""

    def __init__(self, settings: GitlabSettings) -> None:
        self.settings = settings
        self._reset_at = 0.0
        self._used = 0

    def admit(self, request: Request) -> None:
        """Refuse whoever has no token, or has asked too often."""
        sent = request.headers.get("private-token") or ""
        scheme, _, value = (request.headers.get("authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            sent = value.strip()
        if sent != self.settings.token:
            raise Refusal(401, "401 Unauthorized")
        if self.settings.per_minute is None:
            return
        now = self.settings.now()
        if now >= self._reset_at:
            self._reset_at, self._used = now + self.settings.window_seconds, 0
        if self._used >= self.settings.per_minute:
            wait = str(max(1, round(self._reset_at - now)))
            raise Refusal(429, "Retry later", {**self.headers(), "retry-after": wait})
        self._used += 1

    def accepts(self, authorization: str | None) -> bool:
        """Whether Git's header holds the token; costs nothing."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() != "basic" or "read_repository" not in self.settings.scopes:
            return False
        try:
            return base64.b64decode(value).decode().partition(":")[2] == self.settings.token
        except ValueError:
            return False

    def headers(self) -> dict[str, str]:
        """The RateLimit-* headers, none where limits are off."""
        limit = self.settings.per_minute
        if limit is None:
            return {}
        return {
            "ratelimit-limit": str(limit),
            "ratelimit-name": "throttle_authenticated_api",
            "ratelimit-observed": str(self._used),
            "ratelimit-remaining": str(max(0, limit - self._used)),
            "ratelimit-reset": str(int(self._reset_at) + 1),
        }


@dataclass(frozen=True)
class Rows:
    """A list to be cut into pages; `key` names the field a list by key is ordered by."""

    items: Sequence[Any]
    render: Callable[[Any], Any]
    has_keys: bool = False


def paged(rows: Rows, request: Request, settings: GitlabSettings) -> Response:
    """The page a query asks for, by key or by number."""
    query = request.query_params
    size = min(settings.largest_page, _positive(query.get("per_page"), FIRST_PAGE))
    if query.get("pagination") == "keyset" and rows.has_keys:
        return _by_key(rows, request, size)
    number = _positive(query.get("page"), 1)
    start = (number - 1) * size
    if rows.has_keys and start + size > settings.offset_cap:
        raise Refusal(
            405,
            f"Offset pagination has a maximum allowed offset of {settings.offset_cap} for requests "
            "that return objects of this type. Remaining records can be retrieved using keyset "
            "pagination.",
        )
    count = len(rows.items)
    last = max(1, -(-count // size))
    following = str(number + 1) if number < last else ""
    headers = {
        "x-page": str(number),
        "x-per-page": str(size),
        "x-next-page": following,
        "x-prev-page": str(number - 1) if number > 1 else "",
    }
    relations = {"first": 1}
    if number > 1:
        relations["prev"] = number - 1
    if following:
        relations["next"] = number + 1
    if count <= settings.total_cap:
        headers |= {"x-total": str(count), "x-total-pages": str(last)}
        relations["last"] = last
    headers["link"] = ", ".join(
        f'<{_address(request, page=str(target))}>; rel="{relation}"'
        for relation, target in relations.items()
    )
    return JSONResponse(
        [rows.render(each) for each in rows.items[start : start + size]], 200, headers
    )


def _by_key(rows: Rows, request: Request, size: int) -> Response:
    is_rising = request.query_params.get("sort", "desc") == "asc"
    items = sorted(rows.items, key=lambda each: each.id, reverse=not is_rising)
    after = request.query_params.get("cursor") or request.query_params.get("id_after")
    if after is not None:
        items = [
            one for one in items if (one.id > int(after)) == is_rising and one.id != int(after)
        ]
    page = items[:size]
    headers = {}
    if len(items) > size:
        headers["link"] = f'<{_address(request, cursor=str(page[-1].id))}>; rel="next"'
    return JSONResponse([rows.render(each) for each in page], 200, headers)


def _address(request: Request, **changed: str) -> str:
    query = {**dict(request.query_params), **changed}
    path = request.scope["raw_path"].decode("ascii")
    return f"{request.url.scheme}://{request.headers['host']}{path}?{urlencode(query)}"


def _positive(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) > 0 else otherwise


def stamp(at: datetime | None) -> str | None:
    """A time as GitLab writes it, to the millisecond."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
