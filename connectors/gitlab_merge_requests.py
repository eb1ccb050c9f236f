"""Merge requests of GitLab: listed by REST in the order of their update, detailed by GraphQL.

The list gives what GraphQL lacks (squash commits) and what windows need; one question of GraphQL
adds commits, notes and lines touched for twenty. A GitLab that does not know the question is
asked by REST, two requests a merge request.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.clones import settled_marker
from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream, stable_mark
from connectors.gitlab_merge_mapping import (
    add_accounts,
    add_commits,
    add_reviews,
    change_request,
    merge_request_id,
    ready_time,
)
from connectors.gitlab_merge_pages import MergeRequestPages
from connectors.gitlab_merge_wire import (
    DETAILS,
    LISTED,
    MORE_COMMITS,
    MORE_NOTES,
    REST_COMMITS,
    REST_NOTES,
    CommitWire,
    MergeRequestWire,
    NotesWire,
    NoteWire,
)
from connectors.gitlab_options import GitlabOptions
from connectors.gitlab_people import UserWire
from connectors.gitlab_projects import ProjectWire, project_scopes
from connectors.gitlab_rest import Listed, by_time
from connectors.reading import Reader, dig, moment_of
from connectors.records import Account, ChangeRequest, ChangeRequestCommit, Record, Review
from connectors.snapshots import state_on_last

OVERLAP_SECONDS = 300


def requests_probed(_: ProjectWire, probe: Mapping[str, Any]) -> tuple[Any, datetime | None]:
    """Number and newest update of a project's merge requests."""
    count = dig(probe, "mergeRequests", "count")
    nodes = dig(probe, "mergeRequests", "nodes")
    if count is None or not isinstance(nodes, list):
        return None, None
    shown = [[dig(node, "id"), dig(node, "updatedAt")] for node in nodes]
    moments = [at for _, text in shown if (at := moment_of(text)) is not None]
    return [count, shown], max(moments, default=None)


class ChangeRequestsStream(Stream):
    """Merge requests with commits, approvals, comments and the times they became ready."""

    name = "change_requests"
    record_types: ClassVar[tuple[type[Record], ...]] = (
        ChangeRequest,
        ChangeRequestCommit,
        Review,
        Account,
    )
    parent: ClassVar[str | None] = "repositories"

    def __init__(self, options: GitlabOptions) -> None:
        self._start = options.start_date
        self._asks_graphql = True

    def scopes_in(self, line: Line, parsed: Parsed) -> Iterable[Scope]:
        """One scope a project that has merge requests switched on."""
        return project_scopes(
            line, parsed, requests_probed, lambda wire: wire.merge_requests_enabled is not False
        )

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """What was updated since the state's mark; nothing where the probe shows no change."""
        marker = scope.attributes.get("marker")
        if marker is not None and marker == state.marker:
            return
        since = datetime.fromisoformat(state.cursor) if state.cursor else None
        if since is None and self._start is not None:
            since = datetime(self._start.year, self._start.month, self._start.day, tzinfo=UTC)
        asked_at = pull.now()
        details = MergeRequestPages(pull, scope, asks_graphql=self._asks_graphql)
        path = f"projects/{scope.id}/merge_requests"
        held: Listed | None = None
        for part, reached in by_time(pull.client, path, {"scope": "all", "state": "all"}, since):
            if held is not None:
                yield from _kept(details, held, state)
            mark = stable_mark(reached, part.answer.requested_at, OVERLAP_SECONDS)
            held, state = part, State(cursor=mark or state.cursor)
        if held is not None:
            yield from _kept(
                details, held, State(cursor=state.cursor, marker=settled_marker(scope, asked_at))
            )
        self._asks_graphql = self._asks_graphql and details.asks_graphql

    def parse(self, line: Line) -> Parsed:
        """Merge requests, or more commits or notes of one of them."""
        parsed = Parsed()
        match line.attributes.get("holds"):
            case "details":
                _add_details(parsed, line)
            case "notes":
                _add_with_notes(parsed, line)
            case "more_notes":
                _add_more_notes(parsed, line, MORE_NOTES, bots_only=False)
            case "rest_notes":
                _add_more_notes(parsed, line, REST_NOTES, bots_only=True)
            case "more_commits":
                _add_more_commits(parsed, line, MORE_COMMITS)
            case "rest_commits":
                _add_more_commits(parsed, line, REST_COMMITS)
            case _:
                for wire in LISTED.read(line, parsed):
                    parsed.add(change_request(line, wire, None, None))
        return parsed


def _kept(details: MergeRequestPages, part: Listed, state: State) -> Iterator[Page]:
    """The pages of one part of the list, the last of them with the state."""
    pages = details.of(part.items) if part.items else iter([part.page()])
    yield from state_on_last(pages, lambda: state)


def _listed(parsed: Parsed, line: Line) -> list[MergeRequestWire]:
    """The merge requests of the list that a page carries with it."""
    carried = line.attributes.get("listed", "[]").encode()
    return LISTED.read(replace(line, body=carried), parsed)


def _add_details(parsed: Parsed, line: Line) -> None:
    nodes = {wire.iid: wire for wire in DETAILS.read(line, parsed)}
    ready: dict[str, str] = json.loads(line.attributes.get("ready", "{}"))
    users: list[UserWire | None] = []
    for wire in _listed(parsed, line):
        node = nodes.get(wire.iid)
        activity = _notes(node.activity) if node is not None else []
        later = moment_of(ready.get(str(wire.iid)))
        parsed.add(change_request(line, wire, node, ready_time(activity) or later))
        if node is None:
            continue
        key = merge_request_id(line, wire.id)
        notes = [*activity, *_notes(node.comments)]
        commits = (node.commits.nodes if node.commits is not None else None) or []
        newest = (node.commit_count or len(commits)) - 1
        add_reviews(parsed, line, key, notes, wire.updated_at)
        add_commits(parsed, key, commits, wire.updated_at, newest_position=newest)
        users += [node.author, node.merge_user, *(note.author for note in notes)]
    add_accounts(parsed, line, users, bots_only=False)


def _add_with_notes(parsed: Parsed, line: Line) -> None:
    notes = REST_NOTES.read(line, parsed)
    ready: dict[str, str] = json.loads(line.attributes.get("ready", "{}"))
    users: list[UserWire | None] = [note.author for note in notes]
    for wire in _listed(parsed, line):
        parsed.add(change_request(line, wire, None, moment_of(ready.get(str(wire.iid)))))
        add_reviews(parsed, line, merge_request_id(line, wire.id), notes, wire.updated_at)
        users += [wire.author, wire.merge_user or wire.merged_by]
    add_accounts(parsed, line, users, bots_only=True)


def _add_more_notes(
    parsed: Parsed, line: Line, reader: Reader[NoteWire], *, bots_only: bool
) -> None:
    notes = reader.read(line, parsed)
    key = merge_request_id(line, line.attributes["merge_request"])
    add_reviews(parsed, line, key, notes, moment_of(line.attributes["set_updated_at"]))
    add_accounts(parsed, line, [note.author for note in notes], bots_only=bots_only)


def _add_more_commits(parsed: Parsed, line: Line, reader: Reader[CommitWire]) -> None:
    commits = reader.read(line, parsed)
    add_commits(
        parsed,
        merge_request_id(line, line.attributes["merge_request"]),
        commits,
        moment_of(line.attributes["set_updated_at"]),
        newest_position=int(line.attributes["newest"]),
    )


def _notes(wire: NotesWire | None) -> list[NoteWire]:
    return (wire.nodes if wire is not None else None) or []
