"""Sending to `leadline listen` within a test: the real application over a real landing store."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from connectors.connector import Connector
from connectors.push import Push, PushOptions
from pipelines.listening.application import Listener
from pipelines.listening.intake import Intake
from pipelines.listening.tokens import Tokens
from pipelines.sync import utc_now
from sandbox.serving import Server
from tests import pulling
from tests.e2e.comparison import Tables

SCOPES = ("deployments", "incidents", "tickets", "self-service-actions", "setup-events")
SECRET = "github-webhook-secret"


def deployment(number: object = 1, **more: Any) -> dict[str, Any]:
    """A deployment of two repositories that has just begun."""
    return {
        "id": f"release-{number}",
        "environment": "production",
        "created_at": "2026-03-02T08:00:00Z",
        "commits": [
            {"repository": "https://git.example.com/Acme/Shop.git", "sha": "4f2c9d1e8a7b"},
            {"repository": "git.example.com/acme/billing", "sha": "91b0e6c2d3f4"},
        ],
        **more,
    }


class Sender:
    """Somebody who sends, with a token for everything."""

    def __init__(self, client: httpx.Client, listener: Listener, token: str) -> None:
        self.client = client
        self.listener = listener
        self.token = token

    def send(
        self, path: str, body: object, *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send JSON (or bytes as they are) with a token."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            f"/v1/{path}",
            content=content,
            headers={
                "authorization": f"Bearer {token or self.token}",
                "content-type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def github(
        self, event: str, payload: Mapping[str, Any], *, delivery: str, secret: str = SECRET
    ) -> httpx.Response:
        """Deliver an event as GitHub does."""
        body = json.dumps(payload).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return self.deliver(
            "github",
            body,
            {
                "x-github-event": event,
                "x-github-delivery": delivery,
                "x-hub-signature-256": f"sha256={signature}",
            },
        )

    def gitlab(self, payload: Mapping[str, Any], *, secret: str = SECRET) -> httpx.Response:
        """Deliver an event as GitLab does."""
        headers = {"x-gitlab-token": secret, "x-gitlab-event-uuid": "one-for-all"}
        return self.deliver("gitlab", json.dumps(payload).encode(), headers)

    def argocd(self, *applications: object, secret: str = SECRET) -> httpx.Response:
        """Deliver applications as the template of push.md does."""
        body = json.dumps({"items": applications}).encode()
        return self.deliver("argocd", body, {"authorization": f"Bearer {secret}"})

    def pagerduty(self, payload: Mapping[str, Any], *secrets: str) -> httpx.Response:
        """Deliver an event as PagerDuty does, signed with each of the secrets."""
        body = json.dumps(payload).encode()
        signed = [
            f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
            for secret in secrets or (SECRET,)
        ]
        return self.deliver("pagerduty", body, {"x-pagerduty-signature": ",".join(signed)})

    def deliver(self, name: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Deliver a body to a webhook with these headers."""
        return self.client.post(
            f"/webhooks/{name}",
            content=body,
            headers={"content-type": "application/json", **headers},
        )


@contextmanager
def receiving(
    folder: Path, connector: Push, owners: Mapping[str, Connector] | None = None
) -> Iterator[Sender]:
    """The application over a data folder; what was answered is on disk when this ends."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = Tokens(folder)
    now = utc_now()
    name = f"test-{len(tokens.all())}"
    token = tokens.add(name, SCOPES, expires_at=now + timedelta(days=1), now=now)
    intake = Intake(
        folder / "landing.sqlite", connector, patience=connector.options.patience, now=utc_now
    )
    listener = Listener(connector, dict(owners or {}), tokens, intake, now=utc_now)
    intake.start()
    try:
        with (
            Server(listener.application()) as server,
            httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client,
        ):
            yield Sender(client, listener, token)
    finally:
        intake.stop()


def push(name: str = "push", **options: Any) -> Push:
    """A push connection with these options."""
    return Push(name, PushOptions.model_validate(options))


def rows(folder: Path) -> Tables:
    """What was sent there, loaded; all records."""
    return {name.removeprefix("main."): found for name, found in pulling.rows(folder).items()}


def moment(minutes: float) -> str:
    """A moment so many minutes after a certain one, as it is sent."""
    return (datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(minutes=minutes)).isoformat()
