"""When services that deploy by tag are released, patched from a branch, or promoted to main."""

from bisect import bisect_right

from sandbox.ledger import CONFIG_PATH
from sandbox.plan import HOTFIX_PREFIX, ReleasePlan, RepositoryPlan, RequestPlan, Simulation
from sandbox.working_time import DAY, HOUR


def plan_releases(
    simulation: Simulation, requests: dict[int, list[RequestPlan]]
) -> tuple[dict[int, list[ReleasePlan]], list[RequestPlan]]:
    """Releases by repository, and the back-ports some of their patches need."""
    releases: dict[int, list[ReleasePlan]] = {}
    backports: list[RequestPlan] = []
    for service in simulation.services:
        if service.origin not in {"releases", "tags"}:
            continue
        repository = service.repository
        planned = _regular_releases(simulation, repository)
        patches = _patches(simulation, repository, planned, requests.get(repository.id, []))
        backports += [patch.backport for patch in patches if patch.backport is not None]
        releases[repository.id] = sorted(planned + patches, key=lambda release: release.at)
    return releases, backports


def plan_promotions(
    simulation: Simulation, requests: dict[int, list[RequestPlan]]
) -> list[RequestPlan]:
    """Requests that carry the default branch to main, where there is something to carry."""
    plans = []
    for repository in simulation.repositories:
        if not repository.is_promoted:
            continue
        random = simulation.random("promotions", repository.id)
        merges = sorted(r.merged for r in requests.get(repository.id, []) if r.merged is not None)
        carried = 0
        for opening in simulation.calendar.openings(simulation.start, simulation.end - DAY):
            created = opening + 6 * HOUR + random.randint(0, HOUR)
            there = bisect_right(merges, created)
            present = simulation.present(repository.team_index, created)
            if random.random() >= 0.4 or there == carried or not present:
                continue
            carried = there
            author = random.choice(present)
            plans.append(
                RequestPlan(
                    repository=repository,
                    author=author,
                    kind="promotion",
                    paths=(),
                    authored=[],
                    committed=[],
                    branched=created,
                    created=created,
                    title=f"Release of {opening // DAY - simulation.start // DAY:03d}",
                    method="merge",
                    merged=created + random.randint(900, 3600),
                    merger=author,
                    branch=repository.default_branch,
                    base_branch="main",
                )
            )
    return plans


def _regular_releases(simulation: Simulation, repository: RepositoryPlan) -> list[ReleasePlan]:
    random = simulation.random("releases", repository.id)
    adopted = simulation.teams[repository.team_index].adopted
    bot = simulation.bots["github-actions"]
    releases: list[ReleasePlan] = []
    day = number = 0
    for opening in simulation.calendar.openings(
        max(simulation.start, repository.created) + 3 * DAY, simulation.end - DAY
    ):
        day += 1
        # Every sixth working day, and three times a week once the shared pipeline does it.
        if day % (2 if opening > adopted else 6):
            continue
        at = opening + 5 * HOUR + random.randint(0, HOUR)
        version = f"v1.{number}.0"
        number += 1
        if random.random() < 0.15:
            candidate = f"{version}-rc.1"
            releases.append(ReleasePlan(at - 3 * HOUR, candidate, "main", True, None, bot))
        releases.append(ReleasePlan(at, version, "main", False, None, bot))
    return releases


def _patches(
    simulation: Simulation,
    repository: RepositoryPlan,
    planned: list[ReleasePlan],
    requests: list[RequestPlan],
) -> list[ReleasePlan]:
    """Patch releases of a change that could not wait for the next regular one."""
    random = simulation.random("patches", repository.id)
    finals = [release for release in planned if not release.is_prerelease]
    times = [release.at for release in finals]
    patches: dict[str, ReleasePlan] = {}
    for request in requests:
        if request.merged is None or request.kind != "normal" or request.method != "squash":
            continue
        index = bisect_right(times, request.merged) - 1
        is_config = any(path.startswith(CONFIG_PATH) for path in request.paths)
        if not 0 <= index < len(finals) - 1 or random.random() >= 0.12 or is_config:
            continue
        created = request.merged + random.randint(900, 3600)
        merged = created + random.randint(1200, 3600)
        tag = finals[index].tag.removesuffix(".0") + ".1"
        is_in_time = (
            finals[index].at + DAY < request.merged and merged + 2 * HOUR < times[index + 1]
        )
        if not is_in_time or tag in patches or request.merger is None:
            continue
        branch = f"release/{tag.removeprefix('v').removesuffix('.1')}"
        backport = RequestPlan(
            repository=repository,
            author=request.author if not request.author.is_ghost else request.merger,
            kind="backport",
            paths=request.paths,
            authored=[],
            committed=[created - 60],
            branched=created - 120,
            created=created,
            title=request.title,
            method="merge",
            merged=merged,
            merger=request.merger,
            original=request,
            base_branch=branch,
            ticket_key=request.ticket_key,
        )
        is_hotfix = random.random() < 0.4
        patches[tag] = ReleasePlan(
            merged + 1200,
            HOTFIX_PREFIX + tag if is_hotfix else tag,
            branch,
            False,
            backport,
            simulation.bots["github-actions"],
            is_hotfix,
        )
    return list(patches.values())
