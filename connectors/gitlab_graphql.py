"""Asking GitLab's GraphQL: where it answers, and what its errors mean."""

from connectors.client import Client
from connectors.connector import SourceError
from connectors.failures import NotFoundError, RefusedError
from connectors.graphql import Errors, GraphqlAsker, HeavyQueryError

# GitLab names its refusals in words alone.
_HEAVY_WORDS = ("complexity", "timeout", "timed out", "too large", "too many")
_UNKNOWN_WORDS = ("doesn't exist on type", "doesn't accept argument", "isn't a defined input type")


class UnknownFieldError(SourceError):
    """This GitLab's GraphQL does not know a field: it is older, or has it switched off."""


class Asker(GraphqlAsker):
    """Asks GitLab."""

    def __init__(self, client: Client, largest: int) -> None:
        super().__init__(client, client.base_url.removesuffix("v4/") + "graphql", largest, _judge)


def _judge(errors: Errors) -> None:
    where, message = errors.where, errors.message
    lower = message.lower()
    if any(word in lower for word in _UNKNOWN_WORDS):
        raise UnknownFieldError(f"{where}: this GitLab does not know the question: {message}")
    if any(word in lower for word in _HEAVY_WORDS):
        raise HeavyQueryError(f"{where}: GitLab finds the question too heavy: {message}")
    if "does not exist or you don't have permission" in lower:
        raise NotFoundError(f"{where}: {message}; check the token's access")
    raise RefusedError(f"{where}: GitLab refused the question: {message}")
