"""Published builds for the dashboard's tests, written once per run."""

from pathlib import Path

import pytest

from tests.dashboards.fixture import World, write_build, write_empty_build


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
