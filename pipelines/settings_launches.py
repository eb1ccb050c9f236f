"""Settings of launches: what was made self-service, when, and for which requests."""

import datetime
from typing import Self

from pydantic import Field, model_validator

from pipelines.settings_section import Section


class Launch(Section):
    """Something that should take requests away; written down before anyone looks at its effect."""

    name: str = Field(min_length=1, description="the launch's name")
    date: datetime.date = Field(
        description="day it was there for its first users; may lie in the future"
    )
    categories: tuple[str, ...] = Field(
        min_length=1, description="categories of requests it should take away (request types)"
    )
    teams: tuple[str, ...] = Field(
        (), description="teams it was given to; all of them when left out"
    )
    comparison: tuple[str, ...] = Field(
        (), description="categories it does not touch, to compare with"
    )

    @model_validator(mode="after")
    def _comparison_is_untouched(self) -> Self:
        touched = {name.casefold() for name in self.categories}
        for name in self.comparison:
            if name.casefold() in touched:
                raise ValueError(
                    f'"{name}" is both touched by the launch and compared with; keep one'
                )
        return self


class SelfService(Section):
    """What people do for themselves, and which requests that stands for."""

    categories: dict[str, str] = Field(
        {},
        description="self-service action or template = category of requests it stands for, "
        "where the names differ",
    )
    ticket_hours: float = Field(
        72,
        gt=0,
        le=720,
        description="a request of the category by the same person this soon after an action "
        "means that it did not help",
    )
    adoption_weeks: int = Field(
        3, ge=0, le=26, description="weeks from a launch on that are left out of its effect"
    )
