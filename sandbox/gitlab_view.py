"""The made-up organisation as GitLab has it: a group, teams as its subgroups, projects in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.forge import Repository
from sandbox.gitlab_protocol import stamp
from sandbox.staff import Account, Team
from sandbox.world import World

GHOST = {"id": 999_999_999, "username": "ghost", "name": "Ghost User", "state": "active"}
ROLES = {30: "DEVELOPER", 40: "MAINTAINER", 20: "REPORTER"}


@dataclass(frozen=True)
class Group:
    """A group: the organisation itself, or a team."""

    id: int
    name: str
    path: str
    parent: "Group | None"
    team: Team | None

    @property
    def full_path(self) -> str:
        """The paths of all groups above it, and its own."""
        return self.path if self.parent is None else f"{self.parent.full_path}/{self.path}"


@dataclass(frozen=True)
class Member:
    """An account in a group."""

    id: int
    account: Account
    level: int


class GitlabView:
    """Groups, projects and users of a world, with the bodies they are shown by.

    A repository of one team lies in that team's subgroup, all others in the group at the top.
    """

    def __init__(self, world: World, origin: str) -> None:
        self.world = world
        self.origin = origin

    @cached_property
    def top(self) -> Group:
        """The organisation's group."""
        own = self.world.organisation
        return Group(own.id, own.name, own.login, None, None)

    @cached_property
    def _groups(self) -> dict[int, Group]:
        found: dict[int, Group] = {}
        teams = {team.id: team for team in self.world.organisation.teams}

        def placed(team: Team) -> Group:
            if team.id not in found:
                above = self.top if team.parent_id is None else placed(teams[team.parent_id])
                found[team.id] = Group(team.id, team.name, team.slug, above, team)
            return found[team.id]

        for team in teams.values():
            placed(team)
        return dict(sorted(found.items()))

    def subgroups(self) -> Sequence[Group]:
        """The groups of teams that are there yet, at every depth."""
        there = {team.id for team in self.world.teams()}
        return [group for group in self._groups.values() if group.id in there]

    def group(self, asked: str) -> Group | None:
        """The group of that number or path."""
        for group in [self.top, *self.subgroups()]:
            if asked in {str(group.id), group.full_path}:
                return group
        return None

    def place(self, repository: Repository) -> Group:
        """The group a repository lies in."""
        owners = [
            team for team in self.world.organisation.teams if repository.id in team.repository_ids
        ]
        return self._groups[owners[0].id] if len(owners) == 1 else self.top

    def full_path(self, repository: Repository) -> str:
        """Its path with all groups."""
        return f"{self.place(repository).full_path}/{repository.name}"

    def projects(self, group: Group | None = None) -> list[Repository]:
        """All projects, or those in a group and below it, by number."""
        if group is None or group.parent is None:
            return self.world.repositories()
        inside = f"{group.full_path}/"
        return [one for one in self.world.repositories() if self.full_path(one).startswith(inside)]

    def project(self, asked: str) -> tuple[Repository, bool] | None:
        """The project of that number or path, and whether the path is a former one."""
        if asked.isdigit():
            found = self.world.repository(int(asked))
            return (found, False) if found is not None else None
        for repository in self.world.repositories():
            if self.full_path(repository).lower() == asked.lower():
                return repository, False
            if asked.lower() in {former.lower() for former in repository.former_full_names}:
                return repository, True
        return None

    def members(self, group: Group) -> list[Member]:
        """Those a group itself has, by number: everybody at the top."""
        if group.team is None:
            return [Member(one.id, one, 20) for one in self.world.members()]
        team = group.team
        there = {account.id: account for account in self.world.members()}
        numbers = sorted({*team.member_account_ids, *team.maintainer_account_ids} & there.keys())
        return [
            Member(number, there[number], 40 if number in team.maintainer_account_ids else 30)
            for number in numbers
        ]

    def username(self, account: Account) -> str:
        """The username; bots have one that GitLab makes."""
        if account.is_bot:
            return f"group_{self.top.id}_bot_{account.id:032x}"
        return account.login

    def user(self, account_id: int | None) -> dict[str, Any]:
        """A user as everywhere in REST; the ghost for who was deleted."""
        account = self.world.account(account_id)
        if account is None:
            return dict(GHOST)
        username = self.username(account)
        return {
            "id": account.id,
            "username": username,
            "name": account.name or account.login,
            "state": "active",
            "locked": False,
            "avatar_url": None,
            "web_url": f"{self.origin}/{username}",
        }

    def member_body(self, member: Member) -> dict[str, Any]:
        """A member of a group or project."""
        return {**self.user(member.id), "access_level": member.level, "expires_at": None}

    def group_body(self, group: Group) -> dict[str, Any]:
        """A group."""
        return {
            "id": group.id,
            "name": group.name,
            "path": group.path,
            "full_path": group.full_path,
            "full_name": group.full_path.replace("/", " / "),
            "parent_id": group.parent.id if group.parent else None,
            "visibility": "private",
            "web_url": f"{self.origin}/groups/{group.full_path}",
        }

    def project_body(self, repository: Repository) -> dict[str, Any]:
        """A project."""
        path = self.full_path(repository)
        group = self.place(repository)
        parent = {"id": repository.id + 10_000_000, "path_with_namespace": repository.fork_parent}
        return {
            "id": repository.id,
            "name": repository.name,
            "path": repository.name,
            "path_with_namespace": path,
            "description": repository.description,
            "default_branch": repository.default_branch,
            "created_at": stamp(repository.created_at),
            "updated_at": stamp(repository.updated_at),
            "last_activity_at": stamp(repository.pushed_at),
            "archived": repository.archived_at is not None,
            "visibility": repository.visibility,
            "mirror": False,
            "empty_repo": False,
            "creator_id": repository.created_by_account_id or GHOST["id"],
            "namespace": {"id": group.id, "kind": "group", "full_path": group.full_path},
            "web_url": f"{self.origin}/{path}",
            "http_url_to_repo": f"{self.origin}/{path}.git",
            "ssh_url_to_repo": f"git@gitlab.test:{path}.git",
            "marked_for_deletion_on": None,
            **({"forked_from_project": parent} if repository.is_fork else {}),
        }
