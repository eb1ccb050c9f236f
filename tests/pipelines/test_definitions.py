"""The graph: its shape, what each table says of itself, and what a broken assertion stops."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from syrupy.assertion import SnapshotAssertion

from connectors.records import RECORDS as RECORD_TYPES
from pipelines import reader
from pipelines.catalog import models
from pipelines.definitions import definitions
from pipelines.settings import Settings, parse
from tests.pipelines.dagster_world import MODELS, SETTINGS, make_settings, small_models

PROJECT = Path(__file__).parents[2]
# Fixed, so that the snapshot changes only when the graph does.
EXAMPLE = f"""
[organisation]
zone = "Europe/Berlin"

{SETTINGS}

[connections.own-git]
kind = "git"
repositories = ["https://git.example.org/shop.git"]

[connections.github]
organisation = "example"
token = {{ env = "GITHUB_TOKEN" }}

[connections.jira]
base_url = "https://example.atlassian.net"
email = "reader@example.org"
token = {{ env = "JIRA_TOKEN" }}
schedule = "15 */2 * * *"
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """One file, three models, nothing run yet."""
    settings = make_settings(tmp_path, ["Database down", "Queue full"])
    with small_models(tmp_path, monkeypatch):
        yield settings


def run(settings: Settings, *keys: str, job: str = "refresh") -> dg.ExecuteInProcessResult:
    """Run a job, or only these assets, without raising."""
    found = definitions(settings)
    selection = [dg.AssetKey(key.split("/")) for key in keys] or None
    chosen = found.resolve_implicit_global_asset_job_def() if keys else found.resolve_job_def(job)
    with dg.DagsterInstance.ephemeral() as instance:
        return chosen.execute_in_process(
            instance=instance, asset_selection=selection, raise_on_error=False
        )


def made(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """What was materialized, with its metadata."""
    return {
        event.asset_key.to_user_string(): {
            name: value.value for name, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }


def test_graph_is_as_agreed(snapshot: SnapshotAssertion) -> None:
    """Every asset, edge, group, check, pool, job, schedule and sensor; nothing changes unseen."""
    settings = parse(EXAMPLE.encode(), Path("/example/leadline.toml"))
    found = definitions(settings)
    graph = found.resolve_asset_graph()
    repository = found.get_repository_def()
    repository.load_all_definitions()
    assets = {
        key.to_user_string(): {
            "group": node.group_name,
            "step": node.assets_def.op.name,
            "pools": sorted(node.pools or ()),
            "description": node.description,
            "reads": sorted(parent.to_user_string() for parent in node.parent_keys),
            "checks": sorted(
                f"{check.name}{' (blocking)' if graph.get(check).blocking else ''}"
                for check in node.check_keys
            ),
            "fresh": str(node.freshness_policy),
        }
        for key in sorted(graph.get_all_asset_keys())
        for node in [graph.get(key)]
    }
    assert {
        "assets": assets,
        "jobs": sorted(repository.job_names),
        "schedules": {s.name: s.cron_schedule for s in repository.schedule_defs},
        "sensors": sorted(s.name for s in repository.sensor_defs),
    } == snapshot


def test_without_settings_the_graph_shows_records_and_models() -> None:
    """A newcomer's `dg dev` shows what would be built."""
    found = definitions(Settings())
    keys = {key.to_user_string() for key in found.resolve_asset_graph().get_all_asset_keys()}
    expected = {f"records/{record_type.table}" for record_type in RECORD_TYPES}
    expected |= {f"{model.room}/{name}" for name, model in models().items()}
    assert keys == expected | {"records/loaded_batch", "published"}


def test_every_asset_states_its_grain_and_is_made_in_few_steps() -> None:
    """One row per …; the models are one step, as are the records: no foreign asset splits them."""
    found = definitions(Settings())
    graph = found.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert (graph.get(key).description or "").startswith("One row per "), key
    steps = {step.key for step in _plan(found, "build")}
    assert steps == {"load_records", "build_models"}


def test_whole_run_keeps_counts_columns_and_checks(small: Settings) -> None:
    """Row counts and column schemas of every table, a check result per model, a published build."""
    result = run(small)
    assert result.success
    found = made(result)
    assert found["landing/imports/incidents"]["dagster/row_count"] == 2
    assert found["records/incident"]["dagster/row_count"] == 2
    assert found["core/disturbance"]["dagster/row_count"] == 2
    columns = found["core/disturbance"]["dagster/column_schema"].columns
    assert [(column.name, column.type) for column in columns] == [
        ("incident_id", "VARCHAR"),
        ("title", "VARCHAR"),
        ("created_at", "TIMESTAMP WITH TIME ZONE"),
    ]
    checks = {
        evaluation.asset_key.to_user_string(): evaluation
        for evaluation in result.get_asset_check_evaluations()
    }
    assert all(check.passed for check in checks.values())
    assertions = str(checks["core/disturbance"].metadata["assertions"].value)
    assert "one row per incident_id: holds" in assertions
    assert "title is there: holds" in assertions
    current = reader.current_build(small.data)
    assert current is not None
    assert found["published"]["build"] == current.stem


def test_broken_assertion_stops_publication(small: Settings, tmp_path: Path) -> None:
    """The check fails with rows that break it, nothing is published, the last build stays."""
    assert run(small).success
    before = reader.current_build(small.data)
    broken = MODELS["metrics/disturbances.sql"].replace("incidents > 0", "incidents > 1")
    (tmp_path / "models" / "metrics" / "disturbances.sql").write_text(broken.strip(), "utf-8")
    _forget_models()
    result = run(small, job="build")
    assert not result.success
    (failed,) = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert failed.asset_key == dg.AssetKey(["metrics", "disturbances"])
    assert failed.blocking
    assert "incidents > 1: broken by 2 rows" in str(failed.metadata["assertions"].value)
    assert "published" not in made(result)
    assert reader.current_build(small.data) == before


def test_selection_builds_only_itself_and_tells_that_it_published(small: Settings) -> None:
    """A part starts from a copy of the current build; the new build is told all the same."""
    assert run(small).success
    before = reader.current_build(small.data)
    result = run(small, "metrics/disturbances")
    assert result.success
    assert set(made(result)) == {"metrics/disturbances", "published"}
    after = reader.current_build(small.data)
    assert after is not None
    assert after != before
    with reader.connect(after) as connection:
        assert connection.execute("select count(*) from disturbance").fetchone() == (2,)


def test_source_that_answers_nothing_fails_the_run(small: Settings, tmp_path: Path) -> None:
    """Where no scope of a connection answers, the run is red and says why; nothing is lost."""
    (tmp_path / "incidents.csv").unlink()
    result = run(small)
    assert not result.success
    event = result.failure_data_for_node("pull_imports")
    assert event is not None
    assert "incidents.csv" in str(event.error)
    assert made(result) == {}


@pytest.mark.parametrize(
    "command",
    [
        ["dagster", "definitions", "validate", "-m", "pipelines.definitions"],
        ["dg", "check", "defs"],
    ],
)
def test_wrong_settings_name_file_and_line(tmp_path: Path, command: list[str]) -> None:
    """Dagster's own commands show what is wrong and where, not only that loading failed."""
    path = tmp_path / "leadline.toml"
    path.write_text('\n[organisation]\nzoen = "UTC"\n', "utf-8")
    found = subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=PROJECT,
        env=_environment(LEADLINE_SETTINGS=str(path), DAGSTER_HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    output = "".join((found.stdout + found.stderr).split())
    expected = f'{path}:3: organisation.zoen: no such setting; did you mean "zone"?'
    assert "".join(expected.split()) in output


def _environment(**named: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LEADLINE_")}
    return {**kept, **named}


def _forget_models() -> None:
    from pipelines import catalog

    catalog.steps.cache_clear()
    catalog.models.cache_clear()


def _plan(found: dg.Definitions, job: str) -> list[Any]:
    from dagster._core.execution.api import create_execution_plan

    return list(create_execution_plan(found.resolve_job_def(job)).step_dict.values())
