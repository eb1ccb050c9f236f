"""Answers GitLab's GraphQL: size, fields and complexity are checked before anything is run."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)
from graphql.language import (
    DocumentNode,
    FieldNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from sandbox.gitlab_fields import GitlabFields
from sandbox.gitlab_protocol import LARGEST_PAGE, GitlabSettings
from sandbox.gitlab_view import GitlabView

_LARGEST_QUERY = 10_000
_SHARE_OF_AN_ITEM = 0.01
# What single fields cost beyond one: those that ask the store of Git, and those that are dear.
_DEAR = {"mergedAt": 5, "labels": 5, "commits": 2, "diffStatsSummary": 2, "diffHeadSha": 2}


@cache
def schema() -> GraphQLSchema:
    """The part of GitLab's schema that is served."""
    path = Path(__file__).with_name("gitlab_schema.graphql")
    return build_schema(path.read_text(encoding="utf-8"))


def answer_graphql(asked: Any, view: GitlabView, settings: GitlabSettings) -> dict[str, Any]:
    """Run one query; what is refused is an answer with errors alone, of status 200."""
    query, variables = str(asked.get("query")), dict(asked.get("variables") or {})
    try:
        document = _checked(query, variables, settings)
    except GraphQLError as error:
        return {"errors": [{"message": error.message}]}
    root = GitlabFields(view).root()
    capped = [_capped(settings.largest_page)] if settings.largest_page < LARGEST_PAGE else None
    result = execute_sync(schema(), document, root, variable_values=variables, middleware=capped)
    if result.errors:
        return {"data": result.data, "errors": [{"message": e.message} for e in result.errors]}
    return {"data": result.data}


def _capped(most: int) -> Callable[..., Any]:
    """Gives no list more items a page than so many."""

    def resolve(following: Callable[..., Any], root: Any, info: Any, **arguments: Any) -> Any:
        if "first" in info.parent_type.fields[info.field_name].args:
            arguments["first"] = min(most, arguments.get("first") or most)
        return following(root, info, **arguments)

    return resolve


def _checked(query: str, variables: dict[str, Any], settings: GitlabSettings) -> DocumentNode:
    """The query, if it is short, known and cheap enough."""
    if len(query) > _LARGEST_QUERY:
        raise GraphQLError("Query too large")
    document = parse(query)
    for wrong in validate(schema(), document):
        raise wrong
    operation = document.definitions[0]
    if not isinstance(operation, OperationDefinitionNode):
        raise GraphQLError("No operation")
    counter = _Complexity(variables, settings)
    cost = counter.of(operation.selection_set, schema().query_type)
    for field, kind in counter.unknown:
        raise GraphQLError(f"Field '{field}' doesn't exist on type '{kind}'")
    most = settings.complexity
    if cost > most:
        told = f"Query has complexity of {round(cost)}, which exceeds max complexity of {most}"
        raise GraphQLError(told)
    if settings.timeout_above_items is not None and counter.largest > settings.timeout_above_items:
        raise GraphQLError(
            "Request timed out. Please try a less complex query or a smaller set of records."
        )
    return document


class _Complexity:
    """Counts a query as GitLab does: one a field, and a hundredth of a list for each item of it."""

    def __init__(self, variables: dict[str, Any], settings: GitlabSettings) -> None:
        self._variables = variables
        self._settings = settings
        self.unknown: list[tuple[str, str]] = []
        self.largest = 0  # items of the outermost lists

    def of(
        self, selected: SelectionSetNode | None, kind: GraphQLNamedType | None, depth: int = 0
    ) -> float:
        """The complexity of a set of fields."""
        if selected is None or not isinstance(kind, GraphQLObjectType):
            return 0.0
        return sum(
            self._field(node, kind, depth)
            for node in selected.selections
            if isinstance(node, FieldNode)
        )

    def _field(self, node: FieldNode, kind: GraphQLObjectType, depth: int) -> float:
        name = node.name.value
        if name in self._settings.unknown_fields:
            self.unknown.append((name, kind.name))
        definition = kind.fields.get(name)
        inner = get_named_type(definition.type) if definition is not None else None
        cost = _DEAR.get(name, 1) + self.of(node.selection_set, inner, depth + 1)
        if inner is None or not inner.name.endswith("Connection"):
            return cost
        items = self._first(node)
        if depth <= 1:
            self.largest = max(self.largest, items)
        return cost * (1 + _SHARE_OF_AN_ITEM * items)

    def _first(self, node: FieldNode) -> int:
        for argument in node.arguments:
            value = argument.value
            if argument.name.value != "first":
                continue
            if isinstance(value, VariableNode):
                return int(self._variables.get(value.name.value, LARGEST_PAGE))
            if isinstance(value, IntValueNode):
                return int(value.value)
        return LARGEST_PAGE
