"""A connection of one kind to its world: pulls into folders of its own, and what came of them."""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from connectors.connector import Connector, Line, PushedStream, Stream, kinds
from connectors.records import RECORDS
from pipelines.kind_streams import all_streams
from pipelines.landing import Landing
from pipelines.sync import SyncResult
from sandbox.faults import Fault, Rule
from tests import pulling
from tests.connectors.jira_pulling import SleepingClock
from tests.connectors.web import Reply, Web, serving
from tests.contract.worlds.world import World
from tests.e2e.comparison import RUN_COLUMNS, RUN_COLUMNS_OF, Tables

API = r"^(?!.*\.git/)"  # Git, where it is served beside the API, has faults of its own

# A row by its table and key.
Row = tuple[str, ...]
Rows = Mapping[Row, Mapping[str, Any]]


@dataclass
class Rig:
    """A connection of one kind to its world."""

    kind: str
    world: World
    folder: Path
    clock: SleepingClock

    def connector(self, **options: Any) -> Connector:
        """The connector with the world's options."""
        found = kinds()[self.kind]
        return found("source", found.options_type.model_validate({**self.world.options, **options}))

    def pull(self, name: str, connector: Connector | None = None, **more: Any) -> SyncResult:
        """Pull into a data folder of that name; what is not pulled is sent there."""
        if self.world.send is not None:
            items = self.world.send(self.folder / name, connector or self.connector())
            return SyncResult("source", items=items)
        more.setdefault("now", lambda: datetime.fromtimestamp(self.clock.now(), UTC))
        made = connector or self.connector()
        return pulling.pull(self.folder / name, made, clones=self.folder / "clones", **more)

    def go_on_from_first(self, name: str) -> None:
        """Begin a data folder of that name where the first pull ended."""
        assert self.first
        shutil.copytree(self.folder / "first", self.folder / name)

    @cached_property
    def first(self) -> Tables:
        """All records of the first pull."""
        return self.rows("first")

    @cached_property
    def first_alive(self) -> Rows:
        """The same, as the source tells them."""
        return self.alive("first")

    def rows(self, name: str) -> Tables:
        """All records of what was pulled there."""
        return pulling.rows(self.folder / name)

    def ask(self, name: str, query: str) -> list[tuple[Any, ...]]:
        """What the records of what was pulled there say."""
        return pulling.ask(self.folder / name, query)

    def alive(self, name: str) -> Rows:
        """Each record of what was pulled there that is not deleted, as the source tells it."""
        found = {}
        with pulling.loaded(self.folder / name) as connection:
            for record_type in RECORDS:
                table = record_type.table
                left_out = RUN_COLUMNS | RUN_COLUMNS_OF.get(table, set())
                columns = [column for column in record_type.model_fields if column not in left_out]
                names = ", ".join(f'"{column}"' for column in columns)
                query = f'select {names} from "{table}" where deleted_at is null'
                for row in connection.execute(query).fetchall():
                    told = dict(zip(columns, row, strict=True))
                    found[table, *(str(told[column]) for column in record_type.key)] = told
        return found

    def lines(self) -> Iterator[tuple[Stream, list[Line]]]:
        """Every stream with the pages that were received for it."""
        found: defaultdict[str, list[Line]] = defaultdict(list)
        with Landing(self.folder / "first" / "landing.sqlite") as landing:
            for batch in landing.batches():
                found[batch.stream] += [line for _, line in landing.lines(batch)]
        for stream in self.connector().streams():
            yield stream, found[stream.name]

    def passes(self, name: str) -> dict[tuple[str, str], list[datetime]]:
        """The full passes of each scope that were completed."""
        found = defaultdict(list)
        with Landing(self.folder / name / "landing.sqlite") as landing:
            for _, stream, scope, started_at, _ in landing.full_passes():
                found[stream, scope].append(started_at)
        return dict(found)

    def silence(self) -> AbstractContextManager[Any]:
        """Have the source answer a few requests and no more."""
        silent = self.world.silent
        if self.world.faults is None:
            assert silent is not None, "say in the world how the source is silent"
            return silent()
        return self.elsewhere(skip=2)

    @contextmanager
    def elsewhere(self, skip: int = 0) -> Iterator[Web]:
        """Redirect to another host, which is given, after some requests that are answered."""
        faults = self.world.faults
        assert faults is not None
        with serving(lambda _: Reply(200, [])) as elsewhere:
            faults.set(Rule(fault=Fault.ELSEWHERE, path=API, target=elsewhere.url, skip=skip))
            try:
                yield elsewhere
            finally:
                faults.clear()


def is_pulled(kind: str) -> bool:
    """Whether connections of a kind ask for anything."""
    return any(not isinstance(stream, PushedStream) for stream in all_streams(kinds()[kind]))


PULLED = [kind for kind in sorted(kinds()) if is_pulled(kind)]
