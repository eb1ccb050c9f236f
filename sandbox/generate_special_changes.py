"""Changes out of the ordinary: bots, reverts, hotfixes, stacks, back-ports, promotions, pushes."""

from random import Random

from sandbox.generate_changes import add_reviews, cut_at_end, pick_reviewer, request_title
from sandbox.generate_services import source_paths
from sandbox.names import LIBRARIES
from sandbox.plan import DirectPlan, Member, RepositoryPlan, RequestPlan, ReviewPlan, Simulation
from sandbox.working_time import DAY, HOUR, spread

ADOPTION_LABEL = "platform"
PIPELINE_FILE = ".github/workflows/deploy.yml"


def plan_bot_requests(simulation: Simulation) -> list[RequestPlan]:
    """Dependency updates, some merged by a bot without anyone looking."""
    plans = []
    for repository in simulation.repositories:
        random = simulation.random("bots", repository.id)
        bot = simulation.bots[random.choice(("dependabot", "renovate"))]
        for opening in simulation.calendar.openings(simulation.start, simulation.end):
            created = opening - 4 * HOUR + random.randint(0, HOUR)
            is_there = repository.begun < created - DAY and created < repository.archived - DAY
            if random.random() >= 0.06 or not is_there or created < simulation.start:
                continue
            library = random.choice(LIBRARIES)
            version = f"{random.randint(1, 9)}.{random.randint(0, 30)}.{random.randint(0, 9)}"
            plan = RequestPlan(
                repository=repository,
                author=bot,
                kind="bot",
                paths=(source_paths(repository)[0],),
                authored=[created - 40],
                committed=[created - 40],
                branched=created - 60,
                created=created,
                title=f"Bump {library} to {version}",
                method=random.choices(("merge", "squash"), (30, 70))[0],
                labels=("dependencies",),
            )
            _plan_bot_life(simulation, random, plan)
            cut_at_end(plan, min(simulation.end, repository.archived))
            plans.append(plan)
    return plans


def plan_reverts(simulation: Simulation, requests: list[RequestPlan]) -> list[RequestPlan]:
    """Reverts of merged requests, made with the forge's button."""
    random = simulation.random("reverts")
    plans: list[RequestPlan] = []
    for request in requests:
        repository = request.repository
        if request.merged is None or request.kind != "normal" or random.random() >= 0.014:
            continue
        created = request.merged + random.randint(1, 30) * HOUR + random.randint(0, 3599)
        present = simulation.present(request.author.team_index, created)
        if not present or repository.is_promoted:
            continue
        plan = RequestPlan(
            repository=repository,
            author=random.choice(present),
            kind="revert",
            paths=request.paths,
            authored=[created - 20],
            committed=[created - 20],
            branched=created - 30,
            created=created,
            title=f'Revert "{request.title}"',
            method="merge" if request.method == "rebase" else request.method,
            reverts=request,
        )
        last = add_reviews(
            simulation, random, plan, first=created + random.randint(300, 5400), rounds=0
        )
        plan.merged = last + random.randint(120, 1800)
        plan.merger = plan.author
        _keep(simulation, plans, plan)
    return plans


def plan_hotfixes(simulation: Simulation) -> list[RequestPlan]:
    """Urgent fixes whose branch goes live before it is merged."""
    plans: list[RequestPlan] = []
    for service in simulation.services:
        repository = service.repository
        is_fit = service.origin in {"deployments", "runs"} and len(repository.services) == 1
        if not is_fit or repository.is_promoted or len(service.environments) != 1:
            continue
        random = simulation.random("hotfixes", service.id)
        for opening in simulation.calendar.openings(service.created + 30 * DAY, simulation.end):
            present = simulation.present(service.team_index, opening)
            if random.random() >= 0.012 or opening < simulation.start or not present:
                continue
            branched = opening + random.randint(0, 6 * HOUR)
            authored = branched + random.randint(300, 1200)
            created = authored + random.randint(60, 400)
            plan = RequestPlan(
                repository=repository,
                author=random.choice(present),
                kind="hotfix",
                paths=(random.choice(source_paths(repository)),),
                authored=[authored],
                committed=[authored],
                branched=branched,
                created=created,
                title=request_title(random).replace("Add", "Fix", 1),
                method="merge",
                labels=("hotfix",),
            )
            add_reviews(simulation, random, plan, first=created + 400, rounds=0)
            plan.reviews = plan.reviews[:1]
            plan.merged = created + random.randint(4200, 6600)
            plan.merger = plan.author
            _keep(simulation, plans, plan)
    return plans


def plan_stacked(simulation: Simulation, requests: list[RequestPlan]) -> list[RequestPlan]:
    """Requests into the branch of another request, merged there before it lands."""
    random = simulation.random("stacked")
    plans: list[RequestPlan] = []
    for carrier in requests:
        if (
            carrier.kind != "normal"
            or carrier.merged is None
            or carrier.method == "rebase"
            or carrier.merged - carrier.created < 12 * HOUR
            or carrier.is_updated
            or random.random() >= 0.02
        ):
            continue
        room = carrier.merged - carrier.created
        first, second, created, merged = (
            carrier.created + room * share // 20 for share in (3, 5, 6, 12)
        )
        plan = RequestPlan(
            repository=carrier.repository,
            author=carrier.author,
            kind="stacked",
            paths=carrier.paths[:1],
            authored=[first, second],
            committed=[first, second],
            branched=first - 30,
            created=created,
            title=request_title(random),
            method="merge",
            carrier=carrier,
        )
        reviewer = pick_reviewer(simulation, random, plan.author, created)
        if reviewer is not None:
            plan.reviews.append(ReviewPlan((created + merged) // 2, reviewer, "APPROVED"))
        plan.merged, plan.merger = merged, plan.author
        plans.append(plan)
    return plans


def plan_adoptions(simulation: Simulation) -> list[RequestPlan]:
    """The move of each repository to the shared pipeline, by someone of the infrastructure team."""
    plans: list[RequestPlan] = []
    last_team = len(simulation.teams) - 1
    for repository in simulation.repositories:
        random = simulation.random("adoption", repository.id)
        adopted = simulation.teams[repository.team_index].adopted
        present = simulation.present(last_team, adopted)
        is_there = repository.begun < adopted - 9 * DAY and adopted < repository.archived
        if not repository.services or not present or not is_there or adopted >= simulation.end:
            continue
        created = simulation.calendar.later(adopted - 3 * DAY, 1.0) + random.randint(0, 4 * HOUR)
        plan = RequestPlan(
            repository=repository,
            author=random.choice(present),
            kind="adoption",
            paths=(PIPELINE_FILE,),
            authored=[created - 1800],
            committed=[created - 1800],
            branched=created - 3000,
            created=created,
            title="Use the shared delivery pipeline",
            method="squash",
            labels=(ADOPTION_LABEL,),
        )
        last = add_reviews(
            simulation,
            random,
            plan,
            first=simulation.calendar.later(created, spread(random, 4.0, 0.5)),
            rounds=0,
        )
        plan.merged = last + random.randint(600, 3600)
        plan.merger = plan.author
        _keep(simulation, plans, plan)
    return plans


def plan_direct_commits(simulation: Simulation) -> list[DirectPlan]:
    """Commits pushed straight to the default branch."""
    plans = []
    length = simulation.end - simulation.start
    for repository in simulation.repositories:
        random = simulation.random("direct", repository.id)
        mean = length / DAY / 7 * random.choice((0.0, 0.02, 0.05, 0.15))
        if repository.has_mailmap or not repository.services:
            mean = length / DAY / 7 * 0.3
        for _ in range(round(mean)):
            moment = simulation.start + random.randint(0, length - HOUR)
            committed = simulation.calendar.later(moment, 0.01) + random.randint(1, 3000)
            if not repository.begun + DAY < committed < min(simulation.end, repository.archived):
                continue
            author = _pusher(simulation, random, repository, committed)
            if author is None:
                continue
            age = random.choice((0, 30, 900, 5 * HOUR, 2 * DAY))
            if random.random() < 0.06:
                age = random.randint(95, 150) * DAY
            plans.append(
                DirectPlan(
                    repository=repository,
                    author=author,
                    paths=(random.choice(source_paths(repository)),),
                    authored=committed - age,
                    committed=committed,
                    subject=request_title(random),
                )
            )
    return plans


def _pusher(
    simulation: Simulation, random: Random, repository: RepositoryPlan, at: int
) -> Member | None:
    latin = [m for m in simulation.members if m.is_latin and m.joined <= at < m.left]
    if repository.has_mailmap and latin and random.random() < 0.3:
        return latin[0]
    present = simulation.present(repository.team_index, at)
    return random.choice(present) if present else None


def _plan_bot_life(simulation: Simulation, random: Random, plan: RequestPlan) -> None:
    fate = random.random()
    if fate < 0.15:
        plan.closed = simulation.calendar.later(plan.created, spread(random, 40.0, 0.8)) + 3
        return
    if fate < 0.22:
        return
    if fate < 0.5:
        plan.merged = plan.created + random.randint(900, 3000)
        plan.merger = simulation.bots["github-actions"]
        return
    present = simulation.present(plan.repository.team_index, plan.created)
    if not present:
        return
    reviewer = random.choice(present)
    at = simulation.calendar.later(plan.created, spread(random, 12.0, 1.0)) + 5
    plan.reviews.append(ReviewPlan(at, reviewer, "APPROVED"))
    plan.merged = at + random.randint(20, 900)
    plan.merger = reviewer


def _keep(simulation: Simulation, plans: list[RequestPlan], plan: RequestPlan) -> None:
    end = min(simulation.end, plan.repository.archived)
    if plan.created < end:
        cut_at_end(plan, end)
        plans.append(plan)
