"""`leadline demo`: the whole path on a made-up organisation, and nothing left running."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.processes import is_running

PROJECT = Path(__file__).parents[2]
SECONDS = 240.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """The smallest demo, serving; ended as Ctrl-C ends it."""
    folder = tmp_path_factory.mktemp("demo")
    command = ["demo", "--engineers", "3", "--seed", "11"]
    with (folder / "stderr").open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", "from pipelines.cli import main; main()", *command],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
        )
    yield folder, process
    if process.poll() is None:
        process.kill()
    process.communicate()


def environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(PROJECT), "XDG_CACHE_HOME": str(folder / "cache")}


def descendants(parent: int) -> list[int]:
    """The ids of all processes below one."""
    found = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        for word in path.read_text(encoding="utf-8").split():
            found += [int(word), *descendants(int(word))]
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
def test_demo_from_nothing_to_the_dashboard(demo: tuple[Path, subprocess.Popen[str]]) -> None:
    """It pulls, builds, answers, serves on loopback; Ctrl-C ends all of it with exit code 0."""
    folder, process = demo
    known_at = time.time()
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if line.startswith("dashboard: "):
            break
    stderr = (folder / "stderr").read_text(encoding="utf-8")
    assert told, stderr
    assert told[-1].startswith("dashboard: http://127.0.0.1:"), stderr
    answer = "".join(told)
    assert re.search(r"deployments +[\d.]+ a week \(n = [\d,]+ in 91 days\)", answer)
    assert re.search(r"lead time +[\d.]+ (h|days) median", answer)
    assert "Traceback" not in stderr
    assert "DEBUG" not in stderr
    url = told[-1].split()[1]
    with urllib.request.urlopen(url, timeout=SECONDS) as page:  # noqa: S310
        assert page.status == 200
    started = descendants(process.pid)
    assert len(started) >= 2
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0
    deadline = time.monotonic() + SECONDS
    while any(is_running(one, known_at + SECONDS) for one in started):
        assert time.monotonic() < deadline, started
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="follows the test above")
def test_demo_can_be_asked_afterwards(demo: tuple[Path, subprocess.Popen[str]]) -> None:
    """Its settings and data stay for other commands: sources, commits and tickets are all there."""
    folder, process = demo
    assert process.poll() == 0
    settings = folder / "cache" / "leadline" / "demo" / "leadline.toml"
    sql = (
        "select (select count(*) from deployment_fact) as deployments,"
        " (select count(*) from change_fact) as changes,"
        " (select count(*) from ticket_fact) as tickets"
    )
    options = ["--settings", str(settings), "query", sql, "--format", "json"]
    result = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli import main; main()", *options],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(folder),
        timeout=SECONDS,
        check=True,
    )
    (row,) = json.loads(result.stdout)
    assert min(row.values()) > 0
    token = (settings.parent / "github_token").read_text(encoding="utf-8")
    assert (settings.parent / "github_token").stat().st_mode & 0o077 == 0
    assert token not in (folder / "stderr").read_text(encoding="utf-8")
    assert token not in settings.read_text(encoding="utf-8")
