"""Two runs over the same sources must end in equal tables; what may differ is declared here."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from pipelines.reader import connect, current_build

Tables = Mapping[str, list[str]]

# When and in which batch a row arrived, and what follows from that alone.
RUN_COLUMNS = {
    *("batch_id", "line", "requested_at", "sighted_at", "version_at", "set_at", "scanned_at"),
}
RUN_COLUMNS_OF = {
    "reference": {"seen_at"},
    # People are met in many places: these name the one that met them last.
    "account": {"stream", "scope"},
    "gone": {"gone_at"},
    "build": {"build_id", "built_at", "seconds", "settings_fingerprint"},
    # `rows` counts what arrived, and what was under way at a kill arrives twice.
    "data_health": {
        *("last_success_at", "last_full_at", "coverage_to", "lag_us", "requests", "rows"),
    },
    # Practices are read when the main line moves: which commit shows them depends on the pull.
    "standing_scan": {"scan_id", "sha", "from_at", "until_at"},
    "source": {"last_success_at", "last_full_at", "requests", "bytes"},
}
# How the rows came, not what they say.
RUN_TABLES = {"layout", "loaded_batch", "load_count", "record_part"}


def records_of(data: Path) -> Tables:
    """Every row of the records without its run columns, per table, in an order of its own."""
    with duckdb.connect(str(data / "records.duckdb"), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return _rows(connection)


def build_of(data: Path) -> Tables:
    """The same of the published build."""
    path = current_build(data)
    assert path is not None, "nothing was published"
    with connect(path) as connection:
        return _rows(connection)


def tables_of(data: Path) -> Tables:
    """Records and published build together."""
    records = {f"records.{name}": rows for name, rows in records_of(data).items()}
    return {**records, **build_of(data)}


def differing(expected: Tables, found: Tables) -> dict[str, list[str]]:
    """Per table a few rows that only one side has (- expected, + found); empty when equal."""
    different = {}
    for name in sorted(expected.keys() | found.keys()):
        ours, theirs = expected.get(name), found.get(name)
        if ours == theirs:
            continue
        missing = sorted(set(ours or ()) - set(theirs or ()))
        surplus = sorted(set(theirs or ()) - set(ours or ()))
        counted = f"{len(ours or ())} rows expected, {len(theirs or ())} found"
        different[name] = [
            counted,
            *(f"- {row}" for row in missing[:4]),
            *(f"+ {row}" for row in surplus[:4]),
        ]
    return different


def _rows(connection: duckdb.DuckDBPyConnection) -> Tables:
    columns = connection.execute(
        "select table_schema, table_name, column_name from information_schema.columns"
        " where table_catalog = current_database() order by 1, 2, ordinal_position"
    ).fetchall()
    kept: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in columns:
        if column not in RUN_COLUMNS | RUN_COLUMNS_OF.get(table, set()):
            kept.setdefault((schema, table), []).append(f'"{column}"')
    found = {}
    for (schema, table), names in kept.items():
        if table not in RUN_TABLES:
            query = f'select {", ".join(names)} from "{schema}"."{table}"'
            found[f"{schema}.{table}"] = sorted(map(str, connection.execute(query).fetchall()))
    return found
