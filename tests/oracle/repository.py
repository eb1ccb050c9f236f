"""Questions about a repository, each answered by a git command."""

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,40})\)")


@dataclass(frozen=True)
class Commit:
    """A commit as `git log` prints it."""

    sha: str
    parents: tuple[str, ...]
    email: str
    authored: datetime
    committed: datetime
    subject: str
    picked_from: tuple[str, ...]

    @property
    def triple(self) -> tuple[str, datetime, str]:
        """What stays the same when a commit is written again."""
        return (self.email, self.authored, self.subject)


class Repository:
    """A repository on disk; it knows what its references reach."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ancestors: dict[str, frozenset[str]] = {}

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run git in the repository."""
        return subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False
        )

    @cached_property
    def commits(self) -> dict[str, Commit]:
        """`git log --all`, by id."""
        told = self.git("log", "--all", "-z", "--format=%H%n%P%n%aE%n%at%n%ct%n%s%n%b").stdout
        found = {}
        for record in told.removesuffix("\0").split("\0"):
            sha, parents, email, authored, committed, subject, body = record.split("\n", 6)
            found[sha] = Commit(
                sha=sha,
                parents=tuple(parents.split()),
                email=email,
                authored=datetime.fromtimestamp(int(authored), UTC),
                committed=datetime.fromtimestamp(int(committed), UTC),
                subject=subject,
                picked_from=tuple(_PICKED.findall(body)),
            )
        return found

    @cached_property
    def equals(self) -> dict[tuple[str, datetime, str], list[str]]:
        """The commits that have the same author, authored second and subject."""
        found: dict[tuple[str, datetime, str], list[str]] = {}
        for commit in self.commits.values():
            found.setdefault(commit.triple, []).append(commit.sha)
        return found

    @cached_property
    def boundary(self) -> frozenset[str]:
        """The commits of a shallow clone whose parents were left behind."""
        path = self.path / ".git" / "shallow"
        return frozenset(path.read_text(encoding="utf-8").split() if path.exists() else ())

    def has(self, sha: str) -> bool:
        """Whether a reference reaches the commit."""
        return sha in self.commits

    def ancestors(self, sha: str) -> frozenset[str]:
        """`git rev-list`: the commit and all before it."""
        if sha not in self._ancestors:
            self._ancestors[sha] = frozenset(self.git("rev-list", sha).stdout.split())
        return self._ancestors[sha]

    def new(self, sha: str, old: list[str]) -> list[str]:
        """`git rev-list sha --not old`: what the commit has and the old ones have not."""
        return self.git("rev-list", sha, "--not", *old).stdout.split()

    def is_ancestor(self, first: str, second: str) -> bool:
        """Whether the second has the first in its history; a commit has itself."""
        return first in self.ancestors(second)

    def reached(self, branch: str) -> list[str]:
        """The commits of a branch."""
        return self.git("rev-list", f"refs/heads/{branch}").stdout.split()

    def first_parents(self, branch: str) -> list[str]:
        """The branch's own line, newest first."""
        return self.git("rev-list", "--first-parent", f"refs/heads/{branch}").stdout.split()
