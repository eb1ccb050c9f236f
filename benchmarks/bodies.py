"""Pages as sources send them: one of each kind from the sandbox, multiplied."""

import copy
import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.connector import Connector, Line, Stream
from connectors.git_streams import GitStream
from connectors.github import GithubConnector
from connectors.github_options import GithubOptions
from connectors.jira import Jira, JiraOptions
from connectors.secret import Secret
from pipelines.landing import Landing
from pipelines.sync import sync_connection
from sandbox.generate import build_organisation
from sandbox.server import Sandbox

END = datetime(2026, 6, 1, tzinfo=UTC)
PULLS = ("data", "node", "pullRequests", "nodes")


class WithoutGit(GithubConnector):
    """The API's streams alone."""

    def streams(self) -> tuple[Stream, ...]:
        """All but git's."""
        return tuple(one for one in super().streams() if not isinstance(one, GitStream))


@dataclass(frozen=True)
class Source:
    """A kind of page: who parses it, and one of it as it came."""

    stream: Stream
    line: Line


class Sources:
    """What a small organisation's GitHub and Jira sent, by stream."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        for name, secret in (("github", sandbox.token), ("jira", sandbox.jira.token)):
            (folder / name).write_text(secret, encoding="utf-8")
        connectors: list[Connector] = [
            WithoutGit(
                "github",
                GithubOptions(
                    organisation=sandbox.organisation.login,
                    token=Secret(file=folder / "github"),
                    base_url=sandbox.github_url,
                ),
            ),
            Jira(
                "jira",
                JiraOptions(
                    base_url=sandbox.jira_url,
                    email=sandbox.jira.email,
                    token=Secret(file=folder / "jira"),
                ),
            ),
        ]
        # By stream; where GitHub and Jira have one of the same name, Jira's is meant.
        self._of = {s.name: (each.name, s) for each in connectors for s in each.streams()}
        self._lines: dict[str, Line] = {}
        with Landing(folder / "landing.sqlite") as landing:
            for connector in connectors:
                result = sync_connection(landing, connector, clones=folder / "clones")
                if result.errors:
                    raise RuntimeError(result.errors)
            for batch in landing.batches():
                if self._of[batch.stream][0] != batch.connection:
                    continue
                for _, line in landing.lines(batch):
                    kept = self._lines.get(batch.stream)
                    if kept is None or len(kept.body) < len(line.body):
                        self._lines[batch.stream] = line

    def largest(self, stream: str) -> Source:
        """The largest page a stream was sent."""
        return Source(self._of[stream][1], self._lines[stream])

    def rest_pulls(self) -> Source:
        """A page of pull requests as REST lists them, of the repository of the largest page."""
        source = self.largest("change_requests")
        name = source.line.attributes["full_name"]
        url = f"{self._sandbox.github_url.rstrip('/')}/repos/{name}/pulls?state=all&per_page=100"
        request = urllib.request.Request(  # noqa: S310  loopback
            url, headers={"Authorization": f"Bearer {self._sandbox.token}"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310  loopback
            return Source(source.stream, replace(source.line, url=url, body=answer.read()))


@contextmanager
def sources() -> Iterator[Sources]:
    """Sync a small organisation of the sandbox."""
    organisation = build_organisation(engineers=6, months=2, end=END)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Sandbox(organisation, folder / "repositories") as sandbox:
            yield Sources(sandbox, folder)


def multiplied(
    source: Source,
    path: tuple[str, ...],
    *,
    items: int,
    a_page: int,
    renew: Callable[[Any, int], None],
) -> list[Line]:
    """Pages of so many items: the source's own, repeated, each made new by `renew`."""
    whole = json.loads(source.line.body)
    inside = whole
    for name in path:
        inside = inside[name]
    lines = []
    for first in range(0, items, a_page):
        page = []
        for number in range(first, min(first + a_page, items)):
            item = copy.deepcopy(inside[number % len(inside)])
            renew(item, number)
            page.append(item)
        lines.append(replace(source.line, body=json.dumps(_with(whole, path, page)).encode()))
    return lines


def _with(whole: Any, path: tuple[str, ...], page: list[Any]) -> Any:
    if not path:
        return page
    return {**whole, path[0]: _with(whole[path[0]], path[1:], page)}


def two_reviews_three_commits(source: Source) -> Callable[[Any, int], None]:
    """Renews a GraphQL pull request and gives it two reviews and three commits."""
    nodes = json.loads(source.line.body)
    for name in PULLS:
        nodes = nodes[name]
    review = next(n["reviews"]["nodes"][0] for n in nodes if n["reviews"]["nodes"])
    commit = next(n["commits"]["nodes"][0] for n in nodes if n["commits"]["nodes"])

    def renew(pull: Any, number: int) -> None:
        pull["fullDatabaseId"], pull["number"] = str(number + 1), number + 1
        pull["reviews"]["nodes"] = [
            {**review, "fullDatabaseId": str(2 * number + each)} for each in range(2)
        ]
        pull["commits"]["nodes"] = [
            {"commit": {**commit["commit"], "oid": f"{3 * number + each:040x}"}}
            for each in range(3)
        ]

    return renew
