"""GitHub's REST payloads: the fields of use. What the vendor calls required may be absent."""

from datetime import datetime
from typing import NotRequired

from pydantic import AwareDatetime
from typing_extensions import TypedDict

from connectors.reading import Integer, Wire


class UserWire(TypedDict):
    """Who did something; null stands for a deleted account (ghost)."""

    login: NotRequired[str | None]
    type: NotRequired[str | None]


class BranchWire(TypedDict):
    """One side of a pull request."""

    ref: NotRequired[str | None]
    sha: NotRequired[str | None]


class LabelWire(TypedDict):
    """A label."""

    name: NotRequired[str | None]


class PullRequestWire(TypedDict):
    """A pull request; the many fields more than doubles of it are passed over."""

    id: int
    number: Integer
    created_at: AwareDatetime
    title: NotRequired[str | None]
    html_url: NotRequired[str | None]
    draft: NotRequired[bool | None]
    updated_at: NotRequired[AwareDatetime | None]
    merged_at: NotRequired[AwareDatetime | None]
    closed_at: NotRequired[AwareDatetime | None]
    user: NotRequired[UserWire | None]
    merged_by: NotRequired[UserWire | None]
    base: NotRequired[BranchWire | None]
    head: NotRequired[BranchWire | None]
    merge_commit_sha: NotRequired[str | None]
    labels: NotRequired[list[LabelWire | None] | None]
    additions: NotRequired[Integer | None]
    deletions: NotRequired[Integer | None]


class ActorWire(Wire):
    """Who did something; null stands for a deleted account (ghost)."""

    login: str | None = None
    type: str | None = None


class ReviewWire(Wire):
    """A review; a pending one has no time."""

    id: int
    state: str
    submitted_at: datetime
    user: ActorWire | None = None


class SignatureWire(Wire):
    """Who wrote or committed, and when."""

    name: str | None = None
    email: str | None = None
    date: datetime | None = None


class CommitDetailWire(Wire):
    """What git says of a commit."""

    message: str | None = None
    author: SignatureWire | None = None
    committer: SignatureWire | None = None


class ParentWire(Wire):
    """A parent commit."""

    sha: str | None = None


class CommitWire(Wire):
    """A commit of a pull request."""

    sha: str
    commit: CommitDetailWire | None = None
    parents: list[ParentWire] | None = None


class DeploymentWire(Wire):
    """A deployment."""

    id: int
    created_at: datetime
    updated_at: datetime | None = None
    environment: str | None = None
    sha: str | None = None
    ref: str | None = None
    creator: ActorWire | None = None


class StatusWire(Wire):
    """A state a deployment reached."""

    node_id: str | None = None
    id: int
    state: str
    created_at: datetime


class ReleaseWire(Wire):
    """A release of a tag."""

    id: int
    tag_name: str
    prerelease: bool | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None


class NameWire(Wire):
    """A label."""

    name: str | None = None


class MarkWire(Wire):
    """Says that an issue is a pull request."""

    url: str | None = None


class IssueWire(Wire):
    """An issue; pull requests are listed among them and carry `pull_request`."""

    id: int
    number: Integer
    created_at: datetime
    title: str | None = None
    body: str | None = None
    html_url: str | None = None
    state: str | None = None
    state_reason: str | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    user: ActorWire | None = None
    assignee: ActorWire | None = None
    labels: list[NameWire | str] | None = None
    pull_request: MarkWire | None = None


class RunWire(TypedDict):
    """A run of a workflow, its newest attempt; by far the most numerous rows of REST."""

    id: int
    name: NotRequired[str | None]
    event: NotRequired[str | None]
    head_branch: NotRequired[str | None]
    head_sha: NotRequired[str | None]
    status: NotRequired[str | None]
    conclusion: NotRequired[str | None]
    run_attempt: NotRequired[Integer | None]
    created_at: NotRequired[AwareDatetime | None]
    run_started_at: NotRequired[AwareDatetime | None]
    updated_at: NotRequired[AwareDatetime | None]
    actor: NotRequired[UserWire | None]
    html_url: NotRequired[str | None]


class JobWire(Wire):
    """A job of a run."""

    id: int
    run_id: int
    name: str
    status: str | None = None
    conclusion: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    labels: list[str] | None = None


class RepositoryWire(Wire):
    """A repository."""

    id: int
    name: str
    html_url: str
    default_branch: str | None = None
    created_at: datetime | None = None
    archived: bool | None = None
    fork: bool | None = None
    is_template: bool | None = None
    mirror_url: str | None = None
    language: str | None = None
    visibility: str | None = None
    private: bool | None = None


class ParentTeamWire(Wire):
    """The team above."""

    id: int | None = None


class TeamWire(Wire):
    """A team."""

    id: int
    name: str
    parent: ParentTeamWire | None = None


class AccountWire(Wire):
    """An account."""

    login: str
    name: str | None = None
    email: str | None = None
    type: str | None = None
    updated_at: datetime | None = None
