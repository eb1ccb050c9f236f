"""GitHub as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.company import company, forge, served
from tests.contract.worlds.world import Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A small organisation."""
    with served(folder) as sandbox:
        os.environ["CONTRACT_GITHUB_TOKEN"] = sandbox.token
        own = company()
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
            **forge(sandbox.world),
            faults=sandbox.faults,
            bots=frozenset(account.login for account in own.accounts if account.is_bot),
            zoned=Unshown("GitHub writes all times in UTC, whoever asks"),
        )
