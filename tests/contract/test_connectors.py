"""What every connector owes the pipeline, whatever it reads; nothing here names a kind.

A connector is found by its module, and its world by the same name in `tests/contract/worlds`.
"""

import importlib
import importlib.util
import socket
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from connectors.connector import (
    Connector,
    Line,
    Parsed,
    PushedStream,
    SourceError,
    Stream,
    kinds,
)
from connectors.failures import redact_url
from connectors.records import RECORDS
from pipelines.kind_streams import all_streams
from pipelines.landing import Landing
from pipelines.sync import SyncResult
from sandbox.faults import Fault, Rule
from tests import pulling
from tests.connectors.web import Reply, serving
from tests.contract.worlds.world import World
from tests.e2e.comparison import Tables, differing

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


@dataclass
class Rig:
    """A connection of one kind to its world."""

    kind: str
    world: World
    folder: Path

    def connector(self, **options: Any) -> Connector:
        """The connector with the world's options."""
        found = kinds()[self.kind]
        return found("source", found.options_type.model_validate({**self.world.options, **options}))

    def pull(self, name: str, connector: Connector | None = None, **more: Any) -> SyncResult:
        """Pull into a data folder of that name; what is not pulled is sent there."""
        if self.world.send is not None:
            items = self.world.send(self.folder / name, connector or self.connector())
            return SyncResult("source", items=items)
        made = connector or self.connector()
        return pulling.pull(self.folder / name, made, clones=self.folder / "clones", **more)

    def rows(self, name: str) -> Tables:
        """Load what was pulled there; all records."""
        return pulling.rows(self.folder / name)

    def lines(self) -> Iterator[tuple[Stream, list[Line]]]:
        """Every stream with the pages that were received for it."""
        found: defaultdict[str, list[Line]] = defaultdict(list)
        with Landing(self.folder / "first" / "landing.sqlite") as landing:
            for batch in landing.batches():
                found[batch.stream] += [line for _, line in landing.lines(batch)]
        for stream in self.connector().streams():
            yield stream, found[stream.name]


def is_pulled(kind: str) -> bool:
    """Whether connections of a kind ask for anything."""
    return any(not isinstance(stream, PushedStream) for stream in all_streams(kinds()[kind]))


PULLED = [kind for kind in sorted(kinds()) if is_pulled(kind)]
pulled_only = pytest.mark.parametrize("rig", PULLED, indirect=True)


@pytest.fixture(scope="module", params=sorted(kinds()))
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A kind whose world has been pulled once."""
    kind = request.param
    module = f"tests.contract.worlds.{kind}"
    assert importlib.util.find_spec(module), (
        f"the connector {kind} has no world: add tests/contract/worlds/{kind}.py with "
        "`world(folder)`, a context manager that yields a World to read"
    )
    folder = tmp_path_factory.mktemp(kind)
    with importlib.import_module(module).world(folder) as world:
        rig = Rig(kind, world, folder)
        result = rig.pull("first")
        assert result.errors == []
        assert result.items > 0
        yield rig


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


def test_two_pulls_give_the_same_rows(rig: Rig) -> None:
    """Pulled by two connections, and pulled again by one, a source gives the same records."""
    expected = rig.rows("first")
    assert sum(map(len, expected.values())) > 0
    assert rig.pull("second").errors == []
    assert differing(expected, rig.rows("second")) == {}
    assert rig.pull("second").errors == []
    assert differing(expected, rig.rows("second")) == {}


@pulled_only
@pytest.mark.parametrize("survived", [1, 3, 6])
def test_a_pull_that_is_killed_goes_on(rig: Rig, survived: int) -> None:
    """Killed between two pages, the next pull ends with the same rows."""
    name = f"killed after {survived}"
    with killed_after(survived) as progress:
        rig.pull(name, progress=progress)
    assert rig.pull(name).errors == []
    assert differing(rig.rows("first"), rig.rows(name)) == {}


@pulled_only
def test_other_options_start_a_full_pass(rig: Rig) -> None:
    """What is asked for has changed, so all of it is asked for again."""
    rig.pull("changed")
    before = passes(rig, "changed")
    rig.pull("changed")
    assert passes(rig, "changed") == before
    other = kinds()[rig.kind]
    options = other.options_type.model_validate(rig.world.narrowed)
    assert rig.pull("changed", other("source", options)).errors == []
    after = passes(rig, "changed")
    assert {scope: len(times) for scope, times in after.items() if scope in before} == {
        scope: len(times) + 1 for scope, times in before.items()
    }


API = r"^(?!.*\.git/)"  # Git, where it is served beside the API, has faults of its own
SPOILED = (
    Fault.TOO_MANY_REQUESTS,
    Fault.UNAVAILABLE,
    Fault.RESET,
    Fault.TRUNCATED,
    Fault.MALFORMED_JSON,
)


def test_what_is_spoiled_on_the_way_is_asked_for_again(rig: Rig) -> None:
    """Limits, failing servers and broken answers change no row; every HTTP source is spoiled."""
    faults = rig.world.faults
    assert (faults is not None) == (rig.connector().client() is not None)
    if faults is None:
        return
    faults.set(*(Rule(fault=fault, path=API, at_most=1) for fault in SPOILED))
    try:
        assert rig.pull("spoiled").errors == []
        assert {hit.fault for hit in faults.hits} == set(SPOILED)
    finally:
        faults.clear()
    assert differing(rig.rows("first"), rig.rows("spoiled")) == {}


def test_a_redirect_to_another_host_is_told_and_not_followed(rig: Rig) -> None:
    """Nothing is read from there, and no credential gets there, in whatever header it travels."""
    faults = rig.world.faults
    if faults is None:
        return
    with serving(lambda _: Reply(200, [])) as elsewhere:
        faults.set(Rule(fault=Fault.ELSEWHERE, path=API, target=elsewhere.url))
        try:
            result = rig.pull("elsewhere")
        finally:
            faults.clear()
    assert elsewhere.asked == []
    assert result.items == 0
    assert any("base_url" in error for error in result.errors), result.errors


class Killed(BaseException):
    """The end of a process, as far as a test in the same process can have it."""


@contextmanager
def killed_after(pages: int) -> Iterator[Any]:
    """A progress that does not survive so many pages; a shorter pull ends by itself."""
    left = pages

    def progress(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    try:
        yield progress
    except Killed:
        return


def passes(rig: Rig, name: str) -> dict[tuple[str, str], list[datetime]]:
    """The full passes of each scope that were completed."""
    found = defaultdict(list)
    with Landing(rig.folder / name / "landing.sqlite") as landing:
        for _, stream, scope, started_at, _ in landing.full_passes():
            found[stream, scope].append(started_at)
    return dict(found)


def rows_of(parsed: Parsed) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every row, whether found one by one or in bulk."""
    for record_type, records in parsed.records.items():
        for record in records:
            yield record_type, record.model_dump()
    for record_type, tables in parsed.tables.items():
        for table in tables:
            for row in table.to_pylist():
                yield record_type, row


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
