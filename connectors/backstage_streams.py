"""What is pulled from a Backstage portal: the catalog, and the runs of templates."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import ValidationError

from connectors.answer import Answer
from connectors.backstage_mark import TaskMark, body_of, is_over, listed
from connectors.backstage_records import add_entity, add_finished_task, add_open_task
from connectors.backstage_wire import ENTITY_FIELDS, EntityWire, EventWire, TaskWire
from connectors.client import Client
from connectors.connector import Line, Page, Parsed, Pull, Scope, State, Stream
from connectors.failures import NotFoundError
from connectors.reading import Reader, load_json
from connectors.records import (
    Account,
    CatalogEntity,
    ScaffolderStep,
    ScaffolderTask,
    SelfServiceAction,
    Team,
    TeamMember,
)

ENTITIES = "api/catalog/entities/by-query"
TASKS = "api/scaffolder/v2/tasks"
ENTITIES_A_PAGE = 500
TASKS_A_PAGE = 50
_DIGEST = 12


class Entities(Stream):
    """Entities of the catalog: components, systems, resources, groups with members, users."""

    name = "entities"
    record_types = (CatalogEntity, Team, TeamMember, Account)

    _entities = Reader(EntityWire, ("items",), CatalogEntity)

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """All pages; of those a pull has seen before just as they are, none is given again.

        Entities have no time of change, so that every pull reads them all; the marker holds what
        each page looked like.
        """
        before = (state.marker or "").split()
        seen: list[str] = []
        cursor: str | None = None
        while True:
            asked: dict[str, Any] = {"limit": ENTITIES_A_PAGE, "fields": ",".join(ENTITY_FIELDS)}
            # Fields are asked for again with each cursor; the order is in it.
            asked |= {"cursor": cursor} if cursor else {"orderField": "metadata.uid,asc"}
            answer = pull.client.get(ENTITIES, asked)
            body = body_of(answer)
            items = listed(answer, body, "items")
            info = body.get("pageInfo")
            cursor = info.get("nextCursor") if isinstance(info, dict) else None
            seen.append(_digest(items))
            is_last = cursor is None
            is_known = before[len(seen) - 1 : len(seen)] == seen[-1:]
            if not is_known or (is_last and len(before) > len(seen)):
                yield Page(
                    url=f"{pull.client.url(ENTITIES)}#page={len(seen)}",
                    requested_at=answer.requested_at,
                    body=answer.body,
                    # A pass that is cut off begins anew: cursors do not outlive the server.
                    state=State(marker=" ".join(seen)) if is_last else None,
                    items=len(items),
                )
            if cursor is None:
                return

    def parse(self, line: Line) -> Parsed:
        """Entities, and the teams and accounts among them."""
        parsed = Parsed()
        for wire in self._entities.read(line, parsed):
            add_entity(parsed, line, wire)
        return parsed


class Tasks(Stream):
    """Runs of templates with their steps; one that is over is read once."""

    name = "tasks"
    record_types = (ScaffolderTask, ScaffolderStep, SelfServiceAction)
    forgets = True
    daily_full_pass = False

    _list = Reader(TaskWire, ("tasks",), ScaffolderTask)
    _single = Reader(TaskWire, None, ScaffolderTask)
    _events = Reader(EventWire, (), ScaffolderStep)

    def __init__(self, start: date | None) -> None:
        self._start = datetime.combine(start, time(), UTC) if start is not None else None

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:  # noqa: ARG002
        """Newest first until what is known, then once more those that were not over.

        A run that is added meanwhile moves the others to later offsets: they are seen twice, and
        it is newer than the mark of this pass, so that the next one sees it.
        """
        mark = TaskMark(state, self._start)
        held: Page | None = None
        for page in self._all(pull.client, mark):
            if held is not None:
                yield held
            held = page
        if held is not None:
            yield replace(held, state=mark.final())

    def _all(self, client: Client, mark: TaskMark) -> Iterator[Page]:
        while not mark.is_listed:
            answer = client.get(
                TASKS, {"limit": TASKS_A_PAGE, "offset": mark.offset, "order": "desc:created_at"}
            )
            fresh = mark.take(listed(answer, body_of(answer), "tasks"), TASKS_A_PAGE)
            over = [page for task in fresh if (page := self._finished(client, task)) is not None]
            told = {page.attributes["id"] for page in over}
            bare = [str(task.get("id")) for task in fresh if str(task.get("id")) not in told]
            pages = [*self._bare(answer, bare), *over]
            # The pass goes on from here once all pages of this part are kept.
            yield from pages[:-1]
            yield from (replace(page, state=mark.under_way()) for page in pages[-1:])
        for task_id in mark.left_open():
            yield from self._again(client, task_id, mark)

    def _again(self, client: Client, task_id: str, mark: TaskMark) -> Iterator[Page]:
        """A run that was not over: what became of it, if anything did."""
        try:
            answer = client.get(f"{TASKS}/{task_id}")
        except NotFoundError:
            return
        task = body_of(answer)
        if not is_over(task):
            mark.keep_open(task_id)
            return
        page = self._finished(client, task)
        yield page or Page(
            url=answer.url,
            requested_at=answer.requested_at,
            body=answer.body,
            items=1,
            attributes={"holds": "task", "id": task_id},
        )

    def _finished(self, client: Client, task: Mapping[str, Any]) -> Page | None:
        """The events of a run that is over; None where it is not, or they are gone."""
        if not is_over(task):
            return None
        try:
            answer = client.get(f"{TASKS}/{task['id']}/events")
        except NotFoundError:
            return None
        events, _ = load_json(answer.body)
        if not isinstance(events, list) or not events:
            return None
        return Page(
            url=answer.url,
            requested_at=answer.requested_at,
            body=answer.body,
            items=1,
            attributes={"holds": "events", "id": str(task["id"]), "task": json.dumps(task)},
        )

    def _bare(self, answer: Answer, ids: list[str]) -> Iterator[Page]:
        """The list itself, for the runs that no page of events tells of."""
        if ids:
            yield Page(
                url=answer.url,
                requested_at=answer.requested_at,
                body=answer.body,
                items=len(ids),
                attributes={"holds": "tasks", "ids": json.dumps(sorted(ids))},
            )

    def parse(self, line: Line) -> Parsed:
        """Runs that are over with their events, all others from the list."""
        parsed = Parsed()
        holds = line.attributes.get("holds")
        if holds == "events":
            self._read_events(line, parsed)
            return parsed
        reader = self._single if holds == "task" else self._list
        wanted = set(json.loads(line.attributes.get("ids", "[]")))
        for wire in reader.read(line, parsed):
            if holds == "task" or wire.id in wanted:
                add_open_task(parsed, line, wire)
        return parsed

    def _read_events(self, line: Line, parsed: Parsed) -> None:
        events = self._events.read(line, parsed)
        told = line.attributes.get("task", "")
        try:
            task = TaskWire.model_validate_json(told)
        except ValidationError as error:
            parsed.reject(ScaffolderTask, "task", str(error).splitlines()[0], told)
            return
        if not events:
            parsed.reject(ScaffolderTask, "$", "a run that is over without any event", told)
            return
        add_finished_task(parsed, line, task, events)


def _digest(items: list[Any]) -> str:
    """What a page looks like, whatever order its parts are written in."""
    text = json.dumps(items, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
