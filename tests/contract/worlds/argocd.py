"""Argo CD as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.argocd_payloads import ArgocdSettings
from sandbox.server import Sandbox
from sandbox.worlds import WORLDS, build_world
from tests.contract.worlds.world import World
from tests.e2e.demo_world import END


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation whose every deployment is a sync."""
    organisation = build_world(WORLDS["steady"], end=END)
    with Sandbox(organisation, folder / "git") as sandbox:
        os.environ["CONTRACT_ARGOCD_TOKEN"] = ArgocdSettings().token
        host = sandbox.host("argocd")
        options = {
            "base_url": host.url,
            "token": {"env": "CONTRACT_ARGOCD_TOKEN"},
        }
        yield World(options, {**options, "start_date": "2026-09-15"}, faults=host.faults)
