"""GitLab payloads with what vendors get wrong: bad members are rejected alone, nothing breaks."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.connector import Line, Parsed
from connectors.gitlab_merge_requests import ChangeRequestsStream
from connectors.gitlab_names import is_bot_name, is_ghost, number_of
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_people import AccountsStream, TeamsStream
from connectors.gitlab_projects import ProjectsStream
from connectors.records import (
    Account,
    ChangeRequest,
    ChangeRequestCommit,
    Record,
    Repository,
    Review,
    Team,
    TeamMember,
)
from connectors.secret import Secret

OPTIONS = GitlabOptions(groups=("acme",), token=Secret(env="NOT_ASKED"))
AT = "2026-05-04T10:00:00.000Z"
USER = {"id": 5, "username": "ada", "name": "Ada"}
GHOST = {"id": 9, "username": "ghost", "name": "Ghost User"}
BOT = {"id": 6, "username": "project_7_bot_0a1b2c", "name": "Renovate"}


def request(number: int = 1, **more: Any) -> dict[str, Any]:
    """A merge request of a list."""
    known = {"id": 100 + number, "iid": number, "created_at": AT, "updated_at": AT}
    return {**known, "title": "SHOP-1 Add", "state": "opened", "author": USER, **more}


def note(number: int, body: str = "", *, at: str = AT, **more: Any) -> dict[str, Any]:
    """A note as GraphQL gives it."""
    known = {"id": f"gid://gitlab/Note/{number}", "system": bool(body), "createdAt": at}
    return {**known, "body": body, "author": graphql(USER), **more}


def graphql(user: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A user as GraphQL gives it."""
    return {**user, "id": f"gid://gitlab/User/{user['id']}", "bot": False, **more}


def details(number: int = 1, **more: Any) -> dict[str, Any]:
    """What GraphQL adds to a merge request."""
    known: dict[str, Any] = {"iid": str(number), "commitCount": 0, "author": graphql(USER)}
    for name in ("commits", "activity", "comments"):
        known[name] = {"nodes": more.pop(name, [])}
    return {**known, **more}


def parse(listed: list[Any], nodes: list[Any], **attributes: str) -> Parsed:
    """A page of details with the list it belongs to."""
    body = {"data": {"project": {"mergeRequests": {"nodes": nodes}}}}
    known = {"repository_key": "git.test/acme/shop", "holds": "details", **attributes}
    return read(ChangeRequestsStream(OPTIONS), body, listed=json.dumps(listed), **known)


def read(stream: Any, body: Any, **attributes: str) -> Parsed:
    """A page of any stream; all that is seen is read or rejected."""
    content = json.dumps(body).encode()
    line = Line(
        "gitlab", "7", attributes, "https://git.test/x", datetime(2026, 6, 1, tzinfo=UTC), content
    )
    parsed: Parsed = stream.parse(line)
    for record_type in stream.record_types:
        rejected = sum(reject.table == record_type.table for reject in parsed.rejects)
        assert parsed.seen[record_type.table] == len(parsed.records[record_type]) + rejected
    return parsed


def rows(parsed: Parsed, record_type: type[Record], *names: str) -> list[Any]:
    """Some columns of the records of a type."""
    found = [record.model_dump() for record in parsed.records[record_type]]
    return [
        tuple(row[name] for name in names) if len(names) > 1 else row[names[0]] for row in found
    ]


def test_a_bad_member_is_rejected_alone() -> None:
    """A commit without SHA and a note without time take nothing else with them."""
    commits = [{"sha": "b" * 40, "title": "two"}, {"title": "no sha"}, {"sha": "a" * 40}]
    activity = [note(1, "approved this merge request"), {"id": "gid://gitlab/Note/2"}, None]
    parsed = parse([request()], [details(commits=commits, activity=activity, commitCount=3)])
    assert len(parsed.records[ChangeRequest]) == 1
    assert rows(parsed, ChangeRequestCommit, "sha") == ["b" * 40, "a" * 40]
    assert rows(parsed, Review, "state") == ["approved"]
    assert sorted(reject.table for reject in parsed.rejects) == [
        "change_request_commit",
        "review",
        "review",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"id": None},
        {"iid": "one"},
        {"created_at": "yesterday"},
        {"created_at": "2026-05-04T10:00:00"},
        {"iid": 2**70},
    ],
)
def test_a_merge_request_without_what_it_needs_is_a_reject(broken: dict[str, Any]) -> None:
    """Its neighbours stay."""
    parsed = parse([request(1), request(2, **broken)], [details(1), details(2)])
    assert rows(parsed, ChangeRequest, "number") == [1]
    assert [reject.table for reject in parsed.rejects] == ["change_request"]


def test_odd_shapes_are_taken() -> None:
    """Labels with details, nulls for lists, missing fields, lone surrogates."""
    labels = ["bug", {"name": "team::shop"}, None, {"name": None}]
    odd = {"iid": "1", "commits": None, "activity": {"nodes": None}, "comments": None}
    parsed = parse([request(labels=labels, title="\ud800 x", author=None)], [odd])
    assert parsed.rejects == []
    assert rows(parsed, ChangeRequest, "labels", "title", "author") == [
        (["bug", "team::shop"], "� x", None)
    ]


def test_ghosts_are_nobody_and_bots_are_marked() -> None:
    """The Ghost User stands for who was deleted; a person may be called ghost."""
    activity = [note(1, "approved this merge request", author=graphql(GHOST))]
    comments = [note(2, author=graphql(BOT))]
    parsed = parse([request(author=GHOST)], [details(activity=activity, comments=comments)])
    assert rows(parsed, ChangeRequest, "author") == [None]
    assert rows(parsed, Review, "reviewer", "state") == [
        (None, "approved"),
        ("gitlab:account:6", "commented"),
    ]
    assert ("gitlab:account:6", True) in rows(parsed, Account, "account_id", "is_bot")
    assert not is_ghost("ghost", "Casper")


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("project_12_bot", True),
        ("project_12_bot4", True),
        ("group_9_bot_00ff00ff", True),
        ("service_account_group_9_0a1b", True),
        ("project_manager", False),
        ("robot", False),
        (None, False),
    ],
)
def test_names_of_bots(username: str | None, expected: bool) -> None:
    """What GitLab calls the users of its tokens, and what it does not."""
    assert is_bot_name(username) is expected


def test_an_approval_that_was_taken_back_is_dismissed() -> None:
    """Until it is given again; another's stays."""
    at = [f"2026-05-04T1{hour}:00:00.000Z" for hour in range(4)]
    other = graphql({"id": 8, "username": "bo", "name": "Bo"})
    activity = [
        note(1, "approved this merge request", at=at[0]),
        note(2, "approved this merge request", at=at[0], author=other),
        note(3, "unapproved this merge request", at=at[1]),
        note(4, "approved this merge request", at=at[2]),
        note(5, "requested changes", at=at[3]),
        note(6, "added 1 commit", at=at[3]),
        {**note(0, "added ~bug label", at=at[3]), "id": "gid://gitlab/LabelNote/0a1b2c3d"},
    ]
    parsed = parse([request()], [details(activity=activity)])
    assert parsed.rejects == []
    assert rows(parsed, Review, "review_id", "state") == [
        ("gitlab:note:1", "dismissed"),
        ("gitlab:note:2", "approved"),
        ("gitlab:note:4", "approved"),
        ("gitlab:note:5", "changes_requested"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        "marked this merge request as **ready**",
        "unmarked as a **Work In Progress**",
        "unmarked this merge request as a Work In Progress",
    ],
)
def test_ready_is_told_in_the_words_of_all_versions(words: str) -> None:
    """The first time counts."""
    later = note(8, words, at="2026-05-05T10:00:00.000Z")
    sooner = note(7, words, at="2026-05-04T12:00:00.000Z")
    drafted = note(6, "marked this merge request as **draft**", at="2026-05-04T11:00:00.000Z")
    parsed = parse([request()], [details(activity=[drafted, later, sooner])])
    assert rows(parsed, ChangeRequest, "ready_at") == [datetime(2026, 5, 4, 12, tzinfo=UTC)]


def test_a_draft_is_not_ready_and_all_others_are_from_the_start() -> None:
    """Null booleans are false."""
    parsed = parse(
        [request(1, draft=True), request(2, draft=None), request(3, work_in_progress=True)],
        [details(1), details(2), details(3)],
    )
    assert rows(parsed, ChangeRequest, "ready_at") == [
        None,
        datetime(2026, 5, 4, 10, tzinfo=UTC),
        None,
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"merge_commit_sha": "m", "squash_commit_sha": "s", "sha": "h"}, "m"),
        ({"merge_commit_sha": None, "squash_commit_sha": "s", "sha": "h"}, "s"),
        ({"sha": "h"}, "h"),
    ],
)
def test_the_commit_of_a_merge(given: dict[str, Any], expected: str) -> None:
    """A merge's own commit, else the squash, else the head of a fast-forward."""
    merged = request(1, merged_at=AT, state="merged", **given)
    opened = request(2, merge_user=USER, **given)
    parsed = parse([merged, opened], [])
    assert rows(parsed, ChangeRequest, "merge_sha", "merged_by") == [(expected, None), (None, None)]


def test_projects_with_odd_fields() -> None:
    """Nulls are false, forks and mirrors are known, a bad one is a reject."""
    good = {"id": 7, "path_with_namespace": "acme/shop", "web_url": "https://git.test/acme/shop"}
    odd = {**good, "id": 8, "archived": None, "mirror": True, "forked_from_project": {"id": 1}}
    parsed = read(ProjectsStream(OPTIONS), [good, odd, {"id": 9}, "text"], excluded="[7]")
    assert rows(parsed, Repository, "repository_id", "is_mirror", "is_fork", "is_archived") == [
        ("gitlab:repository:8", True, True, False)
    ]
    assert len(parsed.rejects) == 2


def test_groups_with_odd_members() -> None:
    """A member who was only invited is nobody yet; a group without id is a reject."""
    members = {"nodes": [{"user": None}, {"accessLevel": None, "user": graphql(USER)}, {"user": 3}]}
    groups = [
        {"id": "gid://gitlab/Group/3", "name": "Shop", "groupMembers": members},
        {"name": "no id"},
    ]
    body = {"data": {"group": {"descendantGroups": {"nodes": groups}}}}
    parsed = read(TeamsStream(), body, group="acme")
    assert rows(parsed, Team, "team_id") == ["gitlab:team:3"]
    assert rows(parsed, TeamMember, "account_id", "role") == [("gitlab:account:5", None)]
    assert {reject.table for reject in parsed.rejects} == {"team", "team_member"}


def test_a_user_with_a_number_that_is_none_is_a_reject() -> None:
    """Members of a group, one of them from another planet."""
    users = [{"user": graphql(USER)}, {"user": {"id": "gid://gitlab/User/x", "username": "x"}}]
    body = {"data": {"group": {"groupMembers": {"nodes": users}}}}
    parsed = read(AccountsStream(), body)
    assert rows(parsed, Account, "login") == ["ada"]
    assert [reject.table for reject in parsed.rejects] == ["account"]
    with pytest.raises(ValueError, match="not an id"):
        number_of("gid://gitlab/User/x")
