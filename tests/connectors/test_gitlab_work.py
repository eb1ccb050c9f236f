"""Pipelines, deployments, releases, issues and incidents of the served GitLab against its truth."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Fault, Rule
from sandbox.forge import Deployment, Issue, WorkflowRun
from sandbox.generate import build_organisation
from sandbox.gitlab_work_payloads import final_state, is_child, is_incident
from sandbox.organisation import Organisation
from tests.connectors.gitlab_work_reading import GitlabReading, gitlab_reading, utc

END = datetime(2026, 6, 1, tzinfo=UTC)
_RESULTS = {
    "success": "succeeded",
    "failure": "failed",
    "cancelled": "cancelled",
    "skipped": "skipped",
}


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A small generated organisation."""
    return build_organisation(engineers=6, months=2, end=END)


@pytest.fixture
def reading(organisation: Organisation, tmp_path: Path) -> Iterator[GitlabReading]:
    """A connection to all of it, with everything that is off by default."""
    with gitlab_reading(
        organisation,
        tmp_path,
        pipeline_jobs=True,
        child_pipelines=True,
        issue_history=True,
        incidents=True,
    ) as one:
        yield one


def every(organisation: Organisation, name: str) -> list[Any]:
    """All things of a kind in all repositories."""
    return [each for one in organisation.repositories for each in getattr(one, name)]


def test_pipelines_are_what_they_were(organisation: Organisation, reading: GitlabReading) -> None:
    """Each with its name, state, commit and times; jobs with runner tags, tried again or not."""
    assert reading.sync().errors == []
    runs: list[WorkflowRun] = every(organisation, "runs")
    expected = {
        (
            f"gitlab:pipeline:{run.id}",
            run.name,
            run.head_sha,
            _RESULTS[run.conclusion] if run.conclusion else "running",
            utc(run.created_at),
            utc(run.updated_at) if run.conclusion else None,
        )
        for run in runs
    }
    found = reading.ask(
        "select run_id, name, sha, status, queued_at, finished_at from pipeline_run"
    )
    assert set(found) == expected
    assert len(found) == len(runs) > 20
    jobs = [
        (f"gitlab:job:{job.id}", f"gitlab:pipeline:{run.id}", job.name, list(job.runner_labels))
        for run in runs
        for job in run.jobs
    ]
    retried = sum(len(run.jobs) for run in runs if run.attempt > 1)
    told = reading.ask("select job_id, run_id, name, runner_labels from pipeline_job")
    assert retried > 0
    assert len(told) == len(jobs) + retried
    assert set(map(str, jobs)) <= set(map(str, told))


def test_deployments_are_what_gitlab_can_tell(
    organisation: Organisation, reading: GitlabReading
) -> None:
    """Begun when the job was, ended as it did; what nobody has begun is no attempt."""
    reading.sync()
    deployments: list[Deployment] = every(organisation, "deployments")
    begun = {one.id: final_state(one) for one in deployments if final_state(one)[0] != "created"}
    attempts = reading.ask(
        "select attempt_id, environment, sha, created_at from deployment_attempt"
    )
    assert set(attempts) == {
        (f"gitlab:deployment:{one.id}", one.environment, one.sha, utc(one.created_at))
        for one in deployments
        if one.id in begun
    }
    ends = {"success": "succeeded", "failed": "failed"}
    expected = {
        (f"gitlab:deployment:{number}", ends[state], utc(at))
        for number, (state, at) in begun.items()
        if at is not None
    }
    found = reading.ask(
        "select attempt_id, state, s.at from deployment_status as s where state <> 'running'"
    )
    assert set(found) == expected
    assert len(found) == len(expected) > 10


def test_releases_are_read(organisation: Organisation, reading: GitlabReading) -> None:
    """By their tags, with the commit."""
    reading.sync()
    releases = [one for one in every(organisation, "releases") if not one.is_draft]
    found = reading.ask("select tag, sha, published_at from release")
    assert sorted(found) == sorted((one.tag, one.sha, utc(one.published_at)) for one in releases)


def test_issues_become_tickets_with_their_history(
    organisation: Organisation, reading: GitlabReading
) -> None:
    """Closings, re-openings and labels; incidents are incidents as well."""
    reading.sync()
    issues: list[Issue] = every(organisation, "issues")
    found = reading.ask("select ticket_id, status, created_at, resolved_at from ticket")
    assert set(found) == {
        (f"gitlab:issue:{one.id}", one.state, utc(one.created_at), utc(one.closed_at))
        for one in issues
    }
    closed = [one for one in issues if one.closed_at is not None]
    states = sum(3 if one.number % 3 == 0 else 1 for one in closed)
    labels = sum(len(one.labels) for one in issues)
    counted = reading.ask("select field, count(*) from ticket_transition group by 1 order by 1")
    assert counted == [("labels", labels), ("status", states)]
    assert states > len(closed) > 0
    incidents = reading.ask("select incident_id, severity, created_at, resolved_at from incident")
    assert set(incidents) == {
        (f"gitlab:incident:{one.id}", "high", utc(one.created_at), utc(one.closed_at))
        for one in issues
        if is_incident(one)
    }
    assert incidents


def test_without_histories_a_closing_is_still_told(
    organisation: Organisation, tmp_path: Path
) -> None:
    """The list itself names it; that takes no request an issue."""
    with gitlab_reading(organisation, tmp_path) as reading:
        assert reading.sync().errors == []
        assert reading.asked("resource_") == reading.asked("/jobs") == 0
        assert reading.ask("select count(*) from incident") == [(0,)]
        found = reading.ask("select ticket_id, to_category, t.at from ticket_transition as t")
    assert set(found) == {
        (f"gitlab:issue:{one.id}", "done", utc(one.closed_at))
        for one in every(organisation, "issues")
        if one.closed_at is not None
    }


def test_child_pipelines_are_left_out_unless_asked_for(
    organisation: Organisation, tmp_path: Path
) -> None:
    """GitLab lists them apart."""
    runs: list[WorkflowRun] = every(organisation, "runs")
    with gitlab_reading(organisation, tmp_path) as reading:
        reading.sync()
        counted = reading.ask("select count(*) from pipeline_run")
    assert counted == [(sum(not is_child(run) for run in runs),)]


def test_an_unchanged_gitlab_is_kept_once(reading: GitlabReading) -> None:
    """The probe shows all but child pipelines, whose list is asked for; nothing is kept again."""
    reading.sync()
    reading.host.requests.clear()
    again = reading.sync()
    assert again.errors == []
    assert (again.pages, again.items) == (0, 0)
    assert reading.asked("source=parent_pipeline") == len(reading.sandbox.organisation.repositories)
    assert reading.asked("/pipelines?") == reading.asked("source=parent_pipeline")
    lists = ("/deployments?", "/issues?", "/releases?", "/jobs", "resource_")
    assert sum(map(reading.asked, lists)) == 0


@pytest.mark.parametrize(("days", "hours"), [(40, 130), (3, 5)])
def test_time_passing_in_steps_ends_as_one_pull_does(
    organisation: Organisation, tmp_path: Path, days: int, hours: int
) -> None:
    """What was under way at one pull is over at a later one."""
    tables = (
        "select run_id, status, finished_at from pipeline_run order by all",
        "select attempt_id, environment, sha from deployment_attempt order by all",
        "select attempt_id, state, s.at from deployment_status as s order by all",
        "select ticket_id, status, resolved_at from ticket order by all",
        "select ticket_id, field, to_value, t.at from ticket_transition as t order by all",
    )
    once, steps = tmp_path / "once", tmp_path / "steps"
    once.mkdir()
    steps.mkdir()
    with gitlab_reading(organisation, once) as reading:
        reading.sync()
        expected = [reading.ask(query) for query in tables]
    with gitlab_reading(organisation, steps, before_end=timedelta(days=days)) as reading:
        while reading.sandbox.world.visible_until < organisation.end:
            assert reading.step().errors == []
            reading.sandbox.world.advance(hours * 3600)
        reading.sandbox.world.visible_until = organisation.end
        assert reading.step().errors == []
        assert [reading.ask(query) for query in tables] == expected


@pytest.mark.parametrize(
    "rule",
    [
        Rule(fault=Fault.SERVER_ERROR, path="deployments|pipelines", every=3, at_most=6),
        Rule(fault=Fault.RESET, path="deployments|issues", every=3, at_most=5),
        Rule(fault=Fault.TRUNCATED, path="deployments|pipelines", every=3, at_most=5),
        Rule(fault=Fault.TOO_MANY_REQUESTS, every=5, once_per_url=False, at_most=3, seconds=0.01),
    ],
    ids=lambda rule: rule.fault.value,
)
def test_faults_cost_requests_and_nothing_else(
    rule: Rule, organisation: Organisation, tmp_path: Path
) -> None:
    """All rows are there nonetheless."""
    with gitlab_reading(organisation, tmp_path) as reading:
        reading.host.faults.set(rule)
        assert reading.sync().errors == []
        assert reading.host.faults.hits
        [counts] = reading.ask(
            "select (select count(*) from pipeline_run), (select count(*) from ticket)"
        )
    assert counts == (
        sum(not is_child(run) for run in every(organisation, "runs")),
        len(every(organisation, "issues")),
    )


def test_a_limit_in_plain_text_is_waited_for(organisation: Organisation, tmp_path: Path) -> None:
    """The body says "Retry later" and is no JSON."""
    limits = {"per_minute": 5, "window_seconds": 0.3}
    with gitlab_reading(organisation, tmp_path, settings=limits) as reading:
        assert reading.sync().errors == []
        assert any(seen.status == 429 for seen in reading.host.requests)
