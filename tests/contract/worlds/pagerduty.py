"""PagerDuty as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.pagerduty import PagerdutySettings
from tests.contract.company import changed, company, people_renamed, served, without_person
from tests.contract.worlds.world import Moving, Removed, Unshown, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The incidents of a small organisation."""
    settings = PagerdutySettings(requests_a_window=100_000)
    with served(folder) as sandbox:
        os.environ["CONTRACT_PAGERDUTY_TOKEN"] = settings.token
        host = sandbox.host("pagerduty", settings)
        far = PagerdutySettings(requests_a_window=100_000, zone="Asia/Kolkata")
        gone = company().people[-1].id
        options = {
            "base_url": host.url,
            "token": {"env": "CONTRACT_PAGERDUTY_TOKEN"},
        }
        yield World(
            options=options,
            narrowed={**options, "start_date": "2026-10-15"},
            faults=host.faults,
            moving=Moving(sandbox.world),
            renamed=people_renamed(sandbox.world),
            removed=Removed(
                changed(sandbox.world, without_person),
                f"select 'account', account_id, null from account where account_id like '%:P{gone}'"
                " union all select 'team_member', team_id, account_id from team_member"
                f" where account_id like '%:P{gone}'",
            ),
            ghosts=Unshown("nobody is the author of an incident"),
            bots=Unshown("an account has users alone; integrations are none"),
            zoned={"base_url": sandbox.host("pagerduty", far).url},
        )
