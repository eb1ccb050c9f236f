"""Projects of GitLab, and the scopes they open for all other streams, each with a change marker.

Projects are listed a hundred a request by REST, and one question of GraphQL tells of the hundred
what each one's lists hold. A list whose marker is that of its last complete pull costs no request.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import AwareDatetime

from connectors.clone_url import repository_key
from connectors.connector import Line, Page, Parsed, Pull, Scope, SourceError
from connectors.failures import NotFoundError
from connectors.gitlab_graphql import Asker, UnknownFieldError
from connectors.gitlab_names import number_of
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_rest import KEYSET, Listed, listed, path_id, value_of
from connectors.graphql import HeavyQueryError
from connectors.reading import Reader, Wire, dig
from connectors.records import Record, Repository
from connectors.snapshots import SnapshotStream

NAMED = "projects"
MEMBERSHIP = "membership"
# GitLab moves a project's time of activity once an hour at most.
_ACTIVITY_INTERVAL = timedelta(hours=1)
_PROBED_AT_ONCE = 100

PROBES = """
query($ids: [ID!]!, $first: Int!, $since: Time!) {
  projects(ids: $ids, first: $first) {
    nodes {
      id
      mergeRequests(first: 1, sort: UPDATED_DESC) { count nodes { id updatedAt } }
      issues(first: 1, sort: UPDATED_DESC) { count nodes { id updatedAt } }
      releases(first: 1) { count nodes { tagName createdAt } }
      pipelines(first: 20, updatedAfter: $since) { count nodes { id updatedAt } }
    }
  }
}
"""


class NamespaceWire(Wire):
    """The group or user a project belongs to."""

    kind: str | None = None


class ForkWire(Wire):
    """What a project was forked from."""

    id: int | None = None


class ProjectWire(Wire):
    """A project."""

    id: int
    path_with_namespace: str
    web_url: str
    name: str | None = None
    http_url_to_repo: str | None = None
    default_branch: str | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    last_activity_at: AwareDatetime | None = None
    archived: bool | None = None
    mirror: bool | None = None
    visibility: str | None = None
    empty_repo: bool | None = None
    merge_requests_enabled: bool | None = None
    creator_id: int | None = None
    forked_from_project: ForkWire | None = None
    # "disabled" where a feature is off; GitLabs that are old or hide it say nothing.
    builds_access_level: str | None = None
    environments_access_level: str | None = None
    releases_access_level: str | None = None
    issues_access_level: str | None = None
    security_and_compliance_access_level: str | None = None


_LISTED: Reader[ProjectWire] = Reader(ProjectWire, (), Repository)
_SINGLE: Reader[ProjectWire] = Reader(ProjectWire, None, Repository)

# What changes whenever a stream has something new, and the newest time in it; of a project, and
# of what GraphQL told of it (empty where it told nothing). None where no sign can be had.
Marker = Callable[[ProjectWire, Mapping[str, Any]], tuple[Any, datetime | None]]


class ProjectsStream(SnapshotStream):
    """Projects of the groups with those of their subgroups, projects named, or all there are."""

    name = "repositories"
    record_types: ClassVar[tuple[type[Record], ...]] = (Repository,)

    def __init__(self, options: GitlabOptions) -> None:
        self.options = options

    def answers(self, pull: Pull, scope: Scope) -> Iterator[list[Page]]:
        """The list of one group, or each of the projects named in the settings."""
        if scope.id == NAMED:
            yield from self._named(pull)
            return
        path = f"groups/{path_id(scope.id)}/projects"
        asked = {"include_subgroups": "true", "with_shared": "false", "order_by": "id"}
        if scope.id == MEMBERSHIP:
            # The one list of projects that has no end by number but goes by key.
            path, asked = "projects", {**KEYSET, "membership": "true"}
        for part in listed(pull.client, path, {**asked, "sort": "asc"}):
            yield [self._page(pull, part, {})]

    def _named(self, pull: Pull) -> Iterator[list[Page]]:
        missing: list[str] = []
        for full_path in self.options.projects:
            try:
                answer = pull.client.get(f"projects/{path_id(full_path)}")
            except NotFoundError:
                missing.append(full_path)
                continue
            project = value_of(answer)
            part = Listed(answer, [project if isinstance(project, dict) else {}])
            yield [self._page(pull, part, {str(part.items[0].get("id")): full_path})]
        if missing:
            raise NotFoundError(
                f"{pull.client.base_url}: there is no project {', '.join(missing)}, or the token "
                "may not know of it; check projects in the settings and the token's access"
            )

    def _page(self, pull: Pull, part: Listed, asked: Mapping[str, str]) -> Page:
        attributes = {
            "excluded": json.dumps(_excluded(part.items, self.options)),
            "former_keys": json.dumps(_former_keys(part.items, pull, asked)),
            "probes": json.dumps(_probes(pull, part.items)),
        }
        return part.page(attributes={name: text for name, text in attributes.items() if text})

    def parse(self, line: Line) -> Parsed:
        """Projects; what the settings leave out was noted when the page was received."""
        parsed = Parsed()
        excluded = set(json.loads(line.attributes.get("excluded", "[]")))
        for wire in read_projects(line, parsed):
            if wire.id not in excluded:
                parsed.add(_repository(line, wire))
        return parsed


def read_projects(line: Line, parsed: Parsed) -> list[ProjectWire]:
    """The projects of a page: a list, or one that was asked for by its path."""
    is_single = line.body.lstrip()[:1] == b"{"
    return (_SINGLE if is_single else _LISTED).read(line, parsed)


def project_scopes(
    line: Line,
    parsed: Parsed,
    marker: Marker,
    is_open: Callable[[ProjectWire], bool] = lambda _: True,
) -> Iterator[Scope]:
    """One scope a project of a page that became a record, under its number.

    `is_open` says whether the project has the feature at all that a stream reads.
    """
    kept = {
        each.repository_id for each in parsed.records[Repository] if isinstance(each, Repository)
    }
    probes = json.loads(line.attributes.get("probes", "{}"))
    former = json.loads(line.attributes.get("former_keys", "{}"))
    for wire in read_projects(line, Parsed()):
        if _repository_id(line, wire) not in kept or not is_open(wire):
            continue
        attributes = {
            "repository_key": repository_key(wire.web_url),
            "full_path": wire.path_with_namespace,
            "web_url": wire.web_url,
            "clone_url": wire.http_url_to_repo or f"{wire.web_url}.git",
        }
        if wire.default_branch:
            attributes["default_branch"] = wire.default_branch
        if str(wire.id) in former:
            attributes["former_keys"] = json.dumps(former[str(wire.id)])
        shown, newest = marker(wire, probes.get(str(wire.id)) or {})
        if shown is not None:
            attributes["marker"] = json.dumps(shown, separators=(",", ":"))
            attributes["newest"] = newest.isoformat() if newest is not None else ""
        yield Scope(str(wire.id), attributes)


def activity(wire: ProjectWire, _: Mapping[str, Any]) -> tuple[Sequence[Any] | None, Any]:
    """What moves with every push and event, but once an hour at most.

    What happens within the hour leaves no trace: the marker counts as settled only after it.
    """
    at = wire.last_activity_at
    if at is None or wire.mirror:
        return None, None
    return [at.isoformat(), wire.default_branch], at + _ACTIVITY_INTERVAL


def probed_since(now: datetime) -> str:
    """The beginning of yesterday: pipelines that changed since then are looked at by the probe.

    GitLab does not order them by their update. The moment is part of what a probe shows, so that
    nothing seen before it is ever held against what is seen after it.
    """
    return f"{now - timedelta(days=1):%Y-%m-%d}T00:00:00Z"


def _repository_id(line: Line, wire: ProjectWire) -> str:
    return f"{line.connection}:repository:{wire.id}"


def _repository(line: Line, wire: ProjectWire) -> Repository:
    """A project under its number, with the keys it had before it was moved."""
    former = json.loads(line.attributes.get("former_keys", "{}"))
    creator = wire.creator_id
    return Repository(
        repository_id=_repository_id(line, wire),
        repository_key=repository_key(wire.web_url),
        former_keys=former.get(str(wire.id), []),
        name=wire.path_with_namespace.rpartition("/")[2],
        url=wire.web_url,
        default_branch=wire.default_branch,
        created_at=wire.created_at,
        is_archived=bool(wire.archived),
        is_fork=wire.forked_from_project is not None,
        is_mirror=bool(wire.mirror),
        visibility=wire.visibility,
        created_by=None if creator is None else f"{line.connection}:account:{creator}",
        source_updated_at=None,
    )


def _excluded(items: Iterable[Mapping[str, Any]], options: GitlabOptions) -> list[int]:
    """The numbers on a page that the settings leave out, or that await their deletion."""
    return [
        item["id"]
        for item in items
        if isinstance(item.get("id"), int)
        and (
            not options.takes(str(item.get("path_with_namespace")))
            or item.get("marked_for_deletion_on") is not None
        )
    ]


def _former_keys(
    items: Iterable[Mapping[str, Any]], pull: Pull, asked: Mapping[str, str]
) -> dict[str, list[str]]:
    """By number of the project: the keys it had before; `asked` are paths from the settings."""
    known = {**pull.known("change_requests"), **pull.known("references")}
    found: dict[str, list[str]] = {}
    for item in items:
        number, url, path = (
            str(item.get("id")),
            item.get("web_url"),
            item.get("path_with_namespace"),
        )
        if not isinstance(url, str) or not isinstance(path, str):
            continue
        key = repository_key(url)
        before = known.get(number, {})
        keys = list(json.loads(before.get("former_keys", "[]")))
        keys.append(before.get("repository_key", key))
        if number in asked:
            keys.append(f"{key.removesuffix(path.lower())}{asked[number].lower()}")
        former = [each for each in dict.fromkeys(keys) if each != key]
        if former:
            found[number] = former
    return found


def _probes(pull: Pull, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By number of the project: what GraphQL tells of its lists; empty where it cannot."""
    asker = Asker(pull.client, _PROBED_AT_ONCE)
    since = probed_since(pull.now())
    left = [f"gid://gitlab/Project/{item.get('id')}" for item in items if item.get("id")]
    found: dict[str, Any] = {}
    while left:
        some = left[: asker.size]
        try:
            asked = {"ids": some, "first": len(some), "since": since}
            told = asker.try_size(PROBES, asked)
        except (UnknownFieldError, HeavyQueryError, NotFoundError):
            return {}
        if told is None:
            continue
        for node in dig(told.data, "projects", "nodes") or ():
            if isinstance(node, dict) and isinstance(node.get("id"), str):
                found[str(_number(node["id"]))] = {**node, "since": since}
        left = left[len(some) :]
    return found


def _number(text: str) -> int:
    try:
        return number_of(text)
    except ValueError as error:
        raise SourceError(f"GraphQL names a project {text!r}, which is no id") from error
