"""GitLab: what a sync costs it in requests, against the sandbox over real HTTP and real git.

The server shares this process, so that seconds count its work too.
"""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from benchmarks.result import Result
from connectors.connector import Stream
from connectors.gitlab import GitlabConnector
from connectors.gitlab_options import GitlabOptions
from connectors.secret import Secret
from pipelines.landing import Landing
from pipelines.sync import SyncResult, sync_connection
from sandbox.generate import build_organisation
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.server import Host, Sandbox

ENGINEERS = 60
PROJECTS = 100
END = datetime(2026, 6, 1, tzinfo=UTC)


class OnlyMergeRequests(GitlabConnector):
    """The projects, and their merge requests with reviews and commits."""

    names: ClassVar[set[str]] = {"repositories", "change_requests"}

    def streams(self) -> tuple[Stream, ...]:
        """Two streams of many."""
        return tuple(one for one in super().streams() if one.name in self.names)


class OnlyProjects(OnlyMergeRequests):
    """The projects alone."""

    names: ClassVar[set[str]] = {"repositories"}


def run(scale: float = 1.0) -> Iterator[Result]:
    """Merge requests by GraphQL and by REST, then an organisation of a hundred projects."""
    with tempfile.TemporaryDirectory() as name:
        yield from _merge_requests(Path(name), max(4, round(ENGINEERS * scale)))
    with tempfile.TemporaryDirectory() as name:
        yield from _hundred(Path(name), max(4, round(PROJECTS * scale)))


def _merge_requests(folder: Path, engineers: int) -> Iterator[Result]:
    organisation = build_organisation(engineers=engineers, end=END)
    with Sandbox(organisation, folder / "repositories") as sandbox:
        older = GitlabSettings(unknown_fields=frozenset({"commitCount"}))
        for how, settings, most in (
            ("GraphQL", GitlabSettings(), 150),
            ("REST alone", older, 2200),
        ):
            host = sandbox.host("gitlab", settings)
            options = _options(folder, sandbox, host)
            alone = _synced(folder / f"alone {how}", OnlyProjects("gitlab", options))
            started = time.perf_counter()
            whole = _synced(folder / how, OnlyMergeRequests("gitlab", options))
            seconds = time.perf_counter() - started
            thousands = sum(len(one.change_requests) for one in organisation.repositories) / 1000
            spent = (whole.requests - alone.requests) / thousands
            what = f"GitLab by {how}: per 1,000 merge requests (of {thousands * 1000:,.0f})"
            yield Result(f"{what}: requests", spent, "requests", most)
            yield Result(f"{what}: time", seconds / thousands, "s")


def _hundred(folder: Path, projects: int) -> Iterator[Result]:
    organisation = build_organisation(engineers=2, services=projects, months=1, end=END)
    with Sandbox(organisation, folder / "repositories") as sandbox:
        host = sandbox.host("gitlab", GitlabSettings(repositories=sandbox.repositories))
        connector = GitlabConnector("gitlab", _options(folder, sandbox, host))
        for which, most in (("first sync", None), ("unchanged", 8)):
            host.requests.clear()
            started = time.perf_counter()
            result = _synced(folder / "data", connector)
            seconds = time.perf_counter() - started
            git = len([seen for seen in host.requests if ".git/" in seen.path])
            what = f"GitLab, {len(organisation.repositories)} projects, {which}"
            yield Result(f"{what}: API requests", result.requests, "requests", most)
            yield Result(f"{what}: git requests", git, "requests", None if most is None else 0)
            yield Result(f"{what}: time", seconds, "s")


def _options(folder: Path, sandbox: Sandbox, host: Host) -> GitlabOptions:
    path = folder / "token"
    path.write_text(GitlabSettings().token, encoding="utf-8")
    return GitlabOptions(
        groups=(sandbox.organisation.login,), token=Secret(file=path), base_url=host.url
    )


def _synced(folder: Path, connector: GitlabConnector) -> SyncResult:
    folder.mkdir(exist_ok=True)
    with Landing(folder / "landing.sqlite") as landing:
        result = sync_connection(landing, connector, clones=folder / "clones")
    if result.errors:
        raise RuntimeError("\n".join(result.errors))
    return result
