"""Requests: what the lists of GitLab cost it, against the sandbox over real HTTP, without git."""

import tempfile
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
END = datetime(2026, 6, 1, tzinfo=UTC)


class Some(GitlabConnector):
    """Projects, and the streams named."""

    wanted: ClassVar[tuple[str, ...]] = ()

    def streams(self) -> tuple[Stream, ...]:
        """A few of many."""
        names = {"repositories", *self.wanted}
        return tuple(one for one in super().streams() if one.name in names)


class Pipelines(Some):
    """Pipelines alone."""

    wanted = ("pipelines",)


class Deployments(Some):
    """Deployments alone."""

    wanted = ("deployments",)


class Issues(Some):
    """Issues alone."""

    wanted = ("issues",)


def run(scale: float = 1.0) -> Iterator[Result]:
    """The default organisation as a group with its teams as subgroups."""
    organisation = build_organisation(engineers=max(4, round(ENGINEERS * scale)), end=END)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Sandbox(organisation, folder / "repositories") as sandbox:
            host = sandbox.host("gitlab", GitlabSettings())
            (folder / "token").write_text(GitlabSettings().token, encoding="utf-8")
            yield from _lists(folder, host, organisation.login)


def _lists(folder: Path, host: Host, group: str) -> Iterator[Result]:
    given = {"base_url": host.url, "groups": (group,), "token": Secret(file=folder / "token")}
    alone = _synced(folder / "alone", Some("gitlab", GitlabOptions.model_validate(given)))
    for what, kind, more in (
        ("pipelines", Pipelines, {}),
        ("pipelines with their jobs", Pipelines, {"pipeline_jobs": True}),
        ("deployments", Deployments, {}),
        ("issues", Issues, {}),
        ("issues with their histories", Issues, {"issue_history": True}),
    ):
        options = GitlabOptions.model_validate({**given, **more})
        whole = _synced(folder / what, kind("gitlab", options))
        items = whole.items - alone.items
        # One request a project finds its list, however short.
        spent = (whole.requests - alone.requests) / max(items, 1) * 1000
        yield Result(f"GitLab: requests per 1,000 {what} (of {items:,})", spent, "requests")


def _synced(folder: Path, connector: GitlabConnector) -> SyncResult:
    folder.mkdir(exist_ok=True)
    with Landing(folder / "landing.sqlite") as landing:
        result = sync_connection(landing, connector, clones=folder / "clones")
    if result.errors:
        raise RuntimeError("\n".join(result.errors))
    return result
