"""What a connector is: streams of pages pulled from outside, and a pure parser for each.

A kind is found by its module: `connectors/<kind>.py` holds one subclass of `Connector` whose
`kind` is the module's name. Nothing is registered.
"""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from connectors.records import Record

if TYPE_CHECKING:
    import pyarrow as pa

    from connectors.client import Client


class ConnectionOptions(BaseModel):
    """The settings every connection has; a connector adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str | None = Field(
        None, description="address of the API, where it is not the default"
    )
    ca_file: Path | None = Field(None, description="certificates to trust, as a PEM file")
    proxy: str | None = Field(None, description="HTTP proxy for this connection")
    concurrency: int = Field(4, ge=1, le=32, description="requests under way at once")
    start_date: date | None = Field(None, description="nothing older is asked for")

    def beside(self, folder: Path) -> Self:  # noqa: ARG002
        """The same with paths that are written as text counting from the settings' folder."""
        return self


@dataclass(frozen=True, slots=True)
class Scope:
    """What a stream is pulled for: a repository, a project, a file.

    `id` is the vendor's immutable id; `attributes` are facts that parsing or pulling needs
    (a repository key, a clone URL, a change marker) and may change between pulls.
    """

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class State(BaseModel):
    """Where a scope stands, owned by its stream.

    `cursor`: all that changed before it has been received. `resume`: where an unfinished pass
    goes on. `marker`: what a probe showed when the scope was last complete.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: str | None = None
    resume: str | None = None
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a source, exactly as received, and the scope's state once it is kept.

    `state` None leaves the state as it is. `set_at` joins overflow pages to the page whose sets
    they complete (its `requested_at`). `items` is the number of things the source says it holds.
    `not_modified` says that the body last received from `url` still holds (HTTP 304).
    """

    url: str
    requested_at: datetime
    body: bytes
    state: State | None = None
    items: int = 0
    set_at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    not_modified: bool = False

    def line(self, connection: str, scope: Scope) -> "Line":
        """The page as its parser will get it."""
        return Line(
            connection=connection,
            scope=scope.id,
            attributes={**scope.attributes, **self.attributes},
            url=self.url,
            requested_at=self.requested_at,
            body=self.body,
            set_at=self.set_at,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A kept page as the parser gets it; parsing depends on nothing else."""

    connection: str
    scope: str
    attributes: Mapping[str, str]
    url: str
    requested_at: datetime
    body: bytes
    set_at: datetime | None = None


class Reject(NamedTuple):
    """An item that could not be read: where it stood, what was wrong, and a short excerpt."""

    table: str
    path: str
    problem: str
    excerpt: str


class Parsed:
    """What a parser found: records (or whole Arrow tables), sets seen whole, and rejects.

    Per record type `seen == rows + rejected` holds, or the parser has lost something.
    """

    def __init__(self) -> None:
        self.records: dict[type[Record], list[Record]] = defaultdict(list)
        self.tables: dict[type[Record], list[pa.Table]] = defaultdict(list)
        self.sets: dict[type[Record], list[tuple[str, datetime | None]]] = defaultdict(list)
        self.parts: dict[type[Record], list[str]] = defaultdict(list)
        self.deleted: dict[type[Record], list[str]] = defaultdict(list)
        self.rejects: list[Reject] = []
        self.seen: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        """Keep one record."""
        self.seen[record.table] += 1
        self.records[type(record)].append(record)

    def add_table(self, record_type: type[Record], table: "pa.Table", rejected: int = 0) -> None:
        """Keep rows in bulk; `table` has the Arrow schema of the record type."""
        self.seen[record_type.table] += table.num_rows + rejected
        self.tables[record_type].append(table)

    def whole(
        self, record_type: type[Record], parent: str, updated_at: datetime | None = None
    ) -> None:
        """Say that the records of this type with this parent are the parent's whole set.

        `updated_at` is the parent's `source_updated_at`; it orders sets as it orders parents.
        """
        self.sets[record_type].append((parent, updated_at))

    def part(self, record_type: type[Record], parent: str) -> None:
        """Say that the records of this type with this parent are only some of the parent's set.

        They stand beside the newest whole set until one comes that was asked for later.
        """
        self.parts[record_type].append(parent)

    def delete(self, record_type: type[Record], key: str) -> None:
        """Say that the source itself declared this (single-column) key gone."""
        self.deleted[record_type].append(key)

    def reject(self, record_type: type[Record], path: str, problem: str, item: object = "") -> None:
        """Keep the reason why one item could not be read."""
        self.seen[record_type.table] += 1
        self.rejects.append(Reject(record_type.table, path, problem, str(item)[:200]))


class Pull:
    """What a stream works with while it pulls: the HTTP client, the clones' folder, the clock."""

    def __init__(
        self,
        client: "Client | None",
        clones: Path,
        now: Callable[[], datetime],
        known: Callable[[str], Mapping[str, Mapping[str, str]]] = lambda _: {},
    ) -> None:
        self._client = client
        self.clones = clones
        self.now = now
        # By the name of a stream: its scopes as last kept, each with its attributes. What was
        # called otherwise before a full pass (a renamed repository) is known from here alone.
        self.known = known

    @property
    def client(self) -> "Client":
        """The HTTP client of the connection."""
        if self._client is None:
            raise TypeError("this kind of connection has no HTTP client")
        return self._client

    @property
    def requests(self) -> int:
        """API requests sent so far."""
        return 0 if self._client is None else self._client.requests

    def close(self) -> None:
        """Let go of the network."""
        if self._client is not None:
            self._client.close()


class Stream(ABC):
    """One kind of thing a connector pulls, scope by scope."""

    name: ClassVar[str]
    record_types: ClassVar[tuple[type[Record], ...]]
    # Raised when `parse` would give other records from the same bytes: kept pages are read again.
    parser_version: ClassVar[int] = 1
    # Raised when the meaning of the cursor changes: the next pull is a full pass.
    cursor_version: ClassVar[int] = 1
    # The stream whose records give this one its scopes; None: the connector gives them.
    parent: ClassVar[str | None] = None
    # A source that forgets (expired runs, the last ten syncs): rows missing from a full pass stay.
    forgets: ClassVar[bool] = False
    # What an incremental pull cannot see (deletions, silent edits) a daily full pass finds.
    daily_full_pass: ClassVar[bool] = True

    def scopes_of(self, record: Record) -> Scope | None:  # noqa: ARG002
        """The scope a record of the parent stream opens here, if any."""
        return None

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:  # noqa: ARG002
        """The scopes a page of the parent stream opens here; `parsed` is what the parent read."""
        for records in parsed.records.values():
            for record in records:
                scope = self.scopes_of(record)
                if scope is not None:
                    yield scope

    @abstractmethod
    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """Pull what the scope has to say since `state`, oldest first where the source can.

        An empty state asks for everything. Raise `SourceError` when a page cannot be had: what
        was yielded before stays, the mark does not move past it.
        """

    @abstractmethod
    def parse(self, line: Line) -> Parsed:
        """Read one kept page; pure."""


class PushedStream(Stream):
    """A stream whose pages are sent here (`leadline listen`); nothing is asked for."""

    # Nobody lists what was sent, so that nothing of it is ever found missing.
    forgets: ClassVar[bool] = True
    daily_full_pass: ClassVar[bool] = False

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """Nothing: others send."""
        return iter(())


class Finding(NamedTuple):
    """One thing `leadline doctor` has to say about a connection."""

    level: str  # ok, warning, error
    subject: str
    message: str


class Permission(NamedTuple):
    """What a credential must be allowed to do, in the vendor's own words, and for which streams.

    Which pages lack their data without it follows from what the streams give.
    """

    name: str
    streams: tuple[str, ...]
    how: str = ""  # where to grant it, or which other permission does as well


class Connector(ABC):
    """A kind of source."""

    kind: ClassVar[str]
    title: ClassVar[str]
    options_type: ClassVar[type[ConnectionOptions]]
    # In the order a reader grants them; `leadline doctor` and the documentation show them.
    permissions: ClassVar[tuple[Permission, ...]] = ()

    def __init__(self, name: str, options: Any) -> None:
        self.name = name
        self.options = options

    def client(self) -> "Client | None":
        """The HTTP client of this connection, with its credential and limits, if it uses HTTP."""
        return None

    @abstractmethod
    def streams(self) -> tuple[Stream, ...]:
        """The streams in the order they are pulled; parents before children."""

    @abstractmethod
    def scopes(self, stream: Stream) -> Iterable[Scope]:
        """The scopes of a stream without a parent, from the settings."""

    @property
    def is_pulled(self) -> bool:
        """Whether there is anything to ask for; all of some connections is sent here."""
        return not all(isinstance(stream, PushedStream) for stream in self.streams())

    def takes(self, repository: str) -> bool:  # noqa: ARG002
        """Whether the settings let a repository in, by its full name, that somebody else names."""
        return True

    def diagnose(self, pull: Pull) -> Iterator[Finding]:  # noqa: ARG002
        """Check credential, its scopes, reachability and clock with a few requests."""
        return iter(())


class SourceError(Exception):
    """A source did not give what was asked for; the message says what, where and how to mend it."""


@cache
def kinds() -> dict[str, type[Connector]]:
    """Every connector found in this folder, by kind."""
    found: dict[str, type[Connector]] = {}
    package = importlib.import_module("connectors")
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"connectors.{module_info.name}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Connector)
                and value.__module__ == module.__name__
                and getattr(value, "kind", None) == module_info.name
            ):
                found[value.kind] = value
    return dict(sorted(found.items()))


def stable_mark(newest: datetime | None, asked_at: datetime, overlap_seconds: int) -> str | None:
    """The mark a finished pass may set: never past the request, always with overlap; ISO 8601."""
    if newest is None:
        return None
    return (min(newest, asked_at) - timedelta(seconds=overlap_seconds)).isoformat()
