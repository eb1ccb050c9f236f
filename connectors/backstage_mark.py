"""Where a pull of template runs stands: how far the list was read, and which runs are not over."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.answer import Answer
from connectors.backstage_records import FINISHED
from connectors.connector import SourceError, State
from connectors.reading import load_json, moment_of, unknown_shape

# Times of runs are whole seconds on some databases, and several share one.
_OVERLAP = timedelta(minutes=10)


class TaskMark:
    """Reads the list newest first down to what an earlier pass knew; one pass long.

    The marker of the state holds the newest run of the last pass, the runs close to it, and those
    that were not over; its resume token the same of a pass that is under way, and its offset.
    """

    def __init__(self, state: State, start: datetime | None) -> None:
        self._marker = state.marker
        known: dict[str, Any] = json.loads(state.marker or "{}")
        under_way: dict[str, Any] = json.loads(state.resume or "{}")
        self._known_near = set(known.get("near", []))
        self._known_open = set(known.get("open", []))
        newest = _moment(known.get("newest"))
        floors = [at for at in (newest and newest - _OVERLAP, start) if at is not None]
        self._floor = max(floors) if floors else None
        self.offset = int(under_way.get("offset", 0))
        self._newest = _moment(under_way.get("newest"))
        self._near: dict[str, str] = dict(under_way.get("near", {}))
        self._open = set(under_way.get("open", []))
        self._seen = set(under_way.get("seen", []))
        self._before = known
        self.is_listed = False

    def take(self, tasks: list[Any], page: int) -> list[dict[str, Any]]:
        """The runs of a page of the list that have to be read; knows when the list is over."""
        self.offset += len(tasks)
        self.is_listed = len(tasks) < page
        fresh = []
        for task in tasks:
            if not isinstance(task, dict) or not isinstance(task.get("id"), str):
                continue  # parsing says what is wrong with it
            at = _moment(task.get("createdAt"))
            if at is not None and self._floor is not None and at < self._floor:
                self.is_listed = True
                continue
            task_id = task["id"]
            self._seen.add(task_id)
            if at is not None:
                self._newest = max(self._newest or at, at)
                self._near[task_id] = at.isoformat()
            if not is_over(task):
                self._open.add(task_id)
            is_known = task_id in self._known_near | self._known_open
            if not is_known or (task_id in self._known_open and is_over(task)):
                fresh.append(task)
        self._forget_far()
        return fresh

    def left_open(self) -> Iterable[str]:
        """The runs that were not over when last seen, and that the list did not show again."""
        return sorted(self._known_open - self._seen)

    def keep_open(self, task_id: str) -> None:
        """Ask for this run again next time."""
        self._open.add(task_id)

    def under_way(self) -> State:
        """The state while the list is not read to its end."""
        told = {
            "offset": self.offset,
            "newest": self._newest and self._newest.isoformat(),
            "near": self._near,
            "open": sorted(self._open),
            "seen": sorted(self._seen & self._known_open),
        }
        return State(marker=self._marker, resume=json.dumps(told, sort_keys=True))

    def final(self) -> State:
        """The state once all is read."""
        newest = self._newest or _moment(self._before.get("newest"))
        near = set(self._near) if self._newest else self._known_near
        told = {
            "newest": newest and newest.isoformat(),
            "near": sorted(near),
            "open": sorted(self._open),
        }
        return State(marker=json.dumps(told, sort_keys=True))

    def _forget_far(self) -> None:
        """Only runs close to the newest can come again below the next mark."""
        if self._newest is not None:
            floor = (self._newest - _OVERLAP).isoformat()
            self._near = {task: at for task, at in self._near.items() if at >= floor}


def is_over(task: Mapping[str, Any]) -> bool:
    """Whether nothing more can come of a run."""
    return task.get("status") in FINISHED


def body_of(answer: Answer) -> dict[str, Any]:
    """The object of an answer; raises where it is none."""
    value, _ = load_json(answer.body)
    if not isinstance(value, dict):
        raise _odd(answer, "$", "an object", value)
    return value


def listed(answer: Answer, body: Mapping[str, Any], name: str) -> list[Any]:
    """A list within an answer; raises where it is none."""
    value = body.get(name)
    if not isinstance(value, list):
        raise _odd(answer, name, "a list", value)
    return value


def _moment(text: object) -> datetime | None:
    moment = moment_of(text)
    return moment and moment.astimezone(UTC)


def _odd(answer: Answer, place: str, expected: str, value: Any) -> SourceError:
    return unknown_shape(
        url=answer.url,
        place=place,
        expected=expected,
        value=value,
        remedy="check that base_url is the address of Backstage's backend",
    )
