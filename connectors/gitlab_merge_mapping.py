"""From merge requests of GitLab to change requests, their commits and reviews.

GitLab keeps approvals without their times; the times stand in the system's own notes, which are
English whatever language its pages have. The same notes tell when a draft became ready.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from connectors.connector import Line, Parsed
from connectors.gitlab_merge_wire import CommitWire, DetailsWire, MergeRequestWire, NoteWire
from connectors.gitlab_names import account_id, is_bot_name, is_ghost
from connectors.gitlab_people import UserWire, account
from connectors.records import Account, ChangeRequest, ChangeRequestCommit, Review
from connectors.titles import is_merge_subject, ticket_keys

_READY = re.compile(
    r"marked this merge request as \W*ready|"
    r"unmarked (?:this merge request )?as (?:a )?\W*(?:work in progress|wip|draft)",
    re.IGNORECASE,
)
_STATES = {"approved this merge request": "approved", "requested changes": "changes_requested"}
_TAKEN_BACK = "unapproved this merge request"


def merge_request_id(line: Line, number: int | str) -> str:
    """The id of a merge request, from the number that all of GitLab knows it by."""
    return f"{line.connection}:merge_request:{number}"


def actor(line: Line, wire: UserWire | None) -> str | None:
    """The account of a user; None for the ghost that stands for all who were deleted."""
    if wire is None or is_ghost(wire.username, wire.name):
        return None
    return account_id(line.connection, wire.id)


def change_request(
    line: Line,
    wire: MergeRequestWire,
    details: DetailsWire | None,
    ready_at: datetime | None,
) -> ChangeRequest:
    """A merge request; `ready_at` is the first time that a note says it became ready."""
    is_draft = bool(wire.draft or wire.work_in_progress)
    stats = details.diff_stats_summary if details is not None else None
    labels = [each if isinstance(each, str) else each and each.name for each in wire.labels or ()]
    return ChangeRequest(
        change_request_id=merge_request_id(line, wire.id),
        repository_key=line.attributes["repository_key"],
        number=wire.iid,
        title=wire.title or "",
        url=wire.web_url,
        author=actor(line, wire.author),
        is_draft=is_draft,
        created_at=wire.created_at,
        ready_at=ready_at or (None if is_draft else wire.created_at),
        merged_at=wire.merged_at,
        closed_at=_closed_at(wire),
        # Whoever set a merge to happen later is named as well before it has happened.
        merged_by=actor(line, wire.merge_user or wire.merged_by) if wire.merged_at else None,
        base_branch=wire.target_branch,
        head_branch=wire.source_branch,
        head_sha=wire.sha,
        merge_sha=_merge_sha(wire),
        labels=[label for label in labels if label],
        additions=stats.additions if stats is not None else None,
        deletions=stats.deletions if stats is not None else None,
        ticket_keys=ticket_keys(wire.title, wire.source_branch),
        source_updated_at=wire.updated_at,
    )


def _closed_at(wire: MergeRequestWire) -> datetime | None:
    """The end of either kind, of which GitLab gives the time of one.

    Of old ones it gives neither: over they are all the same, and a merge without a time is none.
    """
    over = wire.updated_at if wire.state in {"merged", "closed"} else None
    return wire.closed_at or wire.merged_at or over


def _merge_sha(wire: MergeRequestWire) -> str | None:
    """The commit on the target branch: a merge's, a squash's, or the head of a fast-forward."""
    if wire.merged_at is None:
        return None
    return wire.merge_commit_sha or wire.squash_commit_sha or wire.sha


def ready_time(notes: Iterable[NoteWire]) -> datetime | None:
    """The first time that a note says it stopped to be a draft."""
    return min((note.created_at for note in notes if is_ready_note(note.body)), default=None)


def is_ready_note(body: str | None) -> bool:
    """Whether this is what GitLab writes when a draft becomes ready."""
    return body is not None and _READY.match(body) is not None


def add_commits(
    parsed: Parsed,
    key: str,
    commits: Sequence[CommitWire],
    updated_at: datetime | None,
    *,
    newest_position: int,
) -> None:
    """Commits of a merge request, which GitLab lists newest first, or a part of them."""
    parsed.whole(ChangeRequestCommit, key, updated_at)
    for index, wire in enumerate(commits):
        parsed.add(
            ChangeRequestCommit(
                change_request_id=key,
                sha=wire.sha,
                authored_at=wire.authored_at,
                committed_at=wire.committed_at,
                author_email=wire.author_email,
                subject=wire.title,
                is_merge=is_merge_subject(wire.title),
                position=max(0, newest_position - index),
                source_updated_at=updated_at,
            )
        )


def add_reviews(
    parsed: Parsed, line: Line, key: str, notes: Sequence[NoteWire], updated_at: datetime | None
) -> None:
    """Approvals, requests for changes and comments, each at the time of its note."""
    parsed.whole(Review, key, updated_at)
    taken_back = [
        (actor(line, note.author), note.created_at)
        for note in notes
        if note.body == _TAKEN_BACK and note.system is not False
    ]
    for note in notes:
        state = _STATES.get(note.body or "") if note.system else "commented"
        if state is None:
            continue
        reviewer = actor(line, note.author)
        if state == "approved" and any(
            who == reviewer and at >= note.created_at for who, at in taken_back
        ):
            state = "dismissed"
        parsed.add(
            Review(
                review_id=f"{line.connection}:note:{note.id}",
                change_request_id=key,
                reviewer=reviewer,
                state=state,
                submitted_at=note.created_at,
                source_updated_at=updated_at,
            )
        )


def add_accounts(
    parsed: Parsed, line: Line, users: Iterable[UserWire | None], *, bots_only: bool
) -> None:
    """Everybody who took part, once.

    REST shows no e-mail address: its users count as bots only, lest an account lose the address
    that a list of members gave.
    """
    found: dict[str, Account] = {}
    for user in users:
        if user is None or (bots_only and not is_bot_name(user.username)):
            continue
        known = account(line, user)
        if known is not None:
            found[known.account_id] = known
    for each in found.values():
        parsed.add(each)
