"""An organisation read through GitLab and Jira alone, against what the sandbox knows to be true."""

import os
from collections.abc import Iterator

import polars as pl
import pytest

from pipelines.settings import parse
from sandbox.generate import build_organisation
from sandbox.gitlab_protocol import GitlabSettings
from sandbox.server import Sandbox
from tests.e2e.demo_world import END, DemoWorld, settings_text
from tests.e2e.test_sandbox_truth import change_keys, differences, service_names, true_changes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoWorld]:
    """A busy organisation with a service of every kind, its code and delivery on GitLab."""
    folder = tmp_path_factory.mktemp("gitlab-truth")
    organisation = build_organisation(engineers=30, services=15, months=7, end=END)
    with Sandbox(organisation, folder / "git") as sandbox:
        gitlab = GitlabSettings(repositories=sandbox.repositories)
        os.environ["SANDBOX_GITLAB_TOKEN"] = gitlab.token
        connection = f"""
[connections.gitlab]
base_url = "{sandbox.host("gitlab", gitlab).url}"
groups = ["{organisation.login}"]
token = {{ env = "SANDBOX_GITLAB_TOKEN" }}
paths = true
"""
        text = settings_text(sandbox, folder / "data")
        before, _, rest = text.partition("[connections.github]")
        text = (
            before + connection + "\n[connections.jira]" + rest.partition("[connections.jira]")[2]
        )
        settings = parse(text.encode(), folder / "data" / "leadline.toml")
        world = DemoWorld(sandbox=sandbox, settings=settings)
        world.sync()
        world.build()
        yield world


def test_nothing_is_rejected(world: DemoWorld) -> None:
    """All of it can be read, and none of it through GitHub."""
    assert world.records("select * from reject").is_empty()
    assert set(world.records("select distinct connection from repository")["connection"]) == {
        "gitlab"
    }


def test_every_deployment_is_found(world: DemoWorld) -> None:
    """Whatever shows it: the API, pipelines, releases, tags or merges; live to the second."""
    columns = ["service_name", "environment", "sha", "started_at", "live_at", "is_baseline"]
    truth = world.sandbox.truth.deployments.join(service_names(world), on="service_id").select(
        *columns,
        # A job has one end: GitLab cannot say that what succeeded failed later.
        pl.col("outcome").replace("failed_after_live", "succeeded"),
        attempts=pl.col("attempt_ids").list.len().cast(pl.Int64).clip(1),
    )
    found = world.ask(f"select {', '.join(columns)}, outcome, attempts from deployment_fact")
    assert differences(truth, found, ["service_name", "environment", "started_at", "sha"]) == []
    assert truth.height > 200
    origins = world.ask("select distinct origin from deployment_fact")["origin"]
    assert {"deployments_api", "ci", "release", "tag", "merge"} <= set(origins)


def test_every_change_is_attributed_to_the_deployment_that_shipped_it(world: DemoWorld) -> None:
    """By ancestry, to the second, for merge requests and direct commits alike."""
    columns = ["key", "service_name", "relation", "live_at"]
    is_live = pl.col("relation").is_in(["shipped", "baseline"])
    truth = true_changes(world).filter(is_live).select(columns)
    found = (
        world.ask("select change_id, service_name, relation, live_at from change_fact")
        .select(change_keys(), "service_name", "relation", "live_at")
        .filter(is_live)
    )
    assert differences(truth, found, ["key", "service_name"]) == []
    assert truth.height > 200


def test_lead_times_are_right_to_the_microsecond(world: DemoWorld) -> None:
    """From the first commit to the deployment."""
    columns = ["key", "service_name", "lead_time_us", "deploy_us"]
    truth = true_changes(world).filter(pl.col("relation") == "shipped").select(columns)
    found = (
        world.ask("select * from change_fact where relation = 'shipped'")
        .with_columns(change_keys())
        .select(columns)
    )
    assert differences(truth, found, ["key", "service_name"]) == []
