"""`leadline.toml`: what it may say, read into frozen models, with errors that name file and line.

Precedence: built-in defaults, then the file. Secrets never stand in it (connectors/secret.py).
"""

import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from connectors.connector import ConnectionOptions, Connector, kinds
from connectors.practices.options import PracticeOptions
from pipelines import cron
from pipelines.settings_checks import (
    SettingsConflictError,
    check_accounts,
    check_goals,
    check_parents,
    check_unique,
)
from pipelines.settings_configuration import (
    Configuration,
    ConfigurationException,
    Standard,
    check_configuration,
)
from pipelines.settings_launches import Launch, SelfService
from pipelines.settings_measures import Exclusion, Failures, Goal, Incidents, References, Rework
from pipelines.settings_messages import at, messages, suggestion
from pipelines.settings_requests import Requests
from pipelines.settings_section import Section, regular_expression
from pipelines.settings_setup import Setup
from pipelines.settings_shared import SharedInfrastructure, SharedUnit

FILE_NAME = "leadline.toml"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Origin = Literal["deployments_api", "ci", "tag", "release", "file", "merge"]


class SettingsError(Exception):
    """The settings cannot be used; the message says what, where and how to mend it."""


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
            hint = f'did you mean "{near[0]}"?' if near else 'write one such as "Europe/Berlin"'
            raise ValueError(f'"{value}" is no IANA time zone; {hint}')
        return value

    @field_validator("working_hours", mode="before")
    @classmethod
    def _two_hours(cls, value: object) -> object:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError('must be start and end of the day, ["09:00", "17:00"]')
        return value

    @field_validator("holidays")
    @classmethod
    def _holidays_exist(cls, value: str | None) -> str | None:
        if value is not None:
            import holidays

            country, _, region = value.partition("-")
            supported = holidays.list_supported_countries()
            if country not in supported:
                raise ValueError(
                    f'no holiday calendar for country "{country}"; '
                    'write an ISO code such as "DE", or "DE-BE" for one of its regions'
                )
            if region and region not in supported[country]:
                known = ", ".join(supported[country]) or "none"
                raise ValueError(f'no region "{region}" for {country}; known: {known}')
        return value

    @model_validator(mode="after")
    def _hours_in_order(self) -> Self:
        if self.working_hours[0] >= self.working_hours[1]:
            raise SettingsConflictError(("working_hours",), "the day must start before it ends")
        return self

    @property
    def tzinfo(self) -> ZoneInfo:
        """The organisation's zone."""
        return ZoneInfo(self.zone)


class DeploymentRule(Section):
    """Where the deployments of some repositories come from."""

    repository: str = Field(description="repository name or host/path; * matches anything")
    origin: Origin = Field(description="deployments_api, ci, tag, release, file or merge")
    pattern: str | None = Field(None, description="regular expression on run or tag names")
    job_pattern: str | None = Field(
        None, description="regular expression on job names: of ci, each such job is a deployment"
    )
    environment: str = Field("production", description="environment of ci, tag and merge origins")
    environment_parameter: str | None = Field(
        None, description="of ci: parameter of a run that names the environment"
    )
    environment_pattern: str | None = Field(
        None,
        description="of ci: expression on run and job names whose first group is the environment",
    )
    service_parameter: str | None = Field(
        None,
        description="of ci: parameter of a run that names the service or repository it deploys",
    )
    service_pattern: str | None = Field(
        None, description="of ci: expression on run names whose first group is the service deployed"
    )
    version_parameter: str | None = Field(
        None, description="of ci: parameter of a run that names the commit, tag or image it deploys"
    )

    @field_validator("pattern", "job_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        return regular_expression(value)

    @field_validator("environment_pattern", "service_pattern")
    @classmethod
    def _pattern_has_a_group(cls, value: str | None) -> str | None:
        if regular_expression(value) is not None and re.compile(value or "").groups == 0:
            raise ValueError("this needs a group in brackets around the name it is to find")
        return value

    @model_validator(mode="after")
    def _is_of_ci(self) -> Self:
        told = [
            name
            for name in (
                "environment_parameter",
                "environment_pattern",
                "service_parameter",
                "service_pattern",
                "version_parameter",
            )
            if getattr(self, name) is not None
        ]
        if told and self.origin != "ci":
            raise ValueError(f'{told[0]} is for origin = "ci" alone')
        return self


class ImageRule(Section):
    """Which repository an image is built from, where its name does not tell."""

    image: str = Field(description="name of the image without tag; * matches anything")
    repository: str = Field(description="repository name or host/path of its source")


class Deployments(Section):
    """How deployments are recognised."""

    production: tuple[str, ...] = Field(
        ("prod", "production", "live"),
        min_length=1,
        description="tokens that make an environment production (whole tokens)",
    )
    tag_pattern: str | None = Field(
        None,
        description="tags that count as releases where tags are the origin; without it, "
        "those that look like a version (v1.2.3, shop@1.2, release-123, 2026-11-29), "
        "release candidates aside",
    )
    hotfix_pattern: str = Field(
        r"(?i)(^|[/_.-])hotfix([/_.-]|$)",
        description="branches, tags and labels that make a deployment a hotfix",
    )
    config_paths: tuple[str, ...] = Field(
        (), description="path prefixes of configuration; a deployment of nothing else is of config"
    )
    rules: tuple[DeploymentRule, ...] = Field((), description="origin per repository")
    images: tuple[ImageRule, ...] = Field((), description="source repository per image")

    @field_validator("tag_pattern", "hotfix_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        return regular_expression(value)


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
        None, gt=0, description="memory for DuckDB; default 4 GB, at most half the machine"
    )
    author: str | None = Field(
        None, min_length=1, description="who decides on the command line; default the user there"
    )

    @field_validator("sync_schedule")
    @classmethod
    def _schedule_is_cron(cls, value: str) -> str:
        return cron.check(value)


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
    incidents: Incidents = Field(Incidents(), description="which tickets are incidents")
    failures: Failures = Field(Failures(), description="when a deployment counts as failed")
    rework: Rework = Field(Rework(), description="which deployments are unplanned work")
    exclusions: tuple[Exclusion, ...] = Field((), description="changes that no number counts")
    goals: tuple[Goal, ...] = Field((), description="targets per metric and team")
    references: References = Field(References(), description="what values are held against")
    setup: Setup = Field(Setup(), description="how new services are set up")
    launches: tuple[Launch, ...] = Field((), description="what should take requests away")
    self_service: SelfService = Field(SelfService(), description="what people do for themselves")
    practices: PracticeOptions = Field(
        PracticeOptions(), description="which files show what approaches"
    )
    configuration: Configuration = Field(
        Configuration(), description="when configurations are inconsistent"
    )
    standards: tuple[Standard, ...] = Field((), description="the declared approaches")
    exceptions: tuple[ConfigurationException, ...] = Field((), description="allowed deviations")
    requests: Requests = Field(Requests(), description="the infrastructure team's time")
    services: tuple[Service, ...] = Field((), description="services, where repositories are not")
    teams: tuple[Team, ...] = Field((), description="teams, beside those the sources know")
    shared_units: tuple[SharedUnit, ...] = Field((), description="what several teams run on")
    shared_infrastructure: SharedInfrastructure = Field(
        SharedInfrastructure(), description="when shared infrastructure has too many engineers"
    )
    people: tuple[Person, ...] = Field((), description="accounts that belong together")
    bots: Bots = Field(Bots(), description="accounts that are machines")
    operation: Operation = Field(Operation(), description="schedules, limits, retention")

    @field_validator("data", mode="before")
    @classmethod
    def _data_is_named(cls, value: object) -> object:
        if value == "":
            raise ValueError('must name a folder, such as ".leadline"')
        return value

    @model_validator(mode="after")
    def _names_hold(self) -> Self:
        check_unique("services", [service.name for service in self.services])
        check_unique("teams", [team.name for team in self.teams])
        check_unique("launches", [launch.name for launch in self.launches])
        check_unique("shared_units", [unit.name for unit in self.shared_units])
        accounts = [(i, a) for i, person in enumerate(self.people) for a in person.accounts]
        check_accounts(accounts)
        check_parents([(team.name, team.parent) for team in self.teams])
        check_goals([(goal.metric, goal.team) for goal in self.goals])
        check_configuration(
            self.practices, self.configuration.controls, self.standards, self.exceptions
        )
        return self

    @property
    def fingerprint(self) -> str:
        """Changes when anything changes that a build depends on."""
        kept = self.model_dump(mode="json", exclude={"data", "operation", "connections"})
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def load(folder: Path | None = None) -> Settings:
    """Read the settings of a folder, of `LEADLINE_SETTINGS`, or of the nearest folder above.

    A relative `data` folder lies beside the file; `LEADLINE_DATA` overrides it. Without a file
    the defaults hold. Raises `SettingsError` with file, line, key and the way out.
    """
    path = find(folder)
    if path is None:
        settings, base = Settings(), folder or Path.cwd()
    else:
        settings, base = parse(_read(path), path), path.parent
    data = Path(os.environ.get("LEADLINE_DATA") or settings.data).expanduser()
    return settings.model_copy(update={"data": data if data.is_absolute() else base / data})


def find(folder: Path | None = None) -> Path | None:
    """The settings file: named by `LEADLINE_SETTINGS`, or in the folder or the nearest above."""
    named = os.environ.get("LEADLINE_SETTINGS")
    if folder is None and named:
        path = Path(named).expanduser().resolve()
        if not path.exists():
            raise SettingsError(f"{path}: there is no such file; LEADLINE_SETTINGS names it")
        return path
    start = (folder or Path.cwd()).resolve()
    for candidate in (start, *start.parents):
        if (candidate / FILE_NAME).exists():
            return candidate / FILE_NAME
    return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except IsADirectoryError as error:
        raise SettingsError(f"{path}: this is a folder; the settings are a file") from error
    except OSError as error:
        raise SettingsError(f"{path}: the settings cannot be read ({error.strerror})") from error


def parse(content: bytes, path: Path) -> Settings:
    """Read settings from the bytes of a file; `path` is named in errors, its folder is the base."""
    text, document = _document(content, path)
    problems: list[str] = []
    tables = document.pop("connections", {})
    if not isinstance(tables, Mapping):
        message = "must be tables, one a connection: [connections.github]"
        problems.append(at(("connections",), message, text, path))
        tables = {}
    for name in [name for name, table in document.items() if _is_misplaced(name, table)]:
        del document[name]
        problems.append(at((name,), f"write a connection as [connections.{name}]", text, path))
    connections: dict[str, Connection] = {}
    for name, table in tables.items():
        try:
            connections[name] = _connection(name, table, path.parent, document)
        except ValidationError as error:
            kind = kinds()[table.get("kind", name)].options_type
            problems += messages(error, kind, ("connections", name), text, path)
        except SettingsConflictError as error:
            problems.append(at(("connections", name, *error.location), str(error), text, path))
    try:
        settings = Settings.model_validate({**document, "connections": connections})
    except ValidationError as error:
        problems += messages(error, Settings, (), text, path)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings.model_copy(update={"practices": _anchored(settings.practices, path.parent)})


def _document(content: bytes, path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = content.decode("utf-8-sig")  # editors on Windows put a mark before the text
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"{path}:{line}: this is not UTF-8 text; save the file as UTF-8"
        ) from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        told = re.sub(r" \(at .*\)$", "", str(error))
        raise SettingsError(f"{path}:{line}: this is not TOML: {told}") from error


def _is_misplaced(name: str, table: object) -> bool:
    """Whether a connection stands at the top of the file."""
    return name not in Settings.model_fields and isinstance(table, Mapping) and name in kinds()


def _connection(name: str, table: object, base: Path, document: Mapping[str, Any]) -> Connection:
    """A connection; what it does not say of practices itself, the settings say for all."""
    if not isinstance(table, Mapping):
        raise SettingsConflictError((), f"a connection is a table: [connections.{name}]")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
        raise SettingsConflictError(
            (), "a connection is named by lower-case letters, digits, - and _; at most 40"
        )
    if name == "local":
        raise SettingsConflictError(
            (), "local is the built-in connection of what people decide; choose another name"
        )
    options = dict(table)
    kind, schedule = options.pop("kind", name), options.pop("schedule", None)
    if kind not in kinds():
        hint = suggestion(str(kind), list(kinds()))
        if "kind" in table:
            raise SettingsConflictError(("kind",), f'no connector of kind "{kind}"; {hint}')
        raise SettingsConflictError((), f'kind is missing, and "{name}" is none; {hint}')
    if schedule is not None:
        try:
            cron.check(str(schedule))
        except ValueError as error:
            raise SettingsConflictError(("schedule",), str(error)) from error
    if "practices" in kinds()[kind].options_type.model_fields and _is_usable(document):
        options.setdefault("practices", document["practices"])
    validated = _anchored(kinds()[kind].options_type.model_validate(options).beside(base), base)
    return Connection(name=name, kind=kind, schedule=schedule, options=validated)


def _is_usable(document: Mapping[str, Any]) -> bool:
    """Whether the settings say something of practices; what is wrong in it is told once."""
    try:
        PracticeOptions.model_validate(document.get("practices"))
    except ValidationError:
        return False
    return True


def _anchored(value: Any, base: Path) -> Any:
    """The same with every relative path made absolute: paths count from the settings file."""
    if isinstance(value, Path):
        return base / value.expanduser()
    if isinstance(value, BaseModel):
        changed = {name: _anchored(part, base) for name, part in value}
        return value.model_copy(update=changed)
    if isinstance(value, list | tuple):
        return type(value)(_anchored(part, base) for part in value)
    return value
