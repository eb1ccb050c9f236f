"""A GitHub that answers the pull requests of one repository from a list, over real HTTP."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.client import Client
from connectors.connector import Page, Parsed, Pull, Scope, State, Stream
from connectors.github_options import GithubOptions
from connectors.records import Record
from connectors.secret import Secret
from tests.connectors.web import Asked, Reply, Web, serving

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
OPTIONS = GithubOptions(organisation="tideworks", token=Secret(env="TOKEN"))
SCOPE = Scope(
    "77",
    {
        "repository_key": "github.com/tideworks/ledger",
        "full_name": "tideworks/ledger",
        "node_id": "R_77",
        "created_at": START.isoformat(),
    },
)


def stamp(at: datetime) -> str:
    """A time as GitHub writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def pull_request(number: int, *, reviews: int = 2, commits: int = 3, **changed: Any) -> Any:
    """A merged pull request, updated `number` hours after the start."""
    at = START + timedelta(hours=number)
    person = {"__typename": "User", "login": f"Person-{number % 7}"}
    return {
        "id": f"PR_{number}",
        "fullDatabaseId": str(5_000_000_000 + number),
        "number": number,
        "title": f"LED-{number} Change the thing",
        "url": f"https://github.com/tideworks/ledger/pull/{number}",
        "isDraft": False,
        "createdAt": stamp(at - timedelta(hours=5)),
        "updatedAt": stamp(at),
        "mergedAt": stamp(at),
        "closedAt": stamp(at),
        "author": person,
        "mergedBy": person,
        "baseRefName": "main",
        "headRefName": f"topic/{number}",
        "headRefOid": f"{number:040x}",
        "mergeCommit": {"oid": f"{number + 1_000_000:040x}"},
        "additions": 5,
        "deletions": 1,
        "labels": {"nodes": [{"name": "bug"}]},
        "reviews": [
            {
                "fullDatabaseId": str(number * 1000 + each),
                "state": "APPROVED",
                "submittedAt": stamp(at - timedelta(hours=1)),
                "author": {"__typename": "User", "login": "reviewer"},
            }
            for each in range(reviews)
        ],
        "commits": [
            {
                "commit": {
                    "oid": f"{number * 1000 + each:040x}",
                    "authoredDate": stamp(at - timedelta(hours=3)),
                    "committedDate": stamp(at - timedelta(hours=2)),
                    "messageHeadline": "Change it",
                    "author": {"email": "person@example.invalid"},
                }
            }
            for each in range(commits)
        ],
        "timelineItems": {"nodes": []},
        **changed,
    }


@dataclass
class Forge:
    """The pull requests that are served, and how many at once are too many."""

    pulls: list[Any]
    heavy_above: int = 100
    partial_above: int = 100
    broken: set[int] = field(default_factory=set)
    sizes: list[int] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        """One GraphQL answer."""
        sent = json.loads(asked.body)
        variables = sent["variables"]
        if "query MoreReviews" in sent["query"]:
            return self._more("reviews", variables)
        if "query MoreCommits" in sent["query"]:
            return self._more("commits", variables)
        return self._pulls(variables)

    def _pulls(self, variables: dict[str, Any]) -> Reply:
        size = variables["first"]
        self.sizes.append(size)
        if size > self.heavy_above:
            return Reply(502, b"<html>Unicorn</html>")
        rising = variables["direction"] == "ASC"
        ordered = sorted(
            self.pulls, key=lambda each: (each["updatedAt"], each["number"]), reverse=not rising
        )
        after = _key(variables["after"])
        if after is not None:
            ordered = [
                each
                for each in ordered
                if ((each["updatedAt"], each["number"]) > after) is rising
                and (each["updatedAt"], each["number"]) != after
            ]
        chosen = ordered[:size]
        nodes: list[Any] = [
            {**each, "reviews": _part(each["reviews"], 50), "commits": _part(each["commits"], 100)}
            for each in chosen
        ]
        errors = []
        for place, each in enumerate(chosen):
            if each["number"] in self.broken or size > self.partial_above:
                nodes[place] = None
                message = "Something went wrong while executing your query."
                path = ["node", "pullRequests", "nodes", place]
                errors.append({"message": message, "path": path})
        last = chosen[-1] if chosen else None
        place_of = {
            "hasNextPage": len(ordered) > size,
            "endCursor": _cursor(last) if last else None,
        }
        data = {"node": {"pullRequests": {"pageInfo": place_of, "nodes": nodes}}}
        return Reply(200, {"data": data, **({"errors": errors} if errors else {})})

    def _more(self, name: str, variables: dict[str, Any]) -> Reply:
        pull = next(each for each in self.pulls if each["id"] == variables["id"])
        start = int(variables["after"])
        return Reply(200, {"data": {"node": {name: _part(pull[name], 100, start)}}})


def _part(members: list[Any], size: int, start: int = 0) -> dict[str, Any]:
    end = start + size
    place = {"hasNextPage": len(members) > end, "endCursor": str(end)}
    return {"pageInfo": place, "nodes": members[start:end]}


def _cursor(pull: Any) -> str:
    return base64.b64encode(json.dumps([pull["updatedAt"], pull["number"]]).encode()).decode()


def _key(cursor: str | None) -> tuple[str, int] | None:
    return None if cursor is None else tuple(json.loads(base64.b64decode(cursor)))


@contextmanager
def pulling(answering: Any, clones: Path) -> Iterator[tuple[Web, Pull]]:
    """A served GitHub and a pull that reads from it."""
    with serving(answering) as web:
        client = Client(
            base_url=web.url, authenticate=lambda: {"authorization": "x"}, backoff_seconds=0
        )
        pull = Pull(client, clones, lambda: NOW)
        yield web, pull
        pull.close()


def pulled(
    stream: Stream, pull: Pull, state: State | None = None, scope: Scope = SCOPE
) -> tuple[list[Page], State]:
    """All pages of a scope and the state they leave it in."""
    state = state or State()
    pages = []
    for page in stream.pages(pull, scope, state):
        pages.append(page)
        state = page.state or state
    return pages, state


def parsed(stream: Stream, pages: list[Page], scope: Scope = SCOPE) -> Parsed:
    """What all the pages say together."""
    whole = Parsed()
    for page in pages:
        part = stream.parse(page.line("github", scope))
        for record_type, records in part.records.items():
            whole.records[record_type] += records
        for record_type, tables in part.tables.items():
            whole.tables[record_type] += tables
        for record_type, sets in part.sets.items():
            whole.sets[record_type] += sets
        whole.rejects += part.rejects
        whole.seen += part.seen
        whole.mended += part.mended
    return whole


def rows(found: Parsed, record_type: type[Record]) -> list[dict[str, Any]]:
    """The rows of a type, from records and tables alike."""
    listed = [record.model_dump() for record in found.records[record_type]]
    for table in found.tables[record_type]:
        listed += table.to_pylist()
    return listed
