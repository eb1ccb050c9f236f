"""The verdict: states over time, the answer, and that missing data never speaks for DevOps."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.thresholds import (
    CONFIGURATION,
    MEASURED_STATES,
    REQUESTS,
    SETUP_TIME,
    SHARED_INFRASTRUCTURE,
    TITLES,
)
from pipelines.verdict import (
    DEVOPS,
    HOLD,
    INSUFFICIENT,
    PLATFORM,
    SIZES,
    UNDECIDED,
    Measured,
    answer,
    changed_by,
    first_sufficient,
    is_by_headcount_only,
    sensitivity,
    size,
    states,
)
from tests.pipelines.threshold_tables import at

SIGNS = {
    "▲": ("crossed", None, False),
    "✓": ("clear", None, False),
    "w": ("clear", None, True),
    "–": ("not applicable", None, False),
    "↗": ("trending", None, False),
    "·": ("insufficient", None, False),
    "<": ("insufficient", "below", False),
    ">": ("insufficient", "above", False),
}
SHOWN = {
    "crossed": "▲",
    "trending": "↗",
    "clear": "✓",
    "not applicable": "–",
    "insufficient": "·",
}
TWO_STEP = [SETUP_TIME, REQUESTS]
AT_ONCE = [SHARED_INFRASTRUCTURE, CONFIGURATION]


def told(line: str) -> list[Measured]:
    """A history, one sign an evaluation."""
    found = []
    for ordinal, sign in enumerate(line):
        state, direction, is_warned = SIGNS[sign]
        found.append(Measured(at(ordinal), state, direction, is_warned=is_warned))
    return found


def shown(threshold: str, line: str) -> str:
    """The states of a history, one sign an evaluation."""
    return "".join(SHOWN[state.name] for state in states(threshold, told(line)))


@pytest.mark.parametrize("threshold", TWO_STEP)
@pytest.mark.parametrize(
    ("measured", "states"),
    [
        ("✓▲✓", "✓·✓"),  # once is not crossed, and not clear either
        ("✓▲▲", "✓·▲"),
        ("▲▲", "·▲"),
        ("▲✓▲✓", "·✓·✓"),
        ("▲▲✓▲", "·▲▲▲"),  # one evaluation does not end it
        ("▲▲✓✓", "·▲▲✓"),
        ("▲▲<>", "·▲▲·"),  # too close to call was measured, and is not crossed
        ("▲▲✓<✓", "·▲▲·✓"),
        ("▲▲–✓", "·▲▲✓"),
        ("▲·▲▲", "···▲"),  # two in a row
        ("▲▲✓·✓✓", "·▲▲▲▲✓"),  # missing is not "not crossed"
    ],
)
def test_sampling_tests_move_in_two_steps(threshold: str, measured: str, states: str) -> None:
    """Set-ups and requests enter and leave crossed after two evaluations in a row."""
    assert shown(threshold, measured) == states


@pytest.mark.parametrize("threshold", AT_ONCE)
@pytest.mark.parametrize(
    ("measured", "states"),
    [("✓▲✓", "✓▲✓"), ("▲>▲", "▲·▲"), ("▲–", "▲–"), ("✓▲·✓", "✓▲▲✓")],
)
def test_counts_move_at_once(threshold: str, measured: str, states: str) -> None:
    """Engineers and audits are no samples."""
    assert shown(threshold, measured) == states


@pytest.mark.parametrize("threshold", TITLES)
def test_crossed_is_held_for_thirteen_weeks(threshold: str) -> None:
    """Twelve weeks after the last measurement it still counts, after sixteen nobody knows."""
    assert shown(threshold, "▲▲····").endswith("▲▲▲▲·")
    found = states(threshold, told("▲▲···"))
    assert [state.standing for state in found[-3:]] == ["held"] * 3
    assert {state.measured_at for state in found[-3:]} == {at(1)}
    assert at(4) - at(1) <= HOLD < at(5) - at(1)


@pytest.mark.parametrize("threshold", TITLES)
def test_only_crossed_is_held(threshold: str) -> None:
    """What was clear is not clear without data; what ran out does not come back by itself."""
    assert shown(threshold, "✓·") == "✓·"
    assert shown(threshold, "w·") == "↗·"
    assert shown(threshold, "▲▲·····✓")[-2:] == "·✓"


def test_a_warning_shows_only_where_it_is_clear() -> None:
    """A forecast makes clear trending; a finding that was fixed is trending by itself."""
    assert shown(REQUESTS, "✓ww") == "✓↗↗"
    assert shown(CONFIGURATION, "▲↗✓") == "▲↗✓"


def test_since_is_where_a_state_begins() -> None:
    """A run is told from its first evaluation, and begins anew after a break."""
    found = states(SHARED_INFRASTRUCTURE, told("✓✓▲▲·✓✓"))
    assert [state.since for state in found] == [at(n) for n in (0, 0, 2, 2, 2, 5, 5)]


def test_standing_says_why_a_state_differs() -> None:
    """On the way in, on the way out, held."""
    found = states(REQUESTS, told("▲▲✓·"))
    assert [state.standing for state in found] == ["entering", None, "leaving", "held"]
    assert found[3].measured_at == at(2)


def names(line: str) -> dict[str, str]:
    """One state a threshold, by sign."""
    words = {sign: state for state, sign in SHOWN.items()}
    return dict(zip(TITLES, (words[sign] for sign in line), strict=True))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("▲···", PLATFORM),
        ("✓✓✓▲", PLATFORM),
        ("✓✓✓✓", DEVOPS),
        ("✓↗–✓", DEVOPS),
        ("↗↗↗↗", DEVOPS),
        ("✓✓✓·", UNDECIDED),
        ("····", UNDECIDED),
    ],
)
def test_any_crossed_all_clear_else_undecided(line: str, expected: str) -> None:
    """An OR of three values."""
    assert answer(names(line)) == expected


def test_headcount_alone_is_told_apart() -> None:
    """Only engineers on shared infrastructure, whatever the rest."""
    assert is_by_headcount_only(names("✓▲·✓"))
    assert not is_by_headcount_only(names("▲▲✓✓"))
    assert not is_by_headcount_only(names("✓✓▲✓"))


STATES = st.sampled_from(list(SHOWN))


@given(st.fixed_dictionaries(dict.fromkeys(TITLES, STATES)))
def test_missing_data_never_speaks_for_devops(found: Mapping[str, str]) -> None:
    """Over all combinations: whoever lacks a state is not told that DevOps is right."""
    told = answer(found)
    assert told != DEVOPS or INSUFFICIENT not in found.values()
    assert (told == PLATFORM) == ("crossed" in found.values())
    # Nothing that goes missing makes the answer DevOps.
    for threshold in TITLES:
        assert answer({**found, threshold: INSUFFICIENT}) != DEVOPS


HISTORIES = st.fixed_dictionaries(
    dict.fromkeys(TITLES, st.text(alphabet=list(SIGNS), min_size=12, max_size=12))
)


@given(HISTORIES)
def test_missing_data_never_speaks_for_devops_in_any_replay(lines: Mapping[str, str]) -> None:
    """Over all histories: no state is made of nothing, and none is kept for ever."""
    histories = {threshold: told(line) for threshold, line in lines.items()}
    replayed = {threshold: states(threshold, line) for threshold, line in histories.items()}
    for place in range(12):
        now = {threshold: found[place].name for threshold, found in replayed.items()}
        missing = [each for each, line in histories.items() if line[place].is_missing]
        if missing:
            assert answer(now) != DEVOPS
        for each in missing:
            assert now[each] in {"crossed", "insufficient"}
            if now[each] == "crossed":
                seen = [m.at for m in histories[each][:place] if not m.is_missing]
                assert histories[each][place].at - seen[-1] <= timedelta(weeks=13)
        if answer(now) == DEVOPS:
            assert all(line[place].state != "crossed" for line in histories.values())


@given(HISTORIES, st.integers(1, 11))
def test_a_replay_knows_no_future(lines: Mapping[str, str], cut: int) -> None:
    """What comes later changes nothing of what was said before."""
    for threshold, line in lines.items():
        assert states(threshold, told(line))[:cut] == states(threshold, told(line[:cut]))


def test_the_first_sufficient_evaluation() -> None:
    """Too close to call is a measurement, missing is none."""
    histories = {SETUP_TIME: told("··>✓"), REQUESTS: told("···✓")}
    assert first_sufficient(histories) == 2
    assert first_sufficient({SETUP_TIME: told("··")}) is None
    assert first_sufficient({}) is None


@pytest.mark.parametrize(
    ("state", "others", "expected"),
    [
        ("crossed", {}, None),
        ("crossed", {"a": "crossed", "b": "crossed"}, "holds"),
        ("clear", {"a": "not applicable", "b": "trending"}, "holds"),
        ("crossed", {"a": "crossed", "b": "clear"}, "flips"),
        ("clear", {"a": "insufficient"}, "unsure"),
        ("insufficient", {"a": "crossed"}, "unsure"),
        ("insufficient", {"a": "crossed", "b": "clear"}, "flips"),
        ("insufficient", {"a": "insufficient"}, "holds"),
    ],
)
def test_sensitivity(state: str, others: dict[str, str], expected: str | None) -> None:
    """Whether the state hangs on the definition."""
    assert sensitivity(state, others) == expected
    assert set(others.values()) <= set(MEASURED_STATES)


def test_what_would_change_the_answer() -> None:
    """A second crossed threshold makes the first one's definition matter less."""
    assert changed_by(names("▲✓✓✓"), SETUP_TIME, "clear") == DEVOPS
    assert changed_by(names("▲▲✓✓"), SETUP_TIME, "clear") is None
    assert changed_by(names("▲✓✓✓"), REQUESTS, "crossed") is None


@pytest.mark.parametrize(
    ("engineers", "expected"),
    [
        (None, None),
        (0, None),
        (1, "1–10"),
        (9, "1–10"),
        (10, "10–30"),
        (30, "30–50"),
        (49, "30–50"),
        (50, "50–100"),
        (100, "100+"),
        (5000, "100+"),
    ],
)
def test_sizes(engineers: int | None, expected: str | None) -> None:
    """Every size has one row; nobody known is no size."""
    found = size(engineers)
    assert (found.name if found else None) == expected
    assert [each.least for each in SIZES] == sorted(each.least for each in SIZES)
