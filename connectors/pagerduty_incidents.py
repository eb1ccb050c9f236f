"""Which incidents changed since a moment, each put together with all that happened to it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.client import Client
from connectors.connector import Page, Pull, Scope, State
from connectors.failures import ForbiddenError, NotFoundError
from connectors.pagerduty_pages import between, body_of, listed, spans

INCIDENTS = "incidents"
LOG_ENTRIES = "log_entries"
# Entries may show a while after they happened.
_OVERLAP = timedelta(minutes=10)
_A_PAGE = 100
_OPEN = ("triggered", "acknowledged")
_DIGEST = 12
_UTC = {"time_zone": "UTC"}


class Pass:
    """One pull of incidents.

    PagerDuty tells when an incident was created and not when it changed: what happened shows in
    the log of the whole account, what was edited only in the incident itself. The marker holds
    how those that are not over looked when last seen.
    """

    def __init__(self, pull: Pull, scope: Scope, state: State) -> None:
        attributes = scope.attributes
        self._client: Client = pull.client
        self._now = pull.now()
        self._teams: dict[str, Any] = {}
        if teams := json.loads(attributes.get("team_ids", "[]")):
            self._teams = {"team_ids[]": teams}
        self._urgencies = set(json.loads(attributes.get("urgencies", "[]")))
        self._has_changes = attributes.get("related_changes") == "yes"
        self._start: str | None = attributes.get("start")
        self._before: dict[str, str] = json.loads(state.marker or "{}")
        self._cursor = state.cursor
        self._resume = state.resume

    def pages(self) -> Iterator[Page]:
        """Span by span; the mark moves when a span is whole."""
        begin = self._begin()
        handled: set[str] = set()
        has_yielded = False
        every = list(spans(begin, self._now)) if begin is not None else []
        for span in every[:-1]:
            for page in self._span(span, handled, State(resume=span[1].isoformat())):
                yield page
                has_yielded = True
        still = self._still_open()
        final = State(
            cursor=(self._now - _OVERLAP).isoformat(),
            marker=json.dumps(still, sort_keys=True),
        )
        # Not over any more, new among those, or edited without an entry in the log.
        changed = sorted(
            name
            for name in still.keys() | self._before.keys()
            if still.get(name) != self._before.get(name)
        )
        for page in self._span(every[-1] if every else None, handled, final, changed):
            yield page
            has_yielded = True
        if not has_yielded and self._cursor is None:
            yield self._page([], [], [], final)

    def _begin(self) -> datetime | None:
        """From when to read: where the last pass ended, or where the account's incidents begin."""
        told = self._cursor or self._resume or self._start
        if told is not None:
            return min(datetime.fromisoformat(told), self._now)
        asked = {
            "date_range": "all",
            "sort_by": "created_at:asc",
            "limit": 1,
            **_UTC,
            **self._teams,
        }
        answer = self._client.get(INCIDENTS, asked)
        first = body_of(answer, INCIDENTS)[INCIDENTS][:1]
        try:
            return min(datetime.fromisoformat(first[0]["created_at"]), self._now)
        except (IndexError, KeyError, TypeError, ValueError):
            return None

    def _span(
        self,
        span: tuple[datetime, datetime] | None,
        handled: set[str],
        state: State,
        changed: Iterable[str] = (),
    ) -> Iterator[Page]:
        """The incidents of a span, and `changed` ones, which may be known already; in pages."""
        created: dict[str, Any] = {}
        entries: dict[str, list[Any]] = defaultdict(list)
        if span is not None:
            wanted = {"sort_by": "created_at:asc", **self._teams}
            created = _by_id(between(self._client, INCIDENTS, INCIDENTS, wanted, span))
            asked = {"is_overview": "true", "include[]": "channels", **self._teams}
            for entry in between(self._client, LOG_ENTRIES, LOG_ENTRIES, asked, span):
                incident = entry.get("incident") if isinstance(entry, dict) else None
                if isinstance(incident, dict) and incident.get("id"):
                    entries[str(incident["id"])].append(entry)
        # What happened to an incident of this span after it is told by a later one.
        told = [name for name in entries if name not in created]
        others = dict.fromkeys(told)
        others |= {name: None for name in changed if name not in created and name not in handled}
        yield from self._put_together(created, entries, others, state)
        handled |= created.keys() | others.keys()

    def _put_together(
        self,
        created: Mapping[str, Any],
        entries: Mapping[str, list[Any]],
        others: Iterable[str],
        state: State,
    ) -> Iterator[Page]:
        whole = [(incident, entries.get(name, [])) for name, incident in created.items()]
        kept = [pair for pair in whole if self._is_wanted(pair[0])]
        kept += [pair for name in others if (pair := self._alone(name)) is not None]
        for start in range(0, len(kept), _A_PAGE):
            part = kept[start : start + _A_PAGE]
            related = [self._changes(incident) for incident, _ in part] if self._has_changes else []
            yield self._page(
                [incident for incident, _ in part],
                [entry for _, log in part for entry in log],
                related,
                state if start + len(part) == len(kept) else None,
            )

    def _alone(self, name: str) -> tuple[Any, list[Any]] | None:
        """An incident of before with its whole log; None where it is gone or not wanted."""
        try:
            answer = self._client.get(f"{INCIDENTS}/{name}", _UTC)
            incident = body_of(answer, "incident")["incident"]
            if not self._is_wanted(incident):
                return None
            asked = {"is_overview": "true", "include[]": "channels", **_UTC}
            log = listed(self._client, f"{INCIDENTS}/{name}/{LOG_ENTRIES}", LOG_ENTRIES, asked)
        except (NotFoundError, ForbiddenError):
            return None
        return incident, log

    def _changes(self, incident: Any) -> dict[str, Any]:
        name = str(incident.get("id") if isinstance(incident, dict) else None)
        path = f"{INCIDENTS}/{name}/related_change_events"
        try:
            body = body_of(self._client.get(path), "change_events")
        except NotFoundError:
            return {"incident": name, "change_events": []}
        return {"incident": name, "change_events": body["change_events"]}

    def _still_open(self) -> dict[str, str]:
        """How those look that are not over, however old they are."""
        asked = {"date_range": "all", "statuses[]": _OPEN, **_UTC, **self._teams}
        found = _by_id(listed(self._client, INCIDENTS, INCIDENTS, asked))
        return {
            name: _look(incident)
            for name, incident in found.items()
            if isinstance(incident, dict) and self._is_wanted(incident)
        }

    def _is_wanted(self, incident: Any) -> bool:
        urgency = incident.get("urgency") if isinstance(incident, dict) else None
        return not self._urgencies or urgency is None or urgency in self._urgencies

    def _page(
        self, incidents: list[Any], entries: list[Any], related: list[Any], state: State | None
    ) -> Page:
        body = {"incidents": incidents, "log_entries": entries, "related": related}
        return Page(
            url=f"{self._client.url(INCIDENTS)}#{_digest(body)}",
            requested_at=self._now,
            body=json.dumps(body, separators=(",", ":")).encode(),
            state=state,
            items=len(incidents),
        )


def _by_id(items: list[Any]) -> dict[str, Any]:
    """By id; what has none stays, so that parsing says what is wrong with it."""
    return {
        str((item.get("id") if isinstance(item, dict) else None) or repr(item)): item
        for item in items
    }


def _look(incident: Mapping[str, Any]) -> str:
    """How an incident looks in what is read; who is called changes all the while."""
    names = ("title", "status", "urgency", "last_status_change_at", "priority", "service")
    return _digest({name: incident.get(name) for name in names})


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:_DIGEST]
