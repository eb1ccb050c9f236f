"""Path patterns as regular expressions: `*` within a folder, `**/` any folders, `{a,b}` either."""

import re
from collections.abc import Iterable
from functools import cache

_DEPTH = 4


def expression(globs: Iterable[str]) -> str:
    """One anchored expression that takes a path if any of the patterns does; case counts not."""
    return _joined(frozenset(globs))


@cache
def _joined(globs: frozenset[str]) -> str:
    return "(?i)^(?:" + "|".join(sorted({_translated(glob) for glob in globs})) + ")$"


def _translated(glob: str) -> str:
    parts = []
    at = 0
    depth = 0
    while at < len(glob):
        sign = glob[at]
        if glob.startswith("**/", at):
            parts.append("(?:[^/]+/)*")
            at += 3
            continue
        if glob.startswith("**", at):
            parts.append(".*")
            at += 2
            continue
        if sign == "{" and depth < _DEPTH:
            parts.append("(?:")
            depth += 1
        elif sign == "}" and depth:
            parts.append(")")
            depth -= 1
        elif sign == "," and depth:
            parts.append("|")
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)))
        at += 1
    if depth:
        raise ValueError(f'the pattern "{glob}" opens a {{ that it does not close')
    return "".join(parts)
