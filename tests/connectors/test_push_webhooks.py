"""Webhooks of GitLab, PagerDuty and Argo CD: proven, read, and joined with what a pull gives."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.argocd import Argocd
from connectors.connector import Line, Page
from connectors.gitlab import GitlabConnector
from connectors.gitlab_pipelines import STATES
from connectors.push import SCOPE, Push
from connectors.push_argocd import ArgocdWebhooks
from pipelines.batches import OpenBatch
from pipelines.landing import Landing
from tests.contract.worlds.push import APPLICATION, DEPLOYED, TRIGGERED
from tests.pushing import SECRET, Sender, moment, push, receiving, rows

PROJECT = {"web_url": "https://gitlab.com/Acme/Shop", "path_with_namespace": "Acme/Shop"}


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Push:
    """A push connection with a webhook of each."""
    monkeypatch.setenv("WEBHOOK", SECRET)
    vendors = ("gitlab", "argocd", "pagerduty")
    return push(webhooks=[{"vendor": each, "secret": {"env": "WEBHOOK"}} for each in vendors])


@pytest.fixture
def sender(tmp_path: Path, connector: Push) -> Iterator[Sender]:
    """Somebody who delivers."""
    with receiving(tmp_path, connector) as found:
        yield found


def merge_request(action: str, state: str, minute: int, **more: Any) -> dict[str, Any]:
    """GitLab's event of a merge request."""
    thing = {
        "id": 90,
        "iid": 4,
        "title": "PAY-7 Pay",
        "state": state,
        "action": action,
        "created_at": "2026-03-02 08:00:00 UTC",
        "updated_at": moment(minute),
        "source_branch": "pay",
        "target_branch": "main",
        "author_id": 3,
        **more,
    }
    return {
        "object_kind": "merge_request",
        "project": PROJECT,
        "object_attributes": thing,
        "user": {"id": 5},
        "labels": [{"title": "pay"}],
    }


def test_gitlab_s_merge_request_is_merged_when_its_event_says_so(
    sender: Sender, tmp_path: Path
) -> None:
    """In any order; a label set after the merge says nothing of when it was merged."""
    merged = merge_request("merge", "merged", 9, merge_commit_sha="ab" * 20)
    later = sender.gitlab(merge_request("update", "merged", 30))
    assert (later.status_code, later.json()["received"]) == (202, 0)
    for event in (merged, merge_request("open", "opened", 0), merge_request("update", "opened", 5)):
        assert sender.gitlab(event).json() == {"received": 1, "repeated": False}
    assert sender.gitlab(merged).json()["repeated"] is True
    (row,) = rows(tmp_path)["change_request"]
    for part in ("gitlab:merge_request:90", "gitlab.com/acme/shop", "ab" * 20, "PAY-7"):
        assert part in row
    assert "gitlab:account:3" in row
    assert "gitlab:account:5" in row


def test_gitlab_s_deployment_and_pipeline_come_to_their_end(sender: Sender, tmp_path: Path) -> None:
    """The end before the begin; times in GitLab's own spelling; a pipeline of one second."""
    ended = {**DEPLOYED, "status": "success", "status_changed_at": "2026-03-02 09:05:00 +0100"}
    for event in (ended, DEPLOYED, {**DEPLOYED, "status": "created"}):
        assert sender.gitlab(event).status_code == 202
    for status in ("success", "running", "pending"):
        thing = {"id": 8, "status": status, "sha": "c" * 40, "created_at": moment(0)}
        if status == "success":
            thing["finished_at"] = moment(0)
        event = {"object_kind": "pipeline", "project": PROJECT, "object_attributes": thing}
        assert sender.gitlab(event).json()["received"] == 1
    found = rows(tmp_path)
    (attempt,) = found["deployment_attempt"]
    assert "gitlab:deployment:15" in attempt
    assert f"{7:040x}" in attempt
    assert "europe (production)" in attempt
    states = sorted(state for row in found["deployment_status"] for state in _states(row))
    assert states == ["running", "succeeded"]
    (run,) = found["pipeline_run"]
    assert "gitlab:pipeline:8" in run
    assert "'succeeded'" in run


def _states(row: str) -> set[str]:
    return {state for state in ("running", "succeeded", "failed") if f"'{state}'" in row}


def test_gitlab_s_pipelines_are_in_the_states_that_a_pull_tells(
    sender: Sender, tmp_path: Path
) -> None:
    """One that is being cancelled still runs; one that waits has not begun."""
    for number, status in enumerate(STATES):
        thing = {"id": number, "status": status, "sha": "c" * 40, "created_at": moment(0)}
        event = {"object_kind": "pipeline", "project": PROJECT, "object_attributes": thing}
        assert sender.gitlab(event).json()["received"] == 1
    found = rows(tmp_path)["pipeline_run"]
    for number, state in enumerate(STATES.values()):
        (run,) = (row for row in found if f"'gitlab:pipeline:{number}'" in row)
        assert f"'{state}'" in run


def test_secrets_that_are_sent_as_they_are(sender: Sender) -> None:
    """Another one, none, or a part of it is refused."""
    for secret in ("x", "wrong", SECRET[:-1], SECRET + "x"):
        assert sender.gitlab(DEPLOYED, secret=secret).status_code == 401
        assert sender.argocd(APPLICATION, secret=secret).status_code == 401
    assert sender.gitlab({"object_kind": "wiki_page"}).json()["received"] == 0
    assert sender.argocd().json()["received"] == 0


def test_pagerduty_s_incident_in_any_order(sender: Sender, tmp_path: Path) -> None:
    """Taken and resolved before it was opened; sent again; signed with two secrets or others."""
    opened = TRIGGERED["event"]

    def step(kind: str, minute: int, status: str) -> dict[str, Any]:
        data = {**opened["data"], "status": status}
        event = {"id": kind, "event_type": f"incident.{kind}", "occurred_at": moment(minute)}
        return {"event": {**event, "data": data}}

    resolved = step("resolved", 40, "resolved")
    for payload in (resolved, step("acknowledged", 12, "acknowledged"), TRIGGERED):
        assert sender.pagerduty(payload).json() == {"received": 1, "repeated": False}
    assert sender.pagerduty(resolved, "another", SECRET).json()["repeated"] is True
    assert sender.pagerduty(TRIGGERED, "another", "more").status_code == 401
    unsigned = sender.deliver("pagerduty", b"{}", {"x-pagerduty-signature": "v0=1,v1="})
    assert unsigned.status_code == 401
    note = step("annotated", 50, "resolved")
    assert sender.pagerduty(note).json()["received"] == 0
    (row,) = rows(tmp_path)["incident"]
    assert "pagerduty:incident:PGR0VU2" in row
    assert "'resolved'" in row
    assert "8, 40, tzinfo" in row


def test_argo_cd_s_syncs_are_those_of_a_pull(connector: Push, tmp_path: Path) -> None:
    """The same application pulled and sent: each sync once, under one id, with one state."""
    options = {"base_url": "https://cd.example.com", "token": {"env": "WEBHOOK"}}
    owner = Argocd("argocd", Argocd.options_type.model_validate(options))
    with receiving(tmp_path, connector, {"argocd": owner}) as sender:
        assert sender.argocd(APPLICATION).json()["received"] == 1
    sent = rows(tmp_path)
    (stream,) = owner.streams()
    scope = next(iter(owner.scopes(stream)))
    at = datetime.fromisoformat(moment(0)) + timedelta(days=1)
    with Landing(tmp_path / "landing.sqlite") as landing:
        landing.remember("argocd", "argocd", owner.options.model_dump_json())
        batch = OpenBatch("argocd", stream.name, at)
        body = json.dumps({"items": [APPLICATION]}).encode()
        batch.add(scope, Page("https://cd.example.com/api/v1/applications", at, body, items=1))
        landing.commit(batch, at)
    pulled = rows(tmp_path)
    for table in ("deployment_attempt", "deployment_status"):
        assert len(sent[table]) == len(pulled[table]) == 2
        assert [_bare(row) for row in sent[table]] == [_bare(row) for row in pulled[table]]
    states = sorted(state for row in sent["deployment_status"] for state in _states(row))
    assert states == ["failed", "succeeded"]


def _bare(row: str) -> str:
    """A row without the connection, stream and scope that it came by."""
    for name in ("'argocd', 'applications', '*/*'", "'push', 'argocd_webhooks', 'argocd'"):
        row = row.replace(name, "…")
    return row


def test_applications_without_a_connection_are_read_too() -> None:
    """Nothing is known of its settings then; names stand as they are."""
    line = Line(
        connection="push",
        scope=SCOPE.id,
        attributes={"connection": "argocd", "event": "Failed"},
        url="/webhooks/argocd#1",
        requested_at=datetime.fromisoformat(moment(9)),
        body=json.dumps({"items": [APPLICATION]}).encode(),
    )
    parsed = ArgocdWebhooks().parse(line)
    assert len(parsed.rejects) == 0
    assert sum(parsed.seen.values()) >= 4


def test_projects_that_the_settings_leave_out_are_left_out() -> None:
    """By group or by name, and by the patterns."""
    options: dict[str, Any] = {
        "token": {"env": "T"},
        "groups": ["acme"],
        "projects": ["other/shop"],
    }
    options["exclude"] = ["till"]
    found = GitlabConnector("gitlab", GitlabConnector.options_type.model_validate(options))
    taken = {
        name: found.takes(name)
        for name in ("Acme/Shop", "acme/sub/shop", "other/shop", "other/x", "acme/till", "acmes/x")
    }
    assert [name for name, is_taken in taken.items() if is_taken] == [
        "Acme/Shop",
        "acme/sub/shop",
        "other/shop",
    ]
