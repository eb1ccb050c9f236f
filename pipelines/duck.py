"""Every writing DuckDB connection is opened here, with the same settings."""

import os
from pathlib import Path

import duckdb

# A group of rows is what one thread reads or writes at a time, and whole groups go straight to the
# file, past the log. With DuckDB's own 122,880 most tables would keep one core busy.
ROW_GROUP_SIZE = 24576
# Tables that last only as long as the connection: in memory as they are, where writing a text
# column compressed costs five times as much; beyond the limit they go to the temporary folder.
PASSING = "passing"
_PATH = f"set search_path = 'opened.main,{PASSING}.main'"


def memory_limit(limit_gb: float | None = None) -> int:
    """Bytes DuckDB may use: the given limit, or half of the machine, at most 4 GB."""
    if limit_gb is not None:
        return int(limit_gb * 1024**3)
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return int(min(4 * 1024**3, half))


def connect(
    path: Path, *, temporary: Path, memory_limit_gb: float | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database file for writing: UTC, no extensions from outside, bounded memory."""
    connection = duckdb.connect(
        config={
            "memory_limit": f"{memory_limit(memory_limit_gb)}B",
            "temp_directory": str(temporary),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # A missing table is an error, not a Python variable that happens to have its name.
            "python_enable_replacements": "false",
        },
    )
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"attach '{quoted(path)}' as opened (row_group_size {ROW_GROUP_SIZE})")
    connection.execute(f"attach ':memory:' as {PASSING}")
    connection.execute(_PATH)
    return connection


def cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A second connection to the same file, for another thread."""
    second = connection.cursor()
    second.execute("set timezone = 'UTC'")
    second.execute(_PATH)
    return second


def quoted(path: Path) -> str:
    """A path inside a text of SQL."""
    return str(path).replace("'", "''")
