"""Pulling into a data folder, and asking the records of what was pulled there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from connectors.connector import Connector
from pipelines.landing import Landing
from pipelines.load import load
from pipelines.sync import SyncResult, sync_connection
from tests.e2e.comparison import Tables, records_of


def pull(folder: Path, connector: Connector, **more: Any) -> SyncResult:
    """Pull into a data folder."""
    with Landing(folder / "landing.sqlite") as landing:
        return sync_connection(landing, connector, **{"clones": folder / "clones", **more})


@contextmanager
def loaded(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The records of all that was pulled there, freshly loaded."""
    _load(folder)
    with duckdb.connect(str(folder / "records.duckdb"), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """What the records of all that was pulled there say."""
    with loaded(folder) as connection:
        return connection.execute(query).fetchall()


def rows(folder: Path) -> Tables:
    """All records of what was pulled there."""
    _load(folder)
    return records_of(folder)


def _load(folder: Path) -> None:
    with Landing(folder / "landing.sqlite") as landing:
        load(landing, folder / "records.duckdb", temporary=folder / "tmp")
