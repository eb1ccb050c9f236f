"""The made-up organisation as a whole: what both vendors serve, and what came of it.

The parts are plain frozen dataclasses in `sandbox.staff` (people, teams, services),
`sandbox.forge` (repositories and all around them), `sandbox.ticketing` (Jira) and
`sandbox.outcomes` (the truth). Nothing here is computed but the look-ups.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sandbox.forge import Commit, Repository
from sandbox.outcomes import ChangeOutcome, DeploymentOutcome, IncidentOutcome
from sandbox.platform import NO_PLATFORM, Platform
from sandbox.profile import PLAIN, Profile
from sandbox.staff import Account, Person, Service, Team
from sandbox.ticketing import TicketSite, TicketStatus


@dataclass(frozen=True)
class Organisation:
    """The whole organisation: what both vendors serve, and what came of every change."""

    id: int
    login: str
    name: str
    seed: int
    zone: str
    holidays: tuple[date, ...]
    started_at: datetime
    end: datetime
    pipeline_launched_at: datetime
    accounts: tuple[Account, ...]
    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    repositories: tuple[Repository, ...]
    ticket_site: TicketSite
    deployment_outcomes: tuple[DeploymentOutcome, ...]
    change_outcomes: tuple[ChangeOutcome, ...]
    incident_outcomes: tuple[IncidentOutcome, ...]
    reverts: tuple[tuple[str, str], ...]  # keys of a change and of the one it takes back
    platform: Platform = NO_PLATFORM
    profile: Profile = PLAIN

    @cached_property
    def account_by_id(self) -> Mapping[int, Account]:
        """Accounts by number."""
        return {account.id: account for account in self.accounts}

    @cached_property
    def repository_by_id(self) -> Mapping[int, Repository]:
        """Repositories by number."""
        return {repository.id: repository for repository in self.repositories}

    @cached_property
    def repository_by_full_name(self) -> Mapping[str, Repository]:
        """Repositories by present and former lower-case "owner/name"."""
        found = {
            former.lower(): repository
            for repository in self.repositories
            for former in repository.former_full_names
        }
        found.update({repository.full_name.lower(): repository for repository in self.repositories})
        return found

    @cached_property
    def commit_by_sha(self) -> Mapping[str, Commit]:
        """Commits of all repositories by SHA."""
        return {
            commit.sha: commit for repository in self.repositories for commit in repository.commits
        }

    @cached_property
    def service_by_id(self) -> Mapping[int, Service]:
        """Services by number."""
        return {service.id: service for service in self.services}

    @cached_property
    def status_by_id(self) -> Mapping[str, TicketStatus]:
        """Ticket statuses by id."""
        return {
            status.id: status
            for project in self.ticket_site.projects
            for status in project.statuses
        }
