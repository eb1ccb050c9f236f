"""Jira Cloud as the sandbox serves it."""

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
    """The tickets of a small organisation."""
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    with Sandbox(organisation, folder / "git") as sandbox:
        os.environ["CONTRACT_JIRA_TOKEN"] = sandbox.jira.token
        options = {
            "base_url": sandbox.jira_url,
            "email": sandbox.jira.email,
            "token": {"env": "CONTRACT_JIRA_TOKEN"},
        }
        yield World(options, {**options, "start_date": "2026-09-15"}, faults=sandbox.jira_faults)
