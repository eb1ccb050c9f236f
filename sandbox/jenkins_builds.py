"""The organisation's workflow runs and deployments as builds of Jenkins jobs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from sandbox.forge import Deployment, Repository, WorkflowJob, WorkflowRun
from sandbox.world import DEPLOYMENTS, RUNS, World

FREESTYLE = "hudson.model.FreeStyleProject"
PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
ORGANISATION = "jenkins.branch.OrganizationFolder"
BRANCHES = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
# The one job that deploys whatever its parameters name.
DEPLOY_ANY = ("platform", "deploy-service")

# Names and kinds from the top down to a job.
Place = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Build:
    """A build: a run of the forge, or a deployment with its parameters."""

    run: WorkflowRun
    repository: Repository
    number: int = 0
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def has_checkout(self) -> bool:
        """Whether the repository was checked out; what is told by parameters needs none."""
        return not self.parameters


@dataclass(frozen=True, slots=True)
class Job:
    """A job or a folder, with what it holds."""

    name: str  # as in addresses, once encoded
    kind: str
    builds: tuple[Build, ...] = ()  # oldest first
    members: tuple["Job", ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it holds jobs instead of builds."""
        return self.kind not in {FREESTYLE, PIPELINE}


Jobs = tuple[Job, ...]


def controller(world: World, *, deployments: bool, keep: int | None) -> Job:
    """The controller's top with everything below, as of the moment of the world."""
    placed = [
        found
        for repository in world.repositories()
        for found in _builds(world, repository, deployments=deployments)
    ]
    return Job("", "hudson.model.Hudson", members=_members(placed, 0, keep))


def _members(placed: Sequence[tuple[Place, Build]], depth: int, keep: int | None) -> Jobs:
    """The jobs and folders at one depth, by name."""
    inside: dict[tuple[str, str], list[tuple[Place, Build]]] = defaultdict(list)
    for place, build in placed:
        inside[place[depth]].append((place, build))
    members = []
    for (name, kind), held in sorted(inside.items()):
        if kind in {FREESTYLE, PIPELINE}:
            builds = [build for _, build in held]
            builds.sort(key=lambda build: (build.run.started_at, build.run.id))
            numbered = [replace(build, number=n) for n, build in enumerate(builds, 1)]
            members.append(Job(name, kind, tuple(numbered[-keep if keep else None :])))
        else:
            members.append(Job(name, kind, members=_members(held, depth + 1, keep)))
    return tuple(members)


def _builds(
    world: World, repository: Repository, *, deployments: bool
) -> Iterator[tuple[Place, Build]]:
    """Every build of a repository, with the names and kinds of the folders to its job."""
    slugs = {
        service.id: service.slug if service.paths else repository.name
        for service in world.organisation.services
    }
    deployed = {
        one.run_id: one
        for one in world.things(DEPLOYMENTS, repository.id)
        if one.run_id is not None
    }
    for run in world.things(RUNS, repository.id):
        if run.started_at > world.visible_until:
            continue  # in the queue
        if run.name != "Deploy":
            yield _place(world, repository, run), Build(run, repository)
        elif (deployment := deployed.get(run.id)) is None:
            place = (("deploy", FOLDER), (repository.name, PIPELINE))
            yield place, Build(run, repository)
        elif deployments:
            yield _any(), _deploying(run, repository, deployment, slugs)
    if deployments:
        for deployment in world.things(DEPLOYMENTS, repository.id):
            if deployment.environment_class != "production":
                run = _run(deployment)
                yield _any(), _deploying(run, repository, deployment, slugs)


def _any() -> Place:
    return ((DEPLOY_ANY[0], FOLDER), (DEPLOY_ANY[1], PIPELINE))


def _place(world: World, repository: Repository, run: WorkflowRun) -> Place:
    """Some repositories are found by the organisation's folder, others have a job each."""
    if repository.id % 3 == 0:
        branch = quote(run.head_branch, safe="")
        owner = (world.organisation.login, ORGANISATION)
        return (owner, (repository.name, BRANCHES), (branch, PIPELINE))
    return (("build", FOLDER), (repository.name, PIPELINE if repository.id % 3 == 1 else FREESTYLE))


def _deploying(
    run: WorkflowRun, repository: Repository, deployment: Deployment, slugs: dict[int, str]
) -> Build:
    parameters = (
        ("SERVICE", slugs[deployment.service_id]),
        ("ENVIRONMENT", deployment.environment),
        ("VERSION", deployment.sha),
    )
    return Build(run, repository, parameters=parameters)


def _run(deployment: Deployment) -> WorkflowRun:
    """The run of a deployment that has none on the forge; it ends with the first end there is."""
    ends = {"success": "success", "failure": "failure", "error": "failure"}
    last = next((one for one in deployment.statuses if one.state in ends), None)
    end: datetime = last.created_at if last is not None else deployment.created_at
    is_success = last is not None and last.state == "success"
    job = WorkflowJob(
        id=deployment.id,
        name=f"deploy ({deployment.environment})",
        status="completed" if last is not None else "in_progress",
        conclusion=None if last is None else "success" if is_success else "failure",
        runner_labels=(),
        runner_name="",
        created_at=deployment.created_at,
        started_at=deployment.created_at,
        completed_at=end if last is not None else None,
    )
    return WorkflowRun(
        id=deployment.id,
        repository_id=deployment.repository_id,
        workflow_id=0,
        name="Deploy",
        path="",
        event="push",
        head_branch=deployment.ref,
        head_sha=deployment.sha,
        number=0,
        attempt=1,
        status=job.status,
        conclusion=job.conclusion,
        actor_account_id=deployment.creator_account_id,
        change_request_numbers=(),
        created_at=deployment.created_at,
        started_at=deployment.created_at,
        updated_at=end,
        jobs=(job,),
    )


def milliseconds(span: timedelta) -> int:
    """A span as Jenkins counts it."""
    return span // timedelta(milliseconds=1)
