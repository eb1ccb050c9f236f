"""Turns finished plans into the forge's facts: requests, deployments, releases, runs, issues."""

from random import Random

from sandbox.forge import (
    ChangeRequest,
    Deployment,
    DeploymentStatus,
    EventKind,
    Release,
    Review,
    Tag,
    TimelineEvent,
)
from sandbox.generate_deployments import AttemptPlan
from sandbox.numbers import Numbers
from sandbox.plan import ReleasePlan, RequestPlan, Simulation
from sandbox.working_time import DAY, as_datetime

DESCRIPTIONS = {
    "queued": "Waiting for a runner",
    "in_progress": "Deployment started",
    "success": "Deployment finished",
    "failure": "Deployment failed",
    "error": "The deployment stopped unexpectedly",
    "inactive": "",
}


def request_facts(simulation: Simulation, plan: RequestPlan, random: Random) -> ChangeRequest:
    """One change request as the forge shows it at the end."""
    numbers, base_branch = simulation.numbers, plan.base_branch
    if plan.carrier is not None:
        base_branch = plan.carrier.branch
    reviews = tuple(
        Review(
            id=numbers.take("review", random.randint(1, 4000)),
            author_account_id=review.reviewer.shown_account_id,
            state=review.state,
            body="" if review.state == "APPROVED" else "Please have a look at this once more.",
            submitted_at=as_datetime(review.at),
            commit_sha=plan.head_sha,
            comment_count=0 if review.state == "APPROVED" else random.randint(1, 5),
        )
        for review in sorted(plan.reviews, key=lambda review: review.at)
    )
    is_closed = plan.closed is not None and plan.reopened is None
    closed = plan.closed if is_closed else plan.merged
    additions = round(random.lognormvariate(3.2, 1.3)) + 1
    return ChangeRequest(
        id=plan.id,
        repository_id=plan.repository.id,
        number=plan.number,
        title=plan.title,
        body=_body(plan),
        state="merged" if plan.merged else ("closed" if is_closed else "open"),
        is_draft=plan.is_draft,
        author_account_id=plan.author.shown_account_id,
        head_branch=plan.branch,
        head_sha=plan.head_sha,
        is_head_deleted=closed is not None and plan.kind != "promotion",
        base_branch=base_branch or plan.repository.default_branch,
        base_sha=plan.base_sha,
        merge_method=plan.method if plan.merged else None,
        merge_sha=plan.merge_sha,
        merged_by_account_id=plan.merger.shown_account_id if plan.merged and plan.merger else None,
        created_at=as_datetime(plan.created),
        updated_at=as_datetime(_updated(simulation, plan, random)),
        closed_at=None if closed is None else as_datetime(closed),
        merged_at=None if plan.merged is None else as_datetime(plan.merged),
        labels=plan.labels,
        additions=additions,
        deletions=round(additions * random.uniform(0.0, 0.9)),
        changed_files=max(1, len(plan.paths)),
        commit_shas=tuple(plan.commit_shas),
        reviews=reviews,
        events=_events(plan, numbers, random),
        assignee_account_ids=(),
        ticket_keys=() if plan.ticket_key is None else (plan.ticket_key,),
    )


def deployment_facts(attempt: AttemptPlan, numbers: Numbers, default_branch: str) -> Deployment:
    """One deployment with its statuses."""
    service, creator = attempt.service, attempt.creator.shown_account_id
    statuses = tuple(
        DeploymentStatus(
            id=numbers.take("status", 7),
            state=state,
            description=DESCRIPTIONS[state],
            creator_account_id=creator,
            created_at=as_datetime(at),
        )
        for state, at in attempt.statuses
    )
    return Deployment(
        id=attempt.id,
        repository_id=service.repository.id,
        service_id=service.id,
        environment=attempt.environment,
        environment_class=attempt.environment_class,
        sha=attempt.sha,
        ref=attempt.ref or default_branch,
        task=f"deploy:{service.slug}" if service.paths else "deploy",
        description=f"{service.slug} to {attempt.environment}",
        creator_account_id=creator,
        run_id=attempt.run_id if attempt.environment_class == "production" else None,
        created_at=as_datetime(attempt.created),
        updated_at=statuses[-1].created_at,
        statuses=statuses,
    )


def release_facts(
    releases: list[ReleasePlan], repository_id: int, *, with_releases: bool, numbers: Numbers
) -> tuple[tuple[Tag, ...], tuple[Release, ...]]:
    """Tags, and releases where the service makes them."""
    made = [release for release in releases if release.sha]
    tags = tuple(
        Tag(
            name=release.tag,
            sha=release.sha,
            message=f"Release {release.tag}",
            tagger=release.author.signature(release.at, release.author.emails[0]),
        )
        for release in made
    )
    if not with_releases:
        return tags, ()
    return tags, tuple(
        Release(
            id=numbers.take("release", 37),
            repository_id=repository_id,
            tag=release.tag,
            sha=release.sha,
            name=release.tag.removeprefix("v"),
            body=f"What is new in {release.tag}.",
            is_prerelease=release.is_prerelease,
            is_draft=False,
            target=release.branch,
            author_account_id=release.author.shown_account_id,
            created_at=as_datetime(release.at),
            published_at=as_datetime(release.at),
        )
        for release in made
    )


def _body(plan: RequestPlan) -> str:
    if plan.reverts is not None:
        return f"Reverts {plan.repository.full_name}#{plan.reverts.number}"
    if plan.original is not None:
        return f"Back-port of #{plan.original.number}."
    if plan.ticket_key is not None:
        return f"Part of {plan.ticket_key}."
    return ""


def _updated(simulation: Simulation, plan: RequestPlan, random: Random) -> int:
    moments = [plan.created, plan.ready, plan.drafted, plan.closed, plan.reopened, plan.merged]
    last = max(moment for moment in moments if moment is not None)
    last = max([last, *(review.at for review in plan.reviews)])
    if random.random() < 0.1:  # a late comment
        last = min(last + random.randint(600, 6 * DAY), simulation.end - 60)
    return last


def _events(plan: RequestPlan, numbers: Numbers, random: Random) -> tuple[TimelineEvent, ...]:
    author = plan.author.shown_account_id
    moments: list[tuple[int, EventKind]] = []
    if plan.drafted is not None:
        moments.append((plan.drafted, "convert_to_draft"))
    if plan.ready is not None:
        moments.append((plan.ready, "ready_for_review"))
    if plan.closed is not None:
        moments.append((plan.closed, "closed"))
    if plan.reopened is not None:
        moments.append((plan.reopened, "reopened"))
    if plan.merged is not None:
        moments.append((plan.merged, "closed"))
    return tuple(
        TimelineEvent(
            id=numbers.take("event", random.randint(1, 900)),
            kind=kind,
            actor_account_id=author,
            at=as_datetime(at),
        )
        for at, kind in sorted(moments)
    )
