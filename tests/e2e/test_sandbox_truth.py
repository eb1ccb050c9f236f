"""Connectors, records and models against what the sandbox knows to be true."""

import subprocess
from collections.abc import Iterator, Mapping

import polars as pl
import pytest

from sandbox.forge import Repository
from sandbox.truth_ledger import LiveLedger
from sandbox.truth_measures import MeasureTruth, Period
from tests.e2e.demo_world import DemoWorld, demo_world

STAGES = ("lead_time", "coding", "pickup", "review", "merge", "unreviewed", "deploy")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoWorld]:
    """A busy organisation with a service of every kind, pulled and built once."""
    folder = tmp_path_factory.mktemp("truth")
    with demo_world(folder, engineers=30, services=15, months=7) as world:
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


def deployments_of(world: DemoWorld) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every deployment as it was, and as it was found."""
    truth = world.sandbox.truth.deployments.join(service_names(world), on="service_id").select(
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
        kind=pl.when(pl.col("live_at").is_null()).then(pl.lit("normal")).otherwise("kind"),
        attempts=pl.when(pl.col("attempts") == 0).then(1).otherwise("attempts"),
    )
    return truth, found


def test_every_deployment_is_found(world: DemoWorld) -> None:
    """Attempts are folded, live times right to the second, kinds and outcomes as they happened."""
    truth, found = deployments_of(world)
    assert differences(truth, found, ["service_name", "environment", "started_at", "sha"]) == []


def placed(world: DemoWorld, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of the truth about deployments with what tells the product's deployments apart."""
    deployments = world.sandbox.truth.deployments.join(service_names(world), on="service_id")
    return frame.join(
        deployments.select(
            "deployment_key", "environment", "service_name", "started_at", "sha", "live_at"
        ),
        on=["deployment_key", "environment"],
        how="left",
    )


PLACE = ("service_name", "environment", "started_at", "sha")


def test_every_sign_of_failure_is_found(world: DemoWorld) -> None:
    """Of each deployment just the signs there are, with their confidence, and no other."""
    truth = placed(world, world.sandbox.truth.signals).select(*PLACE, "method", "confidence")
    found = world.ask("""
        select d.service_name, d.environment, d.started_at, d.sha, s.link_method as method,
            s.confidence
        from failure_signal as s join deployment_fact as d on d.deployment_id = s.deployment_id
    """)
    assert differences(counted(truth), counted(found), list(PLACE)) == []


def test_every_failure_begins_and_ends_as_it_did(world: DemoWorld) -> None:
    """What failed, from when, until when and by what it was mended, to the microsecond."""
    truth = placed(world, world.sandbox.truth.failures.drop("live_at")).select(
        *PLACE,
        "is_high",
        "recovered_at",
        "recovery_us",
        "recovered_by",
        methods=pl.col("methods").list.join(","),
    )
    found = world.ask("""
        select d.service_name, d.environment, d.started_at, d.sha, f.is_high, f.recovered_at,
            f.recovery_us, f.recovered_by, array_to_string(list_sort(f.methods), ',') as methods
        from failure as f join deployment_fact as d on d.deployment_id = f.deployment_id
    """)
    assert differences(truth, found, list(PLACE)) == []
    assert truth.height > 50


def test_every_incident_is_linked_to_what_it_names_or_what_was_live(world: DemoWorld) -> None:
    """Once or not at all, to the deployment that the definition says."""
    tickets = world.ask("select ticket_key, ticket_id from ticket_fact")
    truth, found = incidents_of(world, dict(tickets.iter_rows()))
    assert differences(truth, found, ["incident_id"]) == []
    unlinked = world.ask("select count(*) from incident_link where deployment_id is null")
    assert unlinked.item() == truth["method"].null_count() > 3


def incidents_of(world: DemoWorld, names: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every incident as it was, and as it was found; `names`: incident ids by ticket key."""
    truth = placed(world, world.sandbox.truth.incidents.rename({"service_id": "named_id"})).select(
        "resolved_at",
        "method",
        *PLACE,
        incident_id=pl.col("ticket_key").replace_strict(names),
        incident_at="created_at",
        names_service=pl.col("named_id").is_not_null(),
    )
    found = world.ask("""
        select i.incident_id, i.resolved_at, l.link_method as method, d.service_name,
            d.environment, d.started_at, d.sha, i.started_at as incident_at,
            i.service_id is not null as names_service
        from incident as i
        join incident_link as l on l.incident_id = i.incident_id
        left join deployment_fact as d on d.deployment_id = l.deployment_id
    """)
    return truth, found


def test_every_deployment_is_the_kind_of_work_it_was(world: DemoWorld) -> None:
    """Rework, planned or unknown, and whether a fix is in it."""
    truth = placed(world, world.sandbox.truth.rework).select(*PLACE, "state", "contains_fix")
    found = world.ask("""
        select d.service_name, d.environment, d.started_at, d.sha, r.state, r.contains_fix
        from rework as r join deployment_fact as d on d.deployment_id = r.deployment_id
    """)
    assert differences(truth, found, list(PLACE)) == []


def test_measures_of_failure_are_right_in_every_period(world: DemoWorld) -> None:
    """Rates, recovery and what they are made of, per service, over the trailing periods."""
    names = dict(service_names(world).iter_rows())
    ledger = MeasureTruth(LiveLedger(world.organisation))
    periods = world.ask("""
        select p.period, p.start_at, p.end_at, k.as_of
        from input.period as p cross join input.clock as k
        where p.is_current and p.period <> 'week'
    """)
    expected: dict[tuple[str, str, str, str], tuple[float | None, int]] = {}
    for period, start, end, as_of in periods.iter_rows():
        for service, one in ledger.measures(Period(start, end, as_of)).items():
            place = (names[service], period)
            rate, mature = one.change_fail_rate, one.mature
            high = one.failed_high / mature * 100 if mature else None
            expected[*place, "change_fail_rate", "primary"] = rate, mature
            expected[*place, "change_fail_rate", "high"] = high, mature
            expected[*place, "failed_deployment_recovery_time", "median"] = (
                one.recovery_hours,
                one.failed,
            )
            known = one.rework_rate
            expected[*place, "deployment_rework_rate", "known"] = known, one.deployments
    found = world.ask("""
        select s.name, m.period, m.metric, m.variant, m.value, m.n
        from metric as m join service as s on s.service_id = m.entity_id
        where m.entity_type = 'service' and m.environment = 'production' and m.period <> 'week'
    """)
    compared = 0
    for name, period, metric, variant, value, n in found.iter_rows():
        key = (name, period, metric, variant)
        if key in expected:
            assert n == expected[key][1], key
            assert value == (expected[key][0] and pytest.approx(expected[key][0])), key
            compared += 1
    assert compared == len(expected) > 150


def counted(rows: pl.DataFrame) -> pl.DataFrame:
    """Equal rows with their number."""
    return rows.group_by(rows.columns).len()


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
