"""Rules as data: which line of which file shows that a repository uses which approach.

Ours lie as TOML files in `rules/`; users add a folder of such files, or rules in their settings.
Every rule carries examples that it must take and others that it must not: they are its test.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.connector import SourceError
from connectors.practices import globs, packages

OURS = Path(__file__).parent / "rules"
_NAME = r"^[a-z][a-z0-9_]{0,59}$"


class PracticeRule(BaseModel):
    """One rule: files by path, and a line of them where `pattern` or `packages` say so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str = Field(pattern=_NAME, description="what is decided, such as secrets_management")
    approach: str = Field(pattern=_NAME, description="what was chosen, such as vault")
    title: str | None = Field(None, description="the approach as people call it")
    paths: tuple[str, ...] = Field((), description="path patterns of files; **/ is any folder")
    not_paths: tuple[str, ...] = Field((), description="path patterns of files left out")
    pattern: str | None = Field(
        None, description="regular expression on a line; the file alone is enough without one"
    )
    packages: dict[str, tuple[str, ...]] = Field(
        {}, description="names of packages by system: npm, python, go, maven …"
    )
    yes: tuple[str, ...] = Field((), description='examples that must match, "path: text"')
    no: tuple[str, ...] = Field((), description='examples that must not, "path: text"')

    @field_validator("paths", "not_paths")
    @classmethod
    def _paths_are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            _check(globs.expression(value))
        return value

    @field_validator("pattern")
    @classmethod
    def _pattern_runs(cls, value: str | None) -> str | None:
        if value is not None:
            _check(value)
        return value

    @field_validator("packages")
    @classmethod
    def _systems_are_known(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for system in value:
            if system not in packages.SYSTEMS:
                known = ", ".join(packages.SYSTEMS)
                raise ValueError(f'"{system}" is no package system; known: {known}')
        return value

    @model_validator(mode="after")
    def _looks_somewhere(self) -> Self:
        if not self.paths and not self.packages:
            raise ValueError("a rule needs paths, or packages")
        if self.pattern is not None and not self.paths:
            raise ValueError("a pattern needs paths: packages bring their own")
        return self

    @cached_property
    def matchers(self) -> "tuple[Matcher, ...]":
        """What the rule looks for, one a kind of file."""
        found = [
            Matcher(self, packages.SYSTEMS[system][0], packages.pattern(system, names))
            for system, names in self.packages.items()
        ]
        return (*found, *([Matcher(self, self.paths, self.pattern)] if self.paths else []))


@dataclass(frozen=True, slots=True)
class Matcher:
    """Files by path, and a line of them; None: the file is enough."""

    rule: PracticeRule
    paths: tuple[str, ...]
    pattern: str | None


class Category(BaseModel):
    """What is decided once or many times: a file of rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str = Field(pattern=_NAME)
    title: str
    words: str = ""
    critical: bool = False
    rules: tuple[PracticeRule, ...]

    @model_validator(mode="before")
    @classmethod
    def _rules_are_of_it(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(rules := value.get("rules"), list):
            own = {"category": value.get("category")}
            return {**value, "rules": [own | r if isinstance(r, dict) else r for r in rules]}
        return value


@dataclass(frozen=True)
class RuleBook:
    """All rules that are applied, in a fixed order."""

    categories: tuple[Category, ...]
    rules: tuple[PracticeRule, ...]

    @cached_property
    def matchers(self) -> tuple[Matcher, ...]:
        """Everything that is looked for."""
        return tuple(matcher for rule in self.rules for matcher in rule.matchers)

    @cached_property
    def digest(self) -> str:
        """Changes when a scan with these rules could find something else."""
        kept = [rule.model_dump(mode="json", exclude={"title", "yes", "no"}) for rule in self.rules]
        spelled = [(matcher.paths, matcher.pattern) for matcher in self.matchers]
        return hashlib.sha256(json.dumps([kept, spelled]).encode()).hexdigest()[:16]


@cache
def ours() -> tuple[Category, ...]:
    """The categories that come with the product."""
    return tuple(_read(path) for path in sorted(OURS.glob("*.toml")))


@cache
def our_approaches() -> Mapping[str, frozenset[str]]:
    """The approaches that our rules find, by category; without the rules themselves being read.

    Checking settings against them takes a tenth of the time that checking every pattern takes.
    """
    files = [
        tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(OURS.glob("*.toml"))
    ]
    return {
        file["category"]: frozenset(rule["approach"] for rule in file["rules"]) for file in files
    }


def book(folder: Path | None = None, rules: Iterable[PracticeRule] = ()) -> RuleBook:
    """Our rules, those of a folder and those of the settings; raises `SourceError`."""
    categories = [*ours(), *_users(folder)]
    added = tuple(rules)
    return RuleBook(
        tuple(categories),
        tuple(rule for category in categories for rule in category.rules) + added,
    )


def _users(folder: Path | None) -> list[Category]:
    if folder is None:
        return []
    if not folder.is_dir():
        raise SourceError(f"there is no folder {folder}; practices.folder names it")
    return [_read(path) for path in sorted(folder.glob("*.toml"))]


def _read(path: Path) -> Category:
    try:
        return Category.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceError(f"{path} cannot be read as rules: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SourceError(f"{path}, {where}: {first['msg']}") from error


def _check(expression: str) -> None:
    """Raise where an expression cannot run; those that can take time linear in the text."""
    # Here, not above: every command reads the settings, few have rules of their own in them.
    import polars as pl
    from polars.exceptions import PolarsError

    try:
        pl.Series([""]).str.contains(expression)
    except PolarsError as error:
        told = " ".join(str(error).split())[:200]
        raise ValueError(f"this regular expression cannot be used: {told}") from error
