"""The Jenkins parser over recorded answers of three controllers: nothing fails, counts match."""

import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Line, Parsed
from connectors.jenkins_builds import Builds, Wanted
from connectors.jenkins_jobs import items_of
from connectors.records import PipelineRun

PERCEVAL = "perceval==1.6.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "leadline-tests"


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """The recorded answers in perceval's source distribution, by name."""
    folder = CACHE / "perceval"
    if not (found := list(folder.glob("*.tar.gz"))):
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        try:
            subprocess.run(
                [*pip, "--no-binary", ":all:", "--dest", str(folder), PERCEVAL],
                check=True,
                capture_output=True,
                timeout=120,
            )
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{PERCEVAL} cannot be fetched here: {error}")
        found = list(folder.glob("*.tar.gz"))
    answers = {}
    with tarfile.open(found[0]) as archive:
        for member in archive:
            if "tests/data/jenkins/" in member.name and member.name.endswith(".json"):
                file = archive.extractfile(member)
                assert file is not None
                answers[Path(member.name).stem] = json.loads(file.read())
    return answers


def parse(builds: list[Any], **attributes: str) -> Parsed:
    """What a range of recorded builds says."""
    line = Line(
        connection="ci",
        scope="job/x/",
        attributes={"name": "x", "path": "job/x/", "address": "https://ci.x/", **attributes},
        url="https://ci.x/job/x/api/json",
        requested_at=datetime(2026, 9, 1, tzinfo=UTC),
        body=json.dumps({"allBuilds": builds}).encode(),
    )
    parsed = Builds(Wanted((), (), ()), None).parse(line)
    rejected = len([one for one in parsed.rejects if one.table == "pipeline_run"])
    assert parsed.seen["pipeline_run"] == len(parsed.records[PipelineRun]) + rejected
    return parsed


def test_recorded_builds_are_read_to_the_unit(recorded: dict[str, Any]) -> None:
    """32 builds of a freestyle job: ends, moments, commits; the address is in a parameter."""
    builds = recorded["jenkins_job_builds"]["builds"]
    parsed = parse(builds)
    assert parsed.rejects == []
    runs = [run for run in parsed.records[PipelineRun] if isinstance(run, PipelineRun)]
    assert len({run.run_id for run in runs}) == len(builds) == 32
    ends = {"SUCCESS": "succeeded", "FAILURE": "failed", "ABORTED": "cancelled"}
    assert Counter(run.status for run in runs) == Counter(ends[build["result"]] for build in builds)
    first = runs[0]
    assert first.repository_key == "gerrit.opnfv.org/gerrit/apex"
    assert (first.sha, first.branch) == ("9d3cab8d46e5823fee43a0b6c2f19d5dccfa4c3a", "master")
    assert first.started_at == datetime(2016, 3, 25, 2, 47, 58, 582000, tzinfo=UTC)
    assert "DEPLOY_SCENARIO=os-onos-nofeature-ha" in first.parameters
    assert first.runner_labels == ["intel-pod"]


def test_the_own_checkout_is_told_from_the_librarys(recorded: dict[str, Any]) -> None:
    """A branch of a multibranch project, recorded with a shared library before it."""
    builds = recorded["jenkins_workflow_job_builds"]["builds"]
    parsed = parse(builds, branch="users/jack/lf-jenkins")
    assert parsed.rejects == []
    keys = {
        run.repository_key for run in parsed.records[PipelineRun] if isinstance(run, PipelineRun)
    }
    assert keys - {None} == {"github.com/zowe/docs-site"}
    (newest,) = parse(builds[:1], branch="users/jack/lf-jenkins").records[PipelineRun]
    assert isinstance(newest, PipelineRun)
    assert newest.sha == "2c6e06a3bf6a52ae3f8f26f11c91d9550794c161"
    assert (newest.event, newest.actor) == ("manual", "ci:account:takamori")


def test_recorded_lists_of_jobs_are_walked(recorded: dict[str, Any]) -> None:
    """Old controllers name no classes; paths come from names, not from the recorded root."""
    items = list(items_of(recorded["jenkins_jobs"]))
    assert [item.path for item in items][:2] == [
        "job/apex-build-brahmaputra/",
        "job/apex-build-master/",
    ]
    assert len(items) == 5
    assert list(items_of(recorded["jenkins_jobs_empty"])) == []
