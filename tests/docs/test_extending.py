"""The examples of extending.md, each added as the page says and then used."""

import importlib
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

import connectors
import pipelines.models.metrics
from connectors.connector import kinds
from dashboards import views_index
from pipelines import catalog, operations, settings
from pipelines.files import DataFolder
from pipelines.metric_definitions import DEFINITIONS
from pipelines.models.marts import definition
from pipelines.settings import Settings
from tests.connectors.git_repositories import commit, git, new_repository
from tests.connectors.web import Asked, Reply, serving
from tests.dashboards.fixture import World, write_build
from tests.docs.pages import DOCS, blocks, example

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
PYTHON = blocks(DOCS / "extending.md", "python")


@pytest.mark.parametrize("block", [b for b in PYTHON if b.text.startswith("# ")], ids=str)
def test_examples_hold_the_house_style(block: Any, tmp_path: Path) -> None:
    """An example that is copied passes the linter and the formatter as it stands."""
    first, _, code = block.text.partition("\n")
    path = tmp_path / first.removeprefix("# ")
    path.parent.mkdir(parents=True)
    path.write_text(code, encoding="utf-8")
    shutil.copy(DOCS.parent / "pyproject.toml", tmp_path)
    ruff = str(Path(sys.executable).with_name("ruff"))
    for arguments in (["check", "--ignore", "INP001"], ["format", "--check"]):
        told = subprocess.run(
            [ruff, *arguments, "--no-cache", str(path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert told.returncode == 0, told.stdout + told.stderr


class Shipyard:
    """The server that the example reads: deployments after an id, a page at a time."""

    def __init__(self) -> None:
        self.deployments = [_deployment(number) for number in range(1, 151)]

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "Bearer shipyard-token":
            return Reply(401, {"message": "who are you?"})
        given = parse_qs(urlsplit(asked.path).query)
        after, limit = int(given["after"][0]), int(given["limit"][0])
        found = [each for each in self.deployments if int(each["id"]) > after]
        return Reply(body={"deployments": found[:limit]})


def _deployment(number: int, **more: object) -> dict[str, Any]:
    at = NOW - timedelta(days=200) + timedelta(hours=number)
    return {
        "id": number,
        "repository": "git.example.com/team/Shop",
        "commit": f"{number:040x}",
        "environment": "production",
        "started": at.isoformat(),
        "finished": (at + timedelta(minutes=5)).isoformat(),
        "ok": number % 10 != 0,
        **more,
    }


@pytest.fixture
def shipyard_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example's module beside the other connectors."""
    folder = tmp_path / "added"
    folder.mkdir()
    code = example("connectors/shipyard.py").text
    (folder / "shipyard.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(folder)])
    monkeypatch.setenv("SHIPYARD_TOKEN", "shipyard-token")
    kinds.cache_clear()
    yield
    sys.modules.pop("connectors.shipyard", None)
    kinds.cache_clear()


@pytest.mark.usefixtures("shipyard_kind")
def test_the_connector_example_pulls_parses_and_loads(tmp_path: Path) -> None:
    """The example is found, pulls over HTTP by pages, goes on from its mark, and loses nothing."""
    (shown,) = (b.text for b in blocks(DOCS / "extending.md", "toml") if "shipyard" in b.text)
    server = Shipyard()
    server.deployments[148] = _deployment(149, finished=None)
    server.deployments[20] = _deployment(21, started="yesterday")
    with serving(server.answer) as web:
        text = f'data = "data"\n{shown}base_url = "{web.url}/"\n'
        path = tmp_path / "leadline.toml"
        path.write_text(text, encoding="utf-8")
        read = settings.load(tmp_path)
        (first,) = operations.sync(read, now=lambda: NOW)
        loaded = operations.load_records(read)
        assert first.errors == []
        assert loaded.rows["deployment_attempt"] == 149
        assert loaded.rejected["deployment_attempt"] == 1

        server.deployments[148] = _deployment(149)
        server.deployments.append(_deployment(151))
        asked_before = len(web.asked)
        operations.sync(read, now=lambda: NOW + timedelta(hours=1))
        operations.load_records(read)
        (again,) = web.asked[asked_before:]
        assert parse_qs(urlsplit(again.path).query)["after"] == ["148"]

    with duckdb.connect(str(DataFolder(read.data).records), read_only=True) as records:
        states = records.execute(
            "select state, count(*) from deployment_status group by state order by state"
        ).fetchall()
        (found,) = records.execute(
            "select repository_key, environment, sha from deployment_attempt"
            " where attempt_id = 'shipyard:deployment:7'"
        ).fetchall()
    assert states == [("failed", 15), ("succeeded", 135)]
    assert found == ("git.example.com/team/shop", "production", f"{7:040x}")


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """Settings over a repository with seven releases of one to seven commits."""
    repository = new_repository(tmp_path / "shop")
    at = int((NOW - timedelta(days=60)).timestamp())
    for release in range(8):
        for number in range(max(1, release)):
            at += 3600
            commit(repository, f"change {number} of release {release}", at=at)
        tag = ("tag", "-a", "-m", "release", f"v1.{release}")
        git(repository, *tag, GIT_COMMITTER_DATE=f"{at + 60} +0000")
    (tmp_path / "leadline.toml").write_text(
        'data = "data"\n[connections.git]\nrepositories = ["shop"]\n', encoding="utf-8"
    )
    return settings.load(tmp_path)


@pytest.fixture
def with_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example's model among the models, its line in the union, its definition."""
    folder = tmp_path / "models"
    shutil.copytree(catalog.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    code = example("pipelines/models/metrics/metric_deployment_size.py").text
    (folder / "metrics" / "metric_deployment_size.py").write_text(code, encoding="utf-8")
    union = folder / "marts" / "metric.sql"
    (added,) = (b.text for b in blocks(DOCS / "extending.md", "sql"))
    text = union.read_text(encoding="utf-8")
    last = re.findall(r"^ +union all select \* from metric_\w+\n", text, re.MULTILINE)[-1]
    union.write_text(text.replace(last, last + added), encoding="utf-8")
    monkeypatch.setattr(catalog, "FOLDER", folder)
    package = pipelines.models.metrics
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder / "metrics")])
    monkeypatch.setattr(definition, "DEFINITIONS", (*DEFINITIONS, *_definitions(tmp_path)))
    catalog.steps.cache_clear()
    catalog.models.cache_clear()
    yield
    sys.modules.pop("pipelines.models.metrics.metric_deployment_size", None)
    catalog.steps.cache_clear()
    catalog.models.cache_clear()


def _definitions(folder: Path) -> tuple[Any, ...]:
    """The definition that the page adds, read as Python reads it."""
    (text,) = (b.text for b in PYTHON if b.text.lstrip().startswith("Definition("))
    head = "from pipelines.metric_definitions import Definition\n"
    (folder / "definition_example.py").write_text(
        f"{head}\nADDED = (\n{textwrap.indent(text.rstrip(), '    ')},)\n", encoding="utf-8"
    )
    sys.path.insert(0, str(folder))
    try:
        added: tuple[Any, ...] = importlib.import_module("definition_example").ADDED
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("definition_example", None)
    return added


@pytest.mark.usefixtures("with_metric")
def test_the_metric_example_is_built_audited_and_published(shop: Settings) -> None:
    """The example runs within a whole build, and its numbers are those of the repository."""
    operations.sync(shop, now=lambda: NOW)
    operations.load_records(shop)
    result = operations.build(shop, now=lambda: NOW)
    assert result.is_published
    assert all(audit.passed for audit in result.tables["metric_deployment_size"].audits)
    with duckdb.connect(str(result.path), read_only=True) as build:
        rows = build.execute(
            "select entity_type, period, value, unit, n, reason from metric"
            " where metric = 'deployment_size' and period in ('28d', '91d')"
            " order by entity_type, period"
        ).fetchall()
        titles = build.execute(
            "select title from definition where name = 'deployment_size'"
        ).fetchall()
    nothing = (None, "changes", 0, "too few deployments")
    assert rows == [
        ("organisation", "28d", *nothing),
        ("organisation", "91d", 4.0, "changes", 7, None),
        ("service", "28d", *nothing),
        ("service", "91d", 4.0, "changes", 7, None),
    ]
    assert titles == [("Deployment size",)]


def test_the_page_example_is_found_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example stands in the navigation and shows the rollbacks of the selection."""
    source = DOCS.parent / "dashboards"
    copied = tmp_path / "dashboards"
    shutil.copytree(source / "views", copied / "views")
    (copied / "static").mkdir()
    shutil.copy(source / "static" / "leadline.png", copied / "static")
    shutil.copy(source / "app.py", copied)
    code = example("dashboards/views/rollbacks.py").text
    (copied / "views" / "rollbacks.py").write_text(code, encoding="utf-8")
    assert "Rollbacks" in [view.title for view in views_index.found(copied / "views")]

    data = tmp_path / "data"
    build = write_build(data, World(changes=600))
    with duckdb.connect(str(build)) as connection:
        connection.execute(
            "update deployment_fact set kind = if(deployment_id in"
            " (select deployment_id from deployment_fact where live_at is not null"
            " order by live_at desc limit 3), 'rollback', 'normal')"
        )
    monkeypatch.setenv("LEADLINE_DATA", str(data))
    app = AppTest.from_file(str(copied / "app.py"), default_timeout=30)
    app.switch_page("views/rollbacks.py")
    app.run()
    assert not app.exception
    shown = "\n".join(str(element.proto.body) for element in app.get("html"))
    assert "3 deployments went back to an older version" in shown
    assert app.dataframe[0].value.shape[0] == 3
