"""One limiter per host and credential: requests under way, and waits the server asked for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_limiters: dict[tuple[str, str], "Limiter"] = {}
_registry = threading.Lock()


class Limiter:
    """Bounds the requests under way and holds all of them back while a server asks to wait."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self._under_way = 0
        self._free = threading.Condition()
        self._held_until: dict[str, float] = {}

    def hold(self, bucket: str, until: float) -> None:
        """Let no request of this bucket ("" for all of them) start before `until` (epoch)."""
        with self._free:
            self._held_until[bucket] = max(until, self._held_until.get(bucket, 0.0))

    def held_until(self, bucket: str) -> float:
        """When the next request of this bucket may start (epoch; past when at once)."""
        with self._free:
            return max(self._held_until.get("", 0.0), self._held_until.get(bucket, 0.0))

    def wait(
        self, bucket: str, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> float:
        """Sleep until the bucket is free; the seconds slept."""
        slept = 0.0
        while (seconds := self.held_until(bucket) - clock()) > 0:
            sleep(seconds)
            slept += seconds
        return slept

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Be one of the requests under way."""
        with self._free:
            while self._under_way >= self.concurrency:
                self._free.wait()
            self._under_way += 1
        try:
            yield
        finally:
            with self._free:
                self._under_way -= 1
                self._free.notify()


def limiter_for(host: str, identity: str, concurrency: int) -> Limiter:
    """The limiter this process keeps for a host and credential; the smaller concurrency wins."""
    with _registry:
        limiter = _limiters.setdefault((host, identity), Limiter(concurrency))
        limiter.concurrency = min(limiter.concurrency, concurrency)
        return limiter


def monotonic_epoch() -> Callable[[], float]:
    """A clock in epoch seconds that no change of the system's time can turn back."""
    start, offset = time.time(), time.monotonic()
    return lambda: start + time.monotonic() - offset
