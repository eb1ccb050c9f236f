"""The lists of a repository: pull requests, deployments, releases, issues."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.connector import Line, Page, Parsed, Scope
from connectors.github_graphql import Asker
from connectors.github_lists import RepositoryList, more_pages
from connectors.github_mapping import add_deployment, add_issue, add_statuses, release
from connectors.github_probes import probed
from connectors.github_pulls import (
    MORE_COMMITS,
    MORE_REVIEWS,
    PULLS,
    add_more_commits,
    add_more_reviews,
    add_pulls,
)
from connectors.github_queries import CHANGE_REQUESTS, DEPLOYMENTS, ISSUES, RELEASES
from connectors.github_queries import MORE_COMMITS as MORE_COMMITS_QUERY
from connectors.github_queries import MORE_REVIEWS as MORE_REVIEWS_QUERY
from connectors.github_queries import MORE_STATUSES as MORE_STATUSES_QUERY
from connectors.github_rest import is_rest, parse_rest
from connectors.github_wire import (
    DeploymentWire,
    EventWire,
    IssueWire,
    ReleaseWire,
    RepositoryWire,
    StatusWire,
)
from connectors.graphql import Told
from connectors.reading import Children, Reader, moment_of
from connectors.records import (
    Account,
    ChangeRequest,
    ChangeRequestCommit,
    DeploymentAttempt,
    DeploymentStatus,
    Record,
    Release,
    Review,
    Ticket,
    TicketTransition,
)

# A deployment without an end is asked about again for so long; after that a full pass sees it.
_DEPLOYMENTS_SETTLE = timedelta(days=30)
_UNFINISHED = {"QUEUED", "PENDING", "IN_PROGRESS", "WAITING"}

_DEPLOYMENTS: Reader[DeploymentWire] = Reader(
    DeploymentWire,
    ("data", "node", "deployments", "nodes"),
    DeploymentAttempt,
    children=(Children(("statuses", "nodes"), StatusWire, DeploymentStatus),),
)
_STATUSES: Reader[StatusWire] = Reader(
    StatusWire, ("data", "node", "statuses", "nodes"), DeploymentStatus
)
_RELEASES: Reader[ReleaseWire] = Reader(ReleaseWire, ("data", "node", "releases", "nodes"), Release)
_ISSUES: Reader[IssueWire] = Reader(
    IssueWire,
    ("data", "node", "issues", "nodes"),
    Ticket,
    children=(Children(("timelineItems", "nodes"), EventWire, TicketTransition),),
)


class ChangeRequestsStream(RepositoryList):
    """Pull requests with reviews, commits and the times they became ready for review."""

    name = "change_requests"
    record_types: ClassVar[tuple[type[Record], ...]] = (
        ChangeRequest,
        ChangeRequestCommit,
        Review,
        Account,
    )
    query = CHANGE_REQUESTS
    connection = "pullRequests"
    moment = "updatedAt"

    def marker(self, wire: RepositoryWire) -> tuple[Any, datetime | None]:
        """Number and newest update of the pull requests."""
        return probed(wire.pull_requests)

    def overflow(self, asker: Asker, scope: Scope, told: Told, node: Any) -> Iterable[Page]:  # noqa: ARG002
        """Commits after the first hundred, reviews after the first fifty."""
        attributes = {"pull": str(node.get("fullDatabaseId"))}
        queries = {"reviews": MORE_REVIEWS_QUERY, "commits": MORE_COMMITS_QUERY}
        for name, query in queries.items():
            yield from more_pages(asker, told, query, node=node, name=name, attributes=attributes)

    def parse(self, line: Line) -> Parsed:
        """Pull requests, or more reviews or commits of one of them."""
        if is_rest(line):
            return parse_rest(line)
        parsed = Parsed()
        match line.attributes.get("part"):
            case "reviews":
                add_more_reviews(parsed, line, MORE_REVIEWS.read(line, parsed), set_time(line))
            case "commits":
                add_more_commits(parsed, line, MORE_COMMITS.read(line, parsed), set_time(line))
            case _:
                add_pulls(parsed, line, PULLS.read(line, parsed))
        return parsed


class DeploymentsStream(RepositoryList):
    """Deployments with all the states they went through."""

    name = "deployments"
    record_types: ClassVar[tuple[type[Record], ...]] = (DeploymentAttempt, DeploymentStatus)
    query = DEPLOYMENTS
    connection = "deployments"
    moment = "createdAt"

    def marker(self, wire: RepositoryWire) -> tuple[Any, datetime | None]:
        """Number of the deployments, and the state and update of the ten newest."""
        return probed(wire.deployments)

    def unfinished_since(self, node: Mapping[str, Any], now: datetime) -> datetime | None:
        """GitHub lists deployments by creation only: those without an end are asked again."""
        created_at = moment_of(node.get("createdAt"))
        if created_at is None or now - created_at >= _DEPLOYMENTS_SETTLE:
            return None
        return created_at if node.get("state") in _UNFINISHED else None

    def overflow(self, asker: Asker, scope: Scope, told: Told, node: Any) -> Iterable[Page]:  # noqa: ARG002
        """States after the first fifty."""
        attributes = {"deployment": str(node.get("databaseId"))}
        return more_pages(
            asker, told, MORE_STATUSES_QUERY, node=node, name="statuses", attributes=attributes
        )

    def parse(self, line: Line) -> Parsed:
        """Deployments, or more states of one of them."""
        if is_rest(line):
            return parse_rest(line)
        parsed = Parsed()
        if line.attributes.get("part") == "statuses":
            key = f"{line.connection}:deployment:{line.attributes['deployment']}"
            add_statuses(parsed, key, _STATUSES.read(line, parsed), set_time(line))
            return parsed
        for wire in _DEPLOYMENTS.read(line, parsed):
            add_deployment(parsed, line, wire)
        return parsed


class ReleasesStream(RepositoryList):
    """Releases."""

    name = "releases"
    record_types: ClassVar[tuple[type[Record], ...]] = (Release,)
    query = RELEASES
    connection = "releases"
    moment = "createdAt"
    largest = 100

    def marker(self, wire: RepositoryWire) -> tuple[Any, datetime | None]:
        """Number of the releases and the newest of them."""
        return probed(wire.releases)

    def parse(self, line: Line) -> Parsed:
        """Releases."""
        if is_rest(line):
            return parse_rest(line)
        parsed = Parsed()
        for wire in _RELEASES.read(line, parsed):
            parsed.add(release(line, wire))
        return parsed


class IssuesStream(RepositoryList):
    """Issues as tickets, with up to fifty closings and re-openings of each."""

    name = "issues"
    record_types: ClassVar[tuple[type[Record], ...]] = (Ticket, TicketTransition)
    query = ISSUES
    connection = "issues"
    moment = "updatedAt"
    has_since = True

    def marker(self, wire: RepositoryWire) -> tuple[Any, datetime | None]:
        """Number and newest update of the issues."""
        return probed(wire.issues)

    def parse(self, line: Line) -> Parsed:
        """Issues."""
        if is_rest(line):
            return parse_rest(line)
        parsed = Parsed()
        for wire in _ISSUES.read(line, parsed):
            add_issue(parsed, line, wire)
        return parsed


def set_time(line: Line) -> datetime | None:
    """The time of the item whose set an overflow page completes."""
    text = line.attributes.get("set_updated_at")
    return datetime.fromisoformat(text) if text else None
