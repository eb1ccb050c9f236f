"""The simulation's own working notes: mutable, in whole seconds, turned into facts at the end."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.forge import Commit, MergeMethod, ReviewState, Signature
from sandbox.numbers import Numbers
from sandbox.platform import SetupWay
from sandbox.profile import PLAIN, Profile
from sandbox.staff import DeploymentOrigin
from sandbox.working_time import HOUR, WorkCalendar, as_datetime

if TYPE_CHECKING:
    from sandbox.generate_tickets import TicketPlan

NEVER = 1 << 40
HOTFIX_PREFIX = "hotfix-"  # of the tags of patches that could not wait


@dataclass(slots=True)
class Member:
    """A person or a bot who acts on the forge."""

    person_id: int
    name: str
    login: str
    account_id: int
    is_bot: bool
    is_ghost: bool  # the account was deleted: the forge shows no author
    emails: tuple[str, ...]
    zone: ZoneInfo
    team_index: int
    role: str
    joined: int
    left: int
    user_id: str
    is_latin: bool = False  # an old machine that writes commits in ISO-8859-1

    @property
    def shown_account_id(self) -> int | None:
        """The account as the forge shows it today."""
        return None if self.is_ghost else self.account_id

    def email(self, random: Random) -> str:
        """One of the addresses, mostly the first."""
        return self.emails[0] if random.random() < 0.7 else random.choice(self.emails)

    def signature(self, seconds: int, email: str) -> Signature:
        """This member's signature at a moment, in the zone of their machine."""
        at = as_datetime(seconds)
        offset = self.zone.utcoffset(at)
        minutes = 0 if offset is None else int(offset.total_seconds() // 60)
        return Signature(self.name, email, at, minutes)


@dataclass(slots=True)
class TeamPlan:
    """One team and how it works."""

    id: int
    slug: str
    name: str
    group_index: int
    is_infrastructure: bool
    pickup_factor: float  # how long requests wait for a first review, against the average
    unreviewed_share: float
    adopted: int  # when the team moved to the shared pipeline, NEVER if it did not


@dataclass(slots=True)
class ServicePlan:
    """One service and how it is deployed."""

    id: int
    slug: str
    name: str
    team_index: int
    repository: "RepositoryPlan"
    paths: tuple[str, ...]
    origin: DeploymentOrigin
    environments: tuple[str, ...]
    staging: str | None
    created: int
    weight: float
    cadence: str  # continuous, daily, weekly
    failure_share: float
    incident_name: str  # what its incidents call it
    setup: "SetupPlan | None" = None


@dataclass(slots=True)
class SetupPlan:
    """How one new service comes to be; moments in whole seconds."""

    way: SetupWay
    requester: Member
    requested: int
    approved: int
    created: int  # of the repository
    checked: int  # first green pipeline
    deploying: int | None  # start of the first deployment, None if there never is one
    ticket: "TicketPlan | None" = None


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """A self-service offer and when it goes live."""

    name: str
    category: int  # of the request types
    at: int
    effect: float  # share of the category's tickets that it takes away


@dataclass(frozen=True, slots=True)
class SelfServicePlan:
    """Something that somebody does by themselves instead of asking."""

    launch: LaunchPlan
    actor: Member
    at: int
    seconds: int
    is_done: bool
    is_instead: bool  # of a ticket


@dataclass(slots=True)
class RepositoryPlan:
    """One repository and its habits."""

    id: int
    owner: str
    name: str
    description: str
    team_index: int
    language: str
    created: int
    method_weights: tuple[float, float, float]  # merge, squash, rebase
    former_full_names: tuple[str, ...] = ()
    default_branch: str = "main"
    visibility: str = "private"
    fork_parent: str | None = None
    is_template: bool = False
    archived: int = NEVER
    is_promoted: bool = False  # work lands on the default branch, promotions carry it to main
    has_mailmap: bool = False
    setup: SetupPlan | None = None
    services: list[ServicePlan] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """The present "owner/name"."""
        return f"{self.owner}/{self.name}"

    @property
    def begun(self) -> int:
        """When people begin to work in it: at once, or when it is set up."""
        if self.setup is None:
            return self.created
        return NEVER if self.setup.deploying is None else self.setup.deploying + HOUR


@dataclass(slots=True)
class ReviewPlan:
    """One review to come."""

    at: int
    reviewer: Member
    state: ReviewState


@dataclass(slots=True)
class RequestPlan:
    """One change request to come, its whole life decided before any commit is written."""

    repository: RepositoryPlan
    author: Member
    kind: str  # normal, bot, revert, hotfix, backport, stacked, promotion
    paths: tuple[str, ...]
    authored: list[int]
    committed: list[int]
    branched: int
    created: int
    title: str
    method: MergeMethod | None
    is_draft: bool = False
    ready: int | None = None
    drafted: int | None = None  # converted to draft after opening
    reviews: list[ReviewPlan] = field(default_factory=list)
    merged: int | None = None
    closed: int | None = None
    reopened: int | None = None
    merger: Member | None = None
    labels: tuple[str, ...] = ()
    branch: str = ""
    branch_prefix: str = ""  # "fix/", "feature/" where a team writes so
    ticket_key: str | None = None
    is_updated: bool = False  # takes the base branch in before the merge
    reverts: "RequestPlan | None" = None
    carrier: "RequestPlan | None" = None  # of a stacked request: the one whose branch it targets
    original: "RequestPlan | None" = None  # of a back-port
    base_branch: str = ""
    id: int = 0
    number: int = 0
    # filled in while history is written
    position: int | None = None  # on the line of the default branch
    base_position: int = -1
    commit_shas: list[str] = field(default_factory=list)
    base_sha: str = ""
    head_sha: str = ""
    merge_sha: str | None = None

    @property
    def key(self) -> str:
        """The change key used in the truth."""
        return f"request:{self.id}"


@dataclass(slots=True)
class DirectPlan:
    """One commit pushed straight to the default branch."""

    repository: RepositoryPlan
    author: Member
    paths: tuple[str, ...]
    authored: int
    committed: int
    subject: str


@dataclass(slots=True)
class ReleasePlan:
    """One release to come, of a service whose tags are its deployments."""

    at: int
    tag: str
    branch: str
    is_prerelease: bool
    backport: RequestPlan | None
    author: Member
    is_hotfix: bool = False
    sha: str = ""
    position: int = -1

    @property
    def base_tag(self) -> str:
        """The regular release that a patch patches."""
        return self.tag.removeprefix(HOTFIX_PREFIX).removesuffix(".1") + ".0"


@dataclass(slots=True)
class LineEntry:
    """One step of the default branch, by first parents: one change, or nothing that counts."""

    at: int
    change_key: str
    paths: tuple[str, ...]


@dataclass(slots=True)
class DeployPoint:
    """A commit that can be deployed; it holds the entries of the line up to `position`."""

    at: int
    sha: str
    position: int


@dataclass(slots=True)
class History:
    """What became of one repository's plans: commits, and the line they make."""

    commits: list[Commit] = field(default_factory=list)
    entries: list[LineEntry] = field(default_factory=list)
    points: list[DeployPoint] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)  # name -> SHA at the tip


@dataclass(slots=True)
class Simulation:
    """What every part of the simulation shares."""

    seed: int
    start: int
    end: int
    launch: int
    zone: str
    calendar: WorkCalendar
    numbers: Numbers
    members: list[Member]
    bots: dict[str, Member]
    teams: list[TeamPlan]
    groups: list[tuple[int, str, str]]  # id, slug, name
    profile: Profile = PLAIN
    launches: list[LaunchPlan] = field(default_factory=list)
    services: list[ServicePlan] = field(default_factory=list)
    repositories: list[RepositoryPlan] = field(default_factory=list)

    def random(self, *topic: object) -> Random:
        """A generator of its own per topic, so that parts do not disturb each other."""
        return Random("/".join(str(part) for part in (self.seed, *topic)))

    def present(self, team_index: int, seconds: int) -> list[Member]:
        """The members of a team at a moment."""
        return [
            member
            for member in self.members
            if member.team_index == team_index and member.joined <= seconds < member.left
        ]
