"""Jira's payloads: the fields of use, as Cloud and Data Center name them.

A field that the product can do without may be of any shape: what cannot be read becomes an
`Unreadable` in its place, which the mapping rejects alone (`take_unreadable`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NotRequired, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
)
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema
from typing_extensions import TypedDict

from connectors.reading import CamelWire, Seconds

# Jira's category keys are the same on every site and in every language.
CATEGORIES = {"new": "new", "indeterminate": "in_progress", "done": "done"}

Value = TypeVar("Value")

_PLAIN = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)


@dataclass(frozen=True)
class Unreadable:
    """A value that stands where another shape was expected."""

    problem: str
    value: Any


def _tolerate(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return Unreadable(f"{place}: {first['msg']}" if place else first["msg"], value)


class _Tolerance:
    """Reads as usual; only what cannot be read is given to Python, which costs twice as much."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        usual = handler(source)
        other = core_schema.no_info_wrap_validator_function(_tolerate, usual)
        return core_schema.union_schema([usual, other], mode="left_to_right")


Tolerant = Annotated[Value, _Tolerance()]


def take_unreadable(wire: BaseModel) -> Iterator[tuple[str, Unreadable]]:
    """Take every unreadable value out of a part of a payload, leaving None or a shorter list."""
    for name in type(wire).model_fields:
        value = getattr(wire, name)
        if isinstance(value, Unreadable):
            setattr(wire, name, None)
            yield name, value
        elif isinstance(value, list):
            bad = [(n, each) for n, each in enumerate(value) if isinstance(each, Unreadable)]
            if bad:
                setattr(wire, name, [each for each in value if not isinstance(each, Unreadable)])
            for position, each in bad:
                yield f"{name}[{position}]", each


class JiraWire(CamelWire):
    """A part of a payload; ids come as numbers here and as texts there."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class NamedWire(JiraWire):
    """Anything with a name: type, priority, resolution, component."""

    name: str


class KeyedWire(JiraWire):
    """Anything with a key: a project, a parent."""

    key: str


class UserWire(JiraWire):
    """A user: Cloud tells them by accountId, Data Center by key."""

    account_id: str | None = None
    key: str | None = None
    name: str | None = None
    display_name: str | None = None
    email_address: str | None = None
    account_type: str | None = None

    @property
    def id(self) -> str | None:
        """What tells the user apart."""
        return self.account_id or self.key or self.name


class StatusWire(JiraWire):
    """A status and its category, by its key: names are words for people."""

    id: str | None = None
    name: str
    status_category: KeyedWire | None = None


class ItemWire(JiraWire):
    """One field of a history changed; `field_id` is missing on Data Center."""

    field: str
    field_id: str | None = None
    fieldtype: str | None = None
    from_id: str | None = Field(None, alias="from")
    from_string: str | None = None
    to_id: str | None = Field(None, alias="to")
    to_text: str | None = Field(None, alias="toString")


class HistoryWire(JiraWire):
    """Fields changed together; the time is ISO 8601 or, in bulk, epoch milliseconds."""

    id: str
    created: datetime
    author: Tolerant[UserWire | None] = None
    items: list[Tolerant[ItemWire]] = Field(default_factory=list)


class ChangelogWire(JiraWire):
    """A history as embedded in an issue; whole only where `total` says so."""

    total: int | None = None
    histories: list[Tolerant[HistoryWire]] = Field(default_factory=list)


class FieldsWire(JiraWire):
    """The fields of an issue; custom ones stay as they are."""

    model_config = ConfigDict(extra="allow")

    created: datetime
    updated: Tolerant[datetime | None] = None
    summary: Tolerant[str | None] = None
    description: Any = None
    status: Tolerant[StatusWire | None] = None
    issuetype: Tolerant[NamedWire | None] = None
    project: Tolerant[KeyedWire | None] = None
    priority: Tolerant[NamedWire | None] = None
    reporter: Tolerant[UserWire | None] = None
    assignee: Tolerant[UserWire | None] = None
    labels: Tolerant[list[Tolerant[str]] | None] = None
    components: Tolerant[list[Tolerant[NamedWire]] | None] = None
    parent: Tolerant[KeyedWire | None] = None
    resolutiondate: Tolerant[datetime | None] = None
    resolution: Tolerant[NamedWire | None] = None


class IssueWire(JiraWire):
    """An issue."""

    id: str
    key: str
    fields: FieldsWire
    changelog: Tolerant[ChangelogWire | None] = None


class IssueHistoriesWire(JiraWire):
    """The histories of one issue in a bulk answer."""

    issue_id: str
    change_histories: list[Tolerant[HistoryWire]] = Field(default_factory=list)


class WorklogWire(JiraWire):
    """A worklog."""

    id: str
    issue_id: str
    started: datetime
    time_spent_seconds: Seconds
    author: Tolerant[UserWire | None] = None
    updated: Tolerant[datetime | None] = None


class PlainUser(TypedDict):
    """A user in whom nothing is unusual."""

    __pydantic_config__ = _PLAIN  # type: ignore[misc]

    account_id: NotRequired[str | None]
    key: NotRequired[str | None]
    name: NotRequired[str | None]


class PlainWorklog(TypedDict):
    """A worklog in which nothing is unusual: read in bulk; others are read as `WorklogWire`."""

    __pydantic_config__ = _PLAIN  # type: ignore[misc]

    id: str
    issue_id: str
    started: AwareDatetime
    time_spent_seconds: Seconds
    author: NotRequired[PlainUser | None]
    updated: NotRequired[AwareDatetime | None]


class DeletedWorklogWire(JiraWire):
    """A worklog that is gone."""

    worklog_id: str
