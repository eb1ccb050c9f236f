"""Which deployments failed, by what signs and until when: the definitions, applied to the ledger.

Plain loops over what the simulation entered; nothing is read from text and nothing guessed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from sandbox.outcomes import DeploymentOutcome, IncidentOutcome
from sandbox.truth_ledger import LiveLedger, Place, live_at, place_of

Method = Literal["rollback", "revert", "incident_reference", "hotfix", "incident_time", "status"]
Confidence = Literal["high", "medium"]
RecoveredBy = Literal["rollback", "fix", "incident resolved"]

CONFIDENCE: Mapping[Method, Confidence] = {
    "rollback": "high",
    "revert": "high",
    "incident_reference": "high",
    "hotfix": "medium",
    "incident_time": "medium",
    "status": "high",
}
INCIDENT_WINDOW = timedelta(hours=24)
HOTFIX_WINDOW = timedelta(hours=24)
REVERT_WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign that a deployment failed."""

    failed: DeploymentOutcome
    method: Method
    subject: str  # key of the rollback, hotfix, reverting change or ticket; else of the deployment
    mended_by: DeploymentOutcome | None  # the rollback or fix that the sign is


@dataclass(frozen=True, slots=True)
class Link:
    """One incident and the deployment it is linked to, if any."""

    incident: IncidentOutcome
    names_service: bool
    created_at: datetime
    resolved_at: datetime | None
    failed: DeploymentOutcome | None
    method: Method | None
    is_rejected: bool  # what it names was deployed after it began, and nothing else fits


@dataclass(frozen=True, slots=True)
class Failure:
    """One deployment that failed."""

    deployment: DeploymentOutcome
    signals: tuple[Signal, ...]
    recovered_at: datetime | None
    recovered_by: RecoveredBy | None
    started_at: datetime  # of the failure: live, or earlier where an incident came earlier

    @property
    def is_high(self) -> bool:
        """Whether a sign of high confidence is there."""
        return any(CONFIDENCE[signal.method] == "high" for signal in self.signals)

    @property
    def recovery_us(self) -> int | None:
        """From failing to recovery; None while it is open."""
        if self.recovered_at is None:
            return None
        return (self.recovered_at - self.started_at) // timedelta(microseconds=1)


class FailureTruth:
    """Signals, incident links and failures of all services."""

    def __init__(self, ledger: LiveLedger) -> None:
        self._ledger = ledger
        self._counted = ledger.counted

    @property
    def _has_pager(self) -> bool:
        return self._ledger.organisation.profile.has_pager

    @cached_property
    def _by_place(self) -> Mapping[Place, DeploymentOutcome]:
        return {place_of(one): one for d in self._counted.values() for one in d}

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """Every sign, medium ones included."""
        return (
            *self._rollbacks(),
            *self._reverts(),
            *self._hotfixes(),
            *self._statuses(),
            *self._incidents(),
        )

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every incident, linked once or not at all."""
        return tuple(self._link(*incident) for incident in self._incidents_told())

    @cached_property
    def failures(self) -> Mapping[Place, Failure]:
        """Failed deployments by place."""
        signals: dict[Place, list[Signal]] = defaultdict(list)
        for signal in self.signals:
            signals[place_of(signal.failed)].append(signal)
        links: dict[Place, list[Link]] = defaultdict(list)
        for link in self.links:
            if link.failed is not None:
                links[place_of(link.failed)].append(link)
        return {place: _failure(found, links.get(place, ())) for place, found in signals.items()}

    def _rollbacks(self) -> Iterator[Signal]:
        for one in self._by_place.values():
            if one.kind == "rollback":
                failed = self._by_place[one.failed_key or "", one.environment]
                yield Signal(failed, "rollback", one.deployment_key, one)

    def _reverts(self) -> Iterator[Signal]:
        arrived: dict[tuple[str, int, str], DeploymentOutcome] = {}
        for place, changes in self._ledger.shipped.items():
            if place in self._by_place:
                one = self._by_place[place]
                arrived.update(
                    ((change.change_key, one.service_id, one.environment), one)
                    for change in changes
                )
        reverts = dict(self._ledger.organisation.reverts)
        for (key, service_id, environment), fix in arrived.items():
            failed = arrived.get((reverts.get(key, ""), service_id, environment))
            if failed is None or failed is fix:
                continue
            if timedelta() <= live_at(fix) - live_at(failed) <= REVERT_WINDOW:
                yield Signal(failed, "revert", key, fix)

    def _hotfixes(self) -> Iterator[Signal]:
        for deployments in self._counted.values():
            for one in deployments:
                failed = self._ledger.before(one) if one.kind == "hotfix" else None
                if failed is not None and failed.kind == "rollback":
                    # It mends what was rolled back, not the return to what worked.
                    failed = self._by_place[failed.failed_key or "", failed.environment]
                if failed is not None and live_at(one) - live_at(failed) <= HOTFIX_WINDOW:
                    yield Signal(failed, "hotfix", one.deployment_key, one)

    def _statuses(self) -> Iterator[Signal]:
        for deployments in self._counted.values():
            for index, one in enumerate(deployments):
                if one.outcome == "failed_after_live":
                    rest = (o for o in deployments[index + 1 :] if o.environment == one.environment)
                    yield Signal(one, "status", one.deployment_key, next(rest, None))

    def _incidents(self) -> Iterator[Signal]:
        for link in self.links:
            if link.failed is not None and link.method is not None:
                yield Signal(link.failed, link.method, link.incident.ticket_key, None)

    def _incidents_told(self) -> Iterator[tuple[IncidentOutcome, datetime, datetime | None]]:
        """Incidents with their begin and end.

        What a pager merges into another is part of that one, and lasts as long as the longer.
        """
        told = self._ledger.organisation.incident_outcomes
        spans = {one.ticket_key: self._ledger.tickets[one.ticket_key] for one in told}
        merged: dict[str, list[datetime]] = defaultdict(list)
        rest = []
        for one in told:
            end = spans[one.ticket_key].resolved_at
            if self._has_pager and one.duplicate_of in spans and end is not None:
                merged[one.duplicate_of].append(end)
            else:
                rest.append(one)
        for one in rest:
            span = spans[one.ticket_key]
            end = span.resolved_at and max([span.resolved_at, *merged[one.ticket_key]])
            yield one, span.created_at, end

    def _link(self, incident: IncidentOutcome, start: datetime, end: datetime | None) -> Link:
        deployments = self._counted.get(incident.service_id, [])
        # A pager calls the people of a service: it always names one.
        names_service = self._has_pager or incident.naming not in {"team", "nothing"}
        named = [one for one in deployments if one.deployment_key == incident.named_key]
        failed: DeploymentOutcome | None
        method: Method
        if named and named[0].started_at <= start:
            failed, method = named[0], "incident_reference"
        else:
            # What was deployed after it began may have mended it, and cannot have caused it.
            failed = _latest(deployments, start) if names_service else None
            method = "incident_time"
        return Link(
            incident=incident,
            names_service=names_service,
            created_at=start,
            resolved_at=end,
            failed=failed,
            method=None if failed is None else method,
            is_rejected=bool(named) and failed is None,
        )


def _latest(deployments: Sequence[DeploymentOutcome], moment: datetime) -> DeploymentOutcome | None:
    """The latest that was live then and not for long, else one that was on its way."""
    live = [one for one in deployments if live_at(one) <= moment]
    last = max(live, key=lambda one: (live_at(one), one.deployment_key), default=None)
    if last is not None and moment <= live_at(last) + INCIDENT_WINDOW:
        return last
    begun = [one for one in deployments if one.started_at <= moment < live_at(one)]
    return max(begun, key=lambda one: (one.started_at, one.deployment_key), default=None)


def _failing_from(one: DeploymentOutcome, incidents: Iterable[datetime]) -> datetime:
    """When a deployment began to fail: live, or when an incident began while it was rolled out."""
    live = live_at(one)
    return min([live, *(start for start in incidents if start > one.started_at)])


def _failure(signals: Sequence[Signal], links: Sequence[Link]) -> Failure:
    one = signals[0].failed
    start = _failing_from(one, [link.created_at for link in links])
    ends = [link.resolved_at for link in links]
    resolved = [end for end in ends if end is not None]
    mended = sorted(
        live_at(signal.mended_by)
        for signal in signals
        if signal.mended_by is not None
        and live_at(signal.mended_by) >= start
        and (not resolved or live_at(signal.mended_by) <= max(resolved))
    )
    undone = {
        live_at(signal.mended_by)
        for signal in signals
        if signal.mended_by is not None and signal.method == "rollback"
    }
    if len(resolved) < len(ends) or not (mended or resolved):
        return Failure(one, tuple(signals), None, None, start)
    if not mended:
        return Failure(one, tuple(signals), max(resolved), "incident resolved", start)
    at = mended[-1] if resolved else mended[0]
    return Failure(one, tuple(signals), at, "rollback" if at in undone else "fix", start)


def signal_rows(truth: FailureTruth) -> Iterator[dict[str, Any]]:
    """Signals as columns."""
    for signal in truth.signals:
        yield {
            **_place_row(signal.failed),
            "method": signal.method,
            "confidence": CONFIDENCE[signal.method],
            "subject": signal.subject,
        }


def failure_rows(truth: FailureTruth) -> Iterator[dict[str, Any]]:
    """Failures as columns."""
    for failure in truth.failures.values():
        yield {
            **_place_row(failure.deployment),
            "live_at": failure.deployment.live_at,
            "methods": sorted({signal.method for signal in failure.signals}),
            "is_high": failure.is_high,
            "failing_from": failure.started_at,
            "recovered_at": failure.recovered_at,
            "recovery_us": failure.recovery_us,
            "recovered_by": failure.recovered_by,
        }


def incident_rows(truth: FailureTruth) -> Iterator[dict[str, Any]]:
    """Incidents with their links as columns."""
    for link in truth.links:
        incident = link.incident
        yield {
            "ticket_key": incident.ticket_key,
            "service_id": incident.service_id if link.names_service else None,
            "naming": incident.naming,
            "cause_key": incident.cause_key,
            "duplicate_of": incident.duplicate_of,
            "created_at": link.created_at,
            "resolved_at": link.resolved_at,
            "deployment_key": None if link.failed is None else link.failed.deployment_key,
            "environment": None if link.failed is None else link.failed.environment,
            "method": link.method,
        }


def _place_row(one: DeploymentOutcome) -> dict[str, Any]:
    return {
        "deployment_key": one.deployment_key,
        "environment": one.environment,
        "service_id": one.service_id,
    }
