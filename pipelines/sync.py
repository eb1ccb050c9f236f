"""The pull loop: every stream of a connection, scope by scope, into the landing store."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from connectors.connector import Connector, Page, Pull, Scope, SourceError, State, Stream
from pipelines.batches import OpenBatch, ScopeStatus
from pipelines.landing import Landing

BATCH_BYTES = 8_000_000
BATCH_ITEMS = 5_000
BATCH_SECONDS = 30

Progress = Callable[[str, str, int], None]


@dataclass(slots=True)
class SyncResult:
    """What one pull of a connection brought."""

    connection: str
    pages: int = 0
    items: int = 0
    batches: int = 0
    requests: int = 0
    errors: list[str] = field(default_factory=list)


def utc_now() -> datetime:
    """The wall clock; injected everywhere else, so that tests own the time."""
    return datetime.now(UTC)


def sync_connection(
    landing: Landing,
    connector: Connector,
    *,
    clones: Path,
    full: bool = False,
    full_pass_hours: float = 24,
    now: Callable[[], datetime] = utc_now,
    progress: Progress | None = None,
) -> SyncResult:
    """Pull every stream of a connection; a scope that fails is told and does not stop the rest.

    Raises `LandingError` when another process pulls this connection.
    """
    with landing.puller(connector.name, now()):
        landing.remember(connector.name, connector.kind, connector.options.model_dump_json())
        pull = Pull(
            connector.client(),
            clones,
            now,
            known=lambda stream: {
                status.scope.id: status.scope.attributes
                for status in landing.scopes(connector.name, stream)
            },
        )
        try:
            return _ConnectionPull(
                landing=landing,
                connector=connector,
                pull=pull,
                full=full,
                full_after=timedelta(hours=full_pass_hours),
                progress=progress,
            ).run()
        finally:
            pull.close()


class _ConnectionPull:
    def __init__(
        self,
        *,
        landing: Landing,
        connector: Connector,
        pull: Pull,
        full: bool,
        full_after: timedelta,
        progress: Progress | None,
    ) -> None:
        self.landing = landing
        self.connector = connector
        self.pull = pull
        self.full = full
        self.full_after = full_after
        self.progress = progress
        self.result = SyncResult(connector.name)
        self.streams = connector.streams()

    def run(self) -> SyncResult:
        for stream in self.streams:
            statuses = self._statuses(stream)
            writer = _Writer(self, stream)
            workers = max(1, min(self.connector.options.concurrency, len(statuses)))
            with ThreadPoolExecutor(workers, thread_name_prefix=stream.name) as pool:
                futures = [pool.submit(self._scope, stream, s, writer) for s in statuses]
                try:
                    for future in futures:
                        future.result()
                finally:
                    for future in futures:
                        future.cancel()
                    pool.shutdown(wait=True)
                    writer.flush()
            writer.retire_children(statuses)
        self.result.requests = self.pull.requests
        return self.result

    def _statuses(self, stream: Stream) -> list[ScopeStatus]:
        known = {s.scope.id: s for s in self.landing.scopes(self.connector.name, stream.name)}
        if stream.parent is None:
            scopes = list(self.connector.scopes(stream))
        else:
            scopes = [status.scope for status in known.values()]
        fingerprint = self._fingerprint(stream)
        statuses = []
        for scope in scopes:
            status = known.get(scope.id) or ScopeStatus(scope, State())
            status.scope = scope
            self._open_pass(stream, status, fingerprint)
            statuses.append(status)
        return statuses

    def _open_pass(self, stream: Stream, status: ScopeStatus, fingerprint: str) -> None:
        """Go on with an unfinished pass, or open a full or an incremental one."""
        now = self.pull.now()
        changed = status.fingerprint != fingerprint
        unfinished = status.pass_started_at is not None and not changed
        due = status.last_full_at is None or (
            stream.daily_full_pass and now - status.last_full_at >= self.full_after
        )
        if unfinished and not (self.full and not status.pass_is_full):
            return
        status.pass_is_full = self.full or changed or due
        status.pass_started_at = now
        status.fingerprint = fingerprint
        if status.pass_is_full:
            status.state = State()

    def _fingerprint(self, stream: Stream) -> str:
        """Changes when what is asked for changes: then the next pass is a full one."""
        irrelevant = {"concurrency", "proxy", "ca_file", "token", "email"}
        options = self.connector.options.model_dump_json(exclude=irrelevant)
        content = f"{stream.name}:{stream.cursor_version}:{options}"
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def _scope(self, stream: Stream, status: ScopeStatus, writer: "_Writer") -> None:
        try:
            for page in stream.pages(self.pull, status.scope, status.state):
                writer.add(status, page)
        except SourceError as error:
            writer.fail(status, error)
        else:
            writer.finish(status)


class _Writer:
    """Collects the pages of one stream from several threads into batches."""

    def __init__(self, owner: _ConnectionPull, stream: Stream) -> None:
        self.owner = owner
        self.stream = stream
        self.children = [s for s in owner.streams if s.parent == stream.name]
        self.lock = threading.Lock()
        self.requests_before = owner.pull.requests
        self.full_passes: list[datetime] = []
        self.is_sighting_all = True
        self.batch = self._open()

    def _open(self) -> OpenBatch:
        return OpenBatch(self.owner.connector.name, self.stream.name, self.owner.pull.now())

    def add(self, status: ScopeStatus, page: Page) -> None:
        with self.lock:
            self.batch.add(status.scope, page)
            self._open_children(status.scope, page)
            if page.state is not None:
                status.state = page.state
            self._keep(status)
            result = self.owner.result
            result.pages += 1
            result.items += page.items
            if self.owner.progress is not None:
                self.owner.progress(self.owner.connector.name, self.stream.name, page.items)
            age = self.owner.pull.now() - self.batch.opened_at
            if (
                self.batch.bytes >= BATCH_BYTES
                or self.batch.items >= BATCH_ITEMS
                or age.total_seconds() >= BATCH_SECONDS
            ):
                self._commit()

    def _open_children(self, scope: Scope, page: Page) -> None:
        """The scopes that a page of a parent stream opens for its children."""
        if not self.children:
            return
        if page.not_modified:
            self.is_sighting_all = False
            return
        line = page.line(self.owner.connector.name, scope)
        parsed = self.stream.parse(line)
        for child in self.children:
            self.batch.children += [
                (child.name, opened, page.requested_at) for opened in child.scopes_in(line, parsed)
            ]

    def finish(self, status: ScopeStatus) -> None:
        """The scope's pass is complete: the next one starts from its mark."""
        with self.lock:
            now = self.owner.pull.now()
            started = status.pass_started_at or now
            if status.pass_is_full:
                status.last_full_at = started
                start = self.owner.connector.options.start_date
                status.covered_from = start and datetime.combine(start, time(), UTC)
                self.batch.completed.append((status.scope.id, started, now))
                self.full_passes.append(started)
            status.pass_is_full = None
            status.pass_started_at = None
            status.last_success_at = now
            status.last_error = None
            status.last_error_at = None
            self._keep(status)

    def fail(self, status: ScopeStatus, error: SourceError) -> None:
        """A page could not be had: the mark stays, and the reason is kept."""
        with self.lock:
            status.last_error = str(error)
            status.last_error_at = self.owner.pull.now()
            self._keep(status)
            self.owner.result.errors.append(
                f"{self.owner.connector.name}.{self.stream.name}: {error}"
            )

    def _keep(self, status: ScopeStatus) -> None:
        self.batch.scopes[status.scope.id] = status

    def retire_children(self, statuses: list[ScopeStatus]) -> None:
        """Close the children's scopes that a complete full pass over all parents did not show."""
        if self.is_sighting_all and statuses and len(self.full_passes) == len(statuses):
            for child in self.children:
                self.owner.landing.retire(
                    self.owner.connector.name, child.name, min(self.full_passes)
                )

    def flush(self) -> None:
        """Commit what is open."""
        with self.lock:
            self._commit()

    def _commit(self) -> None:
        batch = self.batch
        if not (batch.lines or batch.scopes):
            return
        requests = self.owner.pull.requests
        batch.requests = requests - self.requests_before
        self.requests_before = requests
        if self.owner.landing.commit(batch, self.owner.pull.now()) is not None:
            self.owner.result.batches += 1
        self.batch = self._open()
