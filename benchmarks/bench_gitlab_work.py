"""Requests: what the lists of GitLab cost it, against the sandbox over real HTTP, without git."""

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from benchmarks.syncs import only, synced, token
from connectors.gitlab import GitlabConnector
from connectors.gitlab_options import GitlabOptions
from sandbox.generate import build_organisation
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.server import Host, Sandbox

ENGINEERS = 60
END = datetime(2026, 6, 1, tzinfo=UTC)


def run(scale: float = 1.0) -> Iterator[Result]:
    """The default organisation as a group with its teams as subgroups."""
    organisation = build_organisation(engineers=max(4, round(ENGINEERS * scale)), end=END)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Sandbox(organisation, folder / "repositories") as sandbox:
            host = sandbox.host("gitlab", GitlabSettings())
            yield from _lists(folder, host, organisation.login)


def _lists(folder: Path, host: Host, group: str) -> Iterator[Result]:
    secret = token(folder, GitlabSettings().token)
    given = {"base_url": host.url, "groups": (group,), "token": secret}
    alone = synced(folder / "alone", _connector(given))
    for stream, details, more in (
        ("pipelines", "", {}),
        ("pipelines", " with their jobs", {"pipeline_jobs": True}),
        ("deployments", "", {}),
        ("issues", "", {}),
        ("issues", " with their histories", {"issue_history": True}),
    ):
        what = stream + details
        whole = synced(folder / what, _connector({**given, **more}, stream))
        items = whole.items - alone.items
        # One request a project finds its list, however short.
        spent = (whole.requests - alone.requests) / max(items, 1) * 1000
        yield Result(f"GitLab: requests per 1,000 {what} (of {items:,})", spent, "requests")


def _connector(given: Mapping[str, Any], *streams: str) -> GitlabConnector:
    """The projects, and the streams named."""
    connector = GitlabConnector("gitlab", GitlabOptions.model_validate(given))
    return only(connector, "repositories", *streams)
