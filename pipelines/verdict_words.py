"""The verdict in words: one sentence, its warnings, and what each state stands on."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.report import Report
from pipelines.threshold_words import day, in_words, listed
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
    UNDECIDED,
    is_by_headcount_only,
)

AFTER_A_LAUNCH = (
    "After a launch, watch delivery too: DORA's report of 2024 found individual productivity "
    "some 8 % higher with a platform, throughput some 8 % and stability some 14 % lower."
)

NO_VERDICT = "No verdict yet"
NO_EVALUATION = (
    "The four thresholds are evaluated at every fourth week end, and no source has data from "
    "before the last one."
)
NO_SIZE = (
    "Nobody has a change merged in the last 90 days, so the number of engineers is not known and "
    "there is no size to advise on."
)

_ANSWERS = {PLATFORM: "platform engineering", DEVOPS: "DevOps", UNDECIDED: "undecided"}

Rows = Mapping[str, Mapping[str, Any]]
"""The rows of `threshold_state` of one evaluation, by threshold."""


def sentence(answer: str, rows: Rows) -> str:
    """The answer in one sentence, without a full stop."""
    names = {threshold: str(row["state"]) for threshold, row in rows.items()}
    total = len(names)
    if answer == PLATFORM:
        crossed = _in(names, CROSSED)
        if len(crossed) == len(TITLES):
            return "Platform engineering is indicated: all four thresholds are crossed"
        by = " by headcount only" if is_by_headcount_only(names) else ""
        are = "is" if len(crossed) == 1 else "are"
        reasons = listed([_crossing(each, rows[each]) for each in crossed])
        return (
            f"Platform engineering is indicated{by}, {len(crossed)} of {total} thresholds {are} "
            f"crossed: {reasons}"
        )
    if answer == DEVOPS:
        told = f"DevOps is still the right answer: none of the {total} thresholds is crossed"
        warned = _in(names, TRENDING)
        coming = len([each for each in warned if each != CONFIGURATION])
        if coming:
            told += f", {coming} {'is on its way' if coming == 1 else 'are on their way'}"
        # Its trend is no way towards the limit: something was found there, and fixed.
        return f"{told}, and an audit's finding was fixed" if CONFIGURATION in warned else told
    unknown = {each: rows[each] for each in _in(names, INSUFFICIENT)}
    have = "has" if len(unknown) == 1 else "have"
    return f"Undecided, {len(unknown)} of {total} thresholds {have} no state: {_unknown(unknown)}"


def _unknown(rows: Rows) -> str:
    """Why thresholds have no state, in words."""
    entering = [each for each, row in rows.items() if row["standing"] == ENTERING]
    close = [
        each
        for each, row in rows.items()
        if row["direction"] and not row["missing"] and each not in entering
    ]
    missing = [each for each in rows if each not in (*entering, *close)]
    if len(missing) == len(TITLES):
        return "none of them can be judged yet"
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


def sure(verdict: Mapping[str, Any]) -> str:
    """Since when an answer holds, what it hangs on, and when it is asked again."""
    parts = [f"The same answer since {day(verdict['since_on'])}"]
    if verdict["flips"]:
        parts.append(f"it would be {listed(verdict['flips'])}")
    elif verdict["answer"] != UNDECIDED:
        parts.append("no other definition that was asked changes it")
    parts.append(
        "set-ups and requests are samples, each wrong on a side in 2.5 % of looks, together at "
        "most 5 %"
    )
    parts.append(f"asked again on {day(verdict['next_evaluation_on'])}")
    return " · ".join(parts)


def flip(answer: str, threshold: str, variant: str) -> str:
    """What the answer would be under another definition of one threshold."""
    return f"{_ANSWERS[answer]} under {variant} ({title_within(threshold)})"


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


def size(verdict: Mapping[str, Any]) -> str:
    """The size of an organisation and the row of the table it falls in."""
    engineers = verdict["engineers"]
    counted = "1 engineer" if engineers == 1 else f"{engineers:,} engineers"
    return f"{counted} with a change merged in 90 days · the row for {verdict['size']} engineers"


def footer(report: Report) -> str:
    """Of which data a report speaks, and when it was made."""
    zone = ZoneInfo(report.zone)
    as_of, built = (
        f"{moment.day} {moment:%B %Y, %H:%M}"
        for moment in (report.as_of.astimezone(zone), report.built_at.astimezone(zone))
    )
    return (
        f"Leadline · data up to {as_of} · built {built} · times in {report.zone} · the limits of "
        "the four thresholds are practitioners' rules of thumb"
    )


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


def title_within(threshold: str) -> str:
    """A threshold's title within a sentence."""
    title = TITLES[threshold]
    return title[0].lower() + title[1:]


def _in(names: Mapping[str, str], state: str) -> list[str]:
    return [threshold for threshold, name in names.items() if name == state]


def _crossing(threshold: str, row: Mapping[str, Any]) -> str:
    told = CROSSINGS[threshold].format(limit=row["threshold_value"] or 0)
    return f"{told} (last measured {day(row['measured_on'])})" if row["standing"] == HELD else told
