"""The pages that tell all of listed merge requests: by GraphQL, or by REST where that fails.

Each page carries the items of the list that it details, so that a page alone makes whole records.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.connector import Page, Pull, Scope, SourceError
from connectors.gitlab_graphql import Asker, UnknownFieldError
from connectors.gitlab_merge_mapping import is_ready_note
from connectors.gitlab_merge_queries import DETAILS_QUERY, LISTS, MORE_QUERIES
from connectors.gitlab_merge_wire import MergeRequestWire
from connectors.gitlab_rest import Listed, listed
from connectors.graphql import HeavyQueryError, Told
from connectors.reading import dig

_AT_ONCE = 20
_FIELDS = tuple(MergeRequestWire.model_fields)

Item = Mapping[str, Any]


class MergeRequestPages:
    """Makes the pages of one project's merge requests.

    `asks_graphql` becomes false once this GitLab has shown that it does not know the question.
    """

    def __init__(self, pull: Pull, scope: Scope, *, asks_graphql: bool) -> None:
        self.asks_graphql = asks_graphql
        self._client = pull.client
        self._scope = scope
        self._asker = Asker(pull.client, _AT_ONCE)

    def of(self, items: Sequence[Item]) -> Iterator[Page]:
        """All pages of these merge requests, as many at once as GitLab manages."""
        left = list(items)
        while left:
            some = left[: self._asker.size]
            if not self.asks_graphql:
                yield from self._by_rest(left.pop(0))
                continue
            numbers = [str(item.get("iid")) for item in some]
            asked = {"path": self._scope.attributes["full_path"], "iids": numbers}
            try:
                told = self._asker.try_size(DETAILS_QUERY, {**asked, "first": len(some)})
            except UnknownFieldError:
                self.asks_graphql = False
                continue
            except HeavyQueryError:
                yield from self._by_rest(left.pop(0))
                continue
            if told is not None:
                yield from self._by_graphql(told, some)
                left = left[len(some) :]

    def _by_graphql(self, told: Told, items: Sequence[Item]) -> Iterator[Page]:
        nodes = dig(told.data, "project", "mergeRequests", "nodes")
        if not isinstance(nodes, list):
            raise SourceError(
                f"{self._asker.url}: expected the merge requests of "
                f"{self._scope.attributes['full_path']}, found none; it has moved or gone since "
                "projects were listed, or the token lacks the role Reporter in it"
            )
        by_number = {str(item.get("iid")): item for item in items}
        more: list[Page] = []
        ready: dict[str, str] = {}
        for node in nodes:
            item = by_number.get(str(dig(node, "iid")))
            if item is None:
                continue
            for name in LISTS:
                pages, moment = self._more(told, node, item, name)
                more += pages
                if moment is not None:
                    ready[str(item["iid"])] = moment
        url = f"{self._asker.url}#merge_requests:{self._scope.id}:{items[0].get('iid')}"
        yield told.page(url, items=len(items), attributes=_attributes("details", items, ready))
        yield from more

    def _more(self, told: Told, node: Item, item: Item, name: str) -> tuple[list[Page], str | None]:
        """The rest of a list of one merge request, and when it says that a draft became ready."""
        pages: list[Page] = []
        moment: str | None = None
        before = len(dig(node, name, "nodes") or ())
        place = dig(node, name, "pageInfo") or {}
        while place.get("hasNextPage"):
            after = place.get("endCursor")
            asked = {"path": self._scope.attributes["full_path"], "iid": str(item["iid"])}
            rest = self._asker.ask(MORE_QUERIES[name], {**asked, "after": after})
            found = dig(rest.data, "project", "mergeRequest", LISTS[name])
            nodes = dig(found, "nodes") or []
            moment = moment or _ready_among(nodes, "createdAt")
            pages.append(
                rest.page(
                    f"{self._asker.url}#{name}:{self._scope.id}:{item['iid']}:after={after}",
                    set_at=told.answer.requested_at,
                    attributes={
                        **_of_set(f"more_{LISTS[name]}", item),
                        "newest": str((node.get("commitCount") or before) - 1 - before),
                    },
                )
            )
            before += len(nodes)
            place = dig(found, "pageInfo") or {}
        return pages, moment

    def _by_rest(self, item: Item) -> Iterator[Page]:
        """One merge request by its lists of notes and commits."""
        path = f"projects/{self._scope.id}/merge_requests/{item.get('iid')}"
        notes = list(listed(self._client, f"{path}/notes", {"sort": "asc"}))
        commits = list(listed(self._client, f"{path}/commits"))
        found = [_ready_among(part.items, "created_at") for part in notes]
        ready = {str(item.get("iid")): moment for moment in found if moment is not None}
        first = notes[0]
        yield first.page(items=1, attributes=_attributes("notes", [item], ready))
        for part in notes[1:]:
            yield self._rest(part, first, _of_set("rest_notes", item))
        before = 0
        count = sum(len(part.items) for part in commits)
        for part in commits:
            newest = {"newest": str(count - 1 - before)}
            yield self._rest(part, first, {**_of_set("rest_commits", item), **newest})
            before += len(part.items)

    def _rest(self, part: Listed, first: Listed, attributes: Mapping[str, str]) -> Page:
        return part.page(items=0, set_at=first.answer.requested_at, attributes=attributes)


def _attributes(holds: str, items: Sequence[Item], ready: Mapping[str, str]) -> dict[str, str]:
    """What a page carries of the list, and what its overflow told of drafts becoming ready."""
    told = [{name: item[name] for name in _FIELDS if name in item} for item in items]
    return {"holds": holds, "listed": json.dumps(told), "ready": json.dumps(ready)}


def _of_set(holds: str, item: Item) -> dict[str, str]:
    """What a page of overflow carries of the merge request whose sets it completes."""
    return {
        "holds": holds,
        "merge_request": str(item.get("id")),
        "set_updated_at": str(item.get("updated_at") or ""),
    }


def _ready_among(notes: Sequence[Any], name: str) -> str | None:
    """The time of the first of the notes that says a draft became ready."""
    times = [
        str(note.get(name))
        for note in notes
        if isinstance(note, dict) and is_ready_note(note.get("body")) and note.get(name)
    ]
    return min(times, default=None)
