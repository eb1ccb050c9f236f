"""What may be sent to `leadline listen` as JSON: the models of the API and of its description."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from connectors.clone_url import repository_key

_FIRST_YEAR, _LAST_YEAR = 1990, 2199
_NEVER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _written(value: object) -> object:
    """A number would be taken for seconds since 1970, which is seldom what somebody means."""
    if not isinstance(value, str):
        raise ValueError('write a time as text with its zone, such as "2026-03-02T08:00:00Z"')
    return value


def _in_our_time(value: datetime) -> datetime:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"the year must lie between {_FIRST_YEAR} and {_LAST_YEAR}")
    return value


def _readable(value: str) -> str:
    if _NEVER.search(value):
        raise ValueError("control characters cannot be kept; take them out")
    return value


def _as_key(value: str) -> str:
    """`host/path` of an address; a bare path or name stays one, and the models look for it."""
    is_address = "://" in value or re.match(r"[\w.+-]+@[^:/]+:", value)
    try:
        key = repository_key(value) if is_address else value.removesuffix(".git").lower()
    except ValueError:
        key = ""
    if not key.strip("/ "):
        raise ValueError('write a repository as its address, or as "host/path"')
    return key.strip("/ ")


Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_our_time)]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_readable),
]
Text = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_readable)]
LongText = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(_readable)]
Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{7,64}$")]
Repository = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True),
    AfterValidator(_readable),
    AfterValidator(_as_key),
]
Names = Annotated[list[Identifier], Field(max_length=500)]
State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ENDED = ("succeeded", "failed", "cancelled")


class Pushed(BaseModel):
    """One thing that is sent: under its own id, and said anew whenever it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier = Field(description="your id of it; the same id again says it anew")
    updated_at: Moment | None = Field(
        None,
        description="when this became so; the newest wins, whatever arrives last. Left out, it is "
        "the latest time below",
    )

    def said_at(self) -> datetime:
        """The moment this speaks for."""
        return self.updated_at or max(self._moments())

    def _moments(self) -> Iterator[datetime]:
        for _, value in self:
            if isinstance(value, datetime):
                yield value


class DeployedCommit(BaseModel):
    """One of the things a deployment brings: a commit, release or image of one repository."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: Repository | None = Field(None, description="its address, or host/path")
    service: Identifier | None = Field(None, description="the service it is deployed as")
    sha: Sha | None = Field(None, description="the commit that is deployed, at least 7 signs")
    ref: Text | None = Field(None, description="branch or tag it was deployed from")
    release: Text | None = Field(None, description="version or tag")
    image: Text | None = Field(None, description="image with its tag")

    @model_validator(mode="after")
    def _is_of_something(self) -> Self:
        if self.repository is None and self.service is None and self.image is None:
            raise ValueError("say of what: repository, service or image")
        return self

    @property
    def part(self) -> str:
        """What tells it from the other things of its deployment."""
        names = (self.repository, self.service, None if self.repository else self.image)
        return ":".join(name.lower() for name in names if name)


class Deployment(Pushed):
    """An attempt to bring commits into an environment: sent when it starts, and when it ends."""

    environment: Identifier = Field(description="where to, as you call it")
    commits: list[DeployedCommit] = Field(
        min_length=1,
        max_length=500,
        description="what it brings: of each repository or service the newest commit; those below "
        "it are found in the history",
    )
    state: State | None = Field(
        None, description="left out: succeeded once it has finished_at, else running"
    )
    created_at: Moment = Field(description="when it was asked for")
    started_at: Moment | None = Field(None, description="when it began, where that is later")
    finished_at: Moment | None = Field(None, description="when it ended")
    target: Text | None = Field(None, description="cluster or machine it runs on")
    actor: Identifier | None = Field(None, description="login or e-mail address of who did it")
    url: Text | None = Field(None, description="where people look at it")

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.state in ENDED and self.finished_at is None:
            raise ValueError(f"a deployment that is {self.state} needs finished_at")
        if self.finished_at is not None and self.state in ("queued", "running"):
            raise ValueError(f"a deployment with finished_at cannot be {self.state}")
        parts: dict[str, int] = {}
        for position, commit in enumerate(self.commits):
            first = parts.setdefault(commit.part, position)
            if first != position:
                raise ValueError(
                    f"commits[{position}] is of the same repository and service as "
                    f"commits[{first}]; send the newest alone"
                )
        return self


class Incident(Pushed):
    """A disturbance of a service, from its begin to its end."""

    title: Text = Field(description="what is wrong")
    service: Identifier | None = Field(None, description="the service that suffers")
    severity: Identifier | None = Field(None, description="as you call it")
    status: Identifier | None = Field(None, description="as you call it")
    created_at: Moment = Field(description="when it was opened")
    started_at: Moment | None = Field(None, description="when it began, where that is known")
    acknowledged_at: Moment | None = Field(None, description="when somebody took it")
    resolved_at: Moment | None = Field(None, description="when the service was well again")
    references: Names = Field(
        [], description="what caused it: a commit, release, or address of a deployment"
    )
    url: Text | None = Field(None, description="where people look at it")


class Transition(BaseModel):
    """A change of one field of a ticket."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Moment = Field(description="when")
    field: Identifier = Field("status", description="which field")
    from_value: Text | None = Field(None, description="what it was")
    to_value: Text | None = Field(None, description="what it became")
    to_category: Literal["new", "in_progress", "done"] | None = Field(
        None, description="the kind of the new status"
    )
    actor: Identifier | None = Field(None, description="login or e-mail address of who did it")


class Ticket(Pushed):
    """An issue, story, bug or request."""

    key: Identifier = Field(description="as people write it: OPS-12")
    project: Identifier = Field(description="project or queue")
    title: Text = Field(description="its title")
    type: Identifier | None = Field(None, description="issue type")
    request_type: Identifier | None = Field(None, description="what is asked for")
    description: LongText | None = Field(None, description="its text")
    status: Identifier | None = Field(None, description="as you call it")
    status_category: Literal["new", "in_progress", "done"] | None = Field(
        None, description="left out: done once it has resolved_at"
    )
    priority: Identifier | None = Field(None, description="as you call it")
    reporter: Identifier | None = Field(None, description="login or e-mail address")
    assignee: Identifier | None = Field(None, description="login or e-mail address")
    labels: Names = Field([], description="labels")
    components: Names = Field([], description="components or services")
    parent_key: Identifier | None = Field(None, description="key of the ticket above")
    created_at: Moment = Field(description="when it was opened")
    resolved_at: Moment | None = Field(None, description="when it was done")
    resolution: Identifier | None = Field(None, description="how it ended")
    transitions: list[Transition] | None = Field(
        None, max_length=2_000, description="all changes of its fields so far, not only new ones"
    )
    url: Text | None = Field(None, description="where people look at it")


class SelfServiceAction(Pushed):
    """Something somebody did without asking another team."""

    category: Identifier = Field(description="what was done; see self_service.categories")
    actor: Identifier | None = Field(None, description="login or e-mail address of who did it")
    started_at: Moment = Field(description="when it began")
    completed_at: Moment | None = Field(None, description="when it ended")
    outcome: Literal["succeeded", "failed", "cancelled"] | None = Field(
        None, description="left out: succeeded once it has completed_at"
    )


class SetupEvent(Pushed):
    """The set-up of a new service: asked for, taken up, done.

    With a template it is a run of that template, without one a request to somebody.
    """

    service: Identifier = Field(description="the new service's name")
    repository: Repository | None = Field(None, description="the repository made for it")
    template: Identifier | None = Field(None, description="the template or script that makes it")
    requester: Identifier | None = Field(None, description="login or e-mail address")
    requested_at: Moment = Field(description="when it was asked for")
    approved_at: Moment | None = Field(None, description="when somebody took it up")
    completed_at: Moment | None = Field(None, description="when the set-up ended")
    status: State | None = Field(
        None, description="left out: succeeded once it has completed_at, else running"
    )
    url: Text | None = Field(None, description="where people look at it")

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.status in ENDED and self.completed_at is None:
            raise ValueError(f"a set-up that is {self.status} needs completed_at")
        return self
