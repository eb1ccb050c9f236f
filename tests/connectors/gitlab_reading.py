"""A GitLab connection to a sandbox with a landing of its own, for tests."""

import re
from pathlib import Path
from typing import Any

import duckdb

from connectors.connector import Stream
from connectors.git_streams import GitStream
from connectors.gitlab import GitlabConnector
from connectors.gitlab_options import GitlabOptions
from connectors.secret import Secret
from pipelines.sync import SyncResult
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.server import Host, Sandbox
from tests.pulling import loaded, pull

OF_THE_RUN = {
    "connection", "stream", "scope", "requested_at", "version_at", "seen_at", "sighted_at",
    "batch_id", "line",
}  # fmt: skip


class WithoutGit(GitlabConnector):
    """The API's streams alone: clones take most of the time."""

    backoff_seconds = 0.0

    def streams(self) -> tuple[Stream, ...]:
        """All but git's."""
        return tuple(one for one in super().streams() if not isinstance(one, GitStream))


class WithGit(GitlabConnector):
    """All streams, without waiting between tries."""

    backoff_seconds = 0.0


class Reading:
    """A connection to a served GitLab."""

    def __init__(
        self, sandbox: Sandbox, host: Host, folder: Path, *, with_git: bool = False, **options: Any
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        token = folder / "token"
        token.write_text(GitlabSettings().token, encoding="utf-8")
        settings: dict[str, Any] = {
            "groups": (sandbox.organisation.login,),
            "token": Secret(file=token),
            "base_url": host.url,
        }
        kind = WithGit if with_git else WithoutGit
        self.connector = kind("gitlab", GitlabOptions(**{**settings, **options}))

    def sync(self, *, full: bool = False, progress: Any = None) -> SyncResult:
        """Pull everything once."""
        return pull(self.folder, self.connector, full=full, progress=progress)

    def rows(self, table: str, *, with_deleted: bool = False) -> list[dict[str, Any]]:
        """The records of one type, without the columns that tell of the run."""
        with loaded(self.folder) as con:
            found = con.execute(f'select * from "{table}"')
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return [
            {
                # Every run of the sandbox has another port.
                name: re.sub(r"127\.0\.0\.1:\d+", "host", value)
                if isinstance(value, str)
                else value
                for name, value in row.items()
                if name not in OF_THE_RUN
            }
            for row in rows
            if with_deleted or row.get("deleted_at") is None
        ]

    def rejects(self) -> int:
        """How many items could not be read."""
        with duckdb.connect(str(self.folder / "records.duckdb"), read_only=True) as con:
            found = con.execute("select count(*) from reject").fetchone()
        return found[0] if found else 0
