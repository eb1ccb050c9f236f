"""GitLab as the sandbox serves it, REST, GraphQL and Git on one host."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.gitlab_protocol import GitlabSettings
from tests.contract.company import company, forge, served
from tests.contract.worlds.world import Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation as a group with its teams as subgroups."""
    with served(folder) as sandbox:
        settings = GitlabSettings(repositories=sandbox.repositories, per_minute=100_000)
        os.environ["CONTRACT_GITLAB_TOKEN"] = settings.token
        host = sandbox.host("gitlab", settings)
        own = company()
        options = {
            "base_url": host.url,
            "groups": [own.login],
            "token": {"env": "CONTRACT_GITLAB_TOKEN"},
            "paths": True,
            "practices": {"history_days": 28},
            "pipeline_jobs": True,
            "child_pipelines": True,
            "issue_history": True,
            "incidents": True,
            "vulnerabilities": True,
        }
        yield World(
            options=options,
            narrowed={**options, "start_date": "2026-10-15"},
            **forge(sandbox.world),
            faults=host.faults,
            bots=frozenset(
                f"group_{own.id}_bot_{account.id:032x}"
                for account in own.accounts
                if account.is_bot
            ),
            zoned=Unshown("GitLab writes the zone of the server into every time, not the user's"),
        )
