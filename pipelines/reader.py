"""Read the published build: find it, check that this version can read it, connect safely."""

import threading
from pathlib import Path
from typing import Final

import duckdb

from pipelines.duck import memory_limit

SCHEMA_VERSION: Final = 4
"""Version of the published tables; raised whenever a table or column changes its meaning."""

_settling = threading.Lock()


class RebuildNeededError(RuntimeError):
    """The published build was made by another version of Leadline and has to be built again."""

    def __init__(self, path: Path, found: int | None) -> None:
        self.path = path
        self.found = found
        made = "without a schema version" if found is None else f"with schema version {found}"
        super().__init__(
            f"rebuild needed: {path.name} was made {made}, this Leadline reads {SCHEMA_VERSION}; "
            "run `leadline build`"
        )


def current_build(data: Path) -> Path | None:
    """Return the file of the build that is published in a data folder, or None without one.

    The pointer is a symlink that publication swaps atomically, so the resolved path stays valid
    for as long as the caller uses it: build files are never written again.
    """
    pointer = data / "builds" / "current"
    try:
        path = pointer.resolve(strict=True)
    except FileNotFoundError:
        return None
    return path if path.is_file() else None


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a published build for reading: no writes, no files, no network, configuration locked.

    Raises RebuildNeededError when the build has another schema version.
    """
    connection = duckdb.connect(
        str(path),
        read_only=True,
        config={
            "memory_limit": f"{memory_limit()}B",
            "temp_directory": str(path.parent.parent / "tmp"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # A query must not see variables of the process that runs it.
            "python_enable_replacements": "false",
        },
    )
    try:
        _settle(connection)
        _check_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Fix zone and access for good; connections of one process to one file share their settings."""
    with _settling:
        locked = connection.execute("SELECT current_setting('lock_configuration')").fetchall()
        if locked[0][0]:
            return  # an earlier connection to this build is still open
        # Globally, because a cursor does not take over what was set for its connection alone.
        connection.execute("SET GLOBAL timezone = 'UTC'")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def _check_schema(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        rows = connection.execute("SELECT schema_version FROM build").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise RebuildNeededError(path, None) from error
    found = rows[0][0] if rows else None
    if found != SCHEMA_VERSION:
        raise RebuildNeededError(path, found)
