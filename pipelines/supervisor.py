"""`leadline up`: Dagster's daemon and UI and the dashboard, kept running under one process."""

import fcntl
import ipaddress
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from types import FrameType

from connectors.push import Push
from dashboards import serve
from pipelines import dagster_home, health
from pipelines.child import Child, Command, Guard
from pipelines.files import BusyError, DataFolder
from pipelines.reader import current_build
from pipelines.settings import Settings, SettingsError

TICK = 0.2
GRACE = 5.0

Say = Callable[[str], None]


class SupervisorError(Exception):
    """Nothing was started; the message says why and what to do."""


def run_supervisor(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    dashboard_port: int = 8501,
    dagster_port: int = 3000,
    health_port: int = 8502,
    listen_port: int = 8503,
    behind_proxy: bool = False,
    commands: Sequence[Command] | None = None,
    say: Say | None = None,
) -> None:
    """Keep everything running until SIGTERM or SIGINT; call it in the main thread.

    What dies is started again with back-off; when this process dies, however it dies, so does
    everything it started. Raises `SettingsError` for an address that must not be listened on,
    `SupervisorError` for one that cannot be, and `BusyError` when this data folder is served
    already, naming the process.
    """
    say = say or _say
    check_address(host, behind_proxy=behind_proxy)
    folder = DataFolder(settings.data).create()
    with ExitStack() as stack:
        stack.enter_context(only_one(folder))
        ports = {"dashboard": dashboard_port, "dagster": dagster_port, "health": health_port}
        if listens(settings):
            ports["listen"] = listen_port
        check_ports(host, ports)
        stopping = threading.Event()
        stack.enter_context(_stopped_by_signals(stopping))
        guard = Guard()
        stack.callback(guard.close)
        if commands is None:
            commands = product(
                settings,
                host=host,
                dashboard_port=dashboard_port,
                dagster_port=dagster_port,
                listen_port=listen_port,
            )
        children = [Child(command, guard, folder.path / "logs") for command in commands]
        since = datetime.now(UTC)
        stack.enter_context(
            health.serving(host, health_port, lambda: state(children, folder, since))
        )
        say(f"dashboard http://{host}:{dashboard_port}")
        say(f"Dagster   http://{host}:{dagster_port}")
        if listens(settings):
            say(f"listening http://{host}:{listen_port}")
        say(f"health    http://{host}:{health_port}{health.PATH}")
        say(f"logs      {folder.path / 'logs'}")
        try:
            _keep_running(children, stopping, say)
        finally:
            say("stopping …")
            stop(children)


def listens(settings: Settings) -> bool:
    """Whether anything may be sent here."""
    return any(connection.kind == Push.kind for connection in settings.connections.values())


def product(
    settings: Settings, *, host: str, dashboard_port: int, dagster_port: int, listen_port: int
) -> list[Command]:
    """The processes of the product; daemon and UI wait until the graph is served."""
    environment = dagster_home.environment(settings)
    folder = dagster_home.working_folder()
    socket_path = dagster_home.graph_socket(settings)
    socket_path.unlink(missing_ok=True)
    python = [sys.executable, "-m"]
    graph = ["-w", str(dagster_home.workspace(settings, socket_path))]
    webserver = [*python, "dagster_webserver", "-h", host, "-p", str(dagster_port), *graph]
    daemon = [*python, "dagster._daemon", "run", *graph]
    listen = [*python, "pipelines.listening.service", host, str(listen_port)]
    listening = Command("listen", listen, folder, environment, listen_port)
    return [
        Command("code", [*python, "pipelines.code_server", str(socket_path)], folder, environment),
        Command("daemon", daemon, folder, environment, after=socket_path),
        Command("dagster", webserver, folder, environment, dagster_port, after=socket_path),
        Command(
            "dashboard",
            serve.command(dashboard_port, settings.data, host),
            serve.working_directory(),
            serve.environment(settings.data),
            dashboard_port,
        ),
        *([listening] if listens(settings) else []),
    ]


def check_address(host: str, *, behind_proxy: bool) -> None:
    """Refuse to listen beyond this machine: neither Dagster's UI nor the dashboard has a login."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback and not behind_proxy:
        raise SettingsError(
            f"{host} can be reached from other machines, and neither the dashboard nor Dagster has "
            "a login; put a proxy with a login in front and say so with --behind-proxy"
        )


def check_ports(host: str, ports: dict[str, int]) -> None:
    """Refuse ports that somebody listens on already, before anything is started."""
    taken = []
    for name, port in ports.items():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError as error:
                taken.append(f"{host}:{port}: {error.strerror}; choose another with --{name}")
    if taken:
        raise SupervisorError("\n".join(taken))


@contextmanager
def only_one(folder: DataFolder) -> Iterator[None]:
    """Hold the data folder for this supervisor; raises `BusyError` naming the one that does."""
    with (folder.path / "up.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise BusyError(
                f"{folder.path} is served already by process {holder}; stop that one first"
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z")
        lock.flush()
        yield


def state(children: Sequence[Child], folder: DataFolder, since: datetime) -> health.Health:
    """What the health URL says."""
    found = {child.command.name: _state_of(child) for child in children}
    build = current_build(folder.path)
    return {
        "ok": all(each["state"] == "running" for each in found.values()),
        "processes": found,
        "build": build.stem if build is not None else None,
        "build_age_seconds": round(time.time() - build.stat().st_mtime) if build else None,
        "up_since": since.isoformat(timespec="seconds"),
    }


def _state_of(child: Child) -> health.Health:
    process = child.process_id
    port = child.command.port
    if process is None:
        name = "waiting"
    elif port is not None and not _answers(port):
        name = "starting"
    else:
        name = "running"
    return {
        "state": name,
        "process": process,
        "restarts": child.restarts,
        "last_exit": child.last_exit,
    }


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _keep_running(children: Sequence[Child], stopping: threading.Event, say: Say) -> None:
    while not stopping.wait(TICK):
        for child in children:
            happened = child.step()
            if happened is not None:
                say(happened)


def stop(children: Sequence[Child]) -> None:
    """End all children at once: asked first, forced after a few seconds."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + GRACE
    for child in children:
        child.stop(deadline)


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    def stop_soon(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stopping.set()

    before = {each: signal.signal(each, stop_soon) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
