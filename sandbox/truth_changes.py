"""The facts of each change that its lead time is made of."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.forge import ChangeRequest, Commit
from sandbox.organisation import Organisation

LONGEST_CODING = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """When one change began, was ready, reviewed, approved and merged."""

    repository_id: int
    number: int | None
    sha: str | None  # of a direct commit
    is_direct: bool
    is_bot: bool
    author_account_id: int | None
    opened_at: datetime
    start_at: datetime
    is_start_moved: bool  # the first commit was older than ninety days
    ready_at: datetime
    first_review_at: datetime | None
    approved_at: datetime | None
    merged_at: datetime

    def row(self) -> dict[str, Any]:
        """The facts as columns."""
        return {name: getattr(self, name) for name in self.__slots__}


def change_facts(organisation: Organisation) -> dict[str, ChangeFacts]:
    """Facts by change key, of every merged request and every direct commit."""
    bots = {account.id for account in organisation.accounts if account.is_bot}
    commits = organisation.commit_by_sha
    requests = {
        f"request:{request.id}": request
        for repository in organisation.repositories
        for request in repository.change_requests
        if request.merged_at is not None
    }
    carried: dict[str, list[str]] = defaultdict(list)
    facts: dict[str, ChangeFacts] = {}
    for outcome in organisation.change_outcomes:
        kind, _, sha = outcome.change_key.rpartition(":")
        if kind.startswith("commit:"):
            facts[outcome.change_key] = _of_commit(outcome.repository_id, commits[sha], bots)
        elif outcome.relation == "stacked" and outcome.folded_into is not None:
            carried[outcome.folded_into] += requests[outcome.change_key].commit_shas
    for key, request in requests.items():
        own = [commits[sha] for sha in (*request.commit_shas, *carried.get(key, ()))]
        facts[key] = _of_request(request, own, bots)
    return facts


def _of_request(request: ChangeRequest, commits: list[Commit], bots: set[int]) -> ChangeFacts:
    opened, merged = request.created_at, request.merged_at or request.created_at
    own = [commit for commit in commits if not commit.is_merge]
    first = min(own, key=lambda commit: commit.author.at, default=None)
    start, is_moved = (opened, False) if first is None else _start(first, opened)
    author = request.author_account_id
    # Somebody else, and no bot; a deleted reviewer of a known author's request is somebody else.
    human = [
        review
        for review in request.reviews
        if review.author_account_id != author and review.author_account_id not in bots
    ]
    approvals = [
        review.submitted_at
        for review in human
        if review.state == "APPROVED" and review.submitted_at <= merged
    ]
    ready = next((event.at for event in request.events if event.kind == "ready_for_review"), None)
    return ChangeFacts(
        repository_id=request.repository_id,
        number=request.number,
        sha=None,
        is_direct=False,
        is_bot=author in bots,
        author_account_id=author,
        opened_at=opened,
        start_at=min(start, opened, merged),
        is_start_moved=is_moved,
        ready_at=ready or opened,
        first_review_at=min((review.submitted_at for review in human), default=None),
        approved_at=max(approvals, default=None),
        merged_at=merged,
    )


def _of_commit(repository_id: int, commit: Commit, bots: set[int]) -> ChangeFacts:
    committed = commit.committer.at
    start, is_moved = _start(commit, committed)
    return ChangeFacts(
        repository_id=repository_id,
        number=None,
        sha=commit.sha,
        is_direct=True,
        is_bot=commit.author_account_id in bots,
        author_account_id=commit.author_account_id,
        opened_at=committed,
        start_at=min(start, committed),
        is_start_moved=is_moved,
        ready_at=committed,
        first_review_at=None,
        approved_at=None,
        merged_at=committed,
    )


def _start(first: Commit, opened: datetime) -> tuple[datetime, bool]:
    """The authored time, or the committer's where it lies implausibly far back."""
    is_moved = first.author.at < opened - LONGEST_CODING
    return (first.committer.at if is_moved else first.author.at), is_moved
