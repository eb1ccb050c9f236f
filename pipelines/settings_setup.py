"""Settings of how new services are set up: which tickets ask for one, and what is none."""

import re
from typing import Literal

from pydantic import Field, field_validator

from pipelines.settings_section import Section, regular_expression


class Setup(Section):
    """How new services come to be: requests, templates, and repositories that are no services."""

    setup_requests: Literal["tickets", "none"] = Field(
        "tickets",
        description='"none" declares that nobody has to ask for a new service; else set-up tickets '
        "or portal tasks must be seen before set-up can be called quick",
    )
    request_types: tuple[str, ...] = Field(
        ("New service", "Service set-up", "Service setup", "Create service", "New repository"),
        description="request or ticket types that ask for a new service",
    )
    labels: tuple[str, ...] = Field(
        ("new-service", "service-setup", "service-set-up"),
        description="labels that make a ticket one that asks for a new service",
    )
    projects: tuple[str, ...] = Field(
        (), description="only tickets of these projects; all when left out"
    )
    title_pattern: str | None = Field(
        None, description="titles that make a ticket one that asks for a new service, by regex"
    )
    name_pattern: str = Field(
        r"(?i)\b(?:services?|repository|repo|app|application)\b[\s:`\"“]*"
        r"(?:called |named )?[`\"“]?([a-z0-9][\w.-]*[a-z0-9])",
        description="finds the name of the service in the title: the first group of the regex",
    )
    cancelled: tuple[str, ...] = Field(
        ("Won't do", "Won't fix", "Cancelled", "Canceled", "Declined", "Rejected", "Abandoned"),
        description="resolutions of tickets whose service was not wanted any more",
    )
    templates: tuple[str, ...] = Field(
        ("*",), description="golden-path templates of the portal that make services; * matches"
    )
    libraries: tuple[str, ...] = Field(
        ("lib-*", "*-lib", "*-library", "*-sdk"),
        description="repositories that are libraries, beside what the catalog says; * matches",
    )
    template_tests: tuple[str, ...] = Field(
        ("*template-test*", "*test-template*", "*scaffolder-test*"),
        description="repositories that only try a template out; * matches",
    )
    imports: tuple[str, ...] = Field(
        (), description="repositories that came from elsewhere; those with older history are seen"
    )
    library_types: tuple[str, ...] = Field(
        ("library", "package", "sdk"), description="types of catalog components that are libraries"
    )
    service_types: tuple[str, ...] = Field(
        ("service", "website", "application", "app", "backend", "frontend", "api", "worker", "job"),
        description="types of catalog components that are services",
    )

    @field_validator("title_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        return regular_expression(value)

    @field_validator("name_pattern")
    @classmethod
    def _pattern_has_a_group(cls, value: str) -> str:
        regular_expression(value)
        if re.compile(value).groups < 1:
            raise ValueError("must hold a group that is the name: ([a-z0-9-]+)")
        return value
