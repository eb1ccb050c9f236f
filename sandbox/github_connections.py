"""GraphQL connections: a slice of a list, with cursors that survive what happens meanwhile."""

import base64
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.github_query import FieldError

Key = tuple[float, int]


@dataclass(slots=True)
class Connection:
    """One page of a list: items, and how to name the place of each."""

    items: list[Any]
    total: int
    start: int  # place of the first item in the whole list
    key: Callable[[Any], Key] | None
    extra: dict[str, Any] = field(default_factory=dict)

    def cursor(self, index: int) -> str:
        """The cursor of an item of this page."""
        place = self.key(self.items[index]) if self.key else (0.0, self.start + index)
        return base64.b64encode(b"cursor:v2:" + json.dumps(place).encode()).decode()

    def page_info(self) -> dict[str, Any]:
        """Where the page begins and ends."""
        return {
            "startCursor": self.cursor(0) if self.items else None,
            "endCursor": self.cursor(len(self.items) - 1) if self.items else None,
            "hasNextPage": self.start + len(self.items) < self.total,
            "hasPreviousPage": self.start > 0,
        }


def connect(
    items: Sequence[Any],
    arguments: Mapping[str, Any],
    key: Callable[[Any], Key] | None = None,
    **extra: Any,
) -> Connection:
    """The part of a list that `first` or `last`, and `after`, ask for.

    With a `key`, by which the list must be ascending, a cursor names a place between items;
    without one it counts items.
    """
    begin = _begin(items, arguments["after"], key) if arguments.get("after") else 0
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None:
        chosen, start = list(items[begin : begin + first]), begin
    else:
        start = max(begin, len(items) - (last or 0))
        chosen = list(items[start:])
    return Connection(chosen, len(items), start, key, extra)


def by_time(name: str, *, is_descending: bool) -> Callable[[Any], Key]:
    """The key of things ordered by one of their times and their id."""
    sign = -1 if is_descending else 1

    def key(thing: Any) -> Key:
        at: datetime = getattr(thing, name)
        return (sign * at.timestamp(), sign * thing.id)

    return key


def _begin(items: Sequence[Any], cursor: str, key: Callable[[Any], Key] | None) -> int:
    try:
        place = json.loads(base64.b64decode(cursor, validate=True).removeprefix(b"cursor:v2:"))
        time, number = float(place[0]), int(place[1])
    except (ValueError, IndexError, TypeError, KeyError) as error:
        message = f"`{cursor}` does not appear to be a valid cursor."
        raise FieldError(message, "INVALID_CURSOR_ARGUMENTS") from error
    return bisect_right(items, (time, number), key=key) if key else number + 1
