"""The rules of loading records, each by name."""

from datetime import timedelta

import duckdb
import pytest

from connectors.records import RECORDS
from pipelines.load import LoadError
from tests.pipelines.scripted import START, Requests, World, item

TITLES = "select number, title, deleted_at is not null from change_request order by number"


def test_twice_loaded_is_once_loaded(world: World) -> None:
    """Loading is exactly once: a second load finds nothing to do."""
    world.script.page("one", item(1), item(2))
    world.sync()
    assert world.load().batches == 1
    before = world.rows("select * from change_request order by number")
    assert world.load().batches == 0
    assert world.rows("select * from change_request order by number") == before


def test_the_newest_version_wins_whatever_the_order_of_arrival(world: World) -> None:
    """A stale replica that answers late does not bring the old state back."""
    world.pull(item(1, "new", updated=START + timedelta(minutes=30)))
    world.pull(item(1, "newer", updated=START + timedelta(minutes=40)))
    world.pull(item(1, "stale", updated=START))
    assert world.rows(TITLES) == [(1, "newer", False)]


def test_a_time_from_the_future_does_not_win_for_ever(world: World) -> None:
    """A version is no newer than the request that saw it."""
    world.pull(item(1, "from the future", updated=START + timedelta(days=4000)))
    world.pull(item(1, "now", updated=START + timedelta(days=3999)))
    assert world.rows(TITLES) == [(1, "now", False)]


def test_a_key_twice_in_one_batch_is_one_row(world: World) -> None:
    """Pages that drift show an item twice; it stays one row."""
    world.script.page("one", item(1, "first"))
    world.script.page("one", item(1, "second", updated=START + timedelta(seconds=1)))
    world.clock.advance(minutes=1)
    world.sync()
    world.load()
    assert world.rows(TITLES) == [(1, "second", False)]


def test_a_set_is_replaced_as_a_whole(world: World) -> None:
    """A review that vanished from the newest set is gone; an empty set empties."""
    reviewers = "select reviewer from review order by reviewer"
    world.pull(item(1, reviews=["ann", "bob"]))
    world.pull(item(1, reviews=["bob", "cid"], updated=START + timedelta(minutes=5)))
    assert world.rows(reviewers) == [("bob",), ("cid",)]
    world.pull(item(1, reviews=[], updated=START + timedelta(minutes=6)))
    assert world.rows(reviewers) == []


def test_a_stale_set_does_not_replace_a_newer_one(world: World) -> None:
    """Sets are ordered as their parents are."""
    world.clock.advance(hours=1)
    world.pull(item(1, reviews=["new"], updated=START + timedelta(minutes=5)))
    world.pull(item(1, reviews=["old"], updated=START))
    assert world.rows("select reviewer from review") == [("new",)]


def test_overflow_pages_complete_the_set_of_their_parent(world: World) -> None:
    """The pages of one set belong together, also when they are loaded one after the other."""
    world.script.page("one", item(1, reviews=["a", "b"]))
    world.script.page("one", item(1, reviews=["c"]), overflow=True)
    world.sync()
    world.load()
    assert world.rows("select reviewer from review order by 1") == [("a",), ("b",), ("c",)]


def test_rejects_are_counted_and_told(world: World) -> None:
    """Seen is read plus rejected, and the reject says where it stood."""
    result = world.pull(item(1), item(2, "broken"))
    assert (result.rows["change_request"], result.rejected["change_request"]) == (1, 1)
    assert world.rows("select table_name, path, problem from reject") == [
        ("change_request", "items[1].title", "cannot be read")
    ]
    counts = "select seen, rows, rejected from load_count where table_name = 'change_request'"
    assert world.rows(counts) == [(2, 1, 1)]


def test_a_parser_that_loses_an_item_stops_the_load(world: World) -> None:
    """Nothing is dropped silently, and nothing of the batch is kept."""
    world.script.page("one", item(1), item(2, "lost"))
    world.sync()
    with pytest.raises(LoadError, match="saw 2 items for change_request"):
        world.load()
    assert world.rows("select * from loaded_batch") == []


def test_a_page_that_cannot_be_read_is_a_reject_of_its_own(world: World) -> None:
    """The rest of the batch is loaded."""
    world.script.page("one", item(1))
    world.script.page("one", unreadable=True)
    world.sync()
    world.load()
    assert world.rows("select table_name, problem from reject") == [
        ("page", "items: expected a list")
    ]
    assert len(world.rows(TITLES)) == 1


def test_a_row_absent_from_two_full_passes_is_deleted(world: World) -> None:
    """One absence may be an accident; two in a row are a deletion."""
    world.pull(item(1), item(2))
    world.pull(item(1), full=True)
    assert world.rows(TITLES)[1] == (2, "change 2", False)
    world.pull(item(1), full=True)
    assert world.rows(TITLES)[1] == (2, "change 2", True)


def test_a_later_sighting_undeletes(world: World) -> None:
    """What comes back is there again."""
    for items in ([item(1), item(2)], [item(1)], [item(1)]):
        world.pull(*items, full=True)
    world.pull(item(2))
    assert world.rows(TITLES)[1] == (2, "change 2", False)


def test_a_pass_with_a_page_error_deletes_nothing(world: World) -> None:
    """An incomplete pass proves no absence."""
    world.pull(item(1), item(2))
    world.pull(item(1), full=True)
    world.script.again()
    world.script.page("one", item(1))
    world.script.page("one", fail="HTTP 404")
    world.sync(full=True)
    world.load()
    assert world.rows(TITLES)[1] == (2, "change 2", False)


def test_rows_sighted_after_the_pass_began_stay(world: World) -> None:
    """An incremental sighting between two full passes counts."""
    world.pull(item(1), item(2))
    world.pull(item(1), full=True)
    world.pull(item(2))
    world.pull(item(1), full=True)
    assert world.rows(TITLES)[1] == (2, "change 2", False)


def test_many_deletions_at_once_are_held_until_confirmed(world: World) -> None:
    """More than a fifth and more than ten rows look like a mistake of the source."""
    everything = [item(n) for n in range(50)]
    world.pull(*everything)
    world.pull(*everything[:30], full=True)
    result = world.pull(*everything[:30], full=True)
    assert [(held.table, held.rows, held.total) for held in result.held] == [
        ("change_request", 20, 50)
    ]
    alive = "select count(*) from change_request where deleted_at is null"
    assert world.rows(alive) == [(50,)]
    world.landing.confirm_deletions("test", world.clock.at)
    assert world.load().deleted["change_request"] == 20
    assert world.rows(alive) == [(30,)]


def test_ten_rows_are_not_held(world: World) -> None:
    """Small deletions are ordinary, whatever their share."""
    everything = [item(n) for n in range(12)]
    world.pull(*everything)
    world.pull(*everything[:2], full=True)
    assert world.pull(*everything[:2], full=True).deleted["change_request"] == 10


def test_a_vendor_that_says_so_deletes_at_once(world: World) -> None:
    """No second pass is needed when the source itself declares an id gone."""
    world.pull(item(1))
    world.pull(item(1, "gone"))
    assert world.rows(TITLES) == [(1, "change 1", True)]


def test_a_new_parser_reads_its_batches_again_without_the_network(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was received is enough to read it differently."""
    world.pull(item(1), item(2, "broken"))
    asked = len(world.script.asked)
    monkeypatch.setattr(Requests, "parser_version", 2)
    result = world.load()
    assert (result.batches, len(world.script.asked)) == (1, asked)
    assert world.rows("select count(*) from reject") == [(1,)]
    assert world.rows("select parser_version from loaded_batch") == [(2,)]


def test_a_rebuild_from_landing_equals_the_first(world: World) -> None:
    """The records are a function of what was received."""
    for number, items in enumerate(
        ([item(1), item(2, reviews=["a"]), item(3)], [item(1), item(2, "x")], [item(1)], [item(1)])
    ):
        world.pull(*items, full=number > 0)
    tables = [record_type.table for record_type in RECORDS]
    before = {table: world.rows(f'select * from "{table}" order by all') for table in tables}
    world.records.unlink()
    world.load()
    after = {table: world.rows(f'select * from "{table}" order by all') for table in tables}
    assert after == before
    assert before["change_request"]


def test_another_layout_of_the_records_is_rebuilt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new column needs no migration."""
    world.pull(item(1))
    monkeypatch.setattr("pipelines.merge.LAYOUT", 99)
    assert world.load().batches == 1
    assert len(world.rows(TITLES)) == 1


def test_a_records_file_appears_whole_or_not_at_all(world: World) -> None:
    """Whatever a killed first load left beside it, the next one begins with a file of its own."""
    for name in ("records.fresh", "records.fresh.wal"):
        (world.folder / name).write_bytes(b"half a file")
    with duckdb.connect(str(world.records)):
        pass  # a file in which nothing was made
    world.pull(item(1))
    assert world.rows(TITLES) == [(1, "change 1", False)]
    assert not list(world.folder.glob("records.fresh*"))
