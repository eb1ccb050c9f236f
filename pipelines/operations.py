"""What the product does, as plain functions: the command line and Dagster both call these."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    """Pull the named connections (default: all) in parallel; raises for unknown names."""
    for name in names or ():
        if name not in settings.connections:
            known = ", ".join(settings.connections) or "none"
            raise SettingsError(f'there is no connection "{name}"; known: {known}')
    with opened(settings) as (folder, landing):

        def pull(name: str) -> SyncResult:
            connector = settings.connections[name].connector()
            if not connector.is_pulled:
                return SyncResult(name)
            return sync_connection(
                landing,
                connector,
                clones=folder.clones,
                full=full,
                full_pass_hours=settings.operation.full_pass_hours,
                now=now,
                progress=progress,
            )

        wanted = list(names or settings.connections)
        with ThreadPoolExecutor(max(1, len(wanted)), thread_name_prefix="connection") as pool:
            return list(pool.map(pull, wanted))


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


def go_back(settings: Settings, build_id: str) -> str:
    """Publish a kept build again; raises `SettingsError` naming the kept ones."""
    with opened(settings) as (folder, _), folder.writing("going back to an earlier build"):
        kept = sorted(path.stem for path in folder.builds.glob("*.duckdb"))
        if build_id not in kept:
            known = ", ".join(kept) or "none"
            raise SettingsError(f'there is no build "{build_id}" in {folder.builds}; kept: {known}')
        warehouse.point_at(folder, folder.builds / f"{build_id}.duckdb")
    return build_id
