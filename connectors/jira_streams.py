"""What is pulled from a Jira site: issues with their histories, worklogs, users."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from connectors.answer import Answer
from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream
from connectors.jira_records import (
    TRACKED,
    add_histories,
    add_issue,
    add_user,
    add_worklog,
    add_worklogs,
    worklog_id,
)
from connectors.jira_site import (
    OVERLAP,
    Found,
    Site,
    digest,
    epoch,
    expect,
    first_moment,
    members,
)
from connectors.jira_wire import (
    DeletedWorklogWire,
    IssueHistoriesWire,
    IssueWire,
    PlainWorklog,
    UserWire,
    WorklogWire,
)
from connectors.reading import Reader
from connectors.records import Account, Ticket, TicketSla, TicketTransition, Worklog

_HISTORY_FIELDS = sorted(TRACKED.keys() - {"Key"})
_MOST_HISTORIES = 1000
_MOST_WORKLOGS = 1000
_USERS_A_PAGE = 100
_MILLISECOND = timedelta(milliseconds=1)

SiteOf = Callable[[Pull], Site]


class SiteStream(Stream):
    """A stream over the whole site."""

    def __init__(self, site_of: SiteOf, projects: tuple[str, ...], start: date | None) -> None:
        self._site_of = site_of
        self._projects = projects
        self._start = first_moment(start)


class Issues(SiteStream):
    """Issues in the order of their changes, each page followed by the histories of its issues.

    The cursor is an epoch millisecond: all that changed before it has been received.
    """

    name = "issues"
    record_types = (Ticket, TicketTransition, TicketSla)

    _issues = Reader(IssueWire, ("issues",), Ticket)
    _histories = Reader(IssueHistoriesWire, ("issueChangeLogs",), TicketTransition)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """Pages of issues and histories; nothing where only what is known changed last."""
        site = self._site_of(pull)
        mark = _Mark(state, self._start)
        asked_at: datetime | None = None
        for number, found in enumerate(site.search(self._projects, mark.since)):
            asked_at = asked_at or found.answer.requested_at
            mark.move({i: epoch(at) for i, at in found.changed.items()}, asked_at)
            if number == 0 and found.is_last and mark.is_known(state):
                return
            state_after = mark.state(is_last=found.is_last)
            yield from self._with_histories(site, found, state_after)

    def _with_histories(self, site: Site, found: Found, state: State) -> Iterator[Page]:
        """The state moves with the last page: an issue never stands without its history."""
        issues = Page(
            url=found.answer.url,
            requested_at=found.answer.requested_at,
            body=found.answer.body,
            items=len(found.ids),
            attributes={**site.attributes, "holds": "issues"},
        )
        if not site.is_cloud:
            attributes = {**issues.attributes, "categories": site.categories}
            yield replace(issues, state=state, attributes=attributes)
            return
        if not found.ids:
            yield replace(issues, state=state)
            return
        yield issues
        yield from self._bulk(site, found, state)

    def _bulk(self, site: Site, found: Found, state: State) -> Iterator[Page]:
        """Whole histories; those embedded in issues end at forty."""
        set_at: datetime | None = None
        token: str | None = None
        while True:
            asked: dict[str, Any] = {
                "issueIdsOrKeys": found.ids,
                "fieldIds": _HISTORY_FIELDS,
                "maxResults": _MOST_HISTORIES,
            }
            if token is not None:
                asked["nextPageToken"] = token
            answer = site.client.post("rest/api/3/changelog/bulkfetch", asked)
            body = expect(answer, dict)
            logs = members(answer, body, "issueChangeLogs")
            set_at = set_at or answer.requested_at
            after = f"&after={token}" if token is not None else ""
            token = body.get("nextPageToken") or None
            yield Page(
                url=f"{answer.url}#issues={found.ids[0]}..{found.ids[-1]}{after}",
                requested_at=answer.requested_at,
                body=answer.body,
                state=state if token is None else None,
                items=len(logs),
                set_at=set_at,
                attributes={"holds": "histories", "categories": site.categories},
            )
            if token is None:
                return

    def parse(self, line: Line) -> Parsed:
        """Tickets with their goals, and transitions."""
        parsed = Parsed()
        if line.attributes.get("holds") == "histories":
            for histories in self._histories.read(line, parsed):
                add_histories(parsed, line, histories)
        else:
            for issue in self._issues.read(line, parsed):
                add_issue(parsed, line, issue)
        return parsed


class Worklogs(SiteStream):
    """Worklogs in the order of their changes, and those the site says are gone."""

    name = "worklogs"
    record_types = (Worklog,)

    # A page without anything unusual is read at once; else what can be read of each is kept.
    _plain = TypeAdapter(list[PlainWorklog])
    _worklogs = Reader(WorklogWire, (), Worklog)
    _deleted = Reader(DeletedWorklogWire, ("values",), Worklog)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """Deleted ones first, so that the mark cannot pass them."""
        site = self._site_of(pull)
        mark = _Mark(state, self._start)
        if state.cursor is not None:
            for answer, changed, _ in _changes(site, "deleted", mark.since):
                if changed:
                    yield _page(answer, len(changed), None, holds="deleted")
        asked_at: datetime | None = None
        for number, (answer, changed, is_last) in enumerate(_changes(site, "updated", mark.since)):
            asked_at = asked_at or answer.requested_at
            mark.move(changed, asked_at)
            if (number == 0 and is_last and mark.is_known(state)) or not changed:
                continue
            state_after = mark.state(is_last=is_last)
            ids = list(changed)
            for first in range(0, len(ids), _MOST_WORKLOGS):
                some = [int(each) for each in ids[first : first + _MOST_WORKLOGS]]
                found = site.client.post(f"{site.api}/worklog/list", {"ids": some})
                is_end = first + _MOST_WORKLOGS >= len(ids)
                listed = len(expect(found, list))
                yield _page(found, listed, state_after if is_end else None, holds="worklogs")

    def parse(self, line: Line) -> Parsed:
        """Worklogs, and the ids of deleted ones."""
        parsed = Parsed()
        if line.attributes.get("holds") == "deleted":
            for gone in self._deleted.read(line, parsed):
                parsed.delete(Worklog, worklog_id(line.connection, gone.worklog_id))
            return parsed
        try:
            add_worklogs(parsed, line, self._plain.validate_json(line.body))
        except ValidationError:
            for worklog in self._worklogs.read(line, parsed):
                add_worklog(parsed, line, worklog)
        return parsed


class Users(SiteStream):
    """Everybody the site knows; there is no telling who changed, so full passes alone ask."""

    name = "users"
    record_types = (Account,)

    _users = Reader(UserWire, (), Account)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """Pages of users, until one brings nobody new."""
        if state.cursor is not None:
            return
        site = self._site_of(pull)
        path = "users/search" if site.is_cloud else "user/search"
        everybody = {} if site.is_cloud else {"username": ".", "includeInactive": "true"}
        seen: set[str] = set()
        start = 0
        while True:
            asked = {**everybody, "startAt": start, "maxResults": _USERS_A_PAGE}
            answer = site.client.get(f"{site.api}/{path}", asked)
            users = expect(answer, list)
            ids = {str(user) for user in users} - seen
            is_last = not ids
            state_after = State(cursor=answer.requested_at.isoformat()) if is_last else None
            yield _page(answer, len(users), state_after, holds="users")
            if is_last:
                return
            seen |= ids
            start += len(users)

    def parse(self, line: Line) -> Parsed:
        """Accounts."""
        parsed = Parsed()
        for position, user in enumerate(self._users.read(line, parsed)):
            add_user(parsed, line, user, position)
        return parsed


class _Mark:
    """How far a pass has come.

    Pages come in the order of changes, so the mark moves with each. It stays behind the newest
    change and behind the first request by the overlap; what was seen after it is remembered, so
    that a pull that sees just that again need not keep it twice.
    """

    def __init__(self, state: State, start: int) -> None:
        self.since = int(state.cursor) if state.cursor is not None else start
        self._cursor = int(state.cursor) if state.cursor is not None else None
        self._recent: dict[str, int] = {}

    def move(self, changed: Mapping[str, int], asked_at: datetime) -> None:
        """Take in a page."""
        if not changed:
            return
        reached = min(max(changed.values()), epoch(asked_at)) - int(OVERLAP / _MILLISECOND)
        self._cursor = max(reached, self._cursor if self._cursor is not None else self.since)
        self._recent.update(changed)
        for each, at in list(self._recent.items()):
            if at < self._cursor:
                del self._recent[each]

    def is_known(self, state: State) -> bool:
        """Whether a pull that began at `state` saw just what the one before had seen."""
        return state.marker is not None and digest(self._recent) == state.marker

    def state(self, *, is_last: bool) -> State:
        """The state once the page is kept."""
        cursor = None if self._cursor is None else str(self._cursor)
        return State(cursor=cursor, marker=digest(self._recent) if is_last else None)


def _changes(site: Site, kind: str, since: int) -> Iterator[tuple[Answer, dict[str, int], bool]]:
    """Pages of worklog ids with the times of their changes, oldest first."""
    while True:
        answer = site.client.get(f"{site.api}/worklog/{kind}", {"since": since})
        body = expect(answer, dict)
        changed: dict[str, int] = {}
        for value in members(answer, body, "values"):
            if isinstance(value, dict) and str(value.get("worklogId", "")).isdigit():
                changed[str(value["worklogId"])] = int(value.get("updatedTime") or since)
        until = body.get("until")
        is_last = body.get("lastPage") is not False or not changed
        yield answer, changed, is_last
        if is_last:
            return
        since = until if isinstance(until, int) and until > since else since + 1


def _page(answer: Answer, items: int, state: State | None, *, holds: str) -> Page:
    return Page(
        url=answer.url,
        requested_at=answer.requested_at,
        body=answer.body,
        state=state,
        items=items,
        attributes={"holds": holds},
    )
