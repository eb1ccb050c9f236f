"""What the settings declare about a table in a file: its columns, zone and encoding."""

import codecs
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.arrow import INSTANT, schema
from connectors.connector import ConnectionOptions
from connectors.records import (
    Account,
    AuditResult,
    CatalogEntity,
    DeploymentAttempt,
    Incident,
    Record,
    ScanFinding,
    SelfServiceAction,
    Team,
    Ticket,
)

RecordName = Literal[
    "audit_result",
    "deployment",
    "incident",
    "person",
    "sarif",
    "self_service_action",
    "service",
    "team",
    "ticket",
]
_LIST = pa.list_(pa.field("item", pa.string(), nullable=False))


@dataclass(frozen=True)
class Shape:
    """How rows of one kind become records.

    `required` columns must be declared and filled. `extra` columns are no columns of the record
    and feed its children. `references` hold ids of other things, by the kind of id.
    `natural_key` columns tell rows apart where neither id nor key is declared.
    """

    record_type: type[Record]
    id_column: str
    id_kind: str
    required: tuple[str, ...] = ()
    extra: dict[str, pa.DataType] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    natural_key: tuple[str, ...] = ()

    @cached_property
    def types(self) -> dict[str, pa.DataType]:
        """Every column a table of this kind may declare, with its Arrow type."""
        columns = {column.name: column.type for column in schema(self.record_type)}
        return columns | self.extra


SHAPES: dict[str, Shape] = {
    "audit_result": Shape(
        AuditResult,
        "result_id",
        "result",
        required=("audit_id", "performed_at", "control"),
        extra={
            "performed_at": INSTANT,
            "audit_name": pa.string(),
            "audit_url": pa.string(),
            "scope": _LIST,
        },
        references={"audit_id": "audit"},
        natural_key=("audit_id", "control", "team", "resource", "observed"),
    ),
    "sarif": Shape(ScanFinding, "scan_id", "scan"),
    "deployment": Shape(
        DeploymentAttempt,
        "attempt_id",
        "deployment",
        required=("created_at",),
        extra={"finished_at": INSTANT, "state": pa.string()},
        references={"actor": "account"},
    ),
    "incident": Shape(
        Incident,
        "incident_id",
        "incident",
        required=("created_at",),
        references={"merged_into": "incident"},
    ),
    "person": Shape(Account, "account_id", "account"),
    "self_service_action": Shape(
        SelfServiceAction,
        "action_id",
        "action",
        required=("category", "started_at"),
        references={"actor": "account"},
    ),
    "service": Shape(CatalogEntity, "entity_ref", "", required=("name",)),
    "team": Shape(
        Team,
        "team_id",
        "team",
        required=("name",),
        extra={
            "member": pa.string(),
            "member_email": pa.string(),
            "member_login": pa.string(),
            "role": pa.string(),
        },
        references={"parent": "team"},
    ),
    "ticket": Shape(
        Ticket,
        "ticket_id",
        "ticket",
        required=("ticket_key", "project", "created_at"),
        references={"reporter": "account", "assignee": "account"},
    ),
}


class TableOptions(BaseModel):
    """One table in one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="the CSV, Parquet (*.parquet) or SARIF file")
    record: RecordName = Field(description="what a row of the table is")
    columns: dict[str, str] = Field({}, description="record column = column of the file")
    values: dict[str, str] = Field({}, description="record column = value for every row")
    key: list[str] = Field(
        [], description="record columns that identify a row, where the file has no id"
    )
    zone: str | None = Field(None, description="zone of times that are written without one")
    delimiter: str = Field(",", description="what stands between two fields")
    encoding: str = Field("utf-8", description="how the file was saved; a BOM is left out")
    time_format: str | None = Field(
        None, description="strftime pattern, epoch_s or epoch_ms; ISO 8601 where not given"
    )
    list_separator: str = Field(",", min_length=1, description="what stands between list items")

    @property
    def shape(self) -> Shape:
        """How the rows become records."""
        return SHAPES[self.record]

    @property
    def is_parquet(self) -> bool:
        """Whether the file is a Parquet file, told by its name."""
        return self.path.suffix.lower() == ".parquet"

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f'"{value}" is no time zone; write one such as "Europe/Berlin"')
        return ZoneInfo(value).key if value is not None else None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise ValueError(
                f'"{value}" is no encoding; write one such as "utf-8" or "cp1252"'
            ) from None
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if len(value) != 1 or not value.isascii() or value in '"\r\n':
            raise ValueError('a delimiter is one character, such as "," ";" or "\\t"')
        return value

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if self.record == "sarif":
            return self._checked_as_sarif()
        declared = self.columns | self.values
        for name in [*declared, *self.key]:
            if name not in self.shape.types:
                near = get_close_matches(name, self.shape.types, 1)
                hint = f'; did you mean "{near[0]}"?' if near else ""
                known = ", ".join(sorted(self.shape.types))
                raise ValueError(
                    f'record = "{self.record}" has no column "{name}"{hint} (it has {known})'
                )
        for name in sorted(self.columns.keys() & self.values.keys()):
            raise ValueError(f'"{name}" stands in columns and in values; keep one of them')
        for name in self.shape.required:
            if name not in declared:
                raise ValueError(f'record = "{self.record}" needs the column "{name}"')
        for name in self.key:
            if name not in self.columns:
                raise ValueError(f'key names "{name}", which columns does not declare')
        self._check_identity(declared)
        return self

    def _checked_as_sarif(self) -> Self:
        if self.columns or self.key:
            raise ValueError("a SARIF file has no columns to declare; take columns and key out")
        for name in self.values:
            if name not in {"repository_key", "audit"}:
                raise ValueError(f'values of SARIF are repository_key and audit, not "{name}"')
        return self

    def _check_identity(self, declared: dict[str, str]) -> None:
        identity = self.shape.id_column
        if identity in self.values:
            raise ValueError(f'"{identity}" tells rows apart and cannot be one value')
        is_told = bool(self.key or self.shape.natural_key or self.record == "service")
        if not is_told and identity not in declared:
            raise ValueError(
                f'rows need an id: declare "{identity}" in columns, or name the columns that tell '
                "rows apart with key = [...]"
            )
        if identity in declared and self.key:
            raise ValueError(f'"{identity}" is declared, so that key has no use; keep one of them')


class FilesOptions(ConnectionOptions):
    """Settings of a connection to files."""

    tables: list[TableOptions] = Field(min_length=1, description="the tables to read")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: set[tuple[str, Path]] = set()
        for table in self.tables:
            if (table.record, table.path) in seen:
                raise ValueError(f"{table.path} is declared twice as {table.record}")
            seen.add((table.record, table.path))
        return self
