"""The server of the dashboard: how it is started and what it answers."""

import itertools
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboards import serve, session


def test_command_names_every_flag_that_matters(tmp_path: Path) -> None:
    """Loopback, no telemetry, no file watching, no tracebacks, whatever the folder."""
    command = serve.command(8501, tmp_path)
    pairs = dict(itertools.pairwise(command))
    assert pairs["--server.address"] == "127.0.0.1"
    assert pairs["--server.port"] == "8501"
    assert pairs["--server.headless"] == "true"
    assert pairs["--browser.gatherUsageStats"] == "false"
    assert pairs["--server.fileWatcherType"] == "none"
    assert pairs["--client.showErrorDetails"] == "none"
    assert pairs["--data"] == str(tmp_path)
    assert serve.APP.is_file()
    assert (serve.working_directory() / "dashboards").is_dir()


def test_environment_carries_the_data_folder_and_no_foreign_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting of another Streamlit in the environment cannot change the server."""
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")  # noqa: S104
    environment = serve.environment(tmp_path)
    assert environment["LEADLINE_DATA"] == str(tmp_path)
    assert not any(name.startswith("STREAMLIT_") for name in environment)


def test_data_folder_comes_from_argument_then_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument wins over the environment; without both it is the default."""
    monkeypatch.setenv("LEADLINE_DATA", "/data/two")
    assert session.data_folder(["app.py", "--data", "/data/one"]) == Path("/data/one")
    assert session.data_folder(["app.py", "--data"]) == Path("/data/two")
    monkeypatch.delenv("LEADLINE_DATA")
    assert session.data_folder(["app.py"]) == Path(".leadline")


def test_server_answers_and_serves_its_own_font(tmp_path: Path) -> None:
    """Started from a foreign folder the server is healthy and has font and theme with it."""
    with dashboard(tmp_path, cwd=tmp_path) as port:
        font = f"http://127.0.0.1:{port}/app/static/source-sans-3-latin-wght-normal.woff2"
        with urllib.request.urlopen(font, timeout=10) as answer:
            assert answer.status == 200
            assert answer.read(4) == b"wOF2"


@contextmanager
def dashboard(data: Path, *, cwd: Path | None = None) -> Iterator[int]:
    """The dashboard over a data folder, started from its own folder or another; yields its port."""
    port = free_port()
    process = subprocess.Popen(
        serve.command(port, data),
        env=serve.environment(data),
        cwd=cwd or serve.working_directory(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(port)
        yield port
        assert process.poll() is None, "the dashboard died"
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port() -> int:
    """Return a port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(port: int, seconds: float = 40) -> None:
    """Wait until the server says that pages can be opened."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}{serve.HEALTH_PATH}", timeout=5
            ) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the dashboard did not start")
