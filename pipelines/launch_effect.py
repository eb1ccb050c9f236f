"""What one launch did to one category of requests: every number, and the words that go with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from pipelines import deflection
from pipelines.deflection import Effect, Floats, Weeks

LEAST_BEFORE = 8
LEAST_AFTER = 4
MOST_WEEKS = 52
LEAST_TICKETS = 10
LEAST_COMPARISON = 3.0
"""Tickets a week that a comparison needs in the mean: logarithms of less say little."""

_LEAST_FOR_SLOPE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Weekly numbers around a launch, oldest first; engineers are NaN where nobody knows them."""

    weeks: Sequence[date]
    tickets: Floats
    engineers: Floats
    others: Floats
    """Tickets of all categories that are neither touched nor compared with."""
    comparison: Floats | None = None
    comparison_words: str | None = None
    headcount_ratio: Floats | None = None
    """Engineers behind the tickets over those behind the comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where the weeks of a launch begin and end: other launches of the category cut them."""

    launched_on: date
    adoption_weeks: int
    from_week: date | None = None
    until_week: date | None = None
    as_of: date

    @property
    def launch_week(self) -> date:
        """The Monday of the week of the launch, the first of the adoption window."""
        return self.launched_on - timedelta(days=self.launched_on.weekday())

    @property
    def after_week(self) -> date:
        """The first Monday after the adoption window."""
        return self.launch_week + timedelta(weeks=self.adoption_weeks)

    def phase(self, week: date) -> str:
        """Before, adoption, after, or left out."""
        first = self.launch_week - timedelta(weeks=MOST_WEEKS)
        last = self.after_week + timedelta(weeks=MOST_WEEKS)
        if (
            week < max(first, self.from_week or first)
            or week >= last
            or (self.until_week is not None and week >= self.until_week)
        ):
            return "left out"
        if week < self.launch_week:
            return "before"
        return "adoption" if week < self.after_week else "after"


@dataclass(slots=True)
class Found:
    """The numbers of a launch and category, and what was expected week by week."""

    state: str
    wording: str
    reason: str | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    phases: list[str] = field(default_factory=list)
    expected: dict[date, tuple[float, float, float]] = field(default_factory=dict)


def assess(history: History, bounds: Bounds, category: str) -> Found:
    """Estimate what the launch took away; where nothing can be said, say why."""
    phases = [bounds.phase(week) for week in history.weeks]
    if bounds.launched_on > bounds.as_of:
        told = f"not yet: the launch is on {_day(bounds.launched_on)}"
        return Found("not yet", _sentence(told), told, phases=phases)
    known = np.isfinite(history.engineers)
    if history.comparison is not None and history.headcount_ratio is None:
        known = np.ones(len(known), dtype=bool)
    elif history.headcount_ratio is not None:
        known &= np.isfinite(history.headcount_ratio)
    used = np.array([p != "left out" for p in phases], dtype=bool) & known
    phase = np.array(phases, dtype=object)
    numbers = _counts(history, phase, used)
    reason = _why_not(history, bounds, category, numbers, known)
    if reason is not None:
        state = "too early" if reason.startswith("too early") else "no number"
        return Found(state, _sentence(reason), reason, numbers, phases)
    place = np.flatnonzero(used)
    number = place.astype(np.float64) - place[0]
    weeks = Weeks(number, phase[place] != "adoption", phase[place] == "after")
    estimate = _estimate(history, place, weeks)
    numbers |= _numbers(estimate, weeks) | _after(history, place, weeks, numbers)
    found = Found(estimate.state, _words(estimate, numbers, history), None, numbers, phases)
    deciding = estimate.deciding
    for index, at in enumerate(place.tolist()):
        found.expected[history.weeks[at]] = (
            float(deciding.without[0, index]),
            float(deciding.without_low[0, index]),
            float(deciding.without_high[0, index]),
        )
    return found


@dataclass(frozen=True, slots=True)
class _Estimate:
    level: Effect
    trend: Effect
    deciding: Effect
    is_claimed: bool
    method: str

    @property
    def state(self) -> str:
        if not self.is_claimed:
            # The level is clear, but the model with trend does not bear it out.
            is_clear = self.deciding.avoided_low[0] > 0 or self.deciding.avoided_high[0] < 0
            return "trend" if is_clear else "not shown"
        return "fewer" if self.deciding.avoided[0] > 0 else "more"


def _estimate(history: History, place: Any, weeks: Weeks) -> _Estimate:
    tickets = history.tickets[None, place]
    has_trend = weeks.before >= deflection.SHORT_HISTORY
    shape = "level and trend" if has_trend else "level"
    if history.comparison is not None:
        other = history.comparison[None, place]
        ratio = None if history.headcount_ratio is None else history.headcount_ratio[None, place]
        level = deflection.compared(tickets, other, weeks, headcount_ratio=ratio)
        trend = deflection.compared(tickets, other, weeks, with_trend=True, headcount_ratio=ratio)
        method = f"least squares on the log ratio to {history.comparison_words}, {shape}"
    else:
        engineers = history.engineers[None, place]
        is_none = tickets[:, weeks.is_after].sum() == 0
        model = deflection.vanished if is_none else deflection.counted
        level = model(tickets, engineers, weeks)
        trend = model(tickets, engineers, weeks, with_trend=True)
        method = f"quasi-Poisson with log(engineers) as offset, {shape}"
        if is_none:
            method += "; no request since, so expected from before, with the rule of three"
    claimed = bool(deflection.is_claimed(level, trend, weeks)[0])
    return _Estimate(level, trend, trend if has_trend else level, claimed, method)


def _counts(history: History, phase: Any, used: Any) -> dict[str, Any]:
    """What was there before and after, without any model."""
    numbers: dict[str, Any] = {}
    for name in ("before", "after"):
        here = used & (phase == name)
        weeks, tickets = int(here.sum()), float(history.tickets[here].sum())
        people = float(history.engineers[here].sum()) if weeks else float("nan")
        numbers[f"weeks_{name}"] = weeks
        numbers[f"tickets_{name}"] = int(tickets)
        has_people = np.isfinite(people) and people > 0
        numbers[f"engineers_{name}"] = people / weeks if has_people else None
        numbers[f"rate_{name}"] = tickets / people if has_people else None
        numbers[f"engineer_weeks_{name}"] = people if has_people else None
    return numbers


def _why_not(
    history: History, bounds: Bounds, category: str, numbers: dict[str, Any], known: Any
) -> str | None:
    if history.tickets.sum() == 0:
        return f"no request of {category} was ever seen"
    if not known.any():
        return "no engineers are known: connect git or a forge, else growth hides what was avoided"
    return _too_short(bounds, category, numbers)


def _too_short(bounds: Bounds, category: str, numbers: dict[str, Any]) -> str | None:
    if numbers["weeks_before"] < LEAST_BEFORE:
        return (
            f"only {_weeks(numbers['weeks_before'])} before the launch with known requests and "
            f"engineers; {LEAST_BEFORE} are needed"
        )
    if numbers["tickets_before"] == 0:
        return f"no request of {category} came before the launch: nothing to take away"
    if numbers["tickets_before"] < LEAST_TICKETS:
        counted = (
            "1 request"
            if numbers["tickets_before"] == 1
            else f"{numbers['tickets_before']} requests"
        )
        return f"only {counted} of {category} before the launch; {LEAST_TICKETS} are needed"
    if numbers["weeks_after"] >= LEAST_AFTER:
        return None
    ends = bounds.after_week + timedelta(weeks=LEAST_AFTER)
    if bounds.until_week is not None and bounds.until_week < ends:
        return "another launch of the same category came too soon after it"
    return (
        f"too early: {_weeks(numbers['weeks_after'])} after the adoption window, "
        f"{LEAST_AFTER} are needed (from {_day(ends)} on)"
    )


def _numbers(estimate: _Estimate, weeks: Weeks) -> dict[str, Any]:
    found, level, trend = estimate.deciding, estimate.level, estimate.trend
    smallest = float(found.smallest_drop()[0])
    return {
        "method": estimate.method,
        "is_claimed": estimate.is_claimed,
        "expected": float(found.expected[0]),
        "avoided": float(found.avoided[0]),
        "avoided_low": float(found.avoided_low[0]),
        "avoided_high": float(found.avoided_high[0]),
        "deflection_rate": float(found.rate[0]),
        "deflection_low": float(found.rate_low[0]),
        "deflection_high": float(found.rate_high[0]),
        "level_rate": float(level.rate[0]),
        "trend_rate": float(trend.rate[0]),
        "smallest_drop": smallest if np.isfinite(smallest) else None,
        "dispersion": float(found.dispersion[0]),
        "autocorrelation": float(found.autocorrelation[0]),
        "is_trend_used": weeks.before >= deflection.SHORT_HISTORY,
    }


def _after(history: History, place: Any, weeks: Weeks, numbers: dict[str, Any]) -> dict[str, Any]:
    """What is told beside the effect: slope, elimination, displacement."""
    tickets, engineers = history.tickets[None, place], history.engineers[None, place]
    told: dict[str, Any] = {"slope_change": None, "elimination": None, "rule_of_three": None}
    if not np.isfinite(engineers).all() or not (engineers > 0).all():
        return told
    is_none = numbers["tickets_after"] == 0
    if weeks.is_after.sum() >= _LEAST_FOR_SLOPE and not is_none:
        told["slope_change"] = float(deflection.slope_change(tickets, engineers, weeks)[0]) - 1
    rate, exposure = numbers["rate_before"], numbers["engineer_weeks_after"]
    if is_none and rate is not None and exposure is not None:
        told["rule_of_three"] = deflection.RULE_OF_THREE / exposure / rate
        is_eliminated = deflection.is_eliminated(0, exposure, rate)
        told["elimination"] = "eliminated" if is_eliminated else "none seen"
    others = history.others[None, place]
    before = weeks.is_used & ~weeks.is_after
    if others[:, before].sum() > 0 and others[:, weeks.is_after].sum() > 0:
        moved = deflection.counted(others, engineers, weeks)
        told["displaced"] = -float(moved.avoided[0])
        told["displaced_low"] = -float(moved.avoided_high[0])
        told["displaced_high"] = -float(moved.avoided_low[0])
    return told


def _words(estimate: _Estimate, numbers: dict[str, Any], history: History) -> str:
    """The finding in a sentence; without a comparison nothing is more than associated."""
    size = abs(numbers["deflection_rate"])
    ends = sorted((numbers["deflection_low"], numbers["deflection_high"]))
    span = f"{_percent(size)} (95 %: {_percent(abs(ends[0]))} to {_percent(abs(ends[1]))})"
    if estimate.state == "fewer":
        if ends[0] < 0:
            span = _percent(size)
        if history.comparison is None:
            return f"{span} fewer requests than expected: associated with the launch"
        return f"{span} fewer requests than {history.comparison_words} would lead to expect"
    if estimate.state == "more":
        than = "expected" if history.comparison is None else "the comparison would lead to expect"
        return f"{_percent(size)} more requests than {than}: none was avoided"
    if estimate.state == "trend":
        more = "fewer" if numbers["deflection_rate"] > 0 else "more"
        return (
            f"not claimed: {span if more == 'fewer' else _percent(size)} {more} requests than "
            "expected, but a trend may explain it (allowing for one: "
            f"{_signed(-numbers['trend_rate'])})"
        )
    smallest = numbers["smallest_drop"]
    shown = "" if smallest is None else f"; a drop of {_percent(smallest)} or more would have shown"
    return (
        f"no effect can be shown: {_signed(-numbers['deflection_rate'])} "
        f"(95 %: {_signed(-ends[1])} to {_signed(-ends[0])}){shown}"
    )


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _signed(share: float) -> str:
    return f"{'−' if share < 0 else '+'}{abs(share) * 100:.0f} %"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _weeks(count: int) -> str:
    return "1 full week" if count == 1 else f"{count} full weeks"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
