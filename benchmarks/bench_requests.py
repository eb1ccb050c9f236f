"""Requests: what a sync costs the source, against the sandbox over real HTTP and real git."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from benchmarks.result import Result
from benchmarks.syncs import check, only, synced, token
from connectors.github import GithubConnector
from connectors.github_options import GithubOptions
from connectors.jira import Jira, JiraOptions
from connectors.jira_streams import Issues
from pipelines import operations
from pipelines.commands import demo
from pipelines.landing import Landing
from pipelines.load import load
from pipelines.settings import parse
from sandbox.generate import build_organisation
from sandbox.server import Sandbox

ENGINEERS = 120
REPOSITORIES = 100


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
            token=token(folder, found["github_token"]),
            base_url=found["github_url"],
        )
        connector = GithubConnector("github", github)
        whole = synced(folder / "whole", only(connector, "repositories", "change_requests"))
        alone = synced(folder / "alone", only(connector, "repositories"))
        pulls = whole.items - alone.items
        spent = (whole.requests - alone.requests) / pulls * 1000
        what = f"requests per 1,000 pull requests with reviews and commits (of {pulls:,})"
        yield Result(what, spent, "requests", 25)
        yield _issues(folder, found)
        for name in ("github_token", "jira_token", "backstage_token"):
            (folder / name).write_text(found[name], encoding="utf-8")
        content = demo._toml(found).replace('data = "data"', f'data = "{folder}/data"').encode()
        settings = parse(content, folder / "leadline.toml")
        started = time.perf_counter()
        results = operations.sync(settings)
        seconds = time.perf_counter() - started
        check(*results)
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
        token=token(folder, found["jira_token"]),
    )
    result = synced(folder / "issues", only(Jira("jira", options), Issues.name))
    with Landing(folder / "issues" / "landing.sqlite") as landing:
        load(landing, folder / "issues.duckdb", temporary=folder / "tmp")
    with duckdb.connect(str(folder / "issues.duckdb"), read_only=True) as records:
        ((issues, goals),) = records.execute(
            "select (select count(*) from ticket), (select count(*) from ticket_sla)"
        ).fetchall()
    what = f"requests per 1,000 Jira issues with histories (of {issues:,}) and goals ({goals:,})"
    return Result(what, result.requests / issues * 1000, "requests", 25)


def _unchanged(folder: Path, repositories: int) -> Iterator[Result]:
    organisation = build_organisation(
        engineers=2, services=repositories, months=1, end=datetime(2026, 6, 1, tzinfo=UTC)
    )
    with Sandbox(organisation, folder / "repositories") as sandbox:
        github = GithubOptions(
            organisation=organisation.login,
            token=token(folder, sandbox.token),
            base_url=sandbox.github_url,
        )
        connector = GithubConnector("github", github)
        synced(folder / "data", connector)
        sandbox.requests.clear()
        started = time.perf_counter()
        again = synced(folder / "data", connector)
        seconds = time.perf_counter() - started
        git = len([seen for seen in sandbox.requests if ".git/" in seen.path])
        what = f"unchanged organisation of {len(organisation.repositories)} repositories"
        yield Result(f"{what}: API requests", again.requests, "requests", 5)
        yield Result(f"{what}: git requests", git, "requests", 0)
        yield Result(f"{what}: time", seconds, "s")
