"""PagerDuty: what a thousand incidents cost, first and when an hour has passed."""

import operator
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.result import Result
from benchmarks.syncs import synced, token
from connectors.pagerduty import Pagerduty, PagerdutyOptions
from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.pagerduty import PagerdutySettings, pagerduty_app
from sandbox.serving import Server
from sandbox.ticketing import Ticket
from sandbox.world import World

INCIDENTS = 1_000
END = datetime(2026, 6, 1, tzinfo=UTC)
_YEAR = timedelta(days=360)


def run(scale: float = 1.0) -> Iterator[Result]:
    """A year of incidents, each with its triggers, notes, acknowledgement and resolve."""
    count = max(10, round(INCIDENTS * scale))
    world = World(_organisation(count))
    settings = PagerdutySettings(requests_a_window=1_000_000)
    with tempfile.TemporaryDirectory() as name, Server(pagerduty_app(world, settings)) as server:
        folder = Path(name)
        options = PagerdutyOptions(
            base_url=server.url, token=token(folder, settings.token), people=False
        )
        connector = Pagerduty("pagerduty", options)
        for what, later in (("first pull", timedelta()), ("an hour later", timedelta(hours=1))):
            started = time.perf_counter()
            result = synced(folder, connector, now=partial(operator.add, END, later))
            seconds = time.perf_counter() - started
            limit = 120 if later == timedelta() else 5
            told = f"{count:,} incidents of a year, {what}"
            yield Result(f"{told}: requests", result.requests, "requests", limit)
            yield Result("  time", seconds, "s")


def _organisation(count: int) -> Organisation:
    """A small organisation whose incidents are told again and again over a year."""
    organisation = build_organisation(engineers=8, services=4, months=6, end=END)
    outcomes = {outcome.ticket_key: outcome for outcome in organisation.incident_outcomes}
    site = organisation.ticket_site
    known = [t for t in site.tickets if t.key in outcomes and t.resolved_at is not None]
    tickets = [_again(known[n % len(known)], n, _YEAR / count * n) for n in range(count)]
    told = tuple(
        replace(outcomes[known[n % len(known)].key], ticket_key=ticket.key, duplicate_of=None)
        for n, ticket in enumerate(tickets)
    )
    return replace(
        organisation,
        ticket_site=replace(site, tickets=tuple(tickets)),
        incident_outcomes=told,
    )


def _again(ticket: Ticket, number: int, after: timedelta) -> Ticket:
    """The same incident at another time."""
    shift = END - _YEAR + after - ticket.created_at
    return replace(
        ticket,
        id=number + 1,
        key=f"AGAIN-{number}",
        created_at=ticket.created_at + shift,
        resolved_at=None if ticket.resolved_at is None else ticket.resolved_at + shift,
        histories=tuple(replace(each, at=each.at + shift) for each in ticket.histories),
    )
