"""Parsing on one core: received bytes → validated Arrow, by the streams' own parsers."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import bodies
from benchmarks.result import Result, best_of, on_cores
from connectors.connector import Line, Pull, State, Stream
from connectors.files import Files
from connectors.files_options import FilesOptions, TableOptions
from pipelines.landing import Batch
from pipelines.load import _Chunk

PULL_REQUESTS = 10_000
FLAT_ROWS = 60_000


def run(scale: float = 1.0) -> Iterator[Result]:
    """Pages of the sandbox, multiplied; after one page to warm up, the best of three runs."""
    on_cores(1)
    flat, pulls = round(FLAT_ROWS * scale), round(PULL_REQUESTS * scale)
    with bodies.sources() as sources:
        yield _measured("flat: CSV deployments", *_csv(flat), flat, 60_000)
        worklogs = sources.largest("worklogs")
        lines = bodies.multiplied(worklogs, (), items=flat, a_page=1000, renew=_renew_text)
        yield _measured("flat: Jira worklogs", worklogs.stream, lines, flat, 60_000)
        issues = sources.largest("issues")
        lines = bodies.multiplied(issues, ("issues",), items=pulls, a_page=100, renew=_renew_text)
        yield _measured("Jira issues", issues.stream, lines, pulls, 8_000)
        runs = sources.largest("workflow_runs")
        lines = bodies.multiplied(runs, ("workflow_runs",), items=flat, a_page=100, renew=_renew)
        yield _measured("flat: GitHub workflow runs", runs.stream, lines, flat, 60_000)
        rest = sources.rest_pulls()
        lines = bodies.multiplied(rest, (), items=pulls, a_page=100, renew=_renew)
        yield _measured("REST pull requests", rest.stream, lines, pulls, 8_000)
        graph = sources.largest("change_requests")
        renew = bodies.two_reviews_three_commits(graph)
        lines = bodies.multiplied(graph, bodies.PULLS, items=pulls, a_page=50, renew=renew)
        what = "GraphQL pull requests, 2 reviews and 3 commits each"
        yield _measured(what, graph.stream, lines, pulls, 10_000)


def _measured(what: str, stream: Stream, lines: list[Line], items: int, limit: float) -> Result:
    _arrow(stream, lines[:1])
    seconds, rows = best_of(3, lambda: _arrow(stream, lines))
    if rows < items:
        raise RuntimeError(f"{what}: {rows} rows of {items} items")
    return Result(f"{what}, parsed a second", items / seconds, "/s", least=limit)


def _arrow(stream: Stream, lines: list[Line]) -> int:
    """Parse pages as a load does, up to the Arrow tables it merges; the number of rows."""
    chunk = _Chunk()
    batch = Batch(1, "bench", stream.name, 0)
    for number, line in enumerate(lines):
        chunk.read(stream, batch, number, line)
    chunk.check()
    if chunk.rejects:
        raise RuntimeError(f"rejected: {chunk.rejects[0]}")
    return sum(chunk.arrow(record_type).num_rows for record_type in chunk.records | chunk.tables)


def _renew(item: Any, number: int) -> None:
    item["id"] = number + 1


def _renew_text(item: Any, number: int) -> None:
    item["id"] = str(number + 1)


def _csv(rows: int) -> tuple[Stream, list[Line]]:
    """A file of deployments as a deploy script would write it, in the pieces it is kept in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deployments.csv"
        body = "".join(
            f"{number},https://forge.test/acme/service-{number % 200},production,{number:040x},"
            f"2026-03-{number % 28 + 1:02}T{number % 24:02}:15:00Z\n"
            for number in range(rows)
        )
        path.write_text(f"id,repository,environment,commit,at\n{body}", encoding="utf-8")
        table = TableOptions(
            path=path,
            record="deployment",
            columns={
                "attempt_id": "id",
                "repository_key": "repository",
                "environment": "environment",
                "sha": "commit",
                "created_at": "at",
            },
        )
        connector = Files("files", FilesOptions(tables=(table,)))
        stream = next(each for each in connector.streams() if each.name == "deployments")
        pull = Pull(None, Path(folder), lambda: datetime.now(UTC))
        return stream, [
            page.line("files", scope)
            for scope in connector.scopes(stream)
            for page in stream.pages(pull, scope, State())
        ]
