"""The store of what was received, as received: an append-only SQLite file, the source of truth.

A batch is one row: a zstd blob of kept pages. The blob and the states of the scopes it moves
commit in one transaction, so a crash at any moment loses nothing and repeats at most the open
batch. Everything else in the data folder can be rebuilt from this file.
"""

import os
import socket
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

import zstandard

from connectors.connector import Line
from pipelines.batches import (
    OpenBatch,
    ScopeStatus,
    attributes_text,
    frames,
    scope_row,
    status_of,
)

SCHEMA_VERSION = 1
STALE_AFTER = timedelta(seconds=60)

_SCHEMA = """
create table if not exists batch (
    batch_id integer primary key, connection text not null, stream text not null,
    opened_at text not null, closed_at text not null, requests integer not null,
    lines integer not null, items integer not null, bytes integer not null, blob blob not null
) strict;
create table if not exists scope (
    connection text not null, stream text not null, scope text not null,
    attributes text not null, cursor text, resume text, marker text, fingerprint text,
    is_gone integer not null default 0, sighted_at text,
    pass_is_full integer, pass_started_at text,
    covered_from text, last_success_at text, last_full_at text, last_error text, last_error_at text,
    primary key (connection, stream, scope)
) strict, without rowid;
create table if not exists full_pass (
    connection text not null, stream text not null, scope text not null,
    started_at text not null, completed_at text not null,
    primary key (connection, stream, scope, started_at)
) strict, without rowid;
create table if not exists body (
    connection text not null, stream text not null, scope text not null, url text not null,
    batch_id integer not null, line integer not null,
    primary key (connection, stream, scope, url, batch_id)
) strict, without rowid;
create table if not exists connection (
    connection text primary key, kind text not null, options text not null
) strict, without rowid;
create table if not exists puller (
    connection text primary key, host text not null, pid integer not null,
    started_at text not null, heartbeat_at text not null
) strict, without rowid;
create table if not exists deletion (
    connection text not null, stream text not null, scope text not null,
    confirmed_at text not null, primary key (connection, stream, scope, confirmed_at)
) strict, without rowid;
create index if not exists batch_by_stream on batch (connection, stream);
"""


class LandingError(Exception):
    """The landing store cannot be used as asked; the message says why and what to do."""


class Batch(NamedTuple):
    """A kept batch without its blob."""

    batch_id: int
    connection: str
    stream: str
    bytes: int


class Landing:
    """The landing store of one data folder; safe to use from several threads."""

    def __init__(self, path: Path, *, busy_seconds: float = 60) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        version = self._connection.execute("pragma user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            self._connection.close()
            raise LandingError(
                f"{path} was written by a newer Leadline (layout {version}, this one knows "
                f"{SCHEMA_VERSION}); install that version again"
            )
        if version < SCHEMA_VERSION:
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"pragma user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def _rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    # -- pulling --------------------------------------------------------------------------------

    @contextmanager
    def puller(self, connection: str, now: datetime) -> Iterator[None]:
        """Hold the connection's puller row; raises `LandingError` naming who holds it."""
        host, pid = socket.gethostname(), os.getpid()
        with self.transaction() as con:
            row = con.execute(
                "select host, pid, started_at, heartbeat_at from puller where connection = ?",
                (connection,),
            ).fetchone()
            if row is not None and not _is_stale(row):
                raise LandingError(
                    f"connection {connection} is being pulled by process {row[1]} on {row[0]} "
                    f"since {row[2]}; wait for it to finish or stop it"
                )
            con.execute(
                "insert or replace into puller values (?, ?, ?, ?, ?)",
                (connection, host, pid, now.isoformat(), datetime.now(UTC).isoformat()),
            )
        stop = threading.Event()
        beat = threading.Thread(target=self._heartbeat, args=(connection, stop), daemon=True)
        beat.start()
        try:
            yield
        finally:
            stop.set()
            beat.join()
            with self.transaction() as con:
                con.execute(
                    "delete from puller where connection = ? and host = ? and pid = ?",
                    (connection, host, pid),
                )

    def _heartbeat(self, connection: str, stop: threading.Event) -> None:
        while not stop.wait(STALE_AFTER.total_seconds() / 6):
            with self.transaction() as con:
                con.execute(
                    "update puller set heartbeat_at = ? where connection = ?",
                    (datetime.now(UTC).isoformat(), connection),
                )

    def remember(self, connection: str, kind: str, options: str) -> None:
        """Keep how a connection is read, so that its pages can be parsed when it is gone."""
        with self.transaction() as con:
            con.execute(
                "insert or replace into connection values (?, ?, ?)", (connection, kind, options)
            )

    def remembered(self) -> dict[str, tuple[str, str]]:
        """Kind and options of every connection that was ever pulled."""
        rows = self._rows("select connection, kind, options from connection")
        return {str(name): (str(kind), str(options)) for name, kind, options in rows}

    def scopes(self, connection: str, stream: str) -> list[ScopeStatus]:
        """The known scopes of a stream that are not gone, in the order of their ids."""
        rows = self._rows(
            "select scope, attributes, cursor, resume, marker, fingerprint, pass_is_full,"
            " pass_started_at, covered_from, last_success_at, last_full_at, last_error,"
            " last_error_at from scope where connection = ? and stream = ? and not is_gone"
            " order by scope",
            connection,
            stream,
        )
        return [status_of(row) for row in rows]

    def commit(self, batch: OpenBatch, closed_at: datetime) -> int | None:
        """Keep a batch and the states of its scopes, in one transaction; the batch's id."""
        (batch_id,) = self.commit_together([batch], closed_at)
        return batch_id

    def commit_together(
        self, batches: Sequence[OpenBatch], closed_at: datetime
    ) -> list[int | None]:
        """Keep several batches in one transaction; their ids."""
        blobs = [zstandard.compress(b"".join(b.parts), 3) if b.lines else b"" for b in batches]
        with self.transaction() as con:
            return [
                _keep(con, batch, blob, closed_at)
                for batch, blob in zip(batches, blobs, strict=True)
            ]

    def received(self, connection: str, stream: str, scope: str, urls: str) -> list[str]:
        """The addresses of kept pages of a scope that begin like this."""
        rows = self._rows(
            "select distinct url from body where connection = ? and stream = ? and scope = ?"
            " and url >= ? and url < ?",
            connection,
            stream,
            scope,
            urls,
            f"{urls}\U0010ffff",
        )
        return [str(url) for (url,) in rows]

    def retire(self, connection: str, stream: str, sighted_before: datetime) -> None:
        """Mark scopes their parent no longer shows as gone; they come back when sighted again."""
        with self.transaction() as con:
            con.execute(
                "update scope set is_gone = 1 where connection = ? and stream = ?"
                " and sighted_at < ?",
                (connection, stream, sighted_before.isoformat()),
            )

    # -- reading --------------------------------------------------------------------------------

    def batches(self) -> list[Batch]:
        """Every kept batch in the order of arrival."""
        rows = self._rows("select batch_id, connection, stream, bytes from batch order by batch_id")
        return [Batch(*row) for row in rows]  # type: ignore[arg-type]

    def lines(self, batch: Batch) -> Iterator[tuple[int, Line]]:
        """The pages of a batch with their numbers; a page not modified comes with its old body."""
        (blob,) = self._rows("select blob from batch where batch_id = ?", batch.batch_id)[0]
        for number, header, body in frames(zstandard.decompress(blob)):  # type: ignore[arg-type]
            if header.get("not_modified"):
                body = self._body_before(batch, header)  # noqa: PLW2901
            yield (
                number,
                Line(
                    connection=batch.connection,
                    scope=header["scope"],
                    attributes=header["attributes"],
                    url=header["url"],
                    requested_at=datetime.fromisoformat(header["requested_at"]),
                    body=body,
                    set_at=datetime.fromisoformat(header["set_at"]) if "set_at" in header else None,
                ),
            )

    def _body_before(self, batch: Batch, header: Mapping[str, Any]) -> bytes:
        """The body last received from this URL up to this batch."""
        rows = self._rows(
            "select batch_id, line from body where connection = ? and stream = ? and scope = ?"
            " and url = ? and batch_id <= ? order by batch_id desc limit 1",
            batch.connection,
            batch.stream,
            header["scope"],
            header["url"],
            batch.batch_id,
        )
        for batch_id, line in rows:
            (blob,) = self._rows("select blob from batch where batch_id = ?", batch_id)[0]
            for number, _, body in frames(zstandard.decompress(blob)):  # type: ignore[arg-type]
                if number == line:
                    return body
        raise LandingError(
            f"batch {batch.batch_id}: {header['url']} was answered 'not modified', but its earlier"
            " body is not kept; run `leadline sync --full`"
        )

    def full_passes(self) -> list[tuple[str, str, str, datetime, datetime]]:
        """Completed full passes without page errors: connection, stream, scope, start, end."""
        rows = self._rows(
            "select connection, stream, scope, started_at, completed_at from full_pass"
            " order by started_at"
        )
        return [
            (str(c), str(s), str(p), datetime.fromisoformat(str(a)), datetime.fromisoformat(str(b)))
            for c, s, p, a, b in rows
        ]

    def confirm_deletions(self, connection: str, now: datetime) -> None:
        """Let the deletions that are held for this connection happen."""
        with self.transaction() as con:
            con.execute(
                "insert or replace into deletion select connection, stream, scope, ? from scope"
                " where connection = ?",
                (now.isoformat(), connection),
            )

    def confirmed_deletions(self) -> dict[tuple[str, str, str], datetime]:
        """When the deletions of a scope were last confirmed."""
        rows = self._rows(
            "select connection, stream, scope, max(confirmed_at) from deletion group by 1, 2, 3"
        )
        return {(str(c), str(s), str(p)): datetime.fromisoformat(str(at)) for c, s, p, at in rows}

    def status(self) -> list[dict[str, object]]:
        """One row per connection and stream: scopes, failures, times, requests, bytes."""
        with self._lock:
            cursor = self._connection.execute(_STATUS)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _keep(
    con: sqlite3.Connection, batch: OpenBatch, blob: bytes, closed_at: datetime
) -> int | None:
    key = (batch.connection, batch.stream)
    batch_id: int | None = None
    if batch.lines:
        cursor = con.execute(
            "insert into batch (connection, stream, opened_at, closed_at, requests, lines,"
            " items, bytes, blob) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *key,
                batch.opened_at.isoformat(),
                closed_at.isoformat(),
                batch.requests,
                batch.lines,
                batch.items,
                batch.bytes,
                blob,
            ),
        )
        batch_id = cursor.lastrowid
        con.executemany(
            "insert or replace into body values (?, ?, ?, ?, ?, ?)",
            [(*key, scope, url, batch_id, line) for scope, url, line in batch.urls],
        )
    con.executemany(_UPSERT_SCOPE, [scope_row(*key, s) for s in batch.scopes.values()])
    con.executemany(
        "insert or replace into full_pass values (?, ?, ?, ?, ?)",
        [(*key, s, a.isoformat(), b.isoformat()) for s, a, b in batch.completed],
    )
    con.executemany(
        _UPSERT_CHILD,
        [
            (batch.connection, stream, child.id, attributes_text(child), at.isoformat())
            for stream, child, at in batch.children
        ],
    )
    return batch_id


_UPSERT_SCOPE = """
insert into scope (connection, stream, scope, attributes, cursor, resume, marker, fingerprint,
    pass_is_full, pass_started_at, covered_from, last_success_at, last_full_at, last_error,
    last_error_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict do update set cursor = excluded.cursor, resume = excluded.resume,
    marker = excluded.marker, fingerprint = excluded.fingerprint,
    pass_is_full = excluded.pass_is_full, pass_started_at = excluded.pass_started_at,
    covered_from = excluded.covered_from, last_success_at = excluded.last_success_at,
    last_full_at = excluded.last_full_at, last_error = excluded.last_error,
    last_error_at = excluded.last_error_at
"""

_UPSERT_CHILD = """
insert into scope (connection, stream, scope, attributes, sighted_at) values (?, ?, ?, ?, ?)
on conflict do update set attributes = excluded.attributes, is_gone = 0,
    sighted_at = excluded.sighted_at
"""

_STATUS = """
select s.connection, c.kind, s.stream, count(*) as scopes,
    sum(s.last_error is not null) as failing,
    min(s.last_success_at) as last_success_at, min(s.last_full_at) as last_full_at,
    max(s.last_error) as last_error, min(s.covered_from) as coverage_from,
    (select coalesce(sum(b.requests), 0) from batch b
        where b.connection = s.connection and b.stream = s.stream) as requests,
    (select coalesce(sum(b.bytes), 0) from batch b
        where b.connection = s.connection and b.stream = s.stream) as bytes,
    (select coalesce(sum(b.items), 0) from batch b
        where b.connection = s.connection and b.stream = s.stream) as items,
    (select max(b.batch_id) from batch b
        where b.connection = s.connection and b.stream = s.stream and b.items > 0) as newest_batch
from scope s left join connection c on c.connection = s.connection
where not s.is_gone
group by s.connection, s.stream
order by s.connection, s.stream
"""


def _is_stale(row: tuple[str, int, str, str]) -> bool:
    host, pid, _, heartbeat_at = row
    if host == socket.gethostname():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        if pid == os.getpid():
            return False
    return datetime.now(UTC) - datetime.fromisoformat(heartbeat_at) > STALE_AFTER
