"""A served GitLab as it was at some moment, and a connection to it that can be asked by SQL."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.sync import SyncResult
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.organisation import Organisation
from sandbox.server import Host, Sandbox
from tests.connectors.gitlab_reading import Reading
from tests.pulling import ask, pull


class GitlabReading(Reading):
    """What is pulled from a served GitLab, and the records that come of it."""

    def __init__(self, sandbox: Sandbox, host: Host, folder: Path, **options: Any) -> None:
        super().__init__(sandbox, host, folder, **options)
        self.sandbox = sandbox
        self.host = host

    def step(self) -> SyncResult:
        """Pull by the clock of the world, changes alone however long the last pull is ago."""
        world = self.sandbox.world
        return pull(
            self.folder,
            self.connector,
            full_pass_hours=100_000,
            now=lambda: world.visible_until,
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """A query over the records, freshly loaded."""
        return ask(self.folder, query)

    def asked(self, part: str) -> int:
        """How many requests went to addresses that hold a text."""
        return sum(part in seen.path for seen in self.host.requests)


@contextmanager
def gitlab_reading(
    organisation: Organisation,
    folder: Path,
    *,
    before_end: timedelta = timedelta(),
    settings: Mapping[str, Any] | None = None,
    **options: Any,
) -> Iterator[GitlabReading]:
    """Serve an organisation as GitLab, as it was so long before its end."""
    moment = organisation.end - before_end
    with Sandbox(organisation, folder / "git", visible_until=moment) as sandbox:
        host = sandbox.host("gitlab", GitlabSettings(**(settings or {})))
        yield GitlabReading(sandbox, host, folder, **options)


def utc(at: datetime | None) -> datetime | None:
    """The same moment in UTC, whole, to be compared."""
    return None if at is None else at.astimezone(UTC)
