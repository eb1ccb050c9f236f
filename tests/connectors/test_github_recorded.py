"""The GitHub parsers over recorded answers: nothing fails, every reject is explained."""

import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.connector import Line, Parsed, SourceError
from connectors.github_rest import UnknownAddressError, parse_rest
from connectors.github_work import ChangeRequestsStream, DeploymentsStream
from connectors.records import (
    Account,
    ChangeRequest,
    ChangeRequestCommit,
    DeploymentAttempt,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    Record,
    Review,
    Ticket,
)
from tests.connectors.github_fake import OPTIONS, rows

PAYLOADS = Path(__file__).parents[3] / "shared/payloads/github"
PYGITHUB = "PyGithub==2.10.0"
ATTRIBUTES = {"repository_key": "github.com/panjf2000/ants", "full_name": "panjf2000/ants"}


def line(url: str, body: Any, **attributes: str) -> Line:
    """A kept page."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = datetime(2026, 9, 1, tzinfo=UTC)
    return Line("github", "134018330", {**ATTRIBUTES, **attributes}, url, at, content)


def recorded(name: str) -> list[dict[str, Any]]:
    """The recorded objects of one kind."""
    path = PAYLOADS / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"the recorded payloads are not at {PAYLOADS}")
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


def pages(objects: list[dict[str, Any]]) -> Iterator[Line]:
    """The objects put together again as the pages they came on."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for each in objects:
        grouped.setdefault(each["url"], []).append(each)
    for url, members in grouped.items():
        body: Any = [member["data"] for member in members]
        if "/actions/runs?" in url:
            body = {"total_count": len(body), "workflow_runs": body}
        elif url.split("?", maxsplit=1)[0].endswith("/jobs"):
            body = {"total_count": len(body), "jobs": body}
        elif "/users/" in url:
            body = body[0]
        given = members[0]["input"] or {}
        more = {"pull": str(given["GithubId"])} if "GithubId" in given else {}
        yield line(url, body, **more)


# What recorded bodies lack, and why it is right to reject them.
EXPLAINED = {
    "ticket: number: Field required": "PyGithub keeps of long lists of issues the ids alone",
    "ticket: the source gave null in the place of this item": "a gap made for a test of paging",
    "account: name: Input should be a valid string": "made wrong for a test of bad attributes",
    "team_member: login: Field required": "a project recorded as the answer for members",
    "repository: html_url: Field required": "a repository cut down to the fields of a test",
    "review: submitted_at: Field required": "a pending review: nobody has submitted it",
}


@pytest.mark.parametrize(
    ("name", "record_type", "count"),
    [
        ("github_api_pull_requests", ChangeRequest, 50),
        ("github_api_pull_requests_bot_filter", ChangeRequest, 2),
        ("github_api_pull_request_reviews", Review, 31),
        ("github_api_pr_reviews_bot_filter", Review, 2),
        ("github_api_pull_request_commits", ChangeRequestCommit, 91),
        ("github_api_runs", PipelineRun, 35),
        ("github_api_jobs", PipelineJob, 35),
        ("github_api_accounts", Account, 15),
    ],
)
def test_every_recorded_object_becomes_a_record(
    name: str, record_type: type[Record], count: int
) -> None:
    """As many rows as objects, and no reject."""
    found = []
    for page in pages(recorded(name)):
        parsed = parse_rest(page)
        assert parsed.rejects == []
        found += rows(parsed, record_type)
    assert len(found) == count


def test_recorded_issues_are_tickets_and_pull_requests_are_not() -> None:
    """The list of issues holds both."""
    objects = recorded("github_api_issues")
    issues = [each for each in objects if "pull_request" not in each["data"]]
    found = [row for page in pages(objects) for row in rows(parse_rest(page), Ticket)]
    assert {row["ticket_id"] for row in found} == {
        f"github:issue:{each['data']['id']}" for each in issues
    }


def test_recorded_pull_requests_keep_what_they_say() -> None:
    """Merges, people and times as recorded; a trial merge is none."""
    objects = {each["data"]["id"]: each["data"] for each in recorded("github_api_pull_requests")}
    for page in pages(recorded("github_api_pull_requests")):
        for row in rows(parse_rest(page), ChangeRequest):
            said = objects[int(row["change_request_id"].rpartition(":")[2])]
            assert row["number"] == said["number"]
            assert row["author"] == f"github:account:{said['user']['login'].lower()}"
            assert (row["merge_sha"] is not None) == (said["merged_at"] is not None)
            assert row["created_at"] == datetime.fromisoformat(said["created_at"])


def test_recorded_graphql_deployments_are_read() -> None:
    """They were asked for by another query: what it left out is rejected or null."""
    nodes = [each["data"] for each in recorded("github_graphql_deployment")]
    names = {name: name[0].lower() + name[1:] for node in nodes for name in node}
    lowered = [{names[name]: value for name, value in node.items()} for node in nodes]
    body = {"data": {"node": {"deployments": {"nodes": _lower(lowered)}}}}
    found = DeploymentsStream(OPTIONS).parse(line("https://api.github.com/graphql#d", body))
    told = len(rows(found, DeploymentAttempt)) + sum(
        reject.table == "deployment_attempt" for reject in found.rejects
    )
    assert told == 7
    assert found.seen["deployment_status"] == len(rows(found, DeploymentStatus)) + sum(
        reject.table == "deployment_status" for reject in found.rejects
    )


def _lower(value: Any) -> Any:
    """Names written as GraphQL writes them."""
    if isinstance(value, list):
        return [_lower(each) for each in value]
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _lower(each) for name, each in value.items()}
    return value


class Exchange(NamedTuple):
    """One recorded request and its answer."""

    method: str
    url: str
    status: int
    body: str


@pytest.fixture(scope="session")
def replays(pytestconfig: pytest.Config) -> list[Exchange]:
    """The answers that PyGithub's own tests replay, fetched once and kept in pytest's cache."""
    cache = pytestconfig.cache
    if cache is None:
        pytest.skip("pytest's cache is switched off: nowhere to keep PyGithub's sdist")
    folder = cache.mkdir("pygithub")
    if not list(folder.glob("*.tar.gz")):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
        command += ["--quiet", "--retries", "0", "--dest", str(folder), PYGITHUB]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=180)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{PYGITHUB} cannot be downloaded here: {type(error).__name__}")
    [archive] = folder.glob("*.tar.gz")
    found: list[Exchange] = []
    with tarfile.open(archive) as sources:
        for member in sources:
            if "/tests/ReplayData/" in member.name and member.name.endswith(".txt"):
                content = sources.extractfile(member)
                assert content is not None
                found += _exchanges(content.read().decode("utf-8"))
    return found


def _exchanges(text: str) -> Iterator[Exchange]:
    """Ten lines an exchange: scheme, method, host, port, path, headers, body, and the answer."""
    lines = text.split("\n")
    for start, scheme in enumerate(lines):
        if scheme not in {"https", "http"} or start + 9 >= len(lines):
            continue
        method, host, _, path = lines[start + 1 : start + 5]
        status = lines[start + 7]
        if status.isdigit():
            yield Exchange(method, f"{scheme}://{host}{path}", int(status), lines[start + 9])


def test_every_replayed_body_is_read_or_its_reject_explained(replays: list[Exchange]) -> None:
    """Addresses the product reads: rows and rejects add up to the items of the page."""
    read, unknown, broken, rejects = Counter[str](), 0, 0, Counter[str]()
    for exchange in replays:
        if exchange.method != "GET" or exchange.status != 200 or exchange.body[:1] not in "[{":
            continue
        kept = line(exchange.url, exchange.body.encode())
        try:
            json.loads(exchange.body)
        except ValueError:
            broken += 1
            with pytest.raises(SourceError, match=r"is not JSON|no page of this address"):
                parse_rest(kept)
            continue
        try:
            parsed = parse_rest(kept)
        except UnknownAddressError:
            unknown += 1
            continue
        _check_counts(parsed)
        read.update(parsed.seen)
        rejects.update(f"{reject.table}: {reject.problem}" for reject in parsed.rejects)
    assert broken <= 5
    assert read["repository"] > 300, read
    assert read["change_request"] > 30
    assert unknown > 100
    assert rejects.keys() == EXPLAINED.keys()


def test_replayed_graphql_never_passes_for_pull_requests(replays: list[Exchange]) -> None:
    """Answers to other queries have another shape, and that is told, not read as an empty page."""
    bodies = [each.body for each in replays if each.url.endswith("/graphql")]
    assert len(bodies) > 10
    stream = ChangeRequestsStream(OPTIONS)
    for body in bodies:
        with pytest.raises(SourceError, match=r"unknown shape|not JSON"):
            stream.parse(line("https://api.github.com/graphql#x", body.encode()))


def _check_counts(parsed: Parsed) -> None:
    found = Counter[str]()
    for record_type in {*parsed.records, *parsed.tables}:
        found[record_type.table] += len(rows(parsed, record_type))
    found.update(reject.table for reject in parsed.rejects)
    assert +parsed.seen == +found
