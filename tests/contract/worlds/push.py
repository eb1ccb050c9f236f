"""Whoever sends to `leadline listen`: one thing of each kind, and a delivery of each vendor."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.push import Push
from tests.contract.worlds.world import Ghosts, Renamed, Unshown, World
from tests.pushing import SECRET, deployment, moment, receiving

PERSON = "ada@example.com"
SENT: dict[str, Any] = {
    "deployments": [deployment(actor=PERSON), deployment(2, finished_at=moment(9))],
    "incidents": {"id": "1", "title": "Slow", "created_at": moment(9), "service": "shop"},
    "tickets": {
        "id": "1",
        "key": "OPS-1",
        "project": "OPS",
        "title": "A database",
        "created_at": moment(0),
        "reporter": PERSON,
        "transitions": [{"at": moment(5), "to_value": "Doing", "to_category": "in_progress"}],
    },
    "self-service-actions": {"id": "1", "category": "database", "started_at": moment(0)},
    "setup-events": [
        {"id": "1", "service": "shop", "template": "service", "requested_at": moment(0)},
        {"id": "2", "service": "till", "requested_at": moment(0), "approved_at": moment(4)},
    ],
}
DELIVERED = {
    "action": "created",
    "repository": {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"},
    "deployment": {"id": 7, "sha": "4f2c9d1e", "created_at": moment(0), "updated_at": moment(2)},
    "deployment_status": {
        "id": 9,
        "node_id": "DES_9",
        "state": "success",
        "created_at": moment(2),
    },
}

DEPLOYED = {
    "object_kind": "deployment",
    "status": "running",
    "status_changed_at": "2026-03-02 09:00:00 +0100",
    "deployment_id": 15,
    "environment": "europe",
    "environment_tier": "production",
    "project": {"web_url": "https://gitlab.com/acme/shop", "path_with_namespace": "acme/shop"},
    "commit_url": f"https://gitlab.com/acme/shop/-/commit/{7:040x}",
    "user": {"id": 3},
}
APPLICATION = {
    "metadata": {"uid": "u-1", "name": "shop-production", "namespace": "argocd"},
    "spec": {
        "project": "acme",
        "source": {"repoURL": "https://git.example.com/acme/manifests", "path": "shop"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
    },
    "status": {
        "history": [{"id": 3, "revision": f"{9:040x}", "deployedAt": moment(3)}],
        "operationState": {
            "phase": "Failed",
            "startedAt": moment(5),
            "finishedAt": moment(6),
            "operation": {"sync": {"revision": f"{11:040x}"}},
        },
    },
}

TRIGGERED: dict[str, Any] = {
    "event": {
        "id": "E1",
        "event_type": "incident.triggered",
        "occurred_at": moment(9),
        "data": {
            "id": "PGR0VU2",
            "title": "Checkout answers slowly",
            "status": "triggered",
            "created_at": moment(9),
            "service": {"id": "PF9KMXH", "summary": "Shop"},
        },
    }
}


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A sender that sends the same whenever it is asked to."""
    os.environ["CONTRACT_WEBHOOK"] = SECRET
    secret = {"env": "CONTRACT_WEBHOOK"}
    vendors = ("argocd", "github", "gitlab", "pagerduty")
    options = {"webhooks": [{"vendor": vendor, "secret": secret} for vendor in vendors]}
    yield World(
        options=options,
        narrowed=options,
        send=_send,
        moving=Unshown("nothing is asked for, so that there are no pages to move between"),
        renamed=Renamed(_retitled, "select incident_id, title from incident"),
        removed=Unshown("nobody lists what was sent: what is not sent again stays"),
        ghosts=Ghosts("select * from deployment_attempt where actor is null", 5),
        bots=Unshown("whoever sends names an actor; senders do not say which are machines"),
        zoned=Unshown("a body reads the same, whoever sends it"),
    )


@contextmanager
def _retitled() -> Iterator[None]:
    """The incident that is sent is called otherwise from now on."""
    incident = SENT["incidents"]
    incident["title"], before = "Very slow", incident["title"]
    try:
        yield
    finally:
        incident["title"] = before


def _send(data: Path, connector: Push) -> int:
    with receiving(data, connector) as sender:
        answers = [sender.send(path, body) for path, body in SENT.items()]
        answers.append(sender.github("deployment_status", DELIVERED, delivery="1"))
        answers.append(sender.gitlab(DEPLOYED))
        answers.append(sender.argocd(APPLICATION))
        answers.append(sender.pagerduty(TRIGGERED))
    assert {answer.status_code for answer in answers} == {202}, [a.text for a in answers]
    return sum(int(answer.json()["received"]) for answer in answers)
