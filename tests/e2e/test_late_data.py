"""Late and corrected data: a re-sync ends in exactly the tables that a fresh landing gives.

The source is a file of what a forge, a pager and a tracker say, read by a connector of its own
that tells only what changed; commits come from a real repository. After each edit the next sync
and build must equal those of somebody who starts today.
"""

import json
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.connector import (
    ConnectionOptions,
    Connector,
    Line,
    Page,
    Parsed,
    Pull,
    Scope,
    State,
    Stream,
    kinds,
)
from connectors.records import (
    ChangeRequest,
    ChangeRequestCommit,
    DeploymentAttempt,
    DeploymentStatus,
    Incident,
    Record,
    Review,
    Ticket,
    TicketTransition,
)
from pipelines import operations
from pipelines.inputs import Clock
from pipelines.reader import connect, current_build
from pipelines.settings import Settings, parse
from tests.connectors.git_repositories import git, new_repository
from tests.e2e.comparison import Tables, build_of, differing
from tests.pipelines.stories import deployment, hour, incident, request, review, ticket

AS_OF = Clock(hour(24 * 50), "pinned by the test")
DAY = 24.0
PARENTS: dict[str, type[Record]] = {
    each.table: each for each in (ChangeRequest, DeploymentAttempt, Incident, Ticket)
}
CHILDREN: dict[str, tuple[type[Record], ...]] = {
    ChangeRequest.table: (ChangeRequestCommit, Review),
    DeploymentAttempt.table: (DeploymentStatus,),
    Ticket.table: (TicketTransition,),
}
ALL = {each.table: each for each in (*PARENTS.values(), *(c for t in CHILDREN.values() for c in t))}


class ToldOptions(ConnectionOptions):
    """Where the source lies."""

    path: Path


class Told(Stream):
    """Things with what comes whole with them; only those that changed, and those that went."""

    name: ClassVar[str] = "things"
    record_types: ClassVar[tuple[type[Record], ...]] = tuple(ALL.values())

    def __init__(self, path: Path) -> None:
        self.path = path

    def pages(
        self,
        pull: Pull,
        scope: Scope,  # noqa: ARG002  there is one
        state: State,
    ) -> Iterator[Page]:
        """One page of what is new since the state."""
        now = json.loads(self.path.read_text(encoding="utf-8"))
        before = json.loads(state.cursor) if state.cursor else {}
        page = {
            "things": [thing for key, thing in now.items() if before.get(key) != thing],
            "gone": sorted(before.keys() - now.keys()),
        }
        yield Page(
            url="https://source.test/things",
            requested_at=pull.now(),
            body=json.dumps(page).encode(),
            state=State(cursor=json.dumps(now)),
            items=len(page["things"]),
        )

    def parse(self, line: Line) -> Parsed:
        """Records, their sets, and deletions."""
        parsed = Parsed()
        page = json.loads(line.body)
        for key in page["gone"]:
            table, _, identity = key.partition(" ")
            parsed.delete(PARENTS[table], identity)
        for thing in page["things"]:
            table, identity = thing["table"], thing["id"]
            parsed.add(PARENTS[table].model_validate(thing["record"]))
            for child in CHILDREN.get(table, ()):
                parsed.whole(child, identity, None)
            for part in thing["children"]:
                parsed.add(ALL[part["table"]].model_validate(part["record"]))
        return parsed


class ToldConnector(Connector):
    """The source in a file."""

    kind = "told"
    title = "A source in a file"
    options_type = ToldOptions
    options: ToldOptions

    def streams(self) -> tuple[Stream, ...]:
        """One of everything."""
        return (Told(self.options.path),)

    def scopes(self, stream: Stream) -> Iterable[Scope]:  # noqa: ARG002  there is one stream
        """One."""
        return [Scope("all")]


@dataclass
class Source:
    """What the source says now, and the repository beside it."""

    folder: Path
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: str = ""
    shas: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> Path:
        """The repository."""
        return self.folder / "shop"

    def tell(self, *records: Record | Iterable[Record]) -> None:
        """Say these, in place of what was said of them before; children after their parent."""
        flat = [r for part in records for r in ([part] if isinstance(part, Record) else part)]
        for record in flat:
            values = record.model_dump(mode="json")
            if type(record).table in PARENTS:
                key = values[type(record).key[0]]
                self.things[f"{record.table} {key}"] = {
                    "table": record.table,
                    "id": key,
                    "record": values,
                    "children": [],
                }
                continue
            parent = values[str(type(record).set_of)]
            thing = next(each for each in self.things.values() if each["id"] == parent)
            thing["children"].append({"table": record.table, "record": values})

    def edit(self, key: str, **values: object) -> None:
        """Correct a thing."""
        self.things[key]["record"] |= values

    def write(self) -> Path:
        """Put it where the connector reads it."""
        path = self.folder / "source.json"
        path.write_text(json.dumps(self.things), encoding="utf-8")
        return path

    def commit(self, name: str, at: float) -> str:
        """Commit at an hour of the story."""
        moment = f"{int(hour(at).timestamp())} +0000"
        git(
            self.code, "commit", "-q", "--allow-empty", "-m", name,
            GIT_AUTHOR_DATE=moment, GIT_COMMITTER_DATE=moment,
        )  # fmt: skip
        self.shas[name] = git(self.code, "rev-parse", "HEAD")
        return self.shas[name]

    def deploy(self, number: int, name: str, *states: tuple[str, float], **more: Any) -> None:
        """Say that a commit was deployed."""
        told = deployment(number, "", *states, at=states[0][1], **more)
        self.tell(
            *(
                record.model_copy(update={"sha": self.shas[name]})
                if isinstance(record, DeploymentAttempt)
                else record
                for record in told
            )
        )

    def ask_for(self, number: int, name: str, *, opened: float, merged: float, **more: Any) -> None:
        """Say that a request brought a commit."""
        told = request(number, name, opened=opened, merged=merged, merge=name, **more)
        sha = {"sha": self.shas[name]}
        whole = {"merge_sha": self.shas[name], "head_sha": self.shas[name]}
        self.tell(
            *(r.model_copy(update=whole if isinstance(r, ChangeRequest) else sha) for r in told)
        )


@pytest.fixture
def source(quick_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Three weeks of work: commits, requests, deployments, an incident, a ticket."""
    every = {**kinds(), "told": ToldConnector}
    monkeypatch.setattr("pipelines.settings.kinds", lambda: every)
    monkeypatch.setattr("pipelines.load.kinds", lambda: every)
    source = Source(Path(tempfile.mkdtemp(dir=quick_folder)))
    new_repository(source.code)
    git(source.code, "config", "remote.origin.url", "https://forge.test/acme/shop.git")
    for place in range(12):
        name, at = f"c{place}", place * DAY
        source.commit(name, at)
        if place % 2:
            source.ask_for(place, name, opened=at - 5, merged=at, labels=["feature"])
            source.tell(review(place, at - 2))
        environment = "staging" if place == 6 else "production"
        live_at = at + 3
        source.deploy(place, name, ("succeeded", live_at), environment=environment)
    source.tell(incident(1, 7 * DAY + 4, 7 * DAY + 9), ticket("SHOP-1", 9 * DAY + 4, 9 * DAY + 8))
    return source


@dataclass
class Reader:
    """Somebody who reads the source, in a data folder of their own."""

    source: Source
    data: Path
    at: datetime = AS_OF.as_of

    def read(self) -> Tables:
        """Sync, load, build; every table."""
        settings = self.take()
        operations.load_records(settings)
        operations.build(settings, moment=AS_OF)
        return build_of(self.data)

    def take(self) -> Settings:
        """Sync."""
        settings = self.settings()
        self.at += timedelta(hours=1)
        for result in operations.sync(settings, now=lambda: self.at):
            assert result.errors == []
        return settings

    def settings(self) -> Settings:
        """The settings of the day."""
        text = f"""
data = "{self.data}"
{self.source.settings}
[connections.code]
kind = "git"
repositories = ["{self.source.code}"]
[connections.forge]
kind = "told"
path = "{self.source.write()}"
"""
        return parse(text.encode(), self.source.folder / "leadline.toml")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the published build."""
        path = current_build(self.data)
        assert path is not None
        with connect(path) as connection:
            return connection.execute(query).fetchall()


def late_incident(source: Source) -> None:
    """The pager tells of an incident of two weeks ago."""
    source.tell(incident(2, 5 * DAY + 4, 5 * DAY + 6))


def moved_incident(source: Source) -> None:
    """It began a day earlier, and is resolved."""
    source.edit("incident pager:incident:1", started_at=hour(6 * DAY).isoformat())


def failed_after_all(source: Source) -> None:
    """A deployment that succeeded is marked as failed weeks later."""
    source.deploy(4, "c4", ("succeeded", 4 * DAY + 3), ("failed", 4 * DAY + 5))


def another_environment(source: Source) -> None:
    """What was called staging was production."""
    source.edit("deployment_attempt forge:deployment:6", environment="production")


def another_commit(source: Source) -> None:
    """A deployment was of an older commit: it was a rollback."""
    source.edit("deployment_attempt forge:deployment:8", sha=source.shas["c5"])


def deleted_deployment(source: Source) -> None:
    """A deployment is gone: the next one ships what it did."""
    del source.things["deployment_attempt forge:deployment:7"]


def deleted_request(source: Source) -> None:
    """A request is gone: its commit is a direct one."""
    del source.things["change_request forge:pull:9"]


def relabelled_request(source: Source) -> None:
    """It was a hotfix, and is called otherwise."""
    source.edit("change_request forge:pull:5", title="Mend it", labels=["hotfix"])


def late_merge(source: Source) -> None:
    """A request was merged later than was said, and nobody had looked at it."""
    source.ask_for(3, "c3", opened=2 * DAY, merged=3 * DAY + 2)


def ticket_becomes_incident(source: Source) -> None:
    """A bug turns out to have been an incident."""
    source.edit("ticket tracker:ticket:SHOP-1", type="Incident", title="shop is down")


def rewritten_branch(source: Source) -> None:
    """The last commits are written again on the default branch; a branch keeps the old ones."""
    git(source.code, "branch", "before")
    moment = f"{int(hour(12 * DAY).timestamp())} +0000"
    git(source.code, "rebase", "-q", "--root", "--force-rebase", GIT_COMMITTER_DATE=moment)
    source.commit("later", 13 * DAY)
    source.deploy(40, "later", ("succeeded", 13 * DAY + 1))


def changed_settings(source: Source) -> None:
    """Some changes are excluded, some tickets are incidents, the week counts otherwise."""
    source.settings = """
[organisation]
zone = "America/New_York"
[incidents]
ticket_types = ["Incident"]
[failures]
maturity_days = 2
[[exclusions]]
label = "feature"
reason = "for the test"
"""


EDITS: tuple[Callable[[Source], None], ...] = (
    late_incident,
    moved_incident,
    failed_after_all,
    another_environment,
    another_commit,
    relabelled_request,
    late_merge,
    deleted_deployment,
    deleted_request,
    changed_settings,
    ticket_becomes_incident,
    rewritten_branch,
)


def test_after_every_edit_all_is_as_if_it_had_always_been_so(source: Source) -> None:
    """One edit after the other: the next sync and build equal those of a new reader."""
    reader = Reader(source, source.folder / "data")
    before = reader.read()
    assert differing(before, reader.read()) == {}
    for edit in EDITS:
        edit(source)
        now = reader.read()
        assert differing(before, now), f"{edit.__name__} is nowhere to be seen"
        fresh = Reader(source, source.folder / edit.__name__, reader.at - timedelta(hours=1))
        assert (edit.__name__, differing(fresh.read(), now)) == (edit.__name__, {})
        before = now


@pytest.mark.parametrize("seed", range(3))
def test_it_does_not_matter_in_which_order_things_arrive(source: Source, seed: int) -> None:
    """In batches and within them, all loaded at the end or one after the other."""
    at_once = Reader(source, source.folder / "at once").read()
    randomly = random.Random(seed)
    whole = list(source.things.items())
    randomly.shuffle(whole)
    reader = Reader(source, source.folder / "in pieces")
    for number in range(1, 5):
        source.things = dict(whole[: len(whole) * number // 4])
        settings = reader.take()
        if randomly.random() < 0.5:
            operations.load_records(settings)
    assert differing(at_once, reader.read()) == {}


def test_what_a_forced_push_took_away_stays_known(source: Source) -> None:
    """Commits that were read before the push keep what they shipped; a new reader cannot know."""
    reader = Reader(source, source.folder / "known")
    reader.read()
    shipped = """
        select change_id, deployment_id, relation, lead_time_us from change_fact
        where relation = 'shipped' order by all
    """
    before = reader.ask(shipped)
    rewritten_branch(source)
    git(source.code, "branch", "-D", "before")
    reader.read()
    after = reader.ask(shipped)
    assert [row for row in before if row not in after] == []
    new = {row[0] for row in after} - {row[0] for row in before}
    assert {change.rsplit(":", 1)[1] for change in new} == {source.shas["later"]}
