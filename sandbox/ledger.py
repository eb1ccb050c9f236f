"""Keeps book of what each environment of each service has received, while it happens.

Nothing here looks at a commit graph: the simulation knows the order in which changes landed, and a
deployment carries everything up to its position in that order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from sandbox.forge import EnvironmentClass
from sandbox.outcomes import ChangeOutcome, DeploymentOutcome
from sandbox.plan import LineEntry, ServicePlan
from sandbox.working_time import as_datetime

Kind = Literal["normal", "hotfix", "config", "rollback", "redeploy"]
Outcome = Literal["succeeded", "failed_before_live", "failed_after_live", "running"]


CONFIG_PATH = "config/"


@dataclass(slots=True)
class Arrival:
    """One deployment, its attempts folded, as the simulation let it happen."""

    key: str
    attempt_ids: tuple[int, ...]
    sha: str
    position: float  # on the default branch; halves are commits beside it
    started: int
    live: int | None
    outcome: Outcome
    tag: str | None = None
    extra_keys: tuple[str, ...] = ()  # changes it carries from beside the default branch
    is_before_merge: bool = False
    is_overtaken: bool = False  # a deployment started later was live earlier
    is_hotfix: bool = False  # its branch or tag says so


def touches(entry: LineEntry, service: ServicePlan) -> bool:
    """Whether a step of the line belongs to a service by its paths."""
    return not service.paths or any(path.startswith(service.paths) for path in entry.paths)


class EnvironmentLedger:
    """The pending list of one (service, environment)."""

    def __init__(
        self,
        service: ServicePlan,
        environment: str,
        environment_class: EnvironmentClass,
        entries: Sequence[LineEntry],
    ) -> None:
        self._service = service
        self._environment = environment
        self._class = environment_class
        self._pending = [
            (position, entry.change_key)
            for position, entry in enumerate(entries)
            if touches(entry, service)
        ]
        self._entries = entries
        self._shipped_keys: set[str] = set()
        self._live_key: str | None = None
        self.shipped_position: float = -1.0
        self.live_position: float = -1.0
        self.live_sha: str | None = None
        self.deployments: list[DeploymentOutcome] = []
        self.changes: list[ChangeOutcome] = []

    def record(self, arrival: Arrival) -> DeploymentOutcome:
        """Enters one deployment and ships what it carries for the first time."""
        kind = self._kind(arrival)
        outcome = DeploymentOutcome(
            deployment_key=arrival.key,
            attempt_ids=arrival.attempt_ids,
            service_id=self._service.id,
            repository_id=self._service.repository.id,
            environment=self._environment,
            environment_class=self._class,
            origin=self._service.origin,
            sha=arrival.sha,
            tag=arrival.tag,
            kind=kind,
            outcome=arrival.outcome,
            started_at=as_datetime(arrival.started),
            live_at=None if arrival.live is None else as_datetime(arrival.live),
            is_baseline=arrival.live is not None and self.live_sha is None,
            failed_key=self._live_key if kind == "rollback" else None,
        )
        self.deployments.append(outcome)
        if arrival.live is not None:
            self._ship(arrival, outcome)
            if kind != "redeploy" and not arrival.is_overtaken:
                self._live_key = arrival.key
        return outcome

    def close(self) -> None:
        """Enters what never went live as pending."""
        for _, key in self._pending:
            if key not in self._shipped_keys:
                self.changes.append(self._change(key, None))

    def _kind(self, arrival: Arrival) -> Kind:
        own: Kind = "hotfix" if arrival.is_hotfix else "normal"
        if self.live_sha is None:
            return own
        if not arrival.is_overtaken:
            if arrival.sha == self.live_sha:
                return "redeploy"
            if arrival.position < self.live_position and not arrival.extra_keys:
                return "rollback"
        return "config" if own == "normal" and self._is_config(arrival) else own

    def _is_config(self, arrival: Arrival) -> bool:
        """Whether all that it carries for the first time is configuration."""
        if arrival.live is None or arrival.extra_keys:
            return False
        brought = [
            self._entries[position].paths
            for position, key in takewhile(lambda step: step[0] <= arrival.position, self._pending)
            if key not in self._shipped_keys
        ]
        return bool(brought) and all(
            path.startswith(CONFIG_PATH) for paths in brought for path in paths
        )

    def _ship(self, arrival: Arrival, outcome: DeploymentOutcome) -> None:
        while self._pending and self._pending[0][0] <= arrival.position:
            _, key = self._pending.pop(0)
            if key not in self._shipped_keys:
                self._shipped_keys.add(key)
                self.changes.append(self._change(key, outcome))
        for key in arrival.extra_keys:
            self._shipped_keys.add(key)
            change = self._change(key, outcome)
            self.changes.append(replace(change, is_before_merge=arrival.is_before_merge))
        if not arrival.is_overtaken:
            self.live_sha, self.live_position = arrival.sha, arrival.position
        self.shipped_position = max(self.shipped_position, arrival.position)

    def _change(self, key: str, outcome: DeploymentOutcome | None) -> ChangeOutcome:
        return ChangeOutcome(
            change_key=key,
            repository_id=self._service.repository.id,
            service_id=self._service.id,
            environment=self._environment,
            relation="pending"
            if outcome is None
            else ("baseline" if outcome.is_baseline else "shipped"),
            deployment_key=None if outcome is None else outcome.deployment_key,
            live_at=None if outcome is None else outcome.live_at,
            folded_into=None,
            is_before_merge=False,
        )
