"""Every answer of the served GitHub fits the vendor's own descriptions, installed by npm.

`npm ci --prefix tests/schemas` brings them; without it these tests are skipped.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    execute,
    parse,
    validate,
)
from jsonschema import Draft4Validator, FormatChecker
from jsonschema.validators import extend
from starlette.types import ASGIApp

from sandbox.generate import build_organisation
from sandbox.github_app import github_app
from sandbox.github_graphql import answer_graphql
from sandbox.github_protocol import Budget, GithubSettings
from sandbox.github_query import served_schema
from sandbox.organisation import Organisation
from sandbox.serving import Server
from sandbox.world import World
from tests.sandbox import github_queries
from tests.sandbox.github_world import END, START, Github, Start
from tests.sandbox.test_github_rest import assertion

PACKAGES = Path(__file__).parents[1] / "schemas" / "node_modules" / "@octokit"
pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not PACKAGES.is_dir(), reason="needs the schemas: npm ci --prefix tests/schemas"
    ),
]
REPOSITORY = "/repos/{owner}/{repo}"
REST = {
    "/meta": "/meta",
    "/rate_limit": "/rate_limit",
    "/user": "/user",
    "/orgs/{org}": "/orgs/tideworks",
    "/orgs/{org}/repos": "/orgs/tideworks/repos",
    "/orgs/{org}/teams": "/orgs/tideworks/teams",
    "/orgs/{org}/members": "/orgs/tideworks/members",
    "/orgs/{org}/teams/{team_slug}/members": "/orgs/tideworks/teams/harbour/members",
    "/orgs/{org}/code-scanning/alerts": "/orgs/tideworks/code-scanning/alerts?per_page=50",
    "/search/issues": "/search/issues?q=org:tideworks&per_page=100",
    REPOSITORY: "/repositories/101",
    **{
        REPOSITORY + path: "/repos/tideworks/harbour" + filled
        for path, filled in {
            "/pulls": "/pulls?state=all&per_page=50",
            "/pulls/{pull_number}": "/pulls/14",
            "/pulls/{pull_number}/reviews": "/pulls/14/reviews",
            "/pulls/{pull_number}/commits": "/pulls/7/commits",
            "/deployments": "/deployments?per_page=50",
            "/deployments/{deployment_id}/statuses": "/deployments/40000/statuses",
            "/actions/runs": "/actions/runs?per_page=20",
            "/actions/runs/{run_id}/jobs": "/actions/runs/50000/jobs",
            "/issues": "/issues?state=all&per_page=100",
            "/releases": "/releases",
            "/code-scanning/alerts": "/code-scanning/alerts?per_page=50",
        }.items()
    },
}


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """GitHub's OpenAPI description, with `nullable` written as JSON Schema knows it."""
    path = PACKAGES / "openapi" / "generated" / "api.github.com.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _nullable(keyword: str) -> Any:
    """A keyword as OpenAPI 3.0 has it: null passes where the schema says nullable."""
    check = Draft4Validator.VALIDATORS[keyword]

    def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if instance is not None or not schema.get("nullable"):
            yield from check(validator, value, instance, schema) or ()

    return checked


OpenApiValidator = extend(
    Draft4Validator,
    {name: _nullable(name) for name in ("type", "enum", "allOf", "anyOf", "oneOf")},
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ADDRESS = re.compile(r"https?://[^\s{}]+")
FORMATS = FormatChecker(formats=())
# Whether null may stand in a place is for its type to say.
FORMATS.checks("date-time")(lambda value: value is None or bool(_TIME.fullmatch(value)))
FORMATS.checks("uri")(lambda value: value is None or bool(_ADDRESS.fullmatch(value)))


def problems(description: dict[str, Any], template: str, status: int, body: Any) -> list[str]:
    """What the description finds wrong with an answer, by path inside the body."""
    operations = description["paths"][template]
    responses = operations.get("get", operations.get("post"))["responses"]
    response = responses[str(status)]
    if "$ref" in response:
        response = description["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"]["application/json"]["schema"]
    validator = OpenApiValidator(
        {**schema, "components": description["components"]},
        format_checker=FORMATS,
    )
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator.iter_errors(body)
    ]


@pytest.mark.parametrize("template", sorted(REST))
def test_rest_answers_fit_the_description(
    github: Start, description: dict[str, Any], template: str
) -> None:
    """Bodies have all required fields, the right types, formats and values."""
    answer = github().client.get(REST[template])
    assert answer.status_code == 200
    body = answer.json()
    assert body, "an empty answer would prove nothing"
    assert problems(description, template, 200, body) == []


@pytest.mark.parametrize("template", sorted(REST))
def test_rest_answers_of_an_earlier_time_fit_too(
    github: Start, description: dict[str, Any], template: str
) -> None:
    """Half-done pull requests, runs and deployments keep the vendor's shapes."""
    moment = START + timedelta(days=14, hours=1, minutes=5)
    answer = github(visible_until=moment).client.get(REST[template])
    assert answer.status_code == 200
    assert problems(description, template, 200, answer.json()) == []


def test_the_description_would_find_a_wrong_answer(
    github: Start, description: dict[str, Any]
) -> None:
    """A missing field, a null, a wrong type and a wrong time are all found."""
    template = REPOSITORY + "/pulls"
    body = github().client.get(REST[template]).json()[:1]
    for change in ({"title": None}, {"number": "1"}, {"created_at": "yesterday"}, {"url": "x y"}):
        assert problems(description, template, 200, [body[0] | change])
    del body[0]["number"]
    assert problems(description, template, 200, body)


@pytest.mark.parametrize(
    ("template", "path", "status", "headers"),
    [
        (REPOSITORY, "/repos/tideworks/dock", 301, {}),
        ("/user", "/user", 401, {"authorization": "Bearer wrong"}),
        ("/orgs/{org}", "/orgs/others", 404, {}),
        (REPOSITORY + "/pulls/{pull_number}", "/repos/tideworks/harbour/pulls/999", 404, {}),
        (
            REPOSITORY + "/code-scanning/alerts",
            "/repos/tideworks/old-fork/code-scanning/alerts",
            404,
            {},
        ),
        ("/search/issues", "/search/issues?q=a:b", 422, {}),
    ],
)
def test_refusals_fit_the_description(  # noqa: PLR0917
    github: Start,
    description: dict[str, Any],
    template: str,
    path: str,
    status: int,
    headers: dict[str, str],
) -> None:
    """Errors have the vendor's shape too."""
    answer = github().client.get(path, headers=headers)
    assert answer.status_code == status
    assert problems(description, template, status, answer.json()) == []


def test_an_installation_token_fits_the_description(
    github: Start, description: dict[str, Any]
) -> None:
    """The token of an app is answered in the vendor's shape."""
    settings = GithubSettings(now=lambda: 1_800_000_000.0)
    signed = {"authorization": f"Bearer {assertion(settings.app_id, settings.now())}"}
    url = "/app/installations/815/access_tokens"
    body = github(settings).client.post(url, headers=signed).json()
    template = "/app/installations/{installation_id}/access_tokens"
    assert problems(description, template, 201, body) == []


@pytest.fixture(scope="module")
def generated() -> Organisation:
    """A small organisation as the sandbox generates it."""
    return build_organisation(engineers=3, months=1, end=END)


def test_answers_over_a_generated_organisation_fit(
    serve: Callable[[ASGIApp], Server], description: dict[str, Any], generated: Organisation
) -> None:
    """Whatever the generator makes up is served in the vendor's shapes."""
    url = serve(github_app(World(generated), GithubSettings(core_limit=None))).url
    found: dict[str, list[str]] = {}
    with httpx.Client(
        base_url=url, headers={"authorization": "Bearer sandbox-token"}, trust_env=False
    ) as client:
        for template, path in _addresses(generated):
            answer = client.get(path)
            assert answer.status_code == 200, path
            found[path] = problems(description, template, 200, answer.json())
    assert {path: errors[:3] for path, errors in found.items() if errors} == {}


def _addresses(organisation: Organisation) -> Iterator[tuple[str, str]]:
    """Every list of every repository, and what hangs below its newest items."""
    login = organisation.login
    for rest in ("", "/repos", "/teams", "/members", "/code-scanning/alerts"):
        yield "/orgs/{org}" + rest, f"/orgs/{login}{rest}"
    yield "/search/issues", f"/search/issues?q=org:{login}&per_page=100"
    for repository in organisation.repositories:
        base = f"/repos/{repository.full_name}"
        for rest in ("", "/pulls", "/deployments", "/actions/runs", "/issues", "/releases"):
            yield REPOSITORY + rest, f"{base}{rest}?state=all&per_page=20"
        for change in repository.change_requests[-2:]:
            yield REPOSITORY + "/pulls/{pull_number}", f"{base}/pulls/{change.number}"
            for rest in ("/reviews", "/commits"):
                template = REPOSITORY + "/pulls/{pull_number}" + rest
                yield template, f"{base}/pulls/{change.number}{rest}"
        for deployment in repository.deployments[-2:]:
            template = REPOSITORY + "/deployments/{deployment_id}/statuses"
            yield template, f"{base}/deployments/{deployment.id}/statuses"
        for run in repository.runs[-2:]:
            yield REPOSITORY + "/actions/runs/{run_id}/jobs", f"{base}/actions/runs/{run.id}/jobs"


@pytest.fixture(scope="module")
def vendor() -> GraphQLSchema:
    """GitHub's GraphQL schema."""
    text = (PACKAGES / "graphql-schema" / "schema.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True)


def described(schema: GraphQLSchema) -> dict[str, set[str]]:
    """Everything a schema says of each named type, as comparable lines."""
    found: dict[str, set[str]] = {}
    for name, kind in schema.type_map.items():
        lines = found.setdefault(name, {type(kind).__name__})
        if isinstance(kind, GraphQLEnumType):
            lines |= set(kind.values)
        elif isinstance(kind, GraphQLUnionType):
            lines |= {one.name for one in kind.types}
        elif isinstance(kind, GraphQLInputObjectType):
            lines |= {f"{key}: {one.type}" for key, one in kind.fields.items()}
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            lines |= {f"implements {one.name}" for one in kind.interfaces}
            for key, one in kind.fields.items():
                lines.add(f"{key}: {one.type}")
                lines |= {
                    f"{key}({name}: {argument.type} = {argument.default_value})"
                    for name, argument in one.args.items()
                }
    return found


def test_the_served_schema_is_part_of_the_vendor_s(vendor: GraphQLSchema) -> None:
    """Every type, field, argument, default and value served stands in the vendor's schema."""
    theirs = described(vendor)
    strange = {
        name: lines - theirs.get(name, set())
        for name, lines in described(served_schema()).items()
        if not lines <= theirs.get(name, set())
    }
    assert strange == {}


QUERIES = {
    "pull requests": (github_queries.PULL_REQUESTS, {"owner": "tideworks", "name": "harbour"}),
    "repositories": (github_queries.REPOSITORIES, {"login": "tideworks"}),
    "deployments": (github_queries.DEPLOYMENTS, {"owner": "tideworks", "name": "harbour"}),
    "people": (github_queries.PEOPLE, {"login": "tideworks"}),
}


@pytest.mark.parametrize("name", ["pull requests", "repositories", "deployments"])
def test_graphql_over_a_generated_organisation_fits(
    vendor: GraphQLSchema, generated: Organisation, name: str
) -> None:
    """Whatever the generator makes up passes through the vendor's schema unchanged."""
    world, settings, query = World(generated), GithubSettings(), QUERIES[name][0]
    for repository in generated.repositories:
        variables = {"login": generated.login, "owner": repository.owner, "name": repository.name}
        request = json.dumps({"query": query, "variables": variables}).encode()
        _, answer = answer_graphql(request, world, "http://x", Budget(None, 60), settings)
        if set(answer) == {"data"}:
            check(vendor, query, variables, answer)
        else:
            assert [error["path"][-1] for error in answer["errors"]] == ["pullRequest"]


@pytest.mark.parametrize("moment", [END, START + timedelta(days=14, hours=1)])
@pytest.mark.parametrize("name", QUERIES)
def test_graphql_answers_fit_the_vendor_s_schema(
    github: Start, vendor: GraphQLSchema, name: str, moment: Any
) -> None:
    """Run over the vendor's schema, an answer gives itself: right types, no null out of place."""
    query, variables = QUERIES[name]
    served: Github = github(visible_until=moment)
    answer = served.client.post("/graphql", json={"query": query, "variables": variables}).json()
    asks_for_later = name == "people" and moment != END  # for a release that is not out yet
    assert set(answer) == ({"data", "errors"} if asks_for_later else {"data"})
    check(vendor, query, variables, answer)


def check(
    vendor: GraphQLSchema, query: str, variables: dict[str, Any], answer: dict[str, Any]
) -> None:
    """Run a query over the vendor's schema with an answer as the world it asks about."""
    document = parse(query)
    assert validate(vendor, document) == []
    again = execute(
        vendor,
        document,
        root_value=answer["data"],
        variable_values=variables,
        field_resolver=_taken,
        type_resolver=_kind,
    )
    assert isinstance(again, ExecutionResult)
    assert again.errors is None
    assert again.data == answer["data"]


def _taken(source: dict[str, Any], info: GraphQLResolveInfo, **_: Any) -> Any:
    """The value as the answer has it, under the alias the query gave it."""
    return source[str(info.path.key)]


def _kind(value: dict[str, Any], info: GraphQLResolveInfo, _abstract: Any) -> str:
    """The type the answer itself names."""
    return str(value["__typename"])
