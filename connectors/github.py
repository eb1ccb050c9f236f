"""GitHub and GitHub Enterprise Server.

An organisation's repositories are listed with a probe of what each holds; what the probe shows
unchanged is not asked for again. Ids: `<connection>:repository:<number>`, `…:pull:<number>`,
`…:deployment:<number>`, and `…:account:<login in lower case>`, because GraphQL gives a login
wherever it gives a person.
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from connectors.auth import Auth
from connectors.client import Client
from connectors.clones import GitSource
from connectors.connector import Connector, Finding, Pull, Scope, Stream
from connectors.github_alerts import CodeScanningStream
from connectors.github_auth import AppAuth, token_auth
from connectors.github_diagnosis import diagnose
from connectors.github_git import (
    RepositoryCommitPaths,
    RepositoryCommits,
    RepositoryPractices,
    RepositoryReferences,
)
from connectors.github_options import GithubOptions
from connectors.github_permissions import PERMISSIONS
from connectors.github_runs import WorkflowRunsStream
from connectors.github_snapshots import AccountsStream, RepositoriesStream, TeamsStream
from connectors.github_work import (
    ChangeRequestsStream,
    DeploymentsStream,
    IssuesStream,
    ReleasesStream,
)
from connectors.limiter import monotonic_epoch

_DEFAULT_URL = "https://api.github.com"
_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


class GithubConnector(Connector):
    """An organisation, or named repositories, on GitHub."""

    kind = "github"
    title = "GitHub"
    options_type = GithubOptions
    permissions = PERMISSIONS
    options: GithubOptions
    backoff_seconds: ClassVar[float] = 0.5

    def __init__(self, name: str, options: GithubOptions) -> None:
        super().__init__(name, options)
        self._auth: Auth
        if options.app is not None:
            self._auth = AppAuth(options.app, self._client_with, monotonic_epoch())
        else:
            self._auth = token_auth(options)
        self._source = GitSource(
            token=self._git_token, ca_file=options.ca_file, proxy=options.proxy
        )

    def client(self) -> Client:
        """The client of this connection."""
        return self._client_with(self._auth)

    def streams(self) -> tuple[Stream, ...]:
        """Repositories first: they open the scopes of all that follows."""
        # All of them always, so that kept pages can be read whatever the settings say today;
        # those that the settings leave out have no scopes.
        options = self.options
        return (
            RepositoriesStream(options),
            TeamsStream(options),
            AccountsStream(options),
            ChangeRequestsStream(options),
            DeploymentsStream(options),
            ReleasesStream(options),
            WorkflowRunsStream(options, is_wanted=options.workflow_runs),
            IssuesStream(options, is_wanted=options.issues),
            CodeScanningStream(options),
            RepositoryReferences(self._source),
            RepositoryCommits(self._source),
            RepositoryCommitPaths(self._source, is_wanted=options.paths),
            RepositoryPractices(self._source, options.practices),
        )

    def scopes(self, stream: Stream) -> Iterable[Scope]:
        """The organisation; without one there are neither teams nor members."""
        if stream.name == "code_scanning" and not self.options.code_scanning:
            return []
        if self.options.organisation is not None:
            return [Scope(self.options.organisation)]
        has_named = stream.name in {"repositories", "code_scanning"}
        return [Scope("repositories")] if has_named else []

    def takes(self, repository: str) -> bool:
        """Whether the organisation, the list and the patterns of the settings let it in."""
        name, options = repository.lower(), self.options
        if options.repositories:
            return name in {each.lower() for each in options.repositories} and options.takes(name)
        owner = name.partition("/")[0]
        return owner == (options.organisation or "").lower() and options.takes(name)

    def diagnose(self, pull: Pull) -> Iterator[Finding]:
        """Credential, permissions, organisation, limits and clock."""
        return diagnose(self.options, pull)

    def _client_with(self, auth: Auth) -> Client:
        options = self.options
        return Client.of(
            options,
            base_url=options.base_url or _DEFAULT_URL,
            authenticate=auth,
            headers=_HEADERS,
            backoff_seconds=self.backoff_seconds,
        )

    def _git_token(self) -> str:
        return self._auth.headers()["authorization"].removeprefix("Bearer ")
