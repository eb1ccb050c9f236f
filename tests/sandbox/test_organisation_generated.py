"""The generated organisation: the same from the same seed, of the right size, with a story."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, get_args

import pytest

from sandbox.generate import build_organisation
from sandbox.organisation import Organisation
from sandbox.outcomes import Naming
from sandbox.staff import DeploymentOrigin
from sandbox.truth_changes import change_facts

END = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """The organisation of the demo."""
    return build_organisation(end=END)


def small(**changed: Any) -> Organisation:
    """A small organisation."""
    arguments: dict[str, Any] = {"seed": 7, "engineers": 6, "months": 4, "end": END} | changed
    return build_organisation(**arguments)


def test_the_same_arguments_give_the_same_organisation() -> None:
    """Every fact, SHAs and ids included, is equal; another seed or end gives another world."""
    assert small() == small()
    assert small().repositories != small(seed=8).repositories
    assert small().repositories != small(end=END + DAY).repositories


def test_sizes_are_those_of_a_company(organisation: Organisation) -> None:
    """The default has the size the demo is made for."""
    requests = sum(len(r.change_requests) for r in organisation.repositories)
    live = sum(
        outcome.environment_class == "production" and outcome.live_at is not None
        for outcome in organisation.deployment_outcomes
    )
    assert len(organisation.people) == 120
    assert len(organisation.services) == 60
    assert sum(team.parent_id is not None for team in organisation.teams) == 14
    assert 10_000 <= requests <= 14_000
    assert 6_000 <= live <= 9_000
    assert 6_000 <= len(organisation.ticket_site.tickets) <= 10_000


@pytest.mark.parametrize(("engineers", "services", "teams"), [(2, 1, 1), (3, 3, 3), (16, 40, 2)])
def test_other_sizes_work(engineers: int, services: int, teams: int) -> None:
    """Small and lopsided organisations are made just as well."""
    made = small(engineers=engineers, services=services, teams=teams, months=2)
    assert (len(made.people), len(made.services)) == (engineers, services)
    assert any(r.change_requests for r in made.repositories)


def test_an_organisation_of_one_is_refused() -> None:
    """Nobody could review anything."""
    with pytest.raises(ValueError, match="at least 2 engineers"):
        small(engineers=1)


def test_ids_are_unique(organisation: Organisation) -> None:
    """No two things of a kind share a number."""
    repositories = organisation.repositories
    requests = [one for r in repositories for one in r.change_requests]
    for ids in (
        [one.id for one in repositories],
        [one.id for one in organisation.accounts],
        [one.id for one in requests],
        [one.id for request in requests for one in request.reviews],
        [one.id for r in repositories for one in r.deployments],
        [one.id for r in repositories for d in r.deployments for one in d.statuses],
        [one.id for r in repositories for one in r.runs],
        [one.id for r in repositories for run in r.runs for one in run.jobs],
        [one.id for r in repositories for one in r.issues],
        [one.id for one in organisation.ticket_site.tickets],
        [one.key for one in organisation.ticket_site.tickets],
        [h.id for one in organisation.ticket_site.tickets for h in one.histories],
    ):
        assert len(ids) == len(set(ids)) > 0


def test_nothing_happens_after_the_end(organisation: Organisation) -> None:
    """Updated times bound what happened to a thing, and none lies in the future."""
    for repository in organisation.repositories:
        assert repository.updated_at <= END
        for request in repository.change_requests:
            moments = [event.at for event in request.events]
            moments += [review.submitted_at for review in request.reviews]
            assert request.created_at <= request.updated_at <= END
            assert all(moment <= request.updated_at for moment in moments), request
            assert request.merged_at is None or request.merged_at <= request.updated_at
        for deployment in repository.deployments:
            assert deployment.updated_at == deployment.statuses[-1].created_at <= END
        assert all(run.updated_at <= END for run in repository.runs)
        assert all(issue.updated_at <= END for issue in repository.issues)
    for ticket in organisation.ticket_site.tickets:
        assert ticket.created_at <= ticket.updated_at <= END
        assert all(history.at <= ticket.updated_at for history in ticket.histories)


def test_numbers_are_shared_by_requests_and_issues(organisation: Organisation) -> None:
    """Within a repository numbers run from one without a gap, by creation."""
    for repository in organisation.repositories:
        things = [(one.number, one.created_at) for one in repository.change_requests]
        things += [(one.number, one.created_at) for one in repository.issues]
        things.sort()
        assert [number for number, _ in things] == list(range(1, len(things) + 1))
        assert [at for _, at in things] == sorted(at for _, at in things)


def test_the_shared_pipeline_makes_lead_time_fall(organisation: Organisation) -> None:
    """Deploying gets much faster after the launch; waiting for review stays slow."""
    facts = change_facts(organisation)
    launch = organisation.pipeline_launched_at
    lead: dict[bool, list[float]] = {False: [], True: []}
    deploy: dict[bool, list[float]] = {False: [], True: []}
    production = {
        (service.id, environment)
        for service in organisation.services
        for environment in service.production_environments
    }
    for outcome in organisation.change_outcomes:
        change = facts[outcome.change_key]
        is_production = (outcome.service_id, outcome.environment) in production
        is_shipped = outcome.relation == "shipped" and is_production and not change.is_bot
        if is_shipped and outcome.live_at is not None:
            is_after = outcome.live_at > launch + 21 * DAY
            if outcome.live_at < launch or is_after:
                lead[is_after].append((outcome.live_at - change.start_at).total_seconds())
                deploy[is_after].append((outcome.live_at - change.merged_at).total_seconds())
    assert median(lead[True]) < 0.8 * median(lead[False])
    assert median(deploy[True]) < 0.2 * median(deploy[False])
    waits = [
        (change.first_review_at - change.ready_at).total_seconds()
        for change in facts.values()
        if change.first_review_at is not None and not change.is_bot
    ]
    assert median(waits) > 12 * 3600


def test_odd_repositories_are_there(organisation: Organisation) -> None:
    """One was renamed, one came from elsewhere, one is archived, one forked, one a monorepo."""
    repositories = organisation.repositories
    former = [name for r in repositories for name in r.former_full_names]
    assert sum(name.startswith("harbourline/") for name in former) == 1
    assert sum(name.startswith("northquay/") for name in former) == 1
    assert sum(r.archived_at is not None for r in repositories) == 1
    assert sum(r.is_fork for r in repositories) == 1
    assert sum(r.default_branch == "develop" for r in repositories) == 1
    homes = Counter(service.repository_id for service in organisation.services)
    assert sorted(homes.values())[-2:] == [1, 3]
    origins = Counter(service.origin for service in organisation.services)
    assert min(origins[kind] for kind in get_args(DeploymentOrigin)) >= 1
    assert organisation.repository_by_full_name[former[0]].full_name != former[0]


def test_every_way_to_merge_and_every_odd_request_is_there(organisation: Organisation) -> None:
    """Methods, reverts, stacks, back-ports, promotions, ghosts, bots and drafts occur."""
    requests = [one for r in organisation.repositories for one in r.change_requests]
    methods = Counter(request.merge_method for request in requests)
    assert min(methods[method] for method in ("merge", "squash", "rebase")) > 500
    assert any(request.title.startswith('Revert "') for request in requests)
    assert any(request.base_branch.startswith("release/") for request in requests)
    assert sum(request.author_account_id is None for request in requests) > 50
    assert sum(request.is_draft for request in requests) > 3
    relations = Counter(outcome.relation for outcome in organisation.change_outcomes)
    assert set(relations) == {
        "shipped",
        "baseline",
        "pending",
        "stacked",
        "backport",
        "promotion",
        "unowned",
    }
    assert any(outcome.is_before_merge for outcome in organisation.change_outcomes)
    bots = {account.id for account in organisation.accounts if account.is_bot}
    assert sum(request.author_account_id in bots for request in requests) > 500
    keys = {ticket.key for ticket in organisation.ticket_site.tickets}
    linked = [request for request in requests if request.ticket_keys]
    assert len(linked) > 0.4 * len(requests)
    for request in linked:
        key = request.ticket_keys[0]
        assert key in keys
        shown = f"{request.title} {request.head_branch}".lower()
        assert key.lower() in shown


def test_every_outcome_of_a_deployment_is_there(organisation: Organisation) -> None:
    """Failures before and after going live, retries, rollbacks, redeploys, one still running."""
    outcomes = Counter(outcome.outcome for outcome in organisation.deployment_outcomes)
    kinds = Counter(outcome.kind for outcome in organisation.deployment_outcomes)
    assert min(outcomes.values()) >= 1
    assert set(outcomes) == {"succeeded", "failed_before_live", "failed_after_live", "running"}
    assert min(kinds[kind] for kind in ("rollback", "redeploy", "hotfix", "config")) > 20
    hotfixes = [o for o in organisation.deployment_outcomes if o.kind == "hotfix"]
    assert any(outcome.tag is not None for outcome in hotfixes)
    for outcome in organisation.deployment_outcomes:
        assert (outcome.failed_key is not None) == (outcome.kind == "rollback")
    retried = [o for o in organisation.deployment_outcomes if len(o.attempt_ids) > 1]
    assert any(outcome.live_at is not None for outcome in retried)
    runs = {run.id for r in organisation.repositories for run in r.runs}
    for repository in organisation.repositories:
        for deployment in repository.deployments:
            assert deployment.run_id is None or deployment.run_id in runs


def test_every_mark_of_a_change_occurs(organisation: Organisation) -> None:
    """Labels, branch names, bugs, reverts that name the commit they revert, and none of these."""
    requests = [one for r in organisation.repositories for one in r.change_requests]
    labels = Counter(label for request in requests for label in request.labels)
    assert min(labels[name] for name in ("bug", "feature", "chore", "hotfix", "platform")) > 30
    prefixes = Counter(request.head_branch.partition("/")[0] for request in requests)
    assert min(prefixes[name] for name in ("fix", "bugfix", "feature", "hotfix")) > 30
    unmarked = [r for r in requests if not r.labels and not r.ticket_keys and "/" not in r.title]
    assert len(unmarked) > 1000
    reverts = [r for r in requests if r.title.startswith("Revert ") and r.merged_at is not None]
    shas = {request.merge_sha for request in requests}
    for revert in reverts:
        text = organisation.commit_by_sha[revert.merge_sha or ""].text
        if revert.merge_method == "merge":
            text = organisation.commit_by_sha[revert.commit_shas[0]].text
        assert text.partition("This reverts commit ")[2][:40] in shas
    assert len(reverts) > 50


def test_incidents_follow_deployments(organisation: Organisation) -> None:
    """Told well and badly, mostly after what caused them, rarer where the pipeline is shared."""
    tickets = {ticket.key: ticket for ticket in organisation.ticket_site.tickets}
    outcomes = organisation.incident_outcomes
    namings = Counter(outcome.naming for outcome in outcomes)
    assert set(namings) == set(get_args(Naming))
    assert sum(outcome.cause_key is None for outcome in outcomes) > 20
    assert sum(outcome.duplicate_of is not None for outcome in outcomes) > 10
    assert sum(tickets[outcome.ticket_key].resolved_at is None for outcome in outcomes) > 5
    live = {
        one.deployment_key: one
        for one in organisation.deployment_outcomes
        if one.environment_class == "production" and one.live_at is not None
    }
    for outcome in outcomes:
        if outcome.cause_key is not None:
            assert tickets[outcome.ticket_key].created_at > live[outcome.cause_key].started_at
        if outcome.named_key is not None:
            assert outcome.named_key in live
    caused = {outcome.cause_key for outcome in outcomes}
    rate = {}
    for is_after in (False, True):
        deployments = [
            one
            for one in live.values()
            if (one.started_at > organisation.pipeline_launched_at + 14 * DAY) is is_after
        ]
        rate[is_after] = sum(one.deployment_key in caused for one in deployments) / len(deployments)
    assert rate[True] < 0.75 * rate[False]


def test_people_keep_working_hours(organisation: Organisation) -> None:
    """Merges happen on working days; some commits are written at night."""
    humans = {person.account_id for person in organisation.people}
    merged = [
        request.merged_at
        for repository in organisation.repositories
        for request in repository.change_requests
        if request.merged_at is not None and request.merged_by_account_id in humans
    ]
    assert sum(moment.weekday() > 4 for moment in merged) < 0.01 * len(merged)
    # Only urgent reverts know no holiday.
    assert sum(moment.date().isoformat() == "2025-12-25" for moment in merged) < 3
    late = [
        commit
        for repository in organisation.repositories
        for commit in repository.commits
        if commit.author.at.hour in {21, 22, 23}
    ]
    assert len(late) > 50


def test_tickets_have_their_oddities(organisation: Organisation) -> None:
    """Long histories, a localised project, booked time, request types, moved tickets."""
    site = organisation.ticket_site
    assert sum(len(ticket.histories) > 40 for ticket in site.tickets) > 10
    names = {project.key: {status.name for status in project.statuses} for project in site.projects}
    assert "Bezig" in names["LOG"]
    categories = {project.key: {s.category for s in project.statuses} for project in site.projects}
    assert set(map(frozenset, categories.values())) == {frozenset({"new", "indeterminate", "done"})}
    booked = {ticket.project_id for ticket in site.tickets if ticket.worklogs}
    assert len(booked) == 1
    desk = next(project for project in site.projects if project.kind == "service_desk")
    asked = {t.request_type_id for t in site.tickets if t.project_id == desk.id}
    assert asked == {request_type.id for request_type in desk.request_types}
    assert any(ticket.former_keys for ticket in site.tickets)
    for ticket in site.tickets:
        is_done = organisation.status_by_id[ticket.status_id].category == "done"
        assert (ticket.resolved_at is not None) == is_done == (ticket.resolution is not None)
