"""Webhooks of Argo CD's notifications: applications whose sync has just ended.

What a notification says is written by whoever sets it up; the template of docs/push.md sends the
application as the API shows it, so that syncs are read as if they had been pulled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from connectors.argocd_streams import Applications
from connectors.connector import Connector, Line, Parsed
from connectors.push_webhooks import Delivery, WebhookStream, at, bearer, is_any, latest
from connectors.records import Record


class ArgocdWebhooks(WebhookStream):
    """Applications that Argo CD's notifications send when a sync has ended."""

    name = "argocd_webhooks"
    vendor = "argocd"
    proof = "authorization: Bearer, with the secret of the webhook"
    record_types: ClassVar[tuple[type[Record], ...]] = Applications.record_types

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:  # noqa: ARG002
        """The secret itself, as a Bearer token."""
        return is_any(bearer(headers), secrets)

    def delivery(self, headers: Mapping[str, str], value: Any) -> Delivery:  # noqa: ARG002
        """The phase of the operation, and when it ended; deliveries have no id."""
        items = at(value, "items")
        states = [at(item, "status", "operationState") for item in _listed(items)]
        times = [at(state, name) for state in states for name in ("startedAt", "finishedAt")]
        phases = {str(at(state, "phase")) for state in states}
        return Delivery(", ".join(sorted(phases)), None, latest(times))

    def uses(self, delivery: Delivery) -> bool:
        """A body with applications in it."""
        return bool(delivery.event)

    def attributes_of(self, owner: Connector | None) -> Mapping[str, str]:
        """How the connection names services, environments and clusters."""
        scopes = owner.scopes(Applications()) if owner is not None else ()
        return next((scope.attributes for scope in scopes), {"address": ""})

    def parse_delivery(self, line: Line) -> Parsed:
        """Syncs as attempts to deploy."""
        attributes = {"address": "", **line.attributes}
        return Applications().parse(replace(line, attributes=attributes))


def _listed(items: Any) -> list[Any]:
    return items if isinstance(items, list) else []
