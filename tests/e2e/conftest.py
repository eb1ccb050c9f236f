"""Folders for tests that write much and prove nothing about disks."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def quick_folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: syncing a disk takes its time."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="leadline-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
