"""The dashboard as a child of a command: started, waited for, told of, and ended with it."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.commands.boundary import FailedError, WrongUseError
from pipelines.commands.children import child, last_lines
from pipelines.commands.console import note, say

ADDRESS = "127.0.0.1"
PORT = 8501
_PORTS_TRIED = 50
_SECONDS_TO_START = 60.0


def choose_port(asked: int | None, address: str = ADDRESS) -> int:
    """The port asked for (raises `WrongUseError` if it is taken), or a free one from 8501."""
    if asked is not None:
        if not _is_free(asked, address):
            raise WrongUseError(f"port {asked} of {address} is taken; give another --port")
        return asked
    for port in range(PORT, PORT + _PORTS_TRIED):
        if _is_free(port, address):
            if port != PORT:
                note(f"port {PORT} is taken; {port} is used")
            return port
    raise FailedError(f"ports {PORT} to {port} of {address} are taken; give another --port")


def serve(data: Path, port: int | None, address: str = ADDRESS) -> None:
    """Serve the published build until Ctrl-C or SIGTERM, which end it well."""
    chosen = choose_port(port, address)
    try:
        with dashboard(data, chosen, address) as process:
            say(f"dashboard: http://{address}:{chosen}   (Ctrl-C ends it)")
            sys.stdout.flush()
            # Not one long wait: a library may have the system call go on after Ctrl-C.
            while (code := process.poll()) is None:
                time.sleep(0.2)
    except KeyboardInterrupt:
        note("stopped")
        return
    raise FailedError(f"the dashboard ended by itself (code {code}); {last_lines(_log(data))}")


@contextmanager
def dashboard(data: Path, port: int, address: str = ADDRESS) -> Iterator[subprocess.Popen[bytes]]:
    """Run the dashboard's server; it answers within, and is gone after."""
    from dashboards import serve as dashboards_serve

    running = child(
        dashboards_serve.command(port, data, address),
        folder=dashboards_serve.working_directory(),
        log=_log(data),
        environment=dashboards_serve.environment(data),
    )
    with running as process:
        _wait_until_healthy(process, f"http://{address}:{port}{dashboards_serve.HEALTH_PATH}", data)
        yield process


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, data: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise FailedError(f"the dashboard did not start; {last_lines(_log(data))}")
        try:
            with opener.open(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise FailedError(
        f"the dashboard did not answer within {_SECONDS_TO_START:.0f} s; {last_lines(_log(data))}"
    )


def _is_free(port: int, address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def _log(data: Path) -> Path:
    return data / "dashboard.log"
