"""The rules of the landing store, each by name."""

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from connectors.connector import Page, Scope, State
from pipelines.batches import OpenBatch, ScopeStatus
from pipelines.landing import Landing, LandingError
from tests.pipelines.scripted import START, Children, Options, Repositories, Scripted, World, item


def test_a_body_is_kept_byte_for_byte(tmp_path: Path) -> None:
    """NUL bytes, newlines and invalid UTF-8 come back exactly as received."""
    body = b'\x00\xff\n{"half": \n'
    batch = OpenBatch("c", "s", START)
    batch.add(Scope("one", {"ä": "ß"}), Page("https://x.test/", START, body))
    batch.add(Scope("two"), Page("https://x.test/2", START, b""))
    with Landing(tmp_path / "landing.sqlite") as landing:
        landing.commit(batch, START)
        lines = [line for kept in landing.batches() for _, line in landing.lines(kept)]
    assert [line.body for line in lines] == [body, b""]
    assert lines[0].attributes == {"ä": "ß"}


def test_blob_and_states_commit_together(tmp_path: Path) -> None:
    """When the states cannot be written, the blob is not kept either."""
    batch = OpenBatch("c", "s", START)
    batch.add(Scope("one"), Page("https://x.test/", START, b"x"))
    # A strict table refuses bytes where text belongs.
    refused = State.model_construct(cursor=cast("str", b"\x00"))
    batch.scopes["one"] = ScopeStatus(Scope("one"), refused)
    with Landing(tmp_path / "landing.sqlite") as landing:
        with pytest.raises(sqlite3.Error):
            landing.commit(batch, START)
        assert landing.batches() == []
        assert landing.scopes("c", "s") == []


def test_a_pull_that_finds_nothing_still_commits_its_state(world: World) -> None:
    """The pass is complete although no page came."""
    world.sync()
    (status,) = world.landing.scopes("test", "requests")
    assert status.last_success_at == START
    assert world.landing.batches() == []


def test_a_batch_closes_at_five_thousand_items(world: World) -> None:
    """Large pulls are kept in several batches, so that a crash repeats little."""
    for _ in range(3):
        world.script.page("one", *[item(i) for i in range(2600)])
    result = world.sync()
    assert result.batches == 2


def test_a_batch_closes_after_thirty_seconds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow source does not keep an open batch for long."""
    world.script.page("one", item(1))
    world.script.page("one", item(2))
    moments = iter(START + timedelta(seconds=20 * n) for n in range(100))
    monkeypatch.setattr(world, "clock", lambda: next(moments))
    assert world.sync().batches == 2


def test_the_mark_moves_only_with_the_page_that_is_kept(world: World) -> None:
    """A page error stops the mark at the last page before it; that page stays."""
    world.script.page("one", item(1), cursor="1")
    world.script.page("one", fail="https://source.test/?page=1: not JSON")
    world.script.page("one", item(3), cursor="3")
    result = world.sync()
    (status,) = world.landing.scopes("test", "requests")
    assert status.state.cursor == "1"
    assert status.last_error == "https://source.test/?page=1: not JSON"
    assert status.last_success_at is None
    assert result.errors == ["test.requests: https://source.test/?page=1: not JSON"]
    assert len(world.landing.batches()) == 1


def test_an_unfinished_pass_goes_on_where_it_stopped(world: World) -> None:
    """After an error the next pull starts from the state of the last kept page."""
    world.script.page("one", item(1), cursor="1")
    world.script.page("one", fail="boom")
    world.sync()
    world.script.again()
    world.clock.advance(minutes=1)
    world.sync()
    assert [state.cursor for _, state in world.script.asked] == [None, "1"]
    (status,) = world.landing.scopes("test", "requests")
    assert status.last_full_at == START
    assert status.last_error is None


def test_one_failing_scope_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each scope stands for itself."""
    monkeypatch.setattr(Scripted, "root_scopes", ("bad", "good"))
    world.script.page("bad", fail="boom")
    world.script.page("good", item(1), cursor="1")
    world.sync()
    cursors = {s.scope.id: s.state.cursor for s in world.landing.scopes("test", "requests")}
    assert cursors == {"bad": None, "good": "1"}


def test_a_changed_filter_starts_a_full_pass(world: World) -> None:
    """What was asked for changed, so the mark means nothing any more."""
    world.script.page("one", item(1), cursor="1")
    world.sync()
    world.connector.options = Options(filter="other")
    world.sync()
    assert [state.cursor for _, state in world.script.asked] == [None, None]


def test_concurrency_is_no_filter(world: World) -> None:
    """Settings that do not change what is asked for keep the mark."""
    world.script.page("one", item(1), cursor="1")
    world.sync()
    world.connector.options = Options(concurrency=9)
    world.sync()
    assert [state.cursor for _, state in world.script.asked] == [None, "1"]


def test_a_full_pass_is_due_after_a_day(world: World) -> None:
    """What an incremental pull cannot see is found by the daily pass."""
    world.script.page("one", item(1), cursor="1")
    world.sync()
    world.clock.advance(hours=23)
    world.sync()
    world.clock.advance(hours=1)
    world.sync()
    assert [state.cursor for _, state in world.script.asked] == [None, "1", None]


def test_only_one_process_pulls_a_connection(world: World) -> None:
    """The second one is told who holds it; another connection is free."""
    with (
        world.landing.puller("test", START),
        pytest.raises(LandingError, match=f"test is being pulled by process {os.getpid()}"),
    ):
        world.sync()
    with world.landing.puller("other", START):
        world.sync()


def test_a_dead_puller_is_replaced(world: World) -> None:
    """A process that is gone holds nothing."""
    script = (
        "import sys, os\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from pipelines.landing import Landing\n"
        "landing = Landing(Path(sys.argv[1]))\n"
        "held = landing.puller('test', datetime.now(UTC))\n"
        "held.__enter__()\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(world.landing.path)], check=False)
    assert world.landing._rows("select count(*) from puller") == [(1,)]
    world.sync()
    assert world.landing._rows("select count(*) from puller") == [(0,)]


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    """An older Leadline does not touch what a newer one wrote."""
    path = tmp_path / "landing.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(LandingError, match="newer Leadline"):
        Landing(path)


def test_children_get_their_scopes_from_the_records_of_their_parent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository that is seen is pulled; one that a full pass does not show is not."""
    monkeypatch.setattr(Scripted, "stream_types", (Repositories, Children))
    world.script.page("one", item(1, "a"), item(2, "b"))
    world.sync()
    children = {
        s.scope.id: dict(s.scope.attributes) for s in world.landing.scopes("test", "children")
    }
    assert children == {
        "test:repository:1": {"name": "a"},
        "test:repository:2": {"name": "b"},
    }
    world.script.again()
    world.clock.advance(hours=1)
    world.script.page("one", item(2, "renamed"))
    world.sync(full=True)
    (status,) = world.landing.scopes("test", "children")
    assert (status.scope.id, status.scope.attributes["name"]) == ("test:repository:2", "renamed")


def test_a_body_not_modified_is_read_again_as_it_was_then(world: World) -> None:
    """A 304 counts as a sighting of the body before it, not of a later one."""
    world.script.page("one", item(1, "old"), url="https://x.test/list")
    world.sync()
    world.script.again()
    world.clock.advance(hours=1)
    world.script.page("one", url="https://x.test/list", not_modified=True)
    world.sync()
    world.script.again()
    world.clock.advance(hours=1)
    world.script.page("one", item(1, "new"), url="https://x.test/list")
    world.sync()
    bodies = [line for kept in world.landing.batches() for _, line in world.landing.lines(kept)]
    assert [b"old" in line.body for line in bodies] == [True, True, False]
    assert bodies[1].requested_at == START + timedelta(hours=1)


def test_times_are_kept_in_utc(world: World) -> None:
    """Status times come back as they went in."""
    world.sync()
    (status,) = world.landing.scopes("test", "requests")
    assert status.last_success_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
