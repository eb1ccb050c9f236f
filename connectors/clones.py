"""Repositories on this machine: local ones read in place, remote ones cloned and fetched.

A remote repository is cloned bare and without file contents (`--filter=blob:none`) into the
folder of clones, under a hash of its repository key, and only fetched from then on. A clone
appears by renaming a finished one, so that a killed clone leaves nothing half made. One lock file
a clone is held by this process and by git itself: whoever gets it may clear what a killed git has
left behind.
"""

import fcntl
import hashlib
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from weakref import WeakKeyDictionary

from connectors.clone_url import CloneUrl, clone_url
from connectors.connector import Pull, Scope, SourceError
from connectors.git_command import Access, Git, clone
from connectors.git_failures import GitError

_SETTLED = timedelta(seconds=60)
_BRANCHES = "+refs/heads/*:refs/heads/*"
_TAGS = "+refs/tags/*:refs/tags/*"
# Unlike `cat-file`, this does not try to fetch what a partial clone lacks.
PRESENT = ("--no-walk", "--ignore-missing", "--missing=allow-any")
_DAMAGE = re.compile(
    r"not a git repository|corrupt|bad object|missing (blob|tree|commit|object)|invalid index-pack|"
    r"unable to read|loose object|packfile .* (cannot|is far|does not)|did not send all necessary"
)
_BRANCH_NAME = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f~^:?*\[\\]*")


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository ready to be read."""

    git: Git
    url: str
    mailmap: str  # the id of HEAD's .mailmap, empty where there is none
    shallow: tuple[str, ...]  # commits whose parents this clone does not have

    @property
    def log_options(self) -> tuple[str, ...]:
        """Options that make names and e-mails follow HEAD's .mailmap and no other."""
        return ("-c", f"mailmap.blob={self.mailmap}", "-c", "mailmap.file=")


@dataclass(slots=True)
class GitSource:
    """Opens repositories for the streams of one connection, fetching each once a pull.

    A scope names its repository by `path` (local, never written to) or by `clone_url` and
    `repository_key`. With `marker` (what the vendor's probe shows) a clone that has already seen
    this marker costs no request. `default_branch` spares the question for it.
    """

    token: Callable[[], str | None] | None = field(default=None, repr=False)
    username: str = "x-access-token"
    ca_file: Path | None = None
    proxy: str | None = None
    refspecs: Sequence[str] = ()
    _fetched: WeakKeyDictionary[Pull, set[str]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )
    _locks: dict[str, threading.Lock] = field(default_factory=dict, repr=False)

    def open(self, pull: Pull, scope: Scope) -> Clone:
        """The scope's repository, as new as its remote; raises `SourceError`."""
        if "clone_of" in scope.attributes:
            raise SourceError(
                f"{scope.id} holds the repository {scope.attributes['repository_key']} once more, "
                f"which is read from {scope.attributes['clone_of']}: take one of them out of the "
                "settings"
            )
        if "path" in scope.attributes:
            path = Path(scope.attributes["path"])
            return _ready(Git(git_directory(path), str(path)), str(path))
        url = clone_url(scope.attributes["clone_url"])
        key = scope.attributes["repository_key"]
        with self._locks.setdefault(key, threading.Lock()):
            git = self._up_to_date(pull, scope, url, key)
        return _ready(git, url.text)

    def bring(self, pull: Pull, scope: Scope, names: Sequence[str]) -> None:
        """Fetch objects that a partial clone lacks in one request; local ones stay as they are.

        Raises `SourceError` where the remote gives no single objects.
        """
        if "path" in scope.attributes:
            return
        url = clone_url(scope.attributes["clone_url"])
        key = scope.attributes["repository_key"]
        target = _target(pull, key)
        asked = "".join(f"{name}\n" for name in names).encode()
        with (
            self._locks.setdefault(key, threading.Lock()),
            _locked(target.with_suffix(".lock")) as lock,
        ):
            Git(target, url.text).remote(
                *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"),
                *("--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin"),
                access=self._access(url),
                stdin=asked,
                keep_open=(lock,),
            )

    def _up_to_date(self, pull: Pull, scope: Scope, url: CloneUrl, key: str) -> Git:
        target = _target(pull, key)
        git = Git(target, url.text)
        fetched = self._fetched.setdefault(pull, set())
        marker = scope.attributes.get("marker")
        seen = target / "leadline-marker"
        if key in fetched and target.is_dir():
            return git
        if marker is not None and seen.is_file() and seen.read_text(encoding="utf-8") == marker:
            return git
        access = self._access(url)
        pull.clones.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(target.with_suffix(".lock")) as lock:
            for left_behind in pull.clones.glob(f"{target.stem}.*.part"):
                shutil.rmtree(left_behind)
            branch = scope.attributes.get("default_branch")
            seen.unlink(missing_ok=True)
            self._bring(git, url, access, lock, branch)
            _check_answer(git, access)
            if (settled := settled_marker(scope, pull.now())) is not None:
                seen.write_text(settled, encoding="utf-8")
        fetched.add(key)
        return git

    def _bring(
        self, git: Git, url: CloneUrl, access: Access, lock: int, branch: str | None
    ) -> None:
        """Fetch what is new; clone where there is no clone, or only a damaged one."""
        if git.directory.is_dir():
            _clear_locks(git.directory)
            try:
                self._fetch(git, url, access, lock, branch)
            except GitError as error:
                if not _DAMAGE.search(str(error)):
                    raise
            else:
                return
        self._clone(git, url, access, lock)
        _fetch_mailmap(git, access, lock)

    def _clone(self, git: Git, url: CloneUrl, access: Access, lock: int) -> None:
        part = git.directory.with_suffix(".new.part")
        old = git.directory.with_suffix(".old.part")
        try:
            clone(
                url.text,
                part,
                access=access,
                refspecs=(_TAGS, *self.refspecs),  # a bare clone takes the branches by itself
                keep_open=(lock,),
            )
            if git.directory.is_dir():
                git.directory.rename(old)
            part.rename(git.directory)
        finally:
            for folder in (part, old):
                shutil.rmtree(folder, ignore_errors=True)

    def _fetch(
        self, git: Git, url: CloneUrl, access: Access, lock: int, branch: str | None
    ) -> None:
        git.run("config", "remote.origin.url", url.text)
        git.remote(
            *("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head"),
            *("--filter=blob:none", "origin", _BRANCHES, _TAGS, *self.refspecs),
            access=access,
            keep_open=(lock,),
        )
        if branch is None:
            told = git.remote("ls-remote", "--symref", "origin", "HEAD", access=access)
            found = re.search(rb"^ref: refs/heads/(\S+)\tHEAD$", told, flags=re.MULTILINE)
            branch = found[1].decode("utf-8", "replace") if found else None
        if branch is not None and _BRANCH_NAME.fullmatch(branch):
            git.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        _fetch_mailmap(git, access, lock)

    def _access(self, url: CloneUrl) -> Access:
        if self.token is not None and url.origin is not None and not url.may_carry_token:
            raise SourceError(
                f"the token is not sent to {url.text}, which is not encrypted: "
                "use its https address"
            )
        return Access(
            origin=url.origin,
            token=self.token,
            username=self.username,
            ca_file=self.ca_file,
            proxy=self.proxy,
        )


def _target(pull: Pull, key: str) -> Path:
    """Where the clone of a repository lies."""
    return pull.clones / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.git"


def settled_marker(scope: Scope, asked_at: datetime) -> str | None:
    """The scope's marker; None while its newest change is too fresh to be surely the last one.

    Markers tell time by the second: a second push within it would look like no push at all.
    """
    newest = scope.attributes.get("newest")
    if newest and asked_at - datetime.fromisoformat(newest) < _SETTLED:
        return None
    return scope.attributes.get("marker")


def git_directory(path: Path) -> Path:
    """The git directory of a work tree, a linked work tree or a bare repository.

    Only the path itself is looked at: a folder inside a repository is not that repository.
    """
    if not path.is_dir():
        raise SourceError(f"there is no folder {path}: put the path of a clone into the settings")
    for candidate in (path / ".git", path):
        if candidate.is_file():
            pointer = candidate.read_text(encoding="utf-8", errors="surrogateescape")
            candidate = path / pointer.removeprefix("gitdir:").strip()  # noqa: PLW2901
        has_objects = (candidate / "objects").is_dir() or (candidate / "commondir").is_file()
        if (candidate / "HEAD").exists() and has_objects:
            return candidate.resolve()
    raise SourceError(
        f"{path} is not a git repository: put the folder that holds .git, or a bare repository, "
        "into the settings"
    )


def head_commit(git: Git) -> str | None:
    """The commit HEAD stands at; None on a branch without commits."""
    name, kind, *_ = git.run("cat-file", "--batch-check", stdin=b"HEAD^{commit}\n").split()
    return name.decode("ascii") if kind == b"commit" else None


def present_commits(git: Git, names: list[str]) -> list[str]:
    """Those of the commits that are still in the repository."""
    asked = "".join(f"{name}\n" for name in names).encode()
    return git.run("rev-list", *PRESENT, "--stdin", stdin=asked).decode("ascii").split()


def _ready(git: Git, url: str) -> Clone:
    shallow = git.run("rev-parse", "--is-shallow-repository").strip() == b"true"
    file = git.directory / git.run("rev-parse", "--git-path", "shallow").decode().strip()
    boundary = file.read_text(encoding="ascii").split() if shallow and file.is_file() else []
    mailmap = _mailmap(git)
    return Clone(
        git,
        url,
        mailmap if mailmap and _has_object(git, mailmap) else "",
        tuple(sorted(boundary)),
    )


def _mailmap(git: Git) -> str:
    """The id of the .mailmap at HEAD, if it is a file."""
    head = head_commit(git)
    entry = git.run("ls-tree", head, "--", ".mailmap").split() if head else []
    return entry[2].decode("ascii") if entry[1:2] == [b"blob"] else ""


def _has_object(git: Git, name: str) -> bool:
    return bool(git.run("rev-list", "--objects", *PRESENT, name))


def _fetch_mailmap(git: Git, access: Access, lock: int) -> None:
    """Bring the one file that reading a log needs, where the clone left it out."""
    mailmap = _mailmap(git)
    if not mailmap or _has_object(git, mailmap):
        return
    try:
        git.remote(
            *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"),
            *("--no-write-fetch-head", "--filter=blob:none", "origin", mailmap),
            access=access,
            keep_open=(lock,),
        )
    except GitError:
        # Some servers give no single objects. Names as written serve too, and the cursor notes
        # that no mailmap was applied, so that everything is read again once it can be.
        return


def _check_answer(git: Git, access: Access) -> None:
    """Refuse an empty repository that the remote did not tell of in git's own words."""
    if git.run("for-each-ref", "--count=1") or git.is_empty_there(access=access):
        return
    raise SourceError(
        f"{git.subject} was not answered as git answers but with a page of something else (an "
        "error or a log-in page, even if its status is 200); it is tried again next time, and if "
        "that does not help, check the address and whatever stands in between"
    )


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold the file's lock; it falls when this process and every git it started have ended."""
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _clear_locks(directory: Path) -> None:
    """Remove locks of a killed git; the caller holds the clone's lock, so no git is at work."""
    for stale in (*directory.glob("*.lock"), *(directory / "refs").rglob("*.lock")):
        stale.unlink(missing_ok=True)
