"""The application that serves PagerDuty's REST API over the made-up organisation's incidents.

The entry point is `pagerduty_app`. It has the vendor's traps: a month where no time is asked for,
half a year at most, ten thousand rows at most, times without a zone in the account's own, totals
only on demand, a limit by the minute.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.applications import Starlette
from starlette.requests import Request

from sandbox.json_api import Admitted, Refusal, json_api
from sandbox.pagerduty_payloads import PagerdutyPayloads, Story, stories
from sandbox.world import World

_MONTH = timedelta(days=30)
_HALF_YEAR = timedelta(days=184)
_DEFAULT_ROWS = 25
_MOST_ROWS_A_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class PagerdutySettings:
    """How the served account behaves.

    `zone`: the account's own. `most_rows`: how many rows of a list may be asked for in all.
    `requests_a_window` in `window_seconds` are answered, others refused.
    """

    token: str = "sandbox-token"  # noqa: S105  the made-up organisation has no secrets
    zone: str = "America/Los_Angeles"
    most_rows: int = 10_000
    has_teams: bool = True
    requests_a_window: int = 960
    window_seconds: float = 60.0


@dataclass
class Window:
    """The requests answered lately."""

    seconds: float
    most: int
    times: deque[float] = field(default_factory=deque)

    def headers(self) -> dict[str, str]:
        """What is left, as told with every answer."""
        now = time.monotonic()
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        left = self.most - len(self.times)
        reset = self.times[0] + self.seconds - now if self.times else 0.0
        if left > 0:
            self.times.append(now)
        return {
            "ratelimit-limit": str(self.most),
            "ratelimit-remaining": str(max(left, 0)),
            "ratelimit-reset": str(max(1, round(reset + 0.5))),
        }


@dataclass(frozen=True, kw_only=True)
class Call(Admitted):
    """One admitted request."""

    payloads: PagerdutyPayloads
    settings: PagerdutySettings

    def moment(self, name: str) -> datetime | None:
        """A time; without a zone it is one of the account's."""
        text = self.request.query_params.get(name)
        if text is None:
            return None
        told = datetime.fromisoformat(text)
        return told if told.tzinfo else told.replace(tzinfo=ZoneInfo(self.settings.zone))

    def page(self, name: str, found: list[Any]) -> dict[str, Any]:
        """A classic page."""
        limit = min(self.number("limit", _DEFAULT_ROWS), _MOST_ROWS_A_PAGE)
        offset = self.number("offset", 0)
        if offset + limit > self.settings.most_rows:
            raise _refusal(400, 2001, "Invalid Input Provided", "Offset plus limit is too large")
        is_counted = self.request.query_params.get("total") == "true"
        return {
            name: found[offset : offset + limit],
            "limit": limit,
            "offset": offset,
            "more": len(found) > offset + limit,
            "total": len(found) if is_counted else None,
        }


def pagerduty_app(world: World, settings: PagerdutySettings | None = None) -> Starlette:
    """The API; `app.state` holds the log `requests`."""
    settings = settings or PagerdutySettings()
    everything = stories(world)
    window = Window(settings.window_seconds, settings.requests_a_window)

    def admit(request: Request) -> Call:
        if request.headers.get("authorization") != f"Token token={settings.token}":
            raise _refusal(401, 2006, "Authentication failed")
        if "version=2" not in request.headers.get("accept", ""):
            raise _refusal(400, 2007, "Invalid version in Accept header")
        headers = window.headers()
        if headers["ratelimit-remaining"] == "0":
            limited = {"message": "Rate Limit Exceeded", "code": 2020}
            raise Refusal(429, {"error": limited}, headers)
        payloads = PagerdutyPayloads(world, _zone(request, settings), everything)
        return Call(request=request, headers=headers, payloads=payloads, settings=settings)

    handlers: dict[str, Callable[[Call], Any]] = {
        "/incidents": _incidents,
        "/incidents/{id}": _incident,
        "/incidents/{id}/log_entries": _log,
        "/incidents/{id}/related_change_events": _changes,
        "/log_entries": _entries,
        "/users": lambda call: call.page("users", call.payloads.users()),
        "/services": lambda call: call.page("services", call.payloads.services()),
        "/teams": _teams,
        "/teams/{id}/members": _members,
    }
    return json_api(handlers, admit)


def _refusal(status: int, code: int, message: str, *errors: str) -> Refusal:
    return Refusal(status, {"error": {"message": message, "code": code, "errors": list(errors)}})


def _zone(request: Request, settings: PagerdutySettings) -> str:
    name = request.query_params.get("time_zone", settings.zone)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _refusal(400, 2001, "Invalid Input Provided", "Time zone is invalid") from error
    return name


def _span(call: Call) -> tuple[datetime, datetime]:
    now = call.payloads.now
    until = call.moment("until") or now
    since = call.moment("since") or until - _MONTH
    if until - since > _HALF_YEAR:
        raise _refusal(400, 2001, "Invalid Input Provided", "Date range is over 6 months")
    return since, until


def _of_teams(call: Call) -> list[Story]:
    teams = call.request.query_params.getlist("team_ids[]")
    return [
        story
        for story in call.payloads.stories
        if not teams or f"T{story.service.team_id}" in teams
    ]


def _incidents(call: Call) -> Any:
    query = call.request.query_params
    told = _of_teams(call)
    if query.get("date_range") != "all":
        since, until = _span(call)
        told = [story for story in told if since <= story.ticket.created_at < until]
    found = [(story, call.payloads.incident(story)) for story in told]
    if statuses := query.getlist("statuses[]"):
        found = [pair for pair in found if pair[1]["status"] in statuses]
    is_descending = query.get("sort_by", "").endswith("desc")
    found.sort(key=lambda pair: (pair[0].ticket.created_at, pair[0].id), reverse=is_descending)
    return call.page("incidents", [body for _, body in found])


def _story(call: Call) -> Story:
    for story in call.payloads.stories:
        if story.id == call.request.path_params["id"]:
            return story
    raise _refusal(404, 2100, "Not Found")


def _incident(call: Call) -> Any:
    return {"incident": call.payloads.incident(_story(call))}


def _is_overview(call: Call) -> bool:
    return call.request.query_params.get("is_overview") == "true"


def _log(call: Call) -> Any:
    entries = call.payloads.entries(_story(call), is_overview=_is_overview(call))
    return call.page("log_entries", entries)


def _entries(call: Call) -> Any:
    since, until = _span(call)
    found = [
        entry
        for story in _of_teams(call)
        if any(since <= event.at < until for event in story.events)
        for entry in call.payloads.entries(story, is_overview=_is_overview(call))
        if since <= datetime.fromisoformat(entry["created_at"]) < until
    ]
    found.sort(key=lambda e: (datetime.fromisoformat(e["created_at"]), e["id"]), reverse=True)
    return call.page("log_entries", found)


def _changes(call: Call) -> Any:
    return {"change_events": call.payloads.changes(_story(call))}


def _teams(call: Call) -> Any:
    if not call.settings.has_teams:
        words = "Account does not have the abilities to perform the action"
        raise _refusal(402, 2012, words, "teams")
    return call.page("teams", call.payloads.teams())


def _members(call: Call) -> Any:
    name = call.request.path_params["id"]
    if name not in {team["id"] for team in call.payloads.teams()}:
        raise _refusal(404, 2100, "Not Found")
    return call.page("members", call.payloads.members(name))
