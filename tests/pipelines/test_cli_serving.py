"""Commands that serve: ports, what they print, and that nothing outlives them."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.commands import serving
from pipelines.commands.boundary import FailedError, WrongUseError
from pipelines.commands.children import child
from pipelines.processes import is_running
from tests.dashboards.fixture import World, write_build

PROJECT = Path(__file__).parents[2]
SECONDS = 150.0


@contextmanager
def leadline(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, in a session of its own as a terminal gives it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipelines.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(PROJECT), "XDG_CACHE_HOME": str(folder / "cache")},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address_in(process: subprocess.Popen[str]) -> str:
    """The dashboard's address, as soon as it is printed."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(r"dashboard: (http://127\.0\.0\.1:\d+)", line):
            return found[1]
    raise AssertionError(process.communicate()[1])


def children_of(parent: int) -> list[int]:
    """The ids of a process' children."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(word) for word in path.read_text(encoding="utf-8").split()]


def wait_until_gone(processes: list[int], known_at: float) -> None:
    deadline = time.monotonic() + SECONDS
    while any(is_running(one, known_at) for one in processes):
        assert time.monotonic() < deadline, f"still running: {processes}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    write_build(folder / ".leadline", World(services=3, changes=20, days=60))
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_with_its_dashboard(number: signal.Signals, built: Path) -> None:
    """The dashboard answers on loopback; Ctrl-C and SIGTERM end it with exit code 0."""
    known_at = time.time()
    with leadline(built, "serve") as process:
        address = address_in(process)
        with urllib.request.urlopen(f"{address}/", timeout=SECONDS) as answer:  # noqa: S310
            assert answer.status == 200
        started = children_of(process.pid)
        assert started
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        wait_until_gone(started, known_at)
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(address, timeout=SECONDS)  # noqa: S310


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends the child")
def test_killed_command_leaves_no_child(tmp_path: Path) -> None:
    """Even SIGKILL of the parent ends what it started."""
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from pipelines.commands.children import child\n"
        "sleeper = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "with child(sleeper, folder=Path('.'), log=Path('log')) as process:\n"
        "    print(process.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    known_at = time.time()
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert parent.stdout is not None
    started = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    wait_until_gone([started], known_at + SECONDS)


def test_child_that_does_not_listen_is_made_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that ignores SIGTERM is killed, and so is what it started itself."""
    monkeypatch.setattr("pipelines.commands.children._SECONDS_TO_END", 0.2)
    stubborn = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "ignore = 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)'\n"
        "print(subprocess.Popen([sys.executable, '-c', ignore]).pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", stubborn]
    with child(command, folder=tmp_path, log=tmp_path / "log", output=subprocess.PIPE) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
    assert process.returncode == -signal.SIGKILL
    wait_until_gone([grandchild], time.time() + SECONDS)


def test_next_free_port_is_used_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A taken default port moves on to the next; a port that was asked for does not."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(serving, "PORT", port)
        chosen = serving.choose_port(None)
        assert port < chosen < port + 50
        assert capsys.readouterr().err == f"port {port} is taken; {chosen} is used\n"
        with pytest.raises(WrongUseError, match=f"port {port} of 127.0.0.1 is taken"):
            serving.choose_port(port)


def test_dashboard_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not start gives its last words instead of a wait."""
    from dashboards import serve as dashboards_serve

    command = [sys.executable, "-c", "import sys; sys.exit('no such theme')"]
    monkeypatch.setattr(dashboards_serve, "command", lambda *_: command)
    with (
        pytest.raises(FailedError, match=r"(?s)did not start.*no such theme"),
        serving.dashboard(tmp_path, serving.choose_port(None)),
    ):
        pass
