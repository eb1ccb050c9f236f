"""The service desk's own API, and what it adds to issues: goals with their clocks, customers."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.service_levels import FIRST_RESPONSE, RESOLUTION, Cycle, cycles_of
from sandbox.ticketing import Ticket, TicketProject

if TYPE_CHECKING:
    from sandbox.jira import Call

_MOST = 100
SLA_FIELDS = {FIRST_RESPONSE: "customfield_10020", RESOLUTION: "customfield_10021"}
ORGANISATIONS_FIELD = "customfield_10002"
_NUMBERS = {FIRST_RESPONSE: "1", RESOLUTION: "2"}
_MILLISECOND = timedelta(milliseconds=1)


def desk_fields() -> list[dict[str, Any]]:
    """The custom fields of service projects, as a site lists them."""
    goals = {ident: (name, "sd-sla-field") for name, ident in SLA_FIELDS.items()}
    named = {**goals, ORGANISATIONS_FIELD: ("组织", "sd-customer-organizations")}
    return [
        {
            "id": ident,
            "name": name,
            "custom": True,
            "schema": {
                "custom": f"com.atlassian.servicedesk:{kind}",
                "customId": int(ident.rpartition("_")[2]),
            },
        }
        for ident, (name, kind) in named.items()
    ]


def desk_values(
    ticket: Ticket, project: TicketProject, base: str, moment: datetime, *, is_agent: bool
) -> dict[str, Any]:
    """What the custom fields hold of one ticket; goals are shown to agents alone."""
    goals = slas(ticket, project, base, moment) if is_agent else []
    shown: dict[str, Any] = dict.fromkeys(SLA_FIELDS.values())
    shown |= {SLA_FIELDS[goal["name"]]: goal for goal in goals}
    customers = [
        {"id": str(number), "name": name, "_links": {}}
        for number, name in enumerate(ticket.organisations, start=1)
    ]
    is_request = ticket.request_type_id is not None
    return {**shown, ORGANISATIONS_FIELD: customers if is_request else None}


def slas(
    ticket: Ticket, project: TicketProject, base: str, moment: datetime
) -> list[dict[str, Any]]:
    """Each goal of a request with its completed cycles and the one under way."""
    cycles = cycles_of(ticket, project, moment)
    return [
        _sla(ticket, name, [cycle for cycle in cycles if cycle.name == name], base)
        for name in SLA_FIELDS
        if any(cycle.name == name for cycle in cycles)
    ]


def _sla(ticket: Ticket, name: str, cycles: Sequence[Cycle], base: str) -> dict[str, Any]:
    number = _NUMBERS[name]
    address = f"{base}/rest/servicedeskapi/request/{ticket.id}/sla/{number}"
    body: dict[str, Any] = {
        "id": number,
        "name": name,
        "_links": {"self": address},
        "completedCycles": [_cycle(c) for c in cycles if c.stopped_at is not None],
    }
    for cycle in cycles:
        if cycle.stopped_at is None:
            clock = {"paused": cycle.is_paused, "withinCalendarHours": True}
            body["ongoingCycle"] = {**_cycle(cycle), **clock}
    return body


def _cycle(cycle: Cycle) -> dict[str, Any]:
    moments = {
        "startTime": cycle.started_at,
        "stopTime": cycle.stopped_at,
        "breachTime": cycle.breach_at,
    }
    return {
        **{name: _moment(at) for name, at in moments.items() if at is not None},
        "breached": cycle.is_breached,
        "goalDuration": _span(cycle.goal),
        "elapsedTime": _span(cycle.elapsed),
        "remainingTime": _span(cycle.goal - cycle.elapsed),
    }


def _moment(at: datetime) -> dict[str, Any]:
    return {
        "iso8601": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
        "jira": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "friendly": f"{at:%d/%b/%y}",
        "epochMillis": round(at.timestamp() * 1000),
    }


def _span(duration: timedelta) -> dict[str, Any]:
    hours, rest = divmod(abs(duration), timedelta(hours=1))
    sign = "-" if duration < timedelta(0) else ""
    friendly = f"{sign}{hours}h {rest // timedelta(minutes=1)}m"
    return {"millis": duration // _MILLISECOND, "friendly": friendly}


def _desks(call: "Call") -> Any:
    projects = [p for p in call.payloads.site.projects if p.kind == "service_desk"]
    return _page(
        call,
        projects,
        lambda project: {
            "id": str(project.id),
            "projectId": str(project.id),
            "projectName": project.name,
            "projectKey": project.key,
        },
        "servicedesk",
    )


def _requests(call: "Call") -> Any:
    return _page(
        call,
        [ticket for ticket in call.site.tickets if ticket.request_type_id],
        lambda ticket: {
            "issueId": str(ticket.id),
            "issueKey": ticket.key,
            "requestTypeId": ticket.request_type_id,
            "serviceDeskId": str(ticket.project_id),
        },
        "request",
    )


def _slas_of(call: "Call") -> Any:
    ticket = call.site.ticket(call.request.path_params["issue"])
    project = call.payloads.projects[ticket.project_id]
    moment = call.site.world.visible_until
    found = slas(ticket, project, call.payloads.base, moment)
    return _page(call, found, lambda goal: goal, f"request/{ticket.key}/sla")


def _page(
    call: "Call", things: Sequence[Any], shown_as: Callable[[Any], Any], path: str
) -> dict[str, Any]:
    """A page by the service desk's own way: start, limit, and whether it is the last."""
    start, limit = max(0, call.number("start", 0)), min(call.number("limit", 50), _MOST)
    limit = min(limit, call.site.settings.page_cap)
    shown = things[start : start + limit]
    is_last = start + limit >= len(things)
    base = f"{call.payloads.base}/rest/servicedeskapi/{path}"
    links = {"self": base} if is_last else {"next": f"{base}?start={start + limit}&limit={limit}"}
    return {
        "size": len(shown),
        "start": start,
        "limit": limit,
        "isLastPage": is_last,
        "_links": {"base": call.payloads.base, "context": "", **links},
        "values": [shown_as(thing) for thing in shown],
    }


DESK: dict[str, Callable[["Call"], Any]] = {
    "/servicedesk": _desks,
    "/request": _requests,
    "/request/{issue}/sla": _slas_of,
}
