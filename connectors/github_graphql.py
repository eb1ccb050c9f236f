"""Asking GitHub's GraphQL: what its errors mean, and pages that shrink when they are too heavy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.answer import Answer
from connectors.client import Client
from connectors.connector import Page, SourceError
from connectors.failures import (
    BrokenAnswerError,
    ForbiddenError,
    NotFoundError,
    NotJsonError,
    RateLimitedError,
    TransientError,
    redact_url,
    seconds_to_reset,
)
from connectors.reading import load_json

_HEAVY_TYPES = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT"}
_HEAVY_WORDS = ("something went wrong", "timeout", "timed out", "resource limit")
_FORBIDDEN_TYPES = {"FORBIDDEN", "INSUFFICIENT_SCOPES", "UNAUTHORIZED"}
# An error this deep concerns one field of one item; the item says null there and is still of use.
_DEPTH_OF_A_FIELD = 4


class HeavyQueryError(SourceError):
    """GitHub gave up on the query, or answered a part of it: ask for less at once."""


class StaleCursorError(SourceError):
    """The place to go on from is not known any more."""


class MissingScopeError(ForbiddenError):
    """The token lacks a scope that a field of the query needs."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer and its body as values."""

    answer: Answer
    data: Mapping[str, Any]

    def page(self, url: str, **fields: Any) -> Page:
        """The answer as a page to keep."""
        return Page(url=url, requested_at=self.answer.requested_at, body=self.answer.body, **fields)


def graphql_url(base_url: str) -> str:
    """Where GraphQL answers: beside `/api/v3` on Enterprise Server, below the root elsewhere."""
    base = base_url.rstrip("/")
    return base.removesuffix("/v3") + "/graphql" if base.endswith("/api/v3") else base + "/graphql"


class Asker:
    """Asks queries of one stream; `size` is how many items a page holds at the moment."""

    def __init__(self, client: Client, largest: int = 50) -> None:
        self._client = client
        self._largest = largest
        self._good_pages = 0
        self.size = largest
        self.url = graphql_url(client.base_url)

    def ask(self, query: str, variables: Mapping[str, Any], *, may_miss: bool = False) -> Told:
        """One answer; raises a `SourceError` that says what GitHub refused and why.

        With `may_miss` things that are not found are null in the data instead.
        """
        return self._ask(query, variables, may_miss=may_miss)

    def ask_sized(self, query: str, variables: Mapping[str, Any]) -> Told:
        """One answer of as many items as GitHub manages; the size shrinks by halves and recovers.

        At one item a page a partial answer is kept: the item says null, and its reject why.
        """
        while True:
            is_smallest = self.size == 1
            try:
                told = self._ask(
                    query,
                    {**variables, "first": self.size},
                    attempts=None if is_smallest else 2,
                    is_smallest=is_smallest,
                )
            except (HeavyQueryError, TransientError):
                if is_smallest:
                    raise
                self.size = max(1, self.size // 2)
                self._good_pages = 0
                continue
            self._good_pages += 1
            if self._good_pages >= 3 and self.size < self._largest:
                self.size = min(self._largest, self.size * 2)
                self._good_pages = 0
            return told

    def _ask(
        self,
        query: str,
        variables: Mapping[str, Any],
        *,
        attempts: int | None = None,
        is_smallest: bool = False,
        may_miss: bool = False,
    ) -> Told:
        read: list[Mapping[str, Any]] = []

        def check(answer: Answer) -> None:
            read[:] = [_data(answer, is_smallest=is_smallest, may_miss=may_miss)]

        answer = self._client.post(
            self.url,
            {"query": query, "variables": dict(variables)},
            check=check,
            bucket="graphql",
            attempts=attempts,
        )
        return Told(answer, read[0])


def _data(answer: Answer, *, is_smallest: bool, may_miss: bool) -> Mapping[str, Any]:
    """The `data` of an answer, or the error that its `errors` stand for."""
    where = redact_url(answer.url)
    try:
        value, _ = load_json(answer.body)
    except ValueError as error:
        if answer.body.lstrip()[:1] == b"<":
            raise NotJsonError(
                f"{where} answered with a web page instead of JSON; check base_url, the token and "
                "the proxy"
            ) from error
        raise BrokenAnswerError(f"{where} answered with broken JSON: {error}") from error
    if not isinstance(value, dict):
        raise SourceError(f"{where} answered with something that is not GraphQL; check base_url")
    data = value.get("data")
    errors = [error for error in value.get("errors") or () if isinstance(error, dict)]
    if may_miss:
        errors = [error for error in errors if error.get("type") != "NOT_FOUND"]
    if errors:
        _judge(answer, errors, where, has_data=data is not None, is_smallest=is_smallest)
    if not isinstance(data, dict):
        raise SourceError(f"{where} answered without data; check base_url")
    return data


def _judge(
    answer: Answer,
    errors: list[dict[str, Any]],
    where: str,
    *,
    has_data: bool,
    is_smallest: bool,
) -> None:
    """Raise what the errors of an answer mean; return where the data can be kept all the same."""
    types = {str(error.get("type") or "").upper() for error in errors}
    types |= {str((error.get("extensions") or {}).get("code") or "").upper() for error in errors}
    message = str(errors[0].get("message") or "no reason given")[:300]
    lower = message.lower()
    if types & {"RATE_LIMIT", "RATE_LIMITED"} or "rate limit" in lower:
        seconds = seconds_to_reset(answer.headers, answer.requested_at)
        raise RateLimitedError(f"{where}: {message}; sync less often", seconds)
    if types & _HEAVY_TYPES or any(word in lower for word in _HEAVY_WORDS):
        if is_smallest and has_data and all(_is_of_one_item(error) for error in errors):
            return
        raise HeavyQueryError(f"{where}: GitHub did not finish the query: {message}")
    if "INVALID_CURSOR_ARGUMENTS" in types or "cursor" in lower:
        raise StaleCursorError(f"{where}: {message}")
    if "INSUFFICIENT_SCOPES" in types:
        raise MissingScopeError(f"{where}: {message}")
    if has_data and all(_is_of_one_item(error) for error in errors):
        return
    if types & _FORBIDDEN_TYPES:
        raise ForbiddenError(
            f"{where}: GitHub refuses: {message}; give the token the missing permission, and "
            "authorise it for the organisation's single sign-on"
        )
    if "NOT_FOUND" in types:
        raise NotFoundError(f"{where}: {message}; check the name and the token's access")
    raise SourceError(f"{where}: GitHub refused the query: {message}")


def _is_of_one_item(error: Mapping[str, Any]) -> bool:
    return len(error.get("path") or ()) >= _DEPTH_OF_A_FIELD


def dig(data: Any, *path: str) -> Any:
    """What stands at a path of objects, None where one is missing or null."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data
