"""What a service project adds to its issues: goals with a clock (SLAs), and who asked.

Both come as custom fields with the search that brings the issues, so that they cost no request:
a goal's field holds what `servicedeskapi/request/{key}/sla` would answer, one request an issue.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from connectors.connector import Finding, Line, Parsed
from connectors.failures import ForbiddenError, NotFoundError
from connectors.jira_site import Site, expect, members
from connectors.jira_wire import IssueWire, JiraWire, Tolerant, Unreadable, take_unreadable
from connectors.records import Ticket, TicketSla

_DESKS = "rest/servicedeskapi/servicedesk"
_DESKS_A_PAGE = 50
_LATEST_MS = 253_370_764_800_000  # the year 9999
_LONGEST_MS = 10**14


class MomentWire(JiraWire):
    """A moment, as service projects write it."""

    epoch_millis: Annotated[int, Field(ge=0, le=_LATEST_MS)]

    @property
    def at(self) -> datetime:
        """The same in UTC."""
        return datetime.fromtimestamp(self.epoch_millis / 1000, UTC)


class SpanWire(JiraWire):
    """A duration, as service projects write it."""

    millis: Annotated[int, Field(ge=-_LONGEST_MS, le=_LONGEST_MS)]


class CycleWire(JiraWire):
    """The clock of a goal from a start to a stop, or running; pauses count for nothing."""

    start_time: MomentWire
    stop_time: MomentWire | None = None
    breach_time: MomentWire | None = None
    breached: bool = False
    paused: bool = False
    goal_duration: SpanWire | None = None
    elapsed_time: SpanWire | None = None


class SlaWire(JiraWire):
    """A goal with all its cycles."""

    id: str
    name: str
    completed_cycles: list[Tolerant[CycleWire]] = Field(default_factory=list)
    ongoing_cycle: Tolerant[CycleWire | None] = None


_SLA = TypeAdapter(SlaWire)


def add_slas(parsed: Parsed, line: Line, wire: IssueWire, ticket_id: str) -> None:
    """The goals of an issue, the whole set; a site without goals says nothing of them."""
    names = line.attributes.get("sla_fields")
    if names is None:
        return
    parsed.whole(TicketSla, ticket_id, wire.fields.updated)
    for name in names.split(","):
        value = (wire.fields.model_extra or {}).get(name)
        if value is None:
            continue
        place = f"{wire.key}.fields.{name}"
        try:
            sla = _SLA.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            parsed.reject(TicketSla, place, problem, value)
            continue
        for inner, bad in take_unreadable(sla):
            parsed.reject(TicketSla, f"{place}.{inner}", bad.problem, bad.value)
        cycles = [c for c in sla.completed_cycles if not isinstance(c, Unreadable)]
        for number, cycle in enumerate([*cycles, sla.ongoing_cycle], start=1):
            if isinstance(cycle, CycleWire):
                parsed.add(_row(ticket_id, sla, number, cycle))


def organisations(parsed: Parsed, line: Line, wire: IssueWire) -> list[str]:
    """The names of the customer organisations that a request is shared with."""
    name = line.attributes.get("organisations_field")
    value = (wire.fields.model_extra or {}).get(name) if name else None
    found = []
    for position, each in enumerate(value if isinstance(value, list) else []):
        told = each.get("name") if isinstance(each, dict) else each
        if isinstance(told, str) and told:
            found.append(told)
        else:
            parsed.reject(Ticket, f"{wire.key}.fields.{name}[{position}]", "no name", each)
    return found


def diagnose_desks(site: Site) -> Finding:
    """Whether there are service projects, and whether their goals can be seen."""
    subject = "service projects"
    try:
        names = _desks(site)
    except NotFoundError:
        return Finding("ok", subject, "none: Jira Service Management is not installed here")
    except ForbiddenError:
        return Finding(
            "ok",
            subject,
            "not shown to this account; to see goals (SLAs) of requests, make it an agent",
        )
    if not names:
        return Finding("ok", subject, "none that this account may see")
    if not site.sla_fields:
        return Finding(
            "warning",
            subject,
            f"{len(names)}, but no goal (SLA) is shown: make the account an agent",
        )
    return Finding("ok", subject, f"{len(names)}, with {len(site.sla_fields)} goals (SLAs)")


def _desks(site: Site) -> list[Any]:
    found: list[Any] = []
    while True:
        asked = {"start": len(found), "limit": _DESKS_A_PAGE}
        answer = site.client.get(_DESKS, asked)
        body = expect(answer, dict)
        shown = members(answer, body, "values")
        found += shown
        if body.get("isLastPage") is not False or not shown:
            return found


def _row(ticket_id: str, sla: SlaWire, number: int, cycle: CycleWire) -> TicketSla:
    """What holds whenever it is asked: a running clock shows another time with each answer."""
    is_running = cycle.stop_time is None and not cycle.paused and cycle.breach_time is not None
    return TicketSla(
        ticket_id=ticket_id,
        sla_id=sla.id,
        cycle=number,
        name=sla.name,
        started_at=cycle.start_time.at,
        stopped_at=cycle.stop_time.at if cycle.stop_time else None,
        breach_at=cycle.breach_time.at if cycle.breach_time else None,
        goal_us=cycle.goal_duration.millis * 1000 if cycle.goal_duration else None,
        elapsed_us=cycle.elapsed_time.millis * 1000
        if cycle.elapsed_time and cycle.stop_time
        else None,
        is_breached=cycle.breached and not is_running,
        is_paused=cycle.paused,
    )
