"""GitHub's REST payloads: which address answers with what, and their records.

GraphQL is asked for almost everything; workflow runs exist in REST only, and the other shapes are
read as well, so that pages kept from either say the same.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.connector import Line, Parsed, SourceError
from connectors.failures import redact_url
from connectors.github_rest_mapping import (
    account,
    commit,
    deployment,
    issue,
    job,
    pulls,
    release,
    repository,
    review,
    run,
    status,
    team,
    team_member,
)
from connectors.github_rest_wire import (
    AccountWire,
    CommitWire,
    DeploymentWire,
    IssueWire,
    JobWire,
    PullRequestWire,
    ReleaseWire,
    RepositoryWire,
    ReviewWire,
    RunWire,
    StatusWire,
    TeamWire,
)
from connectors.reading import Reader
from connectors.records import (
    Account,
    ChangeRequest,
    ChangeRequestCommit,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    Record,
    Release,
    Repository,
    Review,
    Team,
    TeamMember,
    Ticket,
)

Adder = Callable[[Parsed, Line, list[Any], "re.Match[str]"], None]


@dataclass(frozen=True)
class Shape:
    """What an address answers with."""

    path: re.Pattern[str]
    many: Reader[Any]
    one: Reader[Any]
    add: Adder


def _shape(
    path: str, wire: Any, record_type: type[Record], add: Adder, *, inside: tuple[str, ...] = ()
) -> Shape:
    return Shape(
        re.compile(path + "$"),
        Reader(wire, inside, record_type),
        Reader(wire, None, record_type),
        add,
    )


# Enterprise Server answers below /api/v3; paging goes by number: /repositories/1/….
_REPOSITORY = r"(?:/repos/[^/]+/[^/]+|/repositories/\d+)"
_OWNER = r"/(?:orgs|organizations|users)/[^/]+"
_SHAPES: tuple[Shape, ...] = (
    _shape(rf"{_REPOSITORY}/pulls(?:/\d+)?", PullRequestWire, ChangeRequest, pulls),
    _shape(rf"{_REPOSITORY}/pulls/(\d+)/reviews(?:/\d+)?", ReviewWire, Review, review),
    _shape(rf"{_REPOSITORY}/pulls/(\d+)/commits", CommitWire, ChangeRequestCommit, commit),
    _shape(
        rf"{_REPOSITORY}/deployments/(\d+)/statuses(?:/\d+)?", StatusWire, DeploymentStatus, status
    ),
    _shape(rf"{_REPOSITORY}/deployments(?:/\d+)?", DeploymentWire, DeploymentAttempt, deployment),
    _shape(rf"{_REPOSITORY}/releases(?:/\d+|/latest|/tags/[^/]+)?", ReleaseWire, Release, release),
    _shape(rf"{_REPOSITORY}/issues(?:/\d+)?", IssueWire, Ticket, issue),
    _shape(rf"{_REPOSITORY}/actions/runs", RunWire, PipelineRun, run, inside=("workflow_runs",)),
    _shape(rf"{_REPOSITORY}/actions/runs/\d+", RunWire, PipelineRun, run),
    _shape(rf"{_REPOSITORY}/actions/runs/\d+/jobs", JobWire, PipelineJob, job, inside=("jobs",)),
    _shape(
        rf"(?:{_REPOSITORY}|{_OWNER}/repos|/user/repos)", RepositoryWire, Repository, repository
    ),
    _shape(r"(?:/orgs/[^/]+/teams|/organizations/\d+/teams)", TeamWire, Team, team),
    _shape(
        r"(?:(?:/orgs/[^/]+)?/teams/([^/]+)|/organizations/\d+/team/(\d+))/members",
        AccountWire,
        TeamMember,
        team_member,
    ),
    _shape(
        rf"(?:/user|/users/[^/]+|{_OWNER}/members|{_REPOSITORY}/collaborators)",
        AccountWire,
        Account,
        account,
    ),
)


class UnknownAddressError(SourceError):
    """A kept page comes from an address that no shape is known for."""


def is_rest(line: Line) -> bool:
    """Whether a kept page came from REST."""
    return not urlsplit(line.url).path.endswith("/graphql")


def parse_rest(line: Line) -> Parsed:
    """Read a page of REST by its address; raises `UnknownAddressError` where none is known."""
    path = re.sub(r"^/api/v3", "", urlsplit(line.url).path).rstrip("/")
    for shape in _SHAPES:
        match = shape.path.match(path)
        if match is None:
            continue
        parsed = Parsed()
        is_one = line.body.lstrip()[:1] == b"{" and not shape.many.is_inside
        reader = shape.one if is_one else shape.many
        shape.add(parsed, line, reader.read(line, parsed), match)
        return parsed
    raise UnknownAddressError(
        f"{redact_url(line.url)}: no page of this address is known; it was kept by another version"
    )
