"""GitLab: what a sync costs it in requests, against the sandbox over real HTTP and real git.

The server shares this process, so that seconds count its work too.
"""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.result import Result
from benchmarks.syncs import only, synced, token
from connectors.gitlab import GitlabConnector
from connectors.gitlab_options import GitlabOptions
from sandbox.generate import build_organisation
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.server import Host, Sandbox

ENGINEERS = 60
PROJECTS = 100
END = datetime(2026, 6, 1, tzinfo=UTC)


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
            connector = GitlabConnector("gitlab", _options(folder, sandbox, host))
            alone = synced(folder / f"alone {how}", only(connector, "repositories"))
            started = time.perf_counter()
            whole = synced(folder / how, only(connector, "repositories", "change_requests"))
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
            result = synced(folder / "data", connector)
            seconds = time.perf_counter() - started
            git = len([seen for seen in host.requests if ".git/" in seen.path])
            what = f"GitLab, {len(organisation.repositories)} projects, {which}"
            yield Result(f"{what}: API requests", result.requests, "requests", most)
            yield Result(f"{what}: git requests", git, "requests", None if most is None else 0)
            yield Result(f"{what}: time", seconds, "s")


def _options(folder: Path, sandbox: Sandbox, host: Host) -> GitlabOptions:
    return GitlabOptions(
        groups=(sandbox.organisation.login,),
        token=token(folder, GitlabSettings().token),
        base_url=host.url,
    )
