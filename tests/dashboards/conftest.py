"""Published builds for the dashboard's tests, written once per run."""

import gc
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import streamlit

from tests.dashboards.fixture import World, write_build, write_empty_build


@pytest.fixture(scope="session", autouse=True)
def _no_connection_outlives_the_tests() -> Iterator[None]:
    """Pages keep connections open for the life of their process: let go of them in time."""
    yield
    streamlit.cache_resource.clear()
    gc.collect()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a build that has everything."""
    data = tmp_path_factory.mktemp("filled")
    write_build(data, World(changes=3000))
    return data


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose names, titles and links are hostile."""
    data = tmp_path_factory.mktemp("hostile")
    write_build(data, World(changes=1500, hostile=True))
    return data


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a build in which nothing was found."""
    data = tmp_path_factory.mktemp("empty")
    write_empty_build(data)
    return data


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with more than 50,000 changes and as many deployments."""
    data = tmp_path_factory.mktemp("crowded")
    connection = duckdb.connect(str(write_build(data, World(changes=3000))))
    for table, key in (("change_fact", "change_id"), ("deployment_fact", "deployment_id")):
        connection.execute(
            f"INSERT INTO {table} SELECT t.* REPLACE (t.{key} || '-' || copy AS {key})"
            f" FROM {table} AS t, range(21) AS copies(copy)"
        )
    found = connection.sql("SELECT count(*) FROM change_fact").fetchall()
    assert found[0][0] >= 50_000
    connection.close()
    return data
