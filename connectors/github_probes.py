"""What the probe of a repository opens: the scopes of its streams, each with a change marker.

Lists whose marker is the one of the last complete pull cost no request.
"""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.clone_url import repository_key
from connectors.connector import Line, Parsed, Pull, Scope, State, Stream
from connectors.github_options import GithubOptions
from connectors.github_wire import ProbesWire, RepositoryWire
from connectors.reading import Reader
from connectors.records import Repository

LISTED: Reader[RepositoryWire] = Reader(
    RepositoryWire, ("data", "organization", "repositories", "nodes"), Repository
)
# A repository that is not there is null, and was told when the page was received.
_PERHAPS: Any = RepositoryWire | None
NAMED: Reader[RepositoryWire | None] = Reader(_PERHAPS, ("data",), Repository, is_mapping=True)


Marker = Callable[[RepositoryWire], tuple[Any, datetime | None]]


class RepositoryChild(Stream):
    """A stream that is pulled repository by repository."""

    parent: ClassVar[str | None] = "repositories"

    def __init__(self, options: GithubOptions, *, is_wanted: bool = True) -> None:
        self.options = options
        self.is_wanted = is_wanted

    @abstractmethod
    def marker(self, wire: RepositoryWire) -> tuple[Any, datetime | None]:
        """What changes whenever this stream has something new, and the newest time in it.

        None for the former where the probe could not see it.
        """

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a repository, none where the settings leave this stream out."""
        return repository_scopes(line, parsed, self.marker) if self.is_wanted else ()


def repository_scopes(line: Line, parsed: Parsed, marker: Marker) -> Iterator[Scope]:
    """One scope a repository of a page that became a record."""
    kept = {
        each.repository_id for each in parsed.records[Repository] if isinstance(each, Repository)
    }
    for wire in read_repositories(line, Parsed()):
        if f"{line.connection}:repository:{wire.database_id}" in kept:
            yield Scope(str(wire.database_id), _attributes(line, wire, marker))


def _attributes(line: Line, wire: RepositoryWire, marker: Marker) -> dict[str, str]:
    former = json.loads(line.attributes.get("former_keys", "{}"))
    branch = wire.default_branch_ref
    attributes = {
        "repository_key": repository_key(wire.url),
        "full_name": wire.name_with_owner,
        "node_id": wire.id,
        "clone_url": f"{wire.url}.git",
    }
    if wire.created_at is not None:
        attributes["created_at"] = wire.created_at.isoformat()
    if branch is not None and branch.name:
        attributes["default_branch"] = branch.name
    if str(wire.database_id) in former:
        attributes["former_keys"] = json.dumps(former[str(wire.database_id)])
    shown, at = marker(wire)
    if shown is not None:
        attributes["marker"] = json.dumps(shown, separators=(",", ":"))
        attributes["newest"] = at.isoformat() if at is not None else ""
    return attributes


def is_unchanged(scope: Scope, state: State) -> bool:
    """Whether the probe shows what it showed when this scope was last complete."""
    marker = scope.attributes.get("marker")
    return marker is not None and state.resume is None and state.marker == marker


def read_repositories(line: Line, parsed: Parsed) -> list[RepositoryWire]:
    """The repositories of a page, listed or named."""
    if line.attributes.get("shape") != "named":
        return LISTED.read(line, parsed)
    return [wire for wire in NAMED.read(line, parsed) if wire is not None]


def repository(line: Line, wire: RepositoryWire) -> Repository:
    """A repository under its number, with the keys it had before it was renamed."""
    former = json.loads(line.attributes.get("former_keys", "{}"))
    branch = wire.default_branch_ref
    language = wire.primary_language
    return Repository(
        repository_id=f"{line.connection}:repository:{wire.database_id}",
        repository_key=repository_key(wire.url),
        former_keys=former.get(str(wire.database_id), []),
        name=wire.name,
        url=wire.url,
        default_branch=branch.name if branch is not None else None,
        created_at=wire.created_at,
        archived_at=wire.archived_at,
        is_archived=bool(wire.is_archived),
        is_fork=bool(wire.is_fork),
        is_template=bool(wire.is_template),
        is_mirror=bool(wire.is_mirror),
        language=language.name if language is not None else None,
        visibility=wire.visibility.lower() if wire.visibility else None,
        source_updated_at=None,
    )


def excluded_names(nodes: Iterable[Mapping[str, Any]], options: GithubOptions) -> list[str]:
    """The full names on a page that the settings leave out."""
    names = [str(node.get("nameWithOwner")) for node in nodes]
    return [name for name in names if not options.takes(name)]


def former_keys(
    nodes: Iterable[Mapping[str, Any]], pull: Pull, asked: Mapping[str, str]
) -> dict[str, list[str]]:
    """By number of the repository: the keys it had before; `asked` are names from the settings."""
    known = pull.known("change_requests")
    found: dict[str, list[str]] = {}
    for node in nodes:
        number, url = str(node.get("databaseId")), node.get("url")
        if not isinstance(url, str):
            continue
        key = repository_key(url)
        before = known.get(number, {})
        keys = list(json.loads(before.get("former_keys", "[]")))
        keys.append(before.get("repository_key", key))
        if number in asked:
            host = key.partition("/")[0]
            keys.append(f"{host}/{asked[number]}".lower())
        former = [each for each in dict.fromkeys(keys) if each != key]
        if former:
            found[number] = former
    return found


def probed(probes: ProbesWire | None) -> tuple[Any, datetime | None]:
    """Number and newest entries of a list."""
    if probes is None:
        return None, None
    nodes = [node for node in probes.nodes or () if node is not None]
    shown = [
        [node.database_id, node.updated_at.isoformat() if node.updated_at else None, node.state]
        for node in nodes
    ]
    return [probes.total_count, shown], newest(node.updated_at for node in nodes)


def newest(times: Iterable[datetime | None]) -> datetime | None:
    """The latest of the times there are."""
    return max((time for time in times if time is not None), default=None)


def start_of(options: GithubOptions) -> datetime | None:
    """The first moment of the start date."""
    start = options.start_date
    return None if start is None else datetime(start.year, start.month, start.day, tzinfo=UTC)


def pushed(wire: RepositoryWire) -> tuple[Sequence[Any], datetime | None]:
    """What changes with every push: time, tip of the default branch, branches and tags."""
    branch = wire.default_branch_ref
    tags = wire.tags
    tips = [
        [node.name, node.target.oid if node.target else None]
        for node in (tags.nodes if tags else None) or ()
        if node is not None
    ]
    shown = [
        wire.pushed_at.isoformat() if wire.pushed_at else None,
        branch.target.oid if branch is not None and branch.target is not None else None,
        wire.branches.total_count if wire.branches is not None else None,
        tags.total_count if tags is not None else None,
        tips,
    ]
    return shown, wire.pushed_at
