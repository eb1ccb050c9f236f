"""One limiter per host and credential: requests under way, and waits the server asked for."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

_SAME_RESET = 1.5  # seconds
_limiters: dict[tuple[str, str], "Limiter"] = {}
_registry = threading.Lock()


class Allowance(NamedTuple):
    """What a server said is left of a limit, and until when that holds (epoch)."""

    left: int
    until: float


class Limiter:
    """Bounds the requests under way and holds all of them back while a server asks to wait.

    Near the end of a limit no more are under way than are left of it: what parallel requests
    would be refused for is not asked.
    """

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self._under_way: Counter[str] = Counter()
        self._free = threading.Condition()
        self._held_until: dict[str, float] = {}
        self._allowed: dict[str, Allowance] = {}

    def allow(self, bucket: str, allowance: Allowance) -> None:
        """Note what an answer says is left; of answers that overtook each other, the least."""
        with self._free:
            known = self._allowed.get(bucket)
            # Resets are told in whole seconds, some as a wait: the same one may differ a little.
            if known is not None and abs(known.until - allowance.until) <= _SAME_RESET:
                allowance = Allowance(min(known.left, allowance.left), known.until)
            self._allowed[bucket] = allowance
            self._free.notify_all()

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
    def slot(self, bucket: str, clock: Callable[[], float]) -> Iterator[None]:
        """Be one of the requests under way."""
        with self._free:
            while self._is_full(bucket, clock()):
                self._free.wait()
            self._under_way[bucket] += 1
        try:
            yield
        finally:
            with self._free:
                self._under_way[bucket] -= 1
                self._free.notify_all()

    def _is_full(self, bucket: str, now: float) -> bool:
        """Whether one more would be too many; only ever while another is under way."""
        if self._under_way.total() >= self.concurrency:
            return True
        allowed = self._allowed.get(bucket)
        if allowed is None or allowed.until <= now:
            return False
        return self._under_way[bucket] >= max(1, allowed.left)


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
