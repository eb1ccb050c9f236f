"""What the contract suite needs to know of a kind of connector: a source to read, and options.

What a source cannot show is said with its reason (`Unshown`): no question stays open.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sandbox.world
from sandbox.faults import Faults

GIT = frozenset({"commit", "commit_path", "reference", "practice", "practice_scan"})

Change = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Unshown:
    """Why a source has nothing to show of something."""

    reason: str


@dataclass(frozen=True)
class Moving:
    """A source that moves on while it is read.

    It is seen from a moment of `clock`. The rows of `remembered` tables stay, with all that was
    told of them, when the source forgets; all others are as if read once, at the end. What is in
    `still` tables does not move with it: Git is served as it is in the end.
    """

    clock: sandbox.world.World
    remembered: frozenset[str] = frozenset()
    still: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Renamed:
    """A change after which things are called otherwise.

    `names` is a query over the records: the id of each such thing, and its name.
    """

    change: Change
    names: str


@dataclass(frozen=True)
class Removed:
    """A change after which things are gone.

    `gone` is a query over the records as they were: table and key of each row that goes.
    """

    change: Change
    gone: str


@dataclass(frozen=True)
class Ghosts:
    """Things whose author is not there any more.

    `rows` is a query over the records for rows without an author, `count` how many there must be.
    """

    rows: str
    count: int


@dataclass(frozen=True, kw_only=True)
class World:
    """A source that can be read for real.

    `options` are those of a connection that reads it, `narrowed` those of one that asks for
    something else, `unread` the streams for which the source has nothing. Where nothing is pulled,
    `send` has everything sent into a data folder, for a connector, and says how much it was.
    Where it is pulled over HTTP, `faults` spoil what its server answers; `silent` is how else a
    source comes not to answer.

    `bots` are the logins of machines (names where there is no login). `zoned` are the options of
    a connection whose account lives in another zone. `written_times` says why no page holds a
    time as text; `own_pages` of which streams, and why, the connector writes pages itself, so that
    no source can break an item.
    """

    options: Mapping[str, Any]
    narrowed: Mapping[str, Any]
    moving: Moving | Unshown
    renamed: Renamed | Unshown
    removed: Removed | Unshown
    ghosts: Ghosts | Unshown
    bots: frozenset[str] | Unshown
    zoned: Mapping[str, Any] | Unshown
    written_times: Unshown | None = None
    own_pages: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = field(default_factory=frozenset)
    send: Callable[[Path, Any], int] | None = None
    faults: Faults | None = None
    silent: Change | None = None


@contextmanager
def hidden(path: Path) -> Iterator[None]:
    """A file or folder is for some time not where it was."""
    away = path.rename(path.with_name(f"{path.name} away"))
    try:
        yield
    finally:
        away.rename(path)


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """A file says something else for some time."""
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
