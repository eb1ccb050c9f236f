"""How GitLab's REST lists are walked: by links, by keyset, and by the time of their items.

Totals are never looked at: GitLab leaves them out above 10,000 rows. Lists by number end at an
offset of 50,000, and drift while rows are added: what can be ordered by its time of update is
walked by that time instead, which has neither trouble.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from connectors.answer import Answer
from connectors.client import Client
from connectors.connector import Page, SourceError
from connectors.failures import redact_url
from connectors.reading import load_json, moment_of

PER_PAGE = 100
KEYSET: Mapping[str, str] = {"pagination": "keyset", "order_by": "id", "sort": "asc"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list, with its items as values."""

    answer: Answer
    items: list[Any]

    def page(self, **fields: Any) -> Page:
        """The answer as a page to keep."""
        return Page(
            url=self.answer.url,
            requested_at=self.answer.requested_at,
            body=self.answer.body,
            **{"items": len(self.items), **fields},
        )


def path_id(full_path: str) -> str:
    """A path of a group or project as GitLab wants it inside an address."""
    return quote(full_path, safe="")


def listed(client: Client, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Listed]:
    """All pages of a list, by the links GitLab gives; add `KEYSET` where the list takes it."""
    answer = client.get(path, {**(params or {}), "per_page": PER_PAGE})
    while True:
        yield Listed(answer, _items(answer))
        following = next_page(client, answer)
        if following is None:
            return
        answer = client.get(following)


def by_time(
    client: Client, path: str, params: Mapping[str, Any], since: datetime | None
) -> Iterator[tuple[Listed, datetime | None]]:
    """Pages in the order of their items' update, each with the moment that all is known up to.

    The moment is what to go on from, in this pass or in the next. Each page begins where the last
    one ended, at the first page of a narrower list: items that are updated meanwhile move to its
    end and none is skipped. At least the newest item of a page comes twice.
    """
    number = 1
    while True:
        answer = client.get(
            path,
            {
                **params,
                "order_by": "updated_at",
                "sort": "asc",
                "updated_after": since.isoformat() if since is not None else None,
                "per_page": PER_PAGE,
                "page": number,
            },
        )
        items = _items(answer)
        moments = [at for item in items if (at := moment_of(item.get("updated_at"))) is not None]
        reached = max(moments, default=since)
        yield Listed(answer, items), reached
        if next_page(client, answer) is None:
            return
        # A whole page of one moment (an import, a bulk edit) is the only reason to turn over.
        number = number + 1 if reached == since else 1
        since = reached


def next_page(client: Client, answer: Answer) -> str | None:
    """The address of the page that follows; by number where a proxy has cut the links."""
    if "link" in answer.headers:
        return client.next_link(answer)
    number = answer.headers.get("x-next-page", "").strip()
    if not number.isdigit():
        return None
    parts = urlsplit(answer.url)
    query = [each for each in parse_qsl(parts.query, keep_blank_values=True) if each[0] != "page"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("page", number)])))


def value_of(answer: Answer) -> Any:
    """The body of an answer as values."""
    return load_json(answer.body)[0]


def _items(answer: Answer) -> list[Any]:
    items = value_of(answer)
    if not isinstance(items, list):
        raise SourceError(
            f"{redact_url(answer.url)} answered with {type(items).__name__} where a list was "
            "expected; check base_url"
        )
    return [item if isinstance(item, dict) else {} for item in items]
