"""The git side of a GitHub connection: its repositories' references, commits and paths.

The probe's marker (pushes, branches, tags) spares git requests for what has not been pushed to.
"""

from collections.abc import Iterable
from typing import ClassVar

from connectors.clones import GitSource
from connectors.connector import Line, Parsed, Scope
from connectors.git_streams import CommitPathStream, CommitStream, ReferenceStream
from connectors.github_probes import pushed, repository_scopes
from connectors.practices.options import PracticeOptions
from connectors.practices.stream import PracticeStream


class RepositoryReferences(ReferenceStream):
    """Branches and tags of each repository."""

    parent: ClassVar[str | None] = "repositories"

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a repository."""
        return repository_scopes(line, parsed, pushed)


class RepositoryCommits(CommitStream):
    """Commits of each repository."""

    parent: ClassVar[str | None] = "repositories"

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a repository."""
        return repository_scopes(line, parsed, pushed)


class RepositoryCommitPaths(CommitPathStream):
    """The paths that commits of each repository touch, where path rules ask for them."""

    parent: ClassVar[str | None] = "repositories"

    def __init__(self, source: GitSource, *, is_wanted: bool) -> None:
        super().__init__(source)
        self.is_wanted = is_wanted

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a repository, none where the settings leave this stream out."""
        return repository_scopes(line, parsed, pushed) if self.is_wanted else ()


class RepositoryPractices(PracticeStream):
    """What files of each repository show of the approaches it uses."""

    parent: ClassVar[str | None] = "repositories"

    def __init__(self, source: GitSource, options: PracticeOptions) -> None:
        super().__init__(source, options)
        self.is_wanted = options.scan

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a repository, none where the settings leave this stream out."""
        return repository_scopes(line, parsed, pushed) if self.is_wanted else ()
