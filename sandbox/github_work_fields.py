"""How GitHub's GraphQL fields are answered: pull requests, issues, deployments and releases."""

from datetime import datetime
from typing import Any

from sandbox.forge import ChangeRequest, Deployment, Issue, Release, TimelineEvent
from sandbox.github_connections import connect
from sandbox.github_fields import connection_fields
from sandbox.github_identity import node_id, stamp, stamp_or_none
from sandbox.github_query import Resolver
from sandbox.github_repository_fields import latest_release, short_ref
from sandbox.github_sources import (
    Arguments,
    CommitIn,
    EventOf,
    LabelIn,
    RefIn,
    RequestCommit,
    ReviewOf,
    StatusOf,
    View,
    commit_in,
)

_EVENT_KINDS = {
    "ready_for_review": "ReadyForReviewEvent",
    "convert_to_draft": "ConvertToDraftEvent",
    "closed": "ClosedEvent",
    "reopened": "ReopenedEvent",
}
_EVENT_ITEM_TYPES = {
    "READY_FOR_REVIEW_EVENT": "ReadyForReviewEvent",
    "CONVERT_TO_DRAFT_EVENT": "ConvertToDraftEvent",
    "CLOSED_EVENT": "ClosedEvent",
    "REOPENED_EVENT": "ReopenedEvent",
    "MERGED_EVENT": "MergedEvent",
}
_DEPLOYMENT_STATES = {"success": "ACTIVE", None: "PENDING"}  # all others keep their name


def _timeline(view: View, change: ChangeRequest, arguments: Arguments) -> Any:
    events = [_event(event) for event in change.events]
    if change.merged_at is not None:
        merge = commit_in(view, change.repository_id, change.merge_sha)
        merger = change.merged_by_account_id
        events.append(EventOf("MergedEvent", change.id, merger, change.merged_at, merge))
    return _chosen(events, arguments, change.updated_at)


def _issue_timeline(_: View, issue: Issue, arguments: Arguments) -> Any:
    """An issue here is closed once or never, by whom is not known."""
    at = issue.closed_at
    closed = [] if at is None else [EventOf("ClosedEvent", issue.id, None, at, None)]
    return _chosen(closed, arguments, issue.updated_at)


def _chosen(events: list[EventOf], arguments: Arguments, updated_at: datetime) -> Any:
    if arguments.get("itemTypes"):
        kinds = {_EVENT_ITEM_TYPES.get(one) for one in arguments["itemTypes"]}
        events = [event for event in events if event.kind in kinds]
    if arguments.get("since"):
        start = datetime.fromisoformat(arguments["since"])
        events = [event for event in events if event.at >= start]
    events.sort(key=lambda event: event.at)
    return connect(events, arguments, updated_at=updated_at)


def _event(event: TimelineEvent) -> EventOf:
    return EventOf(_EVENT_KINDS[event.kind], event.id, event.actor_account_id, event.at, None)


def _reviews(_: View, change: ChangeRequest, arguments: Arguments) -> Any:
    states = arguments.get("states")
    found = [
        ReviewOf(change, review)
        for review in change.reviews
        if not states or review.state in states
    ]
    return connect(found, arguments)


def _request_commits(view: View, change: ChangeRequest, arguments: Arguments) -> Any:
    page = connect(change.commit_shas, arguments)
    page.items = [RequestCommit(change, view.world.commit(sha)) for sha in page.items]
    return page


def _labels(_: View, thing: Any, arguments: Arguments) -> Any:
    return connect([LabelIn(thing.repository_id, name) for name in thing.labels], arguments)


def _assignees(view: View, thing: Any, arguments: Arguments) -> Any:
    return connect([view.world.account(one) for one in thing.assignee_account_ids], arguments)


def _statuses(_: View, deployment: Deployment, arguments: Arguments) -> Any:
    newest_first = [StatusOf(deployment, status) for status in reversed(deployment.statuses)]
    return connect(newest_first, arguments)


def _latest_status(_: View, deployment: Deployment, _a: Arguments) -> StatusOf | None:
    return StatusOf(deployment, deployment.statuses[-1]) if deployment.statuses else None


def _deployment_state(_: View, deployment: Deployment, _a: Arguments) -> str:
    state = deployment.statuses[-1].state if deployment.statuses else None
    return _DEPLOYMENT_STATES.get(state) or str(state).upper()


def _head_ref(view: View, change: ChangeRequest, _: Arguments) -> RefIn | None:
    if change.is_head_deleted:
        return None
    return short_ref(view, change.repository_id, f"refs/heads/{change.head_branch}")


def _event_fields(kind: str) -> dict[str, Resolver]:
    return {
        f"{kind}.id": lambda _, event, _a: node_id(kind, event.id),
        f"{kind}.actor": lambda v, event, _a: v.world.account(event.actor_account_id),
        f"{kind}.createdAt": lambda _, event, _a: stamp(event.at),
        f"{kind}.commit": lambda _, event, _a: event.commit,
    }


def _is_latest(view: View, release: Release, _: Arguments) -> bool:
    latest = latest_release(view, release.repository_id)
    return latest is not None and latest.id == release.id


def _issue_fields(kind: str, prefix: str, page: str) -> dict[str, Resolver]:
    """What issues and pull requests have in common."""
    return {
        f"{kind}.id": lambda _, one, _a: node_id(prefix, one.id),
        f"{kind}.databaseId": lambda _, one, _a: one.id,
        f"{kind}.fullDatabaseId": lambda _, one, _a: str(one.id),
        f"{kind}.number": lambda _, one, _a: one.number,
        f"{kind}.title": lambda _, one, _a: one.title,
        f"{kind}.body": lambda _, one, _a: one.body,
        f"{kind}.url": lambda v, one, _a: v.page(one.repository_id, f"{page}/{one.number}"),
        f"{kind}.state": lambda _, one, _a: one.state.upper(),
        f"{kind}.createdAt": lambda _, one, _a: stamp(one.created_at),
        f"{kind}.updatedAt": lambda _, one, _a: stamp(one.updated_at),
        f"{kind}.closedAt": lambda _, one, _a: stamp_or_none(one.closed_at),
        f"{kind}.closed": lambda _, one, _a: one.state != "open",
        f"{kind}.locked": lambda _, _s, _a: False,
        f"{kind}.author": lambda v, one, _a: v.world.account(one.author_account_id),
        f"{kind}.labels": _labels,
        f"{kind}.assignees": _assignees,
        f"{kind}.repository": lambda v, one, _a: v.world.repository(one.repository_id),
    }


def _review_fields() -> dict[str, Resolver]:
    kind = "PullRequestReview"
    return {
        f"{kind}.id": lambda _, one, _a: node_id("PRR", one.review.id),
        f"{kind}.databaseId": lambda _, one, _a: one.review.id,
        f"{kind}.fullDatabaseId": lambda _, one, _a: str(one.review.id),
        f"{kind}.author": lambda v, one, _a: v.world.account(one.review.author_account_id),
        f"{kind}.state": lambda _, one, _a: one.review.state,
        f"{kind}.body": lambda _, one, _a: one.review.body,
        f"{kind}.submittedAt": lambda _, one, _a: stamp(one.review.submitted_at),
        f"{kind}.createdAt": lambda _, one, _a: stamp(one.review.submitted_at),
        f"{kind}.updatedAt": lambda _, one, _a: stamp(one.review.submitted_at),
        f"{kind}.url": lambda v, one, _a: v.page(
            one.change.repository_id,
            f"pull/{one.change.number}#pullrequestreview-{one.review.id}",
        ),
        f"{kind}.commit": lambda v, one, _a: commit_in(
            v, one.change.repository_id, one.review.commit_sha
        ),
    }


def _deployment_fields() -> dict[str, Resolver]:
    return {
        "Deployment.id": lambda _, one, _a: node_id("DE", one.id),
        "Deployment.databaseId": lambda _, one, _a: one.id,
        "Deployment.environment": lambda _, one, _a: one.environment,
        "Deployment.originalEnvironment": lambda _, one, _a: one.environment,
        "Deployment.latestEnvironment": lambda _, one, _a: one.environment,
        "Deployment.commitOid": lambda _, one, _a: one.sha,
        "Deployment.commit": lambda v, one, _a: commit_in(v, one.repository_id, one.sha),
        "Deployment.createdAt": lambda _, one, _a: stamp(one.created_at),
        "Deployment.updatedAt": lambda _, one, _a: stamp(one.updated_at),
        "Deployment.state": _deployment_state,
        "Deployment.task": lambda _, one, _a: one.task,
        "Deployment.ref": lambda v, one, _a: short_ref(v, one.repository_id, one.ref),
        "Deployment.creator": lambda v, one, _a: v.world.account(one.creator_account_id),
        "Deployment.payload": lambda _, _s, _a: "{}",
        "Deployment.description": lambda _, one, _a: one.description or None,
        "Deployment.latestStatus": _latest_status,
        "Deployment.statuses": _statuses,
        "Deployment.repository": lambda v, one, _a: v.world.repository(one.repository_id),
        "DeploymentStatus.id": lambda _, one, _a: node_id("DES", one.status.id),
        "DeploymentStatus.state": lambda _, one, _a: one.status.state.upper(),
        "DeploymentStatus.createdAt": lambda _, one, _a: stamp(one.status.created_at),
        "DeploymentStatus.updatedAt": lambda _, one, _a: stamp(one.status.created_at),
        "DeploymentStatus.environment": lambda _, one, _a: one.deployment.environment,
        "DeploymentStatus.description": lambda _, one, _a: one.status.description,
        "DeploymentStatus.logUrl": lambda v, one, _a: v.page(
            one.deployment.repository_id, f"actions/runs/{one.deployment.run_id or 0}"
        ),
        "DeploymentStatus.environmentUrl": lambda _, _s, _a: None,
        "DeploymentStatus.creator": lambda v, one, _a: v.world.account(
            one.status.creator_account_id
        ),
    }


def _release_fields() -> dict[str, Resolver]:
    return {
        "Release.id": lambda _, one, _a: node_id("RE", one.id),
        "Release.databaseId": lambda _, one, _a: one.id,
        "Release.name": lambda _, one, _a: one.name,
        "Release.tagName": lambda _, one, _a: one.tag,
        "Release.tag": lambda v, one, _a: short_ref(v, one.repository_id, f"refs/tags/{one.tag}"),
        "Release.tagCommit": lambda v, one, _a: commit_in(v, one.repository_id, one.sha),
        "Release.isPrerelease": lambda _, one, _a: one.is_prerelease,
        "Release.isDraft": lambda _, one, _a: one.is_draft,
        "Release.isLatest": _is_latest,
        "Release.createdAt": lambda _, one, _a: stamp(one.created_at),
        "Release.publishedAt": lambda _, one, _a: stamp(one.published_at),
        "Release.updatedAt": lambda _, one, _a: stamp(one.published_at),
        "Release.author": lambda v, one, _a: v.world.account(one.author_account_id),
        "Release.url": lambda v, one, _a: v.page(one.repository_id, f"releases/tag/{one.tag}"),
        "Release.description": lambda _, one, _a: one.body,
    }


def work_fields() -> dict[str, Resolver]:
    """Resolvers of pull requests, issues, deployments and releases, by "Type.field"."""
    fields: dict[str, Resolver] = {
        **_issue_fields("PullRequest", "PR", "pull"),
        **_issue_fields("Issue", "I", "issues"),
        "PullRequest.isDraft": lambda _, one, _a: one.is_draft,
        "PullRequest.mergedAt": lambda _, one, _a: stamp_or_none(one.merged_at),
        "PullRequest.merged": lambda _, one, _a: one.merged_at is not None,
        "PullRequest.mergedBy": lambda v, one, _a: v.world.account(one.merged_by_account_id),
        "PullRequest.authorAssociation": lambda _, _s, _a: "MEMBER",
        "PullRequest.baseRefName": lambda _, one, _a: one.base_branch,
        "PullRequest.baseRefOid": lambda _, one, _a: one.base_sha,
        "PullRequest.headRefName": lambda _, one, _a: one.head_branch,
        "PullRequest.headRefOid": lambda _, one, _a: one.head_sha,
        "PullRequest.headRef": _head_ref,
        "PullRequest.mergeCommit": lambda v, one, _a: commit_in(
            v, one.repository_id, one.merge_sha
        ),
        "PullRequest.additions": lambda _, one, _a: one.additions,
        "PullRequest.deletions": lambda _, one, _a: one.deletions,
        "PullRequest.changedFiles": lambda _, one, _a: one.changed_files,
        "PullRequest.reviews": _reviews,
        "PullRequest.commits": _request_commits,
        "PullRequest.timelineItems": _timeline,
        "PullRequestCommit.id": lambda _, one, _a: node_id(
            "PURC", f"{one.change.id}:{one.commit.sha}"
        ),
        "PullRequestCommit.url": lambda v, one, _a: v.page(
            one.change.repository_id, f"pull/{one.change.number}/commits/{one.commit.sha}"
        ),
        "PullRequestCommit.commit": lambda _, one, _a: CommitIn(
            one.change.repository_id, one.commit
        ),
        "PullRequestCommit.pullRequest": lambda _, one, _a: one.change,
        "Issue.timelineItems": _issue_timeline,
        "Issue.stateReason": lambda _, one, _a: "COMPLETED" if one.closed_at else None,
        "Label.id": lambda _, label, _a: node_id("LA", f"{label.repository_id}:{label.name}"),
        "Label.name": lambda _, label, _a: label.name,
        "Label.color": lambda _, _s, _a: "ededed",
        "Label.description": lambda _, _s, _a: None,
        "Label.isDefault": lambda _, _s, _a: False,
        **_review_fields(),
        **_deployment_fields(),
        **_release_fields(),
    }
    for kind in _EVENT_ITEM_TYPES.values():
        fields |= _event_fields(kind)
    for kind in ("PullRequestTimelineItemsConnection", "IssueTimelineItemsConnection"):
        fields[f"{kind}.filteredCount"] = lambda _, source, _a: source.total
        fields[f"{kind}.updatedAt"] = lambda _, source, _a: stamp(source.extra["updated_at"])
    for kind in (
        "PullRequest",
        "Issue",
        "Label",
        "PullRequestReview",
        "PullRequestCommit",
        "PullRequestTimelineItems",
        "IssueTimelineItems",
        "Deployment",
        "DeploymentStatus",
        "Release",
    ):
        fields |= connection_fields(kind)
    return fields
