"""The rules of the set-up threshold: from counted set-ups to a state and the sentence for it.

A share of set-ups over one business day, exact binomial interval. The whole interval above one
half: crossed, whatever source is missing, since a missing source can only make set-ups look
shorter. Below: clear, where every core leg and the start of set-ups could be seen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pipelines.thresholds import SETUP_TIME

LIMIT = 0.5
LEAST = 6
FEW = 3
WINDOWS = (180, 365)
YEAR = timedelta(days=365)


class Share(NamedTuple):
    """An interval of a share; null where nothing was counted."""

    low: float | None
    high: float | None

    @property
    def is_above(self) -> bool:
        """Wholly above the limit."""
        return self.low is not None and self.low > LIMIT

    @property
    def is_below(self) -> bool:
        """Wholly below the limit."""
        return self.high is not None and self.high < LIMIT


@dataclass(frozen=True, slots=True)
class Known:
    """What was known at one evaluation: the counted set-ups of the window, and the sources."""

    evaluated_at: datetime
    window_days: int
    zone: str
    day_hours: float
    cases: int
    n: int
    over: int
    sure: int  # counted, and either asked for or over a day: what cannot be an understatement
    quick: int  # ready within 24 hours
    open_over: int
    young: int
    unknown: int
    requested: int
    services: int
    seen: int
    has_repositories: bool
    has_pipelines: bool | None
    has_deployments: bool | None
    has_requests: bool | None
    has_trackers: bool
    is_asked_for: bool
    repositories_since: datetime | None
    deployments_since: datetime | None
    requests_since: datetime | None
    optional_legs: list[str] | None

    @property
    def missing(self) -> list[str]:
        """What to connect before set-up can be called quick, in plain words."""
        found = []
        if not self.has_repositories:
            found.append("repositories: a forge such as GitHub")
        if not self.has_pipelines:
            found.append("pipeline runs: CI of the repositories")
        if not self.has_deployments:
            found.append("deployments to any environment")
        if self.is_asked_for and not self.has_requests:
            declared = 'or setup_requests = "none" under [setup], if nobody has to ask'
            if self.has_trackers:
                found.append(
                    "which tickets or portal templates make a new service: request_types and "
                    f"templates under [setup], {declared}"
                )
            else:
                found.append(f"set-up tickets or the portal's tasks, {declared}")
        return found

    @property
    def legs(self) -> list[str]:
        """The legs that readiness waited for."""
        core = [
            ("repository", self.has_repositories),
            ("first green pipeline", self.has_pipelines),
            ("first deployment to any environment", self.has_deployments),
        ]
        return [name for name, is_seen in core if is_seen] + (self.optional_legs or [])


class Measure(NamedTuple):
    """One row of the measure."""

    threshold: str
    evaluated_at: datetime
    value: float | None
    unit: str
    ci_low: float | None
    ci_high: float | None
    threshold_value: float
    n: int
    measured_state: str
    direction: str | None
    reason: str
    missing: list[str]
    evidence: str | None
    coverage: float | None
    coverage_text: str
    parameters: str
    window_days: int
    legs: list[str]


def decide(known: Known, shares: Mapping[str, Share]) -> Measure:
    """The state at one evaluation; `shares` has the interval of all ("") and of the sure ones."""
    share = shares[""]
    state, reason, evidence = _state(known, share, shares["sure"])
    is_close = state == "insufficient" and known.n >= LEAST and not _is_beyond(share)
    coverage, coverage_text = _coverage(known)
    value = known.over / known.n if known.n else None
    return Measure(
        threshold=SETUP_TIME,
        evaluated_at=known.evaluated_at,
        value=value,
        unit="share of set-ups",
        ci_low=share.low,
        ci_high=share.high,
        threshold_value=LIMIT,
        n=known.n,
        measured_state=state,
        direction=("above" if (value or 0) >= LIMIT else "below") if is_close else None,
        reason=reason,
        missing=known.missing,
        evidence=evidence,
        coverage=coverage,
        coverage_text=coverage_text,
        parameters=_parameters(known),
        window_days=known.window_days,
        legs=known.legs,
    )


def state_of(share: Share, n: int, *, may_clear: bool) -> str:
    """The state under another definition of a set-up's length."""
    if n >= LEAST and share.is_above:
        return "crossed"
    if n >= LEAST and share.is_below and may_clear:
        return "clear"
    return "insufficient"


def _is_beyond(share: Share) -> bool:
    return share.is_above or share.is_below


def _state(known: Known, share: Share, sure: Share) -> tuple[str, str, str | None]:
    if known.n >= LEAST:
        return _by_interval(known, share, sure)
    if known.n >= FEW:
        return _by_few(known)
    return _by_none(known)


def _by_interval(known: Known, share: Share, sure: Share) -> tuple[str, str, str | None]:
    figures = _figures(known, share)
    if share.is_above:
        return "crossed", f"{figures}: more than half, and so is the whole interval.", None
    if not share.is_below:
        return "insufficient", f"{figures}: too close to one half to call.", None
    if known.missing:
        return "insufficient", f"{figures}, but {_lacks(known)}.", None
    if known.is_asked_for and not (known.sure >= LEAST and sure.is_below):
        return (
            "insufficient",
            (
                f"{figures}, but only {known.requested} of {known.cases} began with a ticket or a "
                "task of the portal: how long the others waited before their repository is unknown."
            ),
            None,
        )
    return "clear", f"{figures}: less than half, and so is the whole interval.", None


def _by_few(known: Known) -> tuple[str, str, str | None]:
    figures = _figures(known, None)
    if known.quick < known.n:
        return (
            "insufficient",
            (
                f"{figures}; {known.n} are too few for an interval, and not all of them were ready "
                "within 24 hours."
            ),
            None,
        )
    if known.missing:
        return "insufficient", f"{figures}, but {_lacks(known)}.", None
    if known.is_asked_for and known.sure < known.n:
        return (
            "insufficient",
            (
                f"{figures}, but only {known.requested} of {known.cases} began with a ticket or a "
                "task of the portal."
            ),
            None,
        )
    return (
        "clear",
        (
            f"All {known.n} set-ups begun in the {known.window_days} days before were ready within "
            "24 hours."
        ),
        f"{known.n} set-ups are too few for an interval; clear since each took at most 24 hours",
    )


def _by_none(known: Known) -> tuple[str, str, str | None]:
    told = f"{_set_ups(known.n)} decided in the {known.window_days} days before"
    if known.missing:
        return "insufficient", f"{told}, too few to judge, and {_lacks(known)}.", None
    since = {
        "repositories": known.repositories_since,
        "deployments": known.deployments_since,
        **({"requests": known.requests_since} if known.is_asked_for else {}),
    }
    short = [name for name, at in since.items() if at is None or at > known.evaluated_at - YEAR]
    if known.cases >= FEW or known.open_over:
        return "insufficient", f"{told}, {known.cases} begun: too few to judge.", None
    if short:
        return (
            "insufficient",
            (
                f"{told}; that services are set up so seldom would need 365 days of records, and "
                f"{' and '.join(short)} are known for less."
            ),
            None,
        )
    zone = ZoneInfo(known.zone)
    days = ", ".join(
        f"{name} since {at.astimezone(zone):%-d %B %Y}" for name, at in since.items() if at
    )
    declared = "" if known.is_asked_for else ", and nobody has to ask for a new service"
    return (
        "not applicable",
        "Too few new services to be held up by, and nobody waits for one.",
        f"{days}{declared}: {_new(known.cases).lower()} in 365 days, none open over a day",
    )


def _figures(known: Known, share: Share | None) -> str:
    interval = ""
    if share is not None and share.low is not None and share.high is not None:
        value, low, high = (
            f"{100 * each:.0f} %" for each in (known.over / known.n, share.low, share.high)
        )
        interval = f" ({value}, 95 %: {low} to {high})"
    return (
        f"{known.over} of {_set_ups(known.n)} begun in the {known.window_days} days before took "
        f"more than one business day{interval}"
    )


def _set_ups(n: int) -> str:
    return "1 set-up" if n == 1 else f"{n} set-ups"


def _new(n: int) -> str:
    return {0: "No new service", 1: "One new service"}.get(n, f"{n} new services")


def _lacks(known: Known) -> str:
    parts = [each.partition(":")[0].partition(",")[0] for each in known.missing]
    return f"what would show them slower is not connected ({', '.join(parts)})"


def _coverage(known: Known) -> tuple[float | None, str]:
    """The smallest of the shares that limit how far the number can be trusted, and all in words."""
    if not known.cases:
        return None, "no set-up in the window"
    parts = [(known.cases - known.unknown, known.cases, "could be followed")]
    if known.services:
        parts.append((known.seen, known.services, "have both pipelines and deployments in sight"))
    if known.is_asked_for:
        parts.append((known.requested, known.cases, "began with a ticket or a task of the portal"))
    text = "; ".join(f"{part} of {whole} {words}" for part, whole, words in parts)
    return min(part / whole for part, whole, _ in parts), text


def _parameters(known: Known) -> str:
    values: dict[str, Any] = {
        "limit": LIMIT,
        "interval": "Clopper-Pearson 95 %",
        "window_days": known.window_days,
        "windows_days": list(WINDOWS),
        "least_n": LEAST,
        "business_day_hours": known.day_hours,
        "setup_requests": "tickets" if known.is_asked_for else "none",
        "legs": known.legs,
        "optional_leg_share": 0.9,
    }
    return json.dumps(values)
