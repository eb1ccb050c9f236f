"""The streams that read git: references, commits and the paths commits touch.

Any connection that knows clone addresses can use them: it subclasses a stream, names the parent
whose records give the scopes, and hands over a `GitSource` with its credential. Scope attributes:
`repository_key`, and `path` or `clone_url`; optional `default_branch`, and `marker` with
`newest` (ISO time of the newest change it shows): an equal marker spares every git request.
"""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, TypedDict

from connectors.clones import Clone, GitSource, present_commits, settled_marker
from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream
from connectors.git_command import Git
from connectors.git_failures import GitError
from connectors.git_log import (
    COMMIT_LOG,
    PATH_LOG,
    commit_pages,
    parse_commits,
    parse_paths,
    path_pages,
)
from connectors.git_references import list_references, parse_references, tips
from connectors.records import Commit, CommitPath, Reference


class _Cursor(TypedDict):
    """What has been read: any difference but new tips asks for a full reading."""

    key: str
    mailmap: str
    shallow: str
    tips: list[str]


class GitStream(Stream):
    """A stream that reads one repository a scope."""

    def __init__(self, source: GitSource) -> None:
        self.source = source


class ReferenceStream(GitStream):
    """Branches, tags and HEAD: the whole set whenever any of it moved."""

    name = "references"
    record_types = (Reference,)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """One page with the whole listing, or nothing where nothing moved."""
        if is_unchanged(scope, state):
            return
        requested_at = pull.now()
        clone = self.source.open(pull, scope)
        body = list_references(clone.git)
        key = scope.attributes["repository_key"]
        cursor = hashlib.sha256(key.encode() + b"\n" + body).hexdigest()
        after = State(cursor=cursor, marker=settled_marker(scope, requested_at))
        if after != state:
            yield Page(clone.url, requested_at, body, after, body.count(b"\n"))

    def parse(self, line: Line) -> Parsed:
        """The whole set of references of the repository."""
        return parse_references(line)


class _LogStream(GitStream):
    """Commits in the order git tells them; only what is not reachable from the last tips."""

    # Commits that no branch holds any more have been deployed all the same.
    forgets = True
    # Commits never change, and a moved branch shows in its tip.
    daily_full_pass = False
    log: ClassVar[tuple[str, ...]]

    @abstractmethod
    def cut(self, chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        """The log's output in pages of whole records, each with its count of commits."""

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The log since the state's tips in pages, while git runs; the last one sets the state."""
        if is_unchanged(scope, state):
            return
        requested_at = pull.now()
        clone = self.source.open(pull, scope)
        cursor = _Cursor(
            key=scope.attributes["repository_key"],
            mailmap=clone.mailmap,
            shallow=hashlib.sha256(" ".join(clone.shallow).encode()).hexdigest()[:16],
            tips=tips(list_references(clone.git)),
        )
        after = State(
            cursor=json.dumps(cursor, separators=(",", ":")),
            marker=settled_marker(scope, requested_at),
        )
        if after == state:
            return
        attributes = {"shallow_boundary": " ".join(clone.shallow)} if clone.shallow else {}
        held: tuple[bytes, int] = (b"", 0)
        for page in self._read(clone, cursor["tips"], _old_tips(clone.git, state, cursor)):
            if held[1]:
                yield Page(clone.url, requested_at, held[0], None, held[1], attributes=attributes)
            held = page
        yield Page(clone.url, requested_at, held[0], after, held[1], attributes=attributes)

    def _read(self, clone: Clone, new: list[str], old: list[str]) -> Iterator[tuple[bytes, int]]:
        if not set(new) - set(old):
            return
        wanted = "".join([*(f"{tip}\n" for tip in new), *(f"^{tip}\n" for tip in old)])
        command = (*clone.log_options, "log", *self.log, "--stdin")
        try:
            yield from self.cut(clone.git.stream(*command, stdin=wanted.encode()))
        except GitError:
            if not old:
                raise
            # The old tips' own history has been swept away since: what is left is read whole.
            yield from self._read(clone, new, [])


class CommitStream(_LogStream):
    """Every commit that a reference reaches."""

    name = "commits"
    record_types = (Commit,)
    log = COMMIT_LOG

    def cut(self, chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        """Pages of whole commits."""
        return commit_pages(chunks)

    def parse(self, line: Line) -> Parsed:
        """The commits of one page."""
        return parse_commits(line)


class CommitPathStream(_LogStream):
    """The paths each commit touches against its first parent, without asking for contents."""

    name = "commit_paths"
    record_types = (CommitPath,)
    log = PATH_LOG

    def cut(self, chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        """Pages of whole commits with their paths."""
        return path_pages(chunks)

    def parse(self, line: Line) -> Parsed:
        """The paths of one page."""
        return parse_paths(line)


def is_unchanged(scope: Scope, state: State) -> bool:
    """Whether the probe shows what it showed when this scope was last complete."""
    marker = scope.attributes.get("marker")
    return marker is not None and marker == state.marker and state.cursor is not None


def _old_tips(git: Git, state: State, cursor: _Cursor) -> list[str]:
    """The tips already read, as far as the repository still has them.

    Everything reachable from a tip that is left has been read; what only a vanished tip reached
    is read again where a new tip reaches it.
    """
    if state.cursor is None:
        return []
    before = json.loads(state.cursor)
    if any(before.get(part) != cursor[part] for part in ("key", "mailmap", "shallow")):
        return []
    return present_commits(git, before["tips"])
