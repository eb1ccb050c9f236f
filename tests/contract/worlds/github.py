"""GitHub as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.generate import build_organisation
from sandbox.server import Sandbox
from tests.contract.worlds.world import World
from tests.e2e.demo_world import END


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation."""
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    with Sandbox(organisation, folder / "git") as sandbox:
        os.environ["CONTRACT_GITHUB_TOKEN"] = sandbox.token
        options = {
            "base_url": sandbox.github_url,
            "organisation": organisation.login,
            "token": {"env": "CONTRACT_GITHUB_TOKEN"},
            "paths": True,
            "workflow_runs": True,
            "issues": True,
        }
        yield World(options, {**options, "start_date": "2026-09-15"}, faults=sandbox.faults)
