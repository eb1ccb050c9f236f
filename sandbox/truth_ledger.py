"""The ledger's deployments and changes laid out by place, for the definitions to be applied to."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from sandbox.forge import ChangeRequest
from sandbox.generate_special_changes import ADOPTION_LABEL
from sandbox.organisation import Organisation
from sandbox.outcomes import ChangeOutcome, DeploymentOutcome
from sandbox.ticketing import Ticket

HOTFIX = re.compile(r"(?i)(^|[/_.-])hotfix([/_.-]|$)")

# A deployment in one environment; a tag's key is the same in all of them.
Place = tuple[str, str]


def place_of(one: DeploymentOutcome) -> Place:
    """Key and environment."""
    return one.deployment_key, one.environment


@dataclass(frozen=True)
class LiveLedger:
    """Production deployments that went live, what each shipped, and what changes say."""

    organisation: Organisation

    @cached_property
    def deployments(self) -> tuple[DeploymentOutcome, ...]:
        """All deployments, kinds with hotfixes that only their changes tell."""
        return tuple(
            replace(one, kind="hotfix")
            if one.kind in {"normal", "config"} and self._brings_hotfix(one)
            else one
            for one in self.organisation.deployment_outcomes
        )

    @cached_property
    def counted(self) -> Mapping[int, list[DeploymentOutcome]]:
        """By service: live in production and no redeploy, in the order they went live."""
        found: dict[int, list[DeploymentOutcome]] = defaultdict(list)
        for one in self.deployments:
            is_live = one.environment_class == "production" and one.live_at is not None
            if is_live and one.kind != "redeploy":
                found[one.service_id].append(one)
        for deployments in found.values():
            deployments.sort(key=lambda one: (live_at(one), one.started_at, one.deployment_key))
        return found

    @cached_property
    def shipped(self) -> Mapping[Place, list[ChangeOutcome]]:
        """What each deployment shipped; a baseline ships nothing."""
        found: dict[Place, list[ChangeOutcome]] = defaultdict(list)
        for change in self.organisation.change_outcomes:
            if change.relation == "shipped":
                found[change.deployment_key or "", change.environment or ""].append(change)
        return found

    @cached_property
    def requests(self) -> Mapping[str, ChangeRequest]:
        """Change requests by change key."""
        return {
            f"request:{request.id}": request
            for repository in self.organisation.repositories
            for request in repository.change_requests
        }

    @cached_property
    def tickets(self) -> Mapping[str, Ticket]:
        """Tickets by key."""
        return {ticket.key: ticket for ticket in self.organisation.ticket_site.tickets}

    def before(self, one: DeploymentOutcome) -> DeploymentOutcome | None:
        """The deployment that was live when this one started, redeploys folded into theirs."""
        earlier = [
            other
            for other in self.counted[one.service_id]
            if other.environment == one.environment
            and other is not one
            and live_at(other) <= one.started_at
        ]
        return max(earlier, key=lambda other: (other.started_at, live_at(other)), default=None)

    def is_bot(self, change_key: str) -> bool:
        """Whether a bot made the change."""
        request = self.requests.get(change_key)
        if request is not None:
            return request.author_account_id in self._bots
        sha = change_key.rpartition(":")[2]
        return self.organisation.commit_by_sha[sha].author_account_id in self._bots

    def is_excluded(self, change_key: str) -> bool:
        """Whether the settings leave the change out of every number."""
        request = self.requests.get(change_key)
        return request is not None and ADOPTION_LABEL in request.labels

    @cached_property
    def _bots(self) -> frozenset[int]:
        return frozenset(account.id for account in self.organisation.accounts if account.is_bot)

    def _brings_hotfix(self, one: DeploymentOutcome) -> bool:
        """Whether all that people changed says hotfix: what goes with other work was no hurry."""
        keys = [change.change_key for change in self.shipped.get(place_of(one), ())]
        keys = [key for key in keys if not self.is_bot(key) and not self.is_excluded(key)]
        return bool(keys) and all(
            key in self.requests and _says_hotfix(self.requests[key]) for key in keys
        )


def live_at(one: DeploymentOutcome) -> datetime:
    """When a deployment that went live did so."""
    if one.live_at is None:
        raise ValueError(f"deployment {one.deployment_key} never went live")
    return one.live_at


def _says_hotfix(request: ChangeRequest) -> bool:
    return any(HOTFIX.search(word) for word in (request.head_branch, *request.labels))
