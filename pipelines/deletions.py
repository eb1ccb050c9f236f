"""Rows that sources no longer show: deleted by two full passes, or held until somebody confirms."""

from datetime import datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from connectors.arrow import INSTANT
from connectors.records import Record
from pipelines.merge import register

HOLD_SHARE = 0.2
HOLD_ROWS = 10


class Held(NamedTuple):
    """Deletions that look like a mistake of the source and wait for confirmation."""

    table: str
    connection: str
    stream: str
    scope: str
    rows: int
    total: int


def register_passes(
    connection: duckdb.DuckDBPyConnection,
    passes: list[tuple[str, str, str, datetime, datetime]],
    confirmed: dict[tuple[str, str, str], datetime],
) -> None:
    """Put the completed full passes, each with the one after it, beside the tables."""
    columns = list(zip(*passes, strict=True)) or [()] * 5
    register(
        connection,
        "full_pass",
        pa.table(
            {
                "connection": pa.array(columns[0], pa.string()),
                "stream": pa.array(columns[1], pa.string()),
                "scope": pa.array(columns[2], pa.string()),
                "started_at": pa.array(columns[3], INSTANT),
                "completed_at": pa.array(columns[4], INSTANT),
                "confirmed_at": pa.array([confirmed.get(p[:3]) for p in passes], INSTANT),
            }
        ),
    )
    connection.execute("""
        create or replace temp table pass_pair as
        select *, lead(completed_at) over each_scope as deleted_at
        from full_pass
        window each_scope as (partition by connection, stream, scope order by started_at)
        qualify deleted_at is not null
    """)


def delete_absent(
    connection: duckdb.DuckDBPyConnection, record_type: type[Record]
) -> tuple[int, list[Held]]:
    """Mark rows absent from two consecutive complete full passes, or declared gone, as deleted.

    More than a fifth and more than ten rows of a scope are held until somebody confirms.
    """
    table, key = record_type.table, record_type.key[0]
    same = " and ".join(f't."{c}" = d."{c}"' for c in record_type.key)
    key_columns = ", ".join(f't."{c}"' for c in record_type.key)
    connection.execute(f"""
        create or replace temp table absent as
        select {key_columns}, t.connection, t.stream, t.scope, min(p.deleted_at) as deleted_at,
            coalesce(bool_or(p.confirmed_at >= p.deleted_at), false) as is_confirmed
        from "{table}" as t
        join pass_pair as p on p.connection = t.connection and p.stream = t.stream
            and p.scope = t.scope and p.started_at > t.sighted_at
        where t.deleted_at is null
        group by all
    """)
    held = connection.execute(f"""
        with missing as (
            select connection, stream, scope, count(*) as rows, bool_and(is_confirmed) as is_ok
            from absent group by all),
        alive as (
            select connection, stream, scope, count(*) as total from "{table}"
            where deleted_at is null group by all)
        select connection, stream, scope, rows, total
        from missing join alive using (connection, stream, scope)
        where not is_ok and rows > {HOLD_ROWS} and rows > {HOLD_SHARE} * total
    """).fetchall()
    if held:
        connection.executemany(
            "delete from absent where connection = ? and stream = ? and scope = ?",
            [row[:3] for row in held],
        )
    connection.execute(f"""
        update "{table}" as t set deleted_at = d.deleted_at from absent as d where {same};
    """)
    deleted = connection.execute("select count(*) from absent").fetchall()[0][0]
    connection.execute(f"""
        update "{table}" as t set deleted_at = g.gone_at
        from (
            select key, max(gone_at) as gone_at from gone where table_name = '{table}' group by key
        ) as g
        where t."{key}" = g.key and t.deleted_at is null and t.sighted_at < g.gone_at
    """)
    return deleted, [Held(table, *row) for row in held]


def note_held(connection: duckdb.DuckDBPyConnection, held: list[Held]) -> None:
    """Replace the list of held deletions."""
    connection.execute("delete from held_deletion")
    if held:
        connection.executemany("insert into held_deletion values (?, ?, ?, ?, ?, ?)", held)
