"""The failure side of the five metrics per service and period, counted release by release."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median

from sandbox.outcomes import DeploymentOutcome
from sandbox.truth_failures import INCIDENT_WINDOW, Failure, FailureTruth
from sandbox.truth_ledger import LiveLedger, live_at, place_of
from sandbox.truth_rework import ReworkTruth, State

MATURITY = timedelta(days=7)
MOST_COVERED = 0.5  # of the time; beyond it links by time alone say too little
LEAST_FOR_MEDIAN = 5


@dataclass(frozen=True, slots=True)
class Period:
    """One period, half open, and the moment it is looked at."""

    start: datetime
    end: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """The k-th deployment of a commit in each production environment of a service."""

    deployments: tuple[DeploymentOutcome, ...]  # in the order they went live
    failures: tuple[Failure, ...]
    state: State

    @property
    def live_at(self) -> datetime:
        """When it was live in the first of its environments."""
        return live_at(self.deployments[0])

    @property
    def is_by_time(self) -> bool:
        """Whether nothing but incidents soon after says that it failed."""
        return all(
            signal.method == "incident_time"
            for failure in self.failures
            for signal in failure.signals
        )

    @property
    def failing_from(self) -> datetime:
        """When the first of its deployments began to fail."""
        return min(failure.started_at for failure in self.failures)

    @property
    def recovered_at(self) -> datetime | None:
        """When the last of its failures was over; None while one is not."""
        ends = [failure.recovered_at for failure in self.failures]
        return None if None in ends else max(end for end in ends if end is not None)


@dataclass(frozen=True, slots=True)
class Measures:
    """What one service came to in one period."""

    deployments: int  # D
    rework: int
    unknown: int
    mature: int  # those of D that are old enough to have shown whether they failed
    failed: int
    failed_high: int
    recovery_hours: float | None  # median; None where too few or too many are open

    @property
    def change_fail_rate(self) -> float | None:
        """Percent, medium links included where they may be."""
        return self.failed / self.mature * 100 if self.mature else None

    @property
    def rework_rate(self) -> float | None:
        """Percent that are known to be rework; None where nothing says what any was."""
        if self.unknown == self.deployments:
            return None
        return self.rework / self.deployments * 100


class MeasureTruth:
    """Counts over the releases of every service."""

    def __init__(self, ledger: LiveLedger) -> None:
        self._ledger = ledger
        organisation = ledger.organisation
        self._archived = {
            service.id: organisation.repository_by_id[service.repository_id].archived_at
            for service in organisation.services
        }

    @cached_property
    def releases(self) -> Mapping[int, list[Release]]:
        """By service, every release that counts."""
        failures = FailureTruth(self._ledger).failures
        states = {place_of(row.deployment): row.state for row in ReworkTruth(self._ledger).rows()}
        found: dict[int, list[Release]] = {}
        for service, deployments in self._ledger.counted.items():
            turns: dict[tuple[str, str], int] = defaultdict(int)
            members: dict[tuple[str, int], list[DeploymentOutcome]] = defaultdict(list)
            for one in deployments:
                turns[one.environment, one.sha] += 1
                members[one.sha, turns[one.environment, one.sha]].append(one)
            found[service] = [
                Release(
                    tuple(own),
                    tuple(failures[place_of(one)] for one in own if place_of(one) in failures),
                    states[place_of(own[0])],
                )
                for own in members.values()
            ]
        return found

    def measures(self, period: Period) -> Mapping[int, Measures]:
        """By service with a release that was live in the period."""
        found = {}
        for service, releases in self.releases.items():
            inside = [one for one in releases if period.start <= one.live_at < period.end]
            if inside:
                found[service] = self._measured(service, inside, period)
        return found

    def covered_share(self, service: int, period: Period) -> float:
        """Share of the time observed that lies within reach of a deployment."""
        deployments = self._ledger.counted[service]
        start = max(period.start, live_at(deployments[0]))
        end = min(period.end, period.as_of, self._archived[service] or period.as_of)
        covered, reached = timedelta(), start
        for one in sorted(deployments, key=lambda one: one.started_at):
            until = min(live_at(one) + INCIDENT_WINDOW, end)
            since = max(one.started_at, reached)
            if since < until:
                covered += until - since
                reached = until
        return covered / (end - start) if start < end else 0.0

    def _measured(self, service: int, inside: Sequence[Release], period: Period) -> Measures:
        mature = [one for one in inside if one.live_at <= period.as_of - MATURITY]
        failed = [one for one in mature if one.failures]
        if self.covered_share(service, period) > MOST_COVERED:
            failed = [one for one in failed if not one.is_by_time]
        states = [one.state for one in inside]
        return Measures(
            deployments=len(inside),
            rework=states.count("rework"),
            unknown=states.count("unknown"),
            mature=len(mature),
            failed=len(failed),
            failed_high=sum(any(f.is_high for f in one.failures) for one in mature),
            recovery_hours=_median_recovery(failed, period.as_of),
        )


def _median_recovery(failed: Sequence[Release], as_of: datetime) -> float | None:
    """Hours; with open failures the Kaplan-Meier median, halfway where it is met exactly."""
    if len(failed) < LEAST_FOR_MEDIAN:
        return None
    spans = sorted(
        (((one.recovered_at or as_of) - one.failing_from), one.recovered_at is None)
        for one in failed
    )
    hours = [(span / timedelta(hours=1), is_open) for span, is_open in spans]
    if not any(is_open for _, is_open in hours):
        return median(span for span, _ in hours)
    surviving = 1.0
    met: float | None = None
    for moment in sorted({span for span, is_open in hours if not is_open}):
        if met is not None:
            return (met + moment) / 2
        at_risk = sum(span >= moment for span, _ in hours)
        over = sum(span == moment and not is_open for span, is_open in hours)
        surviving *= 1 - over / at_risk
        if abs(surviving - 0.5) < 1e-12:
            met = moment
        elif surviving < 0.5:
            return moment
    return met
