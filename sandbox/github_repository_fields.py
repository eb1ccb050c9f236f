"""How GitHub's GraphQL fields are answered: repositories, their lists, refs and commits."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.forge import Branch, ChangeRequest, Release, Repository, Tag
from sandbox.git_objects import object_id, signature_bytes
from sandbox.github_connections import by_time, connect
from sandbox.github_fields import connection_fields
from sandbox.github_identity import node_id, stamp, stamp_or_none
from sandbox.github_query import FieldError, Resolver
from sandbox.github_sources import (
    ActorOf,
    Arguments,
    CommitIn,
    RefIn,
    TagIn,
    View,
    commit_in,
)
from sandbox.staff import Account
from sandbox.world import CHANGE_REQUESTS, DEPLOYMENTS, ISSUES, RELEASES, Kind

_HEADS, _TAGS = "refs/heads/", "refs/tags/"


def _ordered(
    view: View, repository: Repository, kind: Kind[Any], order: Any
) -> tuple[list[Any], Any]:
    """All of one kind in the order asked for, and the key of that order."""
    order = order or {"field": "CREATED_AT", "direction": "ASC"}
    name = "updated_at" if order["field"] == "UPDATED_AT" else "created_at"
    is_descending = order["direction"] == "DESC"
    found = view.world.things(kind, repository.id, name, is_descending=is_descending)
    return found, by_time(name, is_descending=is_descending)


def _pull_requests(view: View, repository: Repository, arguments: Arguments) -> Any:
    found, key = _ordered(view, repository, CHANGE_REQUESTS, arguments.get("orderBy"))
    states, base = arguments.get("states"), arguments.get("baseRefName")
    head = arguments.get("headRefName")
    if states or base or head:
        found = [
            change
            for change in found
            if (not states or change.state.upper() in states)
            and base in (None, change.base_branch)
            and head in (None, change.head_branch)
        ]
    return connect(found, arguments, key)


def _pull_request(view: View, repository: Repository, arguments: Arguments) -> ChangeRequest:
    number = arguments["number"]
    change = view.world.one(CHANGE_REQUESTS, repository.id, number, "number")
    if change is None:
        message = f"Could not resolve to a PullRequest with the number of {number}."
        raise FieldError(message, "NOT_FOUND")
    return change


def _issues(view: View, repository: Repository, arguments: Arguments) -> Any:
    found, key = _ordered(view, repository, ISSUES, arguments.get("orderBy"))
    chosen = arguments.get("filterBy") or {}
    states = arguments.get("states") or chosen.get("states")
    since = chosen.get("since")
    start = datetime.fromisoformat(since) if since else None
    if states or start:
        found = [
            issue
            for issue in found
            if (not states or issue.state.upper() in states)
            and (start is None or issue.updated_at >= start)
        ]
    return connect(found, arguments, key)


def _deployments(view: View, repository: Repository, arguments: Arguments) -> Any:
    found, key = _ordered(view, repository, DEPLOYMENTS, arguments.get("orderBy"))
    environments = arguments.get("environments")
    if environments:
        found = [deployment for deployment in found if deployment.environment in environments]
    return connect(found, arguments, key)


def _releases(view: View, repository: Repository, arguments: Arguments) -> Any:
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "DESC"}
    found, key = _ordered(view, repository, RELEASES, order)
    return connect(found, arguments, key)


def latest_release(view: View, repository_id: int) -> Release | None:
    """The newest release that is neither a draft nor a pre-release."""
    found = view.world.things(RELEASES, repository_id, is_descending=True)
    return next((one for one in found if not one.is_draft and not one.is_prerelease), None)


def _ref(view: View, repository_id: int, *names: str) -> RefIn | None:
    """The first branch or tag there is of these full names."""
    known = view.world.references(repository_id)
    for full_name in names:
        found = known.get(full_name)
        if isinstance(found, Branch):
            commit = CommitIn(repository_id, view.world.commit(found.sha))
            return RefIn(repository_id, _HEADS, found.name, commit)
        if isinstance(found, Tag):
            return RefIn(repository_id, _TAGS, found.name, TagIn(repository_id, found))
    return None


def short_ref(view: View, repository_id: int, name: str) -> RefIn | None:
    """A branch or tag by its full or short name, where it exists."""
    return _ref(view, repository_id, name, _HEADS + name, _TAGS + name)


def _refs(view: View, repository: Repository, arguments: Arguments) -> Any:
    prefix = arguments["refPrefix"].rstrip("/") + "/"
    names = [name for name in view.world.references(repository.id) if name.startswith(prefix)]
    order = arguments.get("orderBy") or {}
    found = [ref for name in names if (ref := _ref(view, repository.id, name))]
    if order.get("field") == "TAG_COMMIT_DATE":
        found.sort(key=lambda ref: (_committed_at(view, ref), ref.name))
    if (arguments.get("direction") or order.get("direction")) == "DESC":
        found.reverse()
    return connect(found, arguments)


def _committed_at(view: View, ref: RefIn) -> datetime:
    target = ref.target
    commit = target.commit if isinstance(target, CommitIn) else view.world.commit(target.tag.sha)
    return commit.committer.at


def _default_branch(view: View, repository: Repository, _: Arguments) -> RefIn | None:
    return _ref(view, repository.id, _HEADS + repository.default_branch)


def _parents(view: View, source: CommitIn, arguments: Arguments) -> Any:
    found = [commit_in(view, source.repository_id, sha) for sha in source.commit.parents]
    return connect(found, arguments)


def tag_id(source: TagIn) -> str:
    """The SHA of the tag object itself, which Git makes from what it says."""
    tag = source.tag
    body = f"object {tag.sha}\ntype commit\ntag {tag.name}\ntagger ".encode()
    body += signature_bytes(tag.tagger, None) + b"\n\n" + tag.message.encode() + b"\n"
    return object_id(b"tag", body).hex()


def _signature_date(_: View, source: ActorOf, _a: Arguments) -> str:
    minutes = source.signature.offset_minutes
    local = source.signature.at.astimezone(UTC) + timedelta(minutes=minutes)
    sign, away = "-" if minutes < 0 else "+", abs(minutes)
    return f"{local.isoformat()[:19]}{sign}{away // 60:02d}:{away % 60:02d}"


def _user_of(view: View, source: ActorOf, _: Arguments) -> Account | None:
    """The user an address belongs to; bots are no users."""
    account = view.world.account(source.account_id)
    return None if account is None or account.is_bot else account


def repository_fields() -> dict[str, Resolver]:
    """Resolvers of repositories, refs, commits, deployments and releases, by "Type.field"."""
    fields: dict[str, Resolver] = {
        "Repository.id": lambda _, one, _a: node_id("R", one.id),
        "Repository.databaseId": lambda _, one, _a: one.id,
        "Repository.name": lambda _, one, _a: one.name,
        "Repository.nameWithOwner": lambda _, one, _a: one.full_name,
        "Repository.owner": lambda v, _, _a: v.world.organisation,
        "Repository.url": lambda v, one, _a: f"{v.html}/{one.full_name}",
        "Repository.description": lambda _, one, _a: one.description,
        "Repository.defaultBranchRef": _default_branch,
        "Repository.createdAt": lambda _, one, _a: stamp(one.created_at),
        "Repository.updatedAt": lambda _, one, _a: stamp(one.updated_at),
        "Repository.pushedAt": lambda _, one, _a: stamp(one.pushed_at),
        "Repository.archivedAt": lambda _, one, _a: stamp_or_none(one.archived_at),
        "Repository.isArchived": lambda _, one, _a: one.archived_at is not None,
        "Repository.isDisabled": lambda _, _s, _a: False,
        "Repository.isEmpty": lambda _, one, _a: not one.branches,
        "Repository.isFork": lambda _, one, _a: one.is_fork,
        "Repository.isTemplate": lambda _, one, _a: one.is_template,
        "Repository.isMirror": lambda _, _s, _a: False,
        "Repository.isPrivate": lambda _, one, _a: one.visibility != "public",
        "Repository.primaryLanguage": lambda _, one, _a: one.language or None,
        "Repository.parent": lambda _, _s, _a: None,
        "Repository.visibility": lambda _, one, _a: one.visibility.upper(),
        "Repository.diskUsage": lambda _, one, _a: len(one.commits),
        "Repository.sshUrl": lambda v, one, _a: (
            f"git@{v.html.split('://', 1)[-1]}:{one.full_name}.git"
        ),
        "Repository.ref": lambda v, one, a: short_ref(v, one.id, a["qualifiedName"]),
        "Repository.refs": _refs,
        "Repository.pullRequests": _pull_requests,
        "Repository.pullRequest": _pull_request,
        "Repository.deployments": _deployments,
        "Repository.releases": _releases,
        "Repository.latestRelease": lambda v, one, _a: latest_release(v, one.id),
        "Repository.issues": _issues,
        "Language.id": lambda _, name, _a: node_id("LA", name),
        "Language.name": lambda _, name, _a: name,
        "Ref.id": lambda _, ref, _a: node_id("REF", f"{ref.repository_id}:{ref.prefix}{ref.name}"),
        "Ref.name": lambda _, ref, _a: ref.name,
        "Ref.prefix": lambda _, ref, _a: ref.prefix,
        "Ref.target": lambda _, ref, _a: ref.target,
        "Tag.id": lambda _, tag, _a: node_id("TA", tag_id(tag)),
        "Tag.oid": lambda _, tag, _a: tag_id(tag),
        "Tag.abbreviatedOid": lambda _, tag, _a: tag_id(tag)[:7],
        "Tag.name": lambda _, tag, _a: tag.tag.name,
        "Tag.message": lambda _, tag, _a: tag.tag.message,
        "Tag.tagger": lambda _, tag, _a: ActorOf(tag.tag.tagger, None),
        "Tag.target": lambda v, tag, _a: commit_in(v, tag.repository_id, tag.tag.sha),
        "Commit.id": lambda _, one, _a: node_id("C", one.commit.sha),
        "Commit.oid": lambda _, one, _a: one.commit.sha,
        "Commit.abbreviatedOid": lambda _, one, _a: one.commit.sha[:7],
        "Commit.authoredDate": lambda _, one, _a: stamp(one.commit.author.at),
        "Commit.committedDate": lambda _, one, _a: stamp(one.commit.committer.at),
        "Commit.message": lambda _, one, _a: one.commit.text.rstrip("\n"),
        "Commit.messageHeadline": lambda _, one, _a: one.commit.text.partition("\n")[0],
        "Commit.author": lambda _, one, _a: ActorOf(
            one.commit.author, one.commit.author_account_id
        ),
        "Commit.committer": lambda _, one, _a: ActorOf(
            one.commit.committer, one.commit.committer_account_id
        ),
        "Commit.parents": _parents,
        "Commit.url": lambda v, one, _a: v.page(one.repository_id, f"commit/{one.commit.sha}"),
        "GitActor.name": lambda _, actor, _a: actor.signature.name,
        "GitActor.email": lambda _, actor, _a: actor.signature.email,
        "GitActor.date": _signature_date,
        "GitActor.user": _user_of,
    }
    for kind in ("Repository", "Ref", "Commit"):
        fields |= connection_fields(kind)
    return fields
