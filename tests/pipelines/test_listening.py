"""What is sent over HTTP: who may, what is refused in which words, what is kept and how often."""

import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.github import GithubConnector
from connectors.github_options import GithubOptions
from connectors.push import Push
from connectors.secret import Secret
from pipelines.landing import Landing
from pipelines.listening import bodies
from pipelines.listening.service import check_address, push_connection
from pipelines.settings import Settings, SettingsError, parse
from pipelines.sync import utc_now
from tests.pushing import SECRET, Sender, deployment, moment, push, receiving, rows

BEYOND = "192.0.2.7"
LIMITS: dict[str, Any] = {"largest_body": 20_000, "most_items": 5, "patience": 0.3}


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Push:
    """A push connection with narrow limits and a webhook of GitHub."""
    monkeypatch.setenv("GITHUB_WEBHOOK", SECRET)
    return push(webhooks=[{"vendor": "github", "secret": {"env": "GITHUB_WEBHOOK"}}], **LIMITS)


@pytest.fixture
def sender(tmp_path: Path, connector: Push) -> Iterator[Sender]:
    """Somebody who may send everything."""
    with receiving(tmp_path, connector) as found:
        yield found


def kept(folder: Path) -> int:
    """The pages in landing."""
    with Landing(folder / "landing.sqlite") as landing:
        return sum(1 for batch in landing.batches() for _ in landing.lines(batch))


def test_a_deployment_of_several_commits_becomes_an_attempt_each(
    sender: Sender, tmp_path: Path
) -> None:
    """Sent when it begins and when it ends, with who did it; each repository has its own."""
    assert sender.send("deployments", deployment(actor="Ada@example.com")).status_code == 202
    ended = deployment(finished_at=moment(7), state="failed", actor="Ada@example.com")
    assert sender.send("deployments", ended).json() == {"received": 1, "repeated": False}
    found = rows(tmp_path)
    assert len(found["deployment_attempt"]) == 2
    assert "push:deployment:release-1:git.example.com/acme/shop" in str(found["deployment_attempt"])
    states = [row for row in found["deployment_status"] if "failed" in row]
    assert len(states) == 2
    assert len(found["deployment_status"]) == 6
    assert len(found["account"]) == 1


def test_a_key_is_kept_once_and_belongs_to_one_body(sender: Sender, tmp_path: Path) -> None:
    """Repeated at once, later, and after a restart; another body under it is a conflict."""
    first = sender.send("deployments", deployment(), idempotency_key="k1")
    again = sender.send("deployments", deployment(), idempotency_key="k1")
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    other = sender.send("deployments", deployment(2), idempotency_key="k1")
    assert other.status_code == 409
    assert sender.send("incidents", [], idempotency_key="two words").status_code == 400
    assert kept(tmp_path) == 1
    with receiving(tmp_path, push(**LIMITS)) as later:
        # A key is its sender's own: another token's is another key.
        answer = later.send("deployments", deployment(), idempotency_key="k1", token=sender.token)
        assert answer.json()["repeated"] is True
        assert later.send("deployments", deployment(), idempotency_key="k1").status_code == 202
    assert kept(tmp_path) == 2


def test_tokens_hold_for_their_scopes_until_they_end(sender: Sender) -> None:
    """No token, a wrong, an expired and a revoked one, and one for something else."""
    tokens, now = sender.listener.tokens, utc_now()
    narrow = tokens.add("narrow", ["tickets"], expires_at=now + timedelta(days=1), now=now)
    old = tokens.add("old", ["deployments"], expires_at=now - timedelta(1), now=now)
    taken = tokens.add("taken", ["deployments"], expires_at=None, now=now)
    assert sender.send("deployments", deployment(), token=taken).status_code == 202
    tokens.revoke("taken", now)
    for token, status, words in (
        ("leadline_wrong", 401, "not known"),
        (old, 401, "expired"),
        (taken, 401, "revoked"),
        (narrow, 403, "may not send deployments, only tickets"),
    ):
        answer = sender.send("deployments", deployment(), token=token)
        assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
    bare = sender.client.post("/v1/deployments", content=b"{}")
    assert bare.status_code == 401
    assert bare.headers["www-authenticate"] == "Bearer"
    kept_at_rest = tokens.path.read_text(encoding="utf-8")
    assert all(secret not in kept_at_rest for secret in (narrow, old, taken))
    assert tokens.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "not JSON"),
        (b'{"id": "\xff"}', 400, "UTF-8"),
        (b'{"id": "\\ud800"}', 400, "half a character"),
        (b"7", 422, "one object, or a list"),
        (b"[]", 422, "1 to 5"),
        (b"[" * 5_000, 400, "not JSON"),
        ([deployment(n) for n in range(6)], 422, "this one 6"),
        ([deployment(1), deployment(1)], 422, "$[1].id"),
        (deployment(created_at="2026-03-02T08:00:00"), 422, "$.created_at"),
        (deployment(created_at=1_700_000_000), 422, "write a time as text"),
        (deployment(created_at="0001-01-01T00:00:00+14:00"), 422, "between 1990"),
        (deployment(environmnet="x"), 422, "$.environmnet"),
        (deployment(commits=[{"sha": "4f2c9d1"}]), 422, "repository, service or image"),
        (deployment(commits=[{"repository": "shop", "sha": "HEAD"}]), 422, "$.commits[0].sha"),
        (deployment(commits=[{"repository": "a/b"}, {"repository": "A/b"}]), 422, "commits[1]"),
        (deployment(state="succeeded"), 422, "needs finished_at"),
        (deployment(actor="a\u0000b"), 422, "control characters"),
        (deployment(commits=[{"repository": "https://["}]), 422, "$.commits[0].repository"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    sender: Sender, tmp_path: Path, body: Any, status: int, words: str
) -> None:
    """Nothing of such a request is kept, and the answer says what, where and how to mend it."""
    answer = sender.send("deployments", body)
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert sender.send("incidents", {"id": "1", "title": "x", "created_at": moment(0)}).is_success
    assert kept(tmp_path) == 1


def test_large_slow_and_foreign_bodies_are_refused(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a length and without one; a body that trickles in; and what is no JSON."""
    large = b" " * 30_000
    assert sender.send("deployments", large).status_code == 413
    headers = {"authorization": f"Bearer {sender.token}", "content-type": "application/json"}
    chunks = (b" " * 1_000 for _ in range(30))
    assert sender.client.post("/v1/deployments", content=chunks, headers=headers).status_code == 413
    form = sender.send("deployments", b"payload=%7B%7D", content_type="application/x-www-form")
    assert form.status_code == 415
    packed = sender.send("deployments", b"{}", content_encoding="gzip")
    assert packed.status_code == 415
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", sender.client.base_url.port or 0)) as slow:
        slow.sendall(
            b"POST /v1/deployments HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
            + f"authorization: Bearer {sender.token}\r\n".encode()
            + b"content-type: application/json\r\n\r\n1\r\n{\r\n"
        )
        slow.settimeout(30)
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
    assert sender.listener.room.bytes == 0
    assert sender.listener.room.requests == 0


def test_too_many_requests_are_asked_to_wait(tmp_path: Path) -> None:
    """Ten seconds' worth at once, then 429 with the time to wait."""
    with receiving(tmp_path, push(requests_per_second=0.2)) as sender:
        answers = [sender.send("deployments", deployment(n)) for n in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 6
    assert kept(tmp_path) == 2


def test_a_full_queue_is_never_a_drop(tmp_path: Path) -> None:
    """What does not fit is refused with 503, and is kept when it is sent again."""
    with receiving(tmp_path, push()) as sender:
        sender.listener.room.most_bytes = 10
        refused = sender.send("deployments", deployment())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        sender.listener.room.most_bytes = 10_000
        assert sender.send("deployments", deployment()).status_code == 202
        sender.listener.room.most_requests = 0
        assert sender.send("deployments", deployment()).status_code == 503
    assert kept(tmp_path) == 1


def test_a_locked_store_is_told_and_mended(sender: Sender, tmp_path: Path) -> None:
    """Locked for longer than patience: 503, nothing kept; then it goes on by itself."""
    sender.send("deployments", deployment())
    with closing(sqlite3.connect(tmp_path / "landing.sqlite", isolation_level=None)) as other:
        other.execute("begin immediate")
        refused = sender.send("deployments", deployment(2))
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert sender.client.get("/health").status_code == 503
        other.execute("rollback")
    assert sender.send("deployments", deployment(2)).status_code == 202
    health = sender.client.get("/health")
    assert (health.status_code, health.json()["waiting"]) == (200, 0)
    assert health.json()["counts"]["kept"] == 2
    assert kept(tmp_path) == 2


def delivered(**more: Any) -> dict[str, Any]:
    """GitHub's event of a deployment."""
    place = {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"}
    made = {"id": 7, "sha": "4f2c9d1e", "environment": "production", "created_at": moment(0)}
    return {"action": "created", "repository": place, "deployment": {**made, **more}}


def test_a_delivery_must_be_proven(sender: Sender, tmp_path: Path) -> None:
    """With another secret, a body that was changed, or no signature nothing is kept."""
    good = sender.github("deployment", delivered(), delivery="1")
    assert (good.status_code, good.json()["received"]) == (202, 1)
    wrong = sender.github("deployment", delivered(), delivery="2", secret="other")
    assert wrong.status_code == 401
    assert "X-Hub-Signature-256" in wrong.json()["error"]
    body = json.dumps(delivered()).encode()
    for signature in ("", "sha256=", "sha256=0", "sha1=" + "0" * 40):
        headers = {"x-github-event": "deployment", "x-hub-signature-256": signature}
        answer = sender.deliver("github", body, headers)
        assert answer.status_code == 401
    assert sender.deliver("gitlab", body, {}).status_code == 404
    assert kept(tmp_path) == 1


def test_a_delivery_that_comes_again_is_kept_once(sender: Sender, tmp_path: Path) -> None:
    """By its id; events that nothing is read from are counted and not kept."""
    assert sender.github("deployment", delivered(), delivery="1").json()["repeated"] is False
    assert sender.github("deployment", delivered(), delivery="1").json()["repeated"] is True
    unused = sender.github("star", {"action": "created"}, delivery="2")
    assert (unused.status_code, unused.json()["received"]) == (202, 0)
    assert "star.created" in unused.json()["unused"]
    assert sender.client.get("/health").json()["unused"] == {"github star.created": 1}
    unreadable = sender.github("deployment", delivered(created_at="2026-01-01"), delivery="3")
    assert unreadable.status_code in (202, 422)
    assert kept(tmp_path) <= 2


def test_records_belong_to_the_connection_that_pulls(connector: Push, tmp_path: Path) -> None:
    """Its ids, and what its settings leave out stays out."""
    options = GithubOptions(organisation="Acme", token=Secret(env="T"), exclude=("till",))
    owner = GithubConnector("github", options)
    with receiving(tmp_path, connector, {"github": owner}) as sender:
        sender.github("deployment", delivered(), delivery="1")
        for number, name in enumerate(("acme/till", "other/shop"), 2):
            payload = {
                **delivered(),
                "repository": {"full_name": name, "html_url": f"https://x/{name}"},
            }
            answer = sender.github("deployment", payload, delivery=str(number))
            assert "leave" in answer.json()["unused"]
    (row,) = rows(tmp_path)["deployment_attempt"]
    assert "github:deployment:7" in row
    assert "github.com/acme/shop" in row


def test_the_former_secret_holds_while_both_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a secret that is missing here is no fault of the sender: 503."""
    monkeypatch.setenv("NEW", "the-new-secret")
    monkeypatch.setenv("OLD", SECRET)
    webhook = {"vendor": "github", "secret": {"env": "NEW"}, "former_secret": {"env": "OLD"}}
    with receiving(tmp_path, push(webhooks=[webhook])) as sender:
        assert sender.github("deployment", delivered(), delivery="1").status_code == 202
        monkeypatch.delenv("NEW")
        missing = sender.github("deployment", delivered(), delivery="2")
        assert (missing.status_code, missing.headers["retry-after"]) == (503, "60")


def test_nothing_secret_is_logged(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    """A line a request, with the token's name and never the token, a signature or a body."""
    with caplog.at_level("INFO", logger="leadline.listen"):
        sender.send("deployments", deployment(actor="secret@example.com"))
        sender.send("deployments", deployment(), token="leadline_guess")
        sender.github("deployment", delivered(), delivery="1", secret="other-secret")
    assert len(caplog.messages) == 3
    text = "\n".join(caplog.messages)
    assert "202 /v1/deployments test-0" in text
    for secret in (sender.token, "leadline_guess", SECRET, "secret@example.com", "sha256="):
        assert secret not in text


def test_scopes_say_since_when_somebody_listens(sender: Sender, tmp_path: Path) -> None:
    """A stream that nothing came on has no scope: its silence is no answer."""
    before = utc_now()
    sender.send("incidents", {"id": "1", "title": "x", "created_at": moment(0)})
    with Landing(tmp_path / "landing.sqlite") as landing:
        (status,) = landing.status()
        assert (status["stream"], status["items"], status["failing"]) == ("incidents", 1, 0)
        assert str(status["coverage_from"]) >= before.isoformat()
        first = status["coverage_from"]
    time.sleep(0.01)
    sender.send("incidents", {"id": "1", "title": "x", "created_at": moment(0)})
    with Landing(tmp_path / "landing.sqlite") as landing:
        (status,) = landing.status()
        assert status["coverage_from"] == first
        assert str(status["last_success_at"]) > str(first)


def test_settings_say_who_may_listen(tmp_path: Path) -> None:
    """No push connection, two of them, two webhooks of one connection, a bare address."""
    with pytest.raises(SettingsError, match=r"\[connections.push\]"):
        push_connection(Settings())
    two = b'[connections.push]\n[connections.more]\nkind = "push"\n'
    with pytest.raises(SettingsError, match="keep one"):
        push_connection(parse(two, tmp_path / "leadline.toml"))
    webhook = b'[[connections.push.webhooks]]\nvendor = "github"\nsecret = { env = "S" }\n'
    with pytest.raises(SettingsError, match="two webhooks are of the connection github"):
        parse(webhook * 2, tmp_path / "leadline.toml")
    check_address("127.0.0.1", behind_proxy=False)
    check_address(BEYOND, behind_proxy=True)
    with pytest.raises(SettingsError, match="--behind-proxy"):
        check_address(BEYOND, behind_proxy=False)
