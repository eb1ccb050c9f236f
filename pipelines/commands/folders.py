"""Where `try` and `demo` keep what they make: below the user's cache, out of everybody's way."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.commands.boundary import WrongUseError
from pipelines.files import BusyError


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/leadline`, by default `~/.cache/leadline`."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache"
    return base / "leadline"


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder; raises `BusyError` where another process holds it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WrongUseError(
            f"{folder.parent} cannot be made ({error.strerror}); set XDG_CACHE_HOME to a folder "
            "you may write"
        ) from error
    with folder.with_name(f"{folder.name}.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise BusyError(
                f"{what} is running already (process {lock.read().strip()}); end it first"
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def emptied(folder: Path) -> Path:
    """The folder, made anew."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def use(settings_file: Path, data: Path) -> None:
    """Let this process and its children read these settings, wherever they run."""
    os.environ["LEADLINE_SETTINGS"] = str(settings_file)
    os.environ["LEADLINE_DATA"] = str(data)
