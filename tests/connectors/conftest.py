"""The sandbox that tests of a connector pull from, over the `organisation` of their module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.organisation import Organisation
from sandbox.server import Sandbox


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the organisation's repositories are written, once."""
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture
def sandbox(organisation: Organisation, repositories: Path) -> Iterator[Sandbox]:
    """The organisation, served."""
    with Sandbox(organisation, repositories) as running:
        yield running
