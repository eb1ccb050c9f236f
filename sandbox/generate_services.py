"""Services and the repositories they live in, with the odd cases every real company has."""

from collections.abc import Mapping
from random import Random

from sandbox.forge import FileChange
from sandbox.ledger import CONFIG_PATH
from sandbox.names import EXTENSIONS, LANGUAGES, MODULES, SERVICE_KINDS, SERVICE_NOUNS
from sandbox.plan import Member, RepositoryPlan, ServicePlan, SetupPlan, Simulation
from sandbox.staff import DeploymentOrigin, Service
from sandbox.working_time import DAY, as_datetime

OWNER = "harbourline"
FORMER_OWNER = "northquay"  # a company taken over; one repository came with it
SHARED_PATH = "libraries/"
CONFIG_FILE = f"{CONFIG_PATH}production.yaml"
METHOD_WEIGHTS = ((70.0, 20.0, 10.0), (10.0, 85.0, 5.0), (15.0, 25.0, 60.0), (40.0, 50.0, 10.0))

ODD_ORIGINS: dict[int, DeploymentOrigin] = {9: "tags", 13: "runs", 14: "merges"}
SECRETS = ("vault", "sealed-secrets", "env-file", "aws-secrets-manager", "sops")
PACKAGING = ("helm", "kustomize", "manifests")


def make_services(simulation: Simulation, count: int) -> None:
    """Adds services and repositories to the simulation; the first few carry the odd cases."""
    random = simulation.random("services")
    slugs = _slugs(random, count)
    mono_size = 0 if count < 3 else (2 if count < 8 else 3)
    mono: RepositoryPlan | None = None
    for index, slug in enumerate(slugs):
        team_index = index % len(simulation.teams)
        if 2 <= index < 2 + mono_size:
            if mono is None:
                mono = _repository(simulation, random, "commerce-suite", 2 % len(simulation.teams))
            service = _service(simulation, random, slug=slug, repository=mono)
            service.paths = (f"services/{slug}/", SHARED_PATH)
            service.environments = (f"{slug}-production",)
            service.staging = f"{slug}-staging"
        else:
            repository = _repository(simulation, random, slug, team_index)
            service = _service(simulation, random, slug=slug, repository=repository)
            _make_odd(simulation, index, service)
        simulation.services.append(service)
    _add_plain_repositories(simulation, random)
    if simulation.repositories[0].former_full_names == () and count < 7:
        simulation.repositories[0].former_full_names = (f"{OWNER}/{slugs[0]}-service",)


def add_service(simulation: Simulation, random: Random, team_index: int, setup: SetupPlan) -> None:
    """Adds one that is set up while we watch, in a repository of its own."""
    taken = {service.slug for service in simulation.services}
    count = len(SERVICE_NOUNS) * len(SERVICE_KINDS) - 1
    slug = next(slug for slug in _slugs(random, count) if slug not in taken)
    repository = _repository(simulation, random, slug, team_index)
    repository.created, repository.setup = setup.created, setup
    service = _service(simulation, random, slug=slug, repository=repository)
    service.created = min(repository.begun, simulation.end)
    service.staging, service.setup = None, setup
    if setup.deploying is None:
        service.origin, service.environments = "none", ()
    simulation.services.append(service)


def service_facts(services: list[ServicePlan], teams: list[int]) -> tuple[Service, ...]:
    """The services as they are; `teams` are the numbers of the teams by index."""
    return tuple(
        Service(
            id=service.id,
            slug=service.slug,
            name=service.name,
            team_id=teams[service.team_index],
            repository_id=service.repository.id,
            paths=service.paths,
            incident_name=service.incident_name,
            origin=service.origin,
            production_environments=service.environments,
            staging_environment=service.staging,
            created_at=as_datetime(service.created),
        )
        for service in services
    )


def initial_files(
    repository: RepositoryPlan,
    team_slug: str,
    members: list[Member],
    practices: Mapping[str, str] | None = None,
) -> tuple[FileChange, ...]:
    """What the first commit of a repository holds, by the habits of its team.

    `practices`, where given, are the files of its tools, instead of some by chance.
    """
    choice = Random(team_slug)
    secrets, packaging = choice.choice(SECRETS), choice.choice(PACKAGING)
    texts = {
        "README.md": f"# {repository.name}\n\n{repository.description}\n",
        ".github/CODEOWNERS": f"* @{OWNER}/{team_slug}\n",
        ".github/workflows/ci.yml": "name: CI\non: [pull_request]\njobs:\n  test:\n"
        "    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n",
    }
    if repository.services and practices is not None:
        texts |= {CONFIG_FILE: "log: info\n", **practices}
    elif repository.services:
        texts[".github/workflows/deploy.yml"] = (
            f"name: Deploy\non: [push]\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n"
            f"    steps:\n      - run: ./deploy.sh # {team_slug}, secrets from {secrets}\n"
        )
        texts[CONFIG_FILE] = "log: info\n"
        texts["Dockerfile"] = f"FROM debian:bookworm-slim\nCOPY . /{repository.name}\n"
        texts[f"deploy/{packaging}/values.yaml"] = f"name: {repository.name}\nreplicas: 2\n"
    for path in source_paths(repository):
        texts[path] = f"// {path} of {repository.name}\n"
    if repository.has_mailmap:
        texts[".mailmap"] = "".join(
            f"{member.name} <{member.emails[0]}> <{other}>\n"
            for member in members
            for other in member.emails[1:]
            if not other.endswith("noreply.github.com")
        )
    return tuple(FileChange(path, text.encode()) for path, text in texts.items())


def source_paths(repository: RepositoryPlan) -> list[str]:
    """The files people work on."""
    extension = EXTENSIONS.get(repository.language, "md")
    if not repository.services:
        return [f"docs/{module}.md" for module in MODULES[:6]]
    if len(repository.services) == 1:
        return [f"src/{module}.{extension}" for module in MODULES]
    paths = [f"{SHARED_PATH}common.{extension}", "docs/overview.md"]
    for service in repository.services:
        paths += [f"{service.paths[0]}{module}.{extension}" for module in MODULES]
    return paths


def _slugs(random: Random, count: int) -> list[str]:
    pairs = [f"{noun}-{kind}" for noun in SERVICE_NOUNS for kind in SERVICE_KINDS]
    laps = 1 + count // len(pairs)
    names = [pair if lap == 0 else f"{pair}-{lap + 1}" for lap in range(laps) for pair in pairs]
    return random.sample(names, count)


def _repository(
    simulation: Simulation, random: Random, name: str, team_index: int
) -> RepositoryPlan:
    repository = RepositoryPlan(
        id=simulation.numbers.take("repository", random.randint(1_000, 4_000_000)),
        owner=OWNER,
        name=name,
        description=f"The {name.replace('-', ' ')} of {simulation.teams[team_index].name}.",
        team_index=team_index,
        language=random.choice(LANGUAGES),
        created=simulation.start - random.randint(100, 900) * DAY,
        method_weights=random.choice(METHOD_WEIGHTS),
    )
    simulation.repositories.append(repository)
    return repository


def _service(
    simulation: Simulation, random: Random, *, slug: str, repository: RepositoryPlan
) -> ServicePlan:
    service = ServicePlan(
        id=simulation.numbers.take("service"),
        slug=slug,
        name=slug.replace("-", " ").capitalize(),
        team_index=repository.team_index,
        repository=repository,
        paths=(),
        origin="deployments",
        environments=("production",),
        staging="staging",
        created=repository.created,
        weight=random.uniform(0.5, 2.0),
        cadence=random.choices(("continuous", "daily", "weekly"), (55, 30, 15))[0],
        failure_share=random.uniform(0.02, 0.09),
        incident_name=slug,
    )
    repository.services.append(service)
    return service


def _make_odd(simulation: Simulation, index: int, service: ServicePlan) -> None:
    repository = service.repository
    length = simulation.end - simulation.start
    match index:
        case 0:
            repository.has_mailmap = True
            repository.method_weights = (60.0, 30.0, 10.0)
            service.cadence = "continuous"
            service.weight = 2.5
            service.incident_name = service.name
        case 1:
            service.origin, service.staging, service.weight = "releases", None, 2.0
            repository.method_weights = (40.0, 60.0, 0.0)
        case 5:
            service.environments = ("production-eu", "production-us")
        case 6:
            repository.former_full_names = (f"{OWNER}/{repository.name}-service",)
        case 7:
            repository.former_full_names = (f"{FORMER_OWNER}/{repository.name}",)
        case 8:
            repository.default_branch, repository.is_promoted = "develop", True
        case 9 | 13 | 14:
            service.origin, service.staging = ODD_ORIGINS[index], None
        case 10:
            service.origin, service.environments = "none", ()
        case 11:
            repository.archived = simulation.start + length * 2 // 3
        case _ if index > 11 and index % 16 == 15:
            service.origin, service.environments, service.staging = "none", (), None
        case _ if index > 11 and index % 13 == 12:
            service.origin, service.staging = "releases", None
        case _ if index > 11 and index % 6 == 2 and simulation.profile.setups is None:
            # Born while we watch: its first live deployment is a cold start of its own.
            repository.created = simulation.start + length * (index % 11 + 1) // 14
            service.created = repository.created


def _add_plain_repositories(simulation: Simulation, random: Random) -> None:
    """Repositories that hold no service: documentation, a template, a fork, the pipeline."""
    last_team = len(simulation.teams) - 1
    handbook = _repository(simulation, random, "handbook", 0)
    handbook.description, handbook.language = "How we work.", "Markdown"
    template = _repository(simulation, random, "service-template", last_team)
    template.description, template.is_template = "Start a service from here.", True
    fork = _repository(simulation, random, "parcel-tools", 0)
    fork.description, fork.fork_parent = "Our patches to parcel-tools.", "open-parcels/parcel-tools"
    fork.visibility = "public"
    pipeline = _repository(simulation, random, "delivery-pipeline", last_team)
    pipeline.description = "The shared delivery pipeline."
    pipeline.visibility = "internal"
    pipeline.created = simulation.launch - 60 * DAY
