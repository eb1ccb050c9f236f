"""Workflow runs of changes and deployments, and the issues of the forge."""

from random import Random
from typing import Literal

from sandbox.forge import Issue, WorkflowJob, WorkflowRun
from sandbox.generate_changes import request_title
from sandbox.generate_deployments import AttemptPlan
from sandbox.plan import NEVER, RepositoryPlan, RequestPlan, SetupPlan, Simulation
from sandbox.working_time import DAY, as_datetime

Conclusion = Literal["success", "failure", "cancelled", "skipped"]

HOSTED = ("ubuntu-latest",)
SHARED = ("self-hosted", "linux", "shared-pool")


class RunMaker:
    """Makes the runs of one repository's two workflows."""

    def __init__(self, simulation: Simulation, repository: RepositoryPlan) -> None:
        self._numbers = simulation.numbers
        self._repository = repository
        self._end = simulation.end
        self._adopted = simulation.teams[repository.team_index].adopted
        self._random = simulation.random("runs", repository.id)
        self._check = simulation.numbers.take("workflow", 13)
        self._deploy = simulation.numbers.take("workflow", 13)
        self._counts = {self._check: 0, self._deploy: 0}

    def for_request(self, plan: RequestPlan) -> WorkflowRun:
        """The check of a request's head, re-run now and then."""
        random = self._random
        started = min(plan.created + random.randint(5, 60), self._end - 30)
        finished = started + random.randint(120, 900)
        is_rerun = random.random() < 0.06
        conclusion: Conclusion = "success" if random.random() < 0.9 else "failure"
        return self._run(
            workflow=(self._check, "CI", ".github/workflows/ci.yml"),
            run_id=self._numbers.take("run", random.randint(1, 4000)),
            event="pull_request",
            branch=plan.branch,
            sha=plan.head_sha,
            actor=plan.author.shown_account_id,
            numbers=(plan.number,),
            attempt=2 if is_rerun else 1,
            span=(plan.created, started, finished),
            conclusion=conclusion,
            jobs=("test", "lint") if plan.id % 3 else ("test",),
        )

    def for_setup(self, setup: SetupPlan, sha: str) -> WorkflowRun:
        """The first check of a new repository, green at the moment that the set-up has."""
        return self._run(
            workflow=(self._check, "CI", ".github/workflows/ci.yml"),
            run_id=self._numbers.take("run", self._random.randint(1, 4000)),
            event="push",
            branch=self._repository.default_branch,
            sha=sha,
            actor=setup.requester.shown_account_id,
            numbers=(),
            attempt=1,
            span=(setup.checked - 200, setup.checked - 190, setup.checked),
            conclusion="success",
            jobs=("test",),
        )

    def for_attempt(self, attempt: AttemptPlan, default_branch: str) -> WorkflowRun:
        """The run behind one production deployment."""
        state, finished = next(
            (status for status in attempt.statuses if status[0] in {"success", "failure", "error"}),
            ("in_progress", NEVER),
        )
        return self._run(
            workflow=(self._deploy, "Deploy", ".github/workflows/deploy.yml"),
            run_id=attempt.run_id,
            event="push" if attempt.creator.is_bot else "workflow_dispatch",
            branch=attempt.ref or default_branch,
            sha=attempt.sha,
            actor=attempt.creator.shown_account_id,
            numbers=(),
            attempt=1,
            span=(attempt.created, attempt.created, finished),
            conclusion="success" if state == "success" else "failure",
            jobs=("build", f"deploy ({attempt.environment})"),
        )

    def _run(
        self,
        *,
        workflow: tuple[int, str, str],
        run_id: int,
        event: Literal["push", "pull_request", "workflow_dispatch"],
        branch: str,
        sha: str,
        actor: int | None,
        numbers: tuple[int, ...],
        attempt: int,
        span: tuple[int, int, int],
        conclusion: Conclusion,
        jobs: tuple[str, ...],
    ) -> WorkflowRun:
        created, started, finished = span
        is_done = finished < self._end
        self._counts[workflow[0]] += 1
        labels = SHARED if created >= self._adopted else HOSTED
        return WorkflowRun(
            id=run_id,
            repository_id=self._repository.id,
            workflow_id=workflow[0],
            name=workflow[1],
            path=workflow[2],
            event=event,
            head_branch=branch,
            head_sha=sha,
            number=self._counts[workflow[0]],
            attempt=attempt,
            status="completed" if is_done else "in_progress",
            conclusion=conclusion if is_done else None,
            actor_account_id=actor,
            change_request_numbers=numbers,
            created_at=as_datetime(created),
            started_at=as_datetime(started),
            updated_at=as_datetime(finished if is_done else started),
            jobs=self._jobs(jobs, labels, (created, started, finished), conclusion),
        )

    def _jobs(
        self,
        names: tuple[str, ...],
        labels: tuple[str, ...],
        span: tuple[int, int, int],
        conclusion: Conclusion,
    ) -> tuple[WorkflowJob, ...]:
        """Jobs one after the other; the last one decides how the run ended."""
        created, started, finished = span
        is_done = finished < self._end
        share = ((finished if is_done else self._end) - started) // len(names)
        jobs = []
        for index, name in enumerate(names):
            is_last = index == len(names) - 1
            begin = started + index * share
            is_over = is_done or not is_last
            completed = as_datetime(finished if is_last else begin + share) if is_over else None
            jobs.append(
                WorkflowJob(
                    id=self._numbers.take("job", 11),
                    name=name,
                    status="completed" if is_over else "in_progress",
                    conclusion=(conclusion if is_last else "success") if is_over else None,
                    runner_labels=labels,
                    runner_name=f"{labels[-1]}-{created % 7}",
                    created_at=as_datetime(created),
                    started_at=as_datetime(begin),
                    completed_at=completed,
                )
            )
        return tuple(jobs)


def plan_issue_times(simulation: Simulation, repository: RepositoryPlan) -> list[int]:
    """When issues are opened on the forge: few, tickets live elsewhere."""
    random = simulation.random("issue times", repository.id)
    first = max(simulation.start, repository.begun) + DAY
    last = min(simulation.end, repository.archived) - DAY
    if last <= first:
        return []
    return sorted(random.randint(first, last) for _ in range(random.choice((0, 2, 5, 9, 14))))


def issue_facts(
    *, simulation: Simulation, repository: RepositoryPlan, number: int, created: int, random: Random
) -> Issue:
    """One issue of the forge."""
    present = simulation.present(repository.team_index, created)
    author = random.choice(present) if present and random.random() < 0.8 else None
    closed = created + random.randint(3600, 60 * DAY) if random.random() < 0.8 else NEVER
    is_closed = closed < simulation.end
    updated = closed if is_closed else min(created + random.randint(0, DAY), simulation.end - 60)
    return Issue(
        id=simulation.numbers.take("issue", random.randint(1, 900)),
        repository_id=repository.id,
        number=number,
        title=f"{request_title(random)}?",
        body="Seen in production." if number % 2 else "",
        state="closed" if is_closed else "open",
        author_account_id=author.shown_account_id if author else None,
        assignee_account_ids=(),
        labels=("bug",) if random.random() < 0.4 else (),
        comment_count=random.randint(0, 6),
        created_at=as_datetime(created),
        updated_at=as_datetime(updated),
        closed_at=as_datetime(closed) if is_closed else None,
    )
