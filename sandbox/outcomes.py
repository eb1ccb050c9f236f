"""What came of every deployment and change, known because the simulation made it so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.forge import EnvironmentClass
from sandbox.staff import DeploymentOrigin

# What an incident's ticket names: a commit that was deployed or merged, a release, less, nothing.
Naming = Literal["commit", "change", "release", "service", "team", "nothing"]
Relation = Literal["shipped", "baseline", "pending", "stacked", "backport", "promotion", "unowned"]


@dataclass(frozen=True, slots=True)
class DeploymentOutcome:
    """What one deployment came to, attempts folded; known because the simulation made it so."""

    # Id of the first attempt; "<repository id>:<tag>" for tags and releases, "merge:<request id>".
    deployment_key: str
    attempt_ids: tuple[int, ...]
    service_id: int
    repository_id: int
    environment: str
    environment_class: EnvironmentClass
    origin: DeploymentOrigin
    sha: str
    tag: str | None
    kind: Literal["normal", "hotfix", "config", "rollback", "redeploy"]
    outcome: Literal["succeeded", "failed_before_live", "failed_after_live", "running"]
    started_at: datetime
    live_at: datetime | None
    is_baseline: bool
    failed_key: str | None  # of a rollback: the deployment it took back


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """Which deployment brought one merged change to one environment of one service.

    Relations: `shipped`; `baseline` (cold start); `pending` (not live there, also where the service
    has no such environment, then `environment` is None); `stacked` and `backport` (folded into the
    change `folded_into`); `promotion` (not a change); `unowned` (touches no service).
    """

    change_key: str  # "request:<id>" or "commit:<repository id>:<sha>"
    repository_id: int
    service_id: int | None
    environment: str | None
    relation: Relation
    deployment_key: str | None
    live_at: datetime | None
    folded_into: str | None
    is_before_merge: bool


@dataclass(frozen=True, slots=True)
class IncidentOutcome:
    """One incident: what its ticket tells, and what it really was."""

    ticket_key: str
    service_id: int
    naming: Naming
    named_key: str | None  # the deployment whose commit or release the ticket names
    cause_key: str | None  # the deployment that caused it; none: it broke by itself
    duplicate_of: str | None  # key of the ticket that told the same before
