"""What Jenkins does with `tree=`: the exact fields asked for, and ranges of lists."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"[^\[\]{},]+|[\[\]{},]")

# A thing as the controller has it: each field is worked out when it is asked for.
Exported = Mapping[str, Callable[[], Any]]


@dataclass
class Wanted:
    """One field of a tree: what is asked of it, and which part of a list."""

    fields: "dict[str, Wanted]"
    span: tuple[int, int] | None = None


class TreeError(ValueError):
    """A tree that cannot be read."""


def parse_tree(text: str) -> dict[str, Wanted]:
    """The fields of `a,b[c,d[e]]{0,10}`."""
    tokens = _TOKEN.findall(text)
    fields, left = _fields(tokens)
    if left:
        raise TreeError(f"unexpected {left[0]}")
    return fields


def _fields(tokens: list[str]) -> tuple[dict[str, Wanted], list[str]]:
    found: dict[str, Wanted] = {}
    while tokens and tokens[0] != "]":
        name, tokens = tokens[0].strip(), tokens[1:]
        wanted = Wanted({})
        if tokens and tokens[0] == "[":
            wanted.fields, tokens = _fields(tokens[1:])
            if not tokens:
                raise TreeError("a bracket is open")
            tokens = tokens[1:]
        if tokens and tokens[0] == "{":
            if len(tokens) < 5 or tokens[2] != "," or tokens[4] != "}":
                raise TreeError("a range has a start and an end")
            wanted.span = int(tokens[1]), int(tokens[3])
            tokens = tokens[5:]
        found[name] = wanted
        if tokens and tokens[0] == ",":
            tokens = tokens[1:]
    return found, tokens


def pruned(value: Any, wanted: Mapping[str, Wanted]) -> Any:
    """A value with only what is asked for; fields that it does not have stay away."""
    if isinstance(value, list):
        return [pruned(each, wanted) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {}
    for name, inside in wanted.items():
        if name not in value:
            continue
        field = value[name]
        field = field() if callable(field) else field
        if inside.span is not None and isinstance(field, list):
            field = field[inside.span[0] : inside.span[1]]
        found[name] = pruned(field, inside.fields)
    return found
