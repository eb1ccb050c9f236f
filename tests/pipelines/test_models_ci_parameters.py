"""Runs that are told by parameters and names what they deploy, where, and which version."""

from pathlib import Path
from typing import Any

import pytest

from connectors.records import PipelineJob, PipelineRun
from pipelines.settings import SettingsError, parse
from tests.pipelines.stories import KEY, full, hour, line, repository, tag, tell

OTHER = "forge.test/acme/cart"
DEPLOYER = """
[[deployments.rules]]
repository = "*"
origin = "ci"
pattern = "^platform/deploy$"
service_parameter = "SERVICE"
environment_parameter = "ENVIRONMENT"
version_parameter = "VERSION"
"""


def run(number: int, at: float, *, name: str = "platform/deploy", **more: Any) -> PipelineRun:
    """A run of the job that deploys anything; nothing of its own is checked out."""
    parameters = [f"{key}={value}" for key, value in more.pop("told", {}).items()]
    return PipelineRun(
        run_id=f"ci:run:{number}",
        name=name,
        status=more.pop("status", "succeeded"),
        started_at=hour(at),
        finished_at=hour(at + 0.5),
        parameters=parameters,
        **more,
    )


def stage(number: int, of: int, name: str, at: float) -> PipelineJob:
    """A stage of a run."""
    return PipelineJob(
        job_id=f"ci:job:{number}",
        run_id=f"ci:run:{of}",
        name=name,
        status="succeeded",
        started_at=hour(at),
        finished_at=hour(at + 0.25),
    )


def test_parameters_name_service_environment_and_version(tmp_path: Path) -> None:
    """A commit, a cut one, a tag, an image; a service nobody knows is told on data health."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        tag("v2.0", "d", 3),
        repository(OTHER),
        run(1, 4, told={"SERVICE": "shop", "ENVIRONMENT": "production", "VERSION": full("a")}),
        run(2, 6, told={"SERVICE": "Shop", "ENVIRONMENT": "prod", "VERSION": full("b")[:9]}),
        run(3, 8, told={"SERVICE": "shop", "ENVIRONMENT": "staging", "VERSION": "2.0"}),
        run(
            4,
            9,
            told={
                "SERVICE": "acme/shop",
                "ENVIRONMENT": "production",
                "VERSION": f"registry.x/shop:1.0-{full('c')[:8]}",
            },
        ),
        run(5, 10, told={"SERVICE": "shop", "VERSION": "9.9"}),
        run(6, 11, told={"SERVICE": "unknown", "ENVIRONMENT": "production"}),
        run(7, 12, told={"ENVIRONMENT": "production"}),
        run(8, 13, name="platform/test", told={"SERVICE": "shop", "ENVIRONMENT": "production"}),
        settings=DEPLOYER,
    )
    assert story.ask("""
        select environment, sha, started_at, live_at, outcome, service_name
        from deployment_fact order by started_at
    """) == [
        ("production", full("a"), hour(4), hour(4.5), "succeeded", "shop"),
        ("prod", full("b"), hour(6), hour(6.5), "succeeded", "shop"),
        ("staging", full("d"), hour(8), hour(8.5), "succeeded", "shop"),
        ("production", full("c"), hour(9), hour(9.5), "succeeded", "shop"),
        ("production", None, hour(10), hour(10.5), "succeeded", "shop"),
    ]
    assert story.ask("""
        select subject, count from data_check where check_name = 'builds of unknown services'
    """) == [("unknown", 1)]


def test_names_of_jobs_and_stages_name_service_and_environment(tmp_path: Path) -> None:
    """A pipeline with a stage for each environment; the checkout is of another repository."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        repository(OTHER),
        run(1, 3, name="deploy/shop", repository_key=KEY, sha=full("a")),
        stage(1, 1, "Build", 3),
        stage(2, 1, "Deploy to staging", 3.1),
        stage(3, 1, "Deploy to production", 3.2),
        run(2, 5, name="deploy/shop", repository_key=OTHER, sha=full("f")),
        stage(4, 2, "Deploy to production", 5),
        settings="""
[[deployments.rules]]
repository = "shop"
origin = "ci"
service_pattern = "^deploy/(.+)$"
job_pattern = "^Deploy"
environment_pattern = "^Deploy to (.+)$"
""",
    )
    assert story.ask("""
        select environment, sha, started_at, live_at from deployment_fact order by started_at
    """) == [
        ("staging", full("a"), hour(3.1), hour(3.35)),
        ("production", full("a"), hour(3.2), hour(3.45)),
        ("production", None, hour(5), hour(5.25)),
    ]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('origin = "tag"\nservice_parameter = "X"', 'service_parameter is for origin = "ci" alone'),
        ('origin = "ci"\nservice_pattern = "^x"', "needs a group in brackets"),
        ('origin = "ci"\nenvironment_pattern = "(?=x)(y)"', "environment_pattern"),
    ],
)
def test_rules_that_say_nothing_are_refused(tmp_path: Path, rule: str, words: str) -> None:
    """With the reason."""
    text = f'[[deployments.rules]]\nrepository = "shop"\n{rule}\n'
    with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
        parse(text.encode(), tmp_path / "leadline.toml")
