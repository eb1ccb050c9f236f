"""Pulling a served Jira the way the pull loop does, for tests."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.client import Client
from connectors.connector import Page, Pull, Scope, State, Stream
from connectors.jira import Jira, JiraOptions
from connectors.records import Account, Record, Ticket, TicketSla, TicketTransition, Worklog
from sandbox.ticketing import TicketSite
from tests.sandbox.jira_world import CLOSED, DOING, OPEN
from tests.sandbox.jira_world import Jira as Served

TRACKED = {
    "status": "status",
    "assignee": "assignee",
    "priority": "priority",
    "project": "project",
    "Key": "key",
    "resolution": "resolution",
}
CATEGORY = {OPEN.id: "new", DOING.id: "in_progress", CLOSED.id: "done"}


class SleepingClock:
    """The time of day, which goes by at once while somebody sleeps."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        """Epoch seconds."""
        return time.time() + self.slept

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.slept += seconds


@dataclass
class Pulled:
    """A connection with what it has received so far: rows by key, whole sets by parent."""

    jira: Jira
    client: Client
    states: dict[str, State] = field(default_factory=dict)
    rows: dict[type[Record], dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    sets: dict[str, list[TicketTransition]] = field(default_factory=dict)
    slas: dict[str, list[TicketSla]] = field(default_factory=dict)
    set_times: dict[str, datetime] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    rejects: list[Any] = field(default_factory=list)

    def stream(self, name: str) -> Stream:
        """The stream of that name."""
        return next(stream for stream in self.jira.streams() if stream.name == name)

    def sync(self, *names: str, full: bool = False) -> int:
        """Pull streams once, as one pull; the number of requests it took."""
        before = self.client.requests
        pull = Pull(self.client, Path("clones"), lambda: datetime.now(UTC))
        for stream in self.jira.streams():
            if names and stream.name not in names:
                continue
            state = State() if full else self.states.get(stream.name, State())
            for scope in self.jira.scopes(stream):
                for page in stream.pages(pull, scope, state):
                    self._keep(stream, scope, page)
        return self.client.requests - before

    def _keep(self, stream: Stream, scope: Scope, page: Page) -> None:
        self.pages.append(page)
        if page.state is not None:
            self.states[stream.name] = page.state
        line = page.line("jira", scope)
        parsed = stream.parse(line)
        self.rejects += parsed.rejects
        set_at = line.set_at or line.requested_at
        for parent, _ in parsed.sets[TicketTransition]:
            if self.set_times.get(parent) != set_at:
                self.sets[parent], self.set_times[parent] = [], set_at
        for parent, _ in parsed.sets[TicketSla]:
            self.slas[parent] = []
        for record_type, records in parsed.records.items():
            for record in records:
                if isinstance(record, TicketSla):
                    self.slas[record.ticket_id].append(record)
                elif isinstance(record, TicketTransition):
                    self.sets[record.ticket_id].append(record)
                else:
                    key = str(getattr(record, record_type.key[0]))
                    self.rows[record_type][key] = record
        for record_type, tables in parsed.tables.items():
            for row in (row for table in tables for row in table.to_pylist()):
                self.rows[record_type][str(row[record_type.key[0]])] = record_type(**row)
        for worklog in parsed.deleted[Worklog]:
            self.rows[Worklog].pop(worklog, None)

    @property
    def tickets(self) -> dict[str, Ticket]:
        """Tickets by their number."""
        return {key.rpartition(":")[2]: row for key, row in self.rows[Ticket].items()}

    @property
    def accounts(self) -> dict[str, Account]:
        """Accounts by id."""
        return self.rows[Account]

    @property
    def worklogs(self) -> dict[str, Worklog]:
        """Worklogs by id."""
        return self.rows[Worklog]

    def is_all_of(self, site: TicketSite) -> bool:
        """Check tickets and transitions against what the site knows, one by one."""
        assert sorted(self.tickets) == [str(ticket.id) for ticket in site.tickets]
        for ticket in site.tickets:
            row = self.tickets[str(ticket.id)]
            assert row.ticket_key == ticket.key
            assert row.source_updated_at == ticket.updated_at
            assert row.status_category == CATEGORY[ticket.status_id]
            expected = [
                (str(history.id), TRACKED[item.field], history.at)
                for history in ticket.histories
                for item in history.items
                if item.field in TRACKED
            ]
            found = self.sets.get(f"jira:issue:{ticket.id}", [])
            assert sorted((t.transition_id, t.field, t.at) for t in found) == sorted(expected)
        return True


def pulled(served: Served, **options: Any) -> Pulled:
    """A connection to a served Jira, impatient with failures."""
    settings = served.site.settings
    given: dict[str, Any] = {"base_url": served.url, "token": {"env": "JIRA_TOKEN"}, **options}
    if settings.is_cloud:
        given.setdefault("email", settings.email)
    clock = SleepingClock()
    jira = Jira("jira", JiraOptions.model_validate(given))
    client = Client(
        base_url=served.url,
        authenticate=jira._credential,
        backoff_seconds=0.001,
        clock=clock.now,
        sleep=clock.sleep,
    )
    served.closing.callback(client.close)
    return Pulled(jira, client)
