"""Git: reading 200,000 commits against plain `git log`, and `leadline try` on them."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmarks import history
from benchmarks.result import Result
from connectors.clones import GitSource
from connectors.connector import Pull, Scope, State
from connectors.git_log import COMMIT_LOG
from connectors.git_streams import CommitStream
from pipelines import operations
from pipelines.settings import parse

Value = TypeVar("Value")
_CHUNK = 1 << 20
_KEY = "local/shop"


def run(scale: float = 1.0) -> Iterator[Result]:
    """Both sides of the ratio by turns, the best of three each; then the whole way to a build."""
    count, tags = round(history.COMMITS * scale), round(history.DEPLOYMENTS * scale)
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "shop.git"
        history.write_repository(repository, count, tags)
        plain = whole = float("inf")
        for _ in range(3):
            plain = min(plain, _timed(lambda: _plain_log(repository))[0])
            seconds, read = _timed(lambda: _read(repository))
            if read != count:
                raise RuntimeError(f"read {read} of {count} commits")
            whole = min(whole, seconds)
        yield Result(f"plain git log of {count:,} commits", plain, "s")
        yield Result("whole git read, pages and parse", whole, "s")
        yield Result("whole git read / plain git log", whole / plain, "×", 1.5)
        yield from _try(repository, Path(folder) / "try")


def _timed(work: Callable[[], Value]) -> tuple[float, Value]:
    started = time.perf_counter()
    value = work()
    return time.perf_counter() - started, value


def _plain_log(repository: Path) -> int:
    """What any reader has to wait for: git writes, the bytes are thrown away."""
    command = ["git", f"--git-dir={repository}", "log", *COMMIT_LOG, "--all"]
    size = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise RuntimeError("git log writes to a pipe")
        while chunk := os.read(process.stdout.fileno(), _CHUNK):
            size += len(chunk)
    return size


def _read(repository: Path) -> int:
    stream = CommitStream(GitSource())
    scope = Scope(str(repository), {"path": str(repository), "repository_key": _KEY})
    pull = Pull(None, repository.parent / "clones", lambda: datetime.now(UTC))
    return sum(
        table.num_rows
        for page in stream.pages(pull, scope, State())
        for tables in stream.parse(page.line("git", scope)).tables.values()
        for table in tables
    )


def _try(repository: Path, folder: Path) -> Iterator[Result]:
    """The steps of `leadline try`, in this process, from nothing to a published build."""
    folder.mkdir()
    path = folder / "leadline.toml"
    lines = [f'data = "{folder}/data"', "[connections.git]", f'repositories = ["{repository}"]']
    path.write_text("\n".join(lines), encoding="utf-8")
    settings = parse(path.read_bytes(), path)
    phases = {}
    phases["sync"], synced = _timed(lambda: operations.sync(settings))
    phases["load"], _ = _timed(lambda: operations.load_records(settings))
    phases["build"], built = _timed(lambda: operations.build(settings))
    if synced[0].errors or not built.is_published:
        raise RuntimeError(f"nothing was published: {synced[0].errors}")
    rows = built.tables["change"].rows
    yield Result(
        f"leadline try to a published build ({rows:,} changes)", sum(phases.values()), "s", 20
    )
    for phase, seconds in phases.items():
        yield Result(f"  of which {phase}", seconds, "s")
