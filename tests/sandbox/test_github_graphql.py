"""The GraphQL side of the served GitHub: pages, fragments, sizes, costs, errors, speed."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLObjectType

from sandbox.git_objects import object_id
from sandbox.github_graphql import answer_graphql, resolvers
from sandbox.github_protocol import Budget, GithubSettings
from sandbox.github_query import served_schema
from sandbox.organisation import Organisation
from sandbox.world import World
from tests.sandbox.github_queries import PULL_REQUESTS, REPOSITORIES
from tests.sandbox.github_world import CHANGES, END, START, Github, Start

HARBOUR = 'repository(owner: "tideworks", name: "harbour")'


def ask(served: Github, query: str, **variables: Any) -> dict[str, Any]:
    """The body of the answer to a query."""
    answer = served.client.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_every_served_field_has_its_resolver() -> None:
    """Nothing in the served schema is without an answer."""
    served = {
        f"{kind.name}.{name}"
        for kind in served_schema().type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name in kind.fields
    }
    assert served - set(resolvers()) == set()


def test_pages_bring_every_pull_request_once(github: Start) -> None:
    """endCursor and hasNextPage lead through all pull requests, newest update first."""
    served, found, after = github(), list[Any](), None
    for _ in range(3):
        body = ask(served, PULL_REQUESTS, owner="tideworks", name="harbour", after=after)
        page = body["data"]["repository"]["pullRequests"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
    assert page["pageInfo"]["hasNextPage"] is False
    assert page["totalCount"] == CHANGES
    assert sorted(node["number"] for node in found) == list(range(1, CHANGES + 1))
    times = [node["updatedAt"] for node in found]
    assert times == sorted(times, reverse=True)


def test_a_pull_request_carries_its_reviews_commits_and_turns(github: Start) -> None:
    """One query brings what a change's stages are made of; the deleted author is null."""
    body = ask(github(), PULL_REQUESTS, owner="tideworks", name="harbour", after=None)
    node = next(
        one for one in body["data"]["repository"]["pullRequests"]["nodes"] if one["number"] == 112
    )
    assert node["author"] is None
    assert [one["state"] for one in node["reviews"]["nodes"]] == ["CHANGES_REQUESTED", "APPROVED"]
    assert node["reviews"]["nodes"][1]["author"] is None
    commits = [one["commit"] for one in node["commits"]["nodes"]]
    assert [one["messageHeadline"] for one in commits] == ["Change 112.1", "Change 112.2"]
    assert commits[0]["author"]["user"] == {"login": "ada"}
    assert commits[1]["author"]["user"] is None, "a bot is no user"
    assert [one["__typename"] for one in node["timelineItems"]["nodes"]] == ["ReadyForReviewEvent"]
    assert node["mergedBy"]["login"] == "brun"
    assert len(node["mergeCommit"]["oid"]) == 40


def test_bots_are_typed_and_lose_their_suffix(github: Start) -> None:
    """GraphQL says __typename Bot and leaves "[bot]" off the login, unlike REST."""
    query = f"{{ {HARBOUR} {{ pullRequest(number: 7) {{ author {{ __typename login }} }} }} }}"
    author = ask(github(), query)["data"]["repository"]["pullRequest"]["author"]
    assert author == {"__typename": "Bot", "login": "release-bot"}


def test_a_cursor_survives_what_appears_before_it(github: Start) -> None:
    """A page asked for by cursor goes on at the same place though newer items came in front."""
    served = github(visible_until=START + timedelta(days=60, hours=12))
    query = """query($after: String) { repository(owner: "tideworks", name: "harbour") {
        pullRequests(first: 10, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
            nodes { number } pageInfo { endCursor } } } }"""
    first = ask(served, query)["data"]["repository"]["pullRequests"]
    served.world.advance(5 * 86_400)
    cursor = first["pageInfo"]["endCursor"]
    second = ask(served, query, after=cursor)["data"]["repository"]["pullRequests"]
    assert [node["number"] for node in first["nodes"]] == list(range(60, 50, -1))
    assert [node["number"] for node in second["nodes"]] == list(range(50, 40, -1))


def test_fragments_aliases_and_directives_work(github: Start) -> None:
    """Named and inline fragments merge, aliases rename, @include and @skip decide."""
    query = """query($with: Boolean!) {
        a: repository(owner: "tideworks", name: "harbour") { ...Names id @include(if: $with) }
        b: node(id: "R_102") { __typename ... on Repository { ...Names isFork } }
        nodes(ids: ["PR_10001", "BOT_3"]) { __typename id
            ... on PullRequest { number title @skip(if: $with) } ... on Actor { login } }
      }
      fragment Names on Repository { name owner { login } owner { id } }"""
    data = ask(github(), query, **{"with": True})["data"]
    owner = {"login": "tideworks", "id": "O_900"}
    assert data["a"] == {"name": "harbour", "owner": owner, "id": "R_101"}
    fork = {"__typename": "Repository", "name": "old-fork", "owner": owner, "isFork": True}
    assert data["b"] == fork
    assert data["nodes"] == [
        {"__typename": "PullRequest", "id": "PR_10001", "number": 1},
        {"__typename": "Bot", "id": "BOT_3", "login": "release-bot"},
    ]


def test_what_is_missing_is_null_with_an_error(github: Start) -> None:
    """An unknown repository or node is null, named by its path, beside the rest of the data."""
    query = """{ gone: repository(owner: "tideworks", name: "gone") { id }
        nodes(ids: ["R_101", "R_999"]) { id } organization(login: "tideworks") { login } }"""
    body = ask(github(), query)
    assert body["data"]["gone"] is None
    assert body["data"]["nodes"] == [{"id": "R_101"}, None]
    assert body["data"]["organization"] == {"login": "tideworks"}
    assert [(one["type"], one["path"]) for one in body["errors"]] == [
        ("NOT_FOUND", ["gone"]),
        ("NOT_FOUND", ["nodes", 1]),
    ]


def test_a_former_name_finds_the_repository(github: Start) -> None:
    """GraphQL follows renames by itself, unless told not to."""
    query = """{ a: repository(owner: "tideworks", name: "dock") { nameWithOwner }
        b: repository(owner: "tideworks", name: "dock", followRenames: false) { nameWithOwner } }"""
    data = ask(github(), query)["data"]
    assert data == {"a": {"nameWithOwner": "tideworks/harbour"}, "b": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"{{ {HARBOUR} {{ releases {{ totalCount }} }} }}", "MISSING_PAGINATION_BOUNDARIES"),
        (f"{{ {HARBOUR} {{ releases(first: 101) {{ totalCount }} }} }}", "EXCESSIVE_PAGINATION"),
        (f"{{ {HARBOUR} {{ releases(first: 0) {{ totalCount }} }} }}", "EXCESSIVE_PAGINATION"),
        (f"{{ {HARBOUR} {{ flavour }} }}", "Cannot query field 'flavour'"),
        ("{ organization(login: ", "Syntax Error"),
        ("query($a: ID!) { node(id: $a) { id } }", "Variable '$a' of required type"),
        ("query A { rateLimit { cost } } query B { rateLimit { cost } }", "operation name"),
        (
            """{ organization(login: "tideworks") { repositories(first: 100) { nodes {
            pullRequests(first: 100) { nodes { commits(first: 100) { totalCount } } } } } } }""",
            "MAX_NODE_LIMIT_EXCEEDED",
        ),
    ],
)
def test_a_wrong_query_is_refused_as_the_vendor_does(
    github: Start, query: str, expected: str
) -> None:
    """Refusals are 200 with errors and without data."""
    body = ask(github(), query)
    assert "data" not in body
    assert expected in str(body["errors"])


def test_a_body_that_is_no_json_is_400(github: Start) -> None:
    """Without a query there is nothing to run."""
    client = github().client
    assert client.post("/graphql", content=b"{").status_code == 400
    assert client.post("/graphql", json=["query"]).status_code == 400


def test_cost_is_a_hundredth_of_the_connections(github: Start) -> None:
    """151 connection requests cost 2 points, and rateLimit and headers agree on what is left."""
    served = github(GithubSettings(graphql_limit=3))
    answer = served.client.post(
        "/api/graphql",
        json={"query": PULL_REQUESTS, "variables": {"owner": "tideworks", "name": "harbour"}},
    )
    limit = answer.json()["data"]["rateLimit"]
    assert (limit["cost"], limit["remaining"]) == (2, 1)
    assert answer.headers["x-ratelimit-remaining"] == "1"
    spent = ask(served, PULL_REQUESTS, owner="tideworks", name="harbour")
    assert spent["errors"][0]["type"] == "RATE_LIMIT"
    assert "data" not in spent


def test_a_query_too_heavy_is_502(github: Start) -> None:
    """Above the set number of nodes the vendor's time is over; a smaller page passes."""
    query = """query($n: Int!) { repository(owner: "tideworks", name: "harbour") {
        pullRequests(first: $n) { nodes { number } } } }"""
    client = github(GithubSettings(timeout_above_nodes=20)).client
    sizes = {
        size: client.post("/graphql", json={"query": query, "variables": {"n": size}}).status_code
        for size in (50, 20)
    }
    assert sizes == {50: 502, 20: 200}


def test_one_probe_sees_pushes_refs_deployments_and_releases(github: Start) -> None:
    """A page of repositories tells what changed in them, null where there is nothing."""
    body = ask(github(), REPOSITORIES, login="tideworks", after=None)
    harbour, template, fork = body["data"]["organization"]["repositories"]["nodes"]
    assert [one["databaseId"] for one in (harbour, template, fork)] == [101, 103, 102]
    assert harbour["defaultBranchRef"]["name"] == "main"
    assert harbour["deployments"]["nodes"][0]["databaseId"] == 40_069
    assert (
        harbour["releases"]["nodes"][0]["tagCommit"]["oid"]
        == harbour["defaultBranchRef"]["target"]["oid"]
    )
    assert fork["archivedAt"] is not None
    assert template["deployments"]["nodes"] == []


def test_refs_are_listed_by_prefix_with_their_tag_objects(
    github: Start, tiny: Organisation
) -> None:
    """Branches point to commits; an annotated tag points to its own object, as in Git."""
    query = f"""{{ {HARBOUR} {{
        heads: refs(refPrefix: "refs/heads/", first: 10) {{ nodes {{ name target {{ oid }} }} }}
        tags: refs(refPrefix: "refs/tags/", first: 10) {{ nodes {{ name target {{ __typename oid
            ... on Tag {{ tagger {{ date }} target {{ oid }} }} }} }} }} }} }}"""
    data = ask(github(), query)["data"]["repository"]
    assert [one["name"] for one in data["heads"]["nodes"]] == ["feature/one", "main"]
    tag = data["tags"]["nodes"][0]["target"]
    head = tiny.repositories[0].branches[0].sha
    text = f"object {head}\ntype commit\ntag v1.0.0\ntagger Release <release@example.invalid> "
    text += f"{int((END - timedelta(days=1)).timestamp())} -0330\n\nFirst\n"
    assert tag["oid"] == object_id(b"tag", text.encode()).hex()
    assert tag["target"]["oid"] == head
    assert tag["tagger"]["date"].endswith("-03:30")


def test_search_finds_what_was_updated(github: Start) -> None:
    """One search over the organisation brings issues and pull requests by update time."""
    query = """query($q: String!) { search(type: ISSUE, query: $q, first: 5) { issueCount nodes {
        __typename ... on PullRequest { number } ... on Issue { number } } } }"""
    found = ask(github(), query, q="org:tideworks updated:>=2026-05-01T00:00:00Z sort:updated-desc")
    assert found["data"]["search"]["issueCount"] == 7
    assert found["data"]["search"]["nodes"][0] == {"__typename": "Issue", "number": 500}


def test_deployment_states_are_graphql_s_own(github: Start) -> None:
    """A successful deployment is ACTIVE, one under way IN_PROGRESS; statuses keep their names."""
    query = f"""{{ {HARBOUR} {{ deployments(last: 2) {{ nodes {{
        state latestStatus {{ state }} ref {{ name }} statuses(first: 5) {{ nodes {{ state }} }}
        }} }} }} }}"""
    nodes = ask(github(), query)["data"]["repository"]["deployments"]["nodes"]
    assert [one["state"] for one in nodes] == ["ACTIVE", "IN_PROGRESS"]
    assert nodes[0]["latestStatus"]["state"] == "SUCCESS"
    assert nodes[0]["ref"]["name"] == "main"
    assert [one["state"] for one in nodes[1]["statuses"]["nodes"]] == ["IN_PROGRESS", "QUEUED"]


def test_teams_need_their_scope_in_graphql_too(github: Start) -> None:
    """Without read:org teams are null with INSUFFICIENT_SCOPES; with it roles are told."""
    query = """{ organization(login: "tideworks") { login teams(first: 10) { nodes { slug
        parentTeam { slug } members(first: 10) { edges { role node { login } } } } } } }"""
    refused = ask(github(GithubSettings(scopes=("repo",))), query)
    assert refused["data"]["organization"] == {"login": "tideworks", "teams": None}
    assert refused["errors"][0]["type"] == "INSUFFICIENT_SCOPES"
    teams = ask(github(), query)["data"]["organization"]["teams"]["nodes"]
    assert teams[1]["parentTeam"] == {"slug": "engineering"}
    assert [one["role"] for one in teams[1]["members"]["edges"]] == ["MEMBER", "MAINTAINER"]


def test_a_page_of_fifty_is_quick(tiny: Organisation) -> None:
    """Fifty pull requests with reviews, commits and events take milliseconds of work."""
    world, settings = World(tiny), GithubSettings()
    variables = {"owner": "tideworks", "name": "harbour", "after": None}
    request = json.dumps({"query": PULL_REQUESTS, "variables": variables}).encode()
    taken = []
    for _ in range(5):
        start = time.thread_time()
        status, body = answer_graphql(request, world, "http://x", Budget(None, 60), settings)
        taken.append(time.thread_time() - start)
    assert status == 200
    assert len(body["data"]["repository"]["pullRequests"]["nodes"]) == 50
    assert min(taken) < 0.02
