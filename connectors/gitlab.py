"""GitLab: gitlab.com and self-managed.

Ids: `<connection>:repository:<project number>`, `…:merge_request:<number>`, `…:team:<group
number>`, `…:account:<user number>`. A moved project keeps its number and its history.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from connectors.auth import bearer
from connectors.client import Client
from connectors.clones import GitSource
from connectors.connector import Connector, Finding, Permission, Pull, Scope, Stream
from connectors.gitlab_deployments import DeploymentsStream, ReleasesStream
from connectors.gitlab_diagnosis import diagnose
from connectors.gitlab_findings import VulnerabilitiesStream
from connectors.gitlab_git import (
    ProjectCommitPaths,
    ProjectCommits,
    ProjectPractices,
    ProjectReferences,
)
from connectors.gitlab_issues import IncidentsStream, IssuesStream
from connectors.gitlab_merge_requests import ChangeRequestsStream
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_people import AccountsStream, TeamsStream
from connectors.gitlab_pipelines import ChildPipelinesStream, PipelinesStream
from connectors.gitlab_projects import MEMBERSHIP, NAMED, ProjectsStream


class GitlabConnector(Connector):
    """Groups with their subgroups, or single projects, on GitLab."""

    kind = "gitlab"
    title = "GitLab"
    options_type = GitlabOptions
    options: GitlabOptions
    backoff_seconds: ClassVar[float] = 0.5
    permissions = (
        Permission(
            "read_api",
            (
                *("repositories", "teams", "accounts", "deployments", "releases", "pipelines"),
                *("child_pipelines", "issues", "incidents", "change_requests"),
            ),
            "a scope of the token; its user needs the role Reporter in the groups. api does as "
            "well, but may write",
        ),
        Permission(
            "read_repository",
            ("references", "commits", "commit_paths", "practices"),
            "a scope of the token; its user needs the role Reporter in private projects",
        ),
        Permission(
            "Developer",
            ("vulnerabilities",),
            "the role of the token's user in the projects; GitLab Ultimate alone has them",
        ),
    )

    def __init__(self, name: str, options: GitlabOptions) -> None:
        super().__init__(name, options)
        # Git takes tokens of every kind under this name.
        self._source = GitSource(
            token=options.token.reveal,
            username="oauth2",
            ca_file=options.ca_file,
            proxy=options.proxy,
        )

    def client(self) -> Client:
        """The client of this connection."""
        options = self.options
        return Client.of(
            options,
            base_url=f"{options.root}/api/v4",
            authenticate=self._credential,
            backoff_seconds=self.backoff_seconds,
        )

    def streams(self) -> tuple[Stream, ...]:
        """Projects first: they open the scopes of all that follows."""
        # All of them always, so that kept pages can be read whatever the settings say today;
        # those that the settings leave out have no scopes.
        options = self.options
        return (
            ProjectsStream(options),
            TeamsStream(),
            AccountsStream(),
            ChangeRequestsStream(options),
            DeploymentsStream(options),
            ReleasesStream(options),
            PipelinesStream(options, is_wanted=options.pipelines),
            ChildPipelinesStream(options, is_wanted=options.child_pipelines),
            IssuesStream(options, is_wanted=options.issues),
            IncidentsStream(options, is_wanted=options.incidents),
            VulnerabilitiesStream(options, is_wanted=options.vulnerabilities),
            ProjectReferences(self._source),
            ProjectCommits(self._source),
            ProjectCommitPaths(self._source, is_wanted=options.paths),
            ProjectPractices(self._source, options.practices),
        )

    def scopes(self, stream: Stream) -> Iterable[Scope]:
        """The groups, and the projects named; without groups there are no teams or members."""
        for group in self.options.groups:
            yield Scope(group)
        if stream.name == "repositories" and self.options.projects:
            yield Scope(NAMED)
        if stream.name == "repositories" and self.options.membership:
            yield Scope(MEMBERSHIP)

    def takes(self, repository: str) -> bool:
        """Whether groups, projects and patterns of the settings let a project in."""
        path, options = repository.lower(), self.options
        is_listed = path in {each.lower() for each in options.projects} or any(
            path.startswith(f"{group.lower()}/") for group in options.groups
        )
        return is_listed and options.takes(path)

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Credential, scopes, groups and projects, limits and clock."""
        return diagnose(self.options, pull)

    def _credential(self) -> Mapping[str, str]:
        token = self.options.token
        if self.options.authentication == "bearer":
            return bearer(token)
        return {"private-token": token.reveal()}
