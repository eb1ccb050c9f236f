"""Webhooks of GitLab: merge requests, deployments and pipelines, under the ids that a pull gives.

Events say what happened, not how everything stands: when a merge request was merged stands in the
event of its merge alone, and when a deployment began in that of its begin.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BeforeValidator

from connectors.clone_url import repository_key
from connectors.connector import Line, Parsed
from connectors.gitlab_deployments import ENDS, EnvironmentWire, environment_name
from connectors.gitlab_merge_mapping import merge_request_id
from connectors.gitlab_names import account_id
from connectors.gitlab_pipelines import OVER, STATES
from connectors.push_webhooks import Delivery, WebhookStream, at, is_any, latest
from connectors.reading import Integer, Reader, Wire
from connectors.records import (
    ChangeRequest,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineRun,
    Record,
)
from connectors.titles import ticket_keys

_RUNNING = "running"
_DEPLOYED = {_RUNNING: _RUNNING, **ENDS}
_ZONE = re.compile(r" (UTC|[+-]\d\d:?\d\d)$")


def _written(value: object) -> object:
    """Times stand in three forms: ISO 8601, and `2026-03-02 08:00:00` with ` UTC` or ` +0100`."""
    if not isinstance(value, str):
        return value
    return _ZONE.sub(lambda found: "Z" if found[1] == "UTC" else found[1], value)


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]


class ProjectWire(Wire):
    """The project an event happened in."""

    web_url: str
    path_with_namespace: str | None = None


class EventWire(Wire):
    """What every event says."""

    project: ProjectWire


class LabelWire(Wire):
    """A label."""

    title: str | None = None


class CommitWire(Wire):
    """The newest commit of a merge request."""

    id: str | None = None


class MergeRequestWire(Wire):
    """A merge request as events write it."""

    id: int
    iid: Integer
    created_at: Moment
    updated_at: Moment | None = None
    title: str | None = None
    url: str | None = None
    state: str | None = None
    action: str | None = None
    draft: bool | None = None
    work_in_progress: bool | None = None
    author_id: int | None = None
    source_branch: str | None = None
    target_branch: str | None = None
    merge_commit_sha: str | None = None
    last_commit: CommitWire | None = None


class UserWire(Wire):
    """Who caused an event."""

    id: int | None = None


class MergeRequestEvent(EventWire):
    """Something happened to a merge request."""

    object_attributes: MergeRequestWire
    labels: list[LabelWire] | None = None
    user: UserWire | None = None


class DeploymentEvent(EventWire):
    """A deployment began or ended."""

    deployment_id: int
    status: str
    status_changed_at: Moment
    environment: str | None = None
    environment_tier: str | None = None
    commit_url: str | None = None
    short_sha: str | None = None
    ref: str | None = None
    deployable_url: str | None = None
    user: UserWire | None = None


class PipelineWire(Wire):
    """A pipeline as events write it."""

    id: int
    status: str
    name: str | None = None
    source: str | None = None
    ref: str | None = None
    sha: str | None = None
    url: str | None = None
    created_at: Moment | None = None
    finished_at: Moment | None = None


class PipelineEvent(EventWire):
    """A pipeline began or ended."""

    object_attributes: PipelineWire


def _add_merge_request(parsed: Parsed, line: Line, event: MergeRequestEvent) -> None:
    wire, user = event.object_attributes, event.user
    is_draft = bool(wire.draft or wire.work_in_progress)
    is_merged, is_closed = wire.action == "merge", wire.action in ("merge", "close")
    head = wire.last_commit.id if wire.last_commit is not None else None
    actor = _account(line, user.id if user is not None else None)
    parsed.add(
        ChangeRequest(
            change_request_id=merge_request_id(line, wire.id),
            repository_key=line.attributes["repository_key"],
            number=wire.iid,
            title=wire.title or "",
            url=wire.url,
            author=_account(line, wire.author_id),
            is_draft=is_draft,
            created_at=wire.created_at,
            ready_at=None if is_draft else wire.created_at,
            merged_at=wire.updated_at if is_merged else None,
            closed_at=wire.updated_at if is_closed else None,
            merged_by=actor if is_merged else None,
            base_branch=wire.target_branch,
            head_branch=wire.source_branch,
            head_sha=head,
            merge_sha=(wire.merge_commit_sha or head) if is_merged else None,
            labels=[label.title for label in event.labels or () if label.title],
            ticket_keys=ticket_keys(wire.title, wire.source_branch),
            source_updated_at=wire.updated_at,
        )
    )


def _add_deployment(parsed: Parsed, line: Line, event: DeploymentEvent) -> None:
    key = f"{line.connection}:deployment:{event.deployment_id}"
    state, commit = _DEPLOYED.get(event.status), (event.commit_url or "").rpartition("/")[2]
    if state is None:
        return
    place = EnvironmentWire(name=event.environment)
    if state == _RUNNING:
        parsed.add(
            DeploymentAttempt(
                attempt_id=key,
                repository_key=line.attributes["repository_key"],
                environment=environment_name(place, event.environment_tier),
                sha=commit if re.fullmatch(r"[0-9a-f]{40,64}", commit) else event.short_sha,
                ref=event.ref,
                created_at=event.status_changed_at,
                actor=_account(line, event.user.id if event.user is not None else None),
                url=event.deployable_url,
                source_updated_at=event.status_changed_at,
            )
        )
    parsed.part(DeploymentStatus, key)
    parsed.add(
        DeploymentStatus(
            attempt_id=key,
            status_id=state,
            state=state,
            at=event.status_changed_at,
            source_updated_at=event.status_changed_at,
        )
    )


def _add_pipeline(parsed: Parsed, line: Line, event: PipelineEvent) -> None:
    wire = event.object_attributes
    status = STATES.get(wire.status, "queued")
    parsed.add(
        PipelineRun(
            run_id=f"{line.connection}:pipeline:{wire.id}",
            repository_key=line.attributes["repository_key"],
            name=wire.name,
            event=wire.source,
            branch=wire.ref,
            sha=wire.sha,
            status=status,
            queued_at=wire.created_at,
            finished_at=wire.finished_at if status in OVER else None,
            url=wire.url,
            source_updated_at=line.requested_at,
        )
    )


def _account(line: Line, number: int | None) -> str | None:
    return account_id(line.connection, number) if number is not None else None


_READERS: dict[str, tuple[Reader[Any], Callable[[Parsed, Line, Any], None]]] = {
    "merge_request": (Reader(MergeRequestEvent, None, ChangeRequest), _add_merge_request),
    "deployment": (Reader(DeploymentEvent, None, DeploymentAttempt), _add_deployment),
    "pipeline": (Reader(PipelineEvent, None, PipelineRun), _add_pipeline),
}


class GitlabWebhooks(WebhookStream):
    """Deliveries of GitLab: merge requests, deployments, pipelines."""

    name = "gitlab_webhooks"
    vendor = "gitlab"
    proof = "X-Gitlab-Token, the secret token of the webhook"
    record_types: ClassVar[tuple[type[Record], ...]] = (
        ChangeRequest,
        DeploymentAttempt,
        DeploymentStatus,
        PipelineRun,
    )

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:  # noqa: ARG002
        """The secret itself."""
        return is_any(headers.get("x-gitlab-token", ""), secrets)

    def delivery(self, headers: Mapping[str, str], value: Any) -> Delivery:
        """The event with what it came to; events that follow from one another share an UUID."""
        kind, thing = str(at(value, "object_kind") or ""), at(value, "object_attributes")
        what, times = "", []
        if kind == "merge_request":
            # Merged and closed ones say when only in the event of it.
            what = str(at(thing, "action") or "")
            if at(thing, "state") not in (None, "opened") and what not in ("merge", "close"):
                what = f"{what} after its end"
            times = [at(thing, "updated_at")]
        elif kind == "deployment":
            what = str(at(value, "status"))
            times = [at(value, "status_changed_at")]
        elif kind == "pipeline":
            what = str(at(thing, "status"))
            times = [at(thing, "created_at"), at(thing, "finished_at")]
        is_over = what == "merge" or STATES.get(what) in OVER
        rank = 2 if is_over else 1 if what == _RUNNING else 0
        said_at: datetime | None = latest(_written(time) for time in times)
        event = f"{kind}.{what}" if what else kind
        return Delivery(event, headers.get("idempotency-key"), said_at, rank)

    def uses(self, delivery: Delivery) -> bool:
        """Events that say something of a record."""
        kind, _, what = delivery.event.partition(".")
        if kind == "deployment":
            return what in _DEPLOYED
        return kind in _READERS and not what.endswith(" after its end")

    def repository_of(self, value: Any) -> str | None:
        """The full path of the project."""
        name = at(value, "project", "path_with_namespace")
        return name if isinstance(name, str) else None

    def parse_delivery(self, line: Line) -> Parsed:
        """What the event adds; where it happened stands in the body."""
        parsed = Parsed()
        found = _READERS.get(line.attributes.get("event", "").partition(".")[0])
        if found is None:
            return parsed
        reader, add = found
        for wire in reader.read(line, parsed):
            key = repository_key(wire.project.web_url)
            attributes = {**line.attributes, "repository_key": key}
            add(parsed, replace(line, attributes=attributes), wire)
        return parsed
