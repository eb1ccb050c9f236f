"""Backstage as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.server import Sandbox
from sandbox.worlds import WORLDS, build_world
from tests.contract.worlds.world import World
from tests.e2e.demo_world import END


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The portal of a small organisation that makes its services by a template."""
    organisation = build_world(WORLDS["steady"], end=END)
    with Sandbox(organisation, folder / "git") as sandbox:
        os.environ["CONTRACT_BACKSTAGE_TOKEN"] = sandbox.addresses()["backstage_token"]
        options = {
            "base_url": sandbox.backstage_url,
            "token": {"env": "CONTRACT_BACKSTAGE_TOKEN"},
        }
        yield World(
            options, {**options, "start_date": "2026-09-15"}, faults=sandbox.backstage_faults
        )
