"""Backstage: what annotations mean, nothing lost between pulls, odd answers told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from connectors.backstage import Backstage, BackstageOptions
from connectors.backstage_records import source_of
from connectors.connector import Line, Pull, Stream
from connectors.records import (
    Account,
    CatalogEntity,
    Record,
    ScaffolderStep,
    ScaffolderTask,
    SelfServiceAction,
    Team,
    TeamMember,
)
from sandbox.server import Sandbox
from sandbox.worlds import WORLDS, build_world
from tests.connectors.web import Asked, Reply, serving
from tests.e2e.comparison import differing
from tests.e2e.demo_world import END
from tests.pulling import pull, rows


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKSTAGE_TOKEN", "sandbox-token")


def connector(url: str, **more: Any) -> Backstage:
    """A connection to a backend."""
    options = {"base_url": url, "token": {"env": "BACKSTAGE_TOKEN"}, **more}
    return Backstage("portal", BackstageOptions.model_validate(options))


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, (None, None)),
        ({"github.com/project-slug": "Acme/Shop"}, ("github.com/acme/shop", None)),
        ({"gitlab.com/project-slug": "acme/team/shop"}, ("gitlab.com/acme/team/shop", None)),
        (
            {"backstage.io/source-location": "url:https://github.com/acme/shop/tree/main/"},
            ("github.com/acme/shop", None),
        ),
        (
            {"backstage.io/source-location": "url:https://git.x/acme/shop/-/tree/main/api/"},
            ("git.x/acme/shop", "api/"),
        ),
        (
            {"backstage.io/source-location": "url:https://github.com/acme/shop.git"},
            ("github.com/acme/shop", None),
        ),
        # A repository of descriptions: the slug says where the code is.
        (
            {
                "backstage.io/source-location": "url:https://github.com/acme/catalog/tree/main/x/",
                "github.com/project-slug": "acme/shop",
            },
            ("github.com/acme/shop", None),
        ),
        # The slug has no host; the location of the same repository has.
        (
            {
                "backstage.io/source-location": "url:https://ghe.x/acme/shop/tree/main/svc/a/",
                "github.com/project-slug": "acme/shop",
            },
            ("ghe.x/acme/shop", "svc/a/"),
        ),
        ({"backstage.io/source-location": "file:/catalog/"}, (None, None)),
        ({"github.com/project-slug": 7}, (None, None)),
        ({"github.com/project-slug": "shop"}, (None, None)),
    ],
)
def test_the_repository_of_an_entity(
    annotations: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    """From its location or its slug, whichever knows better."""
    assert source_of(annotations, "github.com") == expected


@dataclass
class Portal:
    """A backend that answers from lists which tests change."""

    entities: list[Any] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, list[Any]] = field(default_factory=dict)
    has_scaffolder: bool = True

    def answer(self, asked: Asked) -> Reply:
        """As the vendor does."""
        parts = urlsplit(asked.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/api/catalog/entities/by-query":
            kind = query.get("filter", "").partition("=")[2]
            found = [
                each
                for each in self.entities
                if not kind or (isinstance(each, dict) and each["kind"].lower() == kind)
            ]
            shown = found[: int(query["limit"])]
            return Reply(body={"items": shown, "totalItems": len(found), "pageInfo": {}})
        if not self.has_scaffolder:
            return Reply(status=404, body={"error": {"name": "NotFoundError"}})
        rest = parts.path.removeprefix("/api/scaffolder/v2/tasks").strip("/").split("/")
        if rest == [""]:
            start, limit = int(query.get("offset", 0)), int(query["limit"])
            newest = sorted(self.tasks, key=lambda task: task["createdAt"], reverse=True)
            shown = newest[start : start + limit]
            return Reply(body={"tasks": shown, "totalTasks": len(newest)})
        if rest[-1] == "events":
            told = self.events.get(rest[0])
            return Reply(status=404, body={}) if told is None else Reply(body=told)
        for task in self.tasks:
            if task["id"] == rest[0]:
                return Reply(body=task)
        return Reply(status=404, body={})

    def run(self, name: str, minute: int, status: str = "completed", **more: Any) -> None:
        """A run of a template that took a minute, with its events."""
        at = datetime(2026, 9, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)
        task = {
            "id": name,
            "status": status,
            "createdAt": at.isoformat(),
            "createdBy": "user:default/Ada",
            "spec": {
                "steps": [{"id": "a", "name": "A", "action": "catalog:register"}],
                "parameters": {"component_id": name},
                "templateInfo": {"entityRef": "template:default/service"},
            },
        }
        self.tasks = [one for one in self.tasks if one["id"] != name] + [{**task, **more}]
        later = (at + timedelta(minutes=1)).isoformat()
        if status == "completed":
            body = {"message": "done", "output": {"remoteUrl": f"https://git.x/acme/{name}"}}
            log = {"stepId": "a", "status": "completed"}
            self.events[name] = [
                {"id": 2, "type": "completion", "createdAt": later, "body": body},
                {"id": 1, "type": "log", "createdAt": later, "body": log},
            ]


@pytest.fixture
def portal() -> Iterator[tuple[Portal, str]]:
    """An empty portal, and where it is."""
    made = Portal()
    with serving(made.answer) as web:
        yield made, web.url


def entity(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """An entity as the catalog gives it."""
    return {"kind": kind, "metadata": {"name": name, "namespace": "default"}, **more}


def parsed(stream: Stream, body: Any, **attributes: str) -> dict[type[Record], list[Any]]:
    """What a page says."""
    line = Line(
        connection="portal",
        scope="portal",
        attributes={"portal": "https://portal.x", "github_host": "ghe.x", **attributes},
        url="https://portal.x/api",
        requested_at=datetime(2026, 9, 1, tzinfo=UTC),
        body=json.dumps(body).encode(),
    )
    return dict(stream.parse(line).records)


def test_entities_become_records() -> None:
    """By relations where the server worked them out, else by what was written."""
    stream = connector("http://portal.x").streams()[0]
    found = parsed(
        stream,
        {
            "items": [
                entity("Component", "Shop", spec={"owner": "checkout", "dependsOn": ["x"]}),
                entity(
                    "Component",
                    "api",
                    metadata={
                        "name": "api",
                        "annotations": {"github.com/project-slug": "acme/api"},
                    },
                    relations=[
                        {"type": "ownedBy", "targetRef": "group:default/Checkout"},
                        {"type": "dependsOn", "targetRef": "resource:default/db"},
                    ],
                ),
                entity("Group", "checkout", spec={"parent": "all", "members": ["Ada", "ada"]}),
                entity("User", "Ada", spec={"profile": {"email": "ada@x.test"}}),
                entity("Location", "generated"),
                entity("Custom", "thing", spec={"type": ["odd"], "owner": 3}),
            ]
        },
    )
    by_name = {each.name: each for each in found[CatalogEntity]}
    assert by_name["Shop"].owner == "group:default/checkout"
    assert by_name["Shop"].entity_ref == "component:default/shop"
    assert (by_name["api"].owner, by_name["api"].repository_key) == (
        "group:default/checkout",
        "ghe.x/acme/api",
    )
    assert by_name["thing"].type is None
    assert set(by_name) == {"Shop", "api", "checkout", "thing"}
    (team,) = found[Team]
    assert team.parent == "portal:group:default/all"
    assert [member.account_id for member in found[TeamMember]] == ["portal:user:default/ada"]
    assert found[Account][0].email == "ada@x.test"


def test_a_bad_entity_is_rejected_alone(portal: tuple[Portal, str], tmp_path: Path) -> None:
    """With its place; the others are kept."""
    made, url = portal
    made.entities = [entity("Component", "shop"), entity("Component", ""), {"kind": "Group"}]
    assert pull(tmp_path, connector(url)).errors == []
    found = rows(tmp_path)
    assert len(found["main.catalog_entity"]) == 1
    assert len(found["main.reject"]) == 2


def test_groups_that_are_parents_of_each_other_end_nothing(
    portal: tuple[Portal, str], tmp_path: Path
) -> None:
    """A circle in the catalog stays a circle in the records."""
    made, url = portal
    made.entities = [
        entity("Group", "a", spec={"parent": "b"}),
        entity("Group", "b", spec={"parent": "a"}),
    ]
    assert pull(tmp_path, connector(url)).errors == []
    assert len(rows(tmp_path)["main.team"]) == 2


def test_runs_are_read_once_and_open_ones_again(portal: tuple[Portal, str], tmp_path: Path) -> None:
    """Whatever is over costs nothing any more; what was open is asked for by its id."""
    made, url = portal
    for minute in range(120):
        made.run(f"run-{minute}", minute)
    made.run("open", 1, status="processing")
    first = pull(tmp_path, connector(url))
    assert (first.errors, first.items) == ([], 121)
    assert pull(tmp_path, connector(url)).pages == 0
    made.run("open", 1)
    made.run("late", 121)
    assert pull(tmp_path, connector(url)).items == 2
    assert pull(tmp_path, connector(url)).pages == 0
    found = rows(tmp_path)
    assert len(found["main.scaffolder_task"]) == 122
    assert len(found["main.scaffolder_step"]) == 122
    assert len(found["main.self_service_action"]) == 122


def test_runs_without_events_are_taken_from_the_list(
    portal: tuple[Portal, str], tmp_path: Path
) -> None:
    """Events that are gone say nothing of when it was over; the run itself stays."""
    made, url = portal
    made.run("shop", 1)
    made.run("open", 2, status="processing")
    made.events.clear()
    made.tasks[0]["lastHeartbeatAt"] = "2026-09-01T12:03:00Z"
    assert pull(tmp_path, connector(url)).errors == []
    # The open one ended, and its events are gone as well; another has vanished altogether.
    made.run("open", 2, status="failed")
    assert pull(tmp_path, connector(url)).errors == []
    made.tasks.clear()
    assert pull(tmp_path, connector(url)).errors == []
    told = sorted(map(str, rows(tmp_path)["main.scaffolder_task"]))
    assert len(told) == 2
    assert "portal:task:open" in told[0]
    assert "failed" in told[0]
    assert "portal:task:shop" in told[1]


def test_what_a_run_says() -> None:
    """Names by whatever the form calls them; a repository only once there is one."""
    stream = connector("http://portal.x").streams()[1]
    at = "2026-09-01T12:00:00.000Z"
    task = {
        "id": "1",
        "status": "completed",
        "createdAt": at,
        "spec": {
            "parameters": {"repoUrl": "github.com?owner=acme&repo=Shop"},
            "steps": [{"id": "a"}, {"id": "b"}],
            "user": {"ref": "user:default/Ada"},
        },
    }
    events = [
        {"id": 1, "type": "log", "createdAt": at, "body": {"stepId": "a", "status": "failed"}},
        {"id": 2, "type": "log", "createdAt": at, "body": {"stepId": "a", "status": "processing"}},
        {"id": 3, "type": "log", "createdAt": at, "body": {"stepId": "a", "status": "completed"}},
        {
            "id": 4,
            "type": "completion",
            "createdAt": "2026-09-01T12:05:00Z",
            "body": {"output": {"links": [{"title": "Repository", "url": "https://git.x/a/b"}]}},
        },
    ]
    found = parsed(stream, events, holds="events", task=json.dumps(task))
    (run,) = found[ScaffolderTask]
    assert (run.name, run.repository_key, run.template) == ("Shop", "git.x/a/b", "unknown")
    assert run.requester == "portal:user:default/ada"
    assert run.url == "https://portal.x/create/tasks/1"
    assert [(step.step_id, step.status) for step in found[ScaffolderStep]] == [
        ("a", "succeeded"),
        ("b", "queued"),
    ]
    (action,) = found[SelfServiceAction]
    assert (action.outcome, action.completed_at) == ("succeeded", run.completed_at)
    failed = parsed(
        stream,
        [{"id": 1, "type": "completion", "createdAt": at, "body": {"message": "no"}}],
        holds="events",
        task=json.dumps({**task, "status": "failed"}),
    )
    assert failed[ScaffolderTask][0].repository_key is None


def test_pulled_day_by_day_as_if_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that moves between pulls ends in the same rows of runs, by small pages too."""
    monkeypatch.setattr("connectors.backstage_streams.TASKS_A_PAGE", 3)
    monkeypatch.setattr("connectors.backstage_streams.ENTITIES_A_PAGE", 7)
    organisation = build_world(WORLDS["steady"], end=END)
    with Sandbox(organisation, tmp_path / "git") as sandbox:
        made = connector(sandbox.backstage_url)
        runs = organisation.platform.runs
        for run in runs:
            sandbox.world.visible_until = run.created_at + timedelta(seconds=20)
            assert pull(tmp_path / "slowly", made).errors == []
        sandbox.world.visible_until = organisation.end
        assert pull(tmp_path / "slowly", made).errors == []
        assert pull(tmp_path / "at once", made).errors == []
        slowly, at_once = rows(tmp_path / "slowly"), rows(tmp_path / "at once")
    assert len(at_once["main.scaffolder_task"]) == len(runs)
    tables = ("main.scaffolder_task", "main.scaffolder_step", "main.self_service_action")
    assert (
        differing({name: slowly[name] for name in tables}, {name: at_once[name] for name in tables})
        == {}
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"has_scaffolder": False}, ("template runs", "error", "set tasks = false")),
        ({"tasks": []}, ("template runs", "warning", "none yet")),
        ({"entities": []}, ("catalog", "error", "no entity is visible")),
    ],
)
def test_the_doctor_says_what_is_wrong(
    portal: tuple[Portal, str],
    tmp_path: Path,
    change: dict[str, Any],
    expected: tuple[str, str, str],
) -> None:
    """And how to mend it."""
    made, url = portal
    made.entities = [entity("Component", "shop"), entity("Group", "a"), entity("User", "u")]
    made.run("shop", 1)
    for name, value in change.items():
        setattr(made, name, value)
    connection = connector(url)
    with connection.client() as client:
        found = {
            finding.subject: finding
            for finding in connection.diagnose(Pull(client, tmp_path, lambda: datetime.now(UTC)))
        }
    subject, level, words = expected
    assert found[subject].level == level
    assert words in found[subject].message


def test_an_address_is_needed() -> None:
    """And may end in /api, as the backend's own settings write it."""
    with pytest.raises(ValidationError, match="needs base_url"):
        BackstageOptions.model_validate({"token": {"env": "X"}})
    assert connector("http://portal.x/api").client().base_url == "http://portal.x/"
