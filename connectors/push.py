"""What is sent here instead of being asked for: JSON of your own, and webhooks of vendors.

`leadline listen` receives it and appends it to landing; this kind of connection says what may be
sent, and how kept pages are read.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.connector import ConnectionOptions, Connector, Finding, Pull, Scope, Stream
from connectors.push_argocd import ArgocdWebhooks
from connectors.push_github import GithubWebhooks
from connectors.push_gitlab import GitlabWebhooks
from connectors.push_pagerduty import PagerdutyWebhooks
from connectors.push_streams import json_streams
from connectors.push_webhooks import WebhookStream
from connectors.secret import Secret, SecretMissingError

SCOPE = Scope("sent")
Vendor = Literal["argocd", "github", "gitlab", "pagerduty"]


class WebhookOptions(BaseModel):
    """One webhook of a vendor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vendor: Vendor = Field(description="whose webhook it is")
    connection: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_-]{0,39}$",
        description="the connection that pulls from there, whose records these are; it is the "
        "last part of the webhook's address too. Left out, it is named as the vendor",
    )
    secret: Secret = Field(description="the secret that the vendor signs or sends with")
    former_secret: Secret | None = Field(
        None, description="the one before, until the vendor has the new one"
    )

    @property
    def owner(self) -> str:
        """The connection whose records these are."""
        return self.connection or self.vendor

    def secrets(self) -> list[str]:
        """The secrets that hold now."""
        former = [self.former_secret.reveal()] if self.former_secret is not None else []
        return [self.secret.reveal(), *former]


class PushOptions(ConnectionOptions):
    """What may be sent to `leadline listen`, and how much of it."""

    webhooks: tuple[WebhookOptions, ...] = Field((), description="the webhooks of vendors")
    largest_body: int = Field(
        5_000_000, ge=1_000, le=25_000_000, description="bytes a request may hold"
    )
    most_items: int = Field(1_000, ge=1, le=5_000, description="things in one request")
    requests_per_second: float = Field(
        100, gt=0, description="of one token or webhook, over time; ten times that at once"
    )
    queue_bytes: int = Field(
        64_000_000, ge=1_000_000, description="bytes that may wait to be written"
    )
    patience: float = Field(
        5, gt=0, le=60, description="seconds to wait for the store before a sender is asked to wait"
    )

    @model_validator(mode="after")
    def _one_a_connection(self) -> Self:
        owners = [webhook.owner for webhook in self.webhooks]
        for owner in owners:
            if owners.count(owner) > 1:
                raise ValueError(
                    f"two webhooks are of the connection {owner}; give each its own, or one secret"
                )
        return self


class Push(Connector):
    """Whoever sends to `leadline listen`."""

    kind = "push"
    title = "Push API"
    options_type = PushOptions
    options: PushOptions

    def streams(self) -> tuple[Stream, ...]:
        """All of them always, so that kept pages can be read whatever the settings say today."""
        return (*json_streams(), *webhook_streams())

    def scopes(self, stream: Stream) -> Iterable[Scope]:
        """What is sent as JSON has one scope, webhooks one for each connection."""
        if not isinstance(stream, WebhookStream):
            return [SCOPE]
        return [
            scope_of(webhook)
            for webhook in self.options.webhooks
            if webhook.vendor == stream.vendor
        ]

    def diagnose(self, pull: Pull) -> Iterator[Finding]:  # noqa: ARG002
        """Whether the secrets are there; whether anybody listens is no question of a source."""
        for webhook in self.options.webhooks:
            subject = f"webhook {webhook.owner}"
            try:
                webhook.secrets()
            except SecretMissingError as error:
                yield Finding("error", subject, str(error))
            else:
                path = f"/webhooks/{webhook.owner}"
                yield Finding("ok", subject, f"{webhook.vendor} sends to {path}")
        if not self.options.webhooks:
            yield Finding("ok", "webhooks", "none; JSON is taken with a token")


def scope_of(webhook: WebhookOptions) -> Scope:
    """The scope of the deliveries of a webhook."""
    return Scope(webhook.owner, {"connection": webhook.owner})


def webhook_streams() -> tuple[WebhookStream, ...]:
    """One for each vendor."""
    return (GithubWebhooks(), GitlabWebhooks(), PagerdutyWebhooks(), ArgocdWebhooks())
