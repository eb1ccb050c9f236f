"""Settings of what is measured: incidents, failures, rework, exclusions, goals, reference."""

import re
from typing import Final, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from pipelines.settings_section import Section, regular_expression

Report = Literal[2019, 2021, 2022, 2023, 2024, 2025]
GoalMetric = Literal[
    "deployment_frequency",
    "change_lead_time",
    "change_fail_rate",
    "failed_deployment_recovery_time",
    "deployment_rework_rate",
]


class Incidents(Section):
    """Which tickets are incidents, beside those of incident sources."""

    ticket_types: tuple[str, ...] = Field(
        (), description="ticket types that are incidents; none: tickets are no incidents"
    )
    ticket_labels: tuple[str, ...] = Field(
        (), description="labels that make a ticket an incident, whatever its type"
    )
    projects: tuple[str, ...] = Field(
        (), description="only tickets of these projects; all when left out"
    )
    service_names: dict[str, str] = Field(
        {}, description="names incidents use for services = the service's name here"
    )


class Failures(Section):
    """When a deployment counts as failed."""

    maturity_days: float = Field(
        7, ge=0, description="deployments count once they are this many days old"
    )
    incident_window_hours: float = Field(
        24, gt=0, description="an incident this soon after going live is linked to it"
    )
    revert_days: float = Field(
        7, gt=0, description="a revert that is live this soon marks what it reverts as failed"
    )
    hotfix_hours: float = Field(
        24, gt=0, description="a hotfix that is live this soon marks the one before as failed"
    )
    team_links: bool = Field(
        False, description="link incidents that name only a team (low confidence)"
    )


class Rework(Section):
    """Which deployments are unplanned work."""

    ticket_types: tuple[str, ...] = Field(
        ("Bug", "Incident", "Defect"), description="ticket types that make a change a fix"
    )
    labels: tuple[str, ...] = Field(
        ("bug", "bugfix", "fix", "hotfix", "incident", "rework", "regression"),
        description="labels that make a change a fix",
    )
    branch_pattern: str = Field(
        r"(?i)^(bugfix|fix|hotfix)[/_-]", description="branches that make a change a fix"
    )
    planned_labels: tuple[str, ...] = Field(
        ("feature", "enhancement", "documentation", "refactoring", "chore"),
        description="labels that make a change planned work",
    )
    planned_branch_pattern: str = Field(
        r"(?i)^(feature|feat|docs|chore|refactor)[/_-]",
        description="branches that make a change planned work",
    )

    @field_validator("branch_pattern", "planned_branch_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str) -> str:
        return regular_expression(value) or value


class Exclusion(Section):
    """Changes that no number counts; every condition that is given must hold."""

    reason: str = Field(min_length=1, description="why, shown wherever they are left out")
    author: str | None = Field(None, description="login or e-mail address of the author")
    label: str | None = Field(None, description="a label of the change request")
    title: str | None = Field(None, description="regular expression on the title")
    path: str | None = Field(
        None, description="path prefix; holds where every touched path lies below it"
    )
    repository: str | None = Field(
        None, description="repository name or host/path; * matches anything"
    )

    @field_validator("title")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        return regular_expression(value)

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not (self.author or self.label or self.title or self.path or self.repository):
            raise ValueError(
                "says only why: add author, label, title, path or repository to say which changes"
            )
        return self


class Target(NamedTuple):
    """A goal's target in the unit of the metric's published rows."""

    value: float
    unit: str


PER_WEEK: Final = {"day": 7.0, "week": 1.0, "month": 7 * 24 / 730}
HOURS: Final = {"min": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0, "mo": 730.0}
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?) per (day|week|month)")
_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?) ?(min|h|d|w|mo)")


class Goal(Section):
    """A target for one metric, of one team or of every team."""

    metric: GoalMetric = Field(description="which of the five metrics")
    target: str = Field(description='"5 per week", "2 d", "4 h" or "10 %", as the metric needs')
    team: str | None = Field(None, description="the team it holds for; all teams when left out")

    @model_validator(mode="after")
    def _target_fits(self) -> Self:
        self.parsed()
        return self

    def parsed(self) -> Target:
        """The target as a number; raises `ValueError` where it does not fit the metric."""
        if self.metric == "deployment_frequency":
            if found := _RATE.fullmatch(self.target.strip()):
                return Target(float(found[1]) * PER_WEEK[found[2]], "per week")
            raise ValueError(f'"{self.target}" is no frequency; write one such as "5 per week"')
        if self.metric in {"change_fail_rate", "deployment_rework_rate"}:
            found = _SHARE.fullmatch(self.target.strip())
            if found and float(found[1]) <= 100:
                return Target(float(found[1]), "%")
            raise ValueError(f'"{self.target}" is no share; write one such as "10 %"')
        if found := _DURATION.fullmatch(self.target.strip()):
            return Target(float(found[1]) * HOURS[found[2]], "h")
        raise ValueError(
            f'"{self.target}" is no duration; write one such as "2 d" (min, h, d, w or mo)'
        )


class References(Section):
    """What values are held against, beside the service's own past."""

    report: Report = Field(2025, description="year of the State of DevOps report")
