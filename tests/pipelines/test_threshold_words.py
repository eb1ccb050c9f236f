"""What a card says of a threshold: each thing once, each number with its unit."""

from typing import Any

import pytest

from pipelines import threshold_words

ROW = {
    "state": "clear",
    "value": 0.0,
    "ci_low": 0.0,
    "ci_high": 0.0,
    "n": 1,
    "standing_text": None,
    "reason": "2 teams own repositories; fewer than 3: there is little to differ.",
    "evidence": "2 teams own repositories; fewer than 3.",
    "coverage_text": "all of it",
    "sensitivity_text": None,
    "trend": None,
    "missing": [],
}


def row(threshold: str, **more: Any) -> dict[str, Any]:
    """A row of `threshold_state`."""
    return {**ROW, "threshold": threshold, **more}


@pytest.mark.parametrize(
    ("threshold", "more", "told"),
    [
        ("setup_time", {"ci_high": 0.34, "n": 9}, "0–34 %, n = 9 set-ups"),
        ("shared_infrastructure", {"ci_low": 44.0, "ci_high": 47.0}, "44–47 engineers, n = 1 "),
        ("shared_infrastructure", {"ci_low": 1.0, "ci_high": 1.0}, "1 engineer, n = 1 engineer"),
        ("configuration", {"n": 3}, "none: a count, n = 3 audits"),
        ("requests", {"ci_low": 0.5, "ci_high": 0.5, "n": 13}, "50 %, n = 13 weeks"),
    ],
)
def test_an_interval_has_its_unit(threshold: str, more: dict[str, Any], told: str) -> None:
    """Shares, people, audits and weeks."""
    assert threshold_words.confidence(row(threshold, **more))[0][1].startswith(told)


def test_without_a_value_a_card_says_what_it_needs_or_what_it_knows() -> None:
    """What is missing comes before everything; a scan that stands in for audits has its reach."""
    needs = row("configuration", value=None, state="insufficient", missing=["an audit"])
    assert threshold_words.confidence(needs) == [("needs", "an audit")]
    assert threshold_words.no_value(needs) == "no value"
    scanned = row("configuration", value=None)
    assert threshold_words.confidence(scanned) == [("coverage", "all of it")]
    assert threshold_words.no_value(scanned) == "no audit"


def test_nothing_is_said_twice() -> None:
    """Evidence that is part of the reason stands there alone."""
    assert threshold_words.detail(row("configuration")) == ROW["reason"]
    other = row("configuration", evidence="the settings say so")
    assert threshold_words.detail(other) == f"{ROW['reason']} The settings say so."
