"""The part of JQL that the made-up Jira understands, with Jira's own refusals."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.ticketing import Ticket, TicketProject

SortKey = tuple[int | str, ...]

_ORDER = re.compile(r"\s*\border\s+by\s+(?P<fields>.+)$", re.IGNORECASE)
_IN = re.compile(
    r'project\s+in\s*\((?P<names>[^)]*)\)|project\s*=\s*(?P<name>"[^"]+"|\S+)', re.IGNORECASE
)
_TIME = re.compile(
    r"(?P<field>updated|created)\s*(?P<sign>>=|<=|>|<)\s*"
    r'(?:(?P<epoch>-?\d{1,16})|["\'](?P<local>\d{4}[-/]\d{2}[-/]\d{2}(?: \d{2}:\d{2})?)["\'])$',
    re.IGNORECASE,
)
_COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    ">=": lambda one, other: one >= other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    "<": lambda one, other: one < other,
}


class QueryError(Exception):
    """Jira's words about a query it does not take."""


@dataclass(frozen=True)
class Query:
    """A query read: what it keeps and how it sorts."""

    conditions: tuple[Callable[[Ticket], bool], ...]
    order: tuple[tuple[str, bool], ...]

    @property
    def is_bounded(self) -> bool:
        """Whether the query restricts anything; Jira Cloud refuses those that do not."""
        return bool(self.conditions)

    def sort_key(self, ticket: Ticket) -> SortKey:
        """Where the ticket stands in the order asked for; ids break ties."""
        parts: list[int | str] = []
        for name, is_descending in self.order:
            value = _sortable(ticket, name)
            parts += [-part if isinstance(part, int) and is_descending else part for part in value]
        return (*parts, ticket.id)

    def select(self, tickets: Iterable[Ticket]) -> list[Ticket]:
        """The tickets that the query keeps, in its order."""
        kept = (ticket for ticket in tickets if all(keeps(ticket) for keeps in self.conditions))
        return sorted(kept, key=self.sort_key)


def read_query(jql: str, projects: Iterable[TicketProject], zone: str) -> Query:
    """Read a query; bare times are taken in the caller's zone, to the minute, as Jira does."""
    order: list[tuple[str, bool]] = []
    if found := _ORDER.search(jql):
        jql = jql[: found.start()]
        for part in found["fields"].split(","):
            name, _, direction = part.strip().partition(" ")
            if name.lower() not in {"updated", "created", "key", "issuekey", "id"}:
                raise QueryError(f"Field '{name}' does not exist or you do not have permission.")
            order.append((name.lower(), direction.strip().lower() == "desc"))
    clauses = [
        clause.strip()
        for clause in re.split(r"\band\b", jql, flags=re.IGNORECASE)
        if clause.strip()
    ]
    conditions = tuple(_condition(clause, list(projects), zone) for clause in clauses)
    return Query(conditions, tuple(order))


def _condition(clause: str, projects: list[TicketProject], zone: str) -> Callable[[Ticket], bool]:
    if found := _IN.fullmatch(clause):
        names = (found["names"] or found["name"]).split(",")
        ids = {_project_id(name.strip().strip("\"'"), projects) for name in names}
        return lambda ticket: ticket.project_id in ids
    if found := _TIME.fullmatch(clause):
        limit, compare = _moment(found, zone), _COMPARE[found["sign"]]
        field = f"{found['field'].lower()}_at"
        return lambda ticket: compare(getattr(ticket, field), limit)
    raise QueryError(f"Error in the JQL Query: Expecting operator but got '{clause[:40]}'.")


def _moment(found: re.Match[str], zone: str) -> datetime:
    if found["epoch"] is not None:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found["epoch"]))
    text = found["local"].replace("/", "-")
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _project_id(name: str, projects: list[TicketProject]) -> int:
    for project in projects:
        if name in (str(project.id), project.key, project.name):
            return project.id
    raise QueryError(f"The value '{name}' does not exist for the field 'project'.")


def _sortable(ticket: Ticket, name: str) -> tuple[Any, ...]:
    if name in ("key", "issuekey"):
        project, _, number = ticket.key.rpartition("-")
        return (project, int(number))
    if name == "id":
        return (ticket.id,)
    moment: datetime = getattr(ticket, f"{name}_at")
    return (int(moment.timestamp() * 1000),)
