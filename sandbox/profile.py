"""What tells one made-up organisation from another: the few habits that decide its verdict.

A `Profile` is data only. `sandbox.worlds` holds the named ones, the generators read them.
"""

from dataclasses import dataclass
from typing import Literal

# Sources and declarations that a world can go without.
Source = Literal["tickets", "portal", "units", "audits", "scan", "team"]
# Who builds and deploys: the forge that holds the code, or tools beside it.
Delivery = Literal["forge", "beside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupHabit:
    """How new services come to be, and how many in each way over the last `days`."""

    quick: int = 0  # from a template, ready within the hour
    slow: int = 0  # by hand and by tickets, ready after days
    weekend: int = 0  # asked for on a Friday afternoon, ready on the Monday after
    open: int = 0  # asked for by ticket, never deployed
    days: int = 170


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkHabit:
    """What the days of the infrastructure team go to."""

    request_share: float  # days on requests in all days on requests and building
    books_time: bool = True  # worklogs; else there are only status histories
    tickets_a_day: int = 3  # how many requests a day on requests takes
    parked: bool = False  # an epic and its stories stay in progress for months, untouched


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchHabit:
    """A self-service action put in place of tickets of one category."""

    name: str
    category: int  # of the request types
    weeks_ago: int
    effect: float  # share of the category's tickets that it takes away


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHabit:
    """One audit of all teams."""

    name: str
    days_ago: int
    control: str
    is_inconsistent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a right reading of the world must say."""

    answer: Literal["platform engineering", "devops", "undecided"]
    setup_time: str
    shared_infrastructure: str
    configuration: str
    requests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One world. What is None or empty is as the plain organisation has it, or is not there."""

    name: str
    story: str
    engineers: int = 24
    teams: int | None = None
    services: int | None = None  # without those that `setups` adds
    months: int = 13
    has_infrastructure_team: bool = True
    has_portal: bool = True  # a template for new services; else they are made by hand at once
    joins_a_week: float | None = None  # at even steps, nobody leaves; None: people come and go
    is_linked: bool = True  # every account shows the work address
    tools: Literal["one", "two", "own"] | None = None  # a set-up for all, two each, one a team
    shares_cluster: bool = True  # all teams on one cluster; else each on its own
    setups: SetupHabit | None = None
    work: WorkHabit | None = None
    launches: tuple[LaunchHabit, ...] = ()
    audits: tuple[AuditHabit, ...] = ()
    without: frozenset[Source] = frozenset()
    delivery: Delivery = "forge"
    expected: Expected | None = None

    @property
    def has_pager(self) -> bool:
        """Whether incidents are told by a pager; else by the tickets about them."""
        return self.delivery == "beside"


# The organisation that delivery alone is measured on: nothing of a platform is told of it.
PLAIN = Profile(name="plain", story="Delivery alone.", is_linked=False)
