"""The GitHub connector against the sandbox, over real HTTP and git, through the pull loop."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.connector import Finding, Pull, Stream
from connectors.git_streams import GitStream
from connectors.github import GithubConnector
from connectors.github_options import GithubApp, GithubOptions
from connectors.secret import Secret
from pipelines.sync import SyncResult
from sandbox.faults import Fault, Rule
from sandbox.generate import build_organisation
from sandbox.github_protocol import GithubSettings
from sandbox.organisation import Organisation
from sandbox.server import Sandbox
from tests.pulling import loaded, pull

END = datetime(2026, 6, 1, tzinfo=UTC)
TABLES = (
    "repository", "team", "team_member", "account", "change_request", "change_request_commit",
    "review", "deployment_attempt", "deployment_status", "release", "pipeline_run", "ticket",
    "ticket_transition", "reference", "commit",
)  # fmt: skip

OF_THE_RUN = {
    "connection", "stream", "scope", "requested_at", "version_at", "seen_at", "sighted_at",
    "batch_id", "line",
}  # fmt: skip


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A small generated organisation."""
    return build_organisation(engineers=6, months=2, end=END)


class WithoutGit(GithubConnector):
    """The API's streams alone: clones take most of the time, and have tests of their own."""

    backoff_seconds = 0.0

    def streams(self) -> tuple[Stream, ...]:
        """All but git's."""
        return tuple(one for one in super().streams() if not isinstance(one, GitStream))


class Reading:
    """A connection to a sandbox with its own landing."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, *, is_without_git: bool = True, **options: Any
    ) -> None:
        self.folder = folder
        token = folder / "token"
        token.write_text(sandbox.token, encoding="utf-8")
        settings: dict[str, Any] = {
            "organisation": sandbox.organisation.login,
            "token": Secret(file=token),
            "base_url": sandbox.github_url,
        }
        kind = WithoutGit if is_without_git else GithubConnector
        self.connector = kind("github", GithubOptions(**{**settings, **options}))

    def sync(self, *, full: bool = False) -> SyncResult:
        """Pull everything once."""
        return pull(self.folder, self.connector, full=full)

    def tables(self) -> dict[str, list[str]]:
        """The records without the columns that tell of the run."""
        with loaded(self.folder) as con:
            return {table: _rows(con, table) for table in TABLES}


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    names = [row[0] for row in con.execute(f'describe "{table}"').fetchall()]
    chosen = ", ".join(f'"{name}"' for name in names if name not in OF_THE_RUN)
    rows = con.execute(f'select {chosen} from "{table}"').fetchall()
    # Every run of the sandbox has another port.
    return sorted(re.sub(r"127\.0\.0\.1:\d+", "host", repr(row)) for row in rows)


def test_everything_the_sandbox_holds_becomes_records(
    sandbox: Sandbox, organisation: Organisation, tmp_path: Path
) -> None:
    """Counts agree to the unit, and nothing is rejected."""
    reading = Reading(sandbox, tmp_path)
    assert reading.sync().errors == []
    found = {table: len(rows) for table, rows in reading.tables().items()}
    repositories = organisation.repositories
    changes = [each for one in repositories for each in one.change_requests]
    deployments = [each for one in repositories for each in one.deployments]
    assert found["repository"] == len(repositories)
    assert found["change_request"] == len(changes)
    assert found["review"] == sum(len(each.reviews) for each in changes)
    assert found["change_request_commit"] == sum(len(each.commit_shas) for each in changes)
    assert found["deployment_attempt"] == len(deployments)
    assert found["deployment_status"] == sum(len(each.statuses) for each in deployments)
    assert found["release"] == sum(len(one.releases) for one in repositories)
    assert found["pipeline_run"] == sum(len(one.runs) for one in repositories)
    assert found["ticket"] == sum(len(one.issues) for one in repositories)
    assert found["team"] == len(organisation.teams)


def test_an_unchanged_organisation_costs_a_handful_of_requests(tmp_path: Path) -> None:
    """A hundred repositories: five API requests at most, and nothing is kept twice."""
    large = build_organisation(engineers=2, services=100, months=1, end=END)
    assert len(large.repositories) >= 100
    with Sandbox(large, tmp_path / "repositories") as sandbox:
        reading = Reading(sandbox, tmp_path)
        assert reading.sync().errors == []
        sandbox.requests.clear()
        again = reading.sync()
        assert again.errors == []
        assert (again.pages, again.items) == (0, 0)
        assert again.requests == len(sandbox.requests) <= 5


def test_an_unchanged_organisation_costs_no_git_request(sandbox: Sandbox, tmp_path: Path) -> None:
    """The probe shows that nobody has pushed."""
    reading = Reading(sandbox, tmp_path, is_without_git=False)
    assert reading.sync().errors == []
    assert reading.tables()["commit"] != []
    sandbox.requests.clear()
    assert reading.sync().errors == []
    assert [seen.path for seen in sandbox.requests if ".git/" in seen.path] == []


def test_twice_synced_is_once_synced(sandbox: Sandbox, tmp_path: Path) -> None:
    """A second full pass gives the same tables."""
    reading = Reading(sandbox, tmp_path)
    reading.sync()
    once = reading.tables()
    reading.sync(full=True)
    assert reading.tables() == once


FAULTS = [
    Rule(fault=Fault.TOO_MANY_REQUESTS, every=3, once_per_url=False, at_most=3, seconds=0.01),
    Rule(fault=Fault.SECONDARY_LIMIT, every=4, at_most=3, seconds=0.01),
    Rule(fault=Fault.SERVER_ERROR, every=5, at_most=5),
    Rule(fault=Fault.BAD_GATEWAY, path="graphql", every=5, at_most=5),
    Rule(fault=Fault.RESET, path="graphql|actions", every=5, at_most=5),
    Rule(fault=Fault.TRUNCATED, path="graphql|actions", every=5, at_most=5),
    Rule(fault=Fault.MALFORMED_JSON, path="graphql|actions", every=5, at_most=5),
    Rule(fault=Fault.HTML, path="graphql|actions", every=5, at_most=5),
    Rule(fault=Fault.GRAPHQL_PARTIAL, path="graphql", every=7, at_most=4),
]


@pytest.fixture(scope="module")
def undisturbed(
    organisation: Organisation, repositories: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What a pull without faults finds."""
    with Sandbox(organisation, repositories) as sandbox:
        reading = Reading(sandbox, tmp_path_factory.mktemp("undisturbed"))
        reading.sync()
        return reading.tables()


@pytest.mark.parametrize("rule", FAULTS, ids=[rule.fault.value for rule in FAULTS])
def test_faults_cost_requests_and_nothing_else(
    rule: Rule,
    sandbox: Sandbox,
    undisturbed: dict[str, list[str]],
    tmp_path: Path,
) -> None:
    """The tables are those of an undisturbed pull."""
    reading = Reading(sandbox, tmp_path)
    sandbox.faults.set(rule)
    result = reading.sync()
    assert sandbox.faults.hits
    assert result.errors == []
    assert reading.tables() == undisturbed


def test_pages_too_heavy_for_github_are_asked_for_in_parts(
    organisation: Organisation,
    repositories: Path,
    undisturbed: dict[str, list[str]],
    tmp_path: Path,
) -> None:
    """A server that gives up on large queries still gives everything."""
    with Sandbox(
        organisation, repositories, github=GithubSettings(timeout_above_nodes=4000)
    ) as sandbox:
        reading = Reading(sandbox, tmp_path)
        assert reading.sync().errors == []
        assert reading.tables() == undisturbed


def test_an_app_renews_its_token_during_the_run(
    organisation: Organisation,
    repositories: Path,
    undisturbed: dict[str, list[str]],
    tmp_path: Path,
) -> None:
    """Installation tokens that die after five requests are replaced as they die."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = tmp_path / "app.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    app = GithubApp(id="4711", installation=815, private_key=Secret(file=pem))
    settings = GithubSettings(app_token_uses=5)
    with Sandbox(organisation, repositories, github=settings) as sandbox:
        reading = Reading(sandbox, tmp_path, token=None, app=app, concurrency=1)
        assert reading.sync().errors == []
        assert (
            sandbox.requests.by_template()[
                "POST /app/installations/{installation_id}/access_tokens"
            ]
            > 2
        )
        assert reading.tables() == undisturbed


def test_patterns_leave_repositories_out(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is left out becomes no record and costs no request."""
    names = sorted(one.name for one in sandbox.organisation.repositories)
    reading = Reading(sandbox, tmp_path, exclude=names[1:])
    assert reading.sync().errors == []
    assert len(reading.tables()["repository"]) == 1


def test_named_repositories_need_no_organisation(sandbox: Sandbox, tmp_path: Path) -> None:
    """One that is not there is told by its name; the others are read."""
    full_name = sandbox.organisation.repositories[0].full_name
    reading = Reading(
        sandbox, tmp_path, organisation=None, repositories=(full_name, "nobody/nothing")
    )
    result = reading.sync()
    assert len(result.errors) == 1
    assert "there is no repository nobody/nothing" in result.errors[0]
    tables = reading.tables()
    assert len(tables["repository"]) == 1
    assert tables["change_request"] != []
    assert tables["team"] == []


def findings(reading: Reading, folder: Path) -> list[Finding]:
    """What `doctor` says."""
    pull = Pull(reading.connector.client(), folder, lambda: datetime.now(UTC))
    try:
        return list(reading.connector.diagnose(pull))
    finally:
        pull.close()


def test_a_good_connection_is_found_good(sandbox: Sandbox, tmp_path: Path) -> None:
    """Credential, scopes, limits, clock and organisation."""
    found = findings(Reading(sandbox, tmp_path), tmp_path)
    assert {finding.subject for finding in found if finding.level == "ok"} >= {
        "credential",
        "scopes",
        "rate limit",
        "organisation",
    }
    assert not [finding for finding in found if finding.level == "error"]


def test_missing_scopes_and_wrong_tokens_are_told(
    organisation: Organisation, repositories: Path, tmp_path: Path
) -> None:
    """Each with what will be missing and how to mend it."""
    with Sandbox(organisation, repositories, github=GithubSettings(scopes=("repo",))) as sandbox:
        found = findings(Reading(sandbox, tmp_path), tmp_path)
        assert any("no scope read:org: teams and members stay" in each.message for each in found)
        wrong = Reading(sandbox, tmp_path, organisation="nobody")
        assert findings(wrong, tmp_path)[-1].level == "error"
        (tmp_path / "token").write_text("wrong", encoding="utf-8")
        wrong.connector = GithubConnector("github", wrong.connector.options)
        [refused] = findings(wrong, tmp_path)
    assert refused.level == "error"
    assert "wrong or expired" in refused.message
