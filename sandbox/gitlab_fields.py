"""What GitLab's GraphQL fields hold, as objects that are worked out field by field when asked."""

from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.forge import ChangeRequest, Commit, Repository
from sandbox.gitlab_connection import Fields, connection
from sandbox.gitlab_merge_payloads import Note, commits, notes, title
from sandbox.gitlab_protocol import stamp
from sandbox.gitlab_view import ROLES, GitlabView, Group, Member
from sandbox.gitlab_work_fields import finding, findings, work_fields
from sandbox.world import CHANGE_REQUESTS


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
            "vulnerabilities": lambda _, **arguments: connection(
                [each for one in view.projects(group) for each in findings(view.world, one)],
                finding,
                arguments,
            ),
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
            "mergeRequest": lambda _, iid: next(
                iter(requests(_, iids=[iid], first=1)["nodes"]), None
            ),
            **work_fields(self.view.world, repository),
        }

    def merge_request(self, change: ChangeRequest) -> Fields:
        """A merge request."""

        def noted(_: Any, filter: str = "ALL_NOTES", **arguments: Any) -> Fields:  # noqa: A002
            wanted = {"ONLY_ACTIVITY": (True,), "ONLY_COMMENTS": (False,)}.get(
                filter, (True, False)
            )
            found = [note for note in notes(change) if note.is_system in wanted]
            return connection(found, self._note, arguments)

        is_merged = change.state == "merged"
        return {
            "id": f"gid://gitlab/MergeRequest/{change.id}",
            "iid": str(change.number),
            "updatedAt": stamp(change.updated_at),
            "commitCount": len(change.commit_shas),
            "diffStatsSummary": {
                "additions": change.additions,
                "deletions": change.deletions,
                "fileCount": change.changed_files,
            },
            "author": self.user(change.author_account_id),
            "mergeUser": self.user(change.merged_by_account_id) if is_merged else None,
            "commits": lambda _, **arguments: connection(
                commits(self.view, change), self._commit, arguments
            ),
            "notes": noted,
        }

    def _note(self, note: Note) -> Fields:
        return {
            "id": f"gid://gitlab/{'Note' if note.is_system else 'DiscussionNote'}/{note.id}",
            "system": note.is_system,
            "body": note.body,
            "createdAt": stamp(note.at),
            "author": self.user(note.account_id),
        }

    def _commit(self, commit: Commit) -> Fields:
        return {
            "id": f"gid://gitlab/CommitPresenter/{commit.sha}",
            "sha": commit.sha,
            "title": title(commit),
            "authoredDate": stamp(commit.author.at),
            "committedDate": stamp(commit.committer.at),
            "authorEmail": commit.author.email,
        }
