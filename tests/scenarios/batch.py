"""Scenarios that can share a build are told into one, each in repositories of its own.

A build costs time, whatever it holds: scenarios with the same settings and `as_of` are
given a marker each, which their repositories, commits, tickets and ids carry, and are asked for
rows with that marker only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.records import Record
from tests.pipelines.stories import Story, tell
from tests.scenarios import events
from tests.scenarios.language import hours
from tests.scenarios.scenario import Expectation, Scenario

_ID = re.compile(
    r"\w+:(?:pull|review|deployment|run|job|release|incident|ticket|team|repository):.+"
)
_SHA = re.compile(r"[0-9a-f]{36}0000")
_TICKET = re.compile(r"([A-Z]+)(-\d+)?")
# Fields that hold names which settings or other records may look up.
_NAMES = {"name", "service_hint", "components"}
_NAMED = {"repository", "team", "deployment_attempt", "incident", "ticket"}
_TICKETS = {"ticket_key", "ticket_keys", "parent_key", "project"}


@dataclass(frozen=True, slots=True)
class Batch:
    """A build, and what its scenarios call the things in it."""

    story: Story
    names: dict[str, str]

    def ask(self, asked: Expectation, marker: str | None) -> list[list[Any]]:
        """The rows that an expectation is about, in the words of the scenario, sorted."""
        where = [f"({asked.where})"] if asked.where else []
        if marker is not None:
            where.append(f"contains(cast(t as varchar), '{marker}')")
        query = f'select {", ".join(asked.columns)} from "{asked.table}" as t'
        rows = self.story.ask(query + (f" where {' and '.join(where)}" if where else ""))
        return sorted(
            (
                [self._shown(v, column) for v, column in zip(row, asked.columns, strict=True)]
                for row in rows
            ),
            key=repr,
        )

    def _shown(self, value: Any, column: str) -> Any:
        if value is None:
            return "-"
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return number(value / 3_600_000_000 if column.endswith("_us") else value)
        if isinstance(value, datetime):
            return number(hours(value))
        if isinstance(value, list | tuple):
            return sorted((self._shown(each, column) for each in value), key=repr)
        return self._named(str(value))

    def _named(self, value: str) -> str:
        """An id as the story calls it; a text without the marks of the batch."""
        plain = unmarked(value.rsplit("|", 1)[-1])
        for prefix in ("merge:", "commit:", "tag:", "service:", "team:"):
            plain = plain.removeprefix(prefix)
        if plain.startswith(events.HOME) and ":" in plain:
            plain = plain.split(":", 1)[1]
        return self.names.get(unmarked(plain), plain)


def number(value: float) -> float:
    """A number as exact as builds keep statistics: nine significant digits."""
    return float(f"{value:.9g}")


def build(folder: Path, scenarios: Sequence[tuple[Scenario, str | None]]) -> Batch:
    """One build of these scenarios; each comes with its marker, or none if it is alone."""
    records: dict[str, list[Record]] = {"forge": []}
    names: dict[str, str] = {}
    for scenario, marker in scenarios:
        told = events.tell(scenario.given)
        names |= told.names
        for connection, given in told.records.items():
            marked = [each if marker is None else _marked(each, marker) for each in given]
            records.setdefault(connection, []).extend(marked)
    like = scenarios[0][0]
    story = tell(
        folder,
        records.pop("forge"),
        settings=like.settings,
        as_of=hours(like.as_of),
        others=records,
    )
    story.build(*(asked.table for scenario, _ in scenarios for asked in scenario.expect))
    return Batch(story, names)


def _marked(record: Record, marker: str) -> Record:
    """The record as it stands in a shared build: everything that joins it to others is marked."""

    def mark(name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [mark(name, each) for each in value]
        return _marked_text(record.table, name, value, marker) if isinstance(value, str) else value

    return record.model_copy(update={name: mark(name, value) for name, value in record})


def _marked_text(table: str, name: str, value: str, marker: str) -> str:
    if name in _TICKETS:
        return _TICKET.sub(rf"\1{marker.upper()}\2", value)
    if _SHA.fullmatch(value):
        return value[:36] + marker[1:].zfill(4)
    if _ID.fullmatch(value) or (name in _NAMES and table in _NAMED):
        return f"{value}@{marker}"
    return value.replace(events.HOME, f"forge.test/{marker}/")


def unmarked(value: str) -> str:
    """Without the marks of the batch."""
    if re.fullmatch(r"[0-9a-f]{40}", value):
        return value[:36] + "0000"
    value = re.sub(r"forge\.test/n\d{3}/", events.HOME, value)
    return re.sub(r"@n\d{3}|N\d{3}(?=-)|(?<=[A-Z])N\d{3}$", "", value)
