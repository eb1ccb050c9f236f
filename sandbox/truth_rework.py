"""Which deployments were unplanned work, from what the ledger and the changes themselves say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.forge import ChangeRequest
from sandbox.outcomes import DeploymentOutcome
from sandbox.truth_ledger import LiveLedger, live_at, place_of

State = Literal["rework", "planned", "unknown"]

FIX_TYPES = frozenset({"Bug", "Incident", "Defect"})
FIX_LABELS = frozenset({"bug", "bugfix", "fix", "hotfix", "incident", "rework", "regression"})
FIX_BRANCH = re.compile(r"(?i)^(bugfix|fix|hotfix)[/_-]")
PLANNED_LABELS = frozenset({"feature", "enhancement", "documentation", "refactoring", "chore"})
PLANNED_BRANCH = re.compile(r"(?i)^(feature|feat|docs|chore|refactor)[/_-]")


@dataclass(frozen=True, slots=True)
class Rework:
    """One deployment of D and what kind of work it was."""

    deployment: DeploymentOutcome
    state: State
    contains_fix: bool


class ReworkTruth:
    """The state of every deployment that counts."""

    def __init__(self, ledger: LiveLedger) -> None:
        self._ledger = ledger
        organisation = ledger.organisation
        self._reverts = {key for key, _ in organisation.reverts}
        self._types = {
            kind.id: kind.name
            for project in organisation.ticket_site.projects
            for kind in project.ticket_types
        }

    def rows(self) -> Iterator[Rework]:
        """One row per deployment of D."""
        for deployments in self._ledger.counted.values():
            before: dict[str, DeploymentOutcome] = {}
            for one in deployments:
                yield self._of(one, before.get(one.environment))
                before[one.environment] = one

    def _of(self, one: DeploymentOutcome, before: DeploymentOutcome | None) -> Rework:
        fixes = signs = people = 0
        for change in self._ledger.shipped.get(place_of(one), ()):
            if self._ledger.is_excluded(change.change_key):
                continue
            request = self._ledger.requests.get(change.change_key)
            is_fix, has_sign = self._of_change(change.change_key, request, before)
            signs += has_sign
            if not self._ledger.is_bot(change.change_key):
                people += 1
                fixes += is_fix
        contains_fix = fixes > 0
        if one.kind in {"hotfix", "rollback"} or (people and fixes == people):
            return Rework(one, "rework", contains_fix)
        return Rework(one, "planned" if signs else "unknown", contains_fix)

    def _of_change(
        self, key: str, request: ChangeRequest | None, before: DeploymentOutcome | None
    ) -> tuple[bool, bool]:
        """Whether a change is a fix, and whether it says anything about itself at all."""
        if request is None:
            return False, False
        labels = {label.lower() for label in request.labels}
        branch = request.head_branch
        is_fix = bool(labels & FIX_LABELS or FIX_BRANCH.match(branch)) or key in self._reverts
        has_sign = is_fix or bool(labels & PLANNED_LABELS or PLANNED_BRANCH.match(branch))
        for name in request.ticket_keys:
            ticket = self._ledger.tickets[name]
            has_sign = True
            is_late = before is not None and ticket.created_at > live_at(before)
            is_fix = is_fix or (self._types[ticket.ticket_type_id] in FIX_TYPES and is_late)
        return is_fix, has_sign


def rework_rows(ledger: LiveLedger) -> Iterator[dict[str, Any]]:
    """States as columns."""
    for row in ReworkTruth(ledger).rows():
        yield {
            "deployment_key": row.deployment.deployment_key,
            "environment": row.deployment.environment,
            "service_id": row.deployment.service_id,
            "state": row.state,
            "contains_fix": row.contains_fix,
        }
