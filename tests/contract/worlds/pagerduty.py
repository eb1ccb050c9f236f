"""PagerDuty as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.pagerduty import PagerdutySettings
from sandbox.server import Sandbox
from sandbox.worlds import WORLDS, build_world
from tests.contract.worlds.world import World
from tests.e2e.demo_world import END


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The incidents of a small organisation."""
    organisation = build_world(WORLDS["steady"], end=END)
    settings = PagerdutySettings(requests_a_window=100_000)
    with Sandbox(organisation, folder / "git") as sandbox:
        os.environ["CONTRACT_PAGERDUTY_TOKEN"] = settings.token
        host = sandbox.host("pagerduty", settings)
        options = {
            "base_url": host.url,
            "token": {"env": "CONTRACT_PAGERDUTY_TOKEN"},
        }
        yield World(options, {**options, "start_date": "2026-03-15"}, faults=host.faults)
