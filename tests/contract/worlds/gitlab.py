"""GitLab as the sandbox serves it, REST, GraphQL and Git on one host."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.generate import build_organisation
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.server import Sandbox
from tests.contract.worlds.world import World
from tests.e2e.demo_world import END


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation as a group with its teams as subgroups."""
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    with Sandbox(organisation, folder / "git") as sandbox:
        settings = GitlabSettings(repositories=sandbox.repositories, per_minute=2000)
        os.environ["CONTRACT_GITLAB_TOKEN"] = settings.token
        host = sandbox.host("gitlab", settings)
        options = {
            "base_url": host.url,
            "groups": [organisation.login],
            "token": {"env": "CONTRACT_GITLAB_TOKEN"},
            "paths": True,
            "pipeline_jobs": True,
            "child_pipelines": True,
            "issue_history": True,
            "incidents": True,
            "vulnerabilities": True,
        }
        yield World(options, {**options, "start_date": "2026-09-15"}, faults=host.faults)
