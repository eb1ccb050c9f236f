"""`leadline sync`, `build`, `status`, step by step on files and clones."""

import json
import subprocess
from pathlib import Path

import pytest

from pipelines.landing import Landing
from pipelines.settings import load as load_settings
from pipelines.sync import utc_now
from tests.pipelines.command_line import leadline, work_in

SETTINGS = """
[connections.deploys]
kind = "files"

[[connections.deploys.tables]]
path = "deployments.csv"
record = "deployment"
columns = { attempt_id = "id", service_hint = "service", environment = "environment", \
created_at = "at", state = "state" }
zone = "UTC"
"""
HEAD = "id,service,environment,at,state\n"


def rows(first: int, last: int) -> str:
    """Deployments as a file has them."""
    return "".join(
        f"{number},shop,production,2026-11-{1 + number % 20:02} 10:00:00,success\n"
        for number in range(first, last)
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings and a file of 40 deployments."""
    work_in(tmp_path, monkeypatch, SETTINGS)
    (tmp_path / "deployments.csv").write_text(HEAD + rows(0, 40), encoding="utf-8")
    return tmp_path


def counted(table: str) -> int:
    told = leadline("query", f"select count(*) as n from {table}", "--format", "json")
    return int(json.loads(told.stdout)[0]["n"])


def test_sync_says_what_landed(here: Path) -> None:
    """The first sync tells rows by table, the second that nothing is new."""
    first = leadline("sync")
    assert first.exit_code == 0, first.output
    assert "deploys (files): 40 items, 0 requests" in first.stdout
    assert "loaded: deployment_attempt 40" in first.stdout
    second = leadline("sync", "deploys")
    assert second.exit_code == 0, second.output
    assert second.stdout == "deploys: –\nloaded: nothing new\n"
    status = json.loads(leadline("status", "--json").stdout)
    assert [stream["connection"] for stream in status["streams"]] == ["deploys"] * len(
        status["streams"]
    )
    assert status["build"] is None


def test_rejected_rows_are_counted(here: Path) -> None:
    """A row that cannot be read is told, and the others are loaded."""
    text = HEAD + rows(0, 3) + "9,shop,production,yesterday,success\n"
    (here / "deployments.csv").write_text(text, encoding="utf-8")
    result = leadline("sync")
    assert result.exit_code == 0, result.output
    assert "loaded: deployment_attempt 3" in result.stdout
    assert "rejected: deployment_attempt 1" in result.stdout


def test_source_that_fails_gives_1_and_keeps_the_rest(here: Path) -> None:
    """One connection fails: the other is loaded, the error is told, the exit code is 1."""
    broken = f'[connections.git]\nrepositories = ["{here / "none"}"]\n'
    (here / "leadline.toml").write_text(SETTINGS + broken, encoding="utf-8")
    result = leadline("sync")
    assert result.exit_code == 1
    assert "loaded: deployment_attempt 40" in result.stdout
    assert "not everything could be pulled" in result.stderr
    assert str(here / "none") in result.stderr
    assert "Traceback" not in result.stderr
    assert leadline("sync", "deploys").exit_code == 0


def test_deletions_wait_for_confirmation(here: Path) -> None:
    """Most rows gone at once are held back and told; --confirm-deletions lets them go."""
    leadline("sync")
    (here / "deployments.csv").write_text(HEAD + rows(0, 5), encoding="utf-8")
    leadline("sync", "--full")
    held = leadline("sync", "--full")
    assert "held back: 35 deletions of deployment_attempt in deploys" in held.stdout, held.output
    assert "leadline sync deploys --confirm-deletions" in held.stdout
    confirmed = leadline("sync", "deploys", "--confirm-deletions")
    assert "deleted: deployment_attempt 35" in confirmed.stdout, confirmed.output
    assert "held back" not in confirmed.stdout


def test_build_publishes_and_can_be_asked(here: Path) -> None:
    """Build loads what sync has brought, publishes, and status tells it."""
    leadline("sync")
    result = leadline("build")
    assert result.exit_code == 0, result.output
    assert "published 2" in result.stdout
    assert counted("build") == 1
    status = json.loads(leadline("status", "--json").stdout)
    assert status["build"]["build_id"] in result.stdout
    assert "source     deploys." in leadline("status").stdout


def test_one_puller_at_a_time(here: Path) -> None:
    """While a connection is pulled, a second sync is refused and says by whom."""
    settings = load_settings()
    settings.data.mkdir()
    with (
        Landing(settings.data / "landing.sqlite") as landing,
        landing.puller("deploys", utc_now()),
    ):
        result = leadline("sync")
    assert result.exit_code == 1
    assert "connection deploys is being pulled by process" in result.stderr
    assert leadline("sync").exit_code == 0


def test_landing_of_a_newer_version(here: Path) -> None:
    """A data folder of a newer Leadline is refused before anything is written."""
    leadline("sync")
    subprocess.run(
        [
            "python3",
            "-c",
            "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('pragma user_version = 99')",
            str(here / ".leadline" / "landing.sqlite"),
        ],
        check=True,
        timeout=30,
    )
    for command in ("sync", "build", "status"):
        result = leadline(command)
        assert result.exit_code == 1
        assert "written by a newer Leadline" in result.stderr


def test_landing_that_is_damaged(here: Path) -> None:
    """A landing file that is no database gives a way out, not a traceback."""
    leadline("sync")
    for path in (here / ".leadline").glob("landing.sqlite*"):
        path.write_bytes(b"not a database at all" * 500)
    result = leadline("sync")
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert "landing.sqlite" in result.stderr
