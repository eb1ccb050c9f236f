"""Asking GitHub's GraphQL: where it answers, and what its errors mean."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.client import Client
from connectors.connector import SourceError
from connectors.failures import (
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    seconds_to_reset,
)
from connectors.graphql import Errors, GraphqlAsker, HeavyQueryError, Told

_HEAVY_TYPES = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT"}
_HEAVY_WORDS = ("something went wrong", "timeout", "timed out", "resource limit")
_FORBIDDEN_TYPES = {"FORBIDDEN", "INSUFFICIENT_SCOPES", "UNAUTHORIZED"}
# An error this deep concerns one field of one item; the item says null there and is still of use.
_DEPTH_OF_A_FIELD = 4


class StaleCursorError(SourceError):
    """The place to go on from is not known any more."""


class MissingScopeError(ForbiddenError):
    """The token lacks a scope that a field of the query needs."""


def graphql_url(base_url: str) -> str:
    """Where GraphQL answers: beside `/api/v3` on Enterprise Server, below the root elsewhere."""
    base = base_url.rstrip("/")
    return base.removesuffix("/v3") + "/graphql" if base.endswith("/api/v3") else base + "/graphql"


class Asker(GraphqlAsker):
    """Asks GitHub.

    At one item a page a partial answer is kept: the item says null, and its reject why.
    """

    def __init__(self, client: Client, largest: int = 50) -> None:
        super().__init__(client, graphql_url(client.base_url), largest, _judge)

    def ask_some(self, query: str, variables: Mapping[str, Any]) -> Told:
        """One answer about things some of which may not be found; those are null in the data."""
        return self._ask(query, variables, _judge_some)


def _judge_some(errors: Errors) -> None:
    found = [error for error in errors.found if error.get("type") != "NOT_FOUND"]
    if found:
        _judge(replace(errors, found=found))


def _judge(errors: Errors) -> None:
    where, message, found = errors.where, errors.message, errors.found
    types = {str(error.get("type") or "").upper() for error in found}
    types |= {str((error.get("extensions") or {}).get("code") or "").upper() for error in found}
    lower = message.lower()
    is_of_items = errors.has_data and all(_is_of_one_item(error) for error in found)
    if types & {"RATE_LIMIT", "RATE_LIMITED"} or "rate limit" in lower:
        seconds = seconds_to_reset(errors.answer.headers, errors.answer.requested_at)
        raise RateLimitedError(f"{where}: {message}; sync less often", seconds)
    if types & _HEAVY_TYPES or any(word in lower for word in _HEAVY_WORDS):
        if errors.is_smallest and is_of_items:
            return
        raise HeavyQueryError(f"{where}: GitHub did not finish the query: {message}")
    if "INVALID_CURSOR_ARGUMENTS" in types or "cursor" in lower:
        raise StaleCursorError(f"{where}: {message}")
    if "INSUFFICIENT_SCOPES" in types:
        raise MissingScopeError(f"{where}: {message}")
    if is_of_items:
        return
    if types & _FORBIDDEN_TYPES:
        raise ForbiddenError(
            f"{where}: GitHub refuses: {message}; give the token the missing permission, and "
            "authorise it for the organisation's single sign-on"
        )
    if "NOT_FOUND" in types:
        raise NotFoundError(f"{where}: {message}; check the name and the token's access")
    raise SourceError(f"{where}: GitHub refused the query: {message}")


def _is_of_one_item(error: Mapping[str, Any]) -> bool:
    return len(error.get("path") or ()) >= _DEPTH_OF_A_FIELD
