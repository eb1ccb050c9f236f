"""Deployments of GitLab, and its releases.

GitLab makes a deployment with the pipeline, before anybody has started its job: what was never
begun is no attempt. It keeps the newest state alone; when that was reached its job tells.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.clones import settled_marker
from connectors.connector import Line, Page, Parsed, Pull, Scope, State
from connectors.failures import ForbiddenError, NotFoundError
from connectors.gitlab_lists import ProjectChild, TimedList, UserWire, actor
from connectors.gitlab_rest import Listed, listed
from connectors.reading import Reader, Wire
from connectors.records import DeploymentAttempt, DeploymentStatus, Record, Release
from connectors.snapshots import state_on_last

ENDS = {
    "success": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    # The job ran after a newer deployment and left the environment alone.
    "skipped": "cancelled",
}
_TOKENS = re.compile(r"[^\W_]+")
_PRODUCTION = {"prod", "production", "live"}
# GitLab has no mark for releases that come before the release: their tags say so.
_BEFORE_RELEASE = re.compile(
    r"\d[-.]?(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|canary)(?![a-z])", re.IGNORECASE
)


class EnvironmentWire(Wire):
    """Where to."""

    id: int | None = None
    name: str | None = None


class PipelineWire(Wire):
    """The pipeline of the job."""

    web_url: str | None = None


class DeployableWire(Wire):
    """The job that deploys; a deployment made by the API has none."""

    started_at: datetime | None = None
    finished_at: datetime | None = None
    web_url: str | None = None
    pipeline: PipelineWire | None = None


class DeploymentWire(Wire):
    """A deployment in its newest state."""

    id: int
    status: str
    created_at: datetime
    updated_at: datetime | None = None
    ref: str | None = None
    sha: str | None = None
    user: UserWire | None = None
    environment: EnvironmentWire | None = None
    deployable: DeployableWire | None = None


class CommitWire(Wire):
    """The commit of a tag."""

    id: str | None = None


class ReleaseWire(Wire):
    """A release; it has no number but its tag."""

    tag_name: str
    released_at: datetime | None = None
    upcoming_release: bool | None = None
    commit: CommitWire | None = None


_DEPLOYMENTS: Reader[DeploymentWire] = Reader(DeploymentWire, (), DeploymentAttempt)
_RELEASES: Reader[ReleaseWire] = Reader(ReleaseWire, (), Release)


class DeploymentsStream(TimedList):
    """Deployments with the state they reached, and the tiers of their environments."""

    name = "deployments"
    record_types: ClassVar[tuple[type[Record], ...]] = (DeploymentAttempt, DeploymentStatus)
    feature = "environments_access_level"
    # A job that deploys is part of a pipeline.
    probed = "pipelines"
    path = "deployments"

    def describing(self, pull: Pull, scope: Scope) -> Callable[[Listed], Mapping[str, str]]:
        """The tiers of the environments on a page; they are asked for once there is a page."""
        tiers: dict[int, str] = {}

        def describe(part: Listed) -> Mapping[str, str]:
            if not tiers:
                tiers.update(_tiers(pull, scope))
            there = {_number(item.get("environment")) for item in part.items}
            wanted = {str(one): tier for one, tier in sorted(tiers.items()) if one in there}
            return {"tiers": json.dumps(wanted)} if wanted else {}

        return describe

    def is_blind(self, item: Mapping[str, Any]) -> bool:
        """What the API made moves no pipeline."""
        return item.get("deployable") is None

    def parse(self, line: Line) -> Parsed:
        """Deployments that were begun."""
        parsed = Parsed()
        tiers: Mapping[str, str] = json.loads(line.attributes.get("tiers", "{}"))
        for wire in _DEPLOYMENTS.read(line, parsed):
            _add(parsed, line, wire, tiers)
        return parsed


class ReleasesStream(ProjectChild):
    """Releases."""

    name = "releases"
    record_types: ClassVar[tuple[type[Record], ...]] = (Release,)
    feature = "releases_access_level"
    probed = "releases"

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The whole list, where the probe or without one the list itself shows a change."""
        probe = scope.attributes.get("marker")
        if probe is not None and probe == state.marker:
            return
        asked_at = pull.now()
        pages = [part.page() for part in listed(pull.client, f"projects/{scope.id}/releases")]
        marker = settled_marker(scope, asked_at)
        if probe is None:
            marker = hashlib.sha256(b"".join(page.body for page in pages)).hexdigest()
            if marker == state.marker:
                return
        yield from state_on_last(pages, lambda: State(marker=marker))

    def parse(self, line: Line) -> Parsed:
        """Releases; one that is announced for later is not published yet."""
        parsed = Parsed()
        for wire in _RELEASES.read(line, parsed):
            parsed.add(
                Release(
                    release_id=f"{line.connection}:release:{line.scope}:{wire.tag_name}",
                    repository_key=line.attributes["repository_key"],
                    tag=wire.tag_name,
                    sha=wire.commit.id if wire.commit is not None else None,
                    is_prerelease=_BEFORE_RELEASE.search(wire.tag_name) is not None,
                    published_at=None if wire.upcoming_release else wire.released_at,
                )
            )
        return parsed


def _add(parsed: Parsed, line: Line, wire: DeploymentWire, tiers: Mapping[str, str]) -> None:
    job = wire.deployable
    if job is not None and job.started_at is None:
        return
    key = f"{line.connection}:deployment:{wire.id}"
    begun_at = (job.started_at if job is not None else None) or wire.created_at
    place = wire.environment
    pipeline = job.pipeline if job is not None else None
    parsed.add(
        DeploymentAttempt(
            attempt_id=key,
            repository_key=line.attributes["repository_key"],
            environment=None
            if place is None
            else environment_name(place, tiers.get(str(place.id))),
            sha=wire.sha,
            ref=wire.ref,
            created_at=begun_at,
            actor=actor(line, wire.user),
            url=(job.web_url if job is not None else None)
            or (pipeline.web_url if pipeline is not None else None),
            source_updated_at=wire.updated_at,
        )
    )
    states = [("running", begun_at)]
    end = ENDS.get(wire.status.lower())
    if end is not None:
        ended_at = (job.finished_at if job is not None else None) or wire.updated_at or begun_at
        states.append((end, ended_at))
    parsed.whole(DeploymentStatus, key, wire.updated_at)
    for state, at in states:
        parsed.add(
            DeploymentStatus(
                attempt_id=key,
                status_id=state,
                state=state,
                at=at,
                source_updated_at=wire.updated_at,
            )
        )


def environment_name(wire: EnvironmentWire, tier: str | None) -> str | None:
    """The environment's name, with its tier where the name alone would say something else."""
    if not wire.name or not tier:
        return wire.name
    looks_live = not _PRODUCTION.isdisjoint(_TOKENS.findall(wire.name.lower()))
    if tier == "production" and not looks_live:
        return f"{wire.name} (production)"
    if tier != "production" and looks_live:
        return f"{wire.name} ({tier}, not production)"
    return wire.name


def _tiers(pull: Pull, scope: Scope) -> dict[int, str]:
    """By number of the environment: its tier; none where environments may not be listed."""
    found: dict[int, str] = {}
    try:
        for part in listed(pull.client, f"projects/{scope.id}/environments"):
            for item in part.items:
                number, tier = _number(item), item.get("tier")
                if number is not None and isinstance(tier, str):
                    found[number] = tier
    except (ForbiddenError, NotFoundError):
        return {}
    return found


def _number(item: Any) -> int | None:
    number = item.get("id") if isinstance(item, dict) else None
    return number if isinstance(number, int) else None
