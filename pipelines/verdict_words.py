"""The verdict in words: one sentence, its warnings, and what each state stands on."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pipelines.thresholds import CONFIGURATION, CROSSINGS, TITLES
from pipelines.verdict import (
    CROSSED,
    DEVOPS,
    ENTERING,
    HELD,
    INSUFFICIENT,
    LEAVING,
    PLATFORM,
    TRENDING,
    is_by_headcount_only,
)

Rows = Mapping[str, Mapping[str, Any]]
"""The rows of `threshold_state` of one evaluation, by threshold."""

_COUNTS = ("none", "one", "two", "three", "four")


def sentence(answer: str, rows: Rows) -> str:
    """The answer in one sentence, without a full stop."""
    names = {threshold: str(row["state"]) for threshold, row in rows.items()}
    if answer == PLATFORM:
        reasons = [_crossing(each, rows[each]) for each in _in(names, CROSSED)]
        by = " by headcount only" if is_by_headcount_only(names) else ""
        return f"Platform engineering is indicated{by}: {listed(reasons)}"
    if answer == DEVOPS:
        told = "DevOps is still the right answer: none of the four thresholds is crossed"
        coming = len(_in(names, TRENDING))
        if not coming:
            return told
        verb = "is on its way" if coming == 1 else "are on their way"
        return f"{told}, {_COUNTS[coming]} {verb}"
    return f"Undecided: {_unknown({each: rows[each] for each in _in(names, INSUFFICIENT)})}"


def _unknown(rows: Rows) -> str:
    """Why thresholds have no state, in words."""
    entering = [each for each, row in rows.items() if row["standing"] == ENTERING]
    close = [each for each, row in rows.items() if row["direction"] and each not in entering]
    missing = [each for each in rows if each not in (*entering, *close)]
    if len(missing) == len(TITLES):
        return "none of the four thresholds can be judged yet"
    parts = []
    for group, one, several in (
        (entering, "is beyond its limit for the first time", "are beyond it for the first time"),
        (close, "is too close to call", "are too close to call"),
        (missing, "cannot be judged", "cannot be judged"),
    ):
        if group:
            which = listed([title_within(each) for each in group])
            parts.append(f"{which} {one if len(group) == 1 else several}")
    return listed(parts)


def warnings(rows: Rows) -> list[str]:
    """What somebody should know beside the answer, one sentence each."""
    return [told for threshold, row in rows.items() for told in _warnings(threshold, row)]


def _warnings(threshold: str, row: Mapping[str, Any]) -> list[str]:
    title, found = TITLES[threshold], []
    if row["state"] == TRENDING and threshold == CONFIGURATION:
        found.append(f"{title}: an audit's finding was fixed since.")
    elif row["state"] == TRENDING:
        found.append(f"{title} is on its way: crossed in {row['trend']}, if it goes on.")
    if row["standing"] is not None:
        found.append(f"{title}: {row['standing_text']}.")
    if row["sensitivity"] == "flips":
        found.append(f"{title} hangs on its definition: {row['sensitivity_text']}.")
    return found


def standing_text(standing: str | None, *, measured_on: date, next_on: date) -> str | None:
    """Why a state is not what the measure says, in words."""
    if standing == ENTERING:
        return (
            "beyond the limit at this evaluation; crossed if the next one, on "
            f"{day(next_on)}, says so too"
        )
    if standing == LEAVING:
        return (
            "not beyond the limit at this evaluation; crossed until a second one in a row, on "
            f"{day(next_on)}, says so too"
        )
    if standing == HELD:
        return f"crossed when last measured, {day(measured_on)}; kept for 13 weeks"
    return None


def sensitivity_text(state: str, alternatives: Mapping[str, str], kind: str | None) -> str | None:
    """How the state does under alternative definitions, in words."""
    if kind is None:
        return None
    if kind == "holds":
        return f"the same under {_other(len(alternatives))}"
    others: dict[str, list[str]] = {}
    for variant, other in alternatives.items():
        if other != state:
            others.setdefault(in_words(other), []).append(variant)
    told = [f"{state} under {listed(names)}" for state, names in sorted(others.items())]
    return "; ".join(told) if told else f"none of {_other(len(alternatives))} can tell"


def _other(count: int) -> str:
    return "the other definition" if count == 1 else f"{count} other definitions"


def in_words(state: str) -> str:
    """A state as people read it."""
    return {INSUFFICIENT: "not enough data", "not applicable": "clear (not applicable)"}.get(
        state, state
    )


def day(evaluated_on: date) -> str:
    """The last day an evaluation counts, as people write it: '2 August 2026'."""
    last = evaluated_on - timedelta(days=1)
    return f"{last.day} {last:%B %Y}"


def listed(parts: Sequence[str]) -> str:
    """Parts as a list in a sentence: 'a, b and c'."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def title_within(threshold: str) -> str:
    """A threshold's title within a sentence."""
    title = TITLES[threshold]
    return title[0].lower() + title[1:]


def _in(names: Mapping[str, str], state: str) -> list[str]:
    return [threshold for threshold, name in names.items() if name == state]


def _crossing(threshold: str, row: Mapping[str, Any]) -> str:
    told = CROSSINGS[threshold].format(limit=row["threshold_value"] or 0)
    return f"{told} (last measured {day(row['measured_on'])})" if row["standing"] == HELD else told
