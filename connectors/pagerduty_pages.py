"""PagerDuty's classic pages: a hundred at a time, ten thousand at most, spans of time in UTC."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.answer import Answer
from connectors.client import Client
from connectors.connector import SourceError
from connectors.failures import redact_url
from connectors.reading import load_json, unknown_shape

ROWS_A_PAGE = 100
MOST_ROWS = 10_000
LONGEST_SPAN = timedelta(days=30)
_SHORTEST_SPAN = timedelta(seconds=2)


def body_of(answer: Answer, name: str) -> dict[str, Any]:
    """The object of an answer that has a list (or an object) of that name."""
    value, _ = load_json(answer.body)
    if not isinstance(value, dict) or not isinstance(value.get(name), list | dict):
        raise unknown_shape(
            url=answer.url,
            place="$",
            expected=f"an object with {name!r}",
            value=value,
            remedy="check that base_url is an address of PagerDuty's REST API",
        )
    return value


def answers(
    client: Client, path: str, name: str, parameters: Mapping[str, Any]
) -> Iterator[tuple[Answer, list[Any], bool]]:
    """Every page of a list with its items, and whether it is the last that may be asked for."""
    offset = 0
    while True:
        asked = {**parameters, "limit": ROWS_A_PAGE, "offset": offset}
        answer = client.get(path, asked)
        body = body_of(answer, name)
        offset += ROWS_A_PAGE
        has_more = body.get("more") is True
        yield answer, list(body[name]), has_more
        if not has_more or offset + ROWS_A_PAGE > MOST_ROWS:
            return


def listed(client: Client, path: str, name: str, parameters: Mapping[str, Any]) -> list[Any]:
    """All items of a list that has no more of them than PagerDuty gives."""
    found, has_more, url = [], False, path
    for answer, items, has_more in answers(client, path, name, parameters):  # noqa: B007
        found += items
        url = answer.url
    if has_more:
        raise SourceError(
            f"{redact_url(url)}: PagerDuty gives {MOST_ROWS:,} of these and has more; ask for "
            "fewer by team_ids or urgencies"
        )
    return found


def between(
    client: Client,
    path: str,
    name: str,
    parameters: Mapping[str, Any],
    span: tuple[datetime, datetime],
) -> list[Any]:
    """All items of a span of time, each once; halves it where there are too many."""
    begin, end = span
    # Times without a zone are read, and answered, in the account's own.
    told = {"since": stamp(begin), "until": stamp(end), "time_zone": "UTC"}
    found: dict[str, Any] = {}
    has_more, url = False, path
    for answer, items, has_more in answers(client, path, name, {**parameters, **told}):  # noqa: B007
        url = answer.url
        found.update((_key(item), item) for item in items)
    if not has_more:
        return list(found.values())
    if end - begin < _SHORTEST_SPAN:
        raise SourceError(
            f"{redact_url(url)}: more than {MOST_ROWS:,} within {end - begin}, which PagerDuty "
            "does not give; ask for fewer by team_ids"
        )
    middle = (begin + (end - begin) / 2).replace(microsecond=0)
    halves = ((begin, middle), (middle, end))
    parts = [between(client, path, name, parameters, half) for half in halves]
    found = {_key(item): item for part in parts for item in part}
    return list(found.values())


def spans(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The time from `begin` to `end` in parts that PagerDuty takes; they overlap by a second."""
    while True:
        part = min(begin + LONGEST_SPAN, end)
        yield begin - timedelta(seconds=1), part
        if part >= end:
            return
        begin = part


def stamp(moment: datetime) -> str:
    """A time with its zone, which must never be left out."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _key(item: Any) -> str:
    return str(item.get("id")) if isinstance(item, dict) else repr(item)
