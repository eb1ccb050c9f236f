"""Pages on their way into landing: the open batch, the scopes it moves, and its frames."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.connector import Page, Scope, State


@dataclass(slots=True)
class ScopeStatus:
    """Where a scope stands, and the pass it is in."""

    scope: Scope
    state: State
    fingerprint: str | None = None
    pass_is_full: bool | None = None
    pass_started_at: datetime | None = None
    covered_from: datetime | None = None
    last_success_at: datetime | None = None
    last_full_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None


@dataclass(slots=True)
class OpenBatch:
    """Pages not yet committed, and the scopes they move."""

    connection: str
    stream: str
    opened_at: datetime
    parts: list[bytes] = field(default_factory=list)
    urls: list[tuple[str, str, int]] = field(default_factory=list)
    scopes: dict[str, ScopeStatus] = field(default_factory=dict)
    completed: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    children: list[tuple[str, Scope, datetime]] = field(default_factory=list)
    lines: int = 0
    items: int = 0
    bytes: int = 0
    requests: int = 0

    def add(self, scope: Scope, page: Page) -> None:
        """Append a page's frame: one JSON header line, then the body's bytes as received."""
        header = {
            "scope": scope.id,
            "attributes": {**scope.attributes, **page.attributes},
            "url": page.url,
            "requested_at": page.requested_at.isoformat(),
            "length": len(page.body),
        }
        if page.set_at is not None:
            header["set_at"] = page.set_at.isoformat()
        if page.not_modified:
            header["not_modified"] = True
        else:
            self.urls.append((scope.id, page.url, self.lines))
        self.parts += [json.dumps(header, ensure_ascii=False).encode(), b"\n", page.body, b"\n"]
        self.lines += 1
        self.items += page.items
        self.bytes += len(page.body)


def frames(content: bytes) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """The number, header and body of each page in a batch's (decompressed) blob."""
    position, number = 0, 0
    while position < len(content):
        end = content.index(b"\n", position)
        header = json.loads(content[position:end])
        start = end + 1
        position = start + header["length"]
        yield number, header, content[start:position]
        position += 1
        number += 1


def attributes_text(scope: Scope) -> str:
    """A scope's attributes as they are kept."""
    return json.dumps(dict(scope.attributes), sort_keys=True, ensure_ascii=False)


def _time(value: object) -> datetime | None:
    return datetime.fromisoformat(str(value)) if value is not None else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def status_of(row: tuple[object, ...]) -> ScopeStatus:
    """A kept scope as it comes from its row."""
    (scope, attributes, cursor, resume, marker, fingerprint, full, started, *rest) = row
    covered, success, last_full, error, error_at = rest
    return ScopeStatus(
        scope=Scope(str(scope), json.loads(str(attributes))),
        state=State(cursor=_text(cursor), resume=_text(resume), marker=_text(marker)),
        fingerprint=_text(fingerprint),
        pass_is_full=None if full is None else bool(full),
        pass_started_at=_time(started),
        covered_from=_time(covered),
        last_success_at=_time(success),
        last_full_at=_time(last_full),
        last_error=_text(error),
        last_error_at=_time(error_at),
    )


def scope_row(connection: str, stream: str, status: ScopeStatus) -> tuple[object, ...]:
    """A scope as it is kept."""
    times = (status.covered_from, status.last_success_at, status.last_full_at)
    return (
        connection,
        stream,
        status.scope.id,
        attributes_text(status.scope),
        status.state.cursor,
        status.state.resume,
        status.state.marker,
        status.fingerprint,
        None if status.pass_is_full is None else int(status.pass_is_full),
        status.pass_started_at.isoformat() if status.pass_started_at else None,
        *(at.isoformat() if at else None for at in times),
        status.last_error,
        status.last_error_at.isoformat() if status.last_error_at else None,
    )
