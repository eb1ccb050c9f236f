"""What GraphQL's resolvers hand to each other: things together with where they belong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sandbox.forge import (
    ChangeRequest,
    Commit,
    Deployment,
    DeploymentStatus,
    Issue,
    Release,
    Repository,
    Review,
    Signature,
    Tag,
)
from sandbox.github_protocol import Budget, GithubSettings
from sandbox.organisation import Organisation
from sandbox.staff import Account, Team
from sandbox.world import World

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """What every resolver may look at."""

    world: World
    html: str
    budget: Budget
    settings: GithubSettings
    cost: int
    node_count: int

    def page(self, repository_id: int, rest: str) -> str:
        """The address people open for something in a repository."""
        repository = self.world.organisation.repository_by_id[repository_id]
        return f"{self.html}/{repository.full_name}/{rest}"


class CommitIn(NamedTuple):
    """A commit, and the repository it is looked at in."""

    repository_id: int
    commit: Commit


class ReviewOf(NamedTuple):
    """A review and its pull request."""

    change: ChangeRequest
    review: Review


class StatusOf(NamedTuple):
    """A deployment status and its deployment."""

    deployment: Deployment
    status: DeploymentStatus


class LabelIn(NamedTuple):
    """A label of a repository."""

    repository_id: int
    name: str


class TagIn(NamedTuple):
    """An annotated tag and its repository."""

    repository_id: int
    tag: Tag


class RefIn(NamedTuple):
    """A branch or tag of a repository."""

    repository_id: int
    prefix: str
    name: str
    target: CommitIn | TagIn


class EventOf(NamedTuple):
    """An event in the life of a pull request; merges count as one."""

    kind: str
    id: int
    actor_account_id: int | None
    at: datetime
    commit: CommitIn | None


class ActorOf(NamedTuple):
    """Who stands in a commit: the signature, and the account its address belongs to."""

    signature: Signature
    account_id: int | None


class RequestCommit(NamedTuple):
    """A commit as one of those a pull request asks to merge."""

    change: ChangeRequest
    commit: Commit


_KIND_OF_CLASS = {
    ChangeRequest: "PullRequest",
    CommitIn: "Commit",
    Deployment: "Deployment",
    Issue: "Issue",
    Organisation: "Organization",
    Release: "Release",
    Repository: "Repository",
    ReviewOf: "PullRequestReview",
    TagIn: "Tag",
    Team: "Team",
}


def kind_of(value: Any) -> str:
    """The concrete type of a value behind an interface or union."""
    if isinstance(value, Account):
        return "Bot" if value.is_bot else "User"
    if isinstance(value, EventOf):
        return value.kind
    return _KIND_OF_CLASS[type(value)]


def commit_in(view: View, repository_id: int, sha: str | None) -> CommitIn | None:
    """The commit of that SHA, if there is one to show."""
    return None if sha is None else CommitIn(repository_id, view.world.commit(sha))
