"""GitLab as the sandbox serves it, REST, GraphQL and Git on one host."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.gitlab_protocol import GitlabSettings
from tests.contract.company import changed, company, renamed_repository, served, without_repository
from tests.contract.worlds.world import GIT, Ghosts, Moving, Removed, Renamed, Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation as a group with its teams as subgroups."""
    with served(folder) as sandbox:
        settings = GitlabSettings(repositories=sandbox.repositories, per_minute=100_000)
        os.environ["CONTRACT_GITLAB_TOKEN"] = settings.token
        host = sandbox.host("gitlab", settings)
        own = company()
        last = own.repositories[-1]
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
            faults=host.faults,
            moving=Moving(sandbox.world, remembered=frozenset({"finding"}), still=GIT),
            renamed=Renamed(
                changed(sandbox.world, renamed_repository),
                "select repository_id, repository_key from repository",
            ),
            removed=Removed(
                changed(sandbox.world, without_repository),
                "select 'repository', repository_id from repository"
                f" where repository_id like '%:{last.id}'",
            ),
            ghosts=Ghosts(
                "select * from change_request where author is null",
                sum(
                    change.author_account_id is None
                    for repository in own.repositories
                    for change in repository.change_requests
                ),
            ),
            bots=frozenset(
                f"group_{own.id}_bot_{account.id:032x}"
                for account in own.accounts
                if account.is_bot
            ),
            own_pages={"practices": "what was found in files, put together here"},
            zoned=Unshown("GitLab writes the zone of the server into every time, not the user's"),
        )
