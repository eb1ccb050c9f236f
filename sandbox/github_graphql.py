"""Answers GitHub's GraphQL: from the bytes of a request to a status and a body."""

import json
from functools import cache
from typing import Any

from sandbox.github_fields import people_fields
from sandbox.github_protocol import Budget, GithubSettings
from sandbox.github_query import QueryError, Resolver, Runner, plan_query
from sandbox.github_repository_fields import repository_fields
from sandbox.github_sources import View, kind_of
from sandbox.github_work_fields import work_fields
from sandbox.world import World

Answer = tuple[int, dict[str, Any]]

_TIMEOUT = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it "
    "could be a GitHub bug."
)


@cache
def resolvers() -> dict[str, Resolver]:
    """How every field of the served schema is answered, by "Type.field"."""
    return {**people_fields(), **repository_fields(), **work_fields()}


def answer_graphql(
    request: bytes, world: World, html: str, budget: Budget, settings: GithubSettings
) -> Answer:
    """Run one query and charge its cost.

    As with the vendor, a wrong query and a spent budget are 200 with errors, a query that takes
    too long is 502, and what is no JSON is 400.
    """
    try:
        asked = json.loads(request)
        query, variables = str(asked["query"]), dict(asked.get("variables") or {})
    except (ValueError, KeyError, TypeError):
        return 400, {"message": "Problems parsing JSON", "status": "400"}
    try:
        plan = plan_query(query, variables, asked.get("operationName"), resolvers())
    except QueryError as refused:
        return 200, {"errors": list(refused.errors)}
    if budget.remaining < plan.cost:
        message = "API rate limit already exceeded for user ID 1."
        return 200, {"errors": [{"type": "RATE_LIMIT", "message": message}]}
    budget.used += plan.cost
    if settings.timeout_above_nodes is not None and plan.node_count > settings.timeout_above_nodes:
        return 502, {"data": None, "errors": [{"message": _TIMEOUT}]}
    runner = Runner(View(world, html, budget, settings, plan.cost, plan.node_count), kind_of)
    data = runner.run(plan.steps, None)
    return 200, {"data": data, "errors": runner.errors} if runner.errors else {"data": data}
