"""The GitLab connector against the sandbox, over real HTTP and git, by its known truth."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.clones import settled_marker
from connectors.connector import Line, Pull
from connectors.gitlab import GitlabConnector
from connectors.gitlab_options import GitlabOptions
from connectors.secret import Secret
from sandbox.faults import Fault, Rule
from sandbox.forge import ChangeRequest, Repository
from sandbox.generate import build_organisation
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.gitlab_view import GitlabView
from sandbox.organisation import Organisation
from sandbox.server import Host, Sandbox
from tests.connectors.gitlab_reading import Reading

END = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A small generated organisation."""
    return build_organisation(engineers=6, months=2, end=END)


def gitlab(sandbox: Sandbox, **settings: Any) -> Host:
    """GitLab over the sandbox's organisation, Git on the same host."""
    return sandbox.host("gitlab", GitlabSettings(repositories=sandbox.repositories, **settings))


def changes_of(organisation: Organisation) -> list[ChangeRequest]:
    """Every change request there is."""
    return [each for one in organisation.repositories for each in one.change_requests]


def account(number: int | None) -> str | None:
    """The id of an account, None for a ghost."""
    return None if number is None else f"gitlab:account:{number}"


def ready_at(change: ChangeRequest) -> datetime | None:
    """When it first became ready."""
    for event in change.events:
        if event.kind == "ready_for_review":
            return event.at
    return None if change.is_draft else change.created_at


def expected_change(organisation: Organisation, change: ChangeRequest) -> dict[str, Any]:
    """The record a merge request must become."""
    is_merged = change.state == "merged"
    return {
        "number": change.number,
        "title": change.title,
        "author": account(change.author_account_id),
        "is_draft": change.is_draft,
        "created_at": change.created_at,
        "ready_at": ready_at(change),
        "merged_at": change.merged_at,
        "closed_at": change.closed_at,
        "merged_by": account(change.merged_by_account_id) if is_merged else None,
        "base_branch": change.base_branch,
        "head_branch": change.head_branch,
        # A rebase moves the source branch on to what was merged.
        "head_sha": change.merge_sha if change.merge_method == "rebase" else change.head_sha,
        "merge_sha": change.merge_sha,
        "labels": list(change.labels),
        "additions": change.additions,
        "deletions": change.deletions,
        "source_updated_at": change.updated_at,
    }


def expected_reviews(change: ChangeRequest) -> list[tuple[Any, ...]]:
    """The reviews of a merge request, as rows."""
    key = f"gitlab:merge_request:{change.id}"
    return [
        (
            f"gitlab:note:{review.id}",
            key,
            account(review.author_account_id),
            review.state.lower(),
            review.submitted_at,
        )
        for review in change.reviews
    ]


def reviews_found(reading: Reading) -> list[tuple[Any, ...]]:
    """The reviews that were read, as rows."""
    names = ("review_id", "change_request_id", "reviewer", "state", "submitted_at")
    return sorted(
        (tuple(row[name] for name in names) for row in reading.rows("review")),
        key=lambda row: row[0],
    )


def test_everything_the_sandbox_holds_becomes_records(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path
) -> None:
    """Change requests, commits and reviews are those of the world to the unit; no reject."""
    reading = Reading(sandbox, gitlab(sandbox), tmp_path)
    assert reading.sync().errors == []
    changes = changes_of(organisation)
    found = {row["change_request_id"]: row for row in reading.rows("change_request")}
    assert reading.rejects() == 0
    assert len(found) == len(changes) > 50
    for change in changes:
        expected = expected_change(organisation, change)
        row = found[f"gitlab:merge_request:{change.id}"]
        assert {name: row[name] for name in expected} == expected
        assert set(change.ticket_keys) <= set(row["ticket_keys"])
    assert reviews_found(reading) == sorted(
        (row for change in changes for row in expected_reviews(change)), key=lambda row: row[0]
    )
    commits = {
        (row["change_request_id"], row["position"]): (row["sha"], row["author_email"])
        for row in reading.rows("change_request_commit")
    }
    assert commits == {
        (f"gitlab:merge_request:{change.id}", position): (
            sha,
            organisation.commit_by_sha[sha].author.email,
        )
        for change in changes
        for position, sha in enumerate(change.commit_shas)
    }
    assert {change.merge_method for change in changes} >= {"merge", "squash"}
    assert len(reading.rows("repository")) == len(organisation.repositories)


def test_people_are_members_of_subgroups(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path
) -> None:
    """Teams with their members; ghosts are nobody, bots are marked."""
    reading = Reading(sandbox, gitlab(sandbox), tmp_path)
    assert reading.sync().errors == []
    teams = {row["team_id"]: row for row in reading.rows("team")}
    assert {row["name"] for row in teams.values()} == {team.name for team in organisation.teams}
    for team in organisation.teams:
        parent = None if team.parent_id is None else f"gitlab:team:{team.parent_id}"
        assert teams[f"gitlab:team:{team.id}"]["parent"] == parent
    members = {(row["team_id"], row["account_id"]) for row in reading.rows("team_member")}
    people = {one.id for one in organisation.accounts if not one.is_bot}
    assert members == {
        (f"gitlab:team:{team.id}", f"gitlab:account:{number}")
        for team in organisation.teams
        for number in {*team.member_account_ids, *team.maintainer_account_ids} & people
    }
    accounts = {row["account_id"]: row for row in reading.rows("account")}
    known = {account.id: account for account in organisation.accounts}
    assert {f"gitlab:account:{number}" for number in people} <= accounts.keys()
    for key, row in accounts.items():
        one = known[int(key.rpartition(":")[2])]
        assert (row["is_bot"], row["email"]) == (one.is_bot, one.email)
    assert any(row["is_bot"] for row in accounts.values())
    assert not any(row["login"] == "ghost" for row in accounts.values())


def test_an_older_gitlab_is_read_by_rest_to_the_same_records(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Without the question of GraphQL only the lines touched are missing."""
    newer = Reading(sandbox, gitlab(sandbox), tmp_path / "newer")
    older_host = gitlab(sandbox, unknown_fields=frozenset({"commitCount"}))
    older = Reading(sandbox, older_host, tmp_path / "older")
    assert newer.sync().errors == older.sync().errors == []
    for table, key in (
        ("change_request", "change_request_id"),
        ("change_request_commit", "sha"),
        ("review", "review_id"),
    ):
        both = [
            sorted(
                ({**row, "additions": None, "deletions": None} for row in reading.rows(table)),
                key=lambda row: (row[key], str(row)),
            )
            for reading in (newer, older)
        ]
        assert both[0] == both[1]
    refused = [seen for seen in older_host.requests if seen.path == "/api/graphql"]
    assert len(refused) < len(older_host.requests) / 4


@pytest.mark.parametrize(
    "settings", [{"complexity": 60}, {"timeout_above_items": 3}], ids=["complexity", "timeout"]
)
def test_questions_that_are_too_heavy_shrink(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """The pages get smaller until GitLab answers, or REST is asked; nothing is missing."""
    reading = Reading(sandbox, gitlab(sandbox, **settings), tmp_path)
    result = reading.sync()
    assert [error for error in result.errors if "change_requests" in error] == []
    assert len(reading.rows("change_request")) == len(changes_of(organisation))
    assert reviews_found(reading) == sorted(
        (row for change in changes_of(organisation) for row in expected_reviews(change)),
        key=lambda row: row[0],
    )


@pytest.mark.parametrize("unknown", [frozenset(), frozenset({"commitCount"})], ids=["new", "old"])
def test_lists_of_many_pages_are_put_together(
    sandbox: Sandbox, tmp_path: Path, unknown: frozenset[str]
) -> None:
    """Two items a page, of every list of both APIs: the records are the same."""
    usual = Reading(sandbox, gitlab(sandbox, unknown_fields=unknown), tmp_path / "usual")
    tiny_host = gitlab(sandbox, unknown_fields=unknown, largest_page=2)
    tiny = Reading(sandbox, tiny_host, tmp_path / "tiny")
    assert usual.sync().errors == tiny.sync().errors == []
    for table in (
        "repository",
        "team",
        "team_member",
        "account",
        "change_request",
        "change_request_commit",
        "review",
    ):
        both = [sorted(map(str, one.rows(table))) for one in (usual, tiny)]
        assert both[0] == both[1], table
    assert tiny.rejects() == 0


def test_a_project_that_moves_between_pulls_keeps_its_history(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number stays, its former key is remembered, and its records do not double."""
    host = gitlab(sandbox)
    reading = Reading(sandbox, host, tmp_path)
    assert reading.sync().errors == []
    before = {row["repository_id"]: row for row in reading.rows("repository")}
    requests = len(reading.rows("change_request"))
    moved = sandbox.organisation.repositories[0]
    path = GitlabView.full_path

    def elsewhere(view: GitlabView, repository: Repository) -> str:
        usual = path(view, repository)
        return f"{view.top.path}/renamed" if repository.id == moved.id else usual

    monkeypatch.setattr(GitlabView, "full_path", elsewhere)
    for _ in range(2):
        assert reading.sync(full=True).errors == []
    after = {row["repository_id"]: row for row in reading.rows("repository")}
    key = f"gitlab:repository:{moved.id}"
    assert after.keys() == before.keys()
    assert after[key]["repository_key"].endswith("/renamed")
    assert after[key]["former_keys"] == [before[key]["repository_key"]]
    assert len(reading.rows("change_request")) == requests


def test_all_projects_of_a_member_go_by_key(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path
) -> None:
    """Past the largest offset too, where lists by number end with 405."""
    host = gitlab(sandbox, largest_page=2, offset_cap=4)
    reading = Reading(sandbox, host, tmp_path, groups=(), membership=True)
    assert reading.sync().errors == []
    assert len(reading.rows("repository")) == len(organisation.repositories) > 4
    assert reading.rows("team") == []


def test_a_project_active_within_the_hour_is_asked_again(tmp_path: Path) -> None:
    """The time of activity moves once an hour: until then it hides what came after it."""
    token = Secret(env="NOT_ASKED")
    connector = GitlabConnector("gitlab", GitlabOptions(groups=("acme",), token=token))
    projects, references = (
        next(one for one in connector.streams() if one.name == name)
        for name in ("repositories", "references")
    )
    active = datetime(2026, 6, 1, 12, tzinfo=UTC)
    project = {
        "id": 7,
        "path_with_namespace": "acme/shop",
        "web_url": "https://git.test/acme/shop",
        "default_branch": "main",
        "last_activity_at": active.isoformat(),
    }
    for mirror, expected in ((False, [False, False, True]), (True, [False, False, False])):
        body = json.dumps([{**project, "mirror": mirror}]).encode()
        line = Line("gitlab", "acme", {}, "https://git.test/x", active, body)
        [scope] = references.scopes_in(line, projects.parse(line))
        told = [
            settled_marker(scope, active + timedelta(minutes=minutes)) is not None
            for minutes in (5, 60, 62)
        ]
        assert told == expected


def test_the_questions_are_well_below_the_limits(sandbox: Sandbox, tmp_path: Path) -> None:
    """Complexity below what even visitors without a token may ask."""
    reading = Reading(sandbox, gitlab(sandbox, complexity=200), tmp_path)
    host_errors = reading.sync().errors
    assert host_errors == []
    assert all(row["additions"] is not None for row in reading.rows("change_request"))


def test_an_unchanged_organisation_costs_a_handful_of_requests(tmp_path: Path) -> None:
    """A hundred projects: eight requests at most, and nothing is kept twice."""
    large = build_organisation(engineers=2, services=100, months=1, end=END)
    assert len(large.repositories) >= 100
    with Sandbox(large, tmp_path / "repositories") as sandbox:
        host = gitlab(sandbox)
        reading = Reading(sandbox, host, tmp_path)
        assert reading.sync().errors == []
        host.requests.clear()
        again = reading.sync()
        assert again.errors == []
        assert (again.pages, again.items) == (0, 0)
        assert again.requests == len(host.requests) <= 8


def test_an_unchanged_organisation_costs_no_git_request(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path
) -> None:
    """Git gives every commit once; no project has been active since."""
    host = gitlab(sandbox)
    reading = Reading(sandbox, host, tmp_path, with_git=True)
    assert reading.sync().errors == []
    reachable = {row["sha"] for row in reading.rows("commit")}
    merged = {change.merge_sha for change in changes_of(organisation) if change.merge_sha}
    assert merged <= reachable
    host.requests.clear()
    assert reading.sync().errors == []
    assert [seen.path for seen in host.requests if ".git/" in seen.path] == []


def test_what_happens_between_two_pulls_is_seen(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path
) -> None:
    """Pulled at three moments, the records end as those of one pull at the last."""
    host = gitlab(sandbox)
    reading = Reading(sandbox, host, tmp_path / "thrice")
    for days in (21, 7, 0):
        sandbox.world.visible_until = END - timedelta(days=days)
        assert reading.sync().errors == []
    once = Reading(sandbox, host, tmp_path / "once")
    assert once.sync().errors == []
    for table, key in (("change_request", "change_request_id"), ("review", "review_id")):
        both = [sorted(one.rows(table), key=lambda row: row[key]) for one in (reading, once)]
        assert both[0] == both[1]


def test_faults_and_limits_lose_nothing(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path
) -> None:
    """Broken answers are asked for again; a pull that fails half way goes on the next time."""
    host = gitlab(sandbox)
    reading = Reading(sandbox, host, tmp_path)
    host.faults.set(Rule(fault=Fault.BAD_GATEWAY, path="/api/graphql", every=5))
    assert reading.sync().errors == []
    assert len(reading.rows("change_request")) == len(changes_of(organisation))


def test_a_vanished_merge_request_is_deleted_by_full_passes(
    organisation: Organisation, repositories: Path, tmp_path: Path
) -> None:
    """Absent from two complete passes; a hidden project takes nothing of its history along."""
    with Sandbox(organisation, repositories) as sandbox:
        host = gitlab(sandbox)
        reading = Reading(sandbox, host, tmp_path)
        assert reading.sync().errors == []
        gone = changes_of(organisation)[0]
        kept = sandbox.world.things
        hidden = gone.id

        def things(*asked: Any, **more: Any) -> list[Any]:
            return [one for one in kept(*asked, **more) if one.id != hidden]

        sandbox.world.things = things  # type: ignore[method-assign]
        assert reading.sync(full=True).errors == []
        assert reading.sync(full=True).errors == []
        left = {row["change_request_id"] for row in reading.rows("change_request")}
        assert f"gitlab:merge_request:{gone.id}" not in left
        assert len(left) == len(changes_of(organisation)) - 1


def test_doctor_says_what_is_visible(sandbox: Sandbox, tmp_path: Path) -> None:
    """Credential, scopes, group, limits; without read_repository it is an error."""
    host = gitlab(sandbox, per_minute=600)
    one = Reading(sandbox, host, tmp_path).connector
    pull = Pull(one.client(), tmp_path, lambda: datetime.now(UTC))
    findings = list(one.diagnose(pull))
    pull.close()
    assert [finding for finding in findings if finding.level == "error"] == []
    told = " ".join(finding.message for finding in findings)
    count = len(sandbox.organisation.repositories)
    assert f"{sandbox.organisation.login} shows {count} projects" in told
    assert "of 600 requests left" in told
    poor = gitlab(sandbox, scopes=("read_api",))
    other = Reading(sandbox, poor, tmp_path / "poor", projects=("no/where",)).connector
    pull = Pull(other.client(), tmp_path, lambda: datetime.now(UTC))
    errors = [finding.message for finding in other.diagnose(pull) if finding.level == "error"]
    pull.close()
    assert any("no scope read_repository" in message for message in errors)
    assert any("no%2Fwhere" in message for message in errors)
