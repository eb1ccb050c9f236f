"""Folders for tests that write much and prove nothing about disks, and a browser."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browsing import started_browser


@pytest.fixture(scope="module")
def quick_folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: syncing a disk takes its time."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="leadline-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser for the tests of a module."""
    with started_browser() as started:
        yield started
