"""`leadline listen` as a process: its start and end, tokens made beside it, and a kill."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pipelines.landing import Landing
from tests.docs.pages import DOCS, blocks
from tests.pushing import SECRET, deployment, rows

MAIN = "from pipelines.cli import main; main()"
SETTINGS = """\
data = "data"
[connections.push]
requests_per_second = 10000
[[connections.push.webhooks]]
vendor = "github"
secret = { env = "GITHUB_WEBHOOK_SECRET" }
"""
ENVIRONMENT = {**os.environ, "GITHUB_WEBHOOK_SECRET": SECRET}


def leadline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with settings."""
    (tmp_path / "leadline.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


@contextmanager
def listening(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and where it listens; killed in the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "listen", "--port", "0"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        found = re.search(r"http://\S+", first)
        assert found, first + process.stdout.read()
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield process, found[0]
    finally:
        process.kill()
        process.wait()
        drain.join()
        process.stdout.close()


def token(folder: Path, *scopes: str) -> str:
    """A new token."""
    told = leadline(folder, "token", "add", "ci", "--scope", ",".join(scopes), "--expires", "30d")
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def test_tokens_are_shown_once_listed_without_secret_and_revoked(folder: Path) -> None:
    """Made, listed, used by a process that runs already, taken back; wrong use is told."""
    with listening(folder) as (process, url):
        secret = token(folder, "deployments", "incidents")
        listed = leadline(folder, "token", "list").stdout
        assert "ci: deployments, incidents" in listed
        assert secret not in listed
        headers = {"authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            assert client.post("/v1/deployments", json=deployment()).status_code == 202
            assert leadline(folder, "token", "revoke", "ci").returncode == 0
            assert client.post("/v1/deployments", json=deployment()).status_code == 401
        assert "was revoked" in leadline(folder, "token", "list").stdout
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    for arguments, words in (
        (("add", "x", "--scope", "everything"), 'no scope "everything"'),
        (("add", "x"), "--scope"),
        (("add", "x", "--scope", "tickets", "--expires", "soon"), "no time"),
        (("add", "x", "--scope", "tickets", "--expires", "2020-01-01"), "over already"),
        (("add",), "name the token"),
        (("revoke", "nobody"), 'no token "nobody"'),
    ):
        told = leadline(folder, "token", *arguments)
        assert told.returncode == 2, arguments
        assert words in told.stderr, told.stderr


@pytest.mark.parametrize("seconds", [0.4, 0.9])
def test_nothing_that_was_acknowledged_is_lost_by_a_kill(folder: Path, seconds: float) -> None:
    """Several senders at once; SIGKILL in the middle of it; every 202 is in the records."""
    secret = token(folder, "deployments")
    acknowledged: list[str] = []

    def send(url: str, sender: int) -> None:
        headers = {"authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
            for number in range(100_000):
                body = deployment(f"{sender}-{number}")
                try:
                    answer = client.post("/v1/deployments", json=body)
                except httpx.TransportError:
                    return
                if answer.status_code == 202:
                    acknowledged.append(str(body["id"]))

    with listening(folder) as (process, url):
        senders = [threading.Thread(target=send, args=(url, n)) for n in range(4)]
        for each in senders:
            each.start()
        while not acknowledged:
            time.sleep(0.01)
        time.sleep(seconds)
        process.kill()
        for each in senders:
            each.join()
    assert acknowledged
    with Landing(folder / "data" / "landing.sqlite") as landing:
        kept = {
            json.loads(line.body)["id"]
            for batch in landing.batches()
            for _, line in landing.lines(batch)
        }
    assert set(acknowledged) - kept == set()
    with listening(folder) as (_, url):
        headers = {"authorization": f"Bearer {secret}"}
        answer = httpx.post(
            f"{url}/v1/deployments", json=deployment("after"), headers=headers, trust_env=False
        )
        assert answer.status_code == 202


def test_the_examples_of_the_documentation_run(folder: Path) -> None:
    """Every curl of push.md is taken, and becomes what the page says."""
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        pytest.skip("curl and openssl are needed to run the examples")
    scopes = "deployments,incidents,tickets,self-service-actions,setup-events"
    secret = token(folder, scopes)
    shown = [b.text for b in blocks(DOCS / "push.md", "sh") if "curl" in b.text]
    assert len(shown) >= 5
    with listening(folder) as (_, url):
        for text in shown:
            told = subprocess.run(
                ["bash", "-euc", text.replace("http://127.0.0.1:8503", url)],
                env={**ENVIRONMENT, "LEADLINE_TOKEN": secret, "no_proxy": "*"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert told.returncode == 0, told.stderr
            answers = re.findall(r"\{.*?\}", told.stdout)
            assert answers
            assert all(json.loads(answer)["received"] == 1 for answer in answers), told.stdout
    found = rows(folder / "data")
    for table, count in (
        ("deployment_attempt", 3),
        ("incident", 1),
        ("ticket", 1),
        ("self_service_action", 1),
        ("scaffolder_task", 1),
    ):
        assert len(found[table]) == count, table
    assert found["reject"] == []
