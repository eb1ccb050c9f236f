"""Every GraphQL text of the GitHub connector against the vendor's own schema."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from connectors.github_queries import named_repositories, texts

SCHEMA = (
    Path(__file__).parent.parent / "schemas/node_modules/@octokit/graphql-schema/schema.graphql"
)
pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def vendor() -> GraphQLSchema:
    """GitHub's schema as npm gives it."""
    if not SCHEMA.is_file():
        pytest.skip("run npm ci in tests/schemas first: GitHub's GraphQL schema is missing")
    return build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


@pytest.mark.parametrize("name", list(texts()))
def test_the_vendor_s_schema_takes_the_query(name: str, vendor: GraphQLSchema) -> None:
    """Fields, arguments and types exist as the query uses them."""
    assert validate(vendor, parse(texts()[name])) == []


def test_so_many_named_repositories_fit_one_query(vendor: GraphQLSchema) -> None:
    """Repositories of the settings are asked for by twenty-fives."""
    assert validate(vendor, parse(named_repositories(25))) == []


def test_a_wrong_field_would_be_found(vendor: GraphQLSchema) -> None:
    """The check is a check."""
    wrong = texts()["releases"].replace("tagName", "tagLabel")
    assert "tagLabel" in validate(vendor, parse(wrong))[0].message
