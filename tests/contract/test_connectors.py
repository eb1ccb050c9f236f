"""What every connector owes the pipeline of what it has received; nothing here names a kind.

A connector is found by its module, and its world by the same name in `tests/contract/worlds`.
"""

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import BaseModel

from connectors.connector import Line, kinds
from connectors.records import RECORDS
from tests.contract.pages import (
    breaks,
    content,
    is_utc,
    rows_of,
    times_in,
    written_abroad,
    wrong_with,
    wrong_with_break,
)
from tests.contract.rig import Rig

GARBAGE = {
    "empty": b"",
    "text": b"garbage",
    "html": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "list": b"[]",
    "object": b"{}",
    "null": b"null",
    "number": b"17",
    "bytes": b"\xff\xfe\x00\x01\x80",
    "deep": b"[" * 3000,
}


def test_every_option_is_described(rig: Rig) -> None:
    """Settings, `init` and documentation show the description of each field, nested ones too."""

    def undescribed(model: type[BaseModel]) -> Iterator[str]:
        for name, field in model.model_fields.items():
            if not field.description:
                yield f"{model.__name__}.{name}"
            for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    yield from undescribed(part)

    assert list(undescribed(kinds()[rig.kind].options_type)) == []


def test_streams_are_declared_well(rig: Rig) -> None:
    """Names are unique, record types known, parents come before their children."""
    connector = rig.connector()
    assert connector.title
    names = [stream.name for stream in connector.streams()]
    assert len(set(names)) == len(names)
    for position, stream in enumerate(connector.streams()):
        # A stream without records of its own opens the scopes of another.
        assert stream.record_types or stream.name in {s.parent for s in connector.streams()}
        assert set(stream.record_types) <= set(RECORDS)
        assert stream.__doc__
        if stream.parent is None:
            list(connector.scopes(stream))
        else:
            assert stream.parent in names[:position]


def test_every_stream_is_exercised(rig: Rig) -> None:
    """The world has something for each stream, or says for which it has nothing."""
    assert {stream.name for stream, lines in rig.lines() if not lines} == rig.world.unread


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_told_by_its_address(rig: Rig, name: str) -> None:
    """A page that cannot be read is a `SourceError` with the URL, or gives no row unexplained."""
    found = {}
    for stream, lines in rig.lines():
        for line in lines[:1]:
            wrong, rows = wrong_with(stream, replace(line, body=GARBAGE[name]))
            found[stream.name] = wrong or ("rows from garbage" if rows else "")
    assert {stream: wrong for stream, wrong in found.items() if wrong} == {}


def test_half_a_page_is_never_another_exception(rig: Rig) -> None:
    """Cut anywhere, a page is refused or read in part; the parser itself does not break."""
    found = {}
    for stream, lines in rig.lines():
        for line in lines[:1]:
            for share in (0.1, 0.5, 0.9, 0.99):
                half = replace(line, body=line.body[: int(len(line.body) * share)])
                found[stream.name, share] = wrong_with(stream, half)[0]
    assert {where: wrong for where, wrong in found.items() if wrong} == {}


def test_parsing_is_pure(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same page gives the same rows, with no socket and no program at hand."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a parser reached outside")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    for (stream, lines), again in zip(rig.lines(), rig.connector().streams(), strict=True):
        for line in lines:
            assert content(stream.parse(line)) == content(again.parse(line))


def test_sets_come_whole(rig: Rig) -> None:
    """Rows that are replaced as a set say that their set is whole, or that they are parts."""
    for stream, lines in rig.lines():
        said, had = set(), set()
        for line in lines:
            parsed = stream.parse(line)
            assert parsed.records.keys() | parsed.tables.keys() <= set(stream.record_types)
            at = line.set_at or line.requested_at
            for record_type, sets in parsed.sets.items():
                said |= {(record_type, parent, at) for parent, _ in sets}
            parts = {(t, parent) for t, parents in parsed.parts.items() for parent in parents}
            for record_type, row in rows_of(parsed):
                if record_type.set_of is None:
                    continue
                if (record_type, row[record_type.set_of]) not in parts:
                    had.add((record_type, row[record_type.set_of], at))
        assert had <= said, stream.name


def test_a_broken_item_costs_itself_alone(rig: Rig) -> None:
    """Each field in turn is missing, of another type, absurd or hostile; neighbours are read."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for stream, lines in rig.lines():
        if stream.name in rig.world.own_pages:
            continue
        for line in _of_each_shape(lines):
            for broken in breaks(line):
                wrong = wrong_with_break(stream, broken)
                if wrong:
                    found[stream.name, broken.field] = repr(broken.value)[:60], wrong
    assert found == {}
    assert rig.world.own_pages.keys() < {stream.name for stream in rig.connector().streams()}


def _of_each_shape(lines: list[Line]) -> Iterator[Line]:
    """The longest page of each shape that a stream receives, as its attributes tell it."""
    shapes: dict[tuple[str, ...], Line] = {}
    for line in lines:
        shape = (*sorted(line.attributes), line.attributes.get("shape", ""))
        if shape not in shapes or len(line.body) > len(shapes[shape].body):
            shapes[shape] = line
    yield from shapes.values()


@pytest.mark.parametrize("has_colon", [True, False], ids=["+05:30", "+0530"])
def test_times_are_instants_however_they_are_written(rig: Rig, has_colon: bool) -> None:
    """Told in another zone, the same pages give the same rows, and all of their times in UTC."""
    written = 0
    different = {}
    for stream, lines in rig.lines():
        for line in lines[:20]:
            parsed = stream.parse(line)
            assert all(map(is_utc, times_in(parsed))), stream.name
            abroad, count = written_abroad(line, has_colon=has_colon)
            written += count
            if content(stream.parse(abroad)) != content(parsed):
                different[stream.name] = line.url
    assert different == {}
    assert (written == 0) == (rig.world.written_times is not None)
