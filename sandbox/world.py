"""The organisation as its forge shows it at a moment that tests can move."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sandbox.forge import (
    Branch,
    ChangeRequest,
    Commit,
    Deployment,
    Issue,
    Release,
    Repository,
    Tag,
    WorkflowRun,
)
from sandbox.history import change_request_at, deployment_at, issue_at, repository_at, run_at
from sandbox.organisation import Organisation
from sandbox.staff import Account, Team

Thing = TypeVar("Thing")
Commits = Mapping[str, Commit]


@dataclass(frozen=True)
class Kind(Generic[Thing]):
    """One kind of thing a repository has: where it is kept, and how it looked at a moment."""

    name: str
    seen_at: Callable[[Thing, datetime, Commits], Thing | None]


CHANGE_REQUESTS: Kind[ChangeRequest] = Kind("change_requests", change_request_at)
ISSUES: Kind[Issue] = Kind("issues", lambda issue, moment, _: issue_at(issue, moment))
DEPLOYMENTS: Kind[Deployment] = Kind(
    "deployments", lambda deployment, moment, _: deployment_at(deployment, moment)
)
RUNS: Kind[WorkflowRun] = Kind("runs", lambda run, moment, _: run_at(run, moment))
RELEASES: Kind[Release] = Kind(
    "releases", lambda release, moment, _: release if release.published_at <= moment else None
)


class World:
    """Everything visible up to `visible_until`, each thing in the state it had then.

    `hidden` holds the ids of repositories the token may not see. Lists are built on first use
    and kept until the moment moves.
    """

    def __init__(
        self,
        organisation: Organisation,
        visible_until: datetime | None = None,
        hidden: Iterable[int] = (),
    ) -> None:
        self.organisation = organisation
        self.hidden = frozenset(hidden)
        self._moment = visible_until or organisation.end
        self._kept: dict[Any, Any] = {}
        self._followers: list[World] = []

    @property
    def visible_until(self) -> datetime:
        """The moment the world is seen from."""
        return self._moment

    @visible_until.setter
    def visible_until(self, moment: datetime) -> None:
        self._moment, self._kept = moment, {}
        for follower in self._followers:
            follower.visible_until = moment

    def seen_as(self, organisation: Organisation) -> "World":
        """What one tool of several has of it, at the same moments."""
        self._followers.append(World(organisation, self._moment, self.hidden))
        return self._followers[-1]

    def advance(self, seconds: float) -> None:
        """Let time pass: what happened meanwhile appears."""
        self.visible_until = self._moment + timedelta(seconds=seconds)

    def account(self, account_id: int | None) -> Account | None:
        """The account, or None for a ghost."""
        return None if account_id is None else self.organisation.account_by_id[account_id]

    def commit(self, sha: str) -> Commit:
        """The commit with that SHA."""
        return self.organisation.commit_by_sha[sha]

    def members(self) -> Sequence[Account]:
        """Accounts of people, by id."""
        return self._keep(
            ("members",),
            lambda: [
                account
                for account in sorted(self.organisation.accounts, key=attrgetter("id"))
                if not account.is_bot and account.created_at <= self._moment
            ],
        )

    def teams(self) -> Sequence[Team]:
        """Teams by name."""
        return self._keep(
            ("teams",),
            lambda: [
                team
                for team in sorted(self.organisation.teams, key=attrgetter("name"))
                if team.created_at <= self._moment
            ],
        )

    def repositories(self, field: str = "id", *, is_descending: bool = False) -> list[Repository]:
        """Repositories with the branches and times of the moment, ordered by a field and id."""
        commits = self.organisation.commit_by_sha

        def build() -> list[Repository]:
            seen = [
                found
                for repository in self.organisation.repositories
                if repository.id not in self.hidden
                and (found := repository_at(repository, self._moment, commits))
            ]
            return sorted(seen, key=attrgetter(field, "id"), reverse=is_descending)

        return self._keep(("repositories", field, is_descending), build)

    def repository(self, repository_id: int) -> Repository | None:
        """The repository of that number, if it may be seen and is there yet."""
        by_id = self._keep(
            ("repository",),
            lambda: {repository.id: repository for repository in self.repositories()},
        )
        return by_id.get(repository_id)

    def repository_named(self, full_name: str) -> Repository | None:
        """The repository of that present or former "owner/name"."""
        found = self.organisation.repository_by_full_name.get(full_name.lower())
        return self.repository(found.id) if found else None

    def things(
        self,
        kind: Kind[Thing],
        repository_id: int,
        field: str = "created_at",
        *,
        is_descending: bool = False,
    ) -> list[Thing]:
        """What a repository has of one kind, ordered by a field and id."""
        commits = self.organisation.commit_by_sha

        def build() -> list[Thing]:
            repository = self.organisation.repository_by_id[repository_id]
            every: Iterable[Thing] = getattr(repository, kind.name)
            seen = [found for one in every if (found := kind.seen_at(one, self._moment, commits))]
            return sorted(seen, key=attrgetter(field, "id"), reverse=is_descending)

        return self._keep((kind.name, repository_id, field, is_descending), build)

    def everywhere(self, kind: Kind[Thing]) -> list[Thing]:
        """What all visible repositories have of one kind, in no order to rely on."""
        return self._keep(
            (kind.name,),
            lambda: [
                thing
                for repository in self.repositories()
                for thing in self.things(kind, repository.id)
            ],
        )

    def one(
        self, kind: Kind[Thing], repository_id: int, number: int, field: str = "id"
    ) -> Thing | None:
        """The thing of that number (or other field) in a repository."""
        by_number = self._keep(
            (kind.name, repository_id, field),
            lambda: {getattr(thing, field): thing for thing in self.things(kind, repository_id)},
        )
        return by_number.get(number)

    def anywhere(self, kind: Kind[Thing], number: int) -> Thing | None:
        """The thing of that id in any visible repository."""
        by_id = self._keep(
            (kind.name, "id"),
            lambda: {getattr(thing, "id"): thing for thing in self.everywhere(kind)},  # noqa: B009
        )
        return by_id.get(number)

    def references(self, repository_id: int) -> Mapping[str, Branch | Tag]:
        """Branches and tags of a repository by their full names, in order of the names."""

        def build() -> dict[str, Branch | Tag]:
            repository = self.repository(repository_id)
            named: dict[str, Branch | Tag] = {}
            if repository is not None:
                named |= {f"refs/heads/{one.name}": one for one in repository.branches}
                named |= {f"refs/tags/{one.name}": one for one in repository.tags}
            return dict(sorted(named.items()))

        return self._keep(("references", repository_id), build)

    def _keep(self, key: tuple[Any, ...], build: Callable[[], Thing]) -> Thing:
        kept = self._kept
        if key not in kept:
            kept[key] = build()
        found: Thing = kept[key]
        return found
