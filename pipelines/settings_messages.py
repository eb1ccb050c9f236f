"""Messages about wrong settings: what is wrong, at which key and line, and what to write."""

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipelines.settings_checks import Location, SettingsConflictError

_SECRET = re.compile(r"token|secret|password|private_key", re.IGNORECASE)
# What pydantic finds wrong, in the words of someone who writes TOML.
_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_inexact": "a date like 2026-01-31",
    "date_from_datetime_parsing": "a date like 2026-01-31",
    "date_parsing": "a date like 2026-01-31",
    "date_type": "a date like 2026-01-31",
    "dict_type": "a table, [name] or { … }",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list, [ … ]",
    "model_type": "a table, [name] or { … }",
    "path_type": "a path in quotes",
    "string_type": "text in quotes",
    "time_parsing": 'a time like "09:00"',
    "time_type": 'a time like "09:00"',
    "tuple_type": "a list, [ … ]",
}
_LIMITS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def messages(
    error: ValidationError,
    model: type[BaseModel],
    prefix: Location,
    text: str,
    path: Path,
) -> Iterator[str]:
    """One line for each problem: file, line, key, what is wrong and what to write."""
    for problem in error.errors():
        location = tuple(problem["loc"])
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, SettingsConflictError):
            location += cause.location
        yield at((*prefix, *location), _explain(problem, model, (*prefix, *location)), text, path)


def at(location: Location, message: str, text: str, path: Path) -> str:
    """A message that names file, line and key."""
    return f"{path}:{line_of(location, text)}: {_dotted(location)}: {message}"


def suggestion(wrong: str, known: list[str], *, cutoff: float = 0.6) -> str:
    """The nearest known name as a question, or the list of known names."""
    near = difflib.get_close_matches(wrong.lower(), known, 1, cutoff=cutoff)
    return f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known) or 'none'}"


def _dotted(location: Location) -> str:
    """A key as people write it: services[2].name, counted from 1."""
    dotted = ""
    for part in location:
        dotted += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return dotted.removeprefix(".") or "settings"


def _explain(problem: Any, model: type[BaseModel], location: Location) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _unknown(problem["loc"], model)
    if kind == "missing":
        return "this setting is required"
    if kind == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    if kind in {"too_short", "string_too_short"}:
        return "must not be empty"
    return f"must be {_expected(problem)}{_found(problem['input'], location)}"


def _expected(problem: Any) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        return f"{words} {context[name]:g}"
    if kind == "literal_error":
        # Texts stand in quotes, numbers bare.
        allowed = re.findall(r"'([^']*)'|(\d+)", context["expected"])
        return f"one of {', '.join(text or number for text, number in allowed)}"
    return str(problem["msg"]).removeprefix("Input should be ")


def _unknown(location: Location, model: type[BaseModel]) -> str:
    known = list(_fields_at(model, location[:-1]))
    return f"no such setting; {suggestion(str(location[-1]), known, cutoff=0.5)}"


def _found(value: object, location: Location) -> str:
    """What stands there, unless it may be a secret or is too large to show."""
    is_secret = any(_SECRET.search(str(part)) for part in location) or "@" in str(value)
    if is_secret or isinstance(value, dict | list):
        return ""
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    return f", not {shown[:60]}"


def _fields_at(model: Any, location: Location) -> dict[str, Any]:
    """The settings that may stand at this place below a model."""
    for part in location:
        fields = getattr(model, "model_fields", {})
        if isinstance(part, str) and part in fields:
            model = model_of(fields[part].annotation)
    return dict(getattr(model, "model_fields", {}))


def model_of(annotation: Any) -> Any:
    """The model inside an annotation (`tuple[Service, ...]`, `Secret | None`), or itself."""
    if get_origin(annotation) is None:
        return annotation
    if get_origin(annotation) is Annotated:
        return model_of(get_args(annotation)[0])
    for argument in get_args(annotation):
        model = model_of(argument)
        if isinstance(model, type) and issubclass(model, BaseModel):
            return model
    return annotation


def line_of(location: Location, text: str) -> int:
    """The line where a key of the document stands, or its nearest table above; from 1."""
    best, depth = 1, 0
    table: Location = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if array := re.fullmatch(r"\[\[(.+?)\]\]\s*(?:#.*)?", stripped):
            names = _names(array.group(1))
            counts[names] = counts.get(names, -1) + 1
            table = (*names, counts[names])
            here = table
        elif header := re.fullmatch(r"\[(.+?)\]\s*(?:#.*)?", stripped):
            table = _names(header.group(1))
            here = table
        elif key := re.match(r"""((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[\w-]+)*)\s*=""", stripped):
            here = (*table, *_names(key.group(1)))
        else:
            continue
        if here == location[: len(here)] and len(here) > depth:
            best, depth = number, len(here)
    return best


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
