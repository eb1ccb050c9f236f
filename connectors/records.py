"""The product's vocabulary: one frozen record a thing, the same for every vendor.

Names, keys and columns are shared by all rooms (see docs/records.md). Times are UTC, durations
integer microseconds, ids `<connection>:<type>:<vendor id>`, people account ids.
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict


def utc(value: datetime) -> datetime:
    """A time in UTC. One without a zone is a defect of the connector: it cannot be placed."""
    if value.tzinfo is None:
        raise ValueError("a time needs a zone")
    if value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:  # in the years 1 and 9999, where hours do not matter
        return value.replace(tzinfo=UTC)


Instant = Annotated[datetime, AfterValidator(utc)]


class Record(BaseModel):
    """One row of what a source said; subclasses name their table and key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    # Rows that come whole with a parent and are replaced as a set: the parent's key column.
    set_of: ClassVar[str | None] = None

    source_updated_at: Instant | None = None


class Repository(Record):
    """A repository, under its vendor's immutable id."""

    table = "repository"
    key = ("repository_id",)

    repository_id: str
    repository_key: str
    former_keys: list[str] = []
    name: str
    url: str | None = None
    default_branch: str | None = None
    created_at: Instant | None = None
    archived_at: Instant | None = None
    is_archived: bool = False
    is_fork: bool = False
    is_template: bool = False
    is_mirror: bool = False
    language: str | None = None
    visibility: str | None = None
    created_by: str | None = None


class Reference(Record):
    """A branch or tag and the commit it points at (tags: the commit, not the tag object)."""

    table = "reference"
    key = ("repository_key", "name")
    set_of = "repository_key"

    repository_key: str
    name: str
    kind: str  # branch, tag, head (what HEAD points at)
    sha: str
    tagged_at: Instant | None = None
    seen_at: Instant


class Commit(Record):
    """A commit with its parents, as git tells it."""

    table = "commit"
    key = ("repository_key", "sha")

    repository_key: str
    sha: str
    parents: list[str] = []
    author_name: str | None = None
    author_email: str | None = None
    authored_at: Instant | None = None
    # As the commit holds it; `author_email` follows .mailmap, which no vendor's API applies.
    written_email: str | None = None
    committer_email: str | None = None
    committed_at: Instant | None = None
    subject: str | None = None
    cherry_picked_from: list[str] = []
    reverts: list[str] = []
    # The parents are not in this clone: history before this commit is unknown, not absent.
    is_shallow_boundary: bool = False


class CommitPath(Record):
    """A path a commit touches against its first parent (only where path rules need it)."""

    table = "commit_path"
    key = ("repository_key", "sha", "path")

    repository_key: str
    sha: str
    path: str


class ChangeRequest(Record):
    """A pull or merge request."""

    table = "change_request"
    key = ("change_request_id",)

    change_request_id: str
    repository_key: str
    number: int
    title: str = ""
    url: str | None = None
    author: str | None = None
    is_draft: bool = False
    created_at: Instant
    ready_at: Instant | None = None
    merged_at: Instant | None = None
    closed_at: Instant | None = None
    merged_by: str | None = None
    base_branch: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    merge_sha: str | None = None
    labels: list[str] = []
    additions: int | None = None
    deletions: int | None = None
    ticket_keys: list[str] = []


class ChangeRequestCommit(Record):
    """A commit as the change request lists it, before any squash or rebase."""

    table = "change_request_commit"
    key = ("change_request_id", "sha")
    set_of = "change_request_id"

    change_request_id: str
    sha: str
    authored_at: Instant | None = None
    committed_at: Instant | None = None
    author_email: str | None = None
    subject: str | None = None
    is_merge: bool = False
    position: int


class Review(Record):
    """A submitted review of a change request."""

    table = "review"
    key = ("review_id",)
    set_of = "change_request_id"

    review_id: str
    change_request_id: str
    reviewer: str | None = None
    state: str  # approved, changes_requested, commented, dismissed
    submitted_at: Instant


class PipelineRun(Record):
    """One run of a CI workflow or pipeline."""

    table = "pipeline_run"
    key = ("run_id",)

    run_id: str
    repository_key: str | None = None  # none where nothing was checked out
    name: str | None = None
    event: str | None = None
    branch: str | None = None
    sha: str | None = None
    status: str  # queued, running, succeeded, failed, cancelled, skipped
    attempt: int = 1
    queued_at: Instant | None = None
    started_at: Instant | None = None
    finished_at: Instant | None = None
    actor: str | None = None
    url: str | None = None
    runner_labels: list[str] = []
    parameters: list[str] = []  # NAME=value, as it was started with


class PipelineJob(Record):
    """One job of a run."""

    table = "pipeline_job"
    key = ("job_id",)

    job_id: str
    run_id: str
    name: str
    environment: str | None = None
    status: str
    started_at: Instant | None = None
    finished_at: Instant | None = None
    runner_labels: list[str] = []


class DeploymentAttempt(Record):
    """One attempt to bring a commit, release or image into an environment."""

    table = "deployment_attempt"
    key = ("attempt_id",)

    attempt_id: str
    repository_key: str | None = None
    service_hint: str | None = None
    environment: str | None = None
    sha: str | None = None
    ref: str | None = None
    release: str | None = None
    image: str | None = None
    target: str | None = None
    created_at: Instant
    actor: str | None = None
    url: str | None = None
    content: str | None = None  # applications: it brings descriptions of others, and no service
    series: str | None = None  # where the source numbers what succeeded without a gap
    number: int | None = None  # within the series; attempts of one number are one event


class DeploymentStatus(Record):
    """A state an attempt reached."""

    table = "deployment_status"
    key = ("attempt_id", "status_id")
    set_of = "attempt_id"

    attempt_id: str
    status_id: str
    state: str  # queued, running, succeeded, failed, cancelled, inactive
    at: Instant


class Release(Record):
    """A published release of a tag."""

    table = "release"
    key = ("release_id",)

    release_id: str
    repository_key: str
    tag: str
    sha: str | None = None
    is_prerelease: bool = False
    published_at: Instant | None = None


class Ticket(Record):
    """An issue, story, bug or request."""

    table = "ticket"
    key = ("ticket_id",)

    ticket_id: str
    ticket_key: str
    project: str
    type: str | None = None
    request_type: str | None = None
    title: str = ""
    description: str | None = None
    status: str | None = None
    status_category: str | None = None  # new, in_progress, done
    priority: str | None = None
    reporter: str | None = None
    assignee: str | None = None
    labels: list[str] = []
    components: list[str] = []
    parent_key: str | None = None
    created_at: Instant
    resolved_at: Instant | None = None
    resolution: str | None = None
    organisations: list[str] = []  # customers of a service desk that it is shared with
    url: str | None = None


class TicketTransition(Record):
    """A change of one field of a ticket."""

    table = "ticket_transition"
    key = ("ticket_id", "transition_id", "field")
    set_of = "ticket_id"

    ticket_id: str
    transition_id: str
    field: str
    from_value: str | None = None
    to_value: str | None = None
    to_category: str | None = None
    at: Instant
    actor: str | None = None


class TicketSla(Record):
    """One run of the clock that a service desk holds a ticket's goal against, pauses left out."""

    table = "ticket_sla"
    key = ("ticket_id", "sla_id", "cycle")
    set_of = "ticket_id"

    ticket_id: str
    sla_id: str
    cycle: int
    name: str
    started_at: Instant
    stopped_at: Instant | None = None
    breach_at: Instant | None = None  # when the goal is missed, unless the clock stops before
    goal_us: int | None = None
    elapsed_us: int | None = None  # of a clock that has stopped
    is_breached: bool = False  # of one that runs, `breach_at` tells
    is_paused: bool = False


class Worklog(Record):
    """Time somebody logged on a ticket."""

    table = "worklog"
    key = ("worklog_id",)

    worklog_id: str
    ticket_id: str
    author: str | None = None
    started_at: Instant
    duration_us: int


class Incident(Record):
    """A disturbance of a service."""

    table = "incident"
    key = ("incident_id",)

    incident_id: str
    service_hint: str | None = None
    title: str = ""
    severity: str | None = None
    status: str | None = None
    created_at: Instant
    started_at: Instant | None = None
    acknowledged_at: Instant | None = None
    resolved_at: Instant | None = None
    merged_into: str | None = None
    references: list[str] = []
    url: str | None = None
    reopens: int | None = None  # times it was resolved and was not over
    escalations: int | None = None  # times somebody further was called


class CatalogEntity(Record):
    """A service, group or resource as a catalog or a file declares it."""

    table = "catalog_entity"
    key = ("entity_ref",)

    entity_ref: str
    kind: str
    type: str | None = None
    name: str
    lifecycle: str | None = None
    owner: str | None = None
    system: str | None = None
    depends_on: list[str] = []
    repository_key: str | None = None
    path: str | None = None


class Account(Record):
    """A login at one source; people are put together from accounts by the models."""

    table = "account"
    key = ("account_id",)

    account_id: str
    login: str | None = None
    name: str | None = None
    email: str | None = None
    is_bot: bool = False


class Team(Record):
    """A team as a source names it."""

    table = "team"
    key = ("team_id",)

    team_id: str
    name: str
    parent: str | None = None


class TeamMember(Record):
    """An account's membership of a team."""

    table = "team_member"
    key = ("team_id", "account_id")
    set_of = "team_id"

    team_id: str
    account_id: str
    role: str | None = None


class ScaffolderTask(Record):
    """A run of a template in a developer portal: the start of a service made by self-service."""

    table = "scaffolder_task"
    key = ("task_id",)

    task_id: str
    template: str
    name: str | None = None  # what the person who filled in the form called it
    requester: str | None = None
    repository_key: str | None = None
    entity_ref: str | None = None
    created_at: Instant
    completed_at: Instant | None = None
    status: str  # queued, running, succeeded, failed, cancelled
    url: str | None = None


class ScaffolderStep(Record):
    """One step of a run of a template."""

    table = "scaffolder_step"
    key = ("task_id", "step_id")
    set_of = "task_id"

    task_id: str
    step_id: str
    name: str | None = None
    action: str | None = None
    position: int
    status: str  # queued, running, succeeded, failed, cancelled, skipped
    started_at: Instant | None = None
    finished_at: Instant | None = None


class PracticeScan(Record):
    """A commit of a repository's main line whose files were read; it holds until the next one.

    A commit that shows the same as the scan before it has none of its own.
    """

    table = "practice_scan"
    key = ("scan_id",)

    scan_id: str
    repository_key: str
    sha: str
    committed_at: Instant
    rules: str  # which rules were applied; scans by others are not compared
    files: int
    files_left: int  # wanted, and too large, too many or no text


class Practice(Record):
    """One approach a repository uses in one category of its set-up, with where it shows."""

    table = "practice"
    key = ("scan_id", "category", "approach", "path", "at_line")
    set_of = "scan_id"

    scan_id: str
    repository_key: str
    category: str
    approach: str
    path: str
    at_line: int  # `line` is where a row was received


class Audit(Record):
    """An audit that took place, and the teams it looked at."""

    table = "audit"
    key = ("audit_id",)

    audit_id: str
    name: str
    teams: list[str] = []
    performed_at: Instant
    url: str | None = None


class AuditResult(Record):
    """What an audit observed for one control at one team or resource.

    Without a team or a resource: for every team in the audit's scope.
    """

    table = "audit_result"
    key = ("result_id",)

    result_id: str
    audit_id: str
    control: str
    team: str | None = None
    resource: str | None = None  # a repository or service, where no team is named
    observed: str | None = None
    is_pass: bool | None = None
    is_inconsistent: bool | None = None  # flagged so by the auditor
    exception_until: Instant | None = None
    evidence: str | None = None
    url: str | None = None


class ScanFinding(Record):
    """What one run of a scanner says of one rule at one place of a repository.

    A rule that the run lists, and has no result for, is a row of its own without path: it passed.
    """

    table = "finding"
    key = ("scan_id", "rule", "path", "at_line")

    scan_id: str  # one run over one repository
    repository_key: str
    tool: str
    rule: str
    path: str = ""
    at_line: int = 0  # `line` is where a row was received
    severity: str | None = None
    is_pass: bool | None = None  # None: left to judge by hand, or not applicable
    is_suppressed: bool = False
    message: str | None = None
    audit: str | None = None  # the audit whose evidence this run is, if any
    seen_at: Instant


class SelfServiceAction(Record):
    """An action somebody completed, or failed to complete, without asking another team."""

    table = "self_service_action"
    key = ("action_id",)

    action_id: str
    category: str
    actor: str | None = None
    started_at: Instant
    completed_at: Instant | None = None
    outcome: str | None = None  # succeeded, failed, cancelled


class Decision(Record):
    """What a user decided, by whom and when (connection `local`)."""

    table = "decision"
    key = ("decision_id",)

    decision_id: str
    kind: str
    subject: str
    value: str
    author: str
    at: Instant


RECORDS: tuple[type[Record], ...] = (
    Repository,
    Reference,
    Commit,
    CommitPath,
    ChangeRequest,
    ChangeRequestCommit,
    Review,
    PipelineRun,
    PipelineJob,
    DeploymentAttempt,
    DeploymentStatus,
    Release,
    Ticket,
    TicketTransition,
    TicketSla,
    Worklog,
    Incident,
    CatalogEntity,
    Account,
    Team,
    TeamMember,
    ScaffolderTask,
    ScaffolderStep,
    PracticeScan,
    Practice,
    Audit,
    AuditResult,
    ScanFinding,
    SelfServiceAction,
    Decision,
)
