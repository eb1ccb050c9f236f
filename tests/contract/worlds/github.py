"""GitHub as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.company import changed, company, renamed_repository, served, without_repository
from tests.contract.worlds.world import GIT, Ghosts, Moving, Removed, Renamed, Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation."""
    with served(folder) as sandbox:
        os.environ["CONTRACT_GITHUB_TOKEN"] = sandbox.token
        own = company()
        last = own.repositories[-1]
        options = {
            "base_url": sandbox.github_url,
            "organisation": own.login,
            "token": {"env": "CONTRACT_GITHUB_TOKEN"},
            "paths": True,
            "practices": {"history_days": 28},
            "workflow_runs": True,
            "issues": True,
        }
        yield World(
            options=options,
            narrowed={**options, "start_date": "2026-10-15"},
            faults=sandbox.faults,
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
            bots=frozenset(account.login for account in own.accounts if account.is_bot),
            own_pages={"practices": "what was found in files, put together here"},
            zoned=Unshown("GitHub writes all times in UTC, whoever asks"),
        )
