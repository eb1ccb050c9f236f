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
    scale, unit = (100, " %") if threshold in _SHARES else (1, "")
    ends = [_number(end * scale) for end in (low, high)]
    return (ends[0] if ends[0] == ends[1] else "–".join(ends)) + unit


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
    """Why a state is what it is, with what shows that a threshold does not apply."""
    parts = [row["standing_text"], row["reason"], row["evidence"]]
    return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in parts if part)


def confidence(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The three things that say how sure a state is, and its trend; without a value its needs."""
    if row["value"] is None:
        return [("needs", each) for each in row["missing"]]
    ends = interval(row["threshold"], row["ci_low"], row["ci_high"])
    counted = f", n = {row['n']:,}" if row["n"] is not None else ""
    name = "bounds" if row["threshold"] == SHARED_INFRASTRUCTURE else "95 % interval"
    return [
        (name, f"{ends}{counted}" if ends else "none"),
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
