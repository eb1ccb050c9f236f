"""The models: found by file, with their grain, assertions and dependencies read from the text.

`models/<room>/<table>.sql` holds one SELECT; its opening comment says the grain, then one
assertion a line (`key:`, `not null:`, `references:`, `check:`). A table that only other models
read says `kept: while building` and is not in the build's file. `models/<room>/<name>.py` holds
what SQL cannot say well: `TABLES` (name → the same opening text), `INPUTS` (name → SELECT) and
`model(**frames)` from Polars frames to a dict of frames.
"""

import importlib
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import polars as pl

FOLDER = Path(__file__).parent / "models"
ROOMS = ("core", "metrics", "signals", "marts")

_ASSERTION = re.compile(r"^(key|not null|references|check): *(.+)$")
_PASSING = "kept: while building"
# A parser would take a second and a half for all models, in every process that builds. A test
# holds these patterns against one.
_NO_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_READ = re.compile(r"(?<!distinct )\b(?:from|join)\s+(\w+(?:\.\w+)?)\b(?!\s*\()", re.IGNORECASE)
_OWN = re.compile(
    r"(?:\bwith|\brecursive|,)\s+(\w+)(?:\s*\([\w, ]+\))?\s+as\s+(?:not\s+)?(?:materialized\s+)?\(",
    re.IGNORECASE,
)


class CatalogError(Exception):
    """A model is written wrongly; the message names the file."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """Something that must hold for every row of a table."""

    name: str
    failing_rows: str  # a SELECT of the rows that break it
    failures: str  # an expression over the table `t`: 0 where it holds
    refers_to: str | None = None  # another table that is read


@dataclass(frozen=True, slots=True)
class Step:
    """One computation: a SELECT, or a function over frames, and the tables it gives."""

    name: str
    room: str
    path: Path
    tables: tuple[str, ...]
    depends_on: tuple[str, ...]
    sql: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    function: Callable[..., dict[str, pl.DataFrame]] | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One table of a build; without `is_kept` only while it runs."""

    name: str
    room: str
    grain: str
    description: str
    key: tuple[str, ...]
    assertions: tuple[Assertion, ...]
    depends_on: tuple[str, ...]
    step: str
    is_kept: bool


@cache
def steps() -> tuple[Step, ...]:
    """Every computation, in an order in which each finds its inputs."""
    found = {step.name: step for room in ROOMS for step in _steps_of(room)}
    maker = {table: step.name for step in found.values() for table in step.tables}
    graph = {
        name: sorted({maker[d] for d in step.depends_on if d in maker})
        for name, step in sorted(found.items())
    }
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise CatalogError(f"models depend on each other in a circle: {error.args[1]}") from error
    for step in found.values():
        for name in step.depends_on:
            if name not in maker and "." not in name:
                raise CatalogError(f"{step.path.name} reads {name}, which no model gives")
    return tuple(found[name] for name in order)


@cache
def models() -> dict[str, Model]:
    """Every table of a build, by name, in build order."""
    found: dict[str, Model] = {}
    for step in steps():
        for table in step.tables:
            found[table] = _model(table, step)
    return found


def text_of(table: str) -> str:
    """What really runs for a table: its SELECT, or the SELECTs its function is fed with."""
    step = next(step for step in steps() if table in step.tables)
    if step.sql is not None:
        return step.sql
    parts = [f"-- {name}\n{textwrap.dedent(query).strip()}" for name, query in step.inputs.items()]
    return f"-- computed by {step.path.name} from\n" + "\n\n".join(parts)


def _steps_of(room: str) -> list[Step]:
    found = []
    for path in sorted((FOLDER / room).glob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        found.append(Step(path.stem, room, path, (path.stem,), dependencies(sql), sql=sql))
    for path in sorted((FOLDER / room).glob("*.py")):
        if path.stem == "__init__":
            continue
        module = importlib.import_module(f"pipelines.models.{room}.{path.stem}")
        depends_on = {d for q in module.INPUTS.values() for d in dependencies(q)}
        found.append(
            Step(
                path.stem,
                room,
                path,
                tuple(module.TABLES),
                tuple(sorted(depends_on)),
                inputs=module.INPUTS,
                function=module.model,
            )
        )
    return found


def dependencies(sql: str) -> tuple[str, ...]:
    """The tables a SELECT reads: models by name, inputs and records as `schema.name`."""
    code = _NO_CODE.sub(lambda found: " " if found[0].startswith("--") else "''", sql)
    return tuple(sorted(set(_READ.findall(code)) - set(_OWN.findall(code))))


def _model(table: str, step: Step) -> Model:
    if step.sql is not None:
        lines = []
        for line in step.sql.splitlines():
            if not line.startswith("--"):
                break
            lines.append(line.removeprefix("--").strip())
    else:
        module = importlib.import_module(f"pipelines.models.{step.room}.{step.name}")
        lines = [line.strip() for line in module.TABLES[table].strip().splitlines()]
    is_kept = _PASSING not in lines
    words = " ".join(
        line for line in lines if line != _PASSING and not _ASSERTION.match(line)
    ).strip()
    if not words.startswith("One row per"):
        raise CatalogError(f"{step.path.name}: the opening comment must begin 'One row per …'")
    key: tuple[str, ...] = ()
    assertions: list[Assertion] = []
    for line in lines:
        if found := _ASSERTION.match(line):
            kind, text = found.groups()
            if kind == "key":
                key = tuple(part.strip() for part in text.split(","))
            assertions += _assertions(table, kind, text)
    if not key:
        raise CatalogError(f"{step.path.name}: {table} names no key")
    grain = words.split(". ")[0].rstrip(".") + "."
    return Model(
        name=table,
        room=step.room,
        grain=grain,
        description=words,
        key=key,
        assertions=tuple(assertions),
        depends_on=step.depends_on,
        step=step.name,
        is_kept=is_kept,
    )


def _assertions(table: str, kind: str, text: str) -> list[Assertion]:
    if kind == "key":
        return [
            Assertion(
                f"one row per {text}",
                f'select {text}, count(*) as copies from "{table}" '
                f"group by {text} having count(*) > 1",
                # Cheaper than the groups: where all hashes differ, so do the keys. Should two
                # keys ever share one, the rows that break it are none.
                f"count(*) - count(distinct hash({text}))",
            )
        ]
    if kind == "not null":
        return [
            Assertion(
                f"{column} is there",
                f'select * from "{table}" where {column} is null',
                f"count(*) - count({column})",
            )
            for column in (part.strip() for part in text.split(","))
        ]
    if kind == "references":
        return [_reference(table, part) for part in text.split(";")]
    return [
        Assertion(
            text,
            f'select * from "{table}" where not ({text})',
            f"count(*) filter (where not ({text}))",
        )
    ]


def _reference(table: str, text: str) -> Assertion:
    column, _, target = (piece.strip() for piece in text.partition("->"))
    other, _, other_column = target.partition(".")
    missing = (
        f'from "{table}" as t anti join "{other}" as o on o.{other_column} = t.{column} '
        f"where t.{column} is not null"
    )
    return Assertion(
        f"{column} exists in {other}",
        f"select t.* {missing}",
        f"(select count(*) {missing})",
        refers_to=other,
    )
