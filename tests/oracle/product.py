"""The product's side: the same worlds through the git connector, the records and a build."""

from collections.abc import Iterable
from pathlib import Path

from connectors.records import (
    Account,
    ChangeRequest,
    ChangeRequestCommit,
    Commit,
    DeploymentAttempt,
    DeploymentStatus,
    Record,
    Reference,
    Repository,
)
from connectors.records import Review as ReviewRecord
from tests.connectors.git_repositories import reading
from tests.oracle.facts import Facts, Request
from tests.pipelines.stories import Story, tell

STREAMS: dict[str, type[Record]] = {
    "repositories": Repository,
    "references": Reference,
    "commits": Commit,
}


def build(folder: Path, worlds: list[Facts]) -> Story:
    """One build of all the worlds, each a repository of its own."""
    accounts = [
        Account(account_id=bot, login=bot.removeprefix("forge:"), is_bot=True)
        for bot in sorted({bot for facts in worlds for bot in facts.bots})
    ]
    return tell(folder, accounts, *(records_of(folder, facts) for facts in worlds), as_of=0)


def records_of(folder: Path, facts: Facts) -> list[Record]:
    """What the git connector reads, and requests and deployments as a forge gives them."""
    read = reading(folder, facts.path)
    found: list[Record] = [
        record_type.model_validate(row)
        for stream, record_type in STREAMS.items()
        for row in read.rows(stream)
    ]
    for number, request in enumerate(facts.requests, 1):
        found += request_records(request, number, facts.key)
    for attempt in facts.attempts:
        found.append(
            DeploymentAttempt(
                attempt_id=attempt.id,
                repository_key=facts.key,
                environment=attempt.environment,
                sha=attempt.sha,
                created_at=attempt.started,
            )
        )
        found += [
            DeploymentStatus(attempt_id=attempt.id, status_id=str(place), state=state, at=at)
            for place, (state, at) in enumerate(attempt.statuses)
        ]
    return found


def request_records(request: Request, number: int, key: str) -> Iterable[Record]:
    """A request with its commits and reviews."""
    yield ChangeRequest(
        change_request_id=request.id,
        repository_key=key,
        number=number,
        author=request.author,
        created_at=request.opened,
        ready_at=request.ready,
        merged_at=request.merged,
        base_branch=request.base,
        head_branch=request.head,
        head_sha=request.head_sha,
        merge_sha=request.merge_sha,
    )
    for place, commit in enumerate(request.commits):
        yield ChangeRequestCommit(
            change_request_id=request.id,
            sha=commit.sha,
            authored_at=commit.authored,
            committed_at=commit.committed,
            author_email=commit.email,
            subject=commit.subject,
            is_merge=commit.is_merge,
            position=place,
        )
    for place, review in enumerate(request.reviews):
        yield ReviewRecord(
            review_id=f"{request.id}:{place}",
            change_request_id=request.id,
            reviewer=review.reviewer,
            state=review.state,
            submitted_at=review.at,
        )
