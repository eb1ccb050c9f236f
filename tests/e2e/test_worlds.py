"""The verdict on organisations whose right answer is known, from their sources to the table."""

from datetime import datetime
from pathlib import Path

import pytest

from sandbox.worlds import STEADY
from tests.e2e.world_builds import PROFILES, BuiltWorld, Worlds


@pytest.fixture(scope="module")
def worlds(quick_folder: Path) -> Worlds:
    """Makes them, each once."""
    return Worlds(quick_folder)


@pytest.mark.parametrize("name", PROFILES)
def test_every_state_and_the_verdict_are_those_of_the_world(worlds: Worlds, name: str) -> None:
    """State by state, the answer, what is missing, and numbers whose intervals hold the truth."""
    world = worlds.build(PROFILES[name])
    expected = PROFILES[name].expected
    assert expected is not None
    rows = world.ask("""
        select * from threshold_state
        where evaluated_at = (select max(evaluated_at) from threshold_state)
    """).rows(named=True)
    states = {row["threshold"]: row for row in rows}
    for threshold, state in states.items():
        assert state["state"] == getattr(expected, threshold), state
        is_known = state["state"] != "insufficient"
        assert is_known == (state["missing"] == []), state
        # What is missing can only make a number smaller than it is.
        assert not is_known or state["value"] is None or is_true(world, threshold, state), state
    assert len(states) == 4
    assert answer_of(world) == expected.answer
    check_launches(world)


def test_without_a_forge_nothing_is_called_right(worlds: Worlds) -> None:
    """Tickets, portal and audits alone never say that DevOps is right, but what is missing."""
    world = worlds.build(STEADY, unconnected="github")
    assert answer_of(world) == "undecided"
    missing = world.ask("select missing from verdict order by evaluated_at desc limit 1").item()
    assert len(missing) > 0


def answer_of(world: BuiltWorld) -> str:
    """The verdict of today."""
    found = world.ask("select answer from verdict order by evaluated_at desc limit 1").item()
    return str(found)


def is_true(world: BuiltWorld, threshold: str, state: dict[str, object]) -> bool:
    """Whether the interval holds the true number, and the count behind a share is right."""
    at = state["measured_at"]
    assert isinstance(at, datetime)
    truth, value = world.truth, state["value"]
    if threshold == "setup_time":
        share = truth.setups(at)
        return (value, state["n"]) == (pytest.approx(share.value), share.whole)
    if threshold == "shared_infrastructure":
        return state["ci_low"] <= truth.engineers(at) <= state["ci_high"]  # type: ignore[operator]
    if threshold == "configuration":
        return value == truth.audits_with_a_finding(at)
    low, high = state["ci_low"], state["ci_high"]
    return low <= truth.requests(at).value <= high  # type: ignore[operator]


def check_launches(world: BuiltWorld) -> None:
    """What each launch took away lies within its interval; only a true effect is called one."""
    found = {row["launch"]: row for row in world.ask("select * from deflection").rows(named=True)}
    assert found.keys() == {launch.name for launch in world.organisation.platform.launches}
    for launch in world.organisation.platform.launches:
        row, true = found[launch.name], world.truth.taken_away(launch)
        assert row["avoided_low"] <= true.part <= row["avoided_high"], row
        if world.organisation.profile.name in {"launch", "no-effect"}:
            assert row["state"] == ("fewer" if launch.effect else "not shown"), row
