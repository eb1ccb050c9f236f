"""Change requests people make: when they code, open, wait, review and merge."""

from random import Random

from sandbox.forge import ReviewState
from sandbox.generate_services import CONFIG_FILE, source_paths
from sandbox.names import THINGS, VERBS
from sandbox.plan import Member, RepositoryPlan, RequestPlan, ReviewPlan, ServicePlan, Simulation
from sandbox.working_time import DAY, HOUR, spread

WEEK = 7 * DAY
COMMIT_COUNTS = ((1, 2, 3, 4, 5, 7), (45, 25, 14, 8, 5, 3))
REQUESTS_A_WEEK = ((0, 1, 2, 3, 4), (27, 33, 24, 12, 4))
PICKUP_HOURS = 6.5  # working hours a request waits for its first review, in the median


def plan_requests(simulation: Simulation) -> list[RequestPlan]:
    """The requests of everyone over the whole time, week by week."""
    plans: list[RequestPlan] = []
    for member in simulation.members:
        random = simulation.random("requests", member.person_id)
        week = max(simulation.start, member.joined)
        while week < min(simulation.end, member.left):
            for _ in range(random.choices(*REQUESTS_A_WEEK)[0]):
                plan = _plan_request(simulation, random, member, week)
                if plan is not None:
                    plans.append(plan)
            week += WEEK
    return plans


def request_title(random: Random) -> str:
    """What a request says it does."""
    return f"{random.choice(VERBS)} {random.choice(THINGS)}"


def pick_paths(
    random: Random, repository: RepositoryPlan, service: ServicePlan | None
) -> tuple[str, ...]:
    """The files a request touches: mostly of one service, now and then shared or no service's."""
    if service is not None and not service.paths and random.random() < 0.04:
        return (CONFIG_FILE,)
    paths = source_paths(repository)
    if service is not None and service.paths and random.random() < 0.88:
        paths = [path for path in paths if path.startswith(service.paths[0])]
    return tuple(sorted(random.sample(paths, min(len(paths), random.choice((1, 1, 2, 3))))))


def pick_reviewer(simulation: Simulation, random: Random, author: Member, at: int) -> Member | None:
    """A colleague who is there; two deleted accounts never meet, nobody could tell them apart."""
    candidates = simulation.present(author.team_index, at)
    if random.random() < 0.1 or len(candidates) < 2:
        candidates = [m for m in simulation.members if m.joined <= at < m.left]
    candidates = [
        member
        for member in candidates
        if member.person_id != author.person_id and not (member.is_ghost and author.is_ghost)
    ]
    return random.choice(candidates) if candidates else None


def add_reviews(
    simulation: Simulation, random: Random, plan: RequestPlan, *, first: int, rounds: int
) -> int:
    """Adds review rounds from a first moment on; returns when the last one was submitted."""
    reviewer = pick_reviewer(simulation, random, plan.author, first)
    if reviewer is None:
        return first
    at = first
    for _ in range(rounds):
        state: ReviewState = random.choice(("CHANGES_REQUESTED", "COMMENTED"))
        plan.reviews.append(ReviewPlan(at, reviewer, state))
        at = simulation.calendar.later(at, spread(random, 3.0, 0.8)) + random.randint(30, 600)
    is_approved = random.random() < 0.93
    plan.reviews.append(ReviewPlan(at, reviewer, "APPROVED" if is_approved else "COMMENTED"))
    second = pick_reviewer(simulation, random, plan.author, at)
    if random.random() < 0.15 and second is not None and second is not reviewer:
        at = simulation.calendar.later(at, spread(random, 2.0, 0.8)) + random.randint(30, 600)
        plan.reviews.append(ReviewPlan(at, second, "APPROVED"))
    return at


def cut_at_end(plan: RequestPlan, end: int) -> None:
    """Takes back what would happen after the end, with room for moments that get moved apart."""
    end -= 300
    plan.reviews = sorted((r for r in plan.reviews if r.at < end), key=lambda r: r.at)
    if plan.merged is not None and plan.merged >= end:
        plan.merged, plan.merger = None, None
    if plan.closed is not None and plan.closed >= end:
        plan.closed, plan.reopened = None, None
    if plan.reopened is not None and plan.reopened >= end:
        plan.reopened, plan.merged, plan.merger = None, None, None
    if plan.drafted is not None and plan.drafted >= end:
        plan.drafted, plan.ready = None, None
    if plan.ready is not None and plan.ready >= end:
        plan.ready = None
        plan.is_draft = True


def _plan_request(
    simulation: Simulation, random: Random, author: Member, week: int
) -> RequestPlan | None:
    calendar = simulation.calendar
    week_worked = calendar.worked(week)
    days = calendar.worked(week + WEEK) - week_worked
    branched = calendar.moment(week_worked + random.randint(0, max(1, days)))
    branched += random.randint(1, 59)
    first = calendar.later(branched, random.uniform(0.05, 1.0))
    service, repository = _pick_place(simulation, random, author, first)
    if repository is None or first < author.joined:
        return None
    created = calendar.later(first, spread(random, 3.5, 1.0)) + random.randint(61, 900)
    if created >= min(simulation.end, author.left, repository.archived):
        return None
    authored, committed = _commit_times(random, first, created)
    plan = RequestPlan(
        repository=repository,
        author=author,
        kind="normal",
        paths=pick_paths(random, repository, service),
        authored=authored,
        committed=committed,
        branched=branched,
        created=created,
        title=request_title(random),
        method=random.choices(("merge", "squash", "rebase"), repository.method_weights)[0],
    )
    _plan_life(simulation, random, plan)
    cut_at_end(plan, min(simulation.end, repository.archived))
    return plan


def _pick_place(
    simulation: Simulation, random: Random, author: Member, at: int
) -> tuple[ServicePlan | None, RepositoryPlan | None]:
    if random.random() < 0.02:
        plain = [r for r in simulation.repositories if not r.services and r.created < at]
        if plain:
            return None, random.choice(plain)
    others = random.random() < 0.06
    services = [
        service
        for service in simulation.services
        if (others or service.team_index == author.team_index)
        and service.created < at - DAY
        and at < service.repository.archived - DAY
    ]
    if not services:
        return None, None
    service = random.choices(services, [service.weight for service in services])[0]
    return service, service.repository


def _commit_times(random: Random, first: int, created: int) -> tuple[list[int], list[int]]:
    """Author and committer times, with rebases, night work, forgotten branches, fast clocks."""
    count = random.choices(*COMMIT_COUNTS)[0]
    last = created - random.randint(20, 60)
    authored = sorted([first, *(random.randint(first, last) for _ in range(count - 1))])
    for index in range(1, count):
        # Work of the evening: the same day between nine and one at night, if not yet opened.
        evening = authored[index] - authored[index] % DAY + 20 * HOUR + random.randint(0, 4 * HOUR)
        if random.random() < 0.1 and first < evening < last:
            authored[index] = evening
    authored.sort()
    committed = list(authored)
    unusual = random.random()
    if unusual < 0.08:
        committed = [last] * count
    elif unusual < 0.09:
        authored[0] -= random.randint(92, 200) * DAY  # a forgotten branch, rebased
    elif unusual < 0.095:
        authored = committed = [created + random.randint(120, 1800)]  # the clock runs fast
    return authored, committed


def _plan_life(simulation: Simulation, random: Random, plan: RequestPlan) -> None:
    calendar = simulation.calendar
    team = simulation.teams[plan.author.team_index]
    ready = plan.created
    if random.random() < 0.18:
        ready = plan.ready = calendar.later(plan.created, spread(random, 5.0, 0.9)) + 7
    elif random.random() < 0.015:
        plan.drafted = plan.created + random.randint(300, 3600)
        ready = plan.ready = calendar.later(plan.drafted, spread(random, 6.0, 0.7)) + 11
    if team.is_infrastructure or team.group_index % 2 == 0:
        bot = simulation.bots["sonar-review"]
        plan.reviews.append(ReviewPlan(plan.created + random.randint(90, 400), bot, "COMMENTED"))
    if random.random() < 0.06 and not plan.author.is_ghost:
        at = plan.created + random.randint(400, 1200)
        plan.reviews.append(ReviewPlan(at, plan.author, "COMMENTED"))
    fate = random.random()
    if fate < 0.008:
        return  # forgotten, open for ever
    if fate < 0.055:
        plan.closed = calendar.later(ready, spread(random, 20.0, 1.0)) + 13
        return
    last = ready
    if random.random() >= team.unreviewed_share:
        pickup = spread(random, PICKUP_HOURS * team.pickup_factor, 1.0)
        first = calendar.later(ready, pickup) + random.randint(5, 55)
        rounds = random.choices((0, 1, 2), (55, 30, 15))[0]
        last = add_reviews(simulation, random, plan, first=first, rounds=rounds)
    plan.merged = calendar.later(last, spread(random, 1.2, 1.2)) + random.randint(60, 240)
    reviewers = [r.reviewer for r in plan.reviews if r.state == "APPROVED"]
    plan.merger = plan.author if not reviewers or random.random() < 0.6 else reviewers[-1]
    is_config = CONFIG_FILE in plan.paths
    plan.is_updated = plan.method != "rebase" and not is_config and random.random() < 0.08
    if random.random() < 0.007 and plan.merged - plan.created > 4 * HOUR:
        plan.closed = plan.created + HOUR
        plan.reopened = plan.created + 2 * HOUR
