"""Bad payloads, kept in landing and loaded: what is told of each, and what is loaded all the same.

Three pull requests a page; the middle one, or the page, is spoilt. Loading never stops for one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.connector import Page
from pipelines.batches import OpenBatch
from pipelines.landing import Landing
from pipelines.load import load
from tests.connectors.github_fake import NOW, OPTIONS, SCOPE, pull_request

Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Case:
    """What is bad, the words of its reject, and how many of three pull requests are loaded."""

    name: str
    spoil: Change | None = None
    body: Callable[[bytes], bytes] | None = None
    table: str = "change_request"
    words: str = ""
    loaded: int = 2
    checks: dict[str, object] = field(default_factory=dict)


def put(**changed: object) -> Change:
    """Fields of the pull request as they must not be."""
    return lambda request: request.update(changed)


def inside(part: str, **changed: object) -> Change:
    """The same of the first member of a list."""

    def change(request: dict[str, Any]) -> None:
        first = request[part]["nodes"][0]
        (first["commit"] if part == "commits" else first).update(changed)

    return change


# What is told of a page that is no page at all.
PAGE: Any = {"table": "page", "words": "is not JSON", "loaded": 0}
CASES = [
    Case("broken JSON", body=lambda b: b[:-9] + b"{" + b[-9:], **PAGE),
    Case("half a body", body=lambda b: b[: len(b) // 2], **PAGE),
    Case("an empty body", body=lambda _: b"", **PAGE),
    Case("a log-in page", body=lambda _: b"<html>Sign in</html>", **PAGE),
    Case("UTF-16", body=lambda b: b.decode().encode("utf-16"), **PAGE),
    Case("another shape", body=lambda _: b'{"items": []}', table="page",
         words="expected an object with 'data', found an object with 'items'", loaded=0),
    Case("an error alone", body=lambda _: b'{"data": null}', table="page",
         words="at $.data expected an object with 'node', found null", loaded=0),
    Case("nested without end", body=lambda _: b"[" * 100_000, table="page",
         words="nested too deeply", loaded=0),
    Case("null for an item", body=lambda b: b.replace(b'[{"id"', b'[null,{"id"', 1),
         words="the source gave null in the place of this item", loaded=3),
    Case("no id", put(fullDatabaseId=None), words="fullDatabaseId"),
    Case("an id that is no number", put(fullDatabaseId={"a": 1}), words="fullDatabaseId"),
    Case("a number as words", put(number="first"), words="number: Input should be a valid integer"),
    Case("a number of 30 digits", put(number=10**30), words="number"),
    Case("no creation time", put(createdAt=None), words="createdAt"),
    Case("a day that is not", put(createdAt="2026-02-30T00:00:00Z"), words="createdAt"),
    Case("a time without zone", put(createdAt="2026-03-01T10:00:00"), words="createdAt"),
    Case("a time as words", put(createdAt="yesterday"), words="createdAt"),
    Case("the year 0", put(createdAt="0000-01-01T00:00:00Z"), words="createdAt"),
    Case("a list for a title", put(title=["a", "b"]), words="title: Input should be a valid"),
    Case("a review without time", inside("reviews", submittedAt="soon"), table="review",
         words="submittedAt", loaded=3),
    Case("a commit without id", inside("commits", oid=None), table="change_request_commit",
         words="oid", loaded=3),
    Case("a huge text", put(title="x" * 5_000_000), loaded=3, checks={"length(title)": 5_000_000}),
    Case("hostile text", put(title="'; drop table change_request; --\x00\u202e{{7*7}}<script>"),
         loaded=3, checks={"title like '%drop table%'": True}),
    Case("a lone surrogate", put(title="half \ud83d"), loaded=3, checks={"title": "half \ufffd"}),
    Case("stray bytes", body=lambda b: b.replace(b"LED-2 Change", b"LED-2 \xff\xfe"), loaded=3,
         checks={"title": "LED-2 \ufffd\ufffd the thing"}),
    Case("nobody did it", put(author=None, mergedBy=None), loaded=3, checks={"author": None}),
    Case("a path for a branch", put(headRefName="../../etc/passwd"), loaded=3,
         checks={"head_branch": "../../etc/passwd"}),
]  # fmt: skip


def page(case: Case) -> bytes:
    """Three pull requests as GitHub gives them, one of them spoilt."""
    requests = [pull_request(number) for number in (1, 2, 3)]
    for request in requests:
        for part in ("reviews", "commits"):
            request[part] = {"nodes": request[part], "pageInfo": {"hasNextPage": False}}
    if case.spoil is not None:
        case.spoil(requests[1])
    answer = {"data": {"node": {"pullRequests": {"nodes": requests}}}}
    body = json.dumps(answer, separators=(",", ":")).encode()
    return case.body(body) if case.body is not None else body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_payload_is_told_and_the_rest_is_loaded(case: Case, tmp_path: Path) -> None:
    """One reject with its place, reason and address, or a text mended; never a load that stops."""
    with Landing(tmp_path / "landing.sqlite") as landing:
        landing.remember("github", "github", OPTIONS.model_dump_json())
        batch = OpenBatch("github", "change_requests", NOW)
        batch.add(SCOPE, Page("https://api.github.com/graphql#1", NOW, page(case), items=3))
        landing.commit(batch, NOW)
        load(landing, tmp_path / "records.duckdb", temporary=tmp_path / "tmp")
    with duckdb.connect(str(tmp_path / "records.duckdb"), read_only=True) as records:
        rejects = records.sql(
            "select table_name, problem, path, url, excerpt from reject"
        ).fetchall()
        loaded = records.sql("select count(*) from change_request").fetchall()[0][0]
        assert loaded == case.loaded, rejects
        assert [reject[0] for reject in rejects] == ([case.table] if case.words else [])
        for _, problem, path, url, excerpt in rejects:
            assert case.words in problem
            assert path.startswith("$")
            assert url.startswith("https://api.github.com/graphql")
            assert len(excerpt) <= 200
        for expression, value in case.checks.items():
            query = f"select {expression} from change_request where number = 2"
            assert records.sql(query).fetchall() == [(value,)]
