"""What the forge of the made-up organisation knows: Git history and everything around it.

Every thing carries a stable vendor-like number as its `id`. A missing account (`None`) is the
forge's null author: a deleted user. Times are aware UTC datetimes with whole seconds.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MergeMethod = Literal["merge", "squash", "rebase"]
DeploymentState = Literal["queued", "in_progress", "success", "failure", "error", "inactive"]
ReviewState = Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED"]
EventKind = Literal["ready_for_review", "convert_to_draft", "closed", "reopened"]
EnvironmentClass = Literal["production", "staging"]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who wrote or committed, and when, as Git stores it."""

    name: str
    email: str
    at: datetime
    offset_minutes: int  # zone of the machine, east of UTC


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file written by a commit, relative to its first parent."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """One Git commit; `message` is in the bytes of `encoding` (None: UTF-8)."""

    sha: str
    tree_sha: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: bytes
    encoding: str | None
    files: tuple[FileChange, ...]
    author_account_id: int | None
    committer_account_id: int | None

    @property
    def is_merge(self) -> bool:
        """Whether the commit joins two lines of history."""
        return len(self.parents) > 1

    @property
    def text(self) -> str:
        """The message as text."""
        return self.message.decode(self.encoding or "utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch and the commit at its tip."""

    name: str
    sha: str


@dataclass(frozen=True, slots=True)
class Tag:
    """One annotated tag; `sha` is the tagged commit."""

    name: str
    sha: str
    message: str
    tagger: Signature


@dataclass(frozen=True, slots=True)
class Review:
    """One submitted review of a change request."""

    id: int
    author_account_id: int | None
    state: ReviewState
    body: str
    submitted_at: datetime
    commit_sha: str
    comment_count: int  # inline comments


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event in the life of a change request."""

    id: int
    kind: EventKind
    actor_account_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """One pull request. `id` is the database number, `number` the one people say."""

    id: int
    repository_id: int
    number: int
    title: str
    body: str
    state: Literal["open", "closed", "merged"]
    is_draft: bool
    author_account_id: int | None
    head_branch: str
    head_sha: str
    is_head_deleted: bool  # the branch was removed after the merge
    base_branch: str
    base_sha: str
    merge_method: MergeMethod | None
    merge_sha: str | None
    merged_by_account_id: int | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    merged_at: datetime | None
    labels: tuple[str, ...]
    additions: int
    deletions: int
    changed_files: int
    commit_shas: tuple[str, ...]  # of the head branch, oldest first
    reviews: tuple[Review, ...]  # by time
    events: tuple[TimelineEvent, ...]  # by time
    assignee_account_ids: tuple[int, ...]
    ticket_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """One state a deployment went through."""

    id: int
    state: DeploymentState
    description: str
    creator_account_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment of the forge's API: a single attempt, never folded."""

    id: int
    repository_id: int
    service_id: int
    environment: str
    environment_class: EnvironmentClass
    sha: str
    ref: str
    task: str
    description: str
    creator_account_id: int | None
    run_id: int | None
    created_at: datetime
    updated_at: datetime  # of the newest status
    statuses: tuple[DeploymentStatus, ...]  # oldest first


@dataclass(frozen=True, slots=True)
class WorkflowJob:
    """One job of a workflow run."""

    id: int
    name: str
    status: Literal["queued", "in_progress", "completed"]
    conclusion: Literal["success", "failure", "cancelled", "skipped"] | None
    runner_labels: tuple[str, ...]
    runner_name: str
    created_at: datetime
    started_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of a CI workflow; a re-run raises `attempt` and keeps the id."""

    id: int
    repository_id: int
    workflow_id: int
    name: str
    path: str
    event: Literal["push", "pull_request", "workflow_dispatch", "schedule", "release"]
    head_branch: str
    head_sha: str
    number: int
    attempt: int
    status: Literal["queued", "in_progress", "completed"]
    conclusion: Literal["success", "failure", "cancelled", "skipped"] | None
    actor_account_id: int | None
    change_request_numbers: tuple[int, ...]
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    jobs: tuple[WorkflowJob, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """One release of the forge, on a tag of the same repository."""

    id: int
    repository_id: int
    tag: str
    sha: str
    name: str
    body: str
    is_prerelease: bool
    is_draft: bool
    target: str  # branch the tag was cut from
    author_account_id: int | None
    created_at: datetime
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of the forge; numbers are shared with change requests."""

    id: int
    repository_id: int
    number: int
    title: str
    body: str
    state: Literal["open", "closed"]
    author_account_id: int | None
    assignee_account_ids: tuple[int, ...]
    labels: tuple[str, ...]
    comment_count: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository with its whole Git history and everything the forge knows about it."""

    id: int
    owner: str
    name: str
    former_full_names: tuple[str, ...]  # "owner/name" before a renaming or transfer
    description: str
    default_branch: str
    language: str
    visibility: Literal["private", "internal", "public"]
    is_fork: bool
    fork_parent: str | None  # "owner/name" outside the organisation
    is_template: bool
    created_by_account_id: int | None
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    archived_at: datetime | None
    commits: tuple[Commit, ...]  # parents before children
    branches: tuple[Branch, ...]
    tags: tuple[Tag, ...]
    change_requests: tuple[ChangeRequest, ...]  # by number
    issues: tuple[Issue, ...]  # by number
    deployments: tuple[Deployment, ...]  # by created_at
    runs: tuple[WorkflowRun, ...]  # by created_at
    releases: tuple[Release, ...]  # by created_at

    @property
    def full_name(self) -> str:
        """The present "owner/name"."""
        return f"{self.owner}/{self.name}"
