"""From landing to records: parse what is not yet loaded, merge it, once and all or nothing."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from connectors.arrow import INSTANT, schema, to_table
from connectors.connector import Connector, Line, Parsed, SourceError, Stream, kinds
from connectors.records import RECORDS, Record
from pipelines import deletions, duck, merge
from pipelines.decisions import Local
from pipelines.landing import Batch, Landing

CHUNK_BYTES = 128_000_000


class LoadError(Exception):
    """Loading stopped; nothing of the open chunk was kept."""


@dataclass(slots=True)
class LoadResult:
    """What one load did."""

    batches: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    held: list[deletions.Held] = field(default_factory=list)


def load(
    landing: Landing,
    records: Path,
    *,
    temporary: Path,
    memory_limit_gb: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LoadResult:
    """Merge every batch not yet loaded into the records, in transactions of whole batches.

    Batches whose parser has a new version are read again from landing. A records file of another
    layout is rebuilt from nothing. Raises `LoadError` when a parser loses items.
    """
    _make_ready(records, temporary)
    connection = duck.connect(records, temporary=temporary, memory_limit_gb=memory_limit_gb)
    try:
        streams = _streams(landing)
        result = LoadResult()
        pending = _pending(connection, landing, streams)
        total, done = len(pending), 0
        for group in _grouped(pending):
            chunk = _Chunk()
            for batch in group:
                stream = streams[batch.connection, batch.stream]
                for number, line in landing.lines(batch):
                    chunk.read(stream, batch, number, line)
            _merge(connection, chunk, group, streams, result)
            done += len(group)
            if progress is not None:
                progress(done, total)
        _delete(connection, landing, streams, result)
        return result
    finally:
        connection.close()


@dataclass(slots=True)
class _Chunk:
    """Everything read from some batches, ready to be merged."""

    lines: list[tuple[object, ...]] = field(default_factory=list)
    records: dict[type[Record], list[Record]] = field(default_factory=lambda: defaultdict(list))
    line_numbers: dict[type[Record], list[int]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[type[Record], list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    sets: dict[type[Record], list[tuple[str, datetime | None, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    parts: dict[type[Record], list[tuple[str, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    deleted: dict[type[Record], list[tuple[str, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    rejects: list[tuple[object, ...]] = field(default_factory=list)
    counts: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    def read(self, stream: Stream, batch: Batch, number: int, line: Line) -> None:
        """Parse one kept page; a page that cannot be read at all is a reject of its own."""
        index = len(self.lines)
        self.lines.append(
            (
                index,
                batch.connection,
                batch.stream,
                line.scope,
                batch.batch_id,
                number,
                line.requested_at,
                line.set_at or line.requested_at,
                line.url,
            )
        )
        try:
            parsed = stream.parse(line)
        except SourceError as error:
            self.rejects.append(
                (index, "page", "$", str(error), line.body[:200].decode("utf-8", "replace"))
            )
            return
        self._keep(parsed, index, batch)

    def _keep(self, parsed: Parsed, index: int, batch: Batch) -> None:
        found: Counter[str] = Counter()
        for record_type, records in parsed.records.items():
            self.records[record_type] += records
            self.line_numbers[record_type] += [index] * len(records)
            found[record_type.table] += len(records)
        for record_type, tables in parsed.tables.items():
            for table in tables:
                numbers = pa.array([index] * table.num_rows, pa.int64())
                self.tables[record_type].append(table.append_column("line_number", numbers))
                found[record_type.table] += table.num_rows
        for record_type, sets in parsed.sets.items():
            self.sets[record_type] += [(parent, updated, index) for parent, updated in sets]
        for record_type, parents in parsed.parts.items():
            self.parts[record_type] += [(parent, index) for parent in parents]
        for record_type, keys in parsed.deleted.items():
            self.deleted[record_type] += [(key, index) for key in keys]
        rejected: Counter[str] = Counter()
        for reject in parsed.rejects:
            self.rejects.append((index, *reject))
            rejected[reject.table] += 1
        for table_name in parsed.seen:
            count = self.counts.setdefault((batch.batch_id, table_name), [0, 0, 0, 0])
            count[0] += parsed.seen[table_name]
            count[1] += found[table_name]
            count[2] += rejected[table_name]
            count[3] += parsed.mended[table_name]

    def check(self) -> None:
        """Per record type what was seen was read or rejected; nothing is dropped silently."""
        for (batch_id, table), (seen, rows, rejected, _) in self.counts.items():
            if seen != rows + rejected:
                raise LoadError(
                    f"batch {batch_id}: the parser saw {seen} items for {table}, "
                    f"but gave {rows} rows and {rejected} rejects"
                )

    def arrow(self, record_type: type[Record]) -> pa.Table:
        """The rows of one type with the number of the line each came from."""
        tables = list(self.tables.get(record_type, ()))
        if records := self.records.get(record_type):
            numbers = pa.array(self.line_numbers[record_type], pa.int64())
            tables.append(to_table(record_type, records).append_column("line_number", numbers))
        return pa.concat_tables(tables)

    def record_types(self) -> list[type[Record]]:
        """The types that have rows or sets here."""
        found = self.records.keys() | self.tables.keys() | self.sets.keys()
        return [record_type for record_type in RECORDS if record_type in found]

    def line_table(self) -> pa.Table:
        """The lines, by number."""
        columns = list(zip(*self.lines, strict=True))
        return pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, merge.LINE_SCHEMA, strict=True)],
            schema=merge.LINE_SCHEMA,
        )


def _merge(
    connection: duckdb.DuckDBPyConnection,
    chunk: _Chunk,
    group: list[Batch],
    streams: Mapping[tuple[str, str], Stream],
    result: LoadResult,
) -> None:
    chunk.check()
    connection.execute("begin")
    try:
        if chunk.lines:
            merge.register(connection, "incoming_line", chunk.line_table())
        for record_type in chunk.record_types():
            has_rows = record_type in chunk.records or record_type in chunk.tables
            rows = chunk.arrow(record_type) if has_rows else None
            if record_type.set_of is not None:
                merge.merge_sets(
                    connection,
                    record_type,
                    rows,
                    sets=_set_table(chunk.sets.get(record_type, [])),
                    parts=_part_table(chunk.parts.get(record_type, [])),
                )
            elif rows is not None:
                merge.merge_rows(connection, record_type, rows)
            result.rows[record_type.table] += 0 if rows is None else rows.num_rows
        for record_type, keys in chunk.deleted.items():
            merge.note_gone(connection, record_type, keys)
        merge.note_rejects(connection, chunk.rejects)
        merge.note_counts(connection, [(*key, *count) for key, count in chunk.counts.items()])
        merge.note_loaded(
            connection,
            [
                (b.batch_id, b.connection, b.stream, streams[b.connection, b.stream].parser_version)
                for b in group
            ],
        )
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    result.batches += len(group)
    for reject in chunk.rejects:
        result.rejected[str(reject[1])] += 1


def _set_table(sets: list[tuple[str, datetime | None, int]]) -> pa.Table:
    return pa.table(
        {
            "parent": pa.array([s[0] for s in sets], pa.string()),
            "updated_at": pa.array([s[1] for s in sets], INSTANT),
            "line_number": pa.array([s[2] for s in sets], pa.int64()),
        }
    )


def _part_table(parts: list[tuple[str, int]]) -> pa.Table:
    columns = list(zip(*parts, strict=True)) or [(), ()]
    return pa.table([list(column) for column in columns], schema=merge.PART_SCHEMA)


def _delete(
    connection: duckdb.DuckDBPyConnection,
    landing: Landing,
    streams: Mapping[tuple[str, str], Stream],
    result: LoadResult,
) -> None:
    passes = [p for p in landing.full_passes() if not _forgets(streams, p[0], p[1])]
    confirmed = landing.confirmed_deletions()
    tables = {
        (connection_name, stream_name, record_type)
        for (connection_name, stream_name), stream in streams.items()
        for record_type in stream.record_types
        if record_type.set_of is None
    }
    connection.execute("begin")
    try:
        deletions.register_passes(connection, passes, confirmed)
        for record_type in RECORDS:
            if any(found is record_type for _, _, found in tables):
                deleted, held = deletions.delete_absent(connection, record_type)
                result.deleted[record_type.table] += deleted
                result.held += held
        deletions.note_held(connection, result.held)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _forgets(streams: Mapping[tuple[str, str], Stream], connection: str, stream: str) -> bool:
    found = streams.get((connection, stream))
    return found is None or found.forgets


def connectors_of(landing: Landing) -> list[Connector]:
    """Every connector that ever pulled into this landing, as it was when it last did."""
    found = []
    known: dict[str, type[Connector]] = {**kinds(), Local.kind: Local}
    for name, (kind, options) in landing.remembered().items():
        if kind not in known:
            raise LoadError(
                f"connection {name} was pulled by the connector {kind}, which this Leadline does "
                "not have; install the version that has it"
            )
        connector_type = known[kind]
        found.append(connector_type(name, connector_type.options_type.model_validate_json(options)))
    return found


def _streams(landing: Landing) -> dict[tuple[str, str], Stream]:
    return {
        (connector.name, stream.name): stream
        for connector in connectors_of(landing)
        for stream in connector.streams()
    }


def _pending(
    connection: duckdb.DuckDBPyConnection,
    landing: Landing,
    streams: Mapping[tuple[str, str], Stream],
) -> list[Batch]:
    """Batches not loaded by the parser of today; streams with a new parser start over."""
    loaded = merge.loaded_versions(connection)
    for (name, stream_name), stream in streams.items():
        versions = {version for c, s, version in loaded.values() if (c, s) == (name, stream_name)}
        if versions - {stream.parser_version}:
            merge.forget_stream(connection, name, stream_name, stream.record_types)
            loaded = {i: v for i, v in loaded.items() if v[:2] != (name, stream_name)}
    pending = []
    for batch in landing.batches():
        if batch.batch_id in loaded:
            continue
        if (batch.connection, batch.stream) not in streams:
            raise LoadError(
                f"batch {batch.batch_id} belongs to the stream {batch.connection}.{batch.stream}, "
                "which this Leadline does not have; install the version that has it"
            )
        pending.append(batch)
    return pending


def _grouped(batches: list[Batch]) -> Iterator[list[Batch]]:
    group: list[Batch] = []
    size = 0
    for batch in batches:
        if group and size + batch.bytes > CHUNK_BYTES:
            yield group
            group, size = [], 0
        group.append(batch)
        size += batch.bytes
    if group:
        yield group


def _fingerprint() -> str:
    """Changes when the layout of any record changes."""
    content = "\n".join(f"{t.table} {t.key} {t.set_of} {schema(t)}" for t in RECORDS)
    return hashlib.sha256(f"{merge.LAYOUT}\n{content}".encode()).hexdigest()[:16]


def _make_ready(records: Path, temporary: Path) -> None:
    """Have a records file of today's layout: one that is not there or of another is made anew.

    It appears by renaming a finished one. A process killed while DuckDB begins a file would leave
    one that cannot be opened again.
    """
    if records.exists() and _is_current(records):
        return
    fresh = records.with_suffix(".fresh")
    _remove(fresh)
    connection = duck.connect(fresh, temporary=temporary)
    try:
        merge.create_tables(connection, _fingerprint())
    finally:
        connection.close()
    _remove(records)
    fresh.rename(records)


def _is_current(records: Path) -> bool:
    # Without replacements, or a table that is missing is looked for among Python's variables.
    with duckdb.connect(str(records), config={"python_enable_replacements": "false"}) as connection:
        return merge.layout(connection) == _fingerprint()


def _remove(database: Path) -> None:
    """Remove a database; its log first, which must not be taken for a later file's."""
    for path in (Path(f"{database}.wal"), database):
        path.unlink(missing_ok=True)
