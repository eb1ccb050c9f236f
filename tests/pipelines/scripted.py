"""A connector whose source is a script: what each pull answers is written in the test."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from connectors.connector import (
    ConnectionOptions,
    Connector,
    Line,
    Page,
    Parsed,
    Pull,
    Scope,
    SourceError,
    State,
    Stream,
)
from connectors.records import ChangeRequest, Record, Repository, Review
from pipelines.landing import Landing
from pipelines.load import LoadResult, load
from pipelines.sync import SyncResult, sync_connection

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """A clock that the test moves."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        """Let time pass."""
        self.at += timedelta(**delta)


def item(number: int, title: str = "", *, updated: datetime = START, **more: object) -> Any:
    """A change request as the scripted source tells it."""
    return {"id": number, "title": title or f"change {number}", "updated": str(updated), **more}


@dataclass(slots=True)
class Script:
    """What the source answers: pages per scope, and the failures it has in store."""

    pages: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[str, State]] = field(default_factory=list)

    def page(self, scope: str, *items: object, **page: Any) -> None:
        """Add a page to the next pull of a scope."""
        self.pages.setdefault(scope, []).append({"items": list(items), **page})

    def again(self) -> None:
        """Forget what was scripted."""
        self.pages.clear()


class Options(ConnectionOptions):
    """Options of the scripted source."""

    filter: str = ""


class Requests(Stream):
    """Change requests with their reviews."""

    name: ClassVar[str] = "requests"
    record_types: ClassVar[tuple[type[Record], ...]] = (ChangeRequest, Review)

    def __init__(self, script: Script) -> None:
        self.script = script

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        self.script.asked.append((scope.id, state))
        first_at = pull.now()
        for number, page in enumerate(self.script.pages.get(scope.id, [])):
            if "fail" in page:
                raise SourceError(page["fail"])
            if "crash" in page:
                raise KeyboardInterrupt
            yield Page(
                url=page.get("url", f"https://source.test/{scope.id}?page={number}"),
                requested_at=pull.now(),
                body=b"" if page.get("not_modified") else json.dumps(page).encode(),
                state=State(cursor=page["cursor"]) if "cursor" in page else None,
                items=len(page["items"]),
                set_at=first_at if page.get("overflow") else None,
                not_modified=bool(page.get("not_modified")),
            )

    def parse(self, line: Line) -> Parsed:
        page = json.loads(line.body)
        if "unreadable" in page:
            raise SourceError("items: expected a list")
        parsed = Parsed()
        for number, found in enumerate(page["items"]):
            change_request_id = f"{line.connection}:request:{found['id']}"
            updated = datetime.fromisoformat(found["updated"])
            if found["title"] == "broken":
                parsed.reject(ChangeRequest, f"items[{number}].title", "cannot be read", found)
                continue
            if found["title"] == "gone":
                parsed.delete(ChangeRequest, change_request_id)
                continue
            if found["title"] == "lost":
                parsed.seen["change_request"] += 1
                continue
            if not page.get("overflow"):
                parsed.add(
                    ChangeRequest(
                        change_request_id=change_request_id,
                        repository_key="test/one",
                        number=found["id"],
                        title=found["title"],
                        created_at=START,
                        source_updated_at=updated,
                    )
                )
                parsed.whole(Review, change_request_id, updated)
            for reviewer in found.get("reviews", []):
                parsed.add(
                    Review(
                        review_id=f"{change_request_id}:{reviewer}",
                        change_request_id=change_request_id,
                        reviewer=reviewer,
                        state="approved",
                        submitted_at=START,
                        source_updated_at=updated,
                    )
                )
        return parsed


class Repositories(Requests):
    """The parent stream: each repository opens a scope below."""

    name = "repositories"
    record_types = (Repository,)

    def parse(self, line: Line) -> Parsed:
        parsed = Parsed()
        for found in json.loads(line.body)["items"]:
            parsed.add(
                Repository(
                    repository_id=f"{line.connection}:repository:{found['id']}",
                    repository_key=f"test/{found['title']}",
                    name=found["title"],
                    source_updated_at=datetime.fromisoformat(found["updated"]),
                )
            )
        return parsed


class Children(Requests):
    """A stream whose scopes come from the repositories."""

    name = "children"
    parent = "repositories"

    def scopes_of(self, record: object) -> Scope | None:
        if isinstance(record, Repository):
            return Scope(record.repository_id, {"name": record.name})
        return None


class Scripted(Connector):
    """The scripted source."""

    kind = "scripted"
    title = "Scripted source"
    options_type = Options
    script: ClassVar[Script] = Script()
    stream_types: ClassVar[tuple[type[Requests], ...]] = (Requests,)
    root_scopes: ClassVar[tuple[str, ...]] = ("one",)

    def streams(self) -> tuple[Stream, ...]:
        return tuple(stream_type(self.script) for stream_type in self.stream_types)

    def scopes(self, stream: Stream) -> Iterable[Scope]:
        return [Scope(name, {"stream": stream.name}) for name in self.root_scopes]


@dataclass(slots=True)
class World:
    """A scripted connection with its own data folder and clock."""

    folder: Path
    script: Script
    clock: Clock
    connector: Scripted
    landing: Landing

    def sync(self, *, full: bool = False) -> SyncResult:
        """Pull once."""
        return sync_connection(
            self.landing, self.connector, clones=self.folder, full=full, now=self.clock
        )

    def load(self) -> LoadResult:
        """Load what is new."""
        return load(self.landing, self.records, temporary=self.folder / "tmp")

    @property
    def records(self) -> Path:
        """The records file."""
        return self.folder / "records.duckdb"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the records."""
        with duckdb.connect(str(self.records), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(query).fetchall()

    def pull(self, *items: object, full: bool = False, **page: Any) -> LoadResult:
        """Script one page, pull it, load it, and let an hour pass."""
        self.script.again()
        self.script.page("one", *items, **page)
        self.sync(full=full)
        self.clock.advance(hours=1)
        return self.load()


KINDS: Mapping[str, type[Connector]] = {"scripted": Scripted}
