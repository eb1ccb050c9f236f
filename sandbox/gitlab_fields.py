"""What GitLab's GraphQL fields hold, as objects that are worked out field by field when asked."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.forge import ChangeRequest, Repository
from sandbox.gitlab_protocol import LARGEST_PAGE, stamp
from sandbox.gitlab_view import ROLES, GitlabView, Group, Member
from sandbox.world import CHANGE_REQUESTS

Fields = dict[str, Any]


def connection(items: Sequence[Any], show: Callable[[Any], Fields], arguments: Fields) -> Fields:
    """A page of a list; cursors are offsets."""
    start = int(arguments.get("after") or 0)
    size = min(LARGEST_PAGE, arguments.get("first") or LARGEST_PAGE)
    end = start + size
    return {
        "count": len(items),
        "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(min(end, len(items)))},
        "nodes": [show(each) for each in items[start:end]],
    }


class GitlabFields:
    """The root of all queries."""

    def __init__(self, view: GitlabView) -> None:
        self.view = view

    def root(self) -> Fields:
        """The fields of `Query`."""
        return {"group": self._group_named, "project": self._project_named, "projects": self._these}

    def _group_named(self, _: Any, fullPath: str) -> Fields | None:  # noqa: N803  GraphQL's name
        group = self.view.group(fullPath)
        return self.group(group) if group is not None else None

    def _project_named(self, _: Any, fullPath: str) -> Fields | None:  # noqa: N803  GraphQL's name
        found = self.view.project(fullPath)
        return self.project(found[0]) if found is not None and not found[1] else None

    def _these(self, _: Any, ids: Iterable[str] = (), **arguments: Any) -> Fields:
        wanted = {int(each.rpartition("/")[2]) for each in ids}
        found = [one for one in self.view.projects() if one.id in wanted]
        return connection(found, self.project, arguments)

    def group(self, group: Group) -> Fields:
        """A group."""
        view = self.view

        def below(_: Any, **arguments: Any) -> Fields:
            inside = f"{group.full_path}/"
            found = [one for one in view.subgroups() if one.full_path.startswith(inside)]
            return connection(found, self.group, arguments)

        def members(_: Any, relations: Sequence[str] = ("DIRECT",), **arguments: Any) -> Fields:
            found = view.members(group)
            if "DESCENDANTS" in relations and group.parent is None:
                found += [each for one in view.subgroups() for each in view.members(one)]
            return connection(found, self._member, arguments)

        return {
            "id": f"gid://gitlab/Group/{group.id}",
            "name": group.name,
            "fullPath": group.full_path,
            "parent": lambda _: self.group(group.parent) if group.parent else None,
            "projects": lambda _, includeSubgroups=False, **arguments: connection(  # noqa: ARG005, N803
                view.projects(group), self.project, arguments
            ),
            "descendantGroups": below,
            "groupMembers": members,
        }

    def _member(self, member: Member) -> Fields:
        level = {"stringValue": ROLES[member.level], "integerValue": member.level}
        return {"accessLevel": level, "user": self.user(member.id)}

    def user(self, account_id: int | None) -> Fields:
        """A user; the ghost for who was deleted."""
        account = self.view.world.account(account_id)
        body = self.view.user(account_id)
        return {
            "id": f"gid://gitlab/User/{body['id']}",
            "username": body["username"],
            "name": body["name"],
            "publicEmail": account.email if account is not None else None,
            "bot": account is not None and account.is_bot,
        }

    def project(self, repository: Repository) -> Fields:
        """A project."""

        def requests(_: Any, iids: Sequence[str] | None = None, **arguments: Any) -> Fields:
            found = self.view.world.things(
                CHANGE_REQUESTS,
                repository.id,
                "updated_at",
                is_descending=arguments.get("sort") == "UPDATED_DESC",
            )
            if iids is not None:
                found = [one for one in found if str(one.number) in iids]
            return connection(found, self.merge_request, arguments)

        return {
            "id": f"gid://gitlab/Project/{repository.id}",
            "fullPath": self.view.full_path(repository),
            "mergeRequests": requests,
        }

    def merge_request(self, change: ChangeRequest) -> Fields:
        """A merge request."""
        return {
            "id": f"gid://gitlab/MergeRequest/{change.id}",
            "iid": str(change.number),
            "updatedAt": stamp(change.updated_at),
        }
