"""Every recorded payload of GitHub's webhooks is taken: read, or answered and counted."""

import hashlib
import hmac
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors.push_github import GithubWebhooks
from tests.pushing import SECRET, push, receiving, rows

EXAMPLES = (
    Path(__file__).parent.parent
    / "schemas/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
)
pytestmark = pytest.mark.node
USED = {
    *("pull_request", "pull_request_review", "deployment", "deployment_status"),
    *("workflow_run", "workflow_job", "release", "issues"),
}


@pytest.fixture(scope="module")
def recorded() -> list[tuple[str, dict[str, Any]]]:
    """Each event's name with a payload."""
    if not EXAMPLES.is_file():
        pytest.skip("run npm ci in tests/schemas first: the recorded webhooks are missing")
    events = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return [(event["name"], payload) for event in events for payload in event["examples"]]


def test_every_recorded_payload_is_taken(
    recorded: list[tuple[str, dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No exception, no reject; a row for everything that is used, under GitHub's own ids."""
    monkeypatch.setenv("GITHUB_WEBHOOK", SECRET)
    webhook = {"vendor": "github", "secret": {"env": "GITHUB_WEBHOOK"}}
    received: Counter[str] = Counter()
    with receiving(tmp_path, push(webhooks=[webhook])) as sender:
        for number, (name, payload) in enumerate(recorded):
            answer = sender.github(name, payload, delivery=str(number))
            assert answer.status_code == 202, (name, answer.text)
            received[name] += answer.json()["received"]
        unused = sender.client.get("/health").json()["unused"]
    assert len(recorded) >= 329
    assert {name for name, count in received.items() if count} == USED
    assert sum(unused.values()) + received.total() == len(recorded)
    found = rows(tmp_path)
    assert found["reject"] == []
    payloads = [payload for name, payload in recorded if name == "pull_request"]
    ids = {f"github:pull:{payload['pull_request']['id']}" for payload in payloads}
    assert len(found["change_request"]) == len(ids)
    assert all(any(each in row for row in found["change_request"]) for each in ids)
    for table in ("review", "deployment_attempt", "deployment_status", "pipeline_run"):
        assert found[table], table
    for table in ("pipeline_job", "release", "ticket"):
        assert found[table], table


def test_signatures_are_those_that_github_makes() -> None:
    """The vendor's own example of a secret, a body and its signature."""
    headers = {
        "x-hub-signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }
    stream = GithubWebhooks()
    assert stream.is_genuine(headers, b"Hello, World!", ["It's a Secret to Everybody"])
    assert not stream.is_genuine(headers, b"Hello, World?", ["It's a Secret to Everybody"])
    assert not stream.is_genuine(headers, b"Hello, World!", ["another secret"])
    assert stream.is_genuine(headers, b"Hello, World!", ["new", "It's a Secret to Everybody"])


def test_a_signature_holds_for_its_bytes_alone(
    recorded: list[tuple[str, dict[str, Any]]],
) -> None:
    """Of every payload: the right secret and bytes, and nothing that differs in one sign."""
    stream = GithubWebhooks()
    for _, payload in recorded:
        body = json.dumps(payload).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={signature}"}
        assert stream.is_genuine(headers, body, [SECRET])
        assert not stream.is_genuine(headers, body + b" ", [SECRET])
        assert not stream.is_genuine(headers, body, [SECRET + "x"])
