"""A power cut under `leadline up`: from starting it again to the next published build."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import history
from benchmarks.result import Result
from pipelines.files import DataFolder
from pipelines.reader import current_build

COMMITS = 2_000
TAGS = 100
PATIENCE = 600.0
_PROJECT = Path(__file__).parents[1]


def run(scale: float = 1.0) -> Iterator[Result]:
    """Everything is killed in the middle of the first build, then started again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repository = folder / "shop.git"
        history.write_repository(repository, max(100, round(COMMITS * scale)), TAGS)
        data = DataFolder(folder / "data").create()
        lines = [f'data = "{data.path}"', "[connections.git]", f'repositories = ["{repository}"]']
        (folder / "leadline.toml").write_text("\n".join(lines), encoding="utf-8")
        started = time.perf_counter()
        with _up(folder):
            _wait(lambda: any(data.builds.glob("*.part")))
        yield Result("leadline up, from nothing into its first build", _since(started), "s")
        if current_build(data.path) is not None:
            raise RuntimeError("the build was over before the power was cut")
        started = time.perf_counter()
        with _up(folder):
            _wait(lambda: current_build(data.path) is not None)
            yield Result("next build published after a power cut", _since(started), "s", 60)


@contextmanager
def _up(folder: Path) -> Iterator[None]:
    """The product in a session of its own; in the end everything in it is killed at once."""
    ports = [f"--{name}={_free_port()}" for name in ("dashboard", "dagster", "health")]
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipelines.cli import main; main()", "up", *ports],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        for each in _descendants(process.pid):
            os.kill(each, signal.SIGKILL)
        process.kill()
        process.wait()


def _descendants(root: int) -> list[int]:
    """Every process below this one, in whatever session."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        process = waiting.pop()
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            below = [int(word) for word in children.read_text(encoding="utf-8").split()]
            found += below
            waiting += below
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing happened within {PATIENCE:.0f} s")
        time.sleep(0.005)


def _since(started: float) -> float:
    return time.perf_counter() - started
