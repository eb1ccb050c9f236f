"""The git side of a GitLab connection: its projects' references, commits and paths.

A project's time of activity spares git requests for what has not been pushed to for an hour.
"""

from collections.abc import Iterable
from typing import ClassVar

from connectors.clones import GitSource
from connectors.connector import Line, Parsed, Scope
from connectors.git_streams import CommitPathStream, CommitStream, ReferenceStream
from connectors.gitlab_projects import activity, project_scopes
from connectors.practices.options import PracticeOptions
from connectors.practices.stream import PracticeStream


class ProjectReferences(ReferenceStream):
    """Branches and tags of each project."""

    parent: ClassVar[str | None] = "repositories"

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a project."""
        return project_scopes(line, parsed, activity)


class ProjectCommits(CommitStream):
    """Commits of each project."""

    parent: ClassVar[str | None] = "repositories"

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a project."""
        return project_scopes(line, parsed, activity)


class ProjectCommitPaths(CommitPathStream):
    """The paths that commits of each project touch, where path rules ask for them."""

    parent: ClassVar[str | None] = "repositories"

    def __init__(self, source: GitSource, *, is_wanted: bool) -> None:
        super().__init__(source)
        self.is_wanted = is_wanted

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a project, none where the settings leave this stream out."""
        return project_scopes(line, parsed, activity) if self.is_wanted else ()


class ProjectPractices(PracticeStream):
    """What files of each project show of the approaches it uses."""

    parent: ClassVar[str | None] = "repositories"

    def __init__(self, source: GitSource, options: PracticeOptions) -> None:
        super().__init__(source, options)
        self.is_wanted = options.scan

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a project, none where the settings leave this stream out."""
        return project_scopes(line, parsed, activity) if self.is_wanted else ()
