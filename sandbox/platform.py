"""What the made-up organisation knows of its platform: portal, shared units, audits, launches.

Everything here is fact, as a source would hold it, save `SetupOutcome` and `WorkSpan`: they are
the truth that the rest is made from. Times are aware UTC datetimes with whole seconds.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

SetupWay = Literal["quick", "slow", "weekend", "open"]
EntityKind = Literal["Component", "Resource", "Group", "System", "Template"]
WorkClass = Literal["request", "build", "incident"]


@dataclass(frozen=True, slots=True)
class TemplateStep:
    """One step of a template's run."""

    id: str
    name: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class TemplateRun:
    """One run of a template in the portal."""

    id: str
    template: str
    requester_login: str
    repository_id: int
    service_name: str
    created_at: datetime
    completed_at: datetime
    status: Literal["completed", "failed", "cancelled"]
    steps: tuple[TemplateStep, ...]


@dataclass(frozen=True, slots=True)
class CatalogEntity:
    """One entity of the catalog; references are Backstage's ("component:default/basket-api")."""

    kind: EntityKind
    name: str
    title: str
    type: str
    lifecycle: str | None
    owner: str | None
    system: str | None
    depends_on: tuple[str, ...]
    repository_id: int | None

    @property
    def reference(self) -> str:
        """The entity's reference."""
        return f"{self.kind.lower()}:default/{self.name}"


@dataclass(frozen=True, slots=True)
class SharedUnit:
    """Something that several teams run on."""

    name: str
    kind: Literal["cluster"]
    service_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit and the teams it looked at."""

    id: str
    name: str
    performed_at: datetime
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit saw of one control at one team."""

    audit_id: str
    control: str
    team: str
    observed: str
    is_pass: bool


@dataclass(frozen=True, slots=True)
class SelfServiceAction:
    """Something done without a ticket."""

    id: str
    category: str
    actor_login: str
    started_at: datetime
    completed_at: datetime
    outcome: Literal["succeeded", "failed"]
    launch: str
    is_instead: bool  # of a ticket that there would have been, had it not been launched


@dataclass(frozen=True, slots=True)
class Launch:
    """A self-service offer that went live, and the ticket categories it is for."""

    name: str
    on: date
    categories: tuple[str, ...]
    effect: float  # share of their tickets that it truly takes away


@dataclass(frozen=True, slots=True)
class SetupOutcome:
    """How one new service came to be, and when each leg was done."""

    service_name: str
    repository_id: int
    way: SetupWay
    ticket_key: str | None
    run_id: str | None
    requested_at: datetime
    created_at: datetime  # of the repository
    checked_at: datetime  # first green pipeline
    live_at: datetime | None  # first successful deployment anywhere

    @property
    def ready_at(self) -> datetime | None:
        """When the last leg was done; None: it never was."""
        return None if self.live_at is None else max(self.checked_at, self.live_at)


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """Time that one member of the infrastructure team really spent on one ticket on one day."""

    ticket_key: str
    person_id: int
    work_class: WorkClass
    started_at: datetime
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """All of it."""

    entities: tuple[CatalogEntity, ...] = ()
    runs: tuple[TemplateRun, ...] = ()
    units: tuple[SharedUnit, ...] = ()
    audits: tuple[Audit, ...] = ()
    audit_results: tuple[AuditResult, ...] = ()
    actions: tuple[SelfServiceAction, ...] = ()
    launches: tuple[Launch, ...] = ()
    setups: tuple[SetupOutcome, ...] = ()
    work: tuple[WorkSpan, ...] = ()


NO_PLATFORM = Platform()
