"""What the contract suite needs to know of a kind of connector: a source to read, and options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.faults import Faults


@dataclass(frozen=True)
class World:
    """A source that can be read for real.

    `options` are those of a connection that reads it, `narrowed` those of one that asks for
    something else, `unread` the streams for which the source has nothing. Where nothing is pulled,
    `send` has everything sent into a data folder, for a connector, and says how much it was.
    Where it is pulled over HTTP, `faults` spoil what its server answers.
    """

    options: Mapping[str, Any]
    narrowed: Mapping[str, Any]
    unread: frozenset[str] = field(default_factory=frozenset)
    send: Callable[[Path, Any], int] | None = None
    faults: Faults | None = None
