"""What the settings say about the practice inventory."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.practices import globs
from connectors.practices.rules import PracticeRule, RuleBook, book


class PracticeOptions(BaseModel):
    """Which files of repositories are read for the approaches they show, and by which rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scan: bool = Field(True, description="read files of repositories for the approaches they show")
    history_days: int = Field(
        364, ge=0, le=1100, description="how far back the first scan looks, at every fourth week"
    )
    exclude: tuple[str, ...] = Field(
        (), description="path patterns of files never read, such as legacy/**"
    )
    folder: Path | None = Field(None, description="folder of more rules, one TOML file a category")
    rules: tuple[PracticeRule, ...] = Field((), description="more rules")

    @field_validator("exclude")
    @classmethod
    def _paths_are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for glob in value:
            globs.expression([glob])
        return value

    def book(self) -> RuleBook:
        """Our rules and those of the settings; raises `SourceError` where a file is no rules."""
        return book(self.folder, self.rules)
