"""The sandbox as running servers: GitHub with its Git, Jira, Backstage and others, a port each."""

import hashlib
import importlib
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.backstage import BackstageSettings, backstage_app
from sandbox.faults import Faults
from sandbox.git_http import git_app
from sandbox.github_app import github_app
from sandbox.github_protocol import GithubSettings
from sandbox.jira import JiraSettings, jira_app
from sandbox.organisation import Organisation
from sandbox.repositories import write_repositories
from sandbox.request_log import Logged, RequestLog
from sandbox.serving import Server
from sandbox.tools_beside import ToolsBeside
from sandbox.truth import Truth, truth_of
from sandbox.world import World


@dataclass(frozen=True)
class Host:
    """A vendor's API as served: its address, the rules that spoil answers, what was asked."""

    url: str
    faults: Faults
    requests: RequestLog


class Sandbox:
    """An organisation served on loopback; a context manager.

    Entering writes its Git repositories below `folder`, where they are not there yet, and starts
    the servers; leaving stops them. `world` holds the moment everything is seen from, `faults`,
    `jira_faults` and `backstage_faults` the rules that spoil answers, `requests`, `jira_requests`
    and `backstage_requests` what was asked.
    `repositories` are the written ones by number. `hidden` repositories are kept from the token.
    A port of 0 takes a free one.
    """

    def __init__(
        self,
        organisation: Organisation,
        folder: Path,
        *,
        github: GithubSettings | None = None,
        jira: JiraSettings | None = None,
        visible_until: datetime | None = None,
        hidden: Iterable[int] = (),
        port: int = 0,
        jira_port: int = 0,
        backstage_port: int = 0,
        seed: int = 0,
    ) -> None:
        self.organisation = organisation
        self.folder = folder
        self.github = github or GithubSettings()
        self.jira = jira or JiraSettings()
        self.world = World(organisation, visible_until, hidden)
        self._ports = (port, jira_port, backstage_port)
        self._backstage_token = BackstageSettings().token
        self._seed = seed
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        paths = self.repositories = self._repositories()
        github = github_app(self.world, self.github)
        jira = jira_app(self.world, self.jira)
        self.requests: RequestLog = github.state.requests
        self.jira_requests: RequestLog = jira.state.requests
        git = Logged(git_app(self.world, paths, github.state.gate.accepts), self.requests)
        self.faults, self.github_url = self._serve(_GithubHost(github, git), self._ports[0])
        self.jira_faults, jira_url = self._serve(jira, self._ports[1])
        self.jira_url = jira_url + self.jira.context_path
        beside = self.organisation.profile.delivery == "beside"
        self.tools = ToolsBeside(self) if beside else None
        catalog = self.tools.seen if self.tools is not None else self.world
        portal = backstage_app(catalog, BackstageSettings(forge_url=self.github_url))
        self.backstage_requests: RequestLog = portal.state.requests
        self.backstage_faults, self.backstage_url = self._serve(portal, self._ports[2])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def host(
        self, kind: str, settings: Any = None, port: int = 0, world: World | None = None
    ) -> Host:
        """Serve one more vendor's API over the same organisation, until the sandbox is left.

        `sandbox/<kind>.py` holds `<kind>_app(world, settings)`, an application whose
        `state.requests` is its log; `settings` None takes its defaults.
        """
        module = importlib.import_module(f"sandbox.{kind}")
        application = getattr(module, f"{kind}_app")(world or self.world, settings)
        faults, url = self._serve(application, port)
        return Host(url, faults, application.state.requests)

    @property
    def token(self) -> str:
        """The token that opens GitHub and its Git."""
        return self.github.token

    @cached_property
    def truth(self) -> Truth:
        """What a right reading must find, as frames."""
        return truth_of(self.organisation)

    def addresses(self) -> dict[str, str]:
        """Everything a reader needs to connect."""
        return {
            "organisation": self.organisation.login,
            "github_url": self.github_url,
            "github_token": self.token,
            "jira_url": self.jira_url,
            "jira_email": self.jira.email,
            "jira_token": self.jira.token,
            "backstage_url": self.backstage_url,
            "backstage_token": self._backstage_token,
            **(self.tools.addresses if self.tools is not None else {}),
        }

    def _repositories(self) -> Mapping[int, Path]:
        """The Git repositories by id; a folder that holds just these is used as it is."""
        paths = {
            repository.id: self.folder / repository.owner / f"{repository.name}.git"
            for repository in self.organisation.repositories
        }
        marker = self.folder / "written"
        tips = "".join(sorted(f"{one.id} {one.branches}" for one in self.organisation.repositories))
        fingerprint = hashlib.sha256(tips.encode()).hexdigest()
        if marker.is_file() and marker.read_text(encoding="utf-8") == fingerprint:
            return paths
        write_repositories(self.organisation, self.folder)
        marker.write_text(fingerprint, encoding="utf-8")
        return paths

    def _serve(self, application: ASGIApp, port: int) -> tuple[Faults, str]:
        faults = Faults(application, seed=self._seed, advance=self.world.advance, now=time.time)
        server = self._stack.enter_context(Server(faults, port))
        faults.reset = server.reset
        return faults, server.url


class _GithubHost:
    """Hands Git's addresses to Git and all others to the API."""

    def __init__(self, api: ASGIApp, git: ASGIApp) -> None:
        self.api = api
        self.git = git

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self.git if ".git/" in scope.get("path", "") else self.api
        await chosen(scope, receive, send)
