"""Deployments of services through the forge: when, what, how it went, and what came after."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from sandbox.forge import DeploymentState, EnvironmentClass
from sandbox.ledger import Arrival, EnvironmentLedger, Outcome, touches
from sandbox.plan import (
    NEVER,
    DeployPoint,
    History,
    Member,
    RequestPlan,
    ServicePlan,
    Simulation,
)
from sandbox.working_time import DAY, HOUR, WORKDAY_SECONDS, spread

# Attempts of one commit further apart than an hour are deployments of their own, so retries stay
# well below and everything else well above.
SETTLING = 2 * HOUR + 600


@dataclass(slots=True)
class AttemptPlan:
    """One deployment of the forge's API, with the states it goes through."""

    id: int
    run_id: int
    service: ServicePlan
    environment: str
    environment_class: EnvironmentClass
    sha: str
    ref: str
    creator: Member
    created: int
    statuses: list[tuple[DeploymentState, int]] = field(default_factory=list)


class DeploymentSimulation:
    """Lets one service deploy from its first day to its last."""

    def __init__(
        self,
        simulation: Simulation,
        service: ServicePlan,
        history: History,
        requests: list[RequestPlan],
    ) -> None:
        self._simulation = simulation
        self._ends_once = simulation.profile.delivery == "beside"
        self._service = service
        self._random = simulation.random("deployments", service.id)
        self._points = history.points
        self._point_times = [point.at for point in history.points]
        positions = [point.position for point in history.points]
        self._triggers = [
            history.points[bisect_left(positions, position)]
            for position, entry in enumerate(history.entries)
            if touches(entry, service) and position <= positions[-1]
        ]
        self._trigger_positions = [point.position for point in self._triggers]
        self._hotfixes = [r for r in requests if r.kind == "hotfix" and r.position is not None]
        self._adopted = simulation.teams[service.team_index].adopted
        self._limit = min(simulation.end, service.repository.archived) - 4 * HOUR
        self._team = [m for m in simulation.members if m.team_index == service.team_index]
        self._bot = simulation.bots["github-actions"]
        self._active: dict[str, AttemptPlan] = {}
        self.attempts: list[AttemptPlan] = []
        self.ledgers = {
            name: EnvironmentLedger(service, name, "production", history.entries)
            for name in service.environments
        }
        self._staging: EnvironmentLedger | None = None
        if service.staging is not None:
            self._staging = EnvironmentLedger(service, service.staging, "staging", history.entries)
            self.ledgers[service.staging] = self._staging
        self._free = max(simulation.start, service.created) + self._random.randint(1, 6) * DAY
        self._staging_free = self._free - DAY

    def run(self) -> None:
        """Deploys until there is nothing more to deploy or the time is over."""
        setup = self._service.setup
        if setup is not None and setup.deploying is not None:
            first = self._points[0]
            live = self._attempt(first.sha, first.position, setup.deploying, is_sure=True)
            if live is not None:
                self._follow(first.sha, first.position, live)
        while True:
            shipped = self._reached()
            index = bisect_right(self._trigger_positions, shipped)
            if index == len(self._triggers):
                break
            at = self._scheduled(self._triggers[index].at)
            hotfix = self._next_hotfix(at)
            if hotfix is not None:
                self._deploy_hotfix(hotfix)
                continue
            if at >= self._limit:
                self._leave_running(at)
                break
            point = self._points[bisect_right(self._point_times, at) - 1]
            if not self._service.environments:
                self._stage(point, at)
                self._free = at + HOUR
            else:
                self._deploy(point, at)
        for ledger in self.ledgers.values():
            ledger.close()

    def _reached(self) -> float:
        if self._service.environments:
            return self._primary.shipped_position
        return self._staging.shipped_position if self._staging is not None else NEVER

    @property
    def _primary(self) -> EnvironmentLedger:
        return self.ledgers[self._service.environments[0]]

    def _scheduled(self, landed: int) -> int:
        """When a change that landed then is next deployed, by the habits of the service."""
        calendar, random = self._simulation.calendar, self._random
        ready = max(landed, self._free)
        if ready >= self._adopted:
            return ready + round(spread(random, 0.35, 0.6) * HOUR) + 60
        if self._service.cadence == "continuous":
            return calendar.later(ready, spread(random, 4.0, 0.9)) + 60
        days = calendar.worked(ready) // WORKDAY_SECONDS
        step = 4 if self._service.cadence == "weekly" else 1
        return calendar.moment(
            (days // step + 1) * step * WORKDAY_SECONDS + random.randint(0, HOUR)
        )

    def _deploy(self, point: DeployPoint, at: int) -> None:
        """One deployment with its staging, retries and aftermath."""
        random = self._random
        if self._staging is not None:
            self._stage_before(point, at)
        later = self._overtaking(point, at)
        if later is not None:
            self._deploy_overtaken(point, later, at)
            return
        before = (self._primary.live_sha, self._primary.live_position)
        live = self._attempt(point.sha, point.position, at)
        if live is None:
            return
        self._follow(point.sha, point.position, live)
        fate = random.random()
        if fate < 0.03 and before[0] not in {None, point.sha} and before[1] < point.position:
            self._roll_back(point, before, live)
        elif fate < 0.045:
            again = live + SETTLING + random.randint(0, 6 * HOUR)
            self._again(point.sha, point.position, again)

    def _attempt(self, sha: str, position: float, at: int, *, is_sure: bool = False) -> int | None:
        """Attempts with retries in the primary environment; the live moment, None if none."""
        random, service = self._random, self._service
        environment = service.environments[0]
        failure_share = 0.0 if is_sure else service.failure_share
        ids: list[int] = []
        begin, live = at, None
        for share in (failure_share, 0.1):
            attempt = self._begin(environment, "production", sha, begin)
            ids.append(attempt.id)
            finish = begin + random.randint(240, 1500)
            if random.random() >= share:
                self._succeed(attempt, finish)
                live = finish
                break
            attempt.statuses.append((random.choice(("failure", "failure", "error")), finish))
            if random.random() < 0.35:
                break
            begin = finish + random.randint(200, 1200)
        outcome: Outcome = "succeeded" if live is not None else "failed_before_live"
        self._free = finish + SETTLING
        if live is not None:
            self._free = finish + 300
            # A run ends once, and so does what a tool beside the forge deploys.
            ends_once = service.origin != "deployments" or self._ends_once
            can_fail_later = not is_sure and not ends_once
            if can_fail_later and random.random() < 0.006:
                outcome = "failed_after_live"
                attempt.statuses.append(("failure", finish + random.randint(200, 900)))
        self._primary.record(Arrival(str(ids[0]), tuple(ids), sha, position, at, live, outcome))
        return live

    def _again(self, sha: str, position: float, at: int) -> None:
        if at < self._limit:
            live = self._attempt(sha, position, at, is_sure=True)
            if live is not None:
                self._follow(sha, position, live)

    def _roll_back(self, point: DeployPoint, before: tuple[str | None, float], live: int) -> None:
        at = live + self._random.randint(900, 3 * HOUR)
        self._again(before[0] or "", before[1], at)
        self._free += SETTLING
        if self._random.random() < 0.25:
            forward = self._simulation.calendar.later(self._free, self._random.uniform(1.0, 6.0))
            self._again(point.sha, point.position, forward)

    def _follow(self, sha: str, position: float, live: int) -> None:
        """Takes a commit to the other production environments."""
        for environment in self._service.environments[1:]:
            at = live + self._random.randint(600, 1500)
            attempt = self._begin(environment, "production", sha, at)
            finish = at + self._random.randint(200, 500)
            is_live = self._random.random() >= 0.02
            if is_live:
                self._succeed(attempt, finish)
            else:
                attempt.statuses.append(("failure", finish))
            outcome: Outcome = "succeeded" if is_live else "failed_before_live"
            self.ledgers[environment].record(
                Arrival(
                    str(attempt.id),
                    (attempt.id,),
                    sha,
                    position,
                    at,
                    finish if is_live else None,
                    outcome,
                )
            )
            live = finish
            self._free = max(self._free, finish + 300)

    def _overtaking(self, point: DeployPoint, at: int) -> DeployPoint | None:
        """A newer commit that lands while a slow deployment is under way, now and then."""
        is_plain = len(self._service.environments) == 1 and self._primary.live_sha is not None
        index = bisect_right(self._trigger_positions, point.position)
        if not is_plain or index == len(self._triggers) or self._random.random() >= 0.05:
            return None
        later = self._triggers[index]
        return later if at < later.at < at + 2400 else None

    def _deploy_overtaken(self, point: DeployPoint, later: DeployPoint, at: int) -> None:
        environment = self._service.environments[0]
        slow = self._begin(environment, "production", point.sha, at)
        fast = self._begin(environment, "production", later.sha, later.at + 300)
        fast_live, slow_live = fast.created + 900, at + 5400
        self._succeed(fast, fast_live)
        self._succeed(slow, slow_live)
        for attempt, position, live in (
            (fast, later.position, fast_live),
            (slow, point.position, slow_live),
        ):
            self._primary.record(
                Arrival(
                    str(attempt.id),
                    (attempt.id,),
                    attempt.sha,
                    position,
                    attempt.created,
                    live,
                    "succeeded",
                    is_overtaken=attempt is slow,
                )
            )
        self._free = slow_live + SETTLING

    def _next_hotfix(self, before: int) -> RequestPlan | None:
        """A hotfix whose branch can go live ahead of the next regular deployment."""
        while self._hotfixes and self._hotfixes[0].created + 1500 < self._free:
            self._hotfixes.pop(0)
        if not self._hotfixes or self._primary.live_sha is None:
            return None
        hotfix = self._hotfixes[0]
        if hotfix.created + 1500 > min(before, self._limit):
            return None
        self._hotfixes.pop(0)
        is_alone = hotfix.position == hotfix.base_position + 1
        return hotfix if is_alone else None

    def _deploy_hotfix(self, hotfix: RequestPlan) -> None:
        at = hotfix.created + 1500
        attempt = self._begin(self._service.environments[0], "production", hotfix.head_sha, at)
        attempt.ref = hotfix.branch
        live = at + self._random.randint(300, 900)
        self._succeed(attempt, live)
        self._primary.record(
            Arrival(
                str(attempt.id),
                (attempt.id,),
                hotfix.head_sha,
                hotfix.base_position + 0.5,
                at,
                live,
                "succeeded",
                extra_keys=(hotfix.key,),
                is_before_merge=True,
                # The API forgets the branch of a deployment once it is deleted; a run keeps it.
                is_hotfix=self._service.origin == "runs",
            )
        )
        self._free = max(live + 300, (hotfix.merged or live) + 60)

    def _stage_before(self, point: DeployPoint, at: int) -> None:
        staged = at - self._random.randint(1200, 3600)
        if point.at + 60 <= staged and self._staging_free < staged:
            self._stage(point, staged)

    def _stage(self, point: DeployPoint, at: int) -> None:
        if self._staging is None:
            return
        attempt = self._begin(self._service.staging or "", "staging", point.sha, at)
        finish = at + self._random.randint(120, 500)
        is_live = self._random.random() >= 0.03
        if is_live:
            self._succeed(attempt, finish)
        else:
            attempt.statuses.append(("failure", finish))
        outcome: Outcome = "succeeded" if is_live else "failed_before_live"
        live = finish if is_live else None
        self._staging.record(
            Arrival(str(attempt.id), (attempt.id,), point.sha, point.position, at, live, outcome)
        )
        self._staging_free = finish + SETTLING

    def _leave_running(self, at: int) -> None:
        """Leaves some services with a deployment under way at the end."""
        end = self._simulation.end
        is_near = self._service.environments and self._free < end - HOUR and at < end + 3 * DAY
        if not is_near or self._service.repository.archived < end or self._service.id % 3:
            return
        point = self._points[bisect_right(self._point_times, end - 900) - 1]
        if point.sha in {self._primary.live_sha, None}:
            return
        begin = end - 600
        attempt = self._begin(self._service.environments[0], "production", point.sha, begin)
        self._primary.record(
            Arrival(
                str(attempt.id),
                (attempt.id,),
                point.sha,
                point.position,
                begin,
                None,
                "running",
            )
        )

    def _begin(
        self, environment: str, environment_class: EnvironmentClass, sha: str, at: int
    ) -> AttemptPlan:
        numbers = self._simulation.numbers
        by_hand = [m for m in self._team if m.joined <= at < m.left]
        is_automatic = at >= self._adopted or not by_hand or self._random.random() < 0.3
        run_id = numbers.take("run", self._random.randint(1, 4000))
        is_run = self._service.origin == "runs"  # the run is all there is of it
        attempt = AttemptPlan(
            id=run_id if is_run else numbers.take("deployment", self._random.randint(1, 900)),
            run_id=run_id,
            service=self._service,
            environment=environment,
            environment_class=environment_class,
            sha=sha,
            ref="main" if self._service.repository.is_promoted else "",
            creator=self._bot if is_automatic else self._random.choice(by_hand),
            created=at,
        )
        attempt.statuses += [("queued", at), ("in_progress", at + self._random.randint(10, 40))]
        self.attempts.append(attempt)
        return attempt

    def _succeed(self, attempt: AttemptPlan, at: int) -> None:
        """Marks success; the forge then marks what was active there before as inactive."""
        attempt.statuses.append(("success", at))
        before = self._active.get(attempt.environment)
        if before is not None and before.statuses[-1][0] == "success":
            before.statuses.append(("inactive", at + 1))
        self._active[attempt.environment] = attempt
