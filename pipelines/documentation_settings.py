"""The settings as tables of Markdown: key, meaning, type, default."""

import types
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connectors.connector import ConnectionOptions, Connector, kinds
from connectors.secret import Secret
from pipelines.example_settings import toml
from pipelines.settings import Settings
from pipelines.settings_messages import model_of

Table = Callable[[tuple[str, ...], Sequence[tuple[str, ...]]], list[str]]

_TITLES = ("key", "meaning", "type", "default")
_WORDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    date: "date",
    time: "time of day",
    Path: "path",
    Secret: "secret",
}
_PLURALS = {"table": "tables", "path": "paths", "date": "dates", "time of day": "times of day"}
_SCHEDULE = (
    "`schedule`",
    "cron of its pulls, where `operation.sync_schedule` does not suit",
    "text",
    "none",
)


def sections(table: Table) -> Iterator[str]:
    """Every section of the settings; connections by kind."""
    for name, field in Settings.model_fields.items():
        model = model_of(field.annotation)
        if name == "connections":
            yield from _connections(table)
        elif _is_model(model):
            is_array = not isinstance(field.default, BaseModel)
            yield from _section(name, model, table, is_array=is_array)
        else:
            yield from ["## At the top of the file", "", *table(_TITLES, [_row(name, field)]), ""]


def connection_settings(connector: type[Connector], table: Table) -> Iterator[str]:
    """What a kind of connection adds to what every connection has."""
    options = connector.options_type
    common = ConnectionOptions.model_fields
    own = {name: field for name, field in options.model_fields.items() if name not in common}
    yield from table(_TITLES, [_row(name, field) for name, field in own.items()])
    for name, field in own.items():
        model = model_of(field.annotation)
        if not _is_model(model):
            continue
        is_array = get_origin(field.annotation) in {tuple, list}
        path = f"connections.{connector.kind}.{name}"
        place = f"`[[{path}]]`" if is_array else f"`{name} = {{ … }}`"
        rows = [_row(inner, each) for inner, each in model.model_fields.items()]
        yield from ["", f"Within {place}:", "", *table(_TITLES, rows)]


def _connections(table: Table) -> Iterator[str]:
    common = [_row(name, field) for name, field in ConnectionOptions.model_fields.items()]
    yield from ["## Every connection: `[connections.NAME]`", ""]
    yield '`NAME` is the kind, or a name of your own beside `kind = "…"`.'
    yield ""
    known = ", ".join(f"`{kind}`" for kind in kinds())
    kind = ("`kind`", f"which connector: {known}", "text", "the connection's name")
    yield from [*table(_TITLES, [kind, _SCHEDULE, *common]), ""]
    for name, connector in kinds().items():
        yield from [f"## {connector.title}: `[connections.{name}]`", ""]
        yield from [*connection_settings(connector, table), ""]


def _section(path: str, model: type[BaseModel], table: Table, *, is_array: bool) -> Iterator[str]:
    yield f"## `[[{path}]]`" if is_array else f"## `[{path}]`"
    yield ""
    yield " ".join((model.__doc__ or "").split())
    yield ""
    arrays = {
        name: inner
        for name, field in model.model_fields.items()
        if _is_model(inner := model_of(field.annotation))
    }
    plain = {name: field for name, field in model.model_fields.items() if name not in arrays}
    yield from [*table(_TITLES, [_row(name, field) for name, field in plain.items()]), ""]
    for name, inner in arrays.items():
        yield from _section(f"{path}.{name}", inner, table, is_array=True)


def _is_model(model: object) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel) and model is not Secret


def _row(name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    return f"`{name}`", field.description or "", type_words(field.annotation), _default(field)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "as below"
    return "none" if value is None or value in ((), [], {}) else f"`{toml(value)}`"


def type_words(annotation: Any) -> str:
    """A type as someone who writes TOML says it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(arguments[0])
    if origin is Literal:
        return ", ".join(f'"{argument}"' for argument in arguments)
    if origin in {Union, types.UnionType}:
        return " or ".join(type_words(each) for each in arguments if each is not type(None))
    if origin in {list, tuple}:
        told = type_words(arguments[0])
        return f"list of {_PLURALS.get(told, told)}"
    return f"table of {type_words(arguments[1])}" if arguments else _WORDS.get(annotation, "table")
