"""What a benchmark measured, against its limit."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure, and the most and the least it may be."""

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the limits hold."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    def text(self) -> str:
        """The figure for people."""
        return f"{_number(self.value)} {self.unit}"

    def limit_text(self) -> str:
        """The limits for people."""
        if self.most is None and self.least is None:
            return ""
        if self.most is None or self.least is None:
            sign, limit = ("≥", self.least) if self.most is None else ("≤", self.most)
            return f"{sign} {_number(limit or 0)} {self.unit}"
        return f"{_number(self.least)} – {_number(self.most)} {self.unit}"


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


def pace() -> float:
    """Million numbers that a plain loop of Python adds a second, here and now.

    Times of two runs can be compared only as far as their paces can.
    """

    def loop() -> int:
        total = 0
        for number in range(1_000_000):
            total += number
        return total

    seconds, _ = best_of(5, loop)
    return 1 / seconds


def on_cores(count: int) -> None:
    """Keep this process, and what it starts, on so many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
