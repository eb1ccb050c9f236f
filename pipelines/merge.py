"""The SQL of the records file: tables, merging, whole sets, deletions. Set-based throughout."""

import duckdb
import pyarrow as pa

from connectors.arrow import INSTANT, schema
from connectors.records import RECORDS, Record

LAYOUT = 2

LINE_SCHEMA = pa.schema(
    [
        ("line_number", pa.int64()),
        ("connection", pa.string()),
        ("stream", pa.string()),
        ("scope", pa.string()),
        ("batch_id", pa.int64()),
        ("line", pa.int64()),
        ("requested_at", INSTANT),
        ("set_at", INSTANT),
        ("url", pa.string()),
    ]
)

PART_SCHEMA = pa.schema([("parent", pa.string()), ("line_number", pa.int64())])
NO_PARTS = PART_SCHEMA.empty_table()

_RUN_COLUMNS = """
    connection varchar not null, stream varchar not null, scope varchar not null,
    requested_at timestamptz not null, version_at timestamptz not null,
    sighted_at timestamptz not null, batch_id bigint not null, line bigint not null,
    deleted_at timestamptz
"""
_RUN_NAMES = (
    "connection",
    "stream",
    "scope",
    "requested_at",
    "version_at",
    "batch_id",
    "line",
)

_TABLES = """
create table if not exists layout (fingerprint varchar);
create table if not exists loaded_batch (
    batch_id bigint, connection varchar, stream varchar, parser_version integer
);
create table if not exists record_set (
    table_name varchar, parent varchar, version_at timestamptz, set_at timestamptz,
    connection varchar, stream varchar
);
create table if not exists record_part (
    table_name varchar, parent varchar, batch_id bigint, line bigint, told_at timestamptz,
    connection varchar, stream varchar
);
create table if not exists reject (
    connection varchar, stream varchar, scope varchar, batch_id bigint, line bigint,
    requested_at timestamptz, url varchar, table_name varchar, path varchar, problem varchar,
    excerpt varchar
);
create table if not exists load_count (
    batch_id bigint, table_name varchar, seen bigint, rows bigint, rejected bigint, mended bigint
);
create table if not exists gone (table_name varchar, key varchar, gone_at timestamptz,
    connection varchar, stream varchar);
create table if not exists held_deletion (
    table_name varchar, connection varchar, stream varchar, scope varchar, rows bigint,
    total bigint
);
"""

_ARROW_TO_SQL = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    INSTANT: "timestamptz",
}


def create_tables(connection: duckdb.DuckDBPyConnection, fingerprint: str) -> None:
    """Make the tables that are not there yet; no keys or indexes, they make merging slow."""
    connection.execute(_TABLES)
    for record_type in RECORDS:
        columns = ", ".join(
            f'"{f.name}" {_ARROW_TO_SQL.get(f.type, "varchar[]")}' for f in schema(record_type)
        )
        connection.execute(
            f'create table if not exists "{record_type.table}" ({columns}, {_RUN_COLUMNS})'
        )
    if layout(connection) is None:
        connection.execute("insert into layout values (?)", [fingerprint])


def layout(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The fingerprint the file was made with."""
    try:
        rows = connection.execute("select fingerprint from layout").fetchall()
    except duckdb.CatalogException:
        return None
    return str(rows[0][0]) if rows else None


def register(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Put an Arrow table beside the tables for this transaction."""
    connection.register(f"{name}_arrow", table)
    connection.execute(f"create or replace temp table {name} as select * from {name}_arrow")
    connection.unregister(f"{name}_arrow")


def _stage(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
    """Put the rows with the lines they came from into `incoming`."""
    connection.register("incoming_arrow", rows)
    connection.execute("""
        create or replace temp table incoming as
        select r.* exclude (line_number),
            l.connection, l.stream, l.scope, l.requested_at, l.batch_id, l.line, l.set_at,
            least(coalesce(r.source_updated_at, l.requested_at), l.requested_at) as version_at,
            l.requested_at as sighted_at
        from incoming_arrow as r join incoming_line as l using (line_number)
    """)
    connection.unregister("incoming_arrow")


def _keep_newest(connection: duckdb.DuckDBPyConnection, record_type: type[Record]) -> None:
    """Leave one row per key in `incoming`: its greatest version, seen when it was last seen."""
    key = ", ".join(f'"{column}"' for column in record_type.key)
    doubled = connection.execute(
        f"select 1 from incoming group by {key} having count(*) > 1 limit 1"
    ).fetchall()
    if not doubled:
        return  # the ordinary case, and the windows below are the dearest part of a load
    connection.execute(f"""
        create or replace temp table incoming as
        select * exclude (ordinal, sighted_at),
            max(sighted_at) over (partition by {key}) as sighted_at
        from (select *, rowid as ordinal from incoming)
        qualify row_number() over (
            partition by {key}
            order by version_at desc, requested_at desc, batch_id desc, line desc, ordinal desc
        ) = 1
    """)


def merge_rows(
    connection: duckdb.DuckDBPyConnection, record_type: type[Record], rows: pa.Table
) -> None:
    """Merge rows by key: the greatest version wins, every sighting counts as seen.

    One join finds what stands; winners replace it by row number, which is cheaper than MERGE.
    """
    _stage(connection, rows)
    _keep_newest(connection, record_type)
    table = record_type.table
    columns = [*(f.name for f in schema(record_type)), *_RUN_NAMES]
    listed = ", ".join(f'"{c}"' for c in columns)
    on = " and ".join(f't."{column}" = i."{column}"' for column in record_type.key)
    connection.execute(f"""
        create or replace temp table standing as
        select i.rowid as incoming_row, t.rowid as standing_row,
            greatest(t.sighted_at, i.sighted_at) as sighted_at,
            case when t.deleted_at >= i.sighted_at then t.deleted_at end as deleted_at,
            (i.version_at, i.requested_at, i.batch_id, i.line)
                >= (t.version_at, t.requested_at, t.batch_id, t.line) as is_winner
        from incoming as i join "{table}" as t on {on}
    """)
    connection.execute(f"""
        delete from "{table}" where rowid in (select standing_row from standing where is_winner);
        update "{table}" as t set sighted_at = s.sighted_at, deleted_at = s.deleted_at
        from standing as s where t.rowid = s.standing_row and not s.is_winner;
        insert into "{table}" ({listed}, sighted_at, deleted_at)
        select {", ".join(f'i."{c}"' for c in columns)},
            coalesce(s.sighted_at, i.sighted_at), s.deleted_at
        from incoming as i left join standing as s on s.incoming_row = i.rowid
        where s.is_winner is distinct from false
    """)


def merge_sets(
    connection: duckdb.DuckDBPyConnection,
    record_type: type[Record],
    rows: pa.Table | None,
    *,
    sets: pa.Table,
    parts: pa.Table,
) -> None:
    """Replace the rows of each parent by its newest whole set; overflow pages join their set.

    Rows that are only parts of a set stand beside it, until a set comes that was asked for later.
    """
    table, parent = record_type.table, record_type.set_of
    if rows is None:
        rows = schema(record_type).append(pa.field("line_number", pa.int64())).empty_table()
    _stage(connection, rows)
    if parts.num_rows:
        _take_parts(connection, record_type, parts)
    connection.register("incoming_set_arrow", sets)
    connection.execute("""
        create or replace temp table incoming_set as
        select s.parent, l.set_at, max(least(coalesce(s.updated_at, l.set_at), l.set_at))
            as version_at, any_value(l.connection) as connection, any_value(l.stream) as stream
        from incoming_set_arrow as s join incoming_line as l using (line_number)
        group by s.parent, l.set_at
    """)
    connection.unregister("incoming_set_arrow")
    connection.execute(f"""
        create or replace temp table winning_set as
        with candidate as (
            select parent, set_at, version_at, connection, stream, true as is_new
            from incoming_set
            union all
            select parent, set_at, version_at, connection, stream, false
            from record_set where table_name = '{table}' and parent in (
                select parent from incoming_set union
                select "{parent}" from incoming)
        )
        select * from candidate
        qualify row_number() over (
            partition by parent order by version_at desc, set_at desc, is_new) = 1
    """)
    lost = connection.execute(f"""
        select count(*) from incoming as i where not exists (
            select 1 from winning_set as w where w.parent = i."{parent}")
    """).fetchall()[0][0]
    if lost:
        raise AssertionError(
            f"{lost} rows of {table} came without saying that they are a whole set"
        )
    connection.execute(f"""
        delete from record_part using winning_set as w
        where table_name = '{table}' and record_part.parent = w.parent and w.is_new
            and record_part.told_at <= w.set_at;
        delete from "{table}" as t
        where t."{parent}" in (select parent from winning_set where is_new)
            and not {_is_part(table)};
        delete from record_set where table_name = '{table}'
            and parent in (select parent from winning_set where is_new);
        insert into record_set
            select '{table}', parent, version_at, set_at, connection, stream
            from winning_set where is_new;
    """)
    columns = [*(f.name for f in schema(record_type)), *_RUN_NAMES, "sighted_at"]
    listed = ", ".join(f'"{c}"' for c in columns)
    key = ", ".join(f'i."{c}"' for c in record_type.key)
    same = " and ".join(f't."{c}" = i."{c}"' for c in record_type.key)
    connection.execute(f"""
        insert into "{table}" ({listed})
        select {", ".join(f'i."{c}"' for c in columns)}
        from incoming as i
        join winning_set as w on w.parent = i."{parent}" and w.set_at = i.set_at
        where not exists (select 1 from "{table}" as t where {same})
        qualify row_number() over (
            partition by {key} order by i.requested_at desc, i.batch_id desc, i.line desc) = 1
    """)
    if parts.num_rows:
        _merge_parts(connection, record_type, listed)


def _is_part(table: str) -> str:
    """Whether the row `t` of a table came as a part of a set."""
    return f"""exists (
        select 1 from record_part as p
        where p.table_name = '{table}' and p.batch_id = t.batch_id and p.line = t.line
    )"""


def _take_parts(
    connection: duckdb.DuckDBPyConnection, record_type: type[Record], parts: pa.Table
) -> None:
    """Move the rows that are only parts of a set from `incoming` into `incoming_part`."""
    connection.register("incoming_part_arrow", parts)
    connection.execute(f"""
        create or replace temp table part_line as
        select distinct p.parent, l.batch_id, l.line
        from incoming_part_arrow as p join incoming_line as l using (line_number);
        create or replace temp table incoming_part as
        select i.* from incoming as i
        join part_line as p on p.parent = i."{record_type.set_of}"
            and p.batch_id = i.batch_id and p.line = i.line;
        delete from incoming as i using part_line as p
        where p.parent = i."{record_type.set_of}" and p.batch_id = i.batch_id and p.line = i.line;
    """)
    connection.unregister("incoming_part_arrow")


def _merge_parts(
    connection: duckdb.DuckDBPyConnection, record_type: type[Record], listed: str
) -> None:
    """Put the parts that are newer than their parent's whole set beside it, the newest a key."""
    table, parent = record_type.table, record_type.set_of
    key = ", ".join(f'i."{c}"' for c in record_type.key)
    same = " and ".join(f't."{c}" = i."{c}"' for c in record_type.key)
    connection.execute(f"""
        create or replace temp table newer_part as
        select i.* from incoming_part as i
        left join record_set as s on s.table_name = '{table}' and s.parent = i."{parent}"
        where s.parent is null or i.requested_at > s.set_at
        qualify row_number() over (
            partition by {key} order by i.requested_at desc, i.batch_id desc, i.line desc) = 1;
        delete from newer_part as i where exists (
            select 1 from "{table}" as t
            where {same} and {_is_part(table)}
                and (t.requested_at, t.batch_id, t.line) >= (i.requested_at, i.batch_id, i.line));
        delete from "{table}" as t where exists (select 1 from newer_part as i where {same});
        insert into "{table}" ({listed}) select {listed} from newer_part;
        insert into record_part
        select distinct '{table}', "{parent}", batch_id, line, requested_at, connection, stream
        from newer_part;
    """)


def note_gone(
    connection: duckdb.DuckDBPyConnection, record_type: type[Record], keys: list[tuple[str, int]]
) -> None:
    """Keep what a source itself declared gone."""
    connection.executemany(
        "insert into gone select ?, ?, requested_at, connection, stream from incoming_line"
        " where line_number = ?",
        [(record_type.table, key, number) for key, number in keys],
    )


def note_rejects(connection: duckdb.DuckDBPyConnection, rejects: list[tuple[object, ...]]) -> None:
    """Keep what could not be read, with its reason."""
    if not rejects:
        return
    columns = list(zip(*rejects, strict=True))
    names = ("line_number", "table_name", "path", "problem", "excerpt")
    types = (pa.int64(), *[pa.string()] * 4)
    table = pa.table({n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)})
    connection.register("incoming_reject", table)
    connection.execute("""
        insert into reject
        select l.connection, l.stream, l.scope, l.batch_id, l.line, l.requested_at, l.url,
            r.table_name, r.path, r.problem, r.excerpt
        from incoming_reject as r join incoming_line as l using (line_number)
    """)
    connection.unregister("incoming_reject")


def note_counts(connection: duckdb.DuckDBPyConnection, counts: list[tuple[object, ...]]) -> None:
    """Keep seen, read, rejected and mended items per batch and table."""
    if counts:
        connection.executemany("insert into load_count values (?, ?, ?, ?, ?, ?)", counts)


def note_loaded(
    connection: duckdb.DuckDBPyConnection, batches: list[tuple[int, str, str, int]]
) -> None:
    """Mark batches as loaded, in the transaction that loads them."""
    if batches:
        connection.executemany("insert into loaded_batch values (?, ?, ?, ?)", batches)


def loaded_versions(connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, str, int]]:
    """Per loaded batch its connection, stream and the parser's version."""
    rows = connection.execute(
        "select batch_id, connection, stream, parser_version from loaded_batch"
    ).fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def forget_stream(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    stream: str,
    record_types: tuple[type[Record], ...],
) -> None:
    """Drop what a stream gave, so that its batches are read again by the parser of today."""
    tables = [record_type.table for record_type in record_types]
    own = ["loaded_batch", "record_set", "record_part", "reject", "gone"]
    connection.execute("begin")
    connection.execute(
        "delete from load_count where batch_id in (select batch_id from loaded_batch"
        " where connection = ? and stream = ?)",
        [name, stream],
    )
    for table in [*tables, *own]:
        connection.execute(
            f'delete from "{table}" where connection = ? and stream = ?', [name, stream]
        )
    connection.execute("commit")
