"""The command line as Markdown, read from the commands themselves."""

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer.main
from typer.core import TyperArgument

from pipelines.cli import app
from pipelines.documentation_settings import Table


def commands(table: Table) -> Iterator[str]:
    """Every command in the order of `leadline --help`, with arguments and options."""
    group: Any = typer.main.get_command(app)
    yield from ["## Before any command", "", *_parameters(group.params, table)]
    for name, command in group.commands.items():
        yield from [f"## leadline {name}", "", inspect.cleandoc(command.help or ""), ""]
        yield from _parameters(command.params, table)


def _parameters(parameters: list[Any], table: Table) -> Iterator[str]:
    rows = [(_spelling(each), each.help or "", _shown(each)) for each in parameters]
    if rows:
        yield from [*table(("argument or option", "meaning", "default"), rows), ""]


def _spelling(parameter: Any) -> str:
    if isinstance(parameter, TyperArgument):
        told = parameter.metavar or parameter.name.upper()
        return f"`{told}`" if parameter.required else f"`[{told}…]`"
    value = "" if _is_switch(parameter) else f" {parameter.metavar or _value(parameter.opts[0])}"
    spellings = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{each}{value}`" for each in spellings)


def _value(option: str) -> str:
    last = option.rpartition("-")[2].upper()
    return "FILE" if last == "OUTPUT" else last


def _is_switch(parameter: Any) -> bool:
    return bool(parameter.is_flag) or isinstance(parameter.default, bool)


def _shown(parameter: Any) -> str:
    default = parameter.default
    if parameter.required:
        return "required"
    if parameter.secondary_opts:
        return f"`{(parameter.opts if default else parameter.secondary_opts)[0]}`"
    if default is None or _is_switch(parameter):
        return ""
    return f"`{default.value if isinstance(default, Enum) else default}`"
