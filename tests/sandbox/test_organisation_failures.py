"""The truth of failures, incidents and rework: whole, in order, and by the definitions."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.truth import Truth, truth_of
from sandbox.truth_ledger import LiveLedger
from sandbox.truth_measures import MeasureTruth, Period

END = datetime(2026, 11, 2, 12, tzinfo=UTC)
PLACE = ["deployment_key", "environment"]
WINDOW = timedelta(hours=24)


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A busy world with every odd case in it."""
    return build_organisation(seed=3, engineers=40, services=15, months=12, end=END)


@pytest.fixture(scope="module")
def truth(organisation: Organisation) -> Truth:
    """Its frames."""
    return truth_of(organisation)


@pytest.fixture(scope="module")
def live(truth: Truth) -> pl.DataFrame:
    """Deployments that count."""
    return truth.deployments.filter(
        pl.col("environment_class") == "production",
        pl.col("live_at").is_not_null(),
        pl.col("kind") != "redeploy",
    )


def test_every_sign_names_a_deployment_that_counts(truth: Truth, live: pl.DataFrame) -> None:
    """Of every method there are some, and a failure has just the signs that name it."""
    assert set(truth.signals["method"]) == {
        "rollback",
        "revert",
        "hotfix",
        "status",
        "incident_reference",
        "incident_time",
    }
    assert truth.signals.join(live, on=PLACE, how="anti").is_empty()
    methods = truth.signals.group_by(PLACE).agg(pl.col("method").unique().sort())
    joined = truth.failures.join(methods, on=PLACE, how="full")
    assert joined.filter(pl.col("methods") != pl.col("method")).is_empty()
    assert joined.height == truth.failures.height == methods.height
    share = truth.failures.height / live.height
    assert 0.08 < share < 0.2


def test_a_rollback_fails_what_was_live(truth: Truth, live: pl.DataFrame) -> None:
    """Seen from the outside: the latest started of those live by then, redeploys left out."""
    places = live.sort("started_at").rows(named=True)
    by_place = {(row["deployment_key"], row["environment"]): row for row in places}
    rollbacks = truth.signals.filter(pl.col("method") == "rollback").rows(named=True)
    assert len(rollbacks) == live.filter(pl.col("kind") == "rollback").height > 20
    for signal in rollbacks:
        rollback = by_place[signal["subject"], signal["environment"]]
        before = [
            row
            for row in places
            if (row["service_id"], row["environment"])
            == (rollback["service_id"], rollback["environment"])
            and row["live_at"] <= rollback["started_at"]
        ]
        assert before[-1]["deployment_key"] == signal["deployment_key"]


def test_recovery_follows_failing(truth: Truth) -> None:
    """Never before; some are open; all three ways of recovering occur."""
    failures = truth.failures
    assert failures.filter(pl.col("recovered_at") < pl.col("failing_from")).is_empty()
    assert failures.filter(pl.col("failing_from") > pl.col("live_at")).is_empty()
    assert failures["recovered_at"].null_count() > 2
    assert set(failures["recovered_by"].drop_nulls()) == {"rollback", "fix", "incident resolved"}


def test_incidents_are_linked_once_or_not_at_all(truth: Truth, live: pl.DataFrame) -> None:
    """What is named before it can have been the cause; what is not named lies near in time."""
    incidents = truth.incidents.join(
        live.select(*PLACE, "started_at", "live_at"), on=PLACE, how="left"
    )
    assert incidents.height == truth.incidents["ticket_key"].n_unique()
    linked = incidents.filter(pl.col("method").is_not_null())
    assert linked.filter(pl.col("started_at") > pl.col("created_at")).is_empty()
    timed = linked.filter(pl.col("method") == "incident_time")
    assert timed.filter(pl.col("created_at") > pl.col("live_at") + WINDOW).is_empty()
    assert timed["service_id"].null_count() == 0
    for naming in ("team", "nothing"):
        assert incidents.filter(pl.col("naming") == naming)["method"].drop_nulls().is_empty()
    caused = linked.filter(pl.col("cause_key").is_not_null())
    assert caused.filter(pl.col("cause_key") == pl.col("deployment_key")).height > (
        0.8 * caused.height
    )
    chance = linked.filter(pl.col("cause_key").is_null())
    assert chance.height > 0, "incidents of their own that time links to a deployment"


def test_every_state_of_work_occurs(truth: Truth, live: pl.DataFrame) -> None:
    """Each deployment that counts has one; rollbacks and hotfixes are rework."""
    states = Counter(truth.rework["state"])
    assert min(states[name] for name in ("rework", "planned", "unknown")) > 50
    joined = live.join(truth.rework, on=PLACE)
    assert joined.height == live.height == truth.rework.height
    urgent = joined.filter(pl.col("kind").is_in(["rollback", "hotfix"]))
    assert set(urgent["state"]) == {"rework"}
    assert truth.rework.filter(pl.col("contains_fix"), pl.col("state") == "planned").height > 10


def test_measures_count_releases_once(organisation: Organisation, truth: Truth) -> None:
    """A release in two regions is one, failed if it failed in any."""
    period = Period(organisation.started_at, END, END)
    counted = MeasureTruth(LiveLedger(organisation))
    found = counted.measures(period)
    twice = next(s for s in organisation.services if len(s.production_environments) == 2)
    count = truth.rework.filter(pl.col("service_id") == twice.id).height
    assert found[twice.id].deployments < 0.6 * count
    for service, one in found.items():
        assert 0 <= counted.covered_share(service, period) <= 1
        assert one.failed <= one.mature <= one.deployments
        assert one.rework + one.unknown <= one.deployments
    rest = {service: one for service, one in found.items() if service != twice.id}
    others = truth.failures.filter(
        pl.col("service_id") != twice.id, pl.col("live_at") <= END - timedelta(days=7)
    )
    assert sum(one.failed_high for one in rest.values()) == others["is_high"].sum()
    assert sum(one.failed for one in rest.values()) == others.height
    recent = Period(END - timedelta(days=60), END, END)
    shares = [counted.covered_share(service, recent) for service in found]
    assert min(shares) < 0.5 < max(shares), "time reaches too far in some"
    assert sum(one.recovery_hours is not None for one in rest.values()) > 10
