"""The parts of `docs/` that are made from the code: settings, records, streams, metrics, commands.

A page holds them between `<!-- generated: NAME -->` and `<!-- end of generated -->`; the words
around are written by hand. `python -m pipelines.documentation` writes them anew; a test fails
where a page is behind the code.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from connectors.arrow import schema
from connectors.connector import Connector, PushedStream, Stream, kinds
from connectors.records import RECORDS, Record
from pipelines.catalog import models, steps
from pipelines.documentation_commands import commands
from pipelines.documentation_settings import connection_settings, sections
from pipelines.kind_streams import all_streams, givers
from pipelines.metric_definitions import DEFINITIONS
from pipelines.page_needs import fed_by_permission

FOLDER = Path(__file__).parents[1] / "docs"

_BLOCK = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[a-z_ ]+) -->\n).*?(?P<end><!-- end of generated -->)",
    re.DOTALL,
)


def filled(text: str) -> str:
    """The text of a page with its generated parts made anew; raises for a name nothing makes."""
    return _BLOCK.sub(_made, text)


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every page whose generated parts are behind the code; returns those written."""
    written = []
    for path in sorted(folder.rglob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            written.append(path)
    return written


def _made(found: re.Match[str]) -> str:
    what, _, kind = found["name"].partition(" ")
    lines = _KIND_BLOCKS[what](kinds()[kind]) if kind else _BLOCKS[what]()
    return found["begin"] + "\n" + "\n".join(lines).strip() + "\n\n" + found["end"]


def table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A table of Markdown; bars within cells are escaped."""
    lines = [titles, ("---",) * len(titles), *rows]
    return [
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |"
        for line in lines
    ]


def anchor(heading: str) -> str:
    """What a link to a heading names after #."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _records() -> Iterator[str]:
    for record_type in RECORDS:
        yield f"### {record_type.table}"
        yield ""
        yield _summary(record_type) + _whole_set(record_type)
        yield ""
        yield f"Given by: {', '.join(_givers(record_type)) or 'no connector yet'}."
        yield ""
        rows = [
            (f"`{column.name}`", _column_type(column.type), _column_note(record_type, column.name))
            for column in schema(record_type)
            if column.name not in Record.model_fields
        ]
        yield from table(("column", "type", ""), rows)
        yield ""


def _whole_set(record_type: type[Record]) -> str:
    if record_type.set_of is None:
        return ""
    return f" Comes whole with its `{record_type.set_of}` and is replaced as a set."


def _givers(record_type: type[Record]) -> list[str]:
    return [f"[{kind}](connectors/{kind}.md)" for kind in givers(record_type)]


def _column_note(record_type: type[Record], name: str) -> str:
    if name in record_type.key:
        return "key"
    return "required" if record_type.model_fields[name].is_required() else ""


def _column_type(kind: Any) -> str:
    words = {"string": "text", "bool": "true or false", "int64": "whole number"}
    told = str(kind)
    if told.startswith("timestamp"):
        return "time (UTC)"
    if told.startswith("list"):
        return "list of text"
    return words.get(told, told)


def _streams(connector: type[Connector]) -> Iterator[str]:
    rows = [
        (
            f"`{stream.name}`",
            _summary(type(stream)),
            ", ".join(f"[{r.table}](../records.md#{r.table})" for r in stream.record_types)
            or "none",
            _habits(stream),
        )
        for stream in all_streams(connector)
    ]
    is_sent = all(isinstance(stream, PushedStream) for stream in all_streams(connector))
    title = "what is sent" if is_sent else "what it pulls"
    yield from table(("stream", title, "records", "deleted at the source"), rows)


def _habits(stream: Stream) -> str:
    return "stays here" if stream.forgets else "found by full passes"


def _permissions(connector: type[Connector]) -> Iterator[str]:
    if not connector.permissions:
        yield "None: there is no credential."
        return
    rows = [
        (
            f"`{permission.name}`",
            ", ".join(f"`{name}`" for name in permission.streams),
            ", ".join(f"[{page}](../pages.md#{anchor(page)})" for page in fed),
            permission.how,
        )
        for permission, fed in fed_by_permission(connector)
    ]
    yield from table(("permission", "for the streams", "which feed", "where, or what else"), rows)


def _kinds() -> Iterator[str]:
    rows = [(f"[{kind}]({kind}.md)", connector.title) for kind, connector in kinds().items()]
    yield from table(("kind", "source"), rows)


def _definitions(rooms: tuple[str, ...]) -> Iterator[str]:
    for definition in DEFINITIONS:
        model = models()[definition.model]
        if model.room not in rooms:
            continue
        yield f"### {definition.title}"
        yield ""
        yield f"`{definition.name}`, version {definition.version}. {definition.words}"
        yield ""
        yield f"Parameters: {definition.parameters}. Model: {_model_link(model.step)}."
        yield ""


def _model_link(name: str) -> str:
    path = next(step.path for step in steps() if step.name == name)
    return f"[`{path.name}`](../{path.relative_to(FOLDER.parent).as_posix()})"


def _tables() -> Iterator[str]:
    rooms = {
        "marts": "What pages and queries read",
        "signals": "Thresholds, deflection and what follows from them",
        "metrics": "Metrics before they are put together",
        "core": "What the numbers are made from",
    }
    for room, title in rooms.items():
        yield f"### {title}"
        yield ""
        found = [model for model in models().values() if model.room == room]
        rows = [
            (
                f"`{model.name}`",
                model.description + ("" if model.is_kept else " (While building.)"),
                ", ".join(f"`{c}`" for c in model.key),
            )
            for model in sorted(found, key=lambda model: model.name)
        ]
        yield from table(("table", "what it holds", "key"), rows)
        yield ""


def _summary(thing: type[object]) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


_BLOCKS: dict[str, Callable[[], Iterable[str]]] = {
    "commands": lambda: commands(table),
    "kinds": _kinds,
    "metrics": lambda: _definitions(("metrics",)),
    "records": _records,
    "settings": lambda: sections(table),
    "tables": _tables,
    "thresholds": lambda: _definitions(("core", "signals", "marts")),
}
_KIND_BLOCKS: dict[str, Callable[[type[Connector]], Iterable[str]]] = {
    "options": lambda connector: connection_settings(connector, table),
    "permissions": _permissions,
    "streams": _streams,
}


if __name__ == "__main__":
    for changed in write():
        sys.stdout.write(f"wrote {changed}\n")
