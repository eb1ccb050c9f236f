"""Tokens stay where they were put, and nothing talks to anybody but the configured hosts.

A token stands in three places only: where its owner put it, in memory, and, while git talks to
the remote, in the environment of that git and of the helper that answers its question. An
environment can be read by its owner alone; a command line can be read by everybody.
"""

import base64
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import zstandard

from pipelines import operations
from pipelines.settings import parse
from sandbox.faults import Fault, Rule
from sandbox.generate import build_organisation
from sandbox.github_protocol import GithubSettings
from sandbox.jira import JiraSettings
from sandbox.server import Sandbox
from tests.e2e.demo_world import END
from tests.pipelines.command_line import leadline, work_in

PROJECT = Path(__file__).parents[2]
CANARIES = {
    "github": "canary-github-81c6f20a",
    "jira": "canary-jira-4e9b7713",
    "git": "canary-git-c05d2b98",
}
WRONG = {name: f"canary-wrong-{name}-77a1" for name in CANARIES}
EMAIL = "metrics@sandbox.example"
# Those that may hold a token in their environment while git talks to a remote.
ASKING = {"git", "git-remote-http", "git-remote-https", "askpass", "sh"}
GRAPH = """
import logging, sys
from pathlib import Path
logging.basicConfig(level=logging.DEBUG)
from pipelines.runs import run_job_in_process
from pipelines.settings import parse
path = Path(sys.argv[1])
sys.exit(0 if run_job_in_process(parse(path.read_bytes(), path)) else 1)
"""


def forms(token: str) -> list[bytes]:
    """A token as it is, and as the ways of signing in write it."""
    pairs = (token, f"x-access-token:{token}", f"{EMAIL}:{token}")
    packed = [base64.b64encode(pair.encode()).rstrip(b"=") for pair in pairs]
    return [token.encode(), *packed]


SOUGHT = [form for token in (*CANARIES.values(), *WRONG.values()) for form in forms(token)]


def found_in(content: bytes) -> list[str]:
    """The forms of any canary that stand in something."""
    return [form.decode() for form in SOUGHT if form in content]


@pytest.fixture(scope="module")
def sandbox(quick_folder: Path) -> Iterator[Sandbox]:
    """A small organisation whose tokens are canaries."""
    organisation = build_organisation(engineers=4, months=2, services=2, end=END)
    github = GithubSettings(token=CANARIES["github"])
    jira = JiraSettings(token=CANARIES["jira"])
    with Sandbox(organisation, quick_folder / "git", github=github, jira=jira) as sandbox:
        yield sandbox


def write_settings(folder: Path, sandbox: Sandbox, tokens: dict[str, str]) -> Path:
    """Settings with three connections whose tokens stand in files outside the data folder."""
    folder.mkdir()
    for name, token in tokens.items():
        (folder / name).write_text(token, encoding="utf-8")
    organisation = sandbox.organisation
    repository = organisation.repositories[0]
    path = folder / "leadline.toml"
    path.write_text(
        f"""
data = "{folder / "data"}"

[connections.github]
base_url = "{sandbox.github_url}"
organisation = "{organisation.login}"
token = {{ file = "{folder / "github"}" }}

[connections.jira]
base_url = "{sandbox.jira_url}"
email = "{EMAIL}"
token = {{ file = "{folder / "jira"}" }}

[connections.git]
repositories = ["{sandbox.github_url}/{repository.owner}/{repository.name}.git"]
token = {{ file = "{folder / "git"}" }}
""",
        encoding="utf-8",
    )
    return path


@dataclass
class ProcessWatch:
    """Reads what every process shows of itself, over and over."""

    stopping: threading.Event = field(default_factory=threading.Event)
    in_commands: set[str] = field(default_factory=set)
    in_environments: set[str] = field(default_factory=set)

    def __enter__(self) -> "ProcessWatch":
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()

    def _watch(self) -> None:
        known = set()
        while not self.stopping.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    command = (process / "cmdline").read_bytes()
                    if (process, command) in known:
                        continue
                    known.add((process, command))
                    environment = (process / "environ").read_bytes()
                    name = (process / "comm").read_text(encoding="utf-8").strip()
                except OSError:
                    continue  # it has ended, or belongs to somebody else
                if found_in(command):
                    self.in_commands.add(name)
                if found_in(environment):
                    self.in_environments.add(name)


def leaks(folder: Path) -> dict[str, list[str]]:
    """The files below a folder that hold a canary, packed pages included."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if path.name == "landing.sqlite":
                content += unpacked(path)
            if wrong := found_in(content):
                found[str(path.relative_to(folder))] = wrong
    return found


def unpacked(landing: Path) -> bytes:
    """Every page that was kept."""
    connection = sqlite3.connect(landing)
    blobs = connection.execute("select blob from batch").fetchall()
    connection.close()
    return b"\n".join(zstandard.decompress(blob) for (blob,) in blobs)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched in /proc")
def test_no_token_is_seen_anywhere(sandbox: Sandbox, quick_folder: Path) -> None:
    """A run of the graph through faults, all logging on: not in output, files or process lists."""
    path = write_settings(quick_folder / "right", sandbox, {**CANARIES, "git": CANARIES["github"]})
    sandbox.faults.set(
        Rule(fault=Fault.SERVER_ERROR, skip=3, every=5, at_most=2),
        Rule(fault=Fault.RESET, skip=2, every=7, at_most=2),
        Rule(fault=Fault.TOO_MANY_REQUESTS, skip=5, every=9, at_most=2, seconds=0),
    )
    with ProcessWatch() as watch:
        run = subprocess.run(
            [sys.executable, "-c", GRAPH, str(path)],
            cwd=PROJECT,
            capture_output=True,
            timeout=600,
            check=False,
        )
    assert sandbox.faults.hits
    sandbox.faults.clear()
    assert b"leadline.client" in run.stderr
    assert found_in(run.stdout + run.stderr) == []
    assert watch.in_commands == set()
    assert watch.in_environments, "git was never seen at work"
    assert watch.in_environments <= ASKING
    assert (path.parent / "data" / "dagster").is_dir()
    assert b"pullRequests" in unpacked(path.parent / "data" / "landing.sqlite")
    assert leaks(path.parent / "data") == {}


def test_no_refused_token_is_shown(
    sandbox: Sandbox,
    quick_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Wrong tokens fail with a message for each connection, and no message holds one."""
    caplog.set_level(logging.DEBUG)
    path = write_settings(quick_folder / "wrong", sandbox, WRONG)
    work_in(path.parent, monkeypatch)
    shown = ""
    for command in (["sync"], ["doctor"], ["doctor", "--json"], ["status"], ["status", "--json"]):
        result = leadline("--settings", str(path), *command)
        shown += result.stdout + result.stderr + repr(result.exception)
        if command == ["sync"]:
            assert result.exit_code == 1
            for name in CANARIES:
                assert f"{name}." in result.stderr, result.stderr
    assert found_in((shown + caplog.text).encode()) == []
    settings = parse(path.read_bytes(), path)
    assert found_in(repr(settings).encode()) == []
    assert leaks(path.parent / "data") == {}


class Connections:
    """Every address this process connects to while it counts; hooks cannot be removed."""

    def __init__(self) -> None:
        self.is_counting = False
        self.found: set[object] = set()
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.is_counting and event in ("socket.connect", "socket.sendto"):
            self.found.add(arguments[1])
        if self.is_counting and event == "socket.getaddrinfo":
            self.found.add(("looked up", arguments[0]))


def test_connections_go_to_configured_hosts_only(sandbox: Sandbox, tmp_path: Path) -> None:
    """Sync, load and build connect to the two configured addresses and look up no other name."""
    path = write_settings(tmp_path / "hosts", sandbox, CANARIES)
    settings = parse(path.read_bytes(), path)
    connections = Connections()
    connections.is_counting = True
    operations.sync(settings, ["github", "jira"])
    operations.load_records(settings)
    operations.build(settings)
    connections.is_counting = False
    allowed = {
        (host, int(port))
        for url in (sandbox.github_url, sandbox.jira_url)
        for host, _, port in [url.removeprefix("http://").partition(":")]
    }
    assert connections.found - {("looked up", "127.0.0.1")} == allowed


def test_the_demo_needs_no_network_and_tries_none(quick_folder: Path) -> None:
    """With loopback alone, Dagster, git and the dashboard work, and no packet looks for a way out.

    The kernel counts what found no route; an attempt made on purpose shows that it does.
    """
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs unshare and ip: apt-get install util-linux iproute2")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a network of its own: run as root")
    folder = quick_folder / "offline"
    folder.mkdir()
    run = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.e2e.offline", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    found = json.loads(run.stdout)
    assert found["counted"] > 0
    assert found["page"] == 200, found["said"]
    assert found["exit"] == 0, found["said"]
    assert found["left"] == 0
