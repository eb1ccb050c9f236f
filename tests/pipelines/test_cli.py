"""The command line as a whole: help, exit codes, errors, stopping."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from connectors.secret import Secret
from pipelines.cli import app
from pipelines.commands import boundary
from tests.dashboards.fixture import write_empty_build
from tests.pipelines.command_line import leadline, work_in

PROJECT = Path(__file__).parents[2]
COMMANDS = [
    *("try", "demo", "init", "doctor"),
    *("up", "sync", "build", "serve", "listen", "token"),
    *("verdict", "report", "status", "query", "export"),
    *("confirm", "correct"),
]
HEAVY = ["altair", "dagster", "duckdb", "httpx", "pandas", "polars", "pyarrow", "scipy"]
HEAVY += ["streamlit", "pydantic", "uvicorn", "connectors.connector"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which commands run."""
    work_in(tmp_path, monkeypatch)
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(PROJECT), "COLUMNS": "100", **more}


def child(*arguments: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-c", "from pipelines.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(**more),
        timeout=60,
        check=False,
    )


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """`leadline --help` is quick because it imports none of the heavy libraries."""
    code = (
        "import sys\n"
        "from pipelines.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as error:\n    code = error.code\n"
        f"print('HEAVY', [name for name in {HEAVY} if name in sys.modules], code)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        check=True,
        timeout=60,
    )
    assert told.stdout.splitlines()[-1] == "HEAVY [] 0"


def test_help_lists_every_command_in_panels(here: Path) -> None:
    """The help groups the commands by when they are needed, and is plain without a terminal."""
    result = leadline("--help")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    places = [result.stdout.index(f"│ {name} ") for name in COMMANDS]
    assert places == sorted(places)
    for panel in ("Start here", "Run it", "Look and ask", "Decide"):
        assert panel in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, here: Path) -> None:
    """Every command explains itself without doing anything, and every option is explained."""
    result = leadline(name, "--help")
    assert result.exit_code == 0
    assert list(here.iterdir()) == []
    listed = {command.name for command in app.registered_commands}
    assert listed == set(COMMANDS)


def test_no_color_is_honoured(here: Path) -> None:
    """NO_COLOR keeps escape signs out, even where colour is forced."""
    plain = child("--help", folder=here, FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[3" not in plain.stdout
    assert "Start here" in plain.stdout


def test_version(here: Path) -> None:
    """--version names product and version."""
    result = leadline("--version")
    assert re.fullmatch(r"leadline \d+\.\d+\.\d+\S*\n", result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("deploy",),
        ("sync", "--ful"),
        ("query",),
        ("query", "select 1", "--format", "xml"),
        ("serve", "--port", "70000"),
        ("try",),
        ("demo", "--engineers", "1"),
        ("demo", "--world", "scalup"),
    ],
)
def test_wrong_use_gives_2(arguments: tuple[str, ...], here: Path) -> None:
    """What is no command, option or value is told on stderr with exit code 2."""
    result = leadline(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [("sync",), ("build",), ("status",), ("query", "select 1"), ("up",), ("serve",)]
)
def test_wrong_settings_give_2(arguments: tuple[str, ...], here: Path) -> None:
    """Every command that reads the settings tells what is wrong in them, and makes nothing."""
    (here / "leadline.toml").write_text("[organisation]\nzon = 'UTC'\n", encoding="utf-8")
    result = leadline(*arguments)
    assert result.exit_code == 2
    message = 'organisation.zon: no such setting; did you mean "zone"?'
    assert result.stderr == f"error: {here / 'leadline.toml'}:2: {message}\n"
    assert [path.name for path in here.iterdir()] == ["leadline.toml"]


def test_settings_option_names_the_file(here: Path) -> None:
    """--settings wins over the working directory."""
    (here / "other.toml").write_text('data = "elsewhere"', encoding="utf-8")
    result = leadline("--settings", "other.toml", "status", "--json")
    assert json.loads(result.stdout)["data"] == str(here / "elsewhere")
    missing = leadline("--settings", "none.toml", "status")
    assert missing.exit_code == 2
    assert "there is no such file" in missing.stderr


def test_init_writes_a_file_that_loads(here: Path) -> None:
    """The file holds, a second init does not replace it, --force does."""
    result = leadline("init")
    assert result.exit_code == 0
    example = (PROJECT / "leadline.example.toml").read_text(encoding="utf-8")
    assert (here / "leadline.toml").read_text(encoding="utf-8") == example
    assert leadline("status").exit_code == 0
    (here / "leadline.toml").write_text("mine = 1", encoding="utf-8")
    again = leadline("init")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert (here / "leadline.toml").read_text(encoding="utf-8") == "mine = 1"
    assert leadline("init", "--force").exit_code == 0
    assert (here / "leadline.toml").read_text(encoding="utf-8") == example


def test_sync_without_connections(here: Path) -> None:
    """With nothing to pull the next step is named."""
    result = leadline("sync")
    assert result.exit_code == 2
    assert "leadline init" in result.stderr


def test_sync_of_an_unknown_connection(here: Path) -> None:
    """A misspelt connection suggests the right one."""
    (here / "leadline.toml").write_text('[connections.git]\nrepositories = ["."]', encoding="utf-8")
    result = leadline("sync", "gti")
    assert result.exit_code == 2
    assert result.stderr == 'error: there is no connection "gti"; did you mean "git"?\n'


def test_up_refuses_an_open_address(here: Path) -> None:
    """Pages without sign-in are not offered to other machines."""
    result = leadline("up", "--host", "0.0.0.0")  # noqa: S104 - that it is refused is the point
    assert result.exit_code == 2
    assert "--behind-proxy" in result.stderr


def test_serve_on_a_taken_port(here: Path) -> None:
    """A port that was asked for and is taken is an error that says so."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = leadline("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "is taken" in result.stderr


def test_status_before_and_after(here: Path) -> None:
    """Before anything it makes no folder; with a build it tells its id and age."""
    result = leadline("status", "--json")
    assert json.loads(result.stdout) == {
        "data": str(here / ".leadline"),
        "build": None,
        "streams": [],
    }
    assert list(here.iterdir()) == []
    write_empty_build(here / ".leadline")
    told = json.loads(leadline("status", "--json").stdout)
    assert told["build"]["build_id"] == "20261118T061500"
    assert "20261118T061500, built" in leadline("status").stdout


def run_guarded(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and message for an error that a command raises."""

    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        boundary.guarded(command)()
    return caught.value.exit_code, capsys.readouterr().err


def expected_errors() -> Iterator[tuple[BaseException, int, str]]:
    from connectors.connector import SourceError
    from connectors.failures import NotFoundError
    from connectors.secret import SecretMissingError
    from pipelines.files import BusyError
    from pipelines.landing import LandingError
    from pipelines.load import LoadError
    from pipelines.reader import RebuildNeededError
    from pipelines.settings import SettingsError
    from pipelines.warehouse import AuditError, BuildResult

    yield SettingsError("f:1: bad"), 2, "error: f:1: bad\n"
    yield SecretMissingError("no token"), 2, "error: no token\n"
    yield SourceError("no answer"), 1, "error: no answer\n"
    yield NotFoundError("nothing there"), 1, "error: nothing there\n"
    yield LandingError("pulled by 7"), 1, "error: pulled by 7\n"
    yield BusyError("in use"), 1, "error: in use\n"
    yield LoadError("lost 3 items"), 1, "error: lost 3 items\n"
    yield RebuildNeededError(Path("x.duckdb"), 2), 1, "error: rebuild needed: x.duckdb"
    yield AuditError(BuildResult("b", Path("b"))), 1, "error: the build was not published"
    yield OSError(28, "No space left"), 1, "error: the disk is full"
    yield PermissionError(13, "denied", "/x/y"), 1, "error: no right to use this file"
    yield KeyboardInterrupt(), 130, "stopped\n"
    yield boundary.StoppedError(), 143, ""


@pytest.mark.parametrize("case", list(expected_errors()), ids=lambda case: type(case[0]).__name__)
def test_expected_errors_are_told_plainly(
    case: tuple[BaseException, int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each expected error gives its message and exit code, without a traceback."""
    error, code, message = case
    found, told = run_guarded(error, capsys)
    assert found == code
    assert told.startswith(message)
    assert "Traceback" not in told


def test_unexpected_error_asks_for_a_report_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect shows where it is and how to report it; a revealed secret is cut out."""
    monkeypatch.setenv("A_TOKEN", "canary-5b1f")
    value = Secret(env="A_TOKEN").reveal()
    code, told = run_guarded(ZeroDivisionError(f"while asking with {value}"), capsys)
    assert code == 1
    assert "ZeroDivisionError: while asking with ***" in told
    assert "Please report" in told
    assert "canary" not in told


def test_closed_pipe_is_no_error(here: Path) -> None:
    """`leadline query … | head` ends quietly."""
    write_empty_build(here / ".leadline")
    code = "from pipelines.cli import main; main()"
    command = [sys.executable, "-c", code, "query", "from range(10000000)", "--format", "csv"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=here, env=environment()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"range\n"
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), told) == (0, b"")


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [(signal.SIGINT, 130, b"stopped\n"), (signal.SIGTERM, 143, b""), (signal.SIGHUP, 143, b"")],
)
def test_signals_end_a_command_cleanly(
    number: signal.Signals, code: int, told: bytes, here: Path
) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end a running command without a traceback."""
    write_empty_build(here / ".leadline")
    program = "from pipelines.cli import main; main()"
    # Rows come until the pipe is full, so the command is within its work when it is stopped.
    command = [sys.executable, "-c", program, "query", "from range(900000000)", "--format", "csv"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=here, env=environment()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"range\n"
    process.send_signal(number)
    deadline = time.monotonic() + 30
    while process.stdout.read(65536) and time.monotonic() < deadline:
        continue
    assert process.wait(30) == code
    assert process.stderr.read() == told
    process.stdout.close()
    process.stderr.close()
