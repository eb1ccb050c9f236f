"""What the product does, as plain functions: the command line and Dagster both call these."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from pipelines import warehouse
from pipelines.files import DataFolder
from pipelines.inputs import Clock
from pipelines.landing import Landing
from pipelines.load import LoadResult, load
from pipelines.settings import Settings, SettingsError
from pipelines.sync import Progress, SyncResult, sync_connection, utc_now
from pipelines.warehouse import BuildResult


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[DataFolder, Landing]]:
    """The data folder and its landing store."""
    folder = DataFolder(settings.data).create()
    with Landing(folder.landing) as landing:
        yield folder, landing


def sync(
    settings: Settings,
    names: Sequence[str] | None = None,
    *,
    full: bool = False,
    now: Callable[[], datetime] = utc_now,
    progress: Progress | None = None,
) -> list[SyncResult]:
    """Pull the named connections (default: all), one after the other; raises for unknown names."""
    for name in names or ():
        if name not in settings.connections:
            known = ", ".join(settings.connections) or "none"
            raise SettingsError(f'there is no connection "{name}"; known: {known}')
    with opened(settings) as (folder, landing):
        return [
            sync_connection(
                landing,
                settings.connections[name].connector(),
                clones=folder.clones,
                full=full,
                full_pass_hours=settings.operation.full_pass_hours,
                now=now,
                progress=progress,
            )
            for name in names or settings.connections
        ]


def load_records(
    settings: Settings, *, progress: Callable[[int, int], None] | None = None
) -> LoadResult:
    """Merge what was received and is not loaded yet into the records."""
    with opened(settings) as (folder, landing), folder.writing("loading records"):
        return load(
            landing,
            folder.records,
            temporary=folder.temporary,
            memory_limit_gb=settings.operation.memory_limit_gb,
            progress=progress,
        )


def build(
    settings: Settings,
    *,
    selection: frozenset[str] | None = None,
    moment: Clock | None = None,
    now: Callable[[], datetime] = utc_now,
    progress: Callable[[str, int, int], None] | None = None,
) -> BuildResult:
    """Build every model (or a selection) from the records and publish; see `warehouse.build`."""
    with opened(settings) as (folder, landing):
        if not folder.records.exists():
            load_records(settings)
        with folder.writing("building"):
            return warehouse.build(
                folder,
                settings,
                landing,
                now=now(),
                moment=moment,
                selection=selection,
                progress=progress,
            )
