"""Lists of a project that GitLab orders by the time of update: how a pass walks them.

Every page moves the mark. The newest items are listed again by the next pull, because it begins a
little before the mark; a page that shows nothing but what was shown before is not kept again. A
list whose probe shows what it showed at the end of the last pass costs no request.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from connectors.clones import settled_marker
from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream, stable_mark
from connectors.gitlab_names import account_id, is_ghost
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_projects import ProjectWire, project_scopes
from connectors.gitlab_rest import Listed, by_time
from connectors.reading import Wire, dig, moment_of
from connectors.snapshots import state_on_last

OVERLAP_SECONDS = 300


class UserWire(Wire):
    """Who did something; null, or a user named so, stands for a deleted one (ghost)."""

    id: int
    username: str | None = None
    name: str | None = None


def actor(line: Line, wire: UserWire | None) -> str | None:
    """The account of a user; None for nobody and for the ghost of all who were deleted."""
    if wire is None or is_ghost(wire.username, wire.name):
        return None
    return account_id(line.connection, wire.id)


class Seen(BaseModel):
    """What `State.marker` holds: items after the mark, and what the probe showed.

    `is_blind` says that the probe cannot see all changes of this list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[tuple[int | str | None, str | None], ...] = ()
    probe: str | None = None
    is_blind: bool = False


class ProjectChild(Stream):
    """A stream that is pulled project by project, where the project has its feature on."""

    parent: ClassVar[str | None] = "repositories"
    # The field of a project that says whether the feature is on.
    feature: ClassVar[str]
    # The list of GraphQL whose probe shows changes of this stream; None: none does.
    probed: ClassVar[str | None] = None

    def __init__(self, options: GitlabOptions, *, is_wanted: bool = True) -> None:
        self.options = options
        self.is_wanted = is_wanted

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a project, none where the settings leave this stream out."""
        return project_scopes(line, parsed, self._marker, self._is_open) if self.is_wanted else ()

    def _is_open(self, wire: ProjectWire) -> bool:
        return bool(getattr(wire, self.feature) != "disabled")

    def _marker(self, _: ProjectWire, probe: Mapping[str, Any]) -> tuple[Any, datetime | None]:
        """What the probe shows of the list; None where it shows nothing, or only a part."""
        if self.probed is None:
            return None, None
        count, nodes = (dig(probe, self.probed, name) for name in ("count", "nodes"))
        if count is None or not isinstance(nodes, list):
            return None, None
        is_window = self.probed == "pipelines"
        if is_window and count > len(nodes):
            return None, None
        times = [moment_of(dig(one, "updatedAt") or dig(one, "createdAt")) for one in nodes]
        newest = max((at for at in times if at is not None), default=None)
        return [count, nodes, *([probe.get("since")] if is_window else [])], newest


class TimedList(ProjectChild):
    """A stream over one list of a project."""

    path: ClassVar[str]
    params: ClassVar[Mapping[str, str]] = {}

    def describing(self, pull: Pull, scope: Scope) -> Callable[[Listed], Mapping[str, str]]:  # noqa: ARG002
        """What a page is kept with, worked out as pages come."""
        return lambda _: {}

    def more(self, pull: Pull, scope: Scope, page: Page, item: Mapping[str, Any]) -> Iterable[Page]:  # noqa: ARG002
        """The pages with what an item of a page has elsewhere."""
        return ()

    def is_blind(self, item: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Whether an item shows that this list changes without the probe."""
        return False

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The list since the state's mark, oldest change first."""
        seen = Seen.model_validate_json(state.marker) if state.marker else Seen()
        probe = scope.attributes.get("marker")
        if probe is not None and probe == seen.probe:
            return
        asked_at = pull.now()
        describe = self.describing(pull, scope)
        since = datetime.fromisoformat(state.cursor) if state.cursor else self._start()
        before = seen.model_copy(update={"probe": None})
        held: tuple[Listed, State, list[Any]] | None = None
        path = f"projects/{scope.id}/{self.path}"
        for part, reached in by_time(pull.client, path, self.params, since):
            if held is not None and held[2]:
                yield from self._kept(pull, scope, describe, held)
            mark = stable_mark(reached, part.answer.requested_at, OVERLAP_SECONDS) or state.cursor
            fresh, before = self._moved(part, before, mark)
            after = State(cursor=mark, marker=before.model_dump_json())
            held = part, after, fresh
        settled = None if before.is_blind else settled_marker(scope, asked_at)
        if held is not None and (held[2] or settled is not None):
            ended = before.model_copy(update={"probe": settled})
            after = held[1].model_copy(update={"marker": ended.model_dump_json()})
            yield from self._kept(pull, scope, describe, (held[0], after, held[2]))

    def _moved(self, part: Listed, before: Seen, mark: str | None) -> tuple[list[Any], Seen]:
        """The items of a page that were not seen before, and all that are seen after the mark."""
        known = set(before.items)
        shown = [(item.get("id"), item.get("updated_at")) for item in part.items]
        fresh = [item for item, one in zip(part.items, shown, strict=True) if one not in known]
        after = sorted({one for one in {*known, *shown} if _is_after(one[1], mark)}, key=str)
        is_blind = before.is_blind or any(map(self.is_blind, fresh))
        return fresh, Seen(items=tuple(after), is_blind=is_blind)

    def _kept(
        self,
        pull: Pull,
        scope: Scope,
        describe: Callable[[Listed], Mapping[str, str]],
        held: tuple[Listed, State, list[Any]],
    ) -> Iterator[Page]:
        """A part of the list with what its items have elsewhere, the last page with the state."""
        part, after, fresh = held
        page = part.page(attributes=describe(part), items=len(fresh))

        def pages() -> Iterator[Page]:
            yield page
            for item in fresh:
                yield from self.more(pull, scope, page, item)

        yield from state_on_last(pages(), after.model_copy)

    def _start(self) -> datetime | None:
        start = self.options.start_date
        return None if start is None else datetime(start.year, start.month, start.day, tzinfo=UTC)


def _is_after(text: Any, mark: str | None) -> bool:
    at = moment_of(text)
    return mark is None or at is None or at >= datetime.fromisoformat(mark)
