"""Runs GraphQL queries: the vendor's rules of size and cost, and an executor that is fast enough.

graphql-core parses and validates against the schema the sandbox serves; each query is then laid
out once as nested steps, so that a page of fifty pull requests costs milliseconds, not seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_object_type,
    parse,
    validate,
)
from graphql.execution.values import (
    get_argument_values,
    get_directive_values,
    get_variable_values,
)

NODE_LIMIT = 500_000
Place = tuple[str | int, ...]
Resolver = Callable[[Any, Any, Mapping[str, Any]], Any]


class FieldError(Exception):
    """A field that cannot be answered; it becomes null and the rest of the answer stands."""

    def __init__(self, message: str, kind: str, path: Place = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.path = path

    def body(self) -> dict[str, Any]:
        """The error as the vendor writes it."""
        return {"type": self.kind, "path": list(self.path), "message": str(self)}


class QueryError(Exception):
    """A query refused as a whole."""

    def __init__(self, *errors: dict[str, Any]) -> None:
        super().__init__("; ".join(error["message"] for error in errors))
        self.errors = errors


@dataclass(slots=True)
class Step:
    """One field to answer: how, and what to take from the value."""

    key: str
    resolve: Resolver
    arguments: Mapping[str, Any]
    path: Place
    plans: "Mapping[str, list[Step]] | None" = None  # by concrete type; None for a leaf
    only: "list[Step] | None" = None  # the plan, where there is one concrete type


@dataclass
class Plan:
    """A query laid out for running, with what it may cost at most."""

    steps: list[Step]
    node_count: int
    cost: int


@cache
def served_schema() -> GraphQLSchema:
    """The part of the vendor's schema that the sandbox serves."""
    source = Path(__file__).with_name("github_schema.graphql")
    return build_schema(source.read_text(encoding="utf-8"))


@dataclass
class Planner:
    """Lays out one operation; `resolvers` is keyed by "Type.field"."""

    resolvers: Mapping[str, Resolver]
    variables: dict[str, Any]
    fragments: dict[str, FragmentDefinitionNode]
    node_count: int = 0
    request_count: int = 0
    schema: GraphQLSchema = field(default_factory=served_schema)

    def lay_out(
        self,
        kind: GraphQLObjectType,
        selections: Sequence[SelectionSetNode],
        *,
        path: Place,
        times: int,
    ) -> list[Step]:
        """The steps for one concrete type; `times` is how many such objects there may be."""
        found: dict[str, list[FieldNode]] = {}
        for selection in selections:
            self._collect(kind, selection, found)
        return [self._step(kind, key, nodes, (*path, key), times) for key, nodes in found.items()]

    def _step(
        self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode], path: Place, times: int
    ) -> Step:
        name = nodes[0].name.value
        if name == "__typename":
            return Step(key, lambda _view, _source, _arguments: kind.name, {}, path)
        definition = kind.fields[name]
        arguments = get_argument_values(definition, nodes[0], self.variables)
        step = Step(key, self.resolvers[f"{kind.name}.{name}"], arguments, path)
        below = get_named_type(definition.type)
        selections = [node.selection_set for node in nodes if node.selection_set]
        if not selections:
            return step
        if "first" in definition.args:
            times = self._count(name, arguments, path, times)
        concrete = self._concrete(below)
        step.plans = {
            one.name: self.lay_out(one, selections, path=path, times=times) for one in concrete
        }
        if is_object_type(below):
            step.only = step.plans[below.name]
        return step

    def _count(self, name: str, arguments: Mapping[str, Any], path: Place, times: int) -> int:
        """Check the size of a connection and count what it may bring."""
        size = arguments.get("first")
        size = arguments.get("last") if size is None else size
        if size is None:
            message = (
                f"You must provide a `first` or `last` value to properly paginate the `{name}` "
                "connection."
            )
            raise QueryError(FieldError(message, "MISSING_PAGINATION_BOUNDARIES", path).body())
        if not 1 <= size <= 100:
            message = (
                f"Requesting {size} records on the `{name}` connection exceeds the `first` limit "
                "of 100 records."
            )
            raise QueryError(FieldError(message, "EXCESSIVE_PAGINATION", path).body())
        self.request_count += times
        self.node_count += times * size
        return times * int(size)

    def _concrete(self, kind: Any) -> Sequence[GraphQLObjectType]:
        if is_abstract_type(kind):
            abstract: GraphQLAbstractType = kind
            return self.schema.get_possible_types(abstract)
        return [kind]

    def _collect(
        self,
        kind: GraphQLObjectType,
        selection: SelectionSetNode,
        found: dict[str, list[FieldNode]],
    ) -> None:
        node: Any
        for node in selection.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, []).append(node)
                continue
            part = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = part.type_condition.name.value if part.type_condition else kind.name
            if self._fits(kind, condition):
                self._collect(kind, part.selection_set, found)

    def _is_included(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def _fits(self, kind: GraphQLObjectType, condition: str) -> bool:
        other = self.schema.type_map[condition]
        return other is kind or kind in self._concrete(other)


def plan_query(
    query: str,
    variables: dict[str, Any],
    operation_name: str | None,
    resolvers: Mapping[str, Resolver],
) -> Plan:
    """Lay out a query; raises QueryError for one the vendor would refuse."""
    document, problems = _parsed(query)
    if problems:
        raise QueryError(*problems)
    operation = _operation(document, operation_name)
    coerced = get_variable_values(served_schema(), operation.variable_definitions or (), variables)
    if isinstance(coerced, list):
        raise QueryError(*(dict(error.formatted) for error in coerced))
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    planner = Planner(resolvers, coerced, fragments)
    root: Any = served_schema().type_map["Query"]
    steps = planner.lay_out(root, [operation.selection_set], path=(), times=1)
    if planner.node_count > NODE_LIMIT:
        message = (
            f"This query requests up to {planner.node_count:,} possible nodes which exceeds the "
            f"maximum limit of {NODE_LIMIT:,}."
        )
        raise QueryError({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message})
    return Plan(steps, planner.node_count, max(1, round(planner.request_count / 100)))


@dataclass
class Runner:
    """Runs a plan; `kind_of` names the concrete type of a value behind an interface or union."""

    view: Any
    kind_of: Callable[[Any], str]
    errors: list[dict[str, Any]] = field(default_factory=list)

    def run(self, steps: list[Step], source: Any) -> dict[str, Any]:
        """The object the steps make of a source."""
        view, result = self.view, {}
        for step in steps:
            try:
                value = step.resolve(view, source, step.arguments)
            except FieldError as error:
                self._note(error, step.path)
                value = None
            if step.plans is None or value is None:
                result[step.key] = value
            elif isinstance(value, list):
                result[step.key] = [
                    self._item(step, item, index) for index, item in enumerate(value)
                ]
            else:
                result[step.key] = self.run(self._plan(step, value), value)
        return result

    def _item(self, step: Step, item: Any, index: int) -> Any:
        if item is None:
            return None
        if isinstance(item, FieldError):
            self._note(item, (*step.path, index))
            return None
        return self.run(self._plan(step, item), item)

    def _plan(self, step: Step, value: Any) -> list[Step]:
        if step.only is not None:
            return step.only
        return (step.plans or {})[self.kind_of(value)]

    def _note(self, error: FieldError, path: Place) -> None:
        self.errors.append(FieldError(str(error), error.kind, path).body())


@lru_cache(maxsize=256)
def _parsed(query: str) -> tuple[DocumentNode, list[Any]]:
    try:
        document = parse(query)
    except GraphQLError as error:
        return DocumentNode(definitions=()), [error.formatted]
    return document, [dict(error.formatted) for error in validate(served_schema(), document)]


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (name is None or (node.name is not None and node.name.value == name))
    ]
    if len(operations) != 1:
        message = f"No operation named {name!r}" if name else "An operation name is required"
        raise QueryError({"message": message})
    return operations[0]
