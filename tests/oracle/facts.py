"""What happened, as the sources tell it: the oracle's own vocabulary, none of the product's."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Listed:
    """A commit as a change request lists it."""

    sha: str
    email: str
    authored: datetime
    committed: datetime
    subject: str
    is_merge: bool = False


@dataclass(frozen=True)
class Review:
    """What somebody said about a change request."""

    reviewer: str
    state: str
    at: datetime


@dataclass
class Request:
    """A change request; `merged` is None while it is open."""

    id: str
    author: str
    base: str
    head: str
    opened: datetime
    ready: datetime | None = None
    merged: datetime | None = None
    merge_sha: str | None = None
    head_sha: str | None = None
    commits: list[Listed] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass(frozen=True)
class Attempt:
    """One attempt to deploy a commit, with the states it went through."""

    id: str
    environment: str
    sha: str
    started: datetime
    statuses: tuple[tuple[str, datetime], ...] = ()


@dataclass
class Facts:
    """One repository with all that was done to it."""

    path: Path
    key: str
    default_branch: str = "main"
    production: frozenset[str] = frozenset({"production"})
    bots: frozenset[str] = frozenset()
    requests: list[Request] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
