"""Jira Cloud as the sandbox serves it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.jira import JiraSettings
from tests.contract.company import changed, company, people_renamed, served, without_ticket
from tests.contract.worlds.world import Ghosts, Moving, Removed, World


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The tickets of a small organisation."""
    with served(folder) as sandbox:
        os.environ["CONTRACT_JIRA_TOKEN"] = sandbox.jira.token
        site = company().ticket_site
        gone = site.tickets[0].id
        abroad = sandbox.host("jira", JiraSettings(zone="America/Los_Angeles"))
        options = {
            "base_url": sandbox.jira_url,
            "email": sandbox.jira.email,
            "token": {"env": "CONTRACT_JIRA_TOKEN"},
        }
        yield World(
            options=options,
            narrowed={**options, "start_date": "2026-10-15"},
            faults=sandbox.jira_faults,
            moving=Moving(sandbox.world),
            renamed=people_renamed(sandbox.world),
            removed=Removed(
                changed(sandbox.world, without_ticket),
                f"select 'ticket', ticket_id from ticket where ticket_id like '%:{gone}'"
                " union all select 'worklog', worklog_id from worklog"
                f" where ticket_id like '%:{gone}'",
            ),
            ghosts=Ghosts(
                "select distinct ticket_id, transition_id from ticket_transition"
                " where actor is null",
                sum(
                    history.author_user_id is None
                    for ticket in site.tickets
                    for history in ticket.histories
                ),
            ),
            bots=frozenset(user.display_name for user in site.users if user.kind == "app"),
            zoned={"base_url": abroad.url},
        )
