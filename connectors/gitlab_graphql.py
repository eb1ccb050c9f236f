"""Asking GitLab's GraphQL: what its errors mean, and pages that shrink when they are too heavy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.answer import Answer
from connectors.client import Client
from connectors.connector import Page, SourceError
from connectors.failures import (
    BrokenAnswerError,
    NotFoundError,
    NotJsonError,
    RefusedError,
    TransientError,
    redact_url,
)
from connectors.reading import load_json

# GitLab names its refusals in words alone.
_HEAVY_WORDS = ("complexity", "timeout", "timed out", "too large", "too many")
_UNKNOWN_WORDS = ("doesn't exist on type", "doesn't accept argument", "isn't a defined input type")
_GOOD_PAGES = 3


class HeavyQueryError(SourceError):
    """The query is too complex, or did not end in time: ask for less at once."""


class UnknownFieldError(SourceError):
    """This GitLab's GraphQL does not know a field: it is older, or has it switched off."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer and its body as values."""

    answer: Answer
    data: Mapping[str, Any]

    def page(self, url: str, **fields: Any) -> Page:
        """The answer as a page to keep."""
        return Page(url=url, requested_at=self.answer.requested_at, body=self.answer.body, **fields)


class Asker:
    """Asks queries of one stream; `size` is how many items a page holds at the moment."""

    def __init__(self, client: Client, largest: int) -> None:
        self._client = client
        self._largest = largest
        self._good_pages = 0
        self.size = largest
        self.url = client.base_url.removesuffix("v4/") + "graphql"

    def ask(self, query: str, variables: Mapping[str, Any], *, attempts: int | None = None) -> Told:
        """One answer; raises a `SourceError` that says what GitLab refused and why."""
        read: list[Mapping[str, Any]] = []

        def check(answer: Answer) -> None:
            read[:] = [_data(answer)]

        answer = self._client.post(
            self.url,
            {"query": query, "variables": dict(variables)},
            check=check,
            bucket="graphql",
            attempts=attempts,
        )
        return Told(answer, read[0])

    def ask_sized(self, query: str, variables: Mapping[str, Any]) -> Told:
        """One answer of `size` items as `first`; the size shrinks by halves and recovers."""
        while True:
            size = self.size
            told = self.try_size(query, {**variables, "first": size})
            if told is not None:
                return told

    def try_size(self, query: str, variables: Mapping[str, Any]) -> Told | None:
        """One answer, None where it was too heavy and `size` is smaller now.

        At the smallest size the refusal is raised.
        """
        is_smallest = self.size == 1
        try:
            told = self.ask(query, variables, attempts=None if is_smallest else 2)
        except (HeavyQueryError, TransientError):
            if is_smallest:
                raise
            self.size = max(1, self.size // 2)
            self._good_pages = 0
            return None
        self._good_pages += 1
        if self._good_pages >= _GOOD_PAGES and self.size < self._largest:
            self.size = min(self._largest, self.size * 2)
            self._good_pages = 0
        return told


def dig(data: Any, *path: str) -> Any:
    """What stands at a path of objects, None where one is missing or null."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _data(answer: Answer) -> Mapping[str, Any]:
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
    errors = [error for error in value.get("errors") or () if isinstance(error, dict)]
    if errors:
        _judge(where, str(errors[0].get("message") or "no reason given")[:300])
    data = value.get("data")
    if not isinstance(data, dict):
        raise SourceError(f"{where} answered without data; check base_url")
    return data


def _judge(where: str, message: str) -> None:
    lower = message.lower()
    if any(word in lower for word in _UNKNOWN_WORDS):
        raise UnknownFieldError(f"{where}: this GitLab does not know the question: {message}")
    if any(word in lower for word in _HEAVY_WORDS):
        raise HeavyQueryError(f"{where}: GitLab finds the question too heavy: {message}")
    if "does not exist or you don't have permission" in lower:
        raise NotFoundError(f"{where}: {message}; check the token's access")
    raise RefusedError(f"{where}: GitLab refused the question: {message}")
