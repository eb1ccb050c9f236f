"""Lists of a repository that GitHub's GraphQL gives page by page: how a pass walks them.

Without a floor a pass runs oldest first, and each page moves the mark. With a floor (the mark of
the last pass, or the start date) it runs newest first down to the floor; then the mark moves only
when the pass is complete. Cursors of GitHub name an item, not an offset: pages do not drift.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from connectors.clones import settled_marker
from connectors.connector import Page, Pull, Scope, SourceError, State, stable_mark
from connectors.failures import NotFoundError
from connectors.github_graphql import Asker, StaleCursorError
from connectors.github_probes import RepositoryChild, is_unchanged, start_of
from connectors.graphql import Told
from connectors.reading import dig, moment_of
from connectors.snapshots import state_on_last

OVERLAP_SECONDS = 300


class Walk(BaseModel):
    """Where a pass stands: what `State.resume` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    direction: Literal["ASC", "DESC"]
    floor: datetime | None = None
    after: str | None = None
    newest: datetime | None = None
    unfinished: datetime | None = None
    asked_at: datetime | None = None


class RepositoryList(RepositoryChild):
    """A stream over one list of a repository."""

    query: ClassVar[str]
    connection: ClassVar[str]  # the list's name in the payload
    moment: ClassVar[str]  # the time the list is ordered by
    largest: ClassVar[int] = 50
    # The list takes a `since`: passes run oldest first from the floor.
    has_since: ClassVar[bool] = False

    def unfinished_since(self, node: Mapping[str, Any], now: datetime) -> datetime | None:  # noqa: ARG002
        """When an item that will still change was made; the next pass goes back to it."""
        return None

    def overflow(self, asker: Asker, scope: Scope, told: Told, node: Any) -> Iterable[Page]:  # noqa: ARG002
        """The pages with what of an item did not fit on its own page."""
        return ()

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The list since the state's mark; nothing when the probe shows no change."""
        if is_unchanged(scope, state):
            return
        if state.resume is not None:
            walk = Walk.model_validate_json(state.resume)
        else:
            floor = datetime.fromisoformat(state.cursor) if state.cursor else None
            floor = floor or start_of(self.options)
            is_rising = floor is None or self.has_since
            walk = Walk(direction="ASC" if is_rising else "DESC", floor=floor)
        asker = Asker(pull.client, self.largest)
        while True:
            try:
                told = self._ask(asker, scope, walk)
            except StaleCursorError:
                if walk.after is None:
                    raise
                walk = walk.model_copy(update={"after": None})
                continue
            nodes = [node for node in _nodes(told, self.connection, asker.url) if node]
            url = f"{asker.url}#{self.name}:{scope.id}:{walk.direction}:after={walk.after or ''}"
            place = dig(told.data, "node", self.connection, "pageInfo") or {}
            walk = self._moved(walk, told, nodes, place)
            is_last = not place.get("hasNextPage") or self._is_past(walk, nodes)
            after = self._state(scope, state, walk, is_last=is_last)
            pages = self._with_overflow(asker, scope, told, nodes, url)
            yield from state_on_last(pages, partial(State.model_copy, after))
            if is_last:
                return
            state = after

    def _ask(self, asker: Asker, scope: Scope, walk: Walk) -> Told:
        variables: dict[str, Any] = {"id": scope.attributes["node_id"], "after": walk.after}
        if self.has_since:
            variables["since"] = walk.floor.isoformat() if walk.floor is not None else None
        else:
            variables["direction"] = walk.direction
        told = asker.ask_sized(self.query, variables)
        if told.data.get("node") is None:
            raise NotFoundError(
                f"{asker.url}: the repository {scope.attributes['full_name']} is not there any "
                "more, or the token may not know of it"
            )
        return told

    def _with_overflow(
        self, asker: Asker, scope: Scope, told: Told, nodes: Sequence[Any], url: str
    ) -> Iterator[Page]:
        yield told.page(url, items=len(nodes))
        for node in nodes:
            yield from self.overflow(asker, scope, told, node)

    def _moved(
        self, walk: Walk, told: Told, nodes: Sequence[Any], place: Mapping[str, Any]
    ) -> Walk:
        asked_at = walk.asked_at or told.answer.requested_at
        moments = self._moments(nodes)
        unfinished = [self.unfinished_since(node, told.answer.requested_at) for node in nodes]
        return walk.model_copy(
            update={
                "after": place.get("endCursor"),
                "newest": max([*moments, *([walk.newest] if walk.newest else [])], default=None),
                "unfinished": min(
                    [time for time in [*unfinished, walk.unfinished] if time is not None],
                    default=None,
                ),
                # A list that runs towards the present is complete up to its last request, one
                # that runs back from it up to its first.
                "asked_at": asked_at if walk.direction == "DESC" else told.answer.requested_at,
            }
        )

    def _is_past(self, walk: Walk, nodes: Sequence[Any]) -> bool:
        moments = self._moments(nodes)
        if walk.direction == "ASC" or walk.floor is None or not moments:
            return False
        return min(moments) < walk.floor

    def _moments(self, nodes: Sequence[Any]) -> list[datetime]:
        return [at for node in nodes if (at := moment_of(node.get(self.moment))) is not None]

    def _state(self, scope: Scope, state: State, walk: Walk, *, is_last: bool) -> State:
        cursor = state.cursor
        if walk.asked_at is not None and (is_last or walk.direction == "ASC"):
            cursor = stable_mark(walk.newest, walk.asked_at, OVERLAP_SECONDS) or cursor
            if cursor is not None and walk.unfinished is not None:
                overlapped = walk.unfinished - timedelta(seconds=OVERLAP_SECONDS)
                cursor = min(datetime.fromisoformat(cursor), overlapped).isoformat()
        if not is_last:
            return State(cursor=cursor, resume=walk.model_dump_json(exclude_none=True))
        asked_at = walk.asked_at
        return State(cursor=cursor, marker=settled_marker(scope, asked_at) if asked_at else None)


def _nodes(told: Told, connection: str, url: str) -> Sequence[Any]:
    nodes = dig(told.data, "node", connection, "nodes")
    if not isinstance(nodes, list):
        raise SourceError(
            f"{url}: expected a list at data.node.{connection}.nodes, found "
            f"{type(nodes).__name__}; the token may lack the permission for it"
        )
    return nodes


def more_pages(
    asker: Asker,
    told: Told,
    query: str,
    *,
    node: Mapping[str, Any],
    name: str,
    attributes: Mapping[str, str],
) -> Iterator[Page]:
    """The rest of a list inside an item, joined to the page that holds its beginning."""
    inner = node.get(name)
    before = len(dig(inner, "nodes") or ())
    place = dig(inner, "pageInfo") or {}
    while place.get("hasNextPage"):
        after = place.get("endCursor")
        more = asker.ask(query, {"id": node["id"], "after": after})
        rest = dig(more.data, "node", name)
        nodes = dig(rest, "nodes") or ()
        yield more.page(
            f"{asker.url}#{name}:{node['id']}:after={after}",
            items=len(nodes),
            set_at=told.answer.requested_at,
            attributes={
                **attributes,
                "part": name,
                "before": str(before),
                "set_updated_at": node.get("updatedAt") or "",
            },
        )
        before += len(nodes)
        place = dig(rest, "pageInfo") or {}
