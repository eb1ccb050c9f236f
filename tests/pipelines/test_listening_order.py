"""Whatever the order of what is sent, however often, the rows are the same."""

import json
import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.connector import Page, Scope
from connectors.github_options import GithubOptions
from connectors.push import SCOPE
from connectors.push_webhooks import Delivery, spoken_at
from connectors.secret import Secret
from pipelines.batches import OpenBatch
from pipelines.landing import Landing
from pipelines.load import load
from tests.e2e.comparison import Tables, differing
from tests.pushing import SECRET, Sender, deployment, moment, push, receiving, rows

PLACE = {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"}
AT = datetime.fromisoformat(moment(0))


def sent(chance: random.Random) -> Iterator[tuple[str, ...]]:
    """Things sent as JSON, each several times, each time newer; with or without a key."""
    for number in range(3):
        for version in range(3):
            body = deployment(
                number,
                environment=chance.choice(["production", "staging"]),
                updated_at=moment(version),
                **({"finished_at": moment(version)} if version else {}),
            )
            yield "deployments", json.dumps(body), f"d{number}-{version}"
            incident = {"id": str(number), "title": f"v{version}", "created_at": moment(version)}
            yield "incidents", json.dumps(incident), f"i{number}-{version}"
            moves = [{"at": moment(m), "to_value": f"s{m}"} for m in range(version)]
            ticket = {
                "id": str(number),
                "key": f"OPS-{number}",
                "project": "OPS",
                "title": "t",
                "created_at": moment(0),
                "updated_at": moment(version),
                "transitions": moves,
            }
            yield "tickets", json.dumps(ticket), f"t{number}-{version}"


def delivered(chance: random.Random) -> Iterator[tuple[str, ...]]:
    """GitHub's events, several of one second among them."""
    for number in range(2):
        for version in range(4):
            second = moment(version // 2)
            pull = {
                "id": number,
                "number": number,
                "created_at": moment(0),
                "updated_at": second,
                "title": f"title {chance.random()}",
                "user": {"login": "ada", "type": "User"},
            }
            yield "pull_request", json.dumps(_event("edited", pull_request=pull))
            review = {
                "id": number * 10 + version // 2,
                "state": chance.choice(["approved", "dismissed"]),
            }
            review["submitted_at"] = moment(0)
            yield "pull_request_review", json.dumps(_event("x", pull_request=pull, review=review))
            state = ["queued", "in_progress", "success", "inactive"][version]
            status = {"id": version, "node_id": f"S{version}", "state": state, "created_at": second}
            made = {"id": number, "created_at": moment(0), "updated_at": second}
            event = _event("created", deployment=made, deployment_status=status)
            yield "deployment_status", json.dumps(event)
            action = ["requested", "in_progress", "completed", "completed"][version]
            run = {"id": number, "status": action, "updated_at": second, "created_at": moment(0)}
            run["conclusion"] = "success" if action == "completed" else None
            yield "workflow_run", json.dumps(_event(action, workflow_run=run))
            issue = {"id": number, "number": 1, "created_at": moment(0), "updated_at": second}
            gone = number == 1 and version == 1
            yield "issues", json.dumps(_event("deleted" if gone else "edited", issue=issue))


def _event(action: str, **things: Any) -> dict[str, Any]:
    return {"action": action, "repository": PLACE, **things}


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_repetition_gives_the_same_rows(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order and once, against shuffled, repeated, and over two starts of the server."""
    monkeypatch.setenv("GITHUB_WEBHOOK", SECRET)
    options = {"webhooks": [{"vendor": "github", "secret": {"env": "GITHUB_WEBHOOK"}}]}
    chance = random.Random(seed)
    things = [*sent(chance), *delivered(chance)]
    _send(tmp_path / "once", options, things)
    mixed = things + chance.sample(things, len(things) // 2)
    chance.shuffle(mixed)
    _send(tmp_path / "mixed", options, mixed[: len(mixed) // 2])
    _send(tmp_path / "mixed", options, mixed[len(mixed) // 2 :])
    expected = _without_time_of_deletion(rows(tmp_path / "once"))
    assert len(expected["deployment_status"]) == 3 * 2 * 3 + 2 * 4
    assert len(expected["review"]) == 4
    assert "'succeeded'" in str(expected["pipeline_run"])
    found = _without_time_of_deletion(rows(tmp_path / "mixed"))
    assert differing(expected, found) == {}


def _without_time_of_deletion(tables: Tables) -> Tables:
    """A source says that something is gone, not when: it is gone since that arrived."""
    pattern = re.compile(r"datetime\.datetime\((?:[^()]|\([^()]*\))*\)\)$")
    return {name: [pattern.sub("gone)", row) for row in found] for name, found in tables.items()}


def _send(folder: Path, options: dict[str, Any], things: list[tuple[str, ...]]) -> None:
    with receiving(folder, push(**options)) as sender:
        for thing in things:
            answer = _answer(sender, thing)
            assert answer == 202, thing


def _answer(sender: Sender, thing: tuple[str, ...]) -> int:
    if len(thing) == 3:
        path, body, key = thing
        return sender.send(path, body.encode(), idempotency_key=key).status_code
    event, body = thing
    delivery = f"{event}-{hash(body)}"
    return sender.github(event, json.loads(body), delivery=delivery).status_code


def _whole(seconds: int, *states: str) -> tuple[str, str, datetime, bytes]:
    """A pull's page of all statuses of deployment 7, asked for at that second."""
    statuses = [
        {"id": n, "node_id": f"S{n}", "state": state, "created_at": moment(0)}
        for n, state in enumerate(states)
    ]
    body = json.dumps(statuses).encode()
    return "github", "deployments", AT + timedelta(seconds=seconds), body


def _part(seconds: int, number: int, state: str) -> tuple[str, str, datetime, bytes]:
    """A webhook's page of one status of it, said at that second."""
    status = {"id": number, "node_id": f"S{number}", "state": state, "created_at": moment(0)}
    made = {"id": 7, "created_at": moment(0), "updated_at": moment(0)}
    event = _event("created", deployment=made, deployment_status=status)
    return "push", "github_webhooks", AT + timedelta(seconds=seconds), json.dumps(event).encode()


PAGES = (
    _whole(10, "queued", "failure"),
    _whole(20, "queued", "in_progress"),
    _part(5, 3, "error"),  # older than both whole sets: they would hold it
    _part(15, 1, "success"),  # the older set's row, but the newer set says otherwise
    _part(25, 1, "success"),
    _part(30, 2, "inactive"),
)


@pytest.mark.parametrize("order", [*permutations(range(len(PAGES)))][::101])
def test_parts_stand_beside_the_newest_whole_set(order: tuple[int, ...], tmp_path: Path) -> None:
    """In whatever order pulls and webhooks are loaded, at once or one after the other."""
    found = []
    with Landing(tmp_path / "landing.sqlite") as landing:
        options = GithubOptions(organisation="acme", token=Secret(env="TOKEN"))
        landing.remember("github", "github", options.model_dump_json())
        landing.remember("push", "push", "{}")
        for position, index in enumerate(order):
            connection, stream, at, body = PAGES[index]
            batch = OpenBatch(connection, stream, at)
            url = "https://api.github.com/repos/acme/shop/deployments/7/statuses"
            attributes = {"connection": "github", "event": "deployment_status.created"}
            attributes["repository_key"] = "github.com/acme/shop"
            page = Page(url, at, body, items=1, attributes=attributes)
            batch.add(Scope("1") if connection == "github" else SCOPE, page)
            landing.commit(batch, at)
            if position in (2, len(order) - 1):
                load(landing, tmp_path / "records.duckdb", temporary=tmp_path / "tmp")
    with duckdb.connect(str(tmp_path / "records.duckdb"), read_only=True) as records:
        found = records.execute(
            "select status_id, state from deployment_status order by status_id"
        ).fetchall()
    assert found == [("S0", "queued"), ("S1", "succeeded"), ("S2", "inactive")]


def test_a_source_never_speaks_after_its_delivery() -> None:
    """Whole seconds are spread by rank and content; a clock that is ahead is held to arrival."""
    early = AT + timedelta(minutes=1)
    said = [
        spoken_at(Delivery("x", None, AT, rank), early, body)
        for rank in (0, 1, 2)
        for body in (b"a", b"b")
    ]
    assert len(set(said)) == 6
    assert max(said[:2]) < min(said[2:4])
    assert max(said[2:4]) < min(said[4:])
    assert AT < min(said) <= max(said) < AT + timedelta(seconds=1)
    assert spoken_at(Delivery("x", None, early + timedelta(hours=1)), early, b"") == early
    assert spoken_at(Delivery("x", None, None), early, b"") == early
    exact = AT + timedelta(microseconds=5)
    assert spoken_at(Delivery("x", None, exact, 2), early, b"") == exact
