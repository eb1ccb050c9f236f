"""What is kept running, and that nothing of it outlives the supervisor: real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.files import BusyError, DataFolder
from pipelines.processes import is_running
from pipelines.settings import Settings, SettingsError
from pipelines.supervisor import (
    SupervisorError,
    check_address,
    check_ports,
    only_one,
    product,
    run_supervisor,
)

# Two stand-ins: one has a child of its own that may ignore SIGTERM, one dies whenever it starts.
SUPERVISED = """
import sys
from pathlib import Path
from pipelines.child import Command
from pipelines.settings import Settings
from pipelines.supervisor import run_supervisor

data, port, mark = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
steady = (
    "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', 'import signal, sys, time;"
    "sys.argv[1].endswith(chr(33)) and signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print(chr(42), flush=True); time.sleep(600)', sys.argv[1]]);"
    "print('steady is up', flush=True); time.sleep(600)"
)
dying = "import sys; print('this one fails', flush=True); sys.exit(3)"
free = [int(each) for each in sys.argv[4:]]
run_supervisor(
    Settings(data=data),
    health_port=port,
    dashboard_port=free[0],
    dagster_port=free[1],
    commands=[
        Command("steady", [sys.executable, "-c", steady, mark], data, {}),
        Command("dying", [sys.executable, "-c", dying, mark], data, {}),
    ],
)
"""

PRODUCT = """
import sys
from pathlib import Path
from pipelines.settings import load
from pipelines.supervisor import run_supervisor

health, dashboard, dagster, listen = (int(each) for each in sys.argv[2:])
run_supervisor(
    load(Path(sys.argv[1])),
    health_port=health,
    dashboard_port=dashboard,
    dagster_port=dagster,
    listen_port=listen,
)
"""


class Supervised:
    """A supervisor in its own process."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, data: Path, mark: str) -> None:
        self.process = process
        self.port = port
        self.data = data
        self.mark = mark

    def health(self) -> dict[str, Any]:
        """What the health URL says, whatever its status."""
        found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self.port}/health").json()
        return found

    def processes(self) -> list[int]:
        """Every process that bears the mark of this test, the supervisor apart."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.process.pid:
                try:
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if self.mark.encode() in line:
                    found.append(int(entry.name))
        return found


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    """A supervisor over two stand-ins, up and answering."""
    mark = f"leadline-test-{os.getpid()}-{tmp_path.name}"
    with supervising(tmp_path, mark) as found:
        yield found


@contextmanager
def supervising(data: Path, mark: str) -> Iterator[Supervised]:
    """Start a supervisor; whatever a failed test leaves is killed."""
    port, *free = free_ports(3)
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, str(data), str(port), mark, *map(str, free)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found = Supervised(process, port, data, mark)
    try:
        wait_until(lambda: answers(port), process)
        wait_until(lambda: len(found.processes()) >= 2, process)
        yield found
    finally:
        process.kill()
        process.communicate()
        for each in found.processes():
            os.kill(each, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def answers(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(
    holds: Callable[[], bool], process: "subprocess.Popen[str] | None" = None, seconds: float = 20
) -> float:
    """Wait for something to hold; how long it took."""
    started = time.monotonic()
    while not holds():
        if process is not None and process.poll() is not None:
            pytest.fail(f"it ended: {process.communicate()[0]}")
        if time.monotonic() - started > seconds:
            pytest.fail(f"not within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - started


def test_what_dies_is_started_again_with_growing_waits(supervised: Supervised) -> None:
    """A failing process is restarted, later each time, while the others run on; health says so."""
    steady = supervised.health()["processes"]["steady"]["process"]
    wait_until(lambda: supervised.health()["processes"]["dying"]["restarts"] >= 3)
    found = supervised.health()
    assert found["ok"] is False
    assert found["processes"]["dying"]["last_exit"] == 3
    assert found["processes"]["steady"] == {
        "state": "running",
        "process": steady,
        "restarts": 0,
        "last_exit": None,
    }
    assert found["build"] is None
    wait_until(lambda: "this one fails" in log_of(supervised, "dying"))
    assert "steady is up" in log_of(supervised, "steady")
    os.kill(steady, signal.SIGKILL)
    wait_until(lambda: supervised.health()["processes"]["steady"]["restarts"] == 1)
    wait_until(lambda: supervised.health()["processes"]["steady"]["state"] == "running")
    supervised.process.terminate()
    output, _ = supervised.process.communicate(timeout=15)
    assert "dying ended (exit code 3); it is started again in 0.5 s" in output
    assert "dying ended (exit code 3); it is started again in 1 s" in output
    assert "steady ended (killed by SIGKILL); it is started again in 0.5 s" in output


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_everything_stops_cleanly(supervised: Supervised, how: signal.Signals) -> None:
    """A signal ends all processes at once."""
    supervised.process.send_signal(how)
    assert supervised.process.wait(timeout=4) == 0
    assert supervised.processes() == []


def test_what_ignores_the_end_is_ended(tmp_path: Path) -> None:
    """A grandchild that ignores SIGTERM is killed after a few seconds."""
    with supervising(tmp_path, f"leadline-test-{os.getpid()}-{tmp_path.name}!") as found:
        wait_until(lambda: " *" in log_of(found, "steady"))
        found.process.terminate()
        assert found.process.wait(timeout=10) == 0
        assert found.processes() == []


def test_everything_dies_with_a_killed_supervisor(supervised: Supervised) -> None:
    """After kill -9 no process is left two seconds later, grandchildren included."""
    wait_until(lambda: len(supervised.processes()) >= 2)
    supervised.process.kill()
    supervised.process.wait()
    assert wait_until(lambda: not supervised.processes()) < 2
    with supervising(supervised.data, supervised.mark):
        pass  # nor is the data folder still held


def test_second_supervisor_of_a_folder_is_refused(supervised: Supervised) -> None:
    """Two supervisors of one data folder would fight; the message names the process."""
    ports = free_ports(3)
    with pytest.raises(BusyError, match=rf"process {supervised.process.pid} since 20"):
        run_supervisor(
            Settings(data=supervised.data),
            dashboard_port=ports[0],
            dagster_port=ports[1],
            health_port=ports[2],
            commands=[],
        )


def test_lock_is_free_after_its_holder(tmp_path: Path) -> None:
    """The lock goes with its holder, and names the newest one."""
    folder = DataFolder(tmp_path)
    with only_one(folder), pytest.raises(BusyError, match=str(os.getpid())), only_one(folder):
        pass
    with only_one(folder):
        assert (tmp_path / "up.lock").read_text("utf-8").startswith(f"{os.getpid()} since ")


def test_taken_ports_are_told_before_anything_starts() -> None:
    """A port in use is named with the option that changes it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SupervisorError, match=f"127.0.0.1:{port}: .*--dagster-port"):
            check_ports("127.0.0.1", {"dagster-port": port})


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.7", "::2", "leadline.example"])
def test_other_machines_are_kept_out(host: str) -> None:
    """Nothing listens beyond this machine unless somebody says that a proxy asks for a login."""
    with pytest.raises(SettingsError, match="--behind-proxy"):
        check_address(host, behind_proxy=False)
    check_address(host, behind_proxy=True)


def test_this_machine_is_fine() -> None:
    """Loopback in every spelling."""
    for host in ("127.0.0.1", "::1", "localhost"):
        check_address(host, behind_proxy=False)


def test_secrets_stay_out_of_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes get the environment, but no description of a command shows it."""
    monkeypatch.setenv("GITHUB_TOKEN", "canary-5f1c")
    commands = product(
        Settings(data=tmp_path),
        host="127.0.0.1",
        dashboard_port=1,
        dagster_port=2,
        listen_port=3,
    )
    assert commands[0].environment["GITHUB_TOKEN"] == "canary-5f1c"
    assert "canary-5f1c" not in repr(commands)
    assert not any("canary-5f1c" in part for each in commands for part in each.arguments)


def test_process_of_the_same_id_is_told_apart() -> None:
    """An id is used again after a restart of the machine; the start time tells."""
    assert is_running(os.getpid(), time.time())
    assert not is_running(os.getpid(), time.time() - 365 * 86400)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert not is_running(ended.pid, time.time())


def test_product_comes_up_whole_and_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    """The real processes: the graph loads, all of them answer; after kill -9 none is left."""
    (tmp_path / "leadline.toml").write_text("[connections.push]\n", "utf-8")
    ports = free_ports(4)
    process = subprocess.Popen(
        [sys.executable, "-c", PRODUCT, str(tmp_path), *map(str, ports)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
    )
    data = tmp_path / ".leadline"
    found = Supervised(process, ports[0], data, str(tmp_path))
    try:
        wait_until(lambda: answers(ports[0]), process)
        wait_until(lambda: found.health()["ok"], process, seconds=120)
        names = {"code", "daemon", "dagster", "dashboard", "listen"}
        assert set(found.health()["processes"]) == names
        assert httpx.get(f"http://127.0.0.1:{ports[3]}/health").json()["waiting"] == 0
        location = ask_dagster(ports[2])
        assert location == {"name": "leadline", "loadStatus": "LOADED"}
        assert len(found.processes()) >= 4
        process.kill()
        process.wait()
        assert wait_until(lambda: not found.processes()) < 2
    finally:
        process.kill()
        process.communicate()
        for each in found.processes():
            os.kill(each, signal.SIGKILL)


def ask_dagster(port: int) -> dict[str, str]:
    """The only code location, as Dagster's UI knows it."""
    query = (
        "{workspaceOrError {... on Workspace {locationEntries "
        "{name loadStatus locationOrLoadError {__typename}}}}}"
    )
    answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=60)
    (entry,) = answer.json()["data"]["workspaceOrError"]["locationEntries"]
    assert entry.pop("locationOrLoadError")["__typename"] == "RepositoryLocation"
    found: dict[str, str] = entry
    return found


def log_of(supervised: Supervised, name: str) -> str:
    """What a process wrote."""
    return (supervised.data / "logs" / f"{name}.log").read_text("utf-8")
