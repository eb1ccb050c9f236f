"""The steps of the main job, each with progress."""

import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.commands.console import count, step

if TYPE_CHECKING:
    from pipelines.load import LoadResult
    from pipelines.settings import Settings
    from pipelines.sync import SyncResult
    from pipelines.warehouse import BuildResult


def sync_with_progress(
    settings: "Settings", names: Sequence[str] | None = None, *, full: bool = False
) -> "list[SyncResult]":
    """Pull the named connections (default: all), saying how much has come."""
    from pipelines import operations

    with step("pulling") as update:
        items: Counter[str] = Counter()
        lock = threading.Lock()  # pages arrive on several threads

        def arrived(connection: str, stream: str, number: int) -> None:
            with lock:
                items[f"{connection}.{stream}"] += number
                update(f"{connection}.{stream} {items[f'{connection}.{stream}']:,}")

        results = operations.sync(settings, names, full=full, progress=arrived)
        update(count(sum(result.items for result in results), "item"))
    return results


def load_with_progress(settings: "Settings") -> "LoadResult":
    """Load what has landed into the records."""
    from pipelines import operations

    with step("loading") as update:
        result = operations.load_records(
            settings, progress=lambda done, total: update(f"batch {done:,} of {total:,}")
        )
        update(count(result.rows.total(), "new row"))
    return result


def build_with_progress(settings: "Settings") -> "BuildResult":
    """Build every table and publish."""
    from pipelines import operations

    with step("building") as update:
        result = operations.build(
            settings, progress=lambda name, number, total: update(f"{name} ({number} of {total})")
        )
        update(count(len(result.tables), "table"))
    return result
