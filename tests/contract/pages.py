"""Kept pages as parsers read them, and the same pages written otherwise or broken."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from connectors.arrow import to_table
from connectors.connector import Line, Parsed, SourceError, Stream
from connectors.failures import redact_url
from connectors.records import Account, Record

ABROAD = timezone(timedelta(hours=5, minutes=30))
# A time that fills a text of JSON or a field of a table.
TIME = re.compile(
    rb"(?P<before>[\",\n])"
    rb"(?P<day>\d{4}-\d\d-\d\d)(?P<sign>[T ])(?P<time>\d\d:\d\d:\d\d(?:\.\d{1,6})?)"
    rb"(?P<zone>Z| ?[+-]\d\d:?\d\d)(?=[\",\r\n])"
)
WRONG: tuple[Any, ...] = (
    *(None, 17, -1.5, 10**30, True, "", "x", [], {}, [None], [17], {"x": "y"}),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-13-45T99:99:99Z"),
    "\ud800\x00\u202e'; drop table ticket; --<script>" + "x" * 300,
)
MOST_BREAKS = 200


class Break(NamedTuple):
    """A page with one field of its last item broken; the same page whole, and without that item.

    Where the page is a single thing, there is none without it.
    """

    field: str
    value: Any
    page: Line
    whole: Line
    without: Line | None


def wrong_with(stream: Stream, line: Line) -> tuple[str, int]:
    """What is wrong with the way a page is read or refused, and how many rows it gave."""
    try:
        parsed = stream.parse(line)
    except SourceError as error:
        is_clear = (
            redact_url(line.url) in str(error) and len(str(error)) > len(redact_url(line.url)) + 20
        )
        return ("" if is_clear else f"not clear: {error}"), 0
    except Exception as error:  # noqa: BLE001  whatever else a parser raises is the finding
        return f"{type(error).__name__}: {error}"[:300], 0
    return ("" if balanced(parsed) else "something seen is neither read nor rejected"), rows_in(
        parsed
    )


def wrong_with_break(stream: Stream, broken: Break) -> str:
    """What is wrong with the way one bad item is read: it may cost itself, nothing beside it."""
    try:
        return _wrong_with_break(stream, broken)
    except Exception as error:  # noqa: BLE001  whatever else is raised is the finding
        return f"{type(error).__name__}: {error}"[:300]


def _wrong_with_break(stream: Stream, broken: Break) -> str:
    wrong = wrong_with(stream, broken.page)[0]
    if wrong:
        return wrong
    try:
        parsed = stream.parse(broken.page)
    except SourceError as error:
        return "" if broken.without is None else f"neighbours are lost: {error}"
    for record_type, records in parsed.records.items():
        to_table(record_type, records)
    if any(not reject.path or not reject.problem for reject in parsed.rejects):
        return f"a reject does not say what is wrong: {parsed.rejects}"
    if broken.without is None:
        return ""
    neighbours = told(stream.parse(broken.whole)) & told(stream.parse(broken.without))
    lost = neighbours - told(parsed)
    return f"neighbours are lost: {min(lost)}"[:400] if lost else ""


def breaks(line: Line) -> Iterator[Break]:
    """The page broken in each field of its last item, in turn and in every way; a sample."""
    try:
        page = json.loads(line.body)
    except ValueError:
        yield from _text_breaks(line)
        return
    place = _items(page)
    if place is not None:
        _at(page, place)[3:] = []
    found = list(_fields(page if place is None else _at(page, place)[-1]))
    ways = [(path, value) for path in found for value in WRONG]
    ways = random.Random(len(ways)).sample(ways, min(len(ways), MOST_BREAKS))
    text = json.dumps(page)
    whole = replace(line, body=text.encode())
    without = None
    if place is not None and len(_at(page, place)) > 1:
        _at(page, place).pop()
        without = replace(line, body=json.dumps(page).encode())
    for path, value in ways:
        broken = json.loads(text)
        holder = broken if place is None else _at(broken, place)[-1]
        _at(holder, path[:-1])[path[-1]] = value
        body = json.dumps(broken).encode()
        yield Break(".".join(map(str, path)), value, replace(line, body=body), whole, without)


def _text_breaks(line: Line) -> Iterator[Break]:
    """The same of a log, whose fields end with NUL, and of a table, whose fields are in lines."""
    is_log = b"\0" in line.body
    sign = b"\0" if is_log else b","
    before, _, last = (b"", b"", line.body) if is_log else line.body.rstrip().rpartition(b"\n")
    is_alone = before.count(b"\n") == 0
    without = None if is_alone else replace(line, body=before + b"\n")
    fields = last.split(sign)
    for place in range(min(len(fields), 12)):
        for value in (b"", b"x", b"-1", b"9" * 30, b"0001-01-01T00:00:00+14:00"):
            broken = sign.join([*fields[:place], value, *fields[place + 1 :]])
            body = broken if is_log else before + b"\n" + broken + b"\n"
            yield Break(f"field {place}", value, replace(line, body=body), line, without)


def _items(page: Any) -> list[str | int] | None:
    """Where the list of items is: the uppermost one, of several the longest."""
    level: list[tuple[list[str | int], Any]] = [([], page)]
    while level:
        lists = [
            (path, value)
            for path, value in level
            if isinstance(value, list) and value and isinstance(value[0], dict)
        ]
        if lists:
            return max(lists, key=lambda pair: len(pair[1]))[0]
        level = [
            ([*path, name], inner)
            for path, value in level
            if isinstance(value, dict)
            for name, inner in value.items()
        ]
    return None


def _fields(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every field of an item; of lists inside it those of the first member."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fields(inner, (*path, name))
    elif isinstance(value, list) and value:
        yield from _fields(value[0], (*path, 0))


def _at(value: Any, path: Any) -> Any:
    for name in path:
        value = value[name]
    return value


def written_abroad(line: Line, *, has_colon: bool) -> tuple[Line, int]:
    """The page with its times told in another zone, and how many there were."""

    def abroad(found: re.Match[bytes]) -> bytes:
        day, time, zone = found["day"], found["time"], found["zone"].strip()
        at = datetime.fromisoformat(f"{day.decode()}T{time.decode()}{zone.decode()}")
        moved = at.astimezone(ABROAD)
        text = f"{moved:%Y-%m-%d}{found['sign'].decode()}{moved:%H:%M:%S}"
        if moved.microsecond:
            text += f".{moved:%f}"
        return found["before"] + text.encode() + (b"+05:30" if has_colon else b"+0530")

    body, count = TIME.subn(abroad, line.body)
    return replace(line, body=body), count


def rows_of(parsed: Parsed) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every row, whether found one by one or in bulk."""
    for record_type, records in parsed.records.items():
        for record in records:
            yield record_type, record.model_dump()
    for record_type, tables in parsed.tables.items():
        for table in tables:
            for row in table.to_pylist():
                yield record_type, row


def told(parsed: Parsed) -> set[str]:
    """Every row as text, its times in one form whatever zone object they have.

    Many items speak of one account: it is its id. When a thing last changed follows from all that
    belongs to it, and is left out.
    """
    return {_text(record_type, row) for record_type, row in rows_of(parsed)}


def _text(record_type: type[Record], row: dict[str, Any]) -> str:
    if record_type is Account:
        return str(row["account_id"])
    plain = {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if name != "source_updated_at"
    }
    return f"{record_type.table} {plain}"


def rows_in(parsed: Parsed) -> int:
    """How many rows a page gave."""
    return sum(1 for _ in rows_of(parsed))


def balanced(parsed: Parsed) -> bool:
    """Whether all that was seen was read or rejected."""
    return sum(parsed.seen.values()) == rows_in(parsed) + len(parsed.rejects)


def content(parsed: Parsed) -> tuple[object, ...]:
    """All that a parser found, to be compared."""
    rows = [(record_type.table, row) for record_type, row in rows_of(parsed)]
    sets = [(t.table, s) for t, s in parsed.sets.items()]
    deleted = [(t.table, keys) for t, keys in parsed.deleted.items()]
    return rows, sets, deleted, parsed.rejects, parsed.seen, parsed.mended


def times_in(parsed: Parsed) -> Iterator[datetime]:
    """Every time of every row."""
    for _, row in rows_of(parsed):
        yield from (value for value in row.values() if isinstance(value, datetime))


def is_utc(at: datetime) -> bool:
    """Whether a time is one of UTC."""
    return at.tzinfo is not None and at.utcoffset() == UTC.utcoffset(None)
