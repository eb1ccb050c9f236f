"""An emulated Jira Data Center 8.20 in an environment of its own, and what it lacks beside it.

The emulator compares days where Jira compares milliseconds, gives no history with a search, and
has no lists of worklogs. Those are made here from its own answers; all else is passed on.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.connectors.web import Asked, Reply

# Outside of the lock: it brings a web framework, and the product does not need it.
PACKAGE = "jira820==0.12.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "leadline-tests"
_JQL = re.compile(
    r"(?P<within>project in \([^)]*\) AND )?updated >= (?P<since>\d+) "
    r"ORDER BY updated ASC, key ASC"
)
_ALL = 100_000


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """The emulator's address, for as long as the block lasts."""
    command = _installed()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {"PATH": os.environ["PATH"], "JIRA820_HOST": "127.0.0.1", "JIRA820_PORT": port}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        [command], env=environment, cwd=folder, stdout=quiet, stderr=quiet
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(10)


class Completed:
    """What stands before the emulator, and answers what it cannot."""

    def __init__(self, address: str) -> None:
        self.address = address

    def answer(self, asked: Asked) -> Reply:
        """One answer."""
        split = urlsplit(asked.path)
        given = {name: values[0] for name, values in parse_qs(split.query).items()}
        path = split.path.removeprefix("/rest/api/2")
        match asked.method, path:
            case "GET", "/search":
                return Reply(body=self._search(given))
            case "GET", "/worklog/updated":
                values = [{"worklogId": int(w["id"]), "updatedTime": _ms(w)} for w in self.worklogs]
                found = sorted(
                    (v for v in values if v["updatedTime"] >= int(given["since"])),
                    key=lambda value: value["updatedTime"],
                )
                return Reply(body={"values": found, "lastPage": True, "until": 0})
            case "GET", "/worklog/deleted":
                return Reply(body={"values": [], "lastPage": True, "until": 0})
            case "POST", "/worklog/list":
                wanted = set(json.loads(asked.body)["ids"])
                return Reply(body=[w for w in self.worklogs if int(w["id"]) in wanted])
            case "GET", "/user/search":
                # A dot finds everybody in Jira; here it must stand in the name.
                asked = replace(asked, path=asked.path.replace("username=.", "username="))
        status, body = ask(f"{self.address}{asked.path}")
        return Reply(status, body)

    @property
    def worklogs(self) -> list[dict[str, Any]]:
        """Everything logged; the emulator counts within a ticket, Jira within the site."""
        found = []
        for issue in self.issues():
            _, body = ask(f"{self.address}/rest/api/2/issue/{issue['key']}/worklog")
            for position, worklog in enumerate(json.loads(body)["worklogs"]):
                number = str(int(issue["id"]) * 1000 + position)
                found.append({**worklog, "id": number, "issueId": issue["id"]})
        return found

    def issues(self, jql: str = "", fields: str = "updated") -> list[dict[str, Any]]:
        """What the emulator's own search finds."""
        query = urlencode({"jql": jql, "maxResults": _ALL, "fields": fields})
        status, body = ask(f"{self.address}/rest/api/2/search?{query}")
        assert status == 200, body
        found: list[dict[str, Any]] = json.loads(body)["issues"]
        return found

    def histories(self, key: str) -> dict[str, Any]:
        """The whole history of an issue."""
        _, body = ask(f"{self.address}/rest/api/2/issue/{key}?expand=changelog")
        found: dict[str, Any] = json.loads(body)["changelog"]
        return found

    def move(self, key: str) -> bool:
        """Take an issue to a next state, as somebody at the emulator would."""
        address = f"{self.address}/rest/api/2/issue/{key}/transitions"
        _, body = ask(address)
        (first, *_) = json.loads(body)["transitions"]
        return ask(address, "POST", {"transition": {"id": first["id"]}})[0] < 300

    def delete(self, key: str) -> bool:
        """Delete an issue."""
        return ask(f"{self.address}/rest/api/2/issue/{key}", "DELETE")[0] < 300

    def _search(self, given: dict[str, str]) -> dict[str, Any]:
        read = _JQL.fullmatch(given["jql"])
        assert read is not None, given["jql"]
        since = int(read["since"])
        day = f"{datetime.fromtimestamp(since / 1000, UTC):%Y-%m-%d}"
        found = self.issues(f'{read["within"] or ""}updated >= "{day}"', given["fields"])
        found = [issue for issue in found if _ms(issue["fields"]) >= since]
        found.sort(key=lambda issue: (_ms(issue["fields"]), issue["key"]))
        start, limit = int(given.get("startAt", 0)), int(given["maxResults"])
        shown = found[start : start + limit]
        if given.get("expand") == "changelog":
            shown = [{**issue, "changelog": self.histories(issue["key"])} for issue in shown]
        return {"startAt": start, "maxResults": limit, "total": len(found), "issues": shown}


def ask(address: str, method: str = "GET", sent: Any = None) -> tuple[int, bytes]:
    """Status and body of one request to the emulator."""
    data = None if sent is None else json.dumps(sent).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310  loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _ms(thing: dict[str, Any]) -> int:
    return round(datetime.fromisoformat(thing["updated"]).timestamp() * 1000)


def _installed() -> str:
    folder = CACHE / "jira820"
    command = folder / "bin" / "jira820"
    if not command.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        if uv is None:
            pytest.skip("uv is not installed")
        try:
            _run([uv, "venv", "--quiet", "--allow-existing", str(folder)])
            python = str(folder / "bin" / "python")
            _run([uv, "pip", "install", "--quiet", "--python", python, PACKAGE])
        except subprocess.SubprocessError as error:
            pytest.skip(f"{PACKAGE} cannot be installed here: {error}")
    return str(command)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the emulator ended at once"
        try:
            if ask(f"{address}/rest/api/2/serverInfo")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the emulator does not answer")
