"""Find the pages: every module in `views/` that declares what a navigation needs."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

GROUPS = ("Verdict", "Thresholds", "Measure", "Platform", "Trust")
"""The groups of the sidebar in their order; others come last."""

_DECLARED = {"TITLE": str, "ICON": str, "GROUP": str, "ORDER": int}


@dataclass(frozen=True, kw_only=True)
class View:
    """A page as its module declares it."""

    path: Path
    title: str
    icon: str
    group: str
    order: int
    is_first: bool


@cache
def found(folder: Path) -> tuple[View, ...]:
    """Return the views of a folder in their order, read without running them."""
    declared = [
        (path, _declarations(path))
        for path in sorted(folder.glob("*.py"))
        if not path.name.startswith("_")
    ]
    declared.sort(key=lambda pair: (_rank(pair[1]["GROUP"]), pair[1]["ORDER"], pair[0].name))
    return tuple(
        View(
            path=path,
            title=values["TITLE"],
            icon=values["ICON"],
            group=values["GROUP"],
            order=values["ORDER"],
            is_first=index == 0,
        )
        for index, (path, values) in enumerate(declared)
    )


def _rank(group: str) -> int:
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)


def _declarations(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in _DECLARED and isinstance(node.value, ast.Constant):
                values[name] = node.value.value
    for name, kind in _DECLARED.items():
        if not isinstance(values.get(name), kind):
            raise ValueError(f"{path}: a view declares {name} as a constant {kind.__name__}")
    return values
