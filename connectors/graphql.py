"""Asking a GraphQL API: one answer and its errors, and pages that shrink when they are too heavy.

What its errors mean each vendor's own module knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.answer import Answer, not_json
from connectors.client import Client
from connectors.connector import Page, SourceError
from connectors.failures import TransientError, redact_url
from connectors.reading import load_json

# So many good pages in a row, and larger ones are tried again.
_GOOD_PAGES = 3


class HeavyQueryError(SourceError):
    """The query is too much for the source, or was answered in part: ask for less at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer and its body as values."""

    answer: Answer
    data: Mapping[str, Any]

    def page(self, url: str, **fields: Any) -> Page:
        """The answer as a page to keep."""
        return Page(url=url, requested_at=self.answer.requested_at, body=self.answer.body, **fields)


@dataclass(frozen=True, slots=True)
class Errors:
    """The errors of an answer, at least one; `is_smallest` says that no page can be smaller."""

    answer: Answer
    found: list[dict[str, Any]]
    has_data: bool
    is_smallest: bool

    @property
    def where(self) -> str:
        """The address asked."""
        return redact_url(self.answer.url)

    @property
    def message(self) -> str:
        """What the first of them says."""
        return str(self.found[0].get("message") or "no reason given")[:300]


# Raises what errors mean; returns where the data can be kept all the same.
Judge = Callable[[Errors], None]


class GraphqlAsker:
    """Asks queries of one stream; `size` is how many items a page holds at the moment."""

    def __init__(self, client: Client, url: str, largest: int, judge: Judge) -> None:
        self._client = client
        self._largest = largest
        self._judge = judge
        self._good_pages = 0
        self.size = largest
        self.url = url

    def ask(self, query: str, variables: Mapping[str, Any]) -> Told:
        """One answer; raises a `SourceError` that says what was refused and why."""
        return self._ask(query, variables, self._judge)

    def ask_sized(self, query: str, variables: Mapping[str, Any]) -> Told:
        """One answer of `size` items as `first`; the size shrinks by halves and recovers."""
        while True:
            told = self.try_size(query, {**variables, "first": self.size})
            if told is not None:
                return told

    def try_size(self, query: str, variables: Mapping[str, Any]) -> Told | None:
        """One answer, None where it was too heavy and `size` is smaller now.

        At the smallest size the refusal is raised.
        """
        is_smallest = self.size == 1
        attempts = None if is_smallest else 2
        try:
            told = self._ask(
                query, variables, self._judge, attempts=attempts, is_smallest=is_smallest
            )
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

    def _ask(
        self,
        query: str,
        variables: Mapping[str, Any],
        judge: Judge,
        *,
        attempts: int | None = None,
        is_smallest: bool = False,
    ) -> Told:
        read: list[Mapping[str, Any]] = []

        def check(answer: Answer) -> None:
            read[:] = [_data(answer, judge, is_smallest=is_smallest)]

        answer = self._client.post(
            self.url,
            {"query": query, "variables": dict(variables)},
            check=check,
            bucket="graphql",
            attempts=attempts,
        )
        return Told(answer, read[0])


def _data(answer: Answer, judge: Judge, *, is_smallest: bool) -> Mapping[str, Any]:
    """The `data` of an answer, or the error that its `errors` stand for."""
    where = redact_url(answer.url)
    try:
        value, _ = load_json(answer.body)
    except ValueError as error:
        raise not_json(answer, error) from error
    if not isinstance(value, dict):
        raise SourceError(f"{where} answered with something that is not GraphQL; check base_url")
    data = value.get("data")
    errors = [error for error in value.get("errors") or () if isinstance(error, dict)]
    if errors:
        judge(Errors(answer, errors, data is not None, is_smallest))
    if not isinstance(data, dict):
        raise SourceError(f"{where} answered without data; check base_url")
    return data
