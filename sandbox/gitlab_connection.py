"""Lists of GitLab's GraphQL, cut into pages."""

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.gitlab_protocol import LARGEST_PAGE

Fields = dict[str, Any]


def connection(items: Sequence[Any], show: Callable[[Any], Fields], arguments: Fields) -> Fields:
    """A page of a list; cursors are offsets."""
    start = int(arguments.get("after") or 0)
    size = min(LARGEST_PAGE, arguments.get("first") or LARGEST_PAGE)
    end = start + size
    return {
        "count": len(items),
        "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(min(end, len(items)))},
        "nodes": [show(each) for each in items[start:end]],
    }
