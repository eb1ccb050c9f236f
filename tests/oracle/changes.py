"""Changes, word for word: what is one, what ships it, where it went live, and how long it took.

Each function is a sentence of docs/metrics.md, "What a change is" and "Start and stages".
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.oracle.deployments import Deployment, baseline, in_order, ship, was_unknown, went_live
from tests.oracle.facts import Facts, Listed, Request
from tests.oracle.repository import Commit, Repository

OLDEST_START = timedelta(days=90)
REBASING = timedelta(hours=1)
FEWEST_OF_A_LONG_LIVED_BRANCH = 3
_RELEASE = re.compile(r"(release|hotfix|support|stable)([/-]|$)|v?\d+(\.(\d+|x))+$")


@dataclass(eq=False, repr=False)
class Change:
    """A change with its times; `commits` are its own, `keys` those whose arrival ships it."""

    id: str
    commits: list[Listed]
    keys: list[str]
    start: datetime
    opened: datetime
    merged: datetime
    request: Request | None = None
    copies: list["Change"] = field(default_factory=list)


def is_long_lived(branch: str, facts: Facts) -> bool:
    """The default branch, develop, a release branch, or the base of three merged requests."""
    merged_into = [each for each in facts.requests if each.merged and each.base == branch]
    return (
        branch in {facts.default_branch, "develop"}
        or branch.startswith(("release/", "release-"))
        or len(merged_into) >= FEWEST_OF_A_LONG_LIVED_BRANCH
    )


def is_promotion(request: Request, facts: Facts) -> bool:
    """A request from a long-lived branch is a promotion, not a change."""
    return is_long_lived(request.head, facts)


def is_stacked(request: Request, facts: Facts) -> bool:
    """A request into another branch is part of the request that carries it on.

    Into a release branch it counts; into a long-lived one too, for a promotion carries changes.
    """
    return not (
        request.base == facts.default_branch
        or _RELEASE.match(request.base)
        or is_long_lived(request.base, facts)
    )


def merged_requests(facts: Facts) -> list[Request]:
    """The requests that were merged."""
    return [each for each in facts.requests if each.merged is not None]


def start_of(commits: list[Listed], opened: datetime, merged: datetime) -> datetime:
    """The earliest authored date of the non-merge commits.

    If it lies more than 90 days before the opening, that commit's committer date. Never after
    the opening or the merge.
    """
    own = [each for each in commits if not each.is_merge]
    if not own:
        return min(opened, merged)
    first = min(own, key=lambda each: each.authored)
    is_too_old = opened - first.authored > OLDEST_START
    return min(first.committed if is_too_old else first.authored, opened, merged)


def stacked_on(request: Request, facts: Facts) -> list[Request]:
    """The requests that were merged into this one's branch before it, and into theirs."""
    assert request.merged is not None
    found = []
    for each in merged_requests(facts):
        if (
            each is not request
            and each.base == request.head
            and each.merged is not None
            and each.merged <= request.merged
            and is_stacked(each, facts)
        ):
            found += [each, *stacked_on(each, facts)]
    return found


def is_carried(request: Request, facts: Facts) -> bool:
    """Whether a request that counts brought it on, if through other stacked ones."""
    assert request.merged is not None
    return any(
        not is_stacked(each, facts) or is_carried(each, facts)
        for each in merged_requests(facts)
        if each is not request
        and each.head == request.base
        and each.merged is not None
        and each.merged >= request.merged
        and not is_promotion(each, facts)
    )


def is_folded(
    request: Request, repository: Repository, facts: Facts, deployments: list[Deployment]
) -> bool:
    """Whether a stacked request is no change of its own; one that was brought on by hand is."""
    if not is_stacked(request, facts) or is_carried(request, facts):
        return is_stacked(request, facts)
    arrived = {
        *repository.reached(facts.default_branch),
        *in_production(repository, facts, deployments),
    }
    return not arrived & {request.merge_sha, request.head_sha}


def in_production(
    repository: Repository, facts: Facts, deployments: list[Deployment]
) -> dict[str, Deployment]:
    """What any production environment has shipped."""
    return ship(repository, [each for each in deployments if each.environment in facts.production])


def of_request(request: Request, repository: Repository, facts: Facts) -> Change:
    """A merged request as a change, with what is stacked on it folded in."""
    assert request.merged is not None
    keys = [sha for sha in (request.merge_sha, request.head_sha) if sha and repository.has(sha)]
    starts = [
        start_of(each.commits, each.opened, each.merged)
        for each in (request, *([] if is_stacked(request, facts) else stacked_on(request, facts)))
        if each.merged is not None
    ]
    return Change(
        id=request.id,
        commits=request.commits,
        keys=keys,
        start=min(starts),
        opened=request.opened,
        merged=request.merged,
        request=request,
    )


def listed(commit: Commit) -> Listed:
    """A commit of the graph as a request would list it."""
    return Listed(
        sha=commit.sha,
        email=commit.email,
        authored=commit.authored,
        committed=commit.committed,
        subject=commit.subject,
        is_merge=len(commit.parents) > 1,
    )


def triple(commit: Listed) -> tuple[str, datetime, str]:
    """What stays the same when a commit is written again."""
    return (commit.email, commit.authored, commit.subject)


def rebased(request: Request, repository: Repository) -> list[str]:
    """The commits that merging by rebase wrote: equal to the request's, within an hour of it."""
    assert request.merged is not None
    return [
        sha
        for each in request.commits
        if not each.is_merge
        for sha in repository.equals.get(triple(each), [])
        if abs(repository.commits[sha].committed - request.merged) <= REBASING
    ]


def owned(repository: Repository, facts: Facts) -> set[str]:
    """The commits that belong to a merged request; of a promotion its merge commit only."""
    found = set()
    for request in merged_requests(facts):
        if request.merge_sha:
            found.add(request.merge_sha)
        if not is_promotion(request, facts):
            found |= {each.sha for each in request.commits}
            found |= set(rebased(request, repository))
    return found


def direct_commits(
    repository: Repository, facts: Facts, deployments: list[Deployment]
) -> list[Commit]:
    """Non-merge commits without a request: on the default branch, or gone to production.

    What a request that is not merged lists is a change only once the default branch has it.
    """
    taken = owned(repository, facts)
    asked = {
        each.sha for request in facts.requests if not request.merged for each in request.commits
    }
    on_default = set(repository.reached(facts.default_branch))
    shipped = in_production(repository, facts, deployments)
    return [
        commit
        for sha, commit in sorted(repository.commits.items())
        if len(commit.parents) <= 1
        and sha not in taken
        and (sha in on_default or (sha in shipped and sha not in asked))
    ]


def of_commit(commit: Commit, brought: list[Commit], key: str) -> Change:
    """A commit as a change, merged when it was committed; what a merge brings in ships it too."""
    return Change(
        id=f"commit:{key}:{commit.sha}",
        commits=[listed(each) for each in brought],
        keys=[commit.sha, *(commit.parents[1:] if len(commit.parents) == 2 else ())],
        start=start_of([listed(each) for each in brought], commit.committed, commit.committed),
        opened=commit.committed,
        merged=commit.committed,
    )


def of_the_lines(
    repository: Repository, facts: Facts, deployments: list[Deployment]
) -> list[Change]:
    """In a repository without requests each commit of the default branch's own line is a change,
    a merge with all that it brought in; so is each of the line of a production release that was
    live before the default branch had it. A merge that brings in merges only is none."""
    had: set[str] = set()
    found = []

    def bring(sha: str) -> None:
        if sha not in had:
            brought = [repository.commits[each] for each in repository.ancestors(sha) - had]
            had.update(repository.ancestors(sha))
            if any(len(each.parents) <= 1 for each in brought):
                found.append(of_commit(repository.commits[sha], brought, facts.key))

    def release(sha: str) -> None:
        line = []
        while sha in repository.commits and sha not in had:
            line.append(sha)
            sha = next(iter(repository.commits[sha].parents), "")
        for each in reversed(line):
            bring(each)

    releases = sorted(
        (each.live, each.sha)
        for each in deployments
        if each.live and each.environment in facts.production and repository.has(each.sha)
    )
    for sha in reversed(repository.first_parents(facts.default_branch)):
        while releases and releases[0][0] < repository.commits[sha].committed:
            release(releases.pop(0)[1])
        bring(sha)
    for _, sha in releases:
        release(sha)
    return found


def every_change(
    repository: Repository, facts: Facts, deployments: list[Deployment]
) -> list[Change]:
    """All changes; back-ports and other copies are folded into their original."""
    if not facts.requests:
        return group(of_the_lines(repository, facts, deployments), repository)
    requests = [
        of_request(each, repository, facts)
        for each in merged_requests(facts)
        if not is_promotion(each, facts) and not is_folded(each, repository, facts, deployments)
    ]
    commits = [
        of_commit(each, [each], facts.key)
        for each in direct_commits(repository, facts, deployments)
    ]
    return group([*requests, *commits], repository)


@dataclass(frozen=True)
class Held:
    """A non-merge commit that a change holds; `is_own` if the change consists of it."""

    commit: Listed
    change: Change
    picked_from: tuple[str, ...]
    is_own: bool

    @property
    def age(self) -> tuple[object, ...]:
        """What is picked comes after what is not, commits after requests, later after earlier."""
        return (
            bool(self.picked_from),
            self.change.request is None,
            self.commit.committed,
            self.change.merged,
            self.change.id,
        )


def group(changes: list[Change], repository: Repository) -> list[Change]:
    """Back-ports and what was written again form a group with their originals, which ships once.

    A change all of whose commits are copies is none of its own; its arrival ships the originals.
    """
    every = [each for change in changes for each in held(change, repository)]
    families: dict[tuple[str, datetime, str], list[Held]] = {}
    for each in every:
        families.setdefault(triple(each.commit), []).append(each)
    originals = {change.id: originals_of(change, every, families) for change in changes}
    found = {change.id: change for change in changes if not originals[change.id]}
    for change in changes:
        for other in reached(change.id, originals):
            first = found[other]
            found[other] = replace(
                first, keys=[*first.keys, *change.keys], copies=[*first.copies, change]
            )
    return list(found.values())


def reached(change_id: str, originals: dict[str, set[str]]) -> set[str]:
    """What repeats a copy repeats its original."""
    return {
        last
        for other in originals[change_id]
        for last in (reached(other, originals) if originals[other] else {other})
    }


def held(change: Change, repository: Repository) -> list[Held]:
    """The commits of a change, and the squash commit of a request, which may be picked too."""
    own = [each for each in change.commits if not each.is_merge]
    merge = repository.commits.get(change.request.merge_sha or "") if change.request else None
    is_squash = merge is not None and len(merge.parents) <= 1
    landed = [listed(merge)] if merge is not None and is_squash else []

    def of(commit: Listed, *, is_own: bool) -> Held:
        known = repository.commits.get(commit.sha)
        return Held(commit, change, known.picked_from if known else (), is_own)

    return [
        *(of(each, is_own=True) for each in own),
        *(of(each, is_own=not own) for each in landed),
    ]


def originals_of(
    change: Change, every: list[Held], families: dict[tuple[str, datetime, str], list[Held]]
) -> set[str]:
    """The changes that a change repeats: by the cherry-pick's trailer, else by the same author,
    second and subject; none if anything in it is new.

    The trailers of a squash commit speak for all that was squashed.
    """
    here = [each for each in every if each.change is change]
    squashed = [source for each in here if not each.is_own for source in each.picked_from]
    found: set[str] = set()
    for own in [each for each in here if each.is_own]:
        named = [
            each
            for source in (*own.picked_from, *squashed)
            for each in every
            if each.commit.sha.startswith(source)
        ]
        firsts = [
            min(families[triple(each.commit)], key=lambda one: one.age) for each in (own, *named)
        ]
        if min(firsts, key=lambda one: one.age).change is change:
            return set()
        found |= {each.change.id for each in firsts if each.change is not change}
    return found


@dataclass(frozen=True)
class Arrival:
    """Where a change went live in a place, and what is known of it."""

    deployment: Deployment
    relation: str


def arrivals(
    changes: list[Change], repository: Repository, place: list[Deployment]
) -> dict[str, Arrival]:
    """A change ships once in a place: by the earliest live deployment that has one of its keys."""
    shipped = ship(repository, place)
    first = baseline(repository, place)
    order = in_order(place)
    found = {}
    for change in changes:
        candidates = [shipped[key] for key in change.keys if key in shipped]
        if not candidates:
            continue
        deployment = min(candidates, key=order.index)
        if deployment is first:
            relation = "baseline"
        elif was_unknown(repository, place, deployment, change.merged):
            relation = "interval_censored"
        else:
            relation = "shipped"
        found[change.id] = Arrival(deployment, relation)
    return found


def stages(change: Change, arrival: Arrival, bots: frozenset[str]) -> dict[str, int | None] | None:
    """The lead time and its stages in microseconds; None where it has none.

    Cut points are clamped between the one before and the earlier of merge and live.
    """
    live = went_live(arrival.deployment)
    if arrival.relation != "shipped" or live < change.start:
        return None
    landed = min(change.merged, live)
    c1, c2, c3 = cuts(change, landed, bots)
    parts = {
        "coding": (change.start, c1),
        "pickup": (c1, c2),
        "review": (c2, landed if c3 is None else c3),
        "merge": (c3, landed),
        "deploy": (landed, live),
        "unreviewed": (c1 if c2 is None and change.request is not None else None, landed),
    }
    found = {
        name: None if start is None or end is None else microseconds(end - start)
        for name, (start, end) in parts.items()
    }
    return {"lead_time": microseconds(live - change.start), **found}


def cuts(
    change: Change, landed: datetime, bots: frozenset[str]
) -> tuple[datetime, datetime | None, datetime | None]:
    """Ready for review, first review by somebody else, last approval up to the merge."""
    request = change.request
    if request is None:
        return landed, None, None
    ready = max(change.start, min(max(request.ready or request.opened, request.opened), landed))
    by_others = [
        each
        for each in request.reviews
        if each.reviewer not in bots | {request.author} and each.at <= change.merged
    ]
    if not by_others:
        return ready, None, None
    reviewed = max(ready, min(landed, *(each.at for each in by_others)))
    approvals = [each.at for each in by_others if each.state == "approved"]
    if not approvals:
        return ready, reviewed, None
    return ready, reviewed, max(reviewed, min(max(approvals), landed))


def microseconds(span: timedelta) -> int:
    """A span as a whole number."""
    return span // timedelta(microseconds=1)
