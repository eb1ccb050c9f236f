"""CI runs and jobs as deployments, in small stories whose outcome is known."""

from pathlib import Path

from connectors.records import PipelineJob, PipelineRun, Record
from tests.pipelines.stories import KEY, full, hour, line, repository, tell

RULE = '[[deployments.rules]]\nrepository = "shop"\norigin = "ci"\n'
JOBS = RULE + "job_pattern = '^deploy'\n"


def run(number: int, sha: str, at: float, *, end: float, name: str = "Deploy") -> PipelineRun:
    """A run that ends well."""
    return PipelineRun(
        run_id=f"forge:run:{number}",
        repository_key=KEY,
        name=name,
        branch="main",
        sha=full(sha),
        status="succeeded",
        started_at=hour(at),
        finished_at=hour(end),
        url=f"https://forge.test/runs/{number}",
    )


def job(
    number: int,
    of: int,
    name: str,
    at: float,
    *,
    end: float,
    status: str = "succeeded",
    environment: str | None = None,
) -> PipelineJob:
    """A job of a run."""
    return PipelineJob(
        job_id=f"forge:job:{number}",
        run_id=f"forge:run:{of}",
        name=name,
        environment=environment,
        status=status,
        started_at=hour(at),
        finished_at=hour(end),
    )


def test_jobs_are_deployments_where_a_pattern_says_which(tmp_path: Path) -> None:
    """With their own end, and the commit, branch and address of their run."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        run(1, "a", 1, end=3, name="CI"),
        job(1, 1, "build", 1, end=1.5),
        job(2, 1, "deploy", 1.5, end=2),
        job(3, 1, "smoke test", 2, end=3),
        run(2, "b", 5, end=6, name="CI"),
        job(4, 2, "deploy", 5.2, end=5.4, status="skipped"),
        settings=JOBS,
    )
    assert story.ask("select started_at, live_at, sha, ref, url from deployment_fact") == [
        (hour(1.5), hour(2), full("a"), "main", "https://forge.test/runs/1")
    ]


def test_a_job_names_its_environment_and_others_take_the_rules(tmp_path: Path) -> None:
    """What is not production is listed as such, and ships nothing in production."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        run(1, "a", 1, end=3),
        job(1, 1, "deploy to staging", 1, end=1.5, environment="staging"),
        job(2, 1, "deploy", 2, end=2.5),
        settings=JOBS,
    )
    assert story.ask("""
        select environment, environment_class, reason from deployment_fact order by started_at
    """) == [
        ("staging", "other", "not a production environment"),
        ("production", "production", "first deployment seen: what it holds was shipped before"),
    ]
    assert story.ask("""
        select subject from data_check where check_name = 'unmatched environments'
    """) == [("staging",)]


def test_jobs_run_again_fold_into_one_deployment(tmp_path: Path) -> None:
    """The first failed, the second went well; a job per region is no deployment of its own."""
    story = tell(
        tmp_path,
        repository(),
        line("a"),
        run(1, "a", 1, end=3),
        job(1, 1, "deploy eu", 1, end=1.5, status="failed"),
        job(2, 1, "deploy us", 1, end=1.6),
        job(3, 1, "deploy eu", 2, end=2.2),
        settings=JOBS,
    )
    assert story.ask("select attempts, live_at, outcome from deployment_fact") == [
        (3, hour(1.6), "succeeded")
    ]


def test_of_a_run_only_the_deploying_job_counts(tmp_path: Path) -> None:
    """Live when the job of the environment ends, not after the tests behind it."""
    jobs: list[Record] = [
        job(1, 1, "build", 1, end=1.2),
        job(2, 1, "release", 1.2, end=1.5, environment="production"),
        job(3, 1, "smoke test", 1.5, end=3, status="failed"),
    ]
    failed = run(1, "a", 1, end=3).model_copy(update={"status": "failed"})
    story = tell(
        tmp_path, repository(), line("a", "b"), failed, jobs, run(2, "b", 5, end=6), settings=RULE
    )
    assert story.ask("select live_at, outcome from deployment_fact order by live_at") == [
        (hour(1.5), "succeeded"),
        (hour(6), "succeeded"),
    ]


def test_runs_of_other_names_deploy_nothing(tmp_path: Path) -> None:
    """Without a pattern those with deploy in their name do; a skipped one did not run."""
    skipped = run(3, "b", 7, end=7).model_copy(update={"status": "skipped"})
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        run(1, "a", 1, end=2, name="Lint"),
        run(2, "a", 3, end=4, name="Deploy production"),
        skipped,
        settings=RULE,
    )
    assert story.ask("select live_at from deployment_fact") == [(hour(4),)]
