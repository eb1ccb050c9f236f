"""An organisation whose tools are of several vendors, against what is known to be true of it.

Code on GitLab, builds and production of Jenkins, staging of Argo CD, incidents of PagerDuty,
tickets of Jira, the catalog of Backstage: the questions are those of the organisation that has all
in one place.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines import operations
from pipelines.commands.demo import write_settings
from pipelines.inputs import Clock
from pipelines.settings import parse
from sandbox.argocd_payloads import FAILED_AFTER
from sandbox.introduction import introduce
from sandbox.outcomes import DeploymentOutcome
from sandbox.pagerduty_payloads import incident_name
from sandbox.server import Sandbox
from sandbox.truth_platform import PlatformTruth
from sandbox.worlds import MIXED, build_world
from tests.e2e.demo_world import DemoWorld
from tests.e2e.test_sandbox_truth import (  # noqa: F401  asked of this world as well
    deployments_of,
    differences,
    incidents_of,
    test_every_change_is_attributed_to_the_deployment_that_shipped_it,
    test_every_failure_begins_and_ends_as_it_did,
    test_lead_times_and_stages_are_right_to_the_microsecond,
    test_measures_of_failure_are_right_in_every_period,
    test_waiting_changes_wait,
)
from tests.e2e.world_builds import END

ASKED_AFTER = 60  # so many of the latest syncs


def latest_to_staging(sandbox: Sandbox) -> list[DeploymentOutcome]:
    """The latest of them, by their end."""
    staged = [
        one
        for one in sandbox.organisation.deployment_outcomes
        if one.environment_class == "staging" and one.outcome != "running"
    ]
    return sorted(staged, key=ended_at)[-ASKED_AFTER:]


def ended_at(outcome: DeploymentOutcome) -> datetime:
    """When a sync was over."""
    return outcome.live_at or outcome.started_at + FAILED_AFTER


@pytest.fixture(scope="module")
def world(quick_folder: Path) -> Iterator[DemoWorld]:
    """The mixed organisation, pulled over real HTTP and real Git and built."""
    organisation = build_world(MIXED, end=END)
    with Sandbox(organisation, quick_folder / "git") as sandbox:
        path = write_settings(quick_folder, introduce(sandbox, quick_folder / "files"))
        settings = parse(path.read_bytes(), path)
        settings = settings.model_copy(update={"data": quick_folder / "data"})
        world = DemoWorld(sandbox=sandbox, settings=settings)
        for outcome in latest_to_staging(sandbox):
            # Argo CD forgets: it is asked after every sync, as a company asks it every hour.
            sandbox.world.visible_until = ended_at(outcome) + timedelta(minutes=3)
            (pulled,) = operations.sync(settings, ["argocd"])
            assert pulled.errors == []
        sandbox.world.visible_until = END
        world.sync()
        operations.load_records(settings)
        operations.build(settings, moment=Clock(END, "the end of the made-up world"))
        yield world


def test_every_source_is_another_vendors(world: DemoWorld) -> None:
    """No run and no deployment comes from the host of the code."""
    told = world.records("""
        select 'code' as what, connection from repository union
        select 'runs', connection from pipeline_run union
        select 'staging', connection from deployment_attempt union
        select 'tickets', connection from ticket union
        select 'incidents', connection from incident union
        select 'catalog', connection from catalog_entity
    """)
    assert sorted(told.rows()) == [
        ("catalog", "backstage"),
        ("code", "gitlab"),
        ("incidents", "pagerduty"),
        ("runs", "jenkins"),
        ("staging", "argocd"),
        ("tickets", "gitlab"),
        ("tickets", "jira"),
    ]
    assert world.records("select * from reject").is_empty()


def test_every_deployment_to_production_is_found(world: DemoWorld) -> None:
    """Of Jenkins, of releases at GitLab, by tag: each to the second, with its kind and outcome."""
    live = pl.col("environment").str.contains("staging").not_()
    truth, found = (frame.filter(live) for frame in deployments_of(world))
    assert differences(truth, found, ["service_name", "environment", "started_at", "sha"]) == []
    assert truth.height > 300


def test_what_went_to_staging_is_found_from_when_it_was_asked_for(world: DemoWorld) -> None:
    """Each success of Argo CD with the commit of its image; a failed sync tells of no image."""
    columns = ["service_name", "environment", "sha", "started_at", "live_at"]
    first = min(one.started_at for one in latest_to_staging(world.sandbox))
    staged = pl.col("environment").str.contains("staging") & (pl.col("started_at") >= first)
    is_live = pl.col("live_at").is_not_null()
    truth, found = (
        frame.filter(staged).with_columns(sha=pl.when(is_live).then("sha")).select(columns)
        for frame in deployments_of(world)
    )
    assert differences(truth, found, columns) == []
    assert truth.height >= ASKED_AFTER
    assert 0 < truth["live_at"].null_count() < 10


def test_the_verdict_is_that_of_the_world(world: DemoWorld) -> None:
    """State by state, and the answer."""
    expected = MIXED.expected
    assert expected is not None
    states = dict(
        world.ask("""
            select threshold, state from threshold_state
            where evaluated_at = (select max(evaluated_at) from threshold_state)
        """).rows()
    )
    assert states == {name: getattr(expected, name) for name in states}
    assert len(states) == 4
    answer = world.ask("select answer from verdict order by evaluated_at desc limit 1").item()
    assert answer == expected.answer
    truth = PlatformTruth(world.organisation)
    row = world.ask("""
        select value, n, measured_at from threshold_state where threshold = 'setup_time'
        order by evaluated_at desc limit 1
    """).row(0, named=True)
    share = truth.setups(row["measured_at"])
    assert (row["value"], row["n"]) == (pytest.approx(share.value), share.whole)


def test_every_page_is_linked_to_what_its_notes_name_or_what_was_live(world: DemoWorld) -> None:
    """Pages that were merged are one incident; each is linked once or not at all."""
    tickets = world.organisation.ticket_site.tickets
    names = {ticket.key: f"pagerduty:incident:{incident_name(ticket)}" for ticket in tickets}
    truth, found = incidents_of(world, names)
    assert differences(truth, found, ["incident_id"]) == []
    told = world.sandbox.organisation.incident_outcomes
    assert len(told) > truth.height > 20
    assert set(truth["method"]) == {"incident_reference", "incident_time", None}


def test_deployments_are_frequent_as_they_were(world: DemoWorld) -> None:
    """How many of each service went live and shipped something, in every trailing period."""
    found = world.ask("""
        select count(*) as live from deployment_fact where is_counted
    """).item()
    truth = world.sandbox.truth.deployments
    live = truth.filter(
        (truth["environment_class"] == "production")
        & truth["live_at"].is_not_null()
        & (truth["kind"] != "redeploy")
    )
    assert found == live.height > 50
