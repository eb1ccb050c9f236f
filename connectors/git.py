"""Git repositories: clones on this machine read in place, and addresses to clone from.

Three things to know: a local path is never written to; an address is cloned once and fetched from
then on; a token goes to git by its own question and answer, never by a command line or an address.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator

from connectors.clone_url import (
    clone_url,
    is_address,
    known_origin,
    repository_key,
    repository_name,
)
from connectors.clones import GitSource, git_directory
from connectors.connector import (
    ConnectionOptions,
    Connector,
    Finding,
    Line,
    Page,
    Parsed,
    Permission,
    Pull,
    Scope,
    SourceError,
    State,
    Stream,
)
from connectors.git_command import Git
from connectors.git_log import possible_time
from connectors.git_references import default_branch, list_references, tips
from connectors.git_streams import CommitPathStream, CommitStream, GitStream, ReferenceStream
from connectors.practices.options import PracticeOptions
from connectors.practices.stream import PracticeStream
from connectors.reading import load_json
from connectors.records import Repository
from connectors.secret import Secret

__all__ = ["CommitPathStream", "CommitStream", "GitSource", "ReferenceStream", "repository_key"]

_PULL_REQUESTS = ("+refs/pull/*/head:refs/pull/*/head",)


class GitOptions(ConnectionOptions):
    """Settings of a git connection."""

    repositories: tuple[str, ...] = Field(
        min_length=1, description="paths of clones on this machine, or addresses to clone from"
    )
    names: dict[str, str] = Field({}, description="display names, by path or address")
    token: Secret | None = Field(None, description="token for https addresses")
    username: str = Field(
        "x-access-token",
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="user name that goes with the token, where the host wants a certain one",
    )
    paths: bool = Field(False, description="read which paths each commit touches (path rules)")
    pull_requests: bool = Field(
        False, description="fetch the heads of pull requests too (refs/pull)"
    )
    practices: PracticeOptions = Field(
        PracticeOptions(), description="the practice inventory, where [practices] does not suit"
    )

    @field_validator("repositories")
    @classmethod
    def _acceptable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if is_address(text):
                try:
                    clone_url(text)
                except SourceError as error:
                    raise ValueError(str(error)) from None
            elif not text or any(ord(sign) < 0x20 for sign in text):
                raise ValueError(f"{text!a} is no path: put the path of a clone")
        return value

    def beside(self, folder: Path) -> Self:
        """The same with relative paths of clones counting from the settings' folder."""

        def absolute(text: str) -> str:
            return text if is_address(text) else str(folder / Path(text).expanduser())

        return self.model_copy(
            update={
                "repositories": tuple(map(absolute, self.repositories)),
                "names": {absolute(text): name for text, name in self.names.items()},
            }
        )


class RepositoryStream(GitStream):
    """The configured repositories themselves."""

    name = "repositories"
    record_types = (Repository,)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """One page of facts about the repository, where they changed."""
        requested_at = pull.now()
        clone = self.source.open(pull, scope)
        listing = list_references(clone.git)
        # The first commit stays the first: it is looked for once, not at every pull.
        before = json.loads(state.cursor) if state.cursor else {}
        first = before.get("first_commit") or _first_commit(clone.git, tips(listing), requested_at)
        body = json.dumps(
            {
                "name": scope.attributes["name"],
                "url": scope.attributes.get("url"),
                "default_branch": default_branch(listing),
                "first_commit": first,
                "is_shallow": bool(clone.shallow),
            },
            ensure_ascii=False,
        ).encode()
        digest = hashlib.sha256(scope.attributes["repository_key"].encode() + body).hexdigest()
        cursor = json.dumps({"first_commit": first, "digest": digest})
        if cursor != state.cursor:
            yield Page(clone.url, requested_at, body, State(cursor=cursor), 1)

    def parse(self, line: Line) -> Parsed:
        """The repository; a shallow clone does not know when it began."""
        parsed = Parsed()
        facts = _facts(line)
        key = line.attributes["repository_key"]
        first = None if facts["is_shallow"] else facts["first_commit"]
        parsed.add(
            Repository(
                repository_id=f"{line.connection}:repository:{key}",
                repository_key=key,
                name=facts["name"],
                url=facts["url"],
                default_branch=facts["default_branch"],
                created_at=possible_time(first, line.requested_at) if first else None,
            )
        )
        return parsed


def _facts(line: Line) -> dict[str, Any]:
    """What was kept of a repository; the page is of our own making, so nothing may be missing."""
    try:
        facts, _ = load_json(line.body)
    except ValueError as error:
        raise SourceError(f"{line.url}: the kept page is not JSON ({error})") from error
    names = {"name", "url", "default_branch", "first_commit", "is_shallow"}
    if not isinstance(facts, dict) or not names <= facts.keys():
        raise SourceError(f"{line.url}: the kept page is not an object with {sorted(names)}")
    return facts


class GitConnector(Connector):
    """Git repositories by path or address."""

    kind = "git"
    title = "Git repositories"
    options_type = GitOptions
    permissions = (
        Permission(
            "read the repository",
            ("repositories", "references", "commits", "commit_paths", "practices"),
            "whatever the host calls it; clones on this machine and public addresses need none",
        ),
    )
    options: GitOptions

    def __init__(self, name: str, options: GitOptions) -> None:
        super().__init__(name, options)
        self.source = GitSource(
            token=options.token.reveal if options.token is not None else None,
            username=options.username,
            ca_file=options.ca_file,
            proxy=options.proxy,
            refspecs=_PULL_REQUESTS if options.pull_requests else (),
        )
        self._scopes: list[Scope] | None = None

    def streams(self) -> tuple[Stream, ...]:
        """Repositories, references and commits; paths and practices where they are asked for."""
        always: tuple[Stream, ...] = (
            RepositoryStream(self.source),
            ReferenceStream(self.source),
            CommitStream(self.source),
        )
        paths = (CommitPathStream(self.source),) if self.options.paths else ()
        # This one always, so that kept scans can be read whatever the settings say today.
        return (*always, *paths, PracticeStream(self.source, self.options.practices))

    def scopes(self, stream: Stream) -> Iterable[Scope]:
        """One scope a configured repository, none for what the settings leave out."""
        if isinstance(stream, PracticeStream) and not self.options.practices.scan:
            return []
        if self._scopes is None:
            self._scopes = self._configured()
        return self._scopes

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Open every repository and say what a pull will lack."""
        for scope in self.scopes(self.streams()[0]):
            try:
                clone = self.source.open(pull, scope)
            except SourceError as error:
                yield Finding("error", scope.id, str(error))
                continue
            if clone.shallow:
                yield Finding(
                    "warning",
                    scope.id,
                    "a shallow clone: changes before its boundary have no lead time; "
                    "run git fetch --unshallow in it",
                )
            else:
                yield Finding("ok", scope.id, "can be read")

    def _configured(self) -> list[Scope]:
        found: dict[str, str] = {}
        scopes = []
        for text in self.options.repositories:
            attributes = _address(text) if is_address(text) else _local(Path(text))
            attributes["name"] = self.options.names.get(text, attributes["name"])
            key = attributes["repository_key"]
            if key in found:
                attributes["clone_of"] = found[key]
            found.setdefault(key, text)
            scopes.append(Scope(text, attributes))
        return scopes


def _address(text: str) -> dict[str, str]:
    url = clone_url(text)
    return {"clone_url": url.text, "repository_key": url.key, "name": url.name, "url": url.page}


def _local(path: Path) -> dict[str, str]:
    """What is known of a local clone; one that cannot be read says so when it is pulled."""
    path = path.expanduser().resolve()
    attributes = {
        "path": str(path),
        "repository_key": f"local/{str(path).strip('/')}".lower(),
        "name": repository_name(str(path)),
    }
    try:
        git = Git(git_directory(path), str(path))
        told = git.run("config", "--default", "", "--get", "remote.origin.url")
    except SourceError:
        return attributes  # `pages` meets the same error and reports it for this scope
    origin = known_origin(told.decode("utf-8", "replace").strip())
    if origin is not None:
        attributes |= {"repository_key": origin.key, "name": origin.name, "url": origin.page}
    return attributes


def _first_commit(git: Git, heads: list[str], asked_at: datetime) -> str | None:
    """When the oldest root was committed, in seconds since 1970 as git prints it."""
    if not heads:
        return None
    told = git.run(
        *("log", "--max-parents=0", "--format=%ct", "--stdin"), stdin="\n".join(heads).encode()
    )
    return min(
        (seconds for seconds in told.decode("ascii").split() if possible_time(seconds, asked_at)),
        key=int,
        default=None,
    )
