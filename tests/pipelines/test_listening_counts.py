"""What is sent counts: deployments, set-ups and self-service actions in a published build."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines import operations, settings
from pipelines.listening.service import push_connection
from tests.connectors.git_repositories import commit, git, new_repository
from tests.pushing import receiving

NOW = datetime(2026, 3, 30, 8, tzinfo=UTC)
SETTINGS = """\
data = "data"
[connections.git]
repositories = ["shop"]
[connections.push]
"""


@pytest.fixture
def build(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A repository with a day of work, and what its pipeline, portal and people sent of it."""
    repository = new_repository(tmp_path / "shop")
    begun = NOW - timedelta(days=20)
    for hour in range(4):
        commit(repository, f"change {hour}", at=int((begun + timedelta(hours=hour)).timestamp()))
    sha = git(repository, "rev-parse", "HEAD").strip()
    (tmp_path / "leadline.toml").write_text(SETTINGS, encoding="utf-8")
    read = settings.load(tmp_path)

    def moment(hours: float) -> str:
        return (begun + timedelta(hours=hours)).isoformat()

    with receiving(read.data, push_connection(read)) as sender:
        answers = [
            sender.send(
                "setup-events",
                {
                    "id": "s-1",
                    "service": "shop",
                    "template": "service",
                    "repository": "shop",
                    "requester": "ada@example.com",
                    "requested_at": moment(-2),
                    "completed_at": moment(-1),
                },
            ),
            sender.send(
                "setup-events", {"id": "s-2", "service": "till", "requested_at": moment(0)}
            ),
            sender.send(
                "deployments",
                {
                    "id": "d-1",
                    "environment": "production",
                    "created_at": moment(10),
                    "finished_at": moment(11),
                    "commits": [{"repository": "shop", "sha": sha}],
                },
            ),
            sender.send(
                "self-service-actions",
                {
                    "id": "a-1",
                    "category": "create-database",
                    "actor": "ada@example.com",
                    "started_at": moment(3),
                    "completed_at": moment(4),
                },
            ),
        ]
    assert [answer.status_code for answer in answers] == [202] * 4, [a.text for a in answers]
    results = operations.sync(read, now=lambda: NOW)
    assert [result.errors for result in results] == [[], []]
    operations.load_records(read)
    built = operations.build(read, now=lambda: NOW)
    assert built.is_published
    return duckdb.connect(str(built.path), read_only=True)


def test_what_was_sent_counts(build: duckdb.DuckDBPyConnection) -> None:
    """The deployment ships the commits; both set-ups are there, and the action."""
    with build:
        shipped = build.execute("""
            select count(*) from deployment_change as c
            join deployment as d on d.deployment_id = c.deployment_id
            where d.outcome = 'succeeded' and d.origin = 'deployments_api'
        """).fetchall()
        setups = build.execute(
            "select name, start_by, template, deployment_at is not null from service_setup"
            " order by name"
        ).fetchall()
        actions = build.execute("select action, state from self_service order by 1").fetchall()
    assert shipped[0][0] > 0
    assert setups == [("shop", "task", "service", True), ("till", "ticket", None, False)]
    assert ("create-database", "succeeded") in actions
