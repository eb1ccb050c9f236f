"""What a report of the verdict says, read from a published build; how it looks is elsewhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from pipelines.thresholds import TITLES

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict of today with everything it stands on.

    `states` has the rows of `threshold_state` by threshold, oldest first; `verdicts` those of
    `verdict`; both as many as there are evaluations. `definitions` are words by title.
    """

    organisation: str
    zone: str
    built_at: datetime
    as_of: datetime
    verdicts: list[dict[str, Any]]
    states: dict[str, list[dict[str, Any]]]
    definitions: dict[str, str]

    @property
    def verdict(self) -> Row | None:
        """The verdict of today; None before the first evaluation."""
        return self.verdicts[-1] if self.verdicts else None

    @property
    def today(self) -> list[Row]:
        """The states of today, in the order of the thresholds."""
        return [rows[-1] for rows in self.states.values() if rows]


def read(connection: duckdb.DuckDBPyConnection) -> Report:
    """Read the report from a published build."""
    build = _rows(connection, "select * from build")[0]
    states = _rows(connection, "select * from threshold_state order by evaluated_at")
    verdicts = _rows(connection, "select * from verdict order by evaluated_at")
    names = list(json.loads(verdicts[-1]["versions"])) if verdicts else []
    definitions = connection.execute(
        "select title, words from definition where list_contains($names, name) "
        "order by name <> 'verdict', title",
        {"names": names},
    ).fetchall()
    return Report(
        organisation=build["organisation"] or "Your organisation",
        zone=build["zone"] or "UTC",
        built_at=build["built_at"],
        as_of=build["as_of"],
        verdicts=verdicts,
        states={each: [row for row in states if row["threshold"] == each] for each in TITLES},
        definitions=dict(definitions),
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(query).pl().to_dicts()
    return rows
