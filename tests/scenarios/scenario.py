"""Scenarios as their files hold them."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.scenarios.language import moment

FOLDER = Path(__file__).parent
_KEYS = {"name", "why", "covers", "given", "expect", "settings", "as_of", "alone"}
_EXPECTED = {"table", "columns", "rows", "where"}
# The files of a folder share one end unless they say otherwise: day 60.
AS_OF = "60d"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a table of the build must hold, row by row, in any order."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    where: str


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A small story with a known outcome; `why` paraphrases the definition it follows from."""

    file: str
    name: str
    why: str
    covers: tuple[str, ...]
    given: str
    expect: tuple[Expectation, ...]
    settings: str
    as_of: datetime
    alone: bool

    @property
    def build_key(self) -> tuple[str, str, str]:
        """Scenarios with the same key can share a build."""
        return (self.settings, str(self.as_of), self.name if self.alone else "")


def load() -> list[Scenario]:
    """Every scenario of the folder, in order of files."""
    return [each for path in sorted(FOLDER.glob("*.toml")) for each in _of_file(path)]


def _of_file(path: Path) -> list[Scenario]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    shared: dict[str, Any] = {
        key: document[key] for key in ("settings", "as_of") if key in document
    }
    return [_scenario(path.stem, {**shared, **each}) for each in document["scenario"]]


def _scenario(file: str, told: dict[str, Any]) -> Scenario:
    name = told.get("name", "without a name")
    if unknown := set(told) - _KEYS:
        raise ValueError(f"{file}.toml, {name}: unknown {', '.join(sorted(unknown))}")
    for each in told["expect"]:
        if unknown := set(each) - _EXPECTED:
            raise ValueError(f"{file}.toml, {name}: unknown {', '.join(sorted(unknown))}")
    return Scenario(
        file=file,
        name=told["name"],
        why=told["why"],
        covers=tuple(told["covers"]),
        given=told["given"],
        expect=tuple(
            Expectation(
                each["table"],
                tuple(each["columns"]),
                tuple(tuple(row) for row in each["rows"]),
                each.get("where", ""),
            )
            for each in told["expect"]
        ),
        settings=told.get("settings", ""),
        as_of=moment(str(told.get("as_of", AS_OF))),
        alone=told.get("alone", False),
    )
