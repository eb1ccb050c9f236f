"""One real server for all tests of this folder; each test puts its application on it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.github_app import github_app
from sandbox.github_protocol import GithubSettings
from sandbox.organisation import Organisation
from sandbox.serving import Server
from sandbox.world import World
from tests.sandbox.github_world import Github, Start, tiny_organisation


class Stage:
    """Hands every request to the application that plays at the moment."""

    application: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.application(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Stage, Server]]:
    """A server on loopback, started once."""
    stage = Stage()
    with Server(stage) as server:
        yield stage, server


@pytest.fixture
def serve(stage: tuple[Stage, Server]) -> Callable[[ASGIApp], Server]:
    """Serve an application and answer with the server it runs on."""

    def put_on(application: ASGIApp) -> Server:
        stage[0].application = application
        return stage[1]

    return put_on


@pytest.fixture(scope="session")
def tiny() -> Organisation:
    """The small hand-made organisation."""
    return tiny_organisation()


@pytest.fixture
def github(serve: Callable[[ASGIApp], Server], tiny: Organisation) -> Iterator[Start]:
    """Serve the small organisation as GitHub does, with settings and a world as wanted."""
    clients = []

    def start(settings: GithubSettings | None = None, **world: Any) -> Github:
        settings = settings or GithubSettings()
        app = github_app(World(tiny, **world), settings)
        url = serve(app).url
        authorization = {"authorization": f"Bearer {settings.token}"}
        client = httpx.Client(base_url=url, headers=authorization, trust_env=False)
        clients.append(client)
        return Github(url, client, app)

    yield start
    for client in clients:
        client.close()
