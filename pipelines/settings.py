"""`leadline.toml`: what it may say, read into frozen models, with errors that name file and line.

Precedence: built-in defaults, then the file. Secrets never stand in it (connectors/secret.py).
"""

import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.connector import ConnectionOptions, Connector, kinds

FILE_NAME = "leadline.toml"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Origin = Literal["deployments_api", "ci", "tag", "release", "file", "merge"]


class SettingsError(Exception):
    """The settings cannot be used; the message says what, where and how to mend it."""


class Section(BaseModel):
    """A table of the settings file: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Organisation(Section):
    """Who is measured, and the calendar the organisation lives by."""

    name: str = Field("Your organisation", min_length=1, description="shown on every page")
    zone: str = Field("UTC", description="IANA time zone of days, weeks and working hours")
    working_days: tuple[Weekday, ...] = Field(
        ("mon", "tue", "wed", "thu", "fri"), min_length=1, description="days people work"
    )
    working_hours: tuple[time, time] = Field(
        (time(9), time(17)), description='start and end of the working day, ["09:00", "17:00"]'
    )
    holidays: str | None = Field(
        None, description='public holidays of a country or region, "DE" or "DE-BE"'
    )
    extra_holidays: tuple[date, ...] = Field((), description="days off beside the public ones")

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), 1)
            hint = f'; did you mean "{near[0]}"?' if near else ' like "Europe/Berlin"'
            raise ValueError(f'"{value}" is no IANA time zone{hint}')
        return value

    @field_validator("holidays")
    @classmethod
    def _holidays_exist(cls, value: str | None) -> str | None:
        if value is not None:
            import holidays

            country, _, region = value.partition("-")
            supported = holidays.list_supported_countries()
            if country not in supported:
                raise ValueError(f'no holiday calendar for country "{country}"')
            if region and region not in supported[country]:
                known = ", ".join(supported[country]) or "none"
                raise ValueError(f'no region "{region}" for {country}; known: {known}')
        return value

    @model_validator(mode="after")
    def _hours_in_order(self) -> Self:
        if self.working_hours[0] >= self.working_hours[1]:
            raise ValueError("working_hours must start before they end")
        return self

    @property
    def tzinfo(self) -> ZoneInfo:
        """The organisation's zone."""
        return ZoneInfo(self.zone)


class DeploymentRule(Section):
    """Where the deployments of some repositories come from."""

    repository: str = Field(description="repository name or host/path; * matches anything")
    origin: Origin = Field(description="deployments_api, ci, tag, release, file or merge")
    pattern: str | None = Field(None, description="regular expression on run, job or tag names")
    environment: str = Field("production", description="environment of ci, tag and merge origins")

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        return _regular_expression(value)


class Deployments(Section):
    """How deployments are recognised."""

    production: tuple[str, ...] = Field(
        ("prod", "production", "live"),
        min_length=1,
        description="tokens that make an environment production (whole tokens)",
    )
    tag_pattern: str = Field(
        r"^(?:[\w.-]*[-/@_])?v?\d+\.\d+(?:\.\d+)*$",
        description="tags that count as releases where tags are the origin",
    )
    rules: tuple[DeploymentRule, ...] = Field((), description="origin per repository")

    @field_validator("tag_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str) -> str:
        return _regular_expression(value) or value


class Service(Section):
    """A service: a repository, or some paths of one."""

    name: str = Field(min_length=1, description="the service's name")
    repository: str = Field(description="repository name or host/path it lives in")
    paths: tuple[str, ...] = Field((), description="path prefixes it owns; none: everything")
    team: str | None = Field(None, description="team that owns it")


class Team(Section):
    """A team of the organisation."""

    name: str = Field(min_length=1, description="the team's name")
    parent: str | None = Field(None, description="the team above it")
    repositories: tuple[str, ...] = Field((), description="repositories it owns; * matches")
    people: tuple[str, ...] = Field((), description="logins or e-mail addresses of its members")


class Person(Section):
    """One person and the accounts that are theirs; this mapping wins over every guess."""

    name: str = Field(min_length=1, description="the person's name")
    accounts: tuple[str, ...] = Field(
        min_length=1, description="logins and e-mail addresses that belong together"
    )
    is_bot: bool = Field(False, description="true for a machine")


class Bots(Section):
    """Accounts that are machines."""

    names: tuple[str, ...] = Field(
        (
            "renovate",
            "renovate-bot",
            "dependabot",
            "dependabot-preview",
            "github-actions",
            "mergify",
            "jenkins",
            "snyk-bot",
            "copilot-swe-agent",
            "k8s-ci-robot",
            "greenkeeper",
        ),
        description="logins that are machines, beside account type and the [bot] suffix",
    )


class Operation(Section):
    """How the service runs."""

    sync_schedule: str = Field("0 * * * *", description="cron of the pulls, per connection too")
    full_pass_hours: float = Field(24, gt=0, description="a full pass at least this often")
    keep_builds: int = Field(5, ge=1, description="published builds kept for going back")
    memory_limit_gb: float | None = Field(
        None, gt=0, description="memory for DuckDB; default 8 GB, at most half the machine"
    )


class Connection(Section):
    """One source: its kind, its own options, and when it is pulled."""

    name: str
    kind: str
    schedule: str | None = None
    options: ConnectionOptions

    def connector(self) -> Connector:
        """The connector that pulls this connection."""
        return kinds()[self.kind](self.name, self.options)


class Settings(Section):
    """Everything `leadline.toml` says."""

    data: Path = Field(Path(".leadline"), description="folder of everything Leadline keeps")
    organisation: Organisation = Field(Organisation(), description="who is measured")
    connections: dict[str, Connection] = Field({}, description="the sources, by name")
    deployments: Deployments = Field(Deployments(), description="what counts as a deployment")
    services: tuple[Service, ...] = Field((), description="services, where repositories are not")
    teams: tuple[Team, ...] = Field((), description="teams, beside those the sources know")
    people: tuple[Person, ...] = Field((), description="accounts that belong together")
    bots: Bots = Field(Bots(), description="accounts that are machines")
    operation: Operation = Field(Operation(), description="schedules, limits, retention")

    @model_validator(mode="after")
    def _names_hold(self) -> Self:
        _once("services", [service.name for service in self.services])
        _once("teams", [team.name for team in self.teams])
        accounts = [account.casefold() for person in self.people for account in person.accounts]
        _once("accounts of people", accounts)
        teams = {team.name: team.parent for team in self.teams}
        for team in self.teams:
            seen, parent = {team.name}, team.parent
            while parent is not None and parent in teams:
                if parent in seen:
                    raise ValueError(f'team "{team.name}" is above itself')
                seen.add(parent)
                parent = teams[parent]
        return self

    @property
    def fingerprint(self) -> str:
        """Changes when anything changes that a build depends on."""
        kept = self.model_dump(mode="json", exclude={"data", "operation", "connections"})
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def load(folder: Path | None = None) -> Settings:
    """Read the settings of a folder (default: the first above the working directory).

    A relative `data` folder lies beside the file; `LEADLINE_DATA` overrides it. Without a file
    the defaults hold. Raises `SettingsError` with file, line, key and the way out.
    """
    path = find(folder or Path.cwd())
    settings = parse(path.read_bytes(), path) if path is not None else Settings()
    base = path.parent if path is not None else (folder or Path.cwd())
    data = Path(os.environ.get("LEADLINE_DATA") or settings.data).expanduser()
    return settings.model_copy(update={"data": data if data.is_absolute() else base / data})


def find(folder: Path) -> Path | None:
    """The settings file of this folder or the nearest one above it."""
    for candidate in (folder, *folder.resolve().parents):
        if (candidate / FILE_NAME).is_file():
            return (candidate / FILE_NAME).resolve()
    return None


def parse(content: bytes, path: Path) -> Settings:
    """Read settings from the bytes of a file; `path` is named in errors."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"{path}:{line}: this is not UTF-8 text; save the file as UTF-8"
        ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise SettingsError(f"{path}:{line}: this is not TOML: {error}") from error
    tables = document.pop("connections", {})
    problems: list[str] = []
    connections: dict[str, Connection] = {}
    if not isinstance(tables, Mapping):
        tables = {}
        problems.append(f"{path}: connections must be tables: [connections.github]")
    for name, table in tables.items():
        try:
            connections[name] = _connection(name, table)
        except ValidationError as error:
            kind = kinds()[table.get("kind", name)].options_type
            problems += _messages(error, kind, ("connections", name), text, path)
        except ValueError as error:
            line = line_of(("connections", name), text)
            problems.append(f"{path}:{line}: connections.{name}: {error}")
    try:
        settings = Settings.model_validate({**document, "connections": connections})
    except ValidationError as error:
        problems += _messages(error, Settings, (), text, path)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _connection(name: str, table: object) -> Connection:
    if not isinstance(table, Mapping):
        raise ValueError(f"a connection is a table: [connections.{name}]")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
        raise ValueError("a connection is named by lower-case letters, digits, - and _")
    options = dict(table)
    kind = str(options.pop("kind", name))
    schedule = options.pop("schedule", None)
    if kind not in kinds():
        near = difflib.get_close_matches(kind, kinds(), 1)
        hint = f'did you mean "{near[0]}"?' if near else f"known kinds: {', '.join(kinds())}"
        raise ValueError(f'no connector of kind "{kind}"; {hint}')
    if schedule is not None and not _is_cron(schedule):
        raise ValueError(f'schedule "{schedule}" is no cron expression like "0 * * * *"')
    validated = kinds()[kind].options_type.model_validate(options)
    return Connection(name=name, kind=kind, schedule=schedule, options=validated)


def _is_cron(value: object) -> bool:
    fields = str(value).split()
    return len(fields) == 5 and all(re.fullmatch(r"[\d*/,\-A-Za-z]+", field) for field in fields)


def _regular_expression(value: str | None) -> str | None:
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"this is no regular expression: {error}") from error
    return value


def _once(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'"{name}" stands twice among the {what}')


def _messages(
    error: ValidationError,
    model: type[BaseModel],
    prefix: tuple[int | str, ...],
    text: str,
    path: Path,
) -> Iterator[str]:
    for problem in error.errors():
        location = (*prefix, *problem["loc"])
        key = ".".join(str(part) for part in location) or "settings"
        explained = _explain(problem, model)
        yield f"{path}:{line_of(location, text)}: {key}: {explained}"


def _explain(problem: Any, model: type[BaseModel]) -> str:
    kind, message, location = problem["type"], str(problem["msg"]), problem["loc"]
    if kind == "extra_forbidden":
        known = list(_fields_at(model, location[:-1]))
        near = difflib.get_close_matches(str(location[-1]), known, 1, cutoff=0.5)
        hint = f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(known)}"
        return f"no such setting; {hint}"
    if kind == "missing":
        return "this setting is required"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if re.search(r"token|secret|key|password", ".".join(map(str, location))):
        return message  # never echo what may be a secret
    return f"{message} (found {str(problem['input'])[:60]!r})"


def _fields_at(model: Any, location: tuple[int | str, ...]) -> dict[str, Any]:
    """The settings that may stand at this place below a model."""
    for part in location:
        fields = getattr(model, "model_fields", {})
        if isinstance(part, str) and part in fields:
            model = _model_of(fields[part].annotation)
    return dict(getattr(model, "model_fields", {}))


def _model_of(annotation: Any) -> Any:
    if get_origin(annotation) is None:
        return annotation
    if get_origin(annotation) is Annotated:
        return _model_of(get_args(annotation)[0])
    for argument in get_args(annotation):
        model = _model_of(argument)
        if isinstance(model, type) and issubclass(model, BaseModel):
            return model
    return annotation


def line_of(location: tuple[int | str, ...], text: str) -> int:
    """The line where a key of the document stands, or its nearest table above; from 1."""
    best, depth = 1, 0
    table: tuple[int | str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if array := re.fullmatch(r"\[\[(.+?)\]\]\s*(?:#.*)?", stripped):
            names = _names(array.group(1))
            counts[names] = counts.get(names, -1) + 1
            table = (*names, counts[names])
            here = table
        elif header := re.fullmatch(r"\[(.+?)\]\s*(?:#.*)?", stripped):
            table = _names(header.group(1))
            here = table
        elif key := re.match(r"""((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[\w-]+)*)\s*=""", stripped):
            here = (*table, *_names(key.group(1)))
        else:
            continue
        if here == location[: len(here)] and len(here) > depth:
            best, depth = number, len(here)
    return best


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
