"""The jobs of a Jenkins controller, through folders, organisations and branches."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from connectors.client import Client
from connectors.connector import Line, Page, Parsed, Pull, Scope, SourceError, State, Stream
from connectors.failures import redact_url
from connectors.jenkins_wire import ITEMS
from connectors.reading import load_json, unknown_shape

_BRANCHES = "MultiBranchProject"
_DIGEST = 16
_DEEPEST = 30  # folders within folders; a plugin that shows itself inside itself ends here


class _Folder(NamedTuple):
    """Where items lie: the path, the name for people, the class."""

    path: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Item:
    """A job or folder: its path below the controller, its name for people, and what it shows."""

    path: str
    name: str
    raw: Mapping[str, Any]
    branch: str | None = None

    @property
    def is_job(self) -> bool:
        """Whether it has builds; folders tell of no last build, jobs of none or one."""
        return "lastBuild" in self.raw

    @property
    def folder(self) -> _Folder:
        """The same as the place of other items."""
        return _Folder(self.path, self.name, str(self.raw.get("_class") or ""))

    @property
    def probe(self) -> str:
        """Changes with every new build, and when the job is made anew."""
        last = self.raw.get("lastBuild")
        if not isinstance(last, dict):
            return "none"
        return f"{last.get('number')}@{last.get('timestamp')}"


class Jobs(Stream):
    """Jobs with their last builds: what opens the lists of builds, and tells which to read."""

    name = "jobs"
    record_types = ()

    def __init__(self, exclude: Sequence[str]) -> None:
        self._exclude = tuple(exclude)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """One page for the controller, and one for each folder that lies deeper than three.

        Pages that look as before are not kept again; the state holds what they looked like.
        """
        before: dict[str, str] = json.loads(state.marker or "{}")
        now: dict[str, str] = {}
        held: Page | None = None
        for path, page in self._walked(pull.client):
            now[path] = hashlib.sha256(page.body).hexdigest()[:_DIGEST]
            if before.get(path) == now[path]:
                continue
            if held is not None:
                yield held
            held = page
        if held is not None:
            yield replace(held, state=State(marker=json.dumps(now, sort_keys=True)))

    def _walked(self, client: Client) -> Iterator[tuple[str, Page]]:
        """The controller's top, then the folders that an answer leaves unread, by their paths."""
        waiting = [_Folder("", "", "")]
        while waiting:
            folder = waiting.pop()
            answer = client.get(f"{folder.path}api/json", {"tree": ITEMS})
            body = body_of(answer.body, answer.url)
            if not folder.path and not isinstance(body.get("jobs"), list):
                raise _odd(answer.url, "$", "an object with 'jobs'", body)
            attributes = {"path": folder.path, "name": folder.name, "kind": folder.kind}
            yield (
                folder.path,
                Page(answer.url, answer.requested_at, answer.body, items=1, attributes=attributes),
            )
            for item in _items(body, folder):
                if item.is_job or "jobs" in item.raw or is_left_out(item.name, self._exclude):
                    continue
                if item.path.count("job/") > _DEEPEST:
                    raise SourceError(
                        f"{redact_url(answer.url)}: folders lie more than {_DEEPEST} deep; leave "
                        "them out with exclude"
                    )
                waiting.append(item.folder)

    def parse(self, line: Line) -> Parsed:
        """Nothing but the scopes of builds."""
        body_of(line.body, line.url)
        return Parsed()


def jobs_in(line: Line) -> Iterator[Item]:
    """The jobs that a page shows."""
    told = line.attributes
    folder = _Folder(told.get("path", ""), told.get("name", ""), told.get("kind", ""))
    yield from (item for item in _items(body_of(line.body, line.url), folder) if item.is_job)


def body_of(body: bytes, url: str) -> dict[str, Any]:
    """The object of an answer; raises where it is none."""
    try:
        value, _ = load_json(body)
    except ValueError as error:
        raise SourceError(f"{redact_url(url)}: the kept page is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise _odd(url, "$", "an object", value)
    return value


def items_of(body: Mapping[str, Any]) -> Iterator[Item]:
    """Everything that one answer of the controller's top shows."""
    yield from _items(body, _Folder("", "", ""))


def _odd(url: str, place: str, expected: str, value: Any) -> SourceError:
    return unknown_shape(
        url=url,
        place=place,
        expected=expected,
        value=value,
        remedy="check that base_url is the address of a Jenkins controller",
    )


def _items(body: Mapping[str, Any], folder: _Folder) -> Iterator[Item]:
    """The items of an answer and those inside of them, folders before what they hold."""
    members = body.get("jobs")
    for raw in members if isinstance(members, list) else []:
        if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
            continue
        if raw["name"] in {"", ".", ".."}:
            continue
        # A multibranch project's jobs are called as their branches are, in an address' signs.
        shown = unquote(raw["name"])
        name = f"{folder.name}/{shown}" if folder.name else shown
        is_branch = folder.kind.endswith(_BRANCHES)
        path = f"{folder.path}job/{_segment(raw)}/"
        item = Item(path, name, raw, shown if is_branch else None)
        yield item
        if not item.is_job:
            yield from _items(raw, item.folder)


def _segment(raw: Mapping[str, Any]) -> str:
    """The last part of an item's path as the controller writes it.

    Nothing else of its address counts: it begins with the root URL that somebody configured
    there, which may not be the one it is reached by.
    """
    address = raw.get("url")
    told = address if isinstance(address, str) else ""
    last = told.partition("?")[0].rstrip("/").rpartition("/job/")[2]
    plain = unquote(last)
    is_named = raw["name"] == plain or unquote(raw["name"]) == unquote(plain)
    if is_named and "/" not in last:
        return quote(last, safe="%!$&'()*+,;=:@~")
    return quote(raw["name"], safe="")


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns fits a name, whatever its case; * matches folders too."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def is_left_out(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns fits the name, or that of a folder above."""
    parts = name.split("/")
    return any(matches("/".join(parts[:end]), patterns) for end in range(1, len(parts) + 1))
