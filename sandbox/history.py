"""How things looked at a moment: what was not there yet is gone, what came later is undone.

Every function answers the very object it was given when nothing about it is newer than the
moment, so that a world seen from its end costs nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from sandbox.forge import (
    Branch,
    ChangeRequest,
    Commit,
    Deployment,
    Issue,
    Repository,
    WorkflowJob,
    WorkflowRun,
)


def change_request_at(
    change: ChangeRequest, moment: datetime, commits: Mapping[str, Commit]
) -> ChangeRequest | None:
    """The pull request as it stood: later commits, reviews, events and its merge undone."""
    if change.created_at > moment:
        return None
    if change.updated_at <= moment:
        return change
    shas = tuple(sha for sha in change.commit_shas if commits[sha].committer.at <= moment)
    shas = shas or change.commit_shas[:1]
    reviews = tuple(review for review in change.reviews if review.submitted_at <= moment)
    events = tuple(event for event in change.events if event.at <= moment)
    is_merged = change.merged_at is not None and change.merged_at <= moment
    closed_at = change.closed_at if is_merged else _closed_at(change, moment)
    times = [change.created_at, *(commits[sha].committer.at for sha in shas)]
    times += [review.submitted_at for review in reviews] + [event.at for event in events]
    times += [closed_at] if closed_at else []
    state: Literal["open", "closed", "merged"] = "closed" if closed_at else "open"
    return replace(
        change,
        state="merged" if is_merged else state,
        is_draft=_is_draft(change, moment),
        head_sha=shas[-1] if shas else change.head_sha,
        is_head_deleted=change.is_head_deleted and closed_at is not None,
        merge_sha=change.merge_sha if is_merged else None,
        merged_by_account_id=change.merged_by_account_id if is_merged else None,
        merged_at=change.merged_at if is_merged else None,
        closed_at=closed_at,
        updated_at=min(max(times), moment),
        commit_shas=shas,
        reviews=reviews,
        events=events,
    )


def deployment_at(deployment: Deployment, moment: datetime) -> Deployment | None:
    """The deployment with the statuses it had by then."""
    if deployment.created_at > moment:
        return None
    if deployment.updated_at <= moment:
        return deployment
    statuses = tuple(status for status in deployment.statuses if status.created_at <= moment)
    updated_at = statuses[-1].created_at if statuses else deployment.created_at
    return replace(deployment, statuses=statuses, updated_at=updated_at)


def run_at(run: WorkflowRun, moment: datetime) -> WorkflowRun | None:
    """The workflow run, still under way when its end lies ahead."""
    if run.created_at > moment:
        return None
    if run.updated_at <= moment:
        return run
    jobs = tuple(_job_at(job, moment) for job in run.jobs if job.created_at <= moment)
    times = [run.created_at, run.started_at]
    times += [time for job in jobs for time in (job.started_at, job.completed_at) if time]
    return replace(
        run,
        status="in_progress" if run.started_at <= moment else "queued",
        conclusion=None,
        updated_at=max(time for time in times if time <= moment),
        jobs=jobs,
    )


def issue_at(issue: Issue, moment: datetime) -> Issue | None:
    """The issue, open again when it was closed later."""
    if issue.created_at > moment:
        return None
    if issue.updated_at <= moment:
        return issue
    if issue.closed_at is not None and issue.closed_at <= moment:
        return replace(issue, updated_at=issue.closed_at)
    return replace(issue, state="open", closed_at=None, updated_at=issue.created_at)


def repository_at(
    repository: Repository, moment: datetime, commits: Mapping[str, Commit]
) -> Repository | None:
    """The repository with its branches, tags and times of then; its lists stay whole."""
    if repository.created_at > moment:
        return None
    latest = max(repository.updated_at, repository.pushed_at)
    if latest <= moment and (repository.archived_at or latest) <= moment:
        return repository
    branches = tuple(_branches_at(repository.branches, moment, commits))
    pushes = [commits[branch.sha].committer.at for branch in branches]
    pushed_at = max([repository.created_at, *pushes])
    is_archived = repository.archived_at is not None and repository.archived_at <= moment
    return replace(
        repository,
        branches=branches,
        tags=tuple(tag for tag in repository.tags if tag.tagger.at <= moment),
        pushed_at=repository.pushed_at if repository.pushed_at <= moment else pushed_at,
        updated_at=repository.updated_at if repository.updated_at <= moment else pushed_at,
        archived_at=repository.archived_at if is_archived else None,
    )


def _closed_at(change: ChangeRequest, moment: datetime) -> datetime | None:
    """When the unmerged request was last closed, if it stood closed at the moment."""
    closed_at = change.closed_at if change.merged_at is None else None
    if closed_at is not None and closed_at <= moment:
        return closed_at
    passed = [
        event
        for event in change.events
        if event.kind in {"closed", "reopened"} and event.at <= moment
    ]
    return passed[-1].at if passed and passed[-1].kind == "closed" else None


def _is_draft(change: ChangeRequest, moment: datetime) -> bool:
    turns = [
        event for event in change.events if event.kind in {"ready_for_review", "convert_to_draft"}
    ]
    if not turns:
        return change.is_draft
    passed = [event for event in turns if event.at <= moment]
    if not passed:
        return turns[0].kind == "ready_for_review"
    return passed[-1].kind == "convert_to_draft"


def _job_at(job: WorkflowJob, moment: datetime) -> WorkflowJob:
    if job.completed_at is not None and job.completed_at <= moment:
        return job
    has_started = job.started_at <= moment
    return replace(
        job,
        status="in_progress" if has_started else "queued",
        conclusion=None,
        started_at=job.started_at if has_started else job.created_at,
        completed_at=None,
    )


def _branches_at(
    branches: Iterable[Branch], moment: datetime, commits: Mapping[str, Commit]
) -> Iterable[Branch]:
    for branch in branches:
        sha: str | None = branch.sha
        while sha is not None and commits[sha].committer.at > moment:
            sha = next(iter(commits[sha].parents), None)
        if sha is not None:
            yield Branch(branch.name, sha)
