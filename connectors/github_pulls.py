"""Pull requests of GitHub's GraphQL, with their reviews and commits, straight into Arrow tables.

They are by far the most numerous, so they skip the record objects: plain dicts that pydantic has
checked, turned into columns, cost a quarter of one object a row.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, NotRequired, TypeAlias

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from connectors.arrow import columns_table
from connectors.connector import Line, Parsed
from connectors.github_names import REVIEW_STATES, account_id
from connectors.reading import Children, Integer, Reader
from connectors.records import Account, ChangeRequest, ChangeRequestCommit, Review
from connectors.titles import is_merge_subject, ticket_keys

_CAMEL = ConfigDict(alias_generator=to_camel)
_Kind: TypeAlias = Annotated[str | None, Field(alias="__typename")]


class ActorWire(TypedDict):
    """A user, bot or organisation; null stands for a deleted account (ghost)."""

    kind: NotRequired[_Kind]
    login: NotRequired[str | None]


class ObjectWire(TypedDict):
    """A git object."""

    oid: NotRequired[str | None]


class NamedWire(TypedDict):
    """Anything with a name."""

    name: NotRequired[str | None]


class LabelsWire(TypedDict):
    """Labels."""

    nodes: NotRequired[list[NamedWire | None] | None]


class ReviewWire(TypedDict):
    """A submitted review."""

    __pydantic_config__ = _CAMEL  # type: ignore[misc]

    full_database_id: int
    state: str
    submitted_at: AwareDatetime
    author: NotRequired[ActorWire | None]


class ReviewsWire(TypedDict):
    """Reviews of a pull request."""

    nodes: NotRequired[list[ReviewWire] | None]


class GitActorWire(TypedDict):
    """Who wrote a commit."""

    email: NotRequired[str | None]


class CommitWire(TypedDict):
    """A commit of a pull request."""

    __pydantic_config__ = _CAMEL  # type: ignore[misc]

    oid: str
    authored_date: NotRequired[AwareDatetime | None]
    committed_date: NotRequired[AwareDatetime | None]
    message_headline: NotRequired[str | None]
    author: NotRequired[GitActorWire | None]


class PullCommitWire(TypedDict):
    """The place of a commit in a pull request."""

    commit: CommitWire


class PullCommitsWire(TypedDict):
    """Commits of a pull request."""

    nodes: NotRequired[list[PullCommitWire] | None]


class EventWire(TypedDict):
    """An event on the timeline."""

    __pydantic_config__ = _CAMEL  # type: ignore[misc]

    kind: NotRequired[_Kind]
    created_at: NotRequired[AwareDatetime | None]


class TimelineWire(TypedDict):
    """Events of a pull request."""

    nodes: NotRequired[list[EventWire | None] | None]


class PullRequestWire(TypedDict):
    """A pull request with its sets."""

    __pydantic_config__ = _CAMEL  # type: ignore[misc]

    full_database_id: int
    number: Integer
    created_at: AwareDatetime
    title: NotRequired[str | None]
    url: NotRequired[str | None]
    is_draft: NotRequired[bool | None]
    updated_at: NotRequired[AwareDatetime | None]
    merged_at: NotRequired[AwareDatetime | None]
    closed_at: NotRequired[AwareDatetime | None]
    author: NotRequired[ActorWire | None]
    merged_by: NotRequired[ActorWire | None]
    base_ref_name: NotRequired[str | None]
    head_ref_name: NotRequired[str | None]
    head_ref_oid: NotRequired[str | None]
    merge_commit: NotRequired[ObjectWire | None]
    additions: NotRequired[Integer | None]
    deletions: NotRequired[Integer | None]
    labels: NotRequired[LabelsWire | None]
    reviews: NotRequired[ReviewsWire | None]
    commits: NotRequired[PullCommitsWire | None]
    timeline_items: NotRequired[TimelineWire | None]


PULLS: Reader[PullRequestWire] = Reader(
    PullRequestWire,
    ("data", "node", "pullRequests", "nodes"),
    ChangeRequest,
    children=(
        Children(("reviews", "nodes"), ReviewWire, Review),
        Children(("commits", "nodes"), PullCommitWire, ChangeRequestCommit),
    ),
)
MORE_REVIEWS: Reader[ReviewWire] = Reader(ReviewWire, ("data", "node", "reviews", "nodes"), Review)
MORE_COMMITS: Reader[PullCommitWire] = Reader(
    PullCommitWire, ("data", "node", "commits", "nodes"), ChangeRequestCommit
)

# A member of a set with its parent's key and time, and its place in the set.
_ReviewRow: TypeAlias = tuple[ReviewWire, str, datetime | None]
_CommitRow: TypeAlias = tuple[CommitWire, str, datetime | None, int]


def add_pulls(parsed: Parsed, line: Line, pulls: Sequence[PullRequestWire]) -> None:
    """Pull requests with their reviews and commits, and the accounts of bots among them."""
    connection = line.connection
    keys = [f"{connection}:pull:{pull['full_database_id']}" for pull in pulls]
    updated = [pull.get("updated_at") for pull in pulls]
    count = len(pulls)
    columns: dict[str, Sequence[Any]] = {
        "source_updated_at": updated,
        "change_request_id": keys,
        "repository_key": [line.attributes["repository_key"]] * count,
        "number": [pull["number"] for pull in pulls],
        "title": [pull.get("title") or "" for pull in pulls],
        "url": [pull.get("url") for pull in pulls],
        "author": [account_of(connection, pull.get("author")) for pull in pulls],
        "is_draft": [bool(pull.get("is_draft")) for pull in pulls],
        "created_at": [pull["created_at"] for pull in pulls],
        "ready_at": [ready_at(pull) for pull in pulls],
        "merged_at": [pull.get("merged_at") for pull in pulls],
        "closed_at": [pull.get("closed_at") for pull in pulls],
        "merged_by": [account_of(connection, pull.get("merged_by")) for pull in pulls],
        "base_branch": [pull.get("base_ref_name") for pull in pulls],
        "head_branch": [pull.get("head_ref_name") for pull in pulls],
        "head_sha": [pull.get("head_ref_oid") for pull in pulls],
        "merge_sha": [(pull.get("merge_commit") or {}).get("oid") for pull in pulls],
        "labels": [_names(pull.get("labels")) for pull in pulls],
        "additions": [pull.get("additions") for pull in pulls],
        "deletions": [pull.get("deletions") for pull in pulls],
        "ticket_keys": [
            ticket_keys(pull.get("title"), pull.get("head_ref_name")) for pull in pulls
        ],
    }
    parsed.add_table(ChangeRequest, columns_table(ChangeRequest, columns))
    reviews: list[_ReviewRow] = []
    commits: list[_CommitRow] = []
    for pull, key, at in zip(pulls, keys, updated, strict=True):
        parsed.whole(Review, key, at)
        parsed.whole(ChangeRequestCommit, key, at)
        reviews += [(wire, key, at) for wire in (pull.get("reviews") or {}).get("nodes") or ()]
        nodes = (pull.get("commits") or {}).get("nodes") or ()
        commits += [(node["commit"], key, at, place) for place, node in enumerate(nodes)]
    _add_reviews(parsed, connection, reviews)
    _add_commits(parsed, commits)
    actors = [pull.get("author") for pull in pulls]
    actors += [pull.get("merged_by") for pull in pulls]
    actors += [wire.get("author") for wire, _, _ in reviews]
    _add_bots(parsed, connection, actors)


def add_more_reviews(
    parsed: Parsed, line: Line, reviews: Sequence[ReviewWire], at: datetime | None
) -> None:
    """The reviews of an overflow page."""
    key = f"{line.connection}:pull:{line.attributes['pull']}"
    parsed.whole(Review, key, at)
    _add_reviews(parsed, line.connection, [(review, key, at) for review in reviews])
    _add_bots(parsed, line.connection, [review.get("author") for review in reviews])


def add_more_commits(
    parsed: Parsed, line: Line, nodes: Sequence[PullCommitWire], at: datetime | None
) -> None:
    """The commits of an overflow page, which follow those already listed."""
    key = f"{line.connection}:pull:{line.attributes['pull']}"
    before = int(line.attributes["before"])
    parsed.whole(ChangeRequestCommit, key, at)
    rows = [(node["commit"], key, at, position) for position, node in enumerate(nodes, before)]
    _add_commits(parsed, rows)


def account_of(connection: str, actor: ActorWire | None) -> str | None:
    """The account id of an actor, None for a ghost."""
    login = actor.get("login") if actor else None
    if actor is None or not login:
        return None
    return account_id(connection, login, actor.get("kind"))


def ready_at(pull: PullRequestWire) -> datetime | None:
    """The first time it was marked ready for review, else its opening; None for a draft."""
    for event in (pull.get("timeline_items") or {}).get("nodes") or ():
        if event and event.get("kind") == "ReadyForReviewEvent":
            return event.get("created_at")
    return None if pull.get("is_draft") else pull["created_at"]


def _names(labels: LabelsWire | None) -> list[str]:
    nodes = (labels or {}).get("nodes") or ()
    return [name for node in nodes if node and (name := node.get("name"))]


def _add_reviews(parsed: Parsed, connection: str, rows: Sequence[_ReviewRow]) -> None:
    columns: dict[str, Sequence[Any]] = {
        "source_updated_at": [at for _, _, at in rows],
        "review_id": [f"{connection}:review:{wire['full_database_id']}" for wire, _, _ in rows],
        "change_request_id": [key for _, key, _ in rows],
        "reviewer": [account_of(connection, wire.get("author")) for wire, _, _ in rows],
        "state": [REVIEW_STATES.get(wire["state"], wire["state"].lower()) for wire, _, _ in rows],
        "submitted_at": [wire["submitted_at"] for wire, _, _ in rows],
    }
    parsed.add_table(Review, columns_table(Review, columns))


def _add_commits(parsed: Parsed, rows: Sequence[_CommitRow]) -> None:
    subjects = [wire.get("message_headline") for wire, _, _, _ in rows]
    columns: dict[str, Sequence[Any]] = {
        "source_updated_at": [at for _, _, at, _ in rows],
        "change_request_id": [key for _, key, _, _ in rows],
        "sha": [wire["oid"] for wire, _, _, _ in rows],
        "authored_at": [wire.get("authored_date") for wire, _, _, _ in rows],
        "committed_at": [wire.get("committed_date") for wire, _, _, _ in rows],
        "author_email": [(wire.get("author") or {}).get("email") for wire, _, _, _ in rows],
        "subject": subjects,
        "is_merge": [is_merge_subject(subject) for subject in subjects],
        "position": [position for _, _, _, position in rows],
    }
    parsed.add_table(ChangeRequestCommit, columns_table(ChangeRequestCommit, columns))


def _add_bots(parsed: Parsed, connection: str, actors: Iterable[ActorWire | None]) -> None:
    """Accounts of applications, which no list of members holds."""
    bots = {
        account_id(connection, login, "Bot"): login
        for actor in actors
        if actor and actor.get("kind") == "Bot" and (login := actor.get("login"))
    }
    for key, login in bots.items():
        shown = login if login.lower().endswith("[bot]") else f"{login}[bot]"
        parsed.add(Account(account_id=key, login=shown, is_bot=True))
