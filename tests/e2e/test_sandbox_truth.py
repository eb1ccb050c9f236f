"""Connectors, records and models against what the sandbox knows to be true."""

import subprocess
from collections.abc import Iterator

import polars as pl
import pytest

from sandbox.forge import Repository
from tests.e2e.demo_world import DemoWorld, demo_world

STAGES = ("lead_time", "coding", "pickup", "review", "merge", "unreviewed", "deploy")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoWorld]:
    """Sixteen engineers with a service of every kind, six months, pulled and built once."""
    folder = tmp_path_factory.mktemp("truth")
    with demo_world(folder, engineers=16, services=15) as world:
        world.sync()
        world.build()
        yield world


def service_names(world: DemoWorld) -> pl.DataFrame:
    """The truth's services under the names that the product gives them."""
    organisation = world.organisation
    return pl.DataFrame(
        [
            (
                service.id,
                service.slug
                if service.paths
                else organisation.repository_by_id[service.repository_id].name,
            )
            for service in organisation.services
        ],
        schema={"service_id": pl.Int64, "service_name": pl.String},
        orient="row",
    )


def change_keys(column: str = "change_id") -> pl.Expr:
    """The product's change ids as the truth's keys: a request's id, a commit's hash."""
    return (
        pl.when(pl.col(column).str.starts_with("commit:"))
        .then("commit:" + pl.col(column).str.extract(r":([0-9a-f]{40})$"))
        .otherwise("request:" + pl.col(column).str.extract(r"(\d+)$"))
        .alias("key")
    )


def true_changes(world: DemoWorld) -> pl.DataFrame:
    """The truth's changes with the earliest production environment each went live in."""
    truth = world.sandbox.truth.changes.join(service_names(world), on="service_id")
    return (
        truth.filter(pl.col("environment_class") == "production")
        .with_columns(
            key=pl.when("is_direct").then("commit:" + pl.col("sha")).otherwise(pl.col("change_key"))
        )
        .sort("live_at", nulls_last=True)
        .unique(["key", "service_name"], keep="first", maintain_order=True)
    )


def test_every_repository_change_request_and_review_arrives(world: DemoWorld) -> None:
    """Counts are right to the unit."""
    organisation = world.organisation
    requests = [r for repository in organisation.repositories for r in repository.change_requests]
    counted = world.records("""
        select
            (select count(*) from repository) as repositories,
            (select count(*) from change_request) as requests,
            (select count(*) from review) as reviews,
            (select count(*) from change_request_commit) as commits,
            (select count(*) from "commit") as graph
    """).row(0, named=True)
    assert counted == {
        "repositories": len(organisation.repositories),
        "requests": len(requests),
        "reviews": sum(len(request.reviews) for request in requests),
        "commits": sum(len(request.commit_shas) for request in requests),
        "graph": sum(reachable(world, repository) for repository in organisation.repositories),
    }
    assert world.records("select * from reject").is_empty()


def reachable(world: DemoWorld, repository: Repository) -> int:
    """How many commits git itself finds on branches and tags."""
    path = world.sandbox.folder / repository.owner / f"{repository.name}.git"
    counted = subprocess.run(
        ["git", "-C", str(path), "rev-list", "--count", "--branches", "--tags"],
        capture_output=True,
        check=True,
    )
    return int(counted.stdout)


def test_every_deployment_is_found(world: DemoWorld) -> None:
    """Attempts are folded, live times right to the second, kinds and outcomes as they happened."""
    deployments = with_hotfixes(world, world.sandbox.truth.deployments)
    truth = deployments.join(service_names(world), on="service_id").select(
        "service_name", "environment", "sha", "started_at", "live_at", "kind", "outcome",
        "is_baseline", attempts=pl.col("attempt_ids").list.len().cast(pl.Int64),
    )  # fmt: skip
    found = world.ask("""
        select service_name, environment, sha, started_at, live_at, kind, outcome, is_baseline,
            attempts
        from deployment_fact
    """)
    # What never went live ships nothing; what it would have been is nobody's kind.
    truth = truth.with_columns(
        kind=pl.when(pl.col("live_at").is_null() & (pl.col("kind") != "hotfix"))
        .then(pl.lit("normal"))
        .otherwise("kind"),
        attempts=pl.when(pl.col("attempts") == 0).then(1).otherwise("attempts"),
    )
    assert differences(truth, found, ["service_name", "environment", "started_at", "sha"]) == []


def with_hotfixes(world: DemoWorld, deployments: pl.DataFrame) -> pl.DataFrame:
    """The truth's deployments, those of hotfixes alone called so: all people's changes marked."""
    requests = [r for each in world.organisation.repositories for r in each.change_requests]
    marked = [f"request:{r.id}" for r in requests if "hotfix" in (*r.labels, r.head_branch[:6])]
    people = world.sandbox.truth.changes.filter(
        (pl.col("relation") == "shipped") & ~pl.col("is_bot")
    )
    hotfixes = (
        people.group_by("deployment_key")
        .agg(pl.col("change_key").is_in(marked).all())
        .filter("change_key")["deployment_key"]
    )
    is_hotfix = pl.col("kind").is_in(["normal", "config"]) & pl.col("deployment_key").is_in(
        hotfixes.implode()
    )
    kind = pl.when(is_hotfix).then(pl.lit("hotfix")).otherwise("kind")
    return deployments.with_columns(kind=kind)


def test_every_change_is_attributed_to_the_deployment_that_shipped_it(world: DemoWorld) -> None:
    """By ancestry, to the second, for change requests and direct commits alike."""
    truth = true_changes(world).filter(pl.col("relation").is_in(["shipped", "baseline"]))
    found = world.ask("""
        select change_id, service_name, relation, live_at from change_fact
        where relation in ('shipped', 'baseline')
    """).select(change_keys(), "service_name", "relation", "live_at")
    columns = ["key", "service_name", "relation", "live_at"]
    assert differences(truth.select(columns), found, ["key", "service_name"]) == []


def test_lead_times_and_stages_are_right_to_the_microsecond(world: DemoWorld) -> None:
    """The stages of each change are those that happened."""
    durations = [f"{stage}_us" for stage in STAGES]
    truth = true_changes(world).filter(pl.col("relation") == "shipped")
    found = world.ask("select * from change_fact where relation = 'shipped'").with_columns(
        change_keys()
    )
    columns = ["key", "service_name", *durations]
    assert differences(truth.select(columns), found.select(columns), ["key", "service_name"]) == []
    assert truth.height > 100


def test_waiting_changes_wait(world: DemoWorld) -> None:
    """What no production deployment contains is not live yet."""
    truth = true_changes(world).filter(pl.col("relation") == "pending")
    found = world.ask("""
        select change_id, service_name from change_fact
        where relation = 'not_live' and service_id in (select service_id from release_live)
    """).select(change_keys(), "service_name")
    assert sorted(found.rows()) == sorted(truth.select("key", "service_name").rows())


def test_tickets_flow_as_they_did(world: DemoWorld) -> None:
    """Created, started and resolved to the second, whatever the statuses are called."""
    truth = world.sandbox.truth.tickets.select(
        "ticket_key", "created_at", "started_at", "resolved_at", "cycle_time_us"
    )
    found = world.ask("""
        select ticket_key, created_at, started_at, resolved_at, cycle_time_us
        from ticket_fact where ticket_id like 'jira:%'
    """)
    assert differences(truth, found, ["ticket_key"]) == []


def test_accounts_of_one_person_are_one_person(world: DemoWorld) -> None:
    """Noreply addresses and logins meet; two people are never one."""
    people = world.sandbox.truth.people
    found = world.ask("select account_id, person_id from account_person")
    by_account = dict(found.rows())
    persons = set()
    for person in people.iter_rows(named=True):
        if person["login"] is None:
            continue
        account = next(
            (a for a in by_account if a.casefold().endswith(f":{person['login']}".casefold())), None
        )
        if account is not None:
            assert by_account[account] not in persons
            persons.add(by_account[account])
    assert len(persons) >= people.height // 2


def test_a_second_sync_changes_nothing(world: DemoWorld) -> None:
    """Twice synced is once synced, for at most five API requests and none of git."""
    before = world.ask("select * from change_fact order by change_id, service_id")
    world.sandbox.requests.clear()
    world.sync()
    paths = [request.path for request in world.sandbox.requests]
    assert len(paths) <= 5
    assert not any(".git/" in path for path in paths)
    world.build()
    after = world.ask("select * from change_fact order by change_id, service_id")
    assert after.equals(before)


def test_a_rebuild_from_landing_equals_the_first(world: DemoWorld) -> None:
    """Only the landing store cannot be rebuilt."""
    before = world.ask("select * from deployment_fact order by deployment_id")
    (world.settings.data / "records.duckdb").unlink()
    world.build()
    after = world.ask("select * from deployment_fact order by deployment_id")
    assert after.equals(before)


def differences(truth: pl.DataFrame, found: pl.DataFrame, keys: list[str]) -> list[object]:
    """Rows that are only in one of two frames, or differ; empty when they agree."""
    found = found.select(truth.columns).cast(truth.schema)
    only_truth = truth.join(found, on=truth.columns, how="anti", nulls_equal=True)
    only_found = found.join(truth, on=truth.columns, how="anti", nulls_equal=True)
    rows = pl.concat(
        [
            only_truth.with_columns(side=pl.lit("truth")),
            only_found.with_columns(side=pl.lit("found")),
        ]
    ).sort(keys)
    return [f"{rows.height} rows differ", *rows.head(10).rows(named=True)] if rows.height else []
