"""Thresholds for people: their values with units, intervals, limits, states and signs."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pipelines.thresholds import CONFIGURATION, REQUESTS, SETUP_TIME, SHARED_INFRASTRUCTURE
from pipelines.verdict import CLEAR, CROSSED, HELD, INSUFFICIENT, NOT_APPLICABLE, TRENDING

SIGNS = {CROSSED: "▲", TRENDING: "↗", CLEAR: "✓", NOT_APPLICABLE: "✓", INSUFFICIENT: "···"}

_SHARES = {SETUP_TIME: "% of set-ups over a day", REQUESTS: "% of hours for requests"}
_COUNTS = {
    SHARED_INFRASTRUCTURE: ("engineer", "engineers"),
    CONFIGURATION: ("audit with a finding", "audits with a finding"),
}
_SAMPLES = {
    SETUP_TIME: ("set-up", "set-ups"),
    SHARED_INFRASTRUCTURE: ("engineer", "engineers"),
    CONFIGURATION: ("audit", "audits"),
    REQUESTS: ("week", "weeks"),
}


def in_words(state: str) -> str:
    """A state as people read it."""
    return {INSUFFICIENT: "not enough data", NOT_APPLICABLE: "clear (not applicable)"}.get(
        state, state
    )


def signed(state: str) -> str:
    """A state with its sign: '▲ crossed'."""
    return f"{SIGNS[state]} {in_words(state)}"


def value(threshold: str, number: float) -> tuple[str, str]:
    """A value as text, and its unit."""
    if threshold in _SHARES:
        return _number(number * 100), _SHARES[threshold]
    singular, plural = _COUNTS[threshold]
    text = _number(number)
    return text, singular if text == "1" else plural


def interval(threshold: str, low: float | None, high: float | None) -> str | None:
    """An interval with its unit: '57–98 %'; of engineers the bounds of who is who."""
    if low is None or high is None or threshold == CONFIGURATION:
        return None
    scale, unit = (100, "%") if threshold in _SHARES else (1, value(threshold, high)[1])
    ends = [_number(end * scale) for end in (low, high)]
    return f"{ends[0] if ends[0] == ends[1] else '–'.join(ends)} {unit}"


def sample(threshold: str, n: int) -> str:
    """How many of what a value was found from: '9 set-ups'."""
    return f"{n:,} {_SAMPLES[threshold][n != 1]}"


def no_value(row: Mapping[str, Any]) -> str:
    """What stands in the place of a value that is not there."""
    is_by_scan = row["threshold"] == CONFIGURATION and row["state"] != INSUFFICIENT
    return "no audit" if is_by_scan else "no value"


def limit(threshold: str, threshold_value: float | None) -> str | None:
    """The limit a value is held against."""
    if threshold_value is None:
        return None
    if threshold in _SHARES:
        return f"limit {_number(threshold_value * 100)} %"
    text, unit = value(threshold, threshold_value)
    return f"limit {text} {unit}"


def since(row: Mapping[str, Any]) -> str:
    """The state of a row of `threshold_state` with since when: 'crossed since 2 March 2026'."""
    name = in_words(row["state"])
    if row["state"] == INSUFFICIENT:
        return name
    if row["standing"] == HELD:
        return f"{name}, last measured {day(row['measured_on'])}"
    return f"{name} since {day(row['since_on'])}"


def detail(row: Mapping[str, Any]) -> str:
    """Why a state is what it is, with what shows that a threshold does not apply; each once."""
    told: list[str] = []
    for part in (row["standing_text"], row["reason"], row["evidence"]):
        text = (part or "").rstrip(".")
        if text and not any(text in other for other in told):
            told.append(f"{text[0].upper()}{text[1:]}.")
    return " ".join(told)


def confidence(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The three things that say how sure a state is, and its trend; or what is needed for it."""
    if row["value"] is None:
        others = {
            "coverage": row["coverage_text"],
            "other definitions": row["sensitivity_text"],
            "trend": row["trend"],
        }
        known = [(name, text) for name, text in others.items() if text]
        return [("needs", each) for each in row["missing"]] or known
    threshold, n = row["threshold"], row["n"]
    ends = interval(threshold, row["ci_low"], row["ci_high"])
    ends = ends or ("none: a count" if threshold == CONFIGURATION else "none")
    counted = "" if n is None else f", n = {sample(threshold, n)}"
    name = "bounds" if threshold == SHARED_INFRASTRUCTURE else "95 % interval"
    return [
        (name, f"{ends}{counted}"),
        ("coverage", row["coverage_text"] or "not known"),
        ("other definitions", row["sensitivity_text"] or "none asked"),
        ("trend", row["trend"] or "not forecast"),
    ]


def day(evaluated_on: date) -> str:
    """The last day an evaluation counts, as people write it: '2 August 2026'."""
    last = evaluated_on - timedelta(days=1)
    return f"{last.day} {last:%B %Y}"


def listed(parts: list[str]) -> str:
    """Parts as a list in a sentence: 'a, b and c'."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _number(number: float) -> str:
    if abs(number) < 10 and number != round(number):
        return f"{number:.1f}"
    return f"{number:,.0f}"
