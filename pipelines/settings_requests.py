"""Settings of the infrastructure team's time: whose it is, what its tickets are, how it is told."""

from typing import Final, Literal

from pydantic import Field, field_validator

from pipelines.settings_section import Section, regular_expression

TicketClass = Literal["request", "build", "incident", "overhead"]
NO_TEAM: Final = "none"


class Requests(Section):
    """The infrastructure team, its tickets, and how the time spent on requests is measured."""

    infrastructure_team: tuple[str, ...] = Field(
        (), description='names of the infrastructure teams, taken together; "none" where nobody is'
    )
    projects: tuple[str, ...] = Field(
        (), description="projects whose tickets are the infrastructure team's"
    )
    components: tuple[str, ...] = Field(
        (), description="components that make a ticket of another project theirs, as boards do"
    )
    labels: dict[str, TicketClass] = Field(
        {
            "request": "request",
            "service-request": "request",
            "support": "request",
            "build": "build",
            "improvement": "build",
            "roadmap": "build",
            "incident": "incident",
            "outage": "incident",
            "ktlo": "incident",
            "overhead": "overhead",
        },
        description="label = request, build, incident or overhead; a label wins over the type",
    )
    types: dict[str, TicketClass] = Field(
        {
            "Service request": "request",
            "[System] Service request": "request",
            "Service request with approvals": "request",
            "Access request": "request",
            "Support": "request",
            "Improvement": "build",
            "New feature": "build",
            "Incident": "incident",
            "[System] Incident": "incident",
            "Outage": "incident",
        },
        description="ticket or request type = request, build, incident or overhead",
    )
    parents: dict[str, TicketClass] = Field(
        {}, description="key of an epic or other parent = class of everything below it"
    )
    project_classes: dict[str, TicketClass] = Field(
        {}, description="project = class of its tickets, where nothing else says more"
    )
    own_reports: TicketClass | None = Field(
        None, description="class of what the infrastructure team reports itself; none: not judged"
    )
    in_progress_statuses: tuple[str, ...] = Field(
        (), description="statuses that count as in progress; none: those of that category"
    )
    effort_hours: dict[str, float] = Field(
        {}, description="ticket type = hours one takes, instead of the measured mean"
    )
    active_days: int = Field(
        2, ge=0, description="working days that a ticket in progress counts after its last activity"
    )
    session_gap_hours: float = Field(
        2, gt=0, le=12, description="activities of a person this close together are one session"
    )
    session_start_minutes: float = Field(
        30, ge=0, le=240, description="time taken before the first activity of a session"
    )
    first_response_pattern: str = Field(
        r"(?i)first response",
        description="name of the goal (SLA) of service desks that ends with the first response",
    )
    resolution_pattern: str = Field(
        r"(?i)to resol(ution|ve)",
        description="name of the goal (SLA) that ends when a request is resolved",
    )
    text_probability: float = Field(
        0.6, ge=0.5, lt=1, description="how sure the text model must be, or it says nothing"
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="share of requests in requests and building that is too much"
    )
    weeks: int = Field(13, ge=8, le=52, description="weeks that are looked at together")
    least_weeks: int = Field(8, ge=4, le=52, description="fewer weeks than this say nothing")
    classified_share: float = Field(
        0.7, ge=0, le=1, description="least share of the tracked hours whose class is known"
    )
    tracked_share: float = Field(
        0.5, ge=0, le=1, description="least share of the team's working hours that is tracked"
    )
    straight_to_done_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="where more tickets than this skip in progress, the statuses tell no hours",
    )

    @field_validator("infrastructure_team", mode="before")
    @classmethod
    def _team_or_none(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("infrastructure_team")
    @classmethod
    def _none_stands_alone(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if NO_TEAM in value and len(value) > 1:
            raise ValueError(f'"{NO_TEAM}" cannot stand beside teams; write one or the other')
        return value

    @field_validator("first_response_pattern", "resolution_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str) -> str:
        return regular_expression(value) or value

    @field_validator("effort_hours")
    @classmethod
    def _hours_are_positive(cls, value: dict[str, float]) -> dict[str, float]:
        for name, hours in value.items():
            if not 0 < hours <= 10_000:
                raise ValueError(f"{hours:g} hours for {name} cannot be; write a positive number")
        return value

    @property
    def has_no_team(self) -> bool:
        """Whether the settings say that there is no infrastructure team."""
        return self.infrastructure_team == (NO_TEAM,)
