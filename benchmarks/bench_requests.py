"""Requests: what a sync costs the source, against the sandbox over real HTTP and real git."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import duckdb

from benchmarks.result import Result
from connectors.connector import Connector, Stream
from connectors.github import GithubConnector
from connectors.github_options import GithubOptions
from connectors.jira import Jira, JiraOptions
from connectors.jira_streams import Issues
from connectors.secret import Secret
from pipelines import operations
from pipelines.commands import demo
from pipelines.landing import Landing
from pipelines.load import load
from pipelines.settings import parse
from pipelines.sync import SyncResult, sync_connection
from sandbox.generate import build_organisation
from sandbox.server import Sandbox

ENGINEERS = 120
REPOSITORIES = 100


class OnlyPullRequests(GithubConnector):
    """The repositories, and their pull requests with reviews and commits."""

    names: ClassVar[set[str]] = {"repositories", "change_requests"}

    def streams(self) -> tuple[Stream, ...]:
        """Two streams of many."""
        return tuple(one for one in super().streams() if one.name in self.names)


class OnlyIssues(Jira):
    """Issues with their histories, goals and organisations."""

    def streams(self) -> tuple[Stream, ...]:
        """One stream of many."""
        return tuple(one for one in super().streams() if isinstance(one, Issues))


class OnlyRepositories(OnlyPullRequests):
    """The repositories alone."""

    names: ClassVar[set[str]] = {"repositories"}


def run(scale: float = 1.0) -> Iterator[Result]:
    """The default organisation, served by a process of its own; then one of 100 repositories."""
    with tempfile.TemporaryDirectory() as name:
        yield from _first_sync(Path(name), max(4, round(ENGINEERS * scale)))
    with tempfile.TemporaryDirectory() as name:
        yield from _unchanged(Path(name), max(4, round(REPOSITORIES * scale)))


def _first_sync(folder: Path, engineers: int) -> Iterator[Result]:
    size = ("--engineers", str(engineers))
    with demo.organisation(folder, f"{engineers} engineers", *size) as found:
        github = GithubOptions(
            organisation=found["organisation"],
            token=_token(folder, found["github_token"]),
            base_url=found["github_url"],
        )
        whole = _synced(folder / "whole", OnlyPullRequests("github", github))
        alone = _synced(folder / "alone", OnlyRepositories("github", github))
        pulls = whole.items - alone.items
        spent = (whole.requests - alone.requests) / pulls * 1000
        what = f"requests per 1,000 pull requests with reviews and commits (of {pulls:,})"
        yield Result(what, spent, "requests", 25)
        yield _issues(folder, found)
        for token in ("github_token", "jira_token", "backstage_token"):
            (folder / token).write_text(found[token], encoding="utf-8")
        content = demo._toml(found).replace('data = "data"', f'data = "{folder}/data"').encode()
        settings = parse(content, folder / "leadline.toml")
        started = time.perf_counter()
        results = operations.sync(settings)
        seconds = time.perf_counter() - started
        _whole(*results)
        items = sum(result.items for result in results)
        yield Result(
            f"first full sync of {engineers} engineers, {items:,} items, with git", seconds, "s"
        )
        yield Result(
            "  of which requests to the APIs", sum(r.requests for r in results), "requests"
        )


def _issues(folder: Path, found: Mapping[str, str]) -> Result:
    options = JiraOptions(
        base_url=found["jira_url"],
        email=found["jira_email"],
        token=_token(folder, found["jira_token"]),
    )
    synced = _synced(folder / "issues", OnlyIssues("jira", options))
    with Landing(folder / "issues" / "landing.sqlite") as landing:
        load(landing, folder / "issues.duckdb", temporary=folder / "tmp")
    with duckdb.connect(str(folder / "issues.duckdb"), read_only=True) as records:
        ((issues, goals),) = records.execute(
            "select (select count(*) from ticket), (select count(*) from ticket_sla)"
        ).fetchall()
    what = f"requests per 1,000 Jira issues with histories (of {issues:,}) and goals ({goals:,})"
    return Result(what, synced.requests / issues * 1000, "requests", 25)


def _unchanged(folder: Path, repositories: int) -> Iterator[Result]:
    organisation = build_organisation(
        engineers=2, services=repositories, months=1, end=datetime(2026, 6, 1, tzinfo=UTC)
    )
    with Sandbox(organisation, folder / "repositories") as sandbox:
        github = GithubOptions(
            organisation=organisation.login,
            token=_token(folder, sandbox.token),
            base_url=sandbox.github_url,
        )
        connector = GithubConnector("github", github)
        _synced(folder / "data", connector)
        sandbox.requests.clear()
        started = time.perf_counter()
        again = _synced(folder / "data", connector)
        seconds = time.perf_counter() - started
        git = len([seen for seen in sandbox.requests if ".git/" in seen.path])
        what = f"unchanged organisation of {len(organisation.repositories)} repositories"
        yield Result(f"{what}: API requests", again.requests, "requests", 5)
        yield Result(f"{what}: git requests", git, "requests", 0)
        yield Result(f"{what}: time", seconds, "s")


def _token(folder: Path, token: str) -> Secret:
    path = folder / "token"
    path.write_text(token, encoding="utf-8")
    return Secret(file=path)


def _synced(folder: Path, connector: Connector) -> SyncResult:
    folder.mkdir(exist_ok=True)
    with Landing(folder / "landing.sqlite") as landing:
        result = sync_connection(landing, connector, clones=folder / "clones")
    _whole(result)
    return result


def _whole(*results: SyncResult) -> None:
    for result in results:
        if result.errors:
            raise RuntimeError("\n".join(result.errors))
