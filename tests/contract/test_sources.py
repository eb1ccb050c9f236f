"""What every connector owes the pipeline while its source fails, moves, renames and forgets.

Nothing here names a kind; what only a kind knows stands in its world, or why it has no such thing.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from connectors.connector import kinds
from sandbox.faults import Fault, Rule
from tests.contract.rig import API, PULLED, Rig, Row, Rows
from tests.contract.worlds.world import Unshown
from tests.e2e.comparison import differing

pulled_only = pytest.mark.parametrize("rig", PULLED, indirect=True)
SPOILED = (
    Fault.TOO_MANY_REQUESTS,
    Fault.UNAVAILABLE,
    Fault.RESET,
    Fault.TRUNCATED,
    Fault.MALFORMED_JSON,
)


def test_two_pulls_give_the_same_rows(rig: Rig) -> None:
    """Pulled by two connections, and pulled again by one, a source gives the same records."""
    expected = rig.first
    assert sum(map(len, expected.values())) > 0
    assert rig.pull("second").errors == []
    assert differing(expected, rig.rows("second")) == {}
    assert rig.pull("second").errors == []
    assert differing(expected, rig.rows("second")) == {}


@pulled_only
@pytest.mark.parametrize("survived", [1, 4])
def test_a_pull_that_is_killed_goes_on(rig: Rig, survived: int) -> None:
    """Killed between two pages, the next pull ends with the same rows."""
    name = f"killed after {survived}"
    with killed_after(survived) as progress:
        rig.pull(name, progress=progress)
    assert rig.pull(name).errors == []
    assert differing(rig.first, rig.rows(name)) == {}


@pulled_only
def test_other_options_start_a_full_pass(rig: Rig) -> None:
    """What is asked for has changed, so all of it is asked for again."""
    rig.go_on_from_first("changed")
    before = rig.passes("changed")
    rig.pull("changed")
    assert rig.passes("changed") == before
    other = kinds()[rig.kind]
    options = other.options_type.model_validate(rig.world.narrowed)
    assert rig.pull("changed", other("source", options)).errors == []
    after = rig.passes("changed")
    assert {scope: len(times) for scope, times in after.items() if scope in before} == {
        scope: len(times) + 1 for scope, times in before.items()
    }


def test_what_is_spoiled_on_the_way_is_asked_for_again(rig: Rig) -> None:
    """Limits, failing servers and broken answers change no row; every HTTP source is spoiled."""
    faults = rig.world.faults
    assert (faults is not None) == (rig.connector().client() is not None)
    if faults is None:
        return
    faults.set(*(Rule(fault=fault, path=API, at_most=1) for fault in SPOILED))
    try:
        assert rig.pull("spoiled").errors == []
        assert {hit.fault for hit in faults.hits} == set(SPOILED)
    finally:
        faults.clear()
    assert differing(rig.first, rig.rows("spoiled")) == {}


def test_a_redirect_to_another_host_is_told_and_not_followed(rig: Rig) -> None:
    """Nothing is read from there, and no credential gets there, in whatever header it travels."""
    if rig.world.faults is None:
        return
    with rig.elsewhere() as elsewhere:
        result = rig.pull("elsewhere")
    assert elsewhere.asked == []
    assert result.items == 0
    assert any("base_url" in error for error in result.errors), result.errors


class Killed(BaseException):
    """The end of a process, as far as a test in the same process can have it."""


@contextmanager
def killed_after(pages: int) -> Iterator[Any]:
    """A progress that does not survive so many pages; a shorter pull ends by itself."""
    left = pages

    def progress(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    try:
        yield progress
    except Killed:
        return


def test_a_source_that_moves_on_is_read_to_its_end(rig: Rig) -> None:
    """Begun weeks before the end, read while it moves, then again: the rows of the end."""
    moving = rig.world.moving
    if isinstance(moving, Unshown):
        assert moving.reason
        return
    clock, faults = moving.clock, rig.world.faults
    end = clock.visible_until
    more: dict[str, Any] = {"full_pass_hours": 100_000, "now": lambda: clock.visible_until}
    try:
        clock.visible_until = end - timedelta(days=24)
        if faults is not None:
            hours = timedelta(hours=4).total_seconds()
            faults.set(Rule(fault=Fault.DRIFT, path=API, seconds=hours, at_most=100))
        assert rig.pull("moving", **more).errors == []
        assert clock.visible_until > end - timedelta(days=24)
    finally:
        clock.visible_until = end
        if faults is not None:
            faults.clear()
    assert rig.pull("moving", **more).errors == []
    expected, found = (
        {row: told for row, told in alive.items() if row[0] not in moving.still}
        for alive in (rig.first_alive, rig.alive("moving"))
    )
    assert _changed(_with_known(expected, found, moving.remembered), found) == {}
    assert {row[0] for row in found.keys() - expected.keys()} <= moving.remembered


def test_what_is_renamed_stays_what_it_is(rig: Rig) -> None:
    """The row has the new name, nothing stands there twice, and nothing that hangs on it goes."""
    renamed = rig.world.renamed
    if isinstance(renamed, Unshown):
        assert renamed.reason
        return
    rig.go_on_from_first("renamed")
    before, names = rig.first_alive, dict(rig.ask("renamed", renamed.names))
    with renamed.change():
        assert rig.pull("renamed", full=True).errors == []
    after, others = rig.alive("renamed"), dict(rig.ask("renamed", renamed.names))
    assert names.keys() == others.keys()
    assert {key for key in names if names[key] != others[key]}
    assert before.keys() <= after.keys()
    # What is known by the name of its repository alone is there under both of them.
    again = {(names[key], others[key]) for key in names if names[key] != others[key]}
    assert {_anew(row, again) for row in after} == {_anew(row, again) for row in before}


def test_what_is_gone_is_marked_and_comes_back(rig: Rig) -> None:
    """A source that does not answer deletes nothing; one that shows something no more, just it."""
    removed = rig.world.removed
    if isinstance(removed, Unshown):
        assert removed.reason
        return
    rig.go_on_from_first("removed")
    before = rig.first_alive
    going = {
        tuple(str(part) for part in row if part is not None)
        for row in rig.ask("removed", removed.gone)
    }
    assert going
    with rig.silence():
        for _ in range(2):
            assert rig.pull("removed", full=True).errors
    assert _changed(before, rig.alive("removed")) == {}
    with removed.change():
        for _ in range(2):
            assert rig.pull("removed", full=True).errors == []
    after = rig.alive("removed")
    assert before.keys() - after.keys() == going
    assert _changed({row: told for row, told in before.items() if row in after}, after) == {}
    assert rig.pull("removed", full=True).errors == []
    assert rig.alive("removed") == before


def test_what_a_deleted_author_left_is_kept(rig: Rig) -> None:
    """It stands there without an author, and nothing of the world was rejected."""
    assert rig.first["main.reject"] == []
    ghosts = rig.world.ghosts
    if isinstance(ghosts, Unshown):
        assert ghosts.reason
        return
    assert ghosts.count > 0
    assert len(rig.ask("first", ghosts.rows)) == ghosts.count


def test_machines_are_told_from_people(rig: Rig) -> None:
    """Where the vendor says so, and only there."""
    assert rig.first
    query = "select coalesce(login, name) from account where is_bot"
    found = {name for (name,) in rig.ask("first", query)}
    bots = rig.world.bots
    assert found == (frozenset() if isinstance(bots, Unshown) else bots)


def test_an_account_of_another_zone_reads_the_same(rig: Rig) -> None:
    """The same source, read by somebody whose profile is set to the other side of the world."""
    zoned = rig.world.zoned
    if isinstance(zoned, Unshown):
        assert zoned.reason
        return
    assert rig.pull("zoned", rig.connector(**zoned)).errors == []
    here, there = (
        {row: {**told, "url": None} for row, told in alive.items()}
        for alive in (rig.first_alive, rig.alive("zoned"))
    )
    assert _changed(here, there) == {}


def _anew(row: Row, again: Iterable[tuple[str, str]]) -> Row:
    """A row's key with new names in the place of old ones."""
    for old, new in again:
        row = tuple(part if new in part else part.replace(old, new) for part in row)
    return row


def _with_known(expected: Rows, found: Rows, remembered: frozenset[str]) -> Rows:
    """The expected rows; where a source forgets, with what it told only while it still knew."""
    filled = dict(expected)
    for row in expected.keys() & found.keys():
        if row[0] in remembered:
            told = {name: value for name, value in expected[row].items() if value is not None}
            told["source_updated_at"] = found[row]["source_updated_at"]
            filled[row] = {**found[row], **told}
    return filled


def _changed(expected: Rows, found: Rows) -> dict[Row, object]:
    """A few rows that are not, or not the same, where they are expected."""
    wrong = [row for row in expected if found.get(row) != expected[row]]
    return {row: (expected[row], found.get(row)) for row in sorted(wrong)[:4]}
