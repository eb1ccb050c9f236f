"""Requests and time of Jenkins: what builds cost a controller, over real HTTP."""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.result import Result
from benchmarks.syncs import only, synced, token
from connectors.jenkins import Jenkins, JenkinsOptions
from pipelines.sync import SyncResult
from sandbox.generate import build_organisation
from sandbox.jenkins import JenkinsSettings
from sandbox.server import Sandbox

ENGINEERS = 60
END = datetime(2026, 6, 1, tzinfo=UTC)


def run(scale: float = 1.0) -> Iterator[Result]:
    """One job of many builds, then all jobs with branches, then nothing new."""
    organisation = build_organisation(engineers=max(4, round(ENGINEERS * scale)), months=9, end=END)
    settings = JenkinsSettings()
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox(organisation, Path(name) / "git") as sandbox,
    ):
        options = JenkinsOptions(
            base_url=sandbox.host("jenkins", settings).url,
            user=settings.user,
            token=token(Path(name), settings.token),
        )
        one = Jenkins("one", options.model_copy(update={"jobs": ["platform/deploy-service"]}))
        result, seconds = _timed(Path(name) / "one", only(one, "jobs", "builds"))
        builds = result.items - 1
        what = f"builds of one job (of {builds:,})"
        yield Result(
            f"Jenkins: requests per 1,000 {what}", result.requests / builds * 1000, "requests", 20
        )
        yield Result(f"Jenkins: time per 1,000 {what}", seconds / builds * 1000, "s")
        all_of_one, _ = _timed(Path(name) / "people", one)
        people = all_of_one.items - result.items
        requests = all_of_one.requests - result.requests
        what = f"Jenkins: requests for the {people:,} people who started them, once"
        yield Result(what, requests, "requests", people)
        every = Jenkins("every", options)
        result, seconds = _timed(Path(name) / "every", every)
        what = f"all {result.items - 1:,} builds with a job a branch"
        yield Result(f"Jenkins: requests for {what}", result.requests, "requests")
        yield Result(f"Jenkins: time for {what}", seconds, "s")
        again, _ = _timed(Path(name) / "every", every)
        yield Result("Jenkins: requests when nothing is new", again.requests, "requests", 60)


def _timed(folder: Path, connector: Jenkins) -> tuple[SyncResult, float]:
    started = time.perf_counter()
    result = synced(folder, connector, now=lambda: END)
    return result, time.perf_counter() - started
