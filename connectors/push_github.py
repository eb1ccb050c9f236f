"""Webhooks of GitHub: deliveries become the records that a pull would give."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from connectors.clone_url import repository_key
from connectors.connector import Line, Parsed
from connectors.github_names import DEPLOYMENT_STATES, REVIEW_STATES, account_id
from connectors.github_rest_mapping import deployment, issue, job, pulls, release, run
from connectors.github_rest_wire import (
    DeploymentWire,
    IssueWire,
    JobWire,
    PullRequestWire,
    ReleaseWire,
    ReviewWire,
    RunWire,
    StatusWire,
)
from connectors.push_webhooks import Delivery, WebhookStream, at, latest, signed_by
from connectors.reading import Reader, Wire
from connectors.records import (
    ChangeRequest,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    Record,
    Release,
    Review,
    Ticket,
)

_NO_MATCH = next(re.finditer("", ""))  # what readers of addresses look at, and these do not


class PlaceWire(Wire):
    """The repository an event happened in."""

    html_url: str
    full_name: str


class EventWire(Wire):
    """What every event says."""

    repository: PlaceWire


class PullRequestEvent(EventWire):
    """Something happened to a pull request."""

    pull_request: PullRequestWire


class ReviewedWire(Wire):
    """The pull request of a review."""

    id: int


class ReviewEvent(EventWire):
    """A review was submitted, edited or dismissed."""

    review: ReviewWire
    pull_request: ReviewedWire


class DeploymentEvent(EventWire):
    """A deployment was created."""

    deployment: DeploymentWire


class StatusEvent(DeploymentEvent):
    """A deployment reached a state."""

    deployment_status: StatusWire


class RunEvent(EventWire):
    """A run of a workflow was asked for, began or ended."""

    workflow_run: RunWire


class JobEvent(EventWire):
    """A job of a run was queued, began or ended."""

    workflow_job: JobWire


class ReleaseEvent(EventWire):
    """A release was published, edited or deleted."""

    release: ReleaseWire


class IssueEvent(EventWire):
    """Something happened to an issue."""

    issue: IssueWire


def _add_review(parsed: Parsed, line: Line, event: ReviewEvent) -> None:
    wire, key = event.review, f"{line.connection}:pull:{event.pull_request.id}"
    reviewer = wire.user
    parsed.part(Review, key)
    parsed.add(
        Review(
            review_id=f"{line.connection}:review:{wire.id}",
            change_request_id=key,
            reviewer=account_id(line.connection, reviewer.login, reviewer.type)
            if reviewer is not None and reviewer.login
            else None,
            state=REVIEW_STATES.get(wire.state.upper(), wire.state.lower()),
            submitted_at=wire.submitted_at,
        )
    )


def _add_status(parsed: Parsed, line: Line, event: StatusEvent) -> None:
    deployment(parsed, line, [event.deployment], _NO_MATCH)
    wire, key = event.deployment_status, f"{line.connection}:deployment:{event.deployment.id}"
    parsed.part(DeploymentStatus, key)
    parsed.add(
        DeploymentStatus(
            attempt_id=key,
            status_id=wire.node_id or str(wire.id),
            state=DEPLOYMENT_STATES.get(wire.state.upper(), wire.state.lower()),
            at=wire.created_at,
        )
    )


def _add_release(parsed: Parsed, line: Line, event: ReleaseEvent) -> None:
    if _is_gone(line):
        parsed.delete(Release, f"{line.connection}:release:{event.release.id}")
    else:
        release(parsed, line, [event.release], _NO_MATCH)


def _add_issue(parsed: Parsed, line: Line, event: IssueEvent) -> None:
    if _is_gone(line):
        parsed.delete(Ticket, f"{line.connection}:issue:{event.issue.id}")
    else:
        issue(parsed, line, [event.issue], _NO_MATCH)


def _is_gone(line: Line) -> bool:
    return line.attributes.get("event", "").partition(".")[2] in _GONE


@dataclass(frozen=True)
class Event:
    """How an event is read, what it adds, and where in it the times of its source stand."""

    reader: Reader[Any]
    add: Callable[[Parsed, Line, Any], None]
    times: tuple[tuple[str, str], ...]


def _event(
    wire: type[EventWire],
    record_type: type[Record],
    add: Callable[[Parsed, Line, Any], None],
    *times: tuple[str, str],
) -> Event:
    return Event(Reader(wire, None, record_type), add, times)


# A thing that is deleted, or moved to where it has another id; drafts of releases come and go.
_GONE = frozenset({"deleted", "transferred", "unpublished"})
# What comes later, where two events are of one second.
_RANKS = {"in_progress": 1, "closed": 2, "completed": 2, "dismissed": 2}
_EVENTS: dict[str, Event] = {
    "pull_request": _event(
        PullRequestEvent,
        ChangeRequest,
        lambda parsed, line, event: pulls(parsed, line, [event.pull_request], _NO_MATCH),
        ("pull_request", "updated_at"),
    ),
    "pull_request_review": _event(
        ReviewEvent,
        Review,
        _add_review,
        ("review", "submitted_at"),
        ("review", "updated_at"),
        ("pull_request", "updated_at"),
    ),
    "deployment": _event(
        DeploymentEvent,
        DeploymentAttempt,
        lambda parsed, line, event: deployment(parsed, line, [event.deployment], _NO_MATCH),
        ("deployment", "updated_at"),
    ),
    "deployment_status": _event(
        StatusEvent,
        DeploymentStatus,
        _add_status,
        ("deployment_status", "created_at"),
        ("deployment_status", "updated_at"),
        ("deployment", "updated_at"),
    ),
    "workflow_run": _event(
        RunEvent,
        PipelineRun,
        lambda parsed, line, event: run(parsed, line, [event.workflow_run], _NO_MATCH),
        ("workflow_run", "updated_at"),
    ),
    "workflow_job": _event(
        JobEvent,
        PipelineJob,
        lambda parsed, line, event: job(parsed, line, [event.workflow_job], _NO_MATCH),
        ("workflow_job", "created_at"),
        ("workflow_job", "started_at"),
        ("workflow_job", "completed_at"),
    ),
    "release": _event(
        ReleaseEvent,
        Release,
        _add_release,
        ("release", "created_at"),
        ("release", "published_at"),
        ("release", "updated_at"),
    ),
    "issues": _event(IssueEvent, Ticket, _add_issue, ("issue", "updated_at")),
}


class GithubWebhooks(WebhookStream):
    """Deliveries of GitHub: pull requests, reviews, deployments, runs, releases, issues."""

    name = "github_webhooks"
    vendor = "github"
    proof = "X-Hub-Signature-256, made with the secret of the webhook"
    record_types: ClassVar[tuple[type[Record], ...]] = (
        ChangeRequest,
        Review,
        DeploymentAttempt,
        DeploymentStatus,
        PipelineRun,
        PipelineJob,
        Release,
        Ticket,
    )

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
        """HMAC-SHA256 of the body, in hexadecimal after `sha256=`."""
        given = headers.get("x-hub-signature-256", "")
        return signed_by(given.removeprefix("sha256="), body, secrets)

    def delivery(self, headers: Mapping[str, str], value: Any) -> Delivery:
        """The event with its action; a deletion is said when it arrives."""
        kind, action = headers.get("x-github-event", ""), at(value, "action")
        name = f"{kind}.{action}" if isinstance(action, str) else kind
        said_at = None
        if kind in _EVENTS and action not in _GONE:
            said_at = latest(at(value, *path) for path in _EVENTS[kind].times)
        rank = _RANKS.get(str(action), 0)
        return Delivery(name, headers.get("x-github-delivery"), said_at, rank)

    def uses(self, delivery: Delivery) -> bool:
        """Events that say something of a record."""
        return delivery.event.partition(".")[0] in _EVENTS

    def repository_of(self, value: Any) -> str | None:
        """The full name of the repository."""
        name = at(value, "repository", "full_name")
        return name if isinstance(name, str) else None

    def parse_delivery(self, line: Line) -> Parsed:
        """What the event adds; where it happened stands in the body."""
        parsed = Parsed()
        event = _EVENTS.get(line.attributes.get("event", "").partition(".")[0])
        if event is None:
            return parsed
        for wire in event.reader.read(line, parsed):
            place = wire.repository
            attributes = {
                **line.attributes,
                "repository_key": repository_key(place.html_url),
                "full_name": place.full_name,
            }
            event.add(parsed, replace(line, attributes=attributes), wire)
        return parsed
