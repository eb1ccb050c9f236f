"""Merge requests as GitLab writes them: the list by REST, notes and commits by either API."""

from typing import Annotated, Any

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from connectors.gitlab_names import last_part
from connectors.gitlab_people import Number, UserWire
from connectors.reading import CamelWire, Children, Integer, Reader, Wire
from connectors.records import ChangeRequest, ChangeRequestCommit, Review


def _either(camel: str, snake: str) -> Any:
    """A field of GraphQL under one name and of REST under another."""
    return Field(None, validation_alias=AliasChoices(camel, snake))


class LabelWire(Wire):
    """A label with its details."""

    name: str | None = None


class MergeRequestWire(Wire):
    """A merge request of a REST list."""

    id: int
    iid: Integer
    created_at: AwareDatetime
    updated_at: AwareDatetime | None = None
    merged_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    title: str | None = None
    state: str | None = None
    web_url: str | None = None
    draft: bool | None = None
    work_in_progress: bool | None = None
    author: UserWire | None = None
    merge_user: UserWire | None = None
    merged_by: UserWire | None = None
    source_branch: str | None = None
    target_branch: str | None = None
    sha: str | None = None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    labels: list[str | LabelWire | None] | None = None


class NoteWire(Wire):
    """A comment, or a line of the system's own on what somebody did.

    Lines made from events (labels, states) have the sum of a hash for a number.
    """

    id: Annotated[str, BeforeValidator(last_part)]
    created_at: AwareDatetime = Field(validation_alias=AliasChoices("createdAt", "created_at"))
    body: str | None = None
    system: bool | None = None
    author: UserWire | None = None


class CommitWire(Wire):
    """A commit of a merge request; REST calls its SHA an id."""

    sha: str = Field(validation_alias=AliasChoices("sha", "id"))
    title: str | None = None
    authored_at: AwareDatetime | None = _either("authoredDate", "authored_date")
    committed_at: AwareDatetime | None = _either("committedDate", "committed_date")
    author_email: str | None = _either("authorEmail", "author_email")


class NotesWire(CamelWire):
    """Notes."""

    nodes: list[NoteWire] | None = None


class CommitsWire(CamelWire):
    """Commits, newest first."""

    nodes: list[CommitWire] | None = None


class DiffStatsWire(CamelWire):
    """How many lines a merge request touches."""

    additions: Integer | None = None
    deletions: Integer | None = None


class DetailsWire(CamelWire):
    """What GraphQL adds to a merge request of the list."""

    iid: Number
    commit_count: int | None = None
    diff_stats_summary: DiffStatsWire | None = None
    author: UserWire | None = None
    merge_user: UserWire | None = None
    commits: CommitsWire | None = None
    activity: NotesWire | None = None
    comments: NotesWire | None = None


LISTED: Reader[MergeRequestWire] = Reader(MergeRequestWire, (), ChangeRequest)
DETAILS: Reader[DetailsWire] = Reader(
    DetailsWire,
    ("data", "project", "mergeRequests", "nodes"),
    ChangeRequest,
    children=(
        Children(("commits", "nodes"), CommitWire, ChangeRequestCommit),
        Children(("activity", "nodes"), NoteWire, Review),
        Children(("comments", "nodes"), NoteWire, Review),
    ),
)
MORE_COMMITS: Reader[CommitWire] = Reader(
    CommitWire, ("data", "project", "mergeRequest", "commits", "nodes"), ChangeRequestCommit
)
MORE_NOTES: Reader[NoteWire] = Reader(
    NoteWire, ("data", "project", "mergeRequest", "notes", "nodes"), Review
)
REST_NOTES: Reader[NoteWire] = Reader(NoteWire, (), Review)
REST_COMMITS: Reader[CommitWire] = Reader(CommitWire, (), ChangeRequestCommit)
