"""`leadline doctor`: what is right, what is wrong, and what each page will lack."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.generate import build_organisation
from sandbox.server import Sandbox
from tests.dashboards.fixture import write_empty_build
from tests.pipelines.command_line import leadline, work_in


class Told(NamedTuple):
    code: int
    ok: bool
    findings: list[tuple[str, str, str]]

    def about(self, subject: str) -> list[tuple[str, str]]:
        """Levels and messages of one subject."""
        return [(level, message) for level, name, message in self.findings if name == subject]


def doctor(*arguments: str) -> Told:
    result = leadline("doctor", "--json", *arguments)
    assert "Traceback" not in result.stderr, result.stderr
    told = json.loads(result.stdout)
    found = [(f["level"], f["subject"], f["message"]) for f in told["findings"]]
    return Told(result.exit_code, told["ok"], found)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=30
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A real repository of three commits."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for number in range(3):
        git(folder, "commit", "--quiet", "--allow-empty", "--message", f"commit {number}")
    return folder


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A small organisation on loopback."""
    made_up = build_organisation(engineers=2, months=1, end=datetime(2026, 11, 20, tzinfo=UTC))
    with Sandbox(made_up, tmp_path_factory.mktemp("forge")) as sandbox:
        yield sandbox


def test_without_settings_nothing_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh machine: versions are told, and the next steps, but there is no error."""
    work_in(tmp_path, monkeypatch)
    told = doctor()
    assert (told.code, told.ok) == (0, True)
    assert "Python 3." in told.about("versions")[0][1]
    assert told.about("settings")[0][0] == "warning"
    assert "leadline init" in told.about("settings")[0][1]
    assert "leadline sync" in told.about("landing")[0][1]
    lacking = [message for _, subject, message in told.findings if subject.startswith("page ")]
    assert any("will lack deployments" in message and "github" in message for message in lacking)
    assert any("ticket" in message and "jira" in message for message in lacking)


def test_wrong_settings_are_all_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each problem of the file is a finding of its own, and the exit code is 2."""
    work_in(tmp_path, monkeypatch, '[organisation]\nzon = "x"\nname = 5\n')
    told = doctor()
    assert (told.code, told.ok) == (2, False)
    path = tmp_path / "leadline.toml"
    assert [message.removeprefix(str(path)) for _, message in told.about("settings")] == [
        ":3: organisation.name: must be text in quotes, not 5",
        ':2: organisation.zon: no such setting; did you mean "zone"?',
    ]


def test_text_is_one_line_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --json each finding is a line that starts with its level, without colour."""
    work_in(tmp_path, monkeypatch)
    lines = leadline("doctor").stdout.splitlines()
    assert {line.split()[0] for line in lines} == {"ok", "warning"}
    assert "\x1b" not in "".join(lines)


def test_clones_are_opened(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good clone is ok, a shallow one a warning, a missing one an error with exit code 1."""
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{clone}", str(shallow))
    settings = f'[connections.git]\nrepositories = ["{clone}", "{shallow}", "{tmp_path}/none"]\n'
    work_in(tmp_path, monkeypatch, settings)
    told = doctor()
    assert told.code == 1
    assert told.about(f"git: {clone}") == [("ok", "can be read")]
    assert told.about(f"git: {shallow}")[0][0] == "warning"
    assert told.about(f"git: {tmp_path}/none")[0][0] == "error"


def test_pages_name_only_what_is_missing(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With clones alone, deployments come from tags; reviews and tickets are missing."""
    work_in(tmp_path, monkeypatch, f'[connections.git]\nrepositories = ["{clone}"]\n')
    told = doctor("--offline")
    assert told.code == 0
    lacking = " ".join(m for _, subject, m in told.findings if subject.startswith("page "))
    assert "reviews" in lacking
    assert "ticket" in lacking
    assert "lack deployments" not in lacking
    assert "lack changes" not in lacking


def test_permissions_are_told_with_what_they_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each permission of each connection, with the streams and pages it is for, asking nobody."""
    text = (
        '[connections.tickets]\nkind = "jira"\nbase_url = "https://jira.example"\n'
        'token = { env = "NONE" }\n'
    )
    work_in(tmp_path, monkeypatch, text)
    told = doctor("--offline")
    assert told.code == 0
    ((level, message),) = told.about("tickets: permission Browse projects")
    assert level == "ok"
    assert "for issues, worklogs, shown on Delivery" in message
    assert "What to automate next" in message
    assert "read:jira-work" in message


def github(sandbox: Sandbox, token: str) -> str:
    return (
        f'[connections.github]\norganisation = "{sandbox.organisation.login}"\n'
        f'base_url = "{sandbox.github_url}"\ntoken = {token}\n'
    )


def test_token_that_works(forge: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that opens the organisation gives findings without an error."""
    monkeypatch.setenv("FORGE_TOKEN", forge.token)
    work_in(tmp_path, monkeypatch, github(forge, '{ env = "FORGE_TOKEN" }'))
    told = doctor()
    found = [level for level, subject, _ in told.findings if subject.startswith("github")]
    assert found
    assert "error" not in found
    assert forge.token not in json.dumps(told)


def test_token_that_does_not(
    forge: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong token is an error that does not repeat it."""
    monkeypatch.setenv("FORGE_TOKEN", "canary-77aa")
    work_in(tmp_path, monkeypatch, github(forge, '{ env = "FORGE_TOKEN" }'))
    told = doctor()
    assert told.code == 1
    errors = [m for level, subject, m in told.findings if level == "error"]
    assert errors
    assert "canary" not in json.dumps(told)


def test_offline_asks_nobody(
    forge: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--offline sends no request, so even a wrong token passes."""
    monkeypatch.setenv("FORGE_TOKEN", "wrong")
    work_in(tmp_path, monkeypatch, github(forge, '{ env = "FORGE_TOKEN" }'))
    forge.requests.clear()
    assert doctor("--offline").code == 0
    assert list(forge.requests) == []


def test_token_that_is_not_there(
    forge: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable is named, and other checks go on."""
    monkeypatch.delenv("FORGE_TOKEN", raising=False)
    work_in(tmp_path, monkeypatch, github(forge, '{ env = "FORGE_TOKEN" }'))
    told = doctor()
    assert told.code == 1
    message = "the environment variable FORGE_TOKEN is empty or missing; put the token there"
    assert ("error", message) in [(level, m) for level, _, m in told.findings]
    assert told.findings[-1][1].startswith("page")


def test_source_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nobody listens is an error that names it."""
    monkeypatch.setenv("FORGE_TOKEN", "x")
    text = (
        '[connections.github]\norganisation = "o"\nbase_url = "http://127.0.0.1:9"\n'
        'token = { env = "FORGE_TOKEN" }\n'
    )
    work_in(tmp_path, monkeypatch, text)
    told = doctor()
    assert told.code == 1
    assert any(level == "error" and "127.0.0.1:9" in m for level, _, m in told.findings)


def test_certificates_that_are_missing(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ca_file that is not there is told before anything is asked."""
    text = f'[connections.git]\nrepositories = ["{clone}"]\nca_file = "none.pem"\n'
    work_in(tmp_path, monkeypatch, text)
    told = doctor()
    assert told.code == 1
    assert told.about("git")[1:] == [("error", f"ca_file {tmp_path / 'none.pem'} is missing")]


def test_data_folder_that_others_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was received is nobody else's business."""
    data = work_in(tmp_path, monkeypatch)
    data.mkdir(mode=0o700)
    assert doctor().about("data folder")[0][0] == "ok"
    data.chmod(0o755)
    level, message = doctor().about("data folder")[0]
    assert level == "warning"
    assert f"chmod 700 {data}" in message


def test_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than a gigabyte is an error before a build meets it."""
    work_in(tmp_path, monkeypatch)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=200_000_000))
    told = doctor()
    assert told.code == 1
    assert told.about("disk")[0] == ("error", "0.2 GB free; make room, a build needs about 1 GB")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo git version 2.20.1", "2.20.1 is too old"),
        ("exit 127", "git cannot be run"),
    ],
)
def test_git_that_will_not_do(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old or missing git is told with what to do."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    fake.chmod(0o755)
    work_in(tmp_path, monkeypatch)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    told = doctor()
    assert told.code == 1
    assert message in told.about("git")[0][1]


def test_build_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A published build is told with its age; one of another version is an error."""
    data = work_in(tmp_path, monkeypatch)
    write_empty_build(data)
    assert doctor().about("build")[0][0] == "ok"
    write_empty_build(data, schema_version=99)
    told = doctor()
    assert told.code == 1
    assert "rebuild needed" in told.about("build")[0][1]
