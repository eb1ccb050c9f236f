"""Code-scanning alerts of GitHub as what the scanners of a repository say now.

An alert outlives the place it was found at: it moves with the code, is fixed, and comes back. What
is kept is therefore all alerts of a repository at once, as one scan, whenever any of them changed.
One list, of the organisation or of a repository, newest change first, shows where that was.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from connectors.clone_url import repository_key
from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream, stable_mark
from connectors.failures import ForbiddenError, NotFoundError, SingleSignOnError
from connectors.github_lists import OVERLAP_SECONDS
from connectors.github_options import GithubOptions
from connectors.reading import Integer, Reader, Wire, dig, load_json, moment_of
from connectors.records import Record, ScanFinding
from connectors.snapshots import state_on_last

ORGANISATION_ALERTS = "orgs/{}/code-scanning/alerts"
REPOSITORY_ALERTS = "repos/{}/code-scanning/alerts"
_PER_PAGE = 100


class RuleWire(Wire):
    """The rule that was broken; `severity` is SARIF's level."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    severity: str | None = None


class ToolWire(Wire):
    """The scanner."""

    name: str


class LocationWire(Wire):
    """Where in the repository."""

    path: str | None = None
    start_line: Integer | None = None


class InstanceWire(Wire):
    """The alert as the newest analysis of the default branch shows it."""

    location: LocationWire | None = None


class AlertWire(Wire):
    """An alert; state null stands for one that no analysis of the default branch shows."""

    number: int
    rule: RuleWire
    tool: ToolWire
    state: str | None = None
    updated_at: datetime | None = None
    most_recent_instance: InstanceWire | None = None


_ALERTS: Reader[AlertWire] = Reader(AlertWire, (), ScanFinding)


@dataclass(frozen=True)
class _Place:
    """A repository whose alerts may be asked for."""

    id: str
    full_name: str
    repository_key: str


class CodeScanningStream(Stream):
    """Alerts of code scanning: all of a repository's whenever one of them changed."""

    name = "code_scanning"
    record_types: ClassVar[tuple[type[Record], ...]] = (ScanFinding,)
    # Like a file of the newest scan: what an earlier scan said stays as history.
    forgets: ClassVar[bool] = True
    daily_full_pass: ClassVar[bool] = False

    def __init__(self, options: GithubOptions) -> None:
        self.options = options

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The alerts of each repository where one changed since the state's mark."""
        asked_at = pull.now()
        seen: dict[str, Any] = json.loads(state.marker) if state.marker else {}
        places: dict[str, _Place] = {}
        changed: defaultdict[str, list[list[Any]]] = defaultdict(list)
        moments: list[datetime] = []
        for place, alert in self._changed_alerts(pull, scope, state.cursor):
            at = moment_of(alert.get("updated_at") or alert.get("created_at"))
            places[place.id] = place
            changed[place.id].append([alert.get("number"), at and at.isoformat()])
            moments += [at] if at is not None else []
        mark = stable_mark(max(moments, default=None), asked_at, OVERLAP_SECONDS) or state.cursor
        # What the next pull will be shown once more, because its list begins before the mark.
        shown = {
            number: [each for each in alerts if mark is None or (each[1] or mark) >= mark]
            for number, alerts in changed.items()
        }
        marker = json.dumps({number: alerts for number, alerts in shown.items() if alerts})

        def snapshots() -> Iterator[Page]:
            for number, alerts in changed.items():
                if alerts != seen.get(number):
                    yield from _snapshot(pull, places[number])

        yield from state_on_last(snapshots(), lambda: State(cursor=mark, marker=marker))

    def _changed_alerts(
        self, pull: Pull, scope: Scope, since: str | None
    ) -> Iterator[tuple[_Place, Mapping[str, Any]]]:
        """Alerts updated at or after a time, with their repositories; newest first."""
        if not self.options.repositories:
            for alert in _listed_since(pull, ORGANISATION_ALERTS.format(scope.id), since):
                place = _place_of(alert.get("repository"))
                if place is not None and self.options.takes(place.full_name):
                    yield place, alert
            return
        # Named repositories were looked up by the stream before this one.
        for number, known in pull.known("change_requests").items():
            place = _Place(number, known["full_name"], known["repository_key"])
            for alert in _listed_since(pull, REPOSITORY_ALERTS.format(place.full_name), since):
                yield place, alert

    def parse(self, line: Line) -> Parsed:
        """The alerts of a page; the scan they are part of was named when the page was received."""
        parsed = Parsed()
        for position, wire in enumerate(_ALERTS.read(line, parsed)):
            rule = wire.rule.id or wire.rule.name
            if not rule:
                parsed.reject(ScanFinding, f"$[{position}].rule", "names no rule", wire)
                continue
            parsed.add(_finding(line, wire, rule))
        return parsed


def _finding(line: Line, wire: AlertWire, rule: str) -> ScanFinding:
    place = wire.most_recent_instance.location if wire.most_recent_instance is not None else None
    state = (wire.state or "").lower()
    is_there = state in {"open", "dismissed"}
    at = line.attributes["seen_at"]
    scan = f"{line.attributes['repository']}:{wire.tool.name}:{at}"
    return ScanFinding(
        scan_id=f"{line.connection}:scan:{scan}",
        repository_key=line.attributes["repository_key"],
        tool=wire.tool.name,
        rule=rule,
        # What is fixed is nowhere any more: it must not stand where something else is open.
        path=(place.path or "") if place is not None and is_there else "",
        at_line=max(place.start_line or 0, 0) if place is not None and is_there else 0,
        severity=wire.rule.severity,
        is_pass=False if is_there else None,
        is_suppressed=state == "dismissed",
        message=(wire.rule.description or wire.rule.name or "")[:200] or None,
        seen_at=datetime.fromisoformat(at),
        # Of two alerts at one place the open one counts: a row without a time of its own is newest.
        source_updated_at=None if state == "open" else wire.updated_at,
    )


def _snapshot(pull: Pull, place: _Place) -> Iterator[Page]:
    """All alerts of a repository, in the order of their numbers, as one scan.

    Scans are told apart by their newest change, so that two pulls of the same give the same rows.
    """
    pages: list[Page] = []
    moments: list[datetime] = []
    path = REPOSITORY_ALERTS.format(place.full_name)
    for answer, alerts in _listed(pull, path, {"sort": "created", "direction": "asc"}):
        pages.append(Page(answer.url, answer.requested_at, answer.body, items=len(alerts)))
        times = [moment_of(each.get("updated_at") or each.get("created_at")) for each in alerts]
        moments += [at for at in times if at is not None]
    newest = max(moments, default=pages[0].requested_at if pages else pull.now())
    attributes = {
        "repository": place.id,
        "repository_key": place.repository_key,
        "seen_at": newest.isoformat(),
    }
    for page in pages:
        yield replace(page, attributes=attributes)


def _listed_since(pull: Pull, path: str, since: str | None) -> Iterator[Mapping[str, Any]]:
    """The alerts of a list that changed since a time, newest first; all of them without one."""
    floor = datetime.fromisoformat(since) if since else None
    for _, alerts in _listed(pull, path, {"sort": "updated", "direction": "desc"}):
        for alert in alerts:
            at = moment_of(alert.get("updated_at") or alert.get("created_at"))
            if floor is not None and at is not None and at < floor:
                return
            yield alert


def _listed(
    pull: Pull, path: str, order: Mapping[str, str]
) -> Iterator[tuple[Any, list[Mapping[str, Any]]]]:
    """The pages of a list; none where code scanning is off or not for this credential to see.

    GitHub says the same for both, 403 or 404; `leadline doctor` tells of it.
    """
    following: str | None = path
    params: dict[str, Any] | None = {"per_page": _PER_PAGE, **order}
    while following is not None:
        try:
            answer = pull.client.get(following, params)
        except SingleSignOnError:
            raise
        except (ForbiddenError, NotFoundError):
            return
        value, _ = load_json(answer.body)
        alerts = value if isinstance(value, list) else []
        yield answer, [each for each in alerts if isinstance(each, dict)]
        following, params = pull.client.next_link(answer), None


def _place_of(repository: Any) -> _Place | None:
    number, name, url = (dig(repository, part) for part in ("id", "full_name", "html_url"))
    if not isinstance(number, int) or not isinstance(name, str) or not isinstance(url, str):
        return None
    return _Place(str(number), name, repository_key(url))
