"""What a benchmark measured, against its limit."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure; `limit` is the most it may be, or the least where `is_floor`."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    is_floor: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the limit holds."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def text(self) -> str:
        """The figure for people."""
        return f"{_number(self.value)} {self.unit}"

    def limit_text(self) -> str:
        """The limit for people."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.is_floor else '≤'} {_number(self.limit)} {self.unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def best_of(times: int, work: Callable[[], Value]) -> tuple[float, Value]:
    """The shortest of some runs in seconds, and what the last one gave."""
    shortest = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        value = work()
        shortest = min(shortest, time.perf_counter() - started)
    return shortest, value


def on_cores(count: int) -> None:
    """Keep this process, and what it starts, on so many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
