"""From received pages to landing: what comes within a few milliseconds is committed together.

One thread writes. A sender gets its answer when the transaction that holds its page is on disk
(`synchronous = full`), or an error: nothing is dropped, and nothing is promised before.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.connector import Connector, Page, Scope, State
from pipelines.batches import OpenBatch, ScopeStatus
from pipelines.landing import Landing

GATHER_SECONDS = 0.015
HEARTBEAT_SECONDS = 60.0

Place = tuple[str, str]  # stream, scope


class ConflictError(Exception):
    """The key of a request was used for another body before."""


class UnavailableError(Exception):
    """Landing could not be written; nothing was kept."""


@dataclass(slots=True)
class Submission:
    """A page to be kept, and what its sender waits for: True, or False where it was kept before.

    The page's address ends in the sender's key and the digest of the body. With `is_strict`
    another body under the same key is a conflict, else a repetition.
    """

    stream: str
    scope: Scope
    page: Page
    key: str | None
    is_strict: bool
    future: "Future[bool]" = field(default_factory=Future)
    offered_at: float = field(default_factory=time.monotonic)

    @property
    def place(self) -> Place:
        """Where it is kept."""
        return (self.stream, self.scope.id)


class Intake:
    """The thread that writes, and what waits for it."""

    def __init__(
        self,
        path: Path,
        connector: Connector,
        *,
        patience: float,
        now: Callable[[], datetime],
    ) -> None:
        self.path = path
        self.connector = connector
        self.patience = patience
        self.now = now
        self.counts: Counter[str] = Counter()
        self.commit_seconds: deque[float] = deque(maxlen=1_000)
        self.last_error: str | None = None
        self._waiting: deque[Submission] = deque()
        self._condition = threading.Condition()
        self._is_stopping = False
        self._statuses: dict[Place, ScopeStatus] | None = None
        self._heard_at = 0.0
        self._thread = threading.Thread(target=self._run, name="intake")

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        self._thread.join()

    def offer(self, submission: Submission) -> None:
        """Have a page written; its future tells the outcome."""
        with self._condition:
            self._waiting.append(submission)
            self._condition.notify()

    @property
    def waiting(self) -> int:
        """Pages that wait."""
        return len(self._waiting)

    @property
    def oldest_seconds(self) -> float:
        """How long the one waiting longest has waited."""
        with self._condition:
            return time.monotonic() - self._waiting[0].offered_at if self._waiting else 0.0

    def _run(self) -> None:
        landing: Landing | None = None
        while (group := self._gathered()) is not None:
            try:
                landing = landing or Landing(self.path, busy_seconds=self.patience)
                self._write(landing, group)
                self.last_error = None
            except Exception as error:  # noqa: BLE001  the thread must live: senders wait for it
                self.last_error = f"{self.path}: {error}"
                self.counts["failed commits"] += 1
                for submission in group:
                    if not submission.future.done():
                        submission.future.set_exception(UnavailableError(str(error)))
        if landing is not None:
            landing.close()

    def _gathered(self) -> list[Submission] | None:
        """What came within a few milliseconds; empty when it is time for a sign of life."""
        with self._condition:
            if not self._waiting and not self._is_stopping:
                self._condition.wait(HEARTBEAT_SECONDS)
            if not self._waiting:
                return None if self._is_stopping else []
        if not self._is_stopping:
            time.sleep(GATHER_SECONDS)
        with self._condition:
            group = list(self._waiting)
            self._waiting.clear()
        return [each for each in group if each.future.set_running_or_notify_cancel()]

    def _write(self, landing: Landing, group: list[Submission]) -> None:
        statuses = self._known(landing)
        fresh, repeated = self._sorted(landing, group)
        now = self.now()
        batches: dict[str, OpenBatch] = {}
        for submission in fresh:
            batch = batches.setdefault(
                submission.stream, OpenBatch(self.connector.name, submission.stream, now)
            )
            batch.add(submission.scope, submission.page)
            status = statuses.setdefault(
                submission.place, ScopeStatus(submission.scope, State(), covered_from=now)
            )
            status.last_success_at = now
            batch.scopes[submission.scope.id] = status
        is_due = time.monotonic() - self._heard_at >= HEARTBEAT_SECONDS
        if is_due:
            self._sign_of_life(statuses, batches, now)
        if batches:
            started = time.monotonic()
            landing.commit_together(list(batches.values()), now)
            self.commit_seconds.append(time.monotonic() - started)
            self._heard_at = time.monotonic() if is_due else self._heard_at
            self.counts["commits"] += 1
        for submission in fresh:
            self.counts["kept"] += 1
            submission.future.set_result(True)
        for submission in repeated:
            self.counts["repeated"] += 1
            submission.future.set_result(False)

    def _known(self, landing: Landing) -> dict[Place, ScopeStatus]:
        """Where every scope stands; the connection is remembered, so that pages can be read."""
        if self._statuses is None:
            connector = self.connector
            landing.remember(connector.name, connector.kind, connector.options.model_dump_json())
            self._statuses = {
                (stream.name, status.scope.id): status
                for stream in connector.streams()
                for status in landing.scopes(connector.name, stream.name)
            }
        return self._statuses

    def _sorted(
        self, landing: Landing, group: list[Submission]
    ) -> tuple[list[Submission], list[Submission]]:
        """Those to be kept, and those kept before or twice in this group; conflicts are told."""
        fresh: list[Submission] = []
        repeated: list[Submission] = []
        keys: dict[tuple[Place, str], str] = {}
        for submission in group:
            if submission.key is None:
                fresh.append(submission)
                continue
            name = (submission.place, submission.key)
            before = keys.get(name) or self._kept(landing, submission)
            if before is None:
                keys[name] = submission.page.url
                fresh.append(submission)
            elif submission.is_strict and before != submission.page.url:
                self.counts["conflicts"] += 1
                submission.future.set_exception(ConflictError())
            else:
                repeated.append(submission)
        return fresh, repeated

    def _kept(self, landing: Landing, submission: Submission) -> str | None:
        key = submission.key or ""
        name, (stream, scope) = self.connector.name, submission.place
        return next(iter(landing.received(name, stream, scope, key)), None)

    def _sign_of_life(
        self, statuses: dict[Place, ScopeStatus], batches: dict[str, OpenBatch], now: datetime
    ) -> None:
        """Say of every scope that somebody listens, so that silence is an answer."""
        for (stream, scope), status in statuses.items():
            status.last_success_at = now
            batch = batches.setdefault(stream, OpenBatch(self.connector.name, stream, now))
            batch.scopes[scope] = status
