"""Webhooks of vendors: whether a delivery is genuine, what it is, and when its source spoke."""

import hashlib
import hmac
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from connectors.connector import Connector, Line, Parsed, PushedStream

_PER_RANK = 300_000
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


class Delivery(NamedTuple):
    """What the headers and the body of a delivery say of it.

    `event` names what happened, `id` tells deliveries apart where the vendor numbers them, and
    `said_at` is the moment the body speaks for, where it has one. Of two that speak for one second
    the one of the higher `rank` (0 to 2) came later.
    """

    event: str
    id: str | None
    said_at: datetime | None
    rank: int = 0


class WebhookStream(PushedStream):
    """Deliveries of one vendor's webhooks.

    Their records belong to the connection that pulls from that vendor, under the ids it gives
    them: `connection` among the attributes of a line. A pull that saw the same state wins.
    """

    vendor: ClassVar[str]
    # How a sender proves itself: the words for a message that says what is missing.
    proof: ClassVar[str]

    @abstractmethod
    def is_genuine(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
        """Whether a delivery bears the sign of one of the secrets; in constant time."""

    @abstractmethod
    def delivery(self, headers: Mapping[str, str], value: Any) -> Delivery:
        """What a delivery is; `value` is its body as JSON."""

    @abstractmethod
    def uses(self, delivery: Delivery) -> bool:
        """Whether anything of such an event becomes a record."""

    @abstractmethod
    def parse_delivery(self, line: Line) -> Parsed:
        """Read a delivery; `line.connection` is the one whose records these are."""

    def parse(self, line: Line) -> Parsed:
        """The records of a delivery, as if the connection they belong to had pulled them."""
        owner = line.attributes.get("connection", line.connection)
        return self.parse_delivery(replace(line, connection=owner))

    def attributes_of(self, owner: Connector | None) -> Mapping[str, str]:  # noqa: ARG002
        """What reading a delivery needs to know of the connection's settings."""
        return {}

    def repository_of(self, value: Any) -> str | None:  # noqa: ARG002
        """The full name of the repository a delivery is about, where it is about one."""
        return None


def spoken_at(delivery: Delivery, received_at: datetime, body: bytes) -> datetime:
    """When a page counts as asked for: the moment its source spoke, never after its arrival.

    A pull that saw the same state was asked later, and wins. Vendors tell whole seconds: of two
    deliveries of one second rank and contents decide, so that the order of arrival never does.
    """
    if delivery.said_at is None or delivery.said_at >= received_at:
        return received_at
    said_at = delivery.said_at.astimezone(UTC)
    if said_at.microsecond:
        return said_at
    digest = int.from_bytes(hashlib.sha256(body).digest()[:4]) % _PER_RANK
    after = timedelta(microseconds=1 + delivery.rank * _PER_RANK + digest)
    return min(said_at + after, received_at)


def latest(values: Iterable[object]) -> datetime | None:
    """The latest of what can be read as a moment."""
    found = []
    for value in values:
        if isinstance(value, str):
            try:
                found.append(_MOMENT.validate_python(value).astimezone(UTC))
            except (ValidationError, OverflowError):
                continue
    return max(found, default=None)


def at(value: Any, *path: str) -> Any:
    """What stands at a path of nested objects; None where it leads nowhere."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def signed_by(signature: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether a hexadecimal HMAC-SHA256 of the body was made with one of the secrets."""
    return is_any(signature.lower(), [_sign(secret, body) for secret in secrets])


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an authorization header; empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_any(given: str, expected: Sequence[str]) -> bool:
    """Whether a text is one of others; takes the same time whichever it is, or none."""
    found = False
    for each in expected:
        found |= hmac.compare_digest(given.encode("utf-8", "replace"), each.encode())
    return found


def _sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
