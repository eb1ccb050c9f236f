"""Small stories for the models: records as a source would give them, a build, and questions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.arrow import INSTANT, to_table
from connectors.records import (
    RECORDS,
    ChangeRequest,
    ChangeRequestCommit,
    Commit,
    DeploymentAttempt,
    DeploymentStatus,
    Incident,
    Record,
    Reference,
    Repository,
    Review,
    Ticket,
    Worklog,
)
from pipelines import duck, merge, warehouse
from pipelines.build_steps import TableResult
from pipelines.catalog import dependencies, models
from pipelines.files import DataFolder
from pipelines.inputs import Clock
from pipelines.landing import Landing
from pipelines.load import _fingerprint
from pipelines.reader import connect
from pipelines.settings import Settings, parse

# Monday; every story's hours count from here.
START = datetime(2026, 6, 1, 8, tzinfo=UTC)
KEY = "forge.test/acme/shop"


def hour(count: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(hours=count)


def repository(key: str = KEY, **more: Any) -> Repository:
    """A repository with main as its default branch."""
    name = key.rsplit("/", 1)[-1]
    values = {"repository_id": f"forge:repository:{name}", "default_branch": "main", **more}
    return Repository(repository_key=key, name=name, **values)


def commit(sha: str, *parents: str, at: float, key: str = KEY, **more: Any) -> Commit:
    """A commit authored and committed at an hour of the story."""
    values = {"authored_at": hour(at), "author_email": "ann@x.test", "subject": sha, **more}
    return Commit(
        repository_key=key,
        sha=full(sha),
        parents=[full(parent) for parent in parents],
        committed_at=hour(at),
        **values,
    )


def main_at(sha: str, key: str = KEY) -> Reference:
    """The default branch points here."""
    return Reference(repository_key=key, name="main", kind="branch", sha=full(sha), seen_at=hour(0))


def tag(name: str, sha: str, at: float, key: str = KEY) -> Reference:
    """A tag on a commit."""
    return Reference(
        repository_key=key, name=name, kind="tag", sha=full(sha), tagged_at=hour(at), seen_at=START
    )


def line(*names: str, step: float = 1) -> list[Record]:
    """A straight history of commits, one an hour, and main at its end."""
    commits: list[Record] = [
        commit(name, *([names[i - 1]] if i else []), at=i * step) for i, name in enumerate(names)
    ]
    return [*commits, main_at(names[-1])]


def request(
    number: int, *commits: str, opened: float, merged: float, merge: str, **more: Any
) -> list[Record]:
    """A merged change request of these commits; each was authored at its listed hour."""
    listed = [
        ChangeRequestCommit(
            change_request_id=f"forge:pull:{number}",
            sha=full(sha),
            authored_at=hour(opened - 1),
            committed_at=hour(opened - 1),
            author_email="ann@x.test",
            subject=sha,
            position=position,
        )
        for position, sha in enumerate(commits)
    ]
    values = {
        "base_branch": "main",
        "head_branch": f"topic-{number}",
        "author": "forge:ann",
        **more,
    }
    whole = ChangeRequest(
        change_request_id=f"forge:pull:{number}",
        repository_key=values.pop("key", KEY),
        number=number,
        title=values.pop("title", f"change {number}"),
        created_at=hour(opened),
        merged_at=hour(merged),
        merge_sha=full(merge),
        head_sha=full(commits[-1]),
        **values,
    )
    return [whole, *listed]


def review(number: int, at: float, state: str = "approved", reviewer: str = "forge:bob") -> Review:
    """A review by somebody else."""
    return Review(
        review_id=f"forge:review:{number}:{at}:{state}",
        change_request_id=f"forge:pull:{number}",
        reviewer=reviewer,
        state=state,
        submitted_at=hour(at),
    )


def deployment(
    number: int | str,
    sha: str,
    *states: tuple[str, float],
    at: float,
    environment: str = "production",
    **more: Any,
) -> list[Record]:
    """An attempt to deploy a commit and the states it went through."""
    values = {"repository_key": KEY, **more}
    attempt_id = f"forge:deployment:{number}"
    return [
        DeploymentAttempt(
            attempt_id=attempt_id,
            environment=environment,
            sha=full(sha),
            created_at=hour(at),
            **values,
        ),
        *(
            DeploymentStatus(attempt_id=attempt_id, status_id=str(i), state=state, at=hour(moment))
            for i, (state, moment) in enumerate(states)
        ),
    ]


def live(number: int, sha: str, at: float, **more: Any) -> list[Record]:
    """A deployment that goes live at once."""
    return deployment(number, sha, ("succeeded", at), at=at, **more)


def incident(
    number: int, at: float, resolved: float | None = None, service: str | None = "shop", **more: Any
) -> Incident:
    """An incident that began at an hour of the story."""
    values = {"title": f"incident {number}", **more}
    return Incident(
        incident_id=f"pager:incident:{number}",
        service_hint=service,
        created_at=hour(at),
        started_at=hour(at),
        resolved_at=None if resolved is None else hour(resolved),
        **values,
    )


def ticket(key: str, at: float, resolved: float | None = None, **more: Any) -> Ticket:
    """A ticket that was opened at an hour of the story."""
    values = {"type": "Bug", "title": f"ticket {key}", **more}
    return Ticket(
        ticket_id=f"tracker:ticket:{key}",
        ticket_key=key,
        project=key.split("-", 1)[0],
        status_category="new" if resolved is None else "done",
        created_at=hour(at),
        resolved_at=None if resolved is None else hour(resolved),
        **values,
    )


def worklog(ticket_id: str, at: float, hours: float, author: str = "forge:ann") -> Worklog:
    """Time somebody logged on a ticket."""
    return Worklog(
        worklog_id=f"{ticket_id}:{at}:{author}",
        ticket_id=ticket_id,
        author=author,
        started_at=hour(at),
        duration_us=round(hours * 3_600_000_000),
    )


def full(sha: str) -> str:
    """A commit id as long as git's from a short name."""
    return sha.encode().hex().ljust(40, "0")


@dataclass(slots=True)
class Story:
    """Records to ask questions of; what a question reads is built when it is first asked."""

    data: DataFolder
    settings: Settings
    moment: datetime
    built: dict[str, TableResult] = field(default_factory=dict)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the build."""
        self.build(*dependencies(query))
        with connect(self._path) as connection:
            return connection.execute(query).fetchall()

    def build(self, *tables: str) -> None:
        """Make tables that are not there yet; every audit of what is made must pass."""
        missing = (set(tables) & models().keys()) - self.built.keys()
        if not missing and self._path.exists():
            return
        present = {table for table in self.built if models()[table].is_kept}
        with Landing(self.data.landing) as landing:
            made = warehouse.fill(
                self._path,
                self.data,
                self.settings,
                landing,
                warehouse.needed(missing, present),
                build_id="story",
                now=self.moment,
                moment=Clock(self.moment, "the end of the story"),
            )
        self.built |= made
        broken = [f"{t}: {a}" for t, one in made.items() for a in one.audits if not a.passed]
        assert broken == []

    def publish(self) -> None:
        """Build every table and publish, for whoever reads the data folder."""
        with Landing(self.data.landing) as landing:
            warehouse.build(
                self.data,
                self.settings,
                landing,
                now=self.moment,
                moment=Clock(self.moment, "the end of the story"),
            )

    @property
    def _path(self) -> Path:
        return self.data.builds / "story.duckdb"


def tell(
    folder: Path,
    *records: Record | Iterable[Record],
    settings: str = "",
    as_of: float = 24 * 60,
    others: Mapping[str, Iterable[Record]] | None = None,
) -> Story:
    """Keep these records as if a connection named forge had given them; `others` name theirs."""
    data = DataFolder(folder / "data").create()
    flat = [r for part in records for r in ([part] if isinstance(part, Record) else part)]
    told = {"forge": flat, **(others or {})}
    connection = duck.connect(data.records, temporary=data.temporary)
    merge.create_tables(connection, _fingerprint())
    merge.register(connection, "incoming_line", _lines(list(told)))
    for record_type in RECORDS:
        numbered = [
            (number, record)
            for number, given in enumerate(told.values())
            for record in given
            if type(record) is record_type
        ]
        if not numbered:
            continue
        rows = [record for _, record in numbered]
        table = to_table(record_type, rows)
        numbers = pa.array([number for number, _ in numbered], pa.int64())
        table = table.append_column("line_number", numbers)
        if record_type.set_of is None:
            merge.merge_rows(connection, record_type, table)
        else:
            parents = sorted({getattr(row, record_type.set_of) for row in rows})
            merge.merge_sets(
                connection,
                record_type,
                table,
                sets=_sets(parents),
                parts=merge.NO_PARTS,
            )
    connection.close()
    read = parse(settings.encode(), folder / "leadline.toml")
    return Story(data, read, hour(as_of))


def _lines(connections: list[str]) -> pa.Table:
    far = START + timedelta(days=365)
    rows = [
        (number, name, "all", "one", 1, 0, far, far, f"https://{name}.test/")
        for number, name in enumerate(connections)
    ]
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), merge.LINE_SCHEMA, strict=True)
    ]
    return pa.table(columns, schema=merge.LINE_SCHEMA)


def _sets(parents: list[str]) -> pa.Table:
    return pa.table(
        {
            "parent": pa.array(parents, pa.string()),
            "updated_at": pa.array([None] * len(parents), INSTANT),
            "line_number": pa.array([0] * len(parents), pa.int64()),
        }
    )
