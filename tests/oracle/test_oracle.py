"""The build against a naive second implementation of the definitions, on random real histories.

`LEADLINE_ORACLE_SEEDS=0-199` tries as many worlds as it says; by default there are a few.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.oracle import product
from tests.oracle.changes import Arrival, Change, arrivals, every_change, stages
from tests.oracle.deployments import Deployment, fold, relate
from tests.oracle.facts import Facts
from tests.oracle.repository import Repository
from tests.oracle.worlds import tell
from tests.pipelines.stories import Story

FIRST, _, LAST = os.environ.get("LEADLINE_ORACLE_SEEDS", "0-9").partition("-")
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)
STAGES = ("lead_time", "coding", "pickup", "review", "merge", "deploy", "unreviewed")
WHOLE = ""


@dataclass(repr=False)
class Opinion:
    """What the oracle says about one world; `arrivals` per environment, '' all of production."""

    facts: Facts
    repository: Repository
    deployments: list[Deployment]
    changes: list[Change]
    arrivals: dict[str, dict[str, Arrival]]


def opinion(facts: Facts) -> Opinion:
    """Ask the oracle."""
    repository = Repository(facts.path)
    deployments = fold(facts.attempts)
    environments = {each.environment for each in deployments}
    places = {
        environment: [each for each in deployments if each.environment == environment]
        for environment in sorted(environments)
    }
    for place in places.values():
        relate(repository, place)
    places[WHOLE] = [each for each in deployments if each.environment in facts.production]
    changes = every_change(repository, facts, deployments)
    return Opinion(
        facts,
        repository,
        deployments,
        changes,
        {name: arrivals(changes, repository, place) for name, place in places.items()},
    )


@pytest.fixture(scope="module")
def opinions(tmp_path_factory: pytest.TempPathFactory) -> list[Opinion]:
    """Every seed's world as the oracle sees it."""
    folder = tmp_path_factory.mktemp("worlds")
    return [opinion(tell(folder, seed)) for seed in SEEDS]


@pytest.fixture(scope="module")
def built(opinions: list[Opinion], tmp_path_factory: pytest.TempPathFactory) -> Story:
    """All worlds in one build."""
    return product.build(tmp_path_factory.mktemp("build"), [each.facts for each in opinions])


Rows = Mapping[object, tuple[object, ...]]


def agree(expected: Rows, found: Rows) -> None:
    """Fail with some rows that only one side has."""
    keys = sorted(
        (key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)),
        key=str,
    )
    rows = [f"{key}:\n  oracle  {expected.get(key)}\n  product {found.get(key)}" for key in keys]
    if rows:
        pytest.fail(f"{len(rows)} of {len(expected)} rows differ:\n" + "\n".join(rows[:8]))


def name(deployment: Deployment | None) -> str | None:
    """A deployment by its first attempt, which the product's id ends with."""
    return deployment.id if deployment is not None else None


def test_deployments_are_folded_and_related_alike(opinions: list[Opinion], built: Story) -> None:
    """Attempts, times, outcome; relation, what a rollback failed and undid, what it drops."""
    expected: dict[object, tuple[object, ...]] = {
        (each.id,): (
            each.environment,
            each.sha,
            len(each.parts),
            each.started,
            each.live,
            each.outcome,
            each.relation,
            each.relation if each.relation in {"rollback", "redeploy"} else "other",
            each.environment in one.facts.production,
            name(each.live_before),
            name(each.failed),
            sorted(other.id for other in each.undone),
            each.dropped,
        )
        for one in opinions
        for each in one.deployments
    }
    rows = built.ask("""
        select split_part(d.deployment_id, '|', 2), d.environment, d.sha, d.attempts, d.started_at,
            d.live_at, d.outcome, d.relation,
            case when d.kind in ('rollback', 'redeploy') then d.kind else 'other' end,
            d.environment_class = 'production', split_part(r.live_deployment_id, '|', 2),
            split_part(r.failed_deployment_id, '|', 2),
            coalesce(list_sort(list_transform(
                r.undone_deployment_ids, lambda id: split_part(id, '|', 2))), []),
            r.dropped
        from deployment as d
        left join deployment_relation as r on r.deployment_id = d.deployment_id
    """)
    agree(expected, {(row[0],): row[1:] for row in rows})
    told = Counter(each.relation for one in opinions for each in one.deployments)
    assert len(told) == 8, f"the worlds do not show every relation: {told}"


def test_every_change_arrives_with_the_same_deployment(
    opinions: list[Opinion], built: Story
) -> None:
    """Per environment and in production as a whole: by which deployment, and how sure."""
    expected: dict[object, tuple[object, ...]] = {
        (environment, change_id): (arrival.deployment.id, arrival.relation)
        for one in opinions
        for environment, found in one.arrivals.items()
        for change_id, arrival in found.items()
    }
    rows = built.ask("""
        select environment, change_id, split_part(deployment_id, '|', 2), relation
        from deployment_change
    """)
    agree(expected, {row[:2]: row[2:] for row in rows})
    told = Counter(row[1] for row in expected.values())
    assert len(told) == 3, f"the worlds do not show every way: {told}"


def test_lead_time_and_stages_agree_to_the_microsecond(
    opinions: list[Opinion], built: Story
) -> None:
    """For every change, those without a lead time included."""
    expected: dict[object, tuple[object, ...]] = {}
    for one in opinions:
        for change in one.changes:
            arrival = one.arrivals[WHOLE].get(change.id)
            relation = "not_live" if arrival is None else arrival.relation
            spans = stages(change, arrival, one.facts.bots) if arrival is not None else None
            expected[change.id,] = (
                relation,
                change.start,
                change.merged,
                *((spans or {}).get(each) for each in STAGES),
            )
    columns = ", ".join(f"{each}_us" for each in STAGES)
    rows = built.ask(f"select change_id, relation, start_at, merged_at, {columns} from change_fact")
    agree(expected, {(row[0],): row[1:] for row in rows})
    assert len({row[3] for row in expected.values()}) > len(SEEDS) * 10
