"""Syncs to be measured: of a few streams, and whole or an error."""

from collections.abc import Callable
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from connectors.connector import Connector
from connectors.secret import Secret
from pipelines.landing import Landing
from pipelines.sync import SyncResult, sync_connection, utc_now

AnyConnector = TypeVar("AnyConnector", bound=Connector)


def only(connector: AnyConnector, *names: str) -> AnyConnector:
    """The connector with these of its streams alone."""
    some = copy(connector)
    some.streams = lambda: tuple(  # type: ignore[method-assign]
        one for one in connector.streams() if one.name in names
    )
    return some


def token(folder: Path, text: str) -> Secret:
    """A token as the settings name it: by its file."""
    path = folder / "token"
    path.write_text(text, encoding="utf-8")
    return Secret(file=path)


def synced(folder: Path, connector: Connector, now: Callable[[], datetime] = utc_now) -> SyncResult:
    """What a sync into `folder` came to; an error if any of it failed."""
    folder.mkdir(exist_ok=True)
    with Landing(folder / "landing.sqlite") as landing:
        result = sync_connection(landing, connector, clones=folder / "clones", now=now)
    check(result)
    return result


def check(*results: SyncResult) -> None:
    """Raise if any part of a sync failed."""
    for result in results:
        if result.errors:
            raise RuntimeError("\n".join(result.errors))
