"""Faults on demand: an ASGI middleware that spoils answers the way networks and vendors do."""

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]


class Fault(StrEnum):
    """What can go wrong with one answer."""

    TOO_MANY_REQUESTS = "too_many_requests"  # 429 with Retry-After
    SECONDARY_LIMIT = "secondary_limit"  # GitHub: 403 with Retry-After
    PRIMARY_LIMIT = "primary_limit"  # GitHub: 403 with x-ratelimit-remaining 0
    GRAPHQL_RATE_LIMIT = "graphql_rate_limit"  # GitHub: 200 with errors and remaining 0
    GRAPHQL_PARTIAL = "graphql_partial"  # GitHub: 200 with errors, one node null
    SERVER_ERROR = "server_error"  # 500
    BAD_GATEWAY = "bad_gateway"  # 502 with a page of HTML
    UNAVAILABLE = "unavailable"  # 503
    RESET = "reset"  # the connection is reset in the middle of the body
    TRUNCATED = "truncated"  # half a body, without Content-Length, ended as if whole
    MALFORMED_JSON = "malformed_json"  # a whole body that no parser takes
    HTML = "html"  # 200 with a page of HTML, as log-in walls answer
    SLOW = "slow"  # the right answer, after `seconds`
    ELSEWHERE = "elsewhere"  # 302 to the same path of another host
    DRIFT = "drift"  # the world moves on by `seconds` before a later page is read


_INSTEAD_OF_ANSWER = frozenset(
    {
        Fault.TOO_MANY_REQUESTS,
        Fault.SECONDARY_LIMIT,
        Fault.PRIMARY_LIMIT,
        Fault.GRAPHQL_RATE_LIMIT,
        Fault.SERVER_ERROR,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.HTML,
        Fault.ELSEWHERE,
    }
)
_PAGE_OF_HTML = (
    b"<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head><body>&#x1f984;</body></html>\n"
)
_SECONDARY_MESSAGE = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which requests meet which fault; all conditions must hold.

    `path` is a regular expression searched in "path?query", `skip` spares the first matching
    requests, `every` takes the n-th of those left, `once_per_url` spares a URL that was hit
    before, `at_most` bounds the hits, and `chance` (0–1) is drawn from the seed, the URL and how
    often it was asked, so that it does not depend on the order of parallel requests. GraphQL
    queries share one URL and are told apart by their turn only.
    `seconds` is the delay of SLOW, the Retry-After and reset of limits, the stride of DRIFT;
    `target` is the host that ELSEWHERE points to.
    """

    fault: Fault
    path: str = ""
    method: str | None = None
    skip: int = 0
    every: int = 1
    once_per_url: bool = False
    at_most: int | None = None
    chance: float = 1.0
    seconds: float = 1.0
    target: str = ""


@dataclass(frozen=True)
class Hit:
    """One request that met a fault."""

    fault: Fault
    method: str
    url: str


class Faults:
    """Holds the rules in force and spoils the answers of the application it wraps.

    `advance` moves the served world forward by seconds (for DRIFT). `reset` breaks the connection
    of a peer address and may be set once the server is known; without it a broken body is left
    to the server to close.
    """

    def __init__(
        self,
        application: ASGIApp,
        rules: Sequence[Rule] = (),
        *,
        seed: int = 0,
        advance: Callable[[float], None] | None = None,
        reset: Callable[[tuple[str, int]], None] | None = None,
        now: Callable[[], float],
    ) -> None:
        self.application = application
        self.seed = seed
        self.hits: list[Hit] = []
        self._advance = advance
        self.reset = reset
        self._now = now
        self.set(*rules)

    def set(self, *rules: Rule) -> None:
        """Replace all rules, and forget what the former ones had counted."""
        self._rules = rules
        self._matched: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()
        self._urls: set[tuple[int, str]] = set()
        self._asked: Counter[str] = Counter()
        self.hits.clear()

    def clear(self) -> None:
        """Answer truly from now on."""
        self.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = self._choose(scope) if scope["type"] == "http" else None
        if rule is None:
            await self.application(scope, receive, send)
            return
        if rule.fault in _INSTEAD_OF_ANSWER:
            await _drain(receive)
            await self._answer_wrongly(rule, scope["path"], send)
            return
        if rule.fault is Fault.SLOW:
            await asyncio.sleep(rule.seconds)
            await self.application(scope, receive, send)
            return
        if rule.fault is Fault.DRIFT:
            if self._advance is not None:
                self._advance(rule.seconds)
            await self.application(scope, receive, send)
            return
        await self._spoil(rule.fault, scope, receive, send)

    def _choose(self, scope: Scope) -> Rule | None:
        query = scope["query_string"].decode("latin-1")
        url = scope["path"] + (f"?{query}" if query else "")
        self._asked[url] += 1
        for index, rule in enumerate(self._rules):
            if self._applies(index, rule, scope["method"], url):
                self._struck[index] += 1
                self._urls.add((index, url))
                self.hits.append(Hit(rule.fault, scope["method"], url))
                return rule
        return None

    def _applies(self, index: int, rule: Rule, method: str, url: str) -> bool:
        if rule.method not in (None, method) or not re.search(rule.path, url):
            return False
        self._matched[index] += 1
        turn = self._matched[index] - rule.skip
        if turn < 1 or turn % rule.every:
            return False
        if rule.once_per_url and (index, url) in self._urls:
            return False
        if rule.at_most is not None and self._struck[index] >= rule.at_most:
            return False
        return rule.chance >= 1.0 or self._draw(index, method, url) < rule.chance

    def _draw(self, index: int, method: str, url: str) -> float:
        text = f"{self.seed} {index} {method} {url} {self._asked[url]}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48

    async def _answer_wrongly(self, rule: Rule, path: str, send: Send) -> None:
        wait = str(max(0, round(rule.seconds))).encode()
        limits = [
            (b"x-ratelimit-limit", b"5000"),
            (b"x-ratelimit-remaining", b"0"),
            (b"x-ratelimit-reset", str(int(self._now() + rule.seconds) + 1).encode()),
        ]
        match rule.fault:
            case Fault.TOO_MANY_REQUESTS:
                await _json(send, 429, {"message": "Too many requests"}, [(b"retry-after", wait)])
            case Fault.SECONDARY_LIMIT:
                body = {
                    "message": _SECONDARY_MESSAGE,
                    "documentation_url": "https://docs.github.com",
                }
                await _json(send, 403, body, [(b"retry-after", wait)])
            case Fault.PRIMARY_LIMIT:
                await _json(
                    send, 403, {"message": "API rate limit exceeded for user ID 1."}, limits
                )
            case Fault.GRAPHQL_RATE_LIMIT:
                error = {"type": "RATE_LIMIT", "message": "API rate limit exceeded for user ID 1."}
                await _json(send, 200, {"errors": [error]}, limits)
            case Fault.SERVER_ERROR:
                await _json(send, 500, {"message": "Server Error"}, [])
            case Fault.UNAVAILABLE:
                await _json(send, 503, {"message": "Service unavailable"}, [])
            case Fault.ELSEWHERE:
                location = (b"location", f"{rule.target}{path}".encode())
                await _json(send, 302, {"message": "Found"}, [location])
            case Fault.BAD_GATEWAY:
                await _whole(send, 502, _PAGE_OF_HTML, [(b"content-type", b"text/html")])
            case _:
                await _whole(send, 200, _PAGE_OF_HTML, [(b"content-type", b"text/html")])

    async def _spoil(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers, body = await _capture(self.application, scope, receive)
        half = body[: len(body) // 2]
        unmeasured = [pair for pair in headers if pair[0].lower() != b"content-length"]
        if fault is Fault.GRAPHQL_PARTIAL:
            await _whole(send, status, _without_one_node(body), unmeasured)
        elif fault is Fault.MALFORMED_JSON:
            await _whole(send, status, half + b'{"\x00' + body[len(half) :], unmeasured)
        elif fault is Fault.TRUNCATED:
            await send({"type": "http.response.start", "status": status, "headers": unmeasured})
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            length = (b"content-length", str(len(body) + 1).encode())
            await send(
                {"type": "http.response.start", "status": status, "headers": [*unmeasured, length]}
            )
            await send({"type": "http.response.body", "body": half, "more_body": True})
            if self.reset is not None and scope.get("client"):
                self.reset(tuple(scope["client"]))


async def _drain(receive: Receive) -> None:
    """Read the whole request, so that the connection can be kept for the next one."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass


async def _whole(send: Send, status: int, body: bytes, headers: Headers) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _json(send: Send, status: int, body: dict[str, Any], headers: Headers) -> None:
    content = (b"content-type", b"application/json; charset=utf-8")
    await _whole(send, status, json.dumps(body).encode(), [content, *headers])


async def _capture(
    application: ASGIApp, scope: Scope, receive: Receive
) -> tuple[int, Headers, bytes]:
    """The answer the application would have given: status, headers, body."""
    status, headers, parts = 500, Headers(), []

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await application(scope, receive, keep)
    return status, headers, b"".join(parts)


def _without_one_node(body: bytes) -> bytes:
    """The same GraphQL answer with the last node of its first list lost to an error."""
    answer = json.loads(body)
    found = _first_nodes(answer.get("data"), [])
    if found is None:
        return body
    nodes, path = found
    nodes[-1] = None
    message = "Something went wrong while executing your query."
    error = {"message": message, "path": [*path, len(nodes) - 1]}
    answer["errors"] = [*answer.get("errors", []), error]
    return json.dumps(answer).encode()


def _first_nodes(value: Any, path: list[str | int]) -> tuple[list[Any], list[str | int]] | None:
    if not isinstance(value, dict):
        return None
    for key, child in value.items():
        if key == "nodes" and isinstance(child, list) and child:
            return child, [*path, key]
        found = _first_nodes(child, [*path, key])
        if found is not None:
            return found
    return None
