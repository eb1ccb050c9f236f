"""Where things lie in the data folder, and the lock that writers of the records share."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipelines.settings import SettingsError


class BusyError(Exception):
    """Another process holds what is needed; the message says who."""


class DataFolder:
    """The folder that keeps everything: landing, records, builds, clones, Dagster's state."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def landing(self) -> Path:
        """What was received; only this cannot be rebuilt."""
        return self.path / "landing.sqlite"

    @property
    def records(self) -> Path:
        """The records, merged from landing."""
        return self.path / "records.duckdb"

    @property
    def builds(self) -> Path:
        """The builds and the pointer to the published one."""
        return self.path / "builds"

    @property
    def clones(self) -> Path:
        """Bare clones of the repositories."""
        return self.path / "clones"

    @property
    def dagster(self) -> Path:
        """Dagster's own store."""
        return self.path / "dagster"

    @property
    def temporary(self) -> Path:
        """Where DuckDB spills."""
        return self.path / "tmp"

    def create(self) -> "DataFolder":
        """Make the folder, readable by its owner only."""
        os.umask(0o077)
        try:
            for folder in (self.path, self.builds, self.clones, self.temporary):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"the data folder {self.path} cannot be made ({error.strerror}); "
                "set `data` in leadline.toml or LEADLINE_DATA to a folder you may write"
            ) from error
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise SettingsError(
                f"the data folder {self.path} belongs to someone else (no right to write); "
                "set `data` in leadline.toml or LEADLINE_DATA to a folder you may write"
            )
        return self

    @contextmanager
    def writing(self, what: str, *, wait: bool = True) -> Iterator[None]:
        """Hold `records.lock`; with `wait` false raises `BusyError` naming the holder."""
        path = self.path / "records.lock"
        with path.open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                lock.seek(0)
                holder = lock.read().strip() or "another process"
                raise BusyError(f"the records are in use: {holder}; try again later") from error
            lock.seek(0)
            lock.truncate()
            lock.write(
                f"{what} by process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z"
            )
            lock.flush()
            yield
