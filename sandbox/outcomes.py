"""What came of every deployment and change, known because the simulation made it so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.forge import EnvironmentClass
from sandbox.staff import DeploymentOrigin

Relation = Literal["shipped", "baseline", "pending", "stacked", "backport", "promotion", "unowned"]


@dataclass(frozen=True, slots=True)
class DeploymentOutcome:
    """What one deployment came to, attempts folded; known because the simulation made it so."""

    deployment_key: str  # id of the first attempt, or "owner-id:tag" for tags and releases
    attempt_ids: tuple[int, ...]
    service_id: int
    repository_id: int
    environment: str
    environment_class: EnvironmentClass
    origin: DeploymentOrigin
    sha: str
    tag: str | None
    kind: Literal["normal", "rollback", "redeploy"]
    outcome: Literal["succeeded", "failed_before_live", "failed_after_live", "running"]
    started_at: datetime
    live_at: datetime | None
    is_baseline: bool


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
