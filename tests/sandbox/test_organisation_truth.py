"""The truth of the sandbox against a second opinion that walks ancestry and folds attempts."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from sandbox.forge import ChangeRequest, Repository
from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.outcomes import ChangeOutcome, DeploymentOutcome
from sandbox.staff import Service
from sandbox.truth import Truth, truth_of
from tests.sandbox.ancestry import (
    Folded,
    Graph,
    fold_attempts,
    fold_runs,
    from_merges,
    from_tags,
    kinds,
    ship_commits,
    touched_by,
)

END = datetime(2026, 11, 2, 12, tzinfo=UTC)
STAGES = ("coding_us", "pickup_us", "review_us", "merge_us", "unreviewed_us", "deploy_us")


@pytest.fixture(scope="module", params=[3, 11], ids=lambda seed: f"seed-{seed}")
def organisation(request: pytest.FixtureRequest) -> Organisation:
    """A world of middle size with every odd case in it."""
    return build_organisation(seed=request.param, engineers=34, months=9, end=END)


@pytest.fixture(scope="module")
def truth(organisation: Organisation) -> Truth:
    """Its frames."""
    return truth_of(organisation)


def environments(service: Service) -> list[str]:
    """All environments of a service."""
    staging = [] if service.staging_environment is None else [service.staging_environment]
    return [*service.production_environments, *staging]


def observed(organisation: Organisation, service: Service, environment: str) -> list[Folded]:
    """Deployments as an outsider sees them."""
    repository = organisation.repository_by_id[service.repository_id]
    if service.origin in {"releases", "tags"}:
        return from_tags(repository)
    if service.origin == "merges":
        return from_merges(repository)
    if service.origin == "runs":
        return fold_runs(list(repository.runs))
    return fold_attempts(
        [
            deployment
            for deployment in repository.deployments
            if deployment.service_id == service.id and deployment.environment == environment
        ]
    )


def true_deployments(
    organisation: Organisation, service: Service, environment: str
) -> dict[str, DeploymentOutcome]:
    """Deployments as the ledger has them."""
    return {
        outcome.deployment_key: outcome
        for outcome in organisation.deployment_outcomes
        if outcome.service_id == service.id and outcome.environment == environment
    }


def test_attempts_fold_to_the_deployments_of_the_truth(organisation: Organisation) -> None:
    """Sixty-minute folding of the API's deployments gives the ledger's, with the same moments."""
    count = 0
    for service in organisation.services:
        for environment in environments(service):
            seen = observed(organisation, service, environment)
            expected = true_deployments(organisation, service, environment)
            assert [one.key for one in seen] == sorted(
                expected, key=lambda key: expected[key].started_at
            )
            for one in seen:
                outcome = expected[one.key]
                assert (one.sha, one.started, one.live) == (
                    outcome.sha,
                    outcome.started_at,
                    outcome.live_at,
                )
                assert one.attempts == max(1, len(outcome.attempt_ids))
            count += len(seen)
    assert count > 500


def test_kinds_follow_from_what_was_live(organisation: Organisation) -> None:
    """Rollback, redeploy and normal agree with a walk over the commit graph."""
    counts: dict[str, int] = defaultdict(int)
    for service in organisation.services:
        repository = organisation.repository_by_id[service.repository_id]
        graph = Graph(repository)
        for environment in environments(service):
            found = kinds(graph, observed(organisation, service, environment))
            expected = true_deployments(organisation, service, environment)
            assert found == {key: outcome.kind for key, outcome in expected.items()}
            for kind in found.values():
                counts[kind] += 1
    assert min(counts[kind] for kind in ("rollback", "redeploy", "hotfix", "config")) > 2


def touched_paths_service(repository: Repository, graph: Graph, service: Service, key: str) -> bool:
    """Whether a change touches a service, from commits alone."""
    kind, _, rest = key.partition(":")
    if kind == "commit":
        return touched_by(service, graph.commits[rest.partition(":")[2]])
    request = next(r for r in repository.change_requests if r.id == int(rest))
    shas = [request.merge_sha] if request.merge_method != "rebase" else request.commit_shas
    return any(touched_by(service, graph.commits[sha or ""]) for sha in shas)


def expected_relations(
    organisation: Organisation, service: Service, environment: str
) -> dict[str, tuple[str, str | None]]:
    """Change key to (relation, deployment) by walking ancestry."""
    repository = organisation.repository_by_id[service.repository_id]
    graph = Graph(repository)
    deployments = observed(organisation, service, environment)
    shipped = ship_commits(graph, deployments)
    order = {
        one.key: number
        for number, one in enumerate(
            sorted((d for d in deployments if d.live), key=lambda d: (d.live, d.started))
        )
    }
    requests = {f"request:{r.id}": r for r in repository.change_requests}
    backports = {
        o.folded_into: requests[o.change_key]
        for o in organisation.change_outcomes
        if o.relation == "backport" and o.repository_id == repository.id
    }
    relations: dict[str, tuple[str, str | None]] = {}
    for key in candidate_keys(organisation, repository):
        if not touched_paths_service(repository, graph, service, key):
            continue
        keys = ship_keys(key, requests, backports)
        arrivals = sorted((order[shipped[sha]], shipped[sha]) for sha in keys if sha in shipped)
        if not arrivals:
            relations[key] = ("pending", None)
        else:
            number, deployment = arrivals[0]
            relations[key] = ("baseline" if number == 0 else "shipped", deployment)
    return relations


def ship_keys(
    key: str, requests: dict[str, ChangeRequest], backports: dict[str | None, ChangeRequest]
) -> set[str]:
    """The commits any of which brings a change."""
    if key not in requests:
        return {key.rpartition(":")[2]}
    group = [requests[key], *([backports[key]] if key in backports else [])]
    return {sha for one in group for sha in (one.merge_sha, one.head_sha) if sha is not None}


def candidate_keys(organisation: Organisation, repository: Repository) -> list[str]:
    """Merged requests and direct commits, less what is folded or no change at all."""
    folded = {
        o.change_key
        for o in organisation.change_outcomes
        if o.relation in {"stacked", "backport", "promotion"}
    }
    keys = [f"request:{r.id}" for r in repository.change_requests if r.merged_at is not None]
    owned = {
        sha
        for r in repository.change_requests
        # A promotion lists what it carries and owns nothing of it.
        if r.head_branch != repository.default_branch
        for sha in (*r.commit_shas, r.merge_sha or "")
    }
    rebased = {
        (commit.author.email, commit.author.at, commit.text.split("\n")[0])
        for r in repository.change_requests
        if r.merge_method == "rebase"
        for commit in (organisation.commit_by_sha[sha] for sha in r.commit_shas)
    }
    for commit in repository.commits:
        triple = (commit.author.email, commit.author.at, commit.text.split("\n")[0])
        if not commit.is_merge and commit.sha not in owned and triple not in rebased:
            keys.append(f"commit:{repository.id}:{commit.sha}")
    return [key for key in keys if key not in folded]


def test_every_change_is_shipped_by_the_deployment_that_first_contains_it(
    organisation: Organisation,
) -> None:
    """The ledger's attribution equals the walk's, for every service and environment."""
    entered: dict[tuple[int, str], dict[str, ChangeOutcome]] = defaultdict(dict)
    for outcome in organisation.change_outcomes:
        if outcome.service_id is not None and outcome.environment is not None:
            entered[outcome.service_id, outcome.environment][outcome.change_key] = outcome
    count = 0
    for service in organisation.services:
        for environment in environments(service):
            ledger = entered[service.id, environment]
            found = {
                key: (outcome.relation, outcome.deployment_key)
                for key, outcome in ledger.items()
                if outcome.relation != "backport"
            }
            expected = expected_relations(organisation, service, environment)
            assert found == expected, f"{service.slug} {environment}"
            count += len(found)
    assert count > 2000


def test_every_merged_change_stands_in_the_truth(organisation: Organisation) -> None:
    """No merged request and no direct commit of any repository is missing."""
    keys = {outcome.change_key for outcome in organisation.change_outcomes}
    for repository in organisation.repositories:
        assert keys.issuperset(candidate_keys(organisation, repository))


def test_stages_add_up_to_the_lead_time(truth: Truth) -> None:
    """Of every shipped change the stages that are there sum to live_at less start."""
    shipped = truth.changes.filter(pl.col("relation") == "shipped")
    sums = shipped.select(pl.sum_horizontal(STAGES).alias("sum"), "lead_time_us")
    assert sums.filter(pl.col("sum") != pl.col("lead_time_us")).is_empty()
    assert shipped.filter(pl.col("lead_time_us") < 0).is_empty()
    assert shipped["unreviewed_us"].count() > 10
    assert shipped.filter(pl.col("is_before_merge"), pl.col("deploy_us") != 0).is_empty()
    rest = truth.changes.filter(pl.col("relation") != "shipped")
    assert rest["lead_time_us"].count() == 0


def test_tickets_have_a_cycle_time_only_from_start_to_resolution(truth: Truth) -> None:
    """Tickets dragged straight to done have none."""
    tickets = truth.tickets
    full = tickets.filter(pl.col("started_at").is_not_null(), pl.col("resolved_at").is_not_null())
    assert full["cycle_time_us"].count() == full.height
    assert tickets["cycle_time_us"].count() == full.height < tickets.height
    assert full.filter(pl.col("cycle_time_us") < 0).is_empty()


def test_frames_are_written_as_parquet(truth: Truth, tmp_path: Path) -> None:
    """What is written reads back the same."""
    truth.write(tmp_path / "truth")
    for name in Truth.__slots__:
        written = pl.read_parquet(tmp_path / "truth" / f"{name}.parquet")
        assert written.equals(getattr(truth, name))
