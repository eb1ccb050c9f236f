"""Jenkins as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.generate import build_organisation
from sandbox.jenkins import JenkinsSettings
from sandbox.server import Sandbox
from tests.contract.worlds.world import World
from tests.e2e.demo_world import END


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The builds of a small organisation."""
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    settings = JenkinsSettings(context_path="/jenkins")
    with Sandbox(organisation, folder / "git") as sandbox:
        os.environ["CONTRACT_JENKINS_TOKEN"] = settings.token
        host = sandbox.host("jenkins", settings)
        options = {
            "base_url": host.url + settings.context_path,
            "user": settings.user,
            "token": {"env": "CONTRACT_JENKINS_TOKEN"},
            "stages": ["*"],
        }
        yield World(options, {**options, "start_date": "2026-09-15"}, faults=host.faults)
