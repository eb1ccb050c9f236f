"""Backstage as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.company import changed, company, people_renamed, served, without_person
from tests.contract.worlds.world import Moving, Removed, Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The portal of a small organisation that makes its services by a template."""
    with served(folder) as sandbox:
        os.environ["CONTRACT_BACKSTAGE_TOKEN"] = sandbox.addresses()["backstage_token"]
        gone = company().people[-1]
        options = {
            "base_url": sandbox.backstage_url,
            "token": {"env": "CONTRACT_BACKSTAGE_TOKEN"},
        }
        yield World(
            options=options,
            narrowed={**options, "start_date": "2026-10-15"},
            faults=sandbox.backstage_faults,
            moving=Moving(sandbox.world),
            renamed=people_renamed(sandbox.world),
            removed=Removed(
                changed(sandbox.world, without_person),
                f"select 'account', account_id from account where name = '{gone.name}'",
            ),
            ghosts=Unshown("a run of a template is told by a name, whether it is there or not"),
            bots=Unshown("users of a catalog are people"),
            zoned=Unshown("Backstage writes all times in UTC, whoever asks"),
        )
