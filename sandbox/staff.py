"""People, accounts, teams and services of the made-up organisation.

Every thing carries a stable vendor-like number as its `id`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

DeploymentOrigin = Literal["deployments", "runs", "releases", "tags", "merges", "none"]


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the forge, of a person or of a bot."""

    id: int
    login: str  # bots carry the suffix "[bot]"
    name: str | None
    email: str | None  # public address; most people show none
    is_bot: bool
    is_site_admin: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """One human being; what the accounts and addresses of several systems come together to."""

    id: int
    name: str
    emails: tuple[str, ...]  # every address used in commits, the work address first
    account_id: int | None  # None: the forge account was deleted (a ghost)
    former_login: str | None  # login of the deleted account
    ticket_user_id: str
    team_id: int
    role: Literal["engineer", "senior", "lead"]
    joined_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Team:
    """One team of the forge; groups are teams that are parents of teams."""

    id: int
    slug: str
    name: str
    description: str
    parent_id: int | None
    member_account_ids: tuple[int, ...]
    maintainer_account_ids: tuple[int, ...]
    repository_ids: tuple[int, ...]
    is_infrastructure: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Service:
    """One thing that runs in production, or is meant to."""

    id: int
    slug: str
    name: str
    team_id: int
    repository_id: int
    incident_name: str  # what its incidents call it
    paths: tuple[str, ...]  # path prefixes inside a repository of several services, else empty
    origin: DeploymentOrigin  # how its production deployments show
    production_environments: tuple[str, ...]
    staging_environment: str | None
    created_at: datetime
