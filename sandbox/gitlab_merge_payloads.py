"""Merge requests as GitLab shows them, with the notes that tell what happened to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.forge import ChangeRequest, Commit
from sandbox.gitlab_protocol import stamp
from sandbox.gitlab_view import GitlabView

Body = dict[str, Any]

_OF_EVENTS = {
    "ready_for_review": "marked this merge request as **ready**",
    "convert_to_draft": "marked this merge request as **draft**",
    "closed": "closed",
    "reopened": "reopened",
}
_OF_REVIEWS = {
    "APPROVED": "approved this merge request",
    "CHANGES_REQUESTED": "requested changes",
}
_STATES = {"open": "opened", "closed": "closed", "merged": "merged"}


@dataclass(frozen=True)
class Note:
    """A comment, or a line of the system's own."""

    id: int
    account_id: int | None
    body: str
    is_system: bool
    at: datetime


def notes(change: ChangeRequest) -> list[Note]:
    """All notes of a merge request, oldest first."""
    found = [
        Note(event.id, event.actor_account_id, _OF_EVENTS[event.kind], True, event.at)
        for event in change.events
    ]
    for review in change.reviews:
        body = _OF_REVIEWS.get(review.state)
        found.append(
            Note(
                review.id,
                review.author_account_id,
                body or review.body or "See below.",
                body is not None,
                review.submitted_at,
            )
        )
    return sorted(found, key=lambda note: (note.at, note.id))


def commits(view: GitlabView, change: ChangeRequest) -> list[Commit]:
    """Its commits, newest first."""
    return [view.world.commit(sha) for sha in reversed(change.commit_shas)]


def title(commit: Commit) -> str:
    """The first line of a commit's message."""
    return commit.text.partition("\n")[0]


def merge_request_body(view: GitlabView, change: ChangeRequest) -> Body:
    """A merge request; only a merge by a commit of its own has a merge commit."""
    repository = view.world.organisation.repository_by_id[change.repository_id]
    is_merged = change.state == "merged"
    merger = view.user(change.merged_by_account_id) if is_merged else None
    # A merge by rebase has moved the source branch: its head is what the target got.
    head = change.merge_sha if change.merge_method == "rebase" else change.head_sha
    path = view.full_path(repository)
    return {
        "id": change.id,
        "iid": change.number,
        "project_id": change.repository_id,
        "title": change.title,
        "description": change.body,
        "state": _STATES[change.state],
        "created_at": stamp(change.created_at),
        "updated_at": stamp(change.updated_at),
        "merged_at": stamp(change.merged_at),
        "closed_at": stamp(change.closed_at) if change.state == "closed" else None,
        "merged_by": merger,
        "merge_user": merger,
        "target_branch": change.base_branch,
        "source_branch": change.head_branch,
        "author": view.user(change.author_account_id),
        "assignees": [view.user(one) for one in change.assignee_account_ids],
        "labels": list(change.labels),
        "draft": change.is_draft,
        "work_in_progress": change.is_draft,
        "sha": head,
        "merge_commit_sha": change.merge_sha if change.merge_method == "merge" else None,
        "squash_commit_sha": change.merge_sha if change.merge_method == "squash" else None,
        "squash": change.merge_method == "squash",
        "user_notes_count": sum(not note.is_system for note in notes(change)),
        "web_url": f"{view.origin}/{path}/-/merge_requests/{change.number}",
    }


def note_body(view: GitlabView, note: Note) -> Body:
    """A note."""
    return {
        "id": note.id,
        "type": None,
        "body": note.body,
        "author": view.user(note.account_id),
        "created_at": stamp(note.at),
        "updated_at": stamp(note.at),
        "system": note.is_system,
        "noteable_type": "MergeRequest",
    }


def commit_body(commit: Commit) -> Body:
    """A commit of a merge request; parents are left out there."""
    return {
        "id": commit.sha,
        "short_id": commit.sha[:8],
        "title": title(commit),
        "message": commit.text,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_date": stamp(commit.author.at),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
        "committed_date": stamp(commit.committer.at),
        "created_at": stamp(commit.committer.at),
        "parent_ids": [],
    }
