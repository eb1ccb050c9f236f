"""How much a sender may send, and how much may be on its way at once."""

from collections.abc import Callable

from pipelines.listening.problems import wait


class Rate:
    """A bucket for each sender: so many requests a second over time, ten times that at once."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self.per_second = per_second
        self.most = max(1.0, per_second * 10)
        self.clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, sender: str) -> None:
        """Count a request; raises `Problem` 429 with the time to wait."""
        now = self.clock()
        left, at = self._left.get(sender, (self.most, now))
        left = min(self.most, left + (now - at) * self.per_second)
        if left < 1:
            self._left[sender] = (left, now)
            raise wait(
                429,
                (1 - left) / self.per_second,
                f"more than {self.per_second:g} requests a second; wait as Retry-After says, or "
                "send several things in one request",
            )
        self._left[sender] = (left - 1, now)


class Room:
    """Requests and bytes under way: being read, or waiting to be written."""

    def __init__(self, most_bytes: int, most_requests: int) -> None:
        self.most_bytes = most_bytes
        self.most_requests = most_requests
        self.bytes = 0
        self.requests = 0

    def enter(self) -> None:
        """A request begins; raises `Problem` 503 where too many are under way."""
        if self.requests >= self.most_requests:
            raise _full()
        self.requests += 1

    def grow(self, size: int) -> None:
        """Some of its body came; raises `Problem` 503 where too much is under way."""
        if self.bytes + size > self.most_bytes:
            raise _full()
        self.bytes += size

    def leave(self, size: int) -> None:
        """It is answered."""
        self.requests -= 1
        self.bytes -= size


def _full() -> Exception:
    return wait(503, 1, "too much is on its way at once; nothing of this was kept, send it again")
