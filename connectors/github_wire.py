"""GitHub's GraphQL payloads: the fields of use, as the vendor names them."""

from datetime import datetime

from pydantic import Field

from connectors.reading import CamelWire, Integer


class ActorWire(CamelWire):
    """A user, bot or organisation; null stands for a deleted account (ghost)."""

    kind: str | None = Field(None, alias="__typename")
    login: str | None = None


class PlaceWire(CamelWire):
    """Where a connection goes on."""

    has_next_page: bool = False
    end_cursor: str | None = None


class ObjectWire(CamelWire):
    """A git object."""

    oid: str | None = None


class NamedWire(CamelWire):
    """Anything with a name."""

    name: str | None = None


class BranchWire(CamelWire):
    """A branch or tag."""

    name: str | None = None
    target: ObjectWire | None = None


class ProbeWire(CamelWire):
    """The newest of a list of a repository."""

    database_id: int | None = None
    updated_at: datetime | None = None
    state: str | None = None
    name: str | None = None
    target: ObjectWire | None = None


class ProbesWire(CamelWire):
    """A list of a repository as the probe sees it; null without the permission to see it."""

    total_count: int | None = None
    nodes: list[ProbeWire | None] | None = None


class RepositoryWire(CamelWire):
    """A repository and what the probe asks of its lists."""

    id: str
    database_id: int
    name: str
    name_with_owner: str
    url: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    pushed_at: datetime | None = None
    archived_at: datetime | None = None
    is_archived: bool | None = None
    is_fork: bool | None = None
    is_template: bool | None = None
    is_mirror: bool | None = None
    visibility: str | None = None
    primary_language: NamedWire | None = None
    default_branch_ref: BranchWire | None = None
    branches: ProbesWire | None = None
    tags: ProbesWire | None = None
    pull_requests: ProbesWire | None = None
    issues: ProbesWire | None = None
    deployments: ProbesWire | None = None
    releases: ProbesWire | None = None


class MemberWire(CamelWire):
    """A member of a team."""

    role: str | None = None
    node: ActorWire


class MembersWire(CamelWire):
    """Members of a team."""

    page_info: PlaceWire | None = None
    edges: list[MemberWire] | None = None


class ParentTeamWire(CamelWire):
    """The team above."""

    database_id: int | None = None


class TeamWire(CamelWire):
    """A team with its members."""

    database_id: int
    name: str
    updated_at: datetime | None = None
    parent_team: ParentTeamWire | None = None
    members: MembersWire | None = None


class TeamMembersWire(CamelWire):
    """More members of a team."""

    database_id: int
    members: MembersWire


class AccountWire(CamelWire):
    """A member of the organisation."""

    login: str
    name: str | None = None
    email: str | None = None
    updated_at: datetime | None = None


class LabelsWire(CamelWire):
    """Labels."""

    nodes: list[NamedWire | None] | None = None


class EventWire(CamelWire):
    """An event on a timeline; kinds that are not asked for are empty."""

    kind: str | None = Field(None, alias="__typename")
    id: str | None = None
    created_at: datetime | None = None
    actor: ActorWire | None = None


class TimelineWire(CamelWire):
    """Events of a pull request or issue."""

    nodes: list[EventWire | None] | None = None


class StatusWire(CamelWire):
    """A state a deployment reached."""

    id: str
    state: str
    created_at: datetime
    log_url: str | None = None


class StatusesWire(CamelWire):
    """States of a deployment."""

    nodes: list[StatusWire] | None = None


class DeploymentWire(CamelWire):
    """A deployment with its states."""

    database_id: int
    created_at: datetime
    environment: str | None = None
    commit_oid: str | None = None
    updated_at: datetime | None = None
    ref: NamedWire | None = None
    creator: ActorWire | None = None
    statuses: StatusesWire | None = None


class ReleaseWire(CamelWire):
    """A release of a tag."""

    database_id: int
    tag_name: str
    tag_commit: ObjectWire | None = None
    is_prerelease: bool | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None


class IssueWire(CamelWire):
    """An issue with its closings."""

    full_database_id: int
    number: Integer
    created_at: datetime
    title: str | None = None
    body: str | None = None
    url: str | None = None
    state: str | None = None
    state_reason: str | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    author: ActorWire | None = None
    assignees: "AssigneesWire | None" = None
    labels: LabelsWire | None = None
    timeline_items: TimelineWire | None = None


class AssigneesWire(CamelWire):
    """Who an issue is given to."""

    nodes: list[ActorWire | None] | None = None
