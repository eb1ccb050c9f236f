"""The description of the API (OpenAPI 3.1), made from the models that check what is sent."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from connectors.push import WebhookOptions
from connectors.push_streams import JsonStream
from pipelines.listening.problems import Told

_REFERENCE = "#/components/schemas/{model}"
_PROBLEMS = {
    400: "the body is not JSON, or a header is odd",
    401: "no token, or one that does not hold",
    403: "the token may not send this",
    408: "the body came too slowly",
    409: "the Idempotency-Key came with another body before",
    413: "the body is too large",
    415: "the body is not JSON by its type",
    422: "the body does not say what it should; problems names each place",
    429: "too many requests; Retry-After says how long to wait",
    503: "not kept; Retry-After says when to send it again",
}
_RETRY = {
    "Retry-After": {"description": "seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}


def describe(
    streams: Sequence[JsonStream], webhooks: Iterable[WebhookOptions], received: type[BaseModel]
) -> dict[str, Any]:
    """The whole description."""
    models: list[type[BaseModel]] = [*(stream.model for stream in streams), received, Told]
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REFERENCE
    )
    paths = {stream.path: {"post": _sending(stream, received)} for stream in streams}
    for webhook in webhooks:
        paths[f"/webhooks/{webhook.owner}"] = {"post": _delivering(webhook, received)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leadline: what may be sent",
            "version": version("leadline"),
            "description": "Deployments, incidents, tickets, self-service actions and set-ups as "
            "JSON, and webhooks of vendors. A 2xx means that it is on disk.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _sending(stream: JsonStream, received: type[BaseModel]) -> dict[str, Any]:
    one = {"$ref": _REFERENCE.format(model=stream.model.__name__)}
    return {
        "operationId": f"send_{stream.name}",
        "summary": (stream.model.__doc__ or "").split("\n", maxsplit=1)[0],
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "the same key again with the same body is kept once",
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]}
                }
            },
        },
        "responses": _responses(received, _PROBLEMS),
    }


def _delivering(webhook: WebhookOptions, received: type[BaseModel]) -> dict[str, Any]:
    problems = {status: told for status, told in _PROBLEMS.items() if status not in (403, 409)}
    return {
        "operationId": f"deliver_{webhook.owner.replace('-', '_')}",
        "summary": f"Webhook of {webhook.vendor}, for the connection {webhook.owner}.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "responses": _responses(received, {**problems, 401: "the delivery is not proven"}),
    }


def _responses(received: type[BaseModel], problems: dict[int, str]) -> dict[str, Any]:
    responses: dict[str, Any] = {"202": _answer("kept", received)}
    for status, told in sorted(problems.items()):
        responses[str(status)] = _answer(told, Told)
        if status in (429, 503):
            responses[str(status)]["headers"] = _RETRY
    return responses


def _answer(told: str, model: type[BaseModel]) -> dict[str, Any]:
    reference = {"$ref": _REFERENCE.format(model=model.__name__)}
    return {"description": told, "content": {"application/json": {"schema": reference}}}
