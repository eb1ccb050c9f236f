"""The Backstage connector against a real Backstage backend with real runs of a template."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.backstage import Backstage, BackstageOptions
from connectors.connector import Pull
from pipelines.sync import SyncResult
from sandbox.backstage_payloads import BackstagePayloads
from sandbox.world import World
from sandbox.worlds import WORLDS, build_world
from tests import pulling

FOLDER = Path(__file__).parent / "backstage"
TOKEN = "a-static-token-of-the-test"
CONFIG = """
app: {{ title: Portal, baseUrl: '{url}' }}
organization: {{ name: Acme }}
backend:
  baseUrl: '{url}'
  listen: {{ host: 127.0.0.1, port: {port} }}
  database: {{ client: better-sqlite3, connection: ':memory:' }}
  auth:
    externalAccess:
      - type: static
        options: {{ token: {token}, subject: leadline }}
catalog:
  rules:
    - allow: [Component, System, API, Resource, Location, Group, User, Template]
  processingInterval: {{ seconds: 2 }}
  locations:
    - type: file
      target: {catalog}
"""
pytestmark = pytest.mark.node


@dataclass
class Portal:
    """A running backend."""

    url: str
    catalog: Path
    folder: Path

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """An answer of the backend."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = httpx.request(
            method, f"{self.url}/api/{path}", headers=headers, trust_env=False, **more
        )
        answer.raise_for_status()
        return answer.json()

    def begin(self, **values: Any) -> str:
        """Run the template."""
        payload = {"templateRef": "template:default/service", "values": values}
        return str(self.ask("POST", "scaffolder/v2/tasks", json=payload)["id"])

    def until(self, task: str, *states: str) -> None:
        """Wait until a run has one of the states."""
        for _ in range(200):
            if self.ask("GET", f"scaffolder/v2/tasks/{task}")["status"] in states:
                return
            time.sleep(0.2)
        raise AssertionError(f"{task} never became {states}")

    def until_there_are(self, number: int, kind: str) -> None:
        """Wait until the catalog, which reads its file now and then, shows so many of a kind."""
        for _ in range(120):
            shown = self.ask("GET", f"catalog/entities/by-query?filter=kind={kind}&limit=1")
            if shown["totalItems"] == number:
                return
            time.sleep(0.5)
        raise AssertionError(f"there never were {number} of {kind}: {json.dumps(shown)}")

    def connector(self) -> Backstage:
        """A connection to it."""
        options = {"base_url": self.url, "token": {"env": "TEST_BACKSTAGE_TOKEN"}}
        return Backstage("portal", BackstageOptions.model_validate(options))

    def pull(self, name: str, **more: Any) -> SyncResult:
        """Pull into a data folder of that name."""
        clones = self.folder / "clones"
        return pulling.pull(self.folder / name, self.connector(), clones=clones, **more)

    def rows(self, name: str, table: str) -> list[dict[str, Any]]:
        """Load what was pulled there; the rows of one record."""
        with pulling.loaded(self.folder / name) as connection:
            found = connection.execute(f"select * from {table} where deleted_at is null")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A backend of its own, up within seconds."""
    if shutil.which("node") is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip("run npm ci in tests/node/backstage first: there is no Backstage")
    folder = tmp_path_factory.mktemp("backstage")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    catalog = Path(shutil.copy(FOLDER / "catalog.yaml", folder / "catalog.yaml"))
    config = folder / "config.yaml"
    config.write_text(
        CONFIG.format(url=url, port=port, token=TOKEN, catalog=catalog), encoding="utf-8"
    )
    os.environ["TEST_BACKSTAGE_TOKEN"] = TOKEN
    log = (folder / "log.txt").open("wb")
    command = ["node", "server.js", "--config", str(config)]
    environment = {**os.environ, "NODE_OPTIONS": "--no-node-snapshot", "NODE_ENV": "production"}
    process = subprocess.Popen(
        command, cwd=FOLDER, env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        running = Portal(url, catalog, folder)
        _wait(running, process, folder / "log.txt")
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _wait(portal: Portal, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-3000:]
        try:
            if portal.ask("GET", "catalog/entities/by-query?limit=0")["totalItems"] >= 8:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"the backend did not come up: {log.read_text()[-3000:]}")


def test_runs_and_entities_become_records(portal: Portal) -> None:
    """What succeeded, failed and was cancelled, with steps and times; who owns what."""
    done = portal.begin(name="alpha", repoUrl="github.com?owner=acme&repo=alpha")
    failed = portal.begin(name="beta", fail=True)
    open_run = portal.begin(name="gamma", wait=True)
    portal.until(done, "completed")
    portal.until(failed, "failed")
    portal.until(open_run, "processing")
    assert portal.pull("first").errors == []
    tasks = {row["name"]: row for row in portal.rows("first", "scaffolder_task")}
    assert {name: row["status"] for name, row in tasks.items()} == {
        "alpha": "succeeded",
        "beta": "failed",
        "gamma": "running",
    }
    alpha = tasks["alpha"]
    assert alpha["repository_key"] == "github.com/acme/alpha"
    assert alpha["entity_ref"] == "component:default/alpha"
    assert alpha["completed_at"] >= alpha["created_at"]
    assert tasks["beta"]["repository_key"] is None
    assert tasks["gamma"]["completed_at"] is None
    steps = {
        (row["task_id"].rsplit(":", 1)[-1], row["step_id"]): row["status"]
        for row in portal.rows("first", "scaffolder_step")
    }
    assert steps[done, "say"] == "succeeded"
    assert steps[done, "wait"] == "skipped"
    assert steps[failed, "break"] == "failed"
    entities = {row["entity_ref"]: row for row in portal.rows("first", "catalog_entity")}
    shop = entities["component:default/shop"]
    assert (shop["owner"], shop["system"], shop["depends_on"]) == (
        "group:default/checkout",
        "system:default/store",
        ["resource:default/cluster-1"],
    )
    assert (shop["repository_key"], shop["path"]) == ("github.com/acme/shop", "services/shop/")
    teams = {row["team_id"]: row for row in portal.rows("first", "team")}
    assert teams["portal:group:default/checkout"]["parent"] == "portal:group:default/commerce"
    assert teams["portal:group:default/commerce"]["name"] == "All of commerce"
    members = portal.rows("first", "team_member")
    assert [row["account_id"] for row in members] == ["portal:user:default/ada"]
    # A second pull finds nothing; once the open run is cancelled, only that.
    assert portal.pull("first").pages == 0
    portal.ask("POST", f"scaffolder/v2/tasks/{open_run}/cancel")
    portal.until(open_run, "failed", "cancelled")
    assert portal.pull("first").pages == 1
    tasks = {row["name"]: row for row in portal.rows("first", "scaffolder_task")}
    assert tasks["gamma"]["status"] == "cancelled"
    actions = {row["outcome"] for row in portal.rows("first", "self_service_action")}
    assert actions == {"succeeded", "failed", "cancelled"}


def test_small_pages_say_the_same(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cursors and offsets are followed to the end."""
    monkeypatch.setattr("connectors.backstage_streams.ENTITIES_A_PAGE", 3)
    monkeypatch.setattr("connectors.backstage_streams.TASKS_A_PAGE", 2)
    for number in range(4):
        portal.until(portal.begin(name=f"many-{number}"), "completed")
    assert portal.pull("small").errors == []
    total = portal.ask("GET", "scaffolder/v2/tasks?limit=1")["totalTasks"]
    assert len(portal.rows("small", "scaffolder_task")) == total
    assert len(portal.rows("small", "catalog_entity")) == 6


def test_an_entity_that_is_gone_is_deleted(portal: Portal) -> None:
    """By two full passes that do not show it; the catalog has no other word for it."""
    assert portal.pull("gone").errors == []
    assert len(portal.rows("gone", "catalog_entity")) == 6
    told = portal.catalog.read_text(encoding="utf-8")
    parts = [part for part in told.split("---\n") if "name: cluster-1 }" not in part]
    portal.catalog.write_text("---\n".join(parts), encoding="utf-8")
    try:
        portal.until_there_are(0, "resource")
        for _ in range(2):
            assert portal.pull("gone", full=True).errors == []
        assert "resource:default/cluster-1" not in {
            row["entity_ref"] for row in portal.rows("gone", "catalog_entity")
        }
    finally:
        # What comes after starts from the whole catalog, so this waits for it.
        portal.catalog.write_text(told, encoding="utf-8")
        portal.until_there_are(1, "resource")


def test_the_doctor_speaks_to_it(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts what it sees; a wrong token is told as such."""
    connector = portal.connector()
    with connector.client() as client:
        pull = Pull(client, portal.folder, lambda: datetime.now(UTC))
        found = {finding.subject: finding for finding in connector.diagnose(pull)}
    assert {finding.level for finding in found.values()} == {"ok"}
    assert found["components"].message == "1"
    monkeypatch.setenv("TEST_BACKSTAGE_TOKEN", "wrong-token")
    with connector.client() as client:
        pull = Pull(client, portal.folder, lambda: datetime.now(UTC))
        (told,) = connector.diagnose(pull)
    assert told.level == "error"
    assert "token is wrong or expired" in told.message


def test_the_sandbox_answers_in_the_same_shape(portal: Portal) -> None:
    """Every name and kind of value in what the made-up portal says is one the real one says."""
    task = portal.begin(name="shape", repoUrl="github.com?owner=acme&repo=shape")
    portal.until(task, "completed")
    organisation = build_world(WORLDS["steady"], end=datetime(2026, 11, 1, tzinfo=UTC))
    made = BackstagePayloads(World(organisation), "https://github.com")
    real = portal.ask("GET", "catalog/entities/by-query?limit=100")["items"]
    for kind in ("Component", "Group", "User", "Template", "Resource"):
        assert _shape(made.entities(), kind) <= _shape(real, kind) | _OPTIONAL, kind
    ours = made.tasks()[0]
    theirs = portal.ask("GET", f"scaffolder/v2/tasks/{task}")
    assert _names(ours) <= _names(theirs) | _OPTIONAL
    told = portal.ask("GET", f"scaffolder/v2/tasks/{task}/events")
    assert _names(made.events(ours["id"])) <= _names(told)


# A static token names nobody; titles and parts of a spec are there where somebody wrote them.
_OPTIONAL = {
    *(".createdBy:str", ".spec.user.ref:str", ".metadata.title:str", ".spec.profile.email:str"),
    *(".spec.parameters.name:str", ".spec.type:str", ".spec.owner:str"),
}


def _shape(entities: list[dict[str, Any]], kind: str) -> set[str]:
    return _names([entity for entity in entities if entity["kind"] == kind])


def _names(value: Any, place: str = "") -> set[str]:
    """Where which kind of value stands; annotations are free."""
    if isinstance(value, dict) and not place.endswith(("annotations", "input")):
        return {name for key, each in value.items() for name in _names(each, f"{place}.{key}")}
    if isinstance(value, list):
        return {name for each in value for name in _names(each, place)}
    return {f"{place}:{type(value).__name__}"}
