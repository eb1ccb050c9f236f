"""Random worlds: a real repository written by `git fast-import`, and what was done to it.

A seed tells a year's story: commits, requests merged in three ways, stacked, promoted, reverted
and back-ported, branches rewritten, and deployments that retry, fail, overlap and go back.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.connectors.git_repositories import git, new_repository
from tests.oracle.facts import Attempt, Facts, Listed, Request, Review

BEGIN = datetime(2025, 2, 3, 8, tzinfo=UTC)
PEOPLE = ("ann", "bob", "cyd", "dan")
BOT = "renovate[bot]"
FATES = (
    *(("succeeded",) for _ in range(12)),
    *(("failed",) for _ in range(3)),
    ("queued", "running", "succeeded"),
    ("running", "succeeded", "inactive"),
    ("succeeded", "failed"),
    ("succeeded", "failed", "succeeded"),
    ("failed", "succeeded"),
    ("cancelled",),
    ("running",),
    (),
)


@dataclass(eq=False, repr=False)
class Node:
    """A commit to be written."""

    parents: tuple["Node", ...]
    person: str
    authored: datetime
    committed: datetime
    subject: str
    body: str = ""
    body_of: "Node | None" = None  # the trailer names this commit, whose id is not known yet
    sha: str = ""

    @property
    def is_merge(self) -> bool:
        """Whether it has several parents."""
        return len(self.parents) > 1


@dataclass(eq=False, repr=False)
class Topic:
    """A request on its way: its branch, and what it holds."""

    request: Request
    base: Node
    nodes: list[Node]
    is_kept: bool
    merge: Node | None = None

    @property
    def head(self) -> Node:
        """The tip of its branch."""
        return self.nodes[-1] if self.nodes else self.base


@dataclass(repr=False)
class World:
    """A story in the telling."""

    seed: int
    has_requests: bool
    is_shallow: bool
    randomly: random.Random
    now: datetime = BEGIN
    nodes: list[Node] = field(default_factory=list)
    branches: dict[str, Node] = field(default_factory=dict)
    topics: list[Topic] = field(default_factory=list)
    closed: list[Topic] = field(default_factory=list)
    deployed: list[tuple[str, Node]] = field(default_factory=list)
    attempts: list[tuple[Node | str, Attempt]] = field(default_factory=list)
    environments: tuple[str, ...] = ("production",)

    @property
    def main(self) -> Node:
        """The tip of the default branch."""
        return self.branches["main"]

    def chance(self, share: float) -> bool:
        """Whether something happens this time."""
        return self.randomly.random() < share

    def ago(self, hours: float) -> datetime:
        """A whole second within the last hours."""
        return self.now - timedelta(seconds=self.randomly.randint(1, int(hours * 3600)))

    def wait(self, hours: float) -> None:
        """Let up to so many hours pass."""
        self.now += timedelta(seconds=self.randomly.randint(60, int(hours * 3600)))

    def write(self, *parents: Node, authored: datetime | None = None, **more: object) -> Node:
        """A new commit."""
        node = Node(
            parents=parents,
            person=self.randomly.choice(PEOPLE),
            authored=authored or self.ago(20),
            committed=self.now,
            subject=f"work {self.seed}.{len(self.nodes)}",
        )
        for name, value in more.items():
            setattr(node, name, value)
        self.nodes.append(node)
        return node

    def again(self, node: Node, *parents: Node, **more: object) -> Node:
        """The same commit written once more."""
        return self.write(
            *parents,
            authored=node.authored,
            person=node.person,
            subject=node.subject,
            **more,
        )


def tell(folder: Path, seed: int, *, events: int = 450) -> Facts:
    """Tell one story and write it down."""
    randomly = random.Random(seed)
    world = World(
        seed, has_requests=seed % 4 != 3, is_shallow=seed % 10 in {7, 8}, randomly=randomly
    )
    world.environments = randomly.choice(
        [("production", "staging"), ("production",), ("prod-eu", "prod-us", "staging")]
    )
    for _ in range(5):
        world.branches["main"] = world.write(*([world.main] if world.branches else []))
    happenings: list[tuple[Callable[[World], None], int]] = [
        (commit_directly, 14),
        (begin_topic, 22),
        (work_on_topic, 6),
        (merge_topic, 24),
        (close_topic, 1),
        (stack, 5),
        (revert, 2),
        (pick, 5),
        (promote, 2),
        (rewrite, 2),
        (deploy, 50),
    ]
    kinds = [kind for kind, _ in happenings]
    weights = [weight for _, weight in happenings]
    for _ in range(events):
        world.wait(randomly.choice((0.2, 0.5, 2, 9)))
        randomly.choices(kinds, weights)[0](world)
    return write_down(world, folder)


def commit_directly(world: World) -> None:
    """Somebody pushes to the default branch; now and then what was written long ago."""
    authored = world.ago(24 * 200) if world.chance(0.1) else None
    world.branches["main"] = world.write(world.main, authored=authored)


def recent(world: World) -> Node:
    """A commit of the default branch that is not very old."""
    node = world.main
    for _ in range(world.randomly.choice((0, 0, 0, 1, 2, 4))):
        node = node.parents[0] if node.parents else node
    return node


def begin_topic(world: World) -> None:
    """Somebody asks for a change of the default branch."""
    open_topic(world)


def open_topic(world: World, base: str = "main", onto: Node | None = None) -> Topic:
    """Somebody opens a request of some commits."""
    onto = onto or recent(world)
    number = len(world.topics) + len(world.closed) + 1
    nodes: list[Node] = []
    for _ in range(world.randomly.choice((1, 1, 2, 3))):
        authored = world.ago(24 * 150) if world.chance(0.08) else None
        nodes.append(world.write(nodes[-1] if nodes else onto, authored=authored))
    opened = soon(world, -3)
    request = Request(
        id=f"forge:pull:{world.seed}-{number}",
        author=f"forge:{BOT}" if world.chance(0.06) else f"forge:{world.randomly.choice(PEOPLE)}",
        base=base,
        head=f"topic-{number}",
        opened=opened,
        ready=opened + timedelta(minutes=world.randomly.randint(0, 600))
        if world.chance(0.4)
        else None,
    )
    topic = Topic(request, onto, nodes, is_kept=world.chance(0.4))
    world.topics.append(topic)
    return topic


def soon(world: World, hours: float = 0) -> datetime:
    """A moment within the hour from now, to the millisecond as forges tell it."""
    return world.now + timedelta(hours=hours, milliseconds=world.randomly.randint(1, 3_600_000))


def work_on_topic(world: World) -> None:
    """A branch grows, or takes in the default branch."""
    if not world.topics:
        return
    topic = world.randomly.choice(world.topics)
    if world.chance(0.5):
        topic.nodes.append(world.write(topic.head))
    elif world.main not in topic.nodes:
        topic.nodes.append(world.write(topic.head, world.main, authored=world.now))


def close_topic(world: World) -> None:
    """A request is given up."""
    if world.topics:
        world.closed.append(world.topics.pop(world.randomly.randrange(len(world.topics))))


def stack(world: World) -> None:
    """Somebody builds on somebody's branch, and is merged into it."""
    bases = [each for each in world.topics if each.request.base == "main"]
    if not bases or not world.has_requests:
        return
    under = world.randomly.choice(bases)
    merged_into = [t for t in world.closed if t.request.base == under.request.head]
    if len(merged_into) >= 2:  # a third would make it a long-lived branch
        return
    topic = open_topic(world, base=under.request.head, onto=under.head)
    if world.chance(0.8):
        before = under.head
        merge_into(world, topic, before)
        assert topic.merge is not None
        under.nodes += [*topic.nodes, topic.merge] if topic.merge.is_merge else [topic.merge]


def merge_topic(world: World) -> None:
    """A request is merged: by merge, squash or rebase."""
    if not world.topics:
        return
    topic = world.topics[world.randomly.randrange(min(4, len(world.topics)))]
    branch = topic.request.base
    if branch not in world.branches:
        return
    review(world, topic)
    world.branches[branch] = merge_into(world, topic, world.branches[branch])


def merge_into(world: World, topic: Topic, tip: Node) -> Node:
    """Merge a request onto a tip; the new tip."""
    way = world.randomly.choice(("merge", "squash", "rebase")) if world.has_requests else "merge"
    plain = [node for node in topic.nodes if not node.is_merge]
    if way == "merge" or not plain:
        merged = world.write(tip, topic.head, authored=world.now)
    elif way == "squash":
        merged = world.write(tip, authored=world.now)
    else:
        merged = tip
        for node in plain:
            merged = world.again(node, merged)
    topic.merge = merged
    topic.request.merged = world.now + timedelta(milliseconds=world.randomly.randint(0, 5000))
    world.topics.remove(topic)
    world.closed.append(topic)
    return merged


def review(world: World, topic: Topic) -> None:
    """Some look at it, the author and machines among them, and some too late."""
    for _ in range(world.randomly.choice((0, 1, 1, 2, 4))):
        who = world.randomly.choice((*PEOPLE, BOT))
        state = "commented" if who == BOT else world.randomly.choice(("approved", "commented"))
        at = world.now - timedelta(milliseconds=world.randomly.randint(-3_000_000, 30_000_000))
        topic.request.reviews.append(
            Review(f"forge:{who}", state, max(at, topic.request.opened + timedelta(minutes=1)))
        )


def revert(world: World) -> None:
    """A commit is taken back."""
    node = recent(world)
    world.branches["main"] = world.write(
        world.main, subject=f'Revert "{node.subject}"', body="This reverts commit ", body_of=node
    )


def pick(world: World) -> None:
    """A commit is carried to a release branch, directly or by a request, maybe with the trailer."""
    if "release/1" not in world.branches:
        world.branches["release/1"] = recent(world)
    sources = [
        node
        for node in world.nodes[-60:]
        if not node.is_merge and node.committed < world.now and node.body_of is None
    ]
    if not sources:
        return
    node = world.randomly.choice(sources)
    tip = world.branches["release/1"]
    body = "(cherry picked from commit " if world.chance(0.6) else ""
    copy = world.again(node, tip, body=body, body_of=node if body else None)
    if body and world.chance(0.3):
        copy.subject = f"[1.x] {copy.subject}"
    if not world.has_requests or world.chance(0.5):
        world.branches["release/1"] = copy
        return
    topic = open_topic(world, base="release/1", onto=tip)
    world.nodes = [each for each in world.nodes if each not in topic.nodes]
    topic.nodes = [copy]


def promote(world: World) -> None:
    """The default branch takes in the release branch, or develop with commits of its own."""
    name = world.randomly.choice(("develop", "release/1"))
    if name == "develop":
        world.branches["develop"] = world.write(world.branches.get("develop", recent(world)))
    if name not in world.branches:
        return
    tip = world.branches[name]
    merged = world.write(world.main, tip, authored=world.now)
    world.branches["main"] = merged
    if world.has_requests:
        number = len(world.topics) + len(world.closed) + 1
        request = Request(
            id=f"forge:pull:{world.seed}-{number}",
            author="forge:ann",
            base="main",
            head=name,
            opened=world.now - timedelta(hours=1),
            merged=world.now + timedelta(seconds=1),
        )
        world.closed.append(Topic(request, tip, [tip], is_kept=True, merge=merged))


def rewrite(world: World) -> None:
    """The last commits of the default branch are written again; the old ones are kept or lost."""
    line = [world.main]
    for _ in range(world.randomly.randint(1, 6)):
        if line[-1].parents:
            line.append(line[-1].parents[0])
    *changed, tip = line
    if world.chance(0.5):
        world.branches[f"old/{len(world.nodes)}"] = world.main
    for node in reversed(changed):
        tip = world.again(node, tip, *node.parents[1:], body=node.body, body_of=node.body_of)
    world.branches["main"] = tip


def deploy(world: World) -> None:
    """Somebody deploys: the newest, an older one, the same again, or what nobody knows."""
    environment = world.randomly.choice(world.environments)
    before = [node for place, node in world.deployed if place == environment]
    node = what_to_deploy(world, before)
    for _ in range(world.randomly.choice((1, 1, 1, 2, 3))):
        attempt(world, environment, node)
        world.now += timedelta(seconds=world.randomly.choice((30, 400, 1800, 3000, 4500)))
    if isinstance(node, Node):
        world.deployed.append((environment, node))


def what_to_deploy(world: World, before: list[Node]) -> Node | str:
    """A commit, or an id that no repository has."""
    choices: list[tuple[list[Node | str], int]] = [
        ([*before[-5:]], 12),
        ([*before[-1:]], 6),
        ([topic.head for topic in world.topics], 7),
        ([node for name, node in world.branches.items() if name == "release/1"], 11),
        ([recent(world)], 4),
        ([f"{world.randomly.getrandbits(160):040x}"], 2),
        ([world.main], 58),
    ]
    possible = [(found, weight) for found, weight in choices if found]
    found = world.randomly.choices(
        [found for found, _ in possible], [weight for _, weight in possible]
    )[0]
    return world.randomly.choice(found)


def attempt(world: World, environment: str, node: Node | str) -> None:
    """One attempt; it may take longer than the next."""
    started = soon(world) - timedelta(minutes=30)
    at, statuses = started, []
    for state in world.randomly.choice(FATES):
        longest = world.randomly.choice((60, 600, 600, 7200))
        at += timedelta(milliseconds=world.randomly.randint(1000, longest * 1000))
        statuses.append((state, at))
    name = f"forge:deployment:{world.seed}-{len(world.attempts):04}"
    world.attempts.append((node, Attempt(name, environment, "", started, tuple(statuses))))


def write_down(world: World, folder: Path) -> Facts:
    """Write the repository, and put the ids of its commits into the facts."""
    path = new_repository(folder / f"world-{world.seed}")
    write_commits(path, world.nodes)
    for name, node in world.branches.items():
        git(path, "update-ref", f"refs/heads/{name}", node.sha)
    for topic in (*world.topics, *world.closed):
        if topic.is_kept and topic.nodes:
            git(path, "update-ref", f"refs/heads/{topic.request.head}", topic.head.sha)
    git(path, "update-ref", "-d", "refs/heads/import")
    key = f"forge.test/acme/world-{world.seed}"
    if world.is_shallow:
        path = cut_off(path, world.randomly.choice(world.nodes[20:60]).committed)
    git(path, "config", "remote.origin.url", f"https://{key}.git")
    facts = Facts(
        path,
        key,
        production=frozenset(e for e in world.environments if e.startswith("prod")),
        bots=frozenset({f"forge:{BOT}"}),
    )
    for deployed, each in world.attempts:
        sha = deployed if isinstance(deployed, str) else deployed.sha
        facts.attempts.append(Attempt(each.id, each.environment, sha, each.started, each.statuses))
    if world.has_requests:
        facts.requests = [request_of(topic) for topic in (*world.topics, *world.closed)]
    return facts


def cut_off(path: Path, since: datetime) -> Path:
    """A clone of all branches without what was committed before."""
    shallow = path.with_name(f"{path.name}-shallow")
    git(
        path.parent,
        *("clone", "-q", "--no-single-branch", f"--shallow-since={since.isoformat()}"),
        *(path.as_uri(), str(shallow)),
    )
    listed = git(shallow, "for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin")
    for name in listed.split():
        if name not in {"HEAD", "main"}:
            git(shallow, "branch", "-q", "--no-track", name, f"origin/{name}")
    return shallow


def request_of(topic: Topic) -> Request:
    """The request with the ids of its commits."""
    request = topic.request
    request.head_sha = topic.head.sha
    request.merge_sha = topic.merge.sha if topic.merge is not None else None
    request.commits = [
        Listed(
            sha=node.sha,
            email=f"{node.person}@x.test",
            authored=node.authored,
            committed=node.committed,
            subject=node.subject,
            is_merge=node.is_merge,
        )
        for node in topic.nodes
    ]
    return request


def write_commits(path: Path, nodes: list[Node]) -> None:
    """`git fast-import` in rounds: a message that names a commit waits until it has its id."""
    waiting = list(nodes)
    marks: dict[Node, str] = {}
    while waiting:
        ready: list[Node] = []
        for node in waiting:
            known = all(parent.sha or parent in ready for parent in node.parents)
            if known and (node.body_of is None or node.body_of.sha):
                ready.append(node)
        import_commits(path, ready, marks)
        waiting = [node for node in waiting if not node.sha]


def import_commits(path: Path, nodes: list[Node], marks: dict[Node, str]) -> None:
    """Write these commits and read their ids."""
    stream = []
    for mark, node in enumerate(nodes, 1):
        marks[node] = f":{mark}"
        trailer = f"{node.body}{node.body_of.sha}" if node.body_of is not None else ""
        trailer += ")" if trailer.startswith("(") else ""
        message = f"{node.subject}\n\n{trailer}\n".encode()
        who = f"{node.person} <{node.person}@x.test>"
        stream.append(
            f"reset refs/heads/import\n\ncommit refs/heads/import\nmark :{mark}\n"
            f"author {who} {int(node.authored.timestamp())} +0000\n"
            f"committer {who} {int(node.committed.timestamp())} +0000\n"
            f"data {len(message)}\n{message.decode()}"
        )
        stream += [
            f"{'merge' if place else 'from'} {parent.sha or marks[parent]}\n"
            for place, parent in enumerate(node.parents)
        ]
        stream.append("\n")
    exported = path / ".git" / "marks"
    git(
        path,
        "fast-import",
        "--quiet",
        "--force",
        f"--export-marks={exported}",
        stdin="".join(stream).encode(),
    )
    ids = dict(row.split() for row in exported.read_text(encoding="utf-8").splitlines())
    for node in nodes:
        node.sha = ids[marks[node]]
