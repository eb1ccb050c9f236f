"""The application that serves Jira's API over the made-up ticket site, as Cloud or Data Center."""

import base64
import json
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sandbox.jira_desk import DESK
from sandbox.jira_history import tickets_at
from sandbox.jira_lists import LISTS
from sandbox.jira_payloads import Deployment, Desk, JiraPayloads, epoch, field_id
from sandbox.jira_query import Query, QueryError, read_query
from sandbox.request_log import TEMPLATE, logged
from sandbox.ticketing import Ticket, Worklog
from sandbox.world import World

_EMBEDDED_HISTORIES = 40
_REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full "
    "migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


@dataclass(frozen=True, kw_only=True)
class JiraSettings:
    """How the served Jira behaves.

    `zone` is the profile zone of the calling account: times are written in it and bare times of
    JQL are read in it. `page_cap` bounds every page whatever is asked for, `result_window` how
    far Data Center reads into one result. `per_second` allows that many requests a second.
    `desk` says what the account is to service projects, or that there is no such thing.
    """

    deployment: Deployment = "cloud"
    email: str = "metrics@sandbox.example"
    token: str = "sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    zone: str = "Asia/Singapore"
    context_path: str = ""
    page_cap: int = 100
    history_page: int = 1000
    result_window: int = 10_000
    per_second: int | None = None
    desk: Desk = "agent"
    now: Callable[[], float] = time.time

    @property
    def is_cloud(self) -> bool:
        """Whether this is Jira Cloud."""
        return self.deployment == "cloud"


class Refusal(Exception):  # noqa: N818  an answer, not a failure of ours
    """An answer other than the one asked for."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"errorMessages": [message], "errors": {}}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class Site:
    """The ticket site at the world's moment.

    `unindexed` tickets exist and are missing from searches, as happens on Cloud for minutes.
    `deleted_worklogs` are gone since the time given.
    """

    world: World
    settings: JiraSettings
    unindexed: set[int] = field(default_factory=set)
    deleted_worklogs: dict[int, datetime] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=deque)
    _seen: "_Seen | None" = None

    @property
    def tickets(self) -> list[Ticket]:
        """The tickets as they stand at the moment."""
        return self._now().tickets

    def ticket(self, id_or_key: str) -> Ticket:
        """The ticket of that id, present or former key."""
        try:
            return self._now().by_name[id_or_key]
        except KeyError:
            raise Refusal(
                404, "Issue does not exist or you do not have permission to see it."
            ) from None

    @property
    def worklogs(self) -> dict[int, tuple[Ticket, Worklog]]:
        """All worklogs with their tickets, by id; deleted ones too."""
        return self._now().worklogs

    @property
    def changed_worklogs(self) -> list[tuple[int, int]]:
        """When each worklog was last changed, in epoch milliseconds, and its id; oldest first."""
        return self._now().changed_worklogs

    def query(self, jql: str) -> Query:
        """A query read, or Jira's refusal of it."""
        projects = self.world.organisation.ticket_site.projects
        try:
            return read_query(jql, projects, self.settings.zone)
        except QueryError as error:
            raise Refusal(400, str(error)) from error

    def found(self, jql: str) -> list[Ticket]:
        """What a search finds; its pages need not search again while the world stands still."""
        found, key = self._now().found, (jql, frozenset(self.unindexed))
        if key not in found:
            indexed = (ticket for ticket in self.tickets if ticket.id not in self.unindexed)
            found[key] = self.query(jql).select(indexed)
        return found[key]

    def _now(self) -> "_Seen":
        moment = self.world.visible_until
        if self._seen is None or self._seen.moment != moment:
            site = self.world.organisation.ticket_site
            self._seen = _Seen(moment, tickets_at(site.tickets, site.projects, moment))
        return self._seen

    def admit(self, authorization: str | None) -> None:
        """Check credential and rate."""
        settings = self.settings
        pair = base64.b64encode(f"{settings.email}:{settings.token}".encode()).decode()
        expected = f"Basic {pair}" if settings.is_cloud else f"Bearer {settings.token}"
        if authorization != expected:
            raise Refusal(401, "Client must be authenticated to access this resource.")
        if settings.per_second is None:
            return
        now = settings.now()
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        if len(self.recent) >= settings.per_second:
            reset = datetime.fromtimestamp(now + 1, UTC)
            raise Refusal(
                429,
                "Rate limit exceeded.",
                retry_after="1",
                x_ratelimit_reset=f"{reset:%Y-%m-%dT%H:%M:%SZ}",
                ratelimit_reason="jira-burst-based",
            )
        self.recent.append(now)


@dataclass
class _Seen:
    """The tickets at a moment, and what is asked of them again and again, made once."""

    moment: datetime
    tickets: list[Ticket]
    found: dict[tuple[str, frozenset[int]], list[Ticket]] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Ticket]:
        named: dict[str, Ticket] = {}
        for ticket in self.tickets:
            for name in (str(ticket.id), ticket.key, *ticket.former_keys):
                named.setdefault(name, ticket)
        return named

    @cached_property
    def worklogs(self) -> dict[int, tuple[Ticket, Worklog]]:
        return {each.id: (ticket, each) for ticket in self.tickets for each in ticket.worklogs}

    @cached_property
    def changed_worklogs(self) -> list[tuple[int, int]]:
        return sorted((epoch(each.updated_at), each.id) for _, each in self.worklogs.values())


@dataclass(frozen=True)
class Call:
    """One admitted request."""

    site: Site
    payloads: JiraPayloads
    request: Request
    sent: Any

    def value(self, name: str, otherwise: str = "") -> str:
        """A parameter, from the body of a POST or the query of a GET."""
        if isinstance(self.sent, dict) and name in self.sent:
            found = self.sent[name]
            return ",".join(map(str, found)) if isinstance(found, list) else str(found)
        return self.request.query_params.get(name, otherwise)

    def number(self, name: str, otherwise: int) -> int:
        """A parameter that is a number."""
        text = self.value(name)
        return int(text) if text.lstrip("-").isdigit() else otherwise

    def window(self, things: Sequence[Any], size: int = 50) -> tuple[int, int, Sequence[Any]]:
        """Where the page asked for starts, how long it may be, and its things."""
        start = max(0, self.number("startAt", 0))
        limit = min(self.number("maxResults", size), self.site.settings.page_cap)
        return start, limit, things[start : start + limit]


Handler = Callable[[Call], Any]


def jira_app(world: World, settings: JiraSettings | None = None) -> Starlette:
    """The Jira server; `app.state` holds `site` (with its knobs) and the log `requests`."""
    settings = settings or JiraSettings()
    handlers: dict[str, tuple[Handler, list[str]]] = {
        path: (handler, ["GET", "POST"]) for path, handler in LISTS.items()
    }
    if settings.is_cloud:
        handlers |= {
            "/search": (_removed, ["GET", "POST"]),
            "/search/jql": (_search, ["GET", "POST"]),
            "/search/approximate-count": (_count, ["POST"]),
            "/changelog/bulkfetch": (_changelogs, ["POST"]),
            "/issue/{issue}/changelog": (_changelog, ["GET"]),
        }
    else:
        handlers["/search"] = (_search_by_offset, ["GET", "POST"])
    versions = "{version:int}"
    routes = [
        Route(f"/rest/api/{versions}{path}", _endpoint(path, handler), methods=methods)
        for path, (handler, methods) in handlers.items()
    ]
    if settings.desk != "absent":
        routes += [
            Route(f"/rest/servicedeskapi{path}", _endpoint(path, _admitted(handler)))
            for path, handler in DESK.items()
        ]
    mounted = [Mount(settings.context_path, routes=routes)] if settings.context_path else routes
    app = Starlette(routes=mounted, exception_handlers={Refusal: _refused})
    app.state.site = Site(world, settings)
    return logged(app)


def _admitted(handler: Handler) -> Handler:
    """The same for agents alone."""

    def admitted(call: Call) -> Any:
        if call.site.settings.desk != "agent":
            raise Refusal(403, "You do not have permission to view this service desk.")
        return handler(call)

    return admitted


def _endpoint(template: str, handler: Handler) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        request.scope[TEMPLATE] = template
        site: Site = request.app.state.site
        settings = site.settings
        if template != "/serverInfo":
            site.admit(request.headers.get("authorization"))
        body = await request.body()
        base = f"{request.url.scheme}://{request.headers.get('host')}{settings.context_path}"
        payloads = JiraPayloads(
            site.world.organisation,
            base,
            settings.zone,
            settings.deployment,
            moment=site.world.visible_until,
            desk=settings.desk,
        )
        return JSONResponse(handler(Call(site, payloads, request, json.loads(body or b"{}"))))

    return endpoint


async def _refused(_: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else Refusal(500, "Internal server error")
    return JSONResponse(refusal.body, refusal.status, refusal.headers)


def _removed(_: Call) -> Any:
    raise Refusal(410, _REMOVED)


def _search(call: Call) -> Any:
    """The search of Cloud: by token, without a total, ids alone unless fields are asked for."""
    jql = call.value("jql")
    query = call.site.query(jql)
    if not query.is_bounded:
        raise Refusal(
            400, "Unbounded JQL queries are not allowed here. Please add a search restriction."
        )
    found = call.site.found(jql)
    if token := call.value("nextPageToken"):
        after = tuple(json.loads(base64.urlsafe_b64decode(token)))
        found = found[bisect_right(found, after, key=query.sort_key) :]
    limit = min(call.number("maxResults", 50), call.site.settings.page_cap)
    shown, is_last = found[:limit], len(found) <= limit
    answer: dict[str, Any] = {"issues": _issues(call, shown), "isLast": is_last}
    if not is_last:
        key = json.dumps(query.sort_key(shown[-1])).encode()
        answer["nextPageToken"] = base64.urlsafe_b64encode(key).decode()
    return answer


def _search_by_offset(call: Call) -> Any:
    """The search of Data Center: by offset, to the end of the result window and no further."""
    found = call.site.found(call.value("jql"))
    start, limit, shown = call.window(found)
    if start + limit > call.site.settings.result_window:
        raise Refusal(400, "Search limit exceeded: the result window is too large.")
    issues = _issues(call, shown)
    return {"startAt": start, "maxResults": limit, "total": len(found), "issues": issues}


def _issues(call: Call, tickets: Sequence[Ticket]) -> list[dict[str, Any]]:
    asked = "" if call.site.settings.is_cloud else "*navigable"
    names = {name for name in call.value("fields", asked).split(",") if name}
    is_plain = call.request.path_params["version"] == 2
    issues = [call.payloads.issue(ticket, names, is_plain=is_plain) for ticket in tickets]
    if "changelog" in call.value("expand").split(","):
        for issue, ticket in zip(issues, tickets, strict=True):
            issue["changelog"] = call.payloads.changelog(ticket, _EMBEDDED_HISTORIES)
    return issues


def _count(call: Call) -> Any:
    return {"count": len(call.site.found(call.value("jql")))}


def _changelogs(call: Call) -> Any:
    """Histories of up to 1,000 issues, oldest first, their times as epoch milliseconds."""
    asked = [name for name in call.value("issueIdsOrKeys").split(",") if name]
    names = {name for name in call.value("fieldIds").split(",") if name}
    if len(asked) > 1000 or len(names) > 10:
        raise Refusal(400, "At most 1000 issues and 10 fields can be asked for.")
    histories = [
        (ticket, history)
        for ticket in sorted({call.site.ticket(name) for name in asked}, key=lambda t: t.id)
        for history in ticket.histories
        if not names or any(field_id(item) in names for item in history.items)
    ]
    start = call.number("nextPageToken", 0)
    limit = min(call.number("maxResults", 1000), call.site.settings.history_page)
    grouped: dict[int, list[dict[str, Any]]] = {}
    for ticket, history in histories[start : start + limit]:
        body = {**call.payloads.history(history), "created": epoch(history.at)}
        grouped.setdefault(ticket.id, []).append(body)
    logs = [{"issueId": str(id_), "changeHistories": found} for id_, found in grouped.items()]
    answer: dict[str, Any] = {"issueChangeLogs": logs}
    if start + limit < len(histories):
        answer["nextPageToken"] = str(start + limit)
    return answer


def _changelog(call: Call) -> Any:
    histories = call.site.ticket(call.request.path_params["issue"]).histories
    start, limit, shown = call.window(histories, 100)
    return {
        "startAt": start,
        "maxResults": limit,
        "total": len(histories),
        "isLast": start + limit >= len(histories),
        "values": [call.payloads.history(history) for history in shown],
    }
