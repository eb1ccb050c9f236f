"""Webhooks (v3) of PagerDuty: incidents as each event leaves them.

An event tells of one step; the log of an incident, and what it names, come with the next pull,
which wins because it was asked later.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from connectors.connector import Line, Parsed
from connectors.pagerduty_records import add_incident
from connectors.pagerduty_wire import EntryWire, IncidentWire
from connectors.push_webhooks import Delivery, WebhookStream, at, latest, signed_by
from connectors.reading import Reader, Wire
from connectors.records import Incident, Instant, Record

_MOST_SIGNATURES = 10
# The entries that a pull would find in the log, by the event that tells of the same step.
_ENTRIES = {
    "incident.triggered": "trigger_log_entry",
    "incident.acknowledged": "acknowledge_log_entry",
    "incident.unacknowledged": "unacknowledge_log_entry",
    "incident.resolved": "resolve_log_entry",
    "incident.reopened": "reopen_log_entry",
    "incident.escalated": "escalate_log_entry",
    "incident.reassigned": "assign_log_entry",
    "incident.delegated": "delegate_log_entry",
    "incident.priority_updated": "priority_change_log_entry",
    "incident.service_updated": "service_change_log_entry",
}


class EventWire(Wire):
    """A step in the life of an incident, and the incident after it."""

    id: str = Field(min_length=1)
    event_type: str
    occurred_at: Instant
    data: IncidentWire


class BodyWire(Wire):
    """What is sent: one event."""

    event: EventWire


_BODY: Reader[BodyWire] = Reader(BodyWire, None, Incident)


class PagerdutyWebhooks(WebhookStream):
    """Deliveries of PagerDuty: incidents opened, taken, escalated, resolved, opened again."""

    name = "pagerduty_webhooks"
    vendor = "pagerduty"
    proof = "X-PagerDuty-Signature, made with the secret of the webhook subscription"
    record_types: ClassVar[tuple[type[Record], ...]] = (Incident,)

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
        """Any of the signatures `v1=…`: while secrets are changed there are several."""
        given = headers.get("x-pagerduty-signature", "").split(",")
        genuine = False
        for signature in given[:_MOST_SIGNATURES]:
            version, _, digest = signature.strip().partition("=")
            genuine |= (version == "v1") & signed_by(digest, body, secrets)
        return genuine

    def delivery(self, headers: Mapping[str, str], value: Any) -> Delivery:  # noqa: ARG002
        """The event; its id stays the same when it is sent again."""
        identifier = at(value, "event", "id")
        return Delivery(
            str(at(value, "event", "event_type") or ""),
            identifier if isinstance(identifier, str) else None,
            latest([at(value, "event", "occurred_at")]),
        )

    def uses(self, delivery: Delivery) -> bool:
        """Events that leave an incident another than it was."""
        return delivery.event in _ENTRIES

    def parse_delivery(self, line: Line) -> Parsed:
        """The incident, with the one step of its log that is known."""
        parsed = Parsed()
        for body in _BODY.read(line, parsed):
            event = body.event
            kind = _ENTRIES.get(event.event_type)
            if kind is not None:
                entry = EntryWire(id=event.id, type=kind, created_at=event.occurred_at)
                add_incident(parsed, line, event.data, [entry], [])
        return parsed
