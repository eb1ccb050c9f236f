"""The share of requests in the hours of an infrastructure team: estimate, state and words.

Definition: docs/thresholds.md. One evaluation at a time, over weekly sums.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pipelines.estimates import Floats, ratio_interval

_NAMES: Final = {
    "worklogs": "logged time",
    "status history": "the status history of tickets",
    "activity sessions": "sessions of activity",
    "effort per type": "the mean effort of each type",
}
CLASSES: Final = ("request", "build", "incident", "overhead", "unclassified")
_SMALLEST_SHOWN: Final = 3
_NO_TEAM: Final = (
    "the infrastructure team: name it as infrastructure_team under requests in leadline.toml"
)
_NO_MEMBERS: Final = (
    "the members of the infrastructure team: under teams in leadline.toml, or the projects it "
    "works in"
)
_NO_HOURS: Final = (
    "Nothing tells how long the infrastructure team worked on its tickets.",
    "logged time, or moving tickets to in progress while somebody works on them",
)
_MORE_HOURS: Final = (
    "more of the infrastructure team's time: logged time, or tickets moved to in progress for all "
    "of its work"
)
_MORE_CLASSES: Final = (
    "the class of more tickets: labels, types, epics or projects under requests in leadline.toml, "
    "or corrections on the page of requests"
)


@dataclass(frozen=True, slots=True)
class Hours:
    """The weekly hours of one source in one window, per class in microseconds."""

    by_class: Mapping[str, Floats]
    people: int
    available: float

    @property
    def weeks(self) -> int:
        """How many weeks there are."""
        return len(self.by_class["request"])

    def total(self, *names: str) -> float:
        """The sum of some classes over all weeks."""
        return float(sum(self.by_class[name].sum() for name in names))

    @property
    def classified_share(self) -> float:
        """Hours whose class is known, of all tracked."""
        tracked = self.total(*CLASSES)
        return 1 - self.total("unclassified") / tracked if tracked else 0.0

    @property
    def tracked_share(self) -> float:
        """Tracked hours of those the team could have worked, at most all of them."""
        return min(self.total(*CLASSES) / self.available, 1.0) if self.available else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of requests; the bounds hold whatever the unclassified hours were."""

    value: float
    low: float
    high: float

    def state(self, threshold: float) -> str:
        """Crossed, clear, or insufficient where the bounds hold the threshold."""
        if self.low > threshold:
            return "crossed"
        return "clear" if self.high < threshold else "insufficient"


def estimate(part: Floats, rest: Floats, unclassified: Floats) -> Estimate | None:
    """The share of `part` in `part` and `rest`; None without two weeks or without hours.

    The lower bound is that of the share if everything unclassified were `rest`, the upper one if
    it were `part`.
    """
    everything = part + rest + unclassified
    if len(part) < 2 or float((part + rest).sum()) == 0:
        return None
    value = float(part.sum() / (part + rest).sum())
    _, low, _ = ratio_interval(part, everything)
    _, _, high = ratio_interval(part + unclassified, everything)
    return Estimate(value, low, high)


def _primary(hours: Hours) -> Estimate | None:
    by_class = hours.by_class
    return estimate(by_class["request"], by_class["build"], by_class["unclassified"])


def variants(
    found: Sequence[tuple[Mapping[str, Any], Hours]], rules: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One row per other way to measure: value, bounds, weeks and state."""
    if rules["has_no_team"]:
        return []
    rows = []
    for source, hours in found:
        for name, each in _others(source, hours):
            shown = _shown(each, hours.people)
            state = _state(hours, each, rules)
            rows.append({"variant": name, "n": hours.weeks, **shown, "state": state})
    return rows


def _others(source: Mapping[str, Any], hours: Hours) -> list[tuple[str, Estimate | None]]:
    of = hours.by_class
    if not source["is_taken"]:
        return [(f"hours from {_NAMES[source['source']]}", _primary(hours))]
    requests, building, incidents = of["request"], of["build"], of["incident"]
    as_build = estimate(requests, building + incidents, of["unclassified"])
    as_request = estimate(requests + incidents, building, of["unclassified"])
    return [
        ("incidents counted as building", as_build),
        ("incidents counted as requests", as_request),
    ]


def _state(hours: Hours, found: Estimate | None, rules: Mapping[str, Any]) -> str:
    """The state by one way to measure, with the same demands on coverage."""
    is_enough = (
        found is not None
        and hours.weeks >= rules["least_weeks"]
        and hours.classified_share >= rules["classified_share"]
        and hours.tracked_share >= rules["tracked_share"]
    )
    return found.state(rules["threshold"]) if found is not None and is_enough else "insufficient"


def _shown(found: Estimate | None, people: int) -> dict[str, Any]:
    """Value and bounds; of one or two people the share would tell of a person."""
    if found is None or people < _SMALLEST_SHOWN:
        return {"value": None, "ci_low": None, "ci_high": None}
    rounded = np.round([found.value, found.low, found.high], 9)
    return dict(zip(("value", "ci_low", "ci_high"), map(float, rounded), strict=True))


def measure(
    found: Sequence[tuple[Mapping[str, Any], Hours]],
    who: Mapping[str, Any],
    rules: Mapping[str, Any],
) -> dict[str, Any]:
    """State, value and reason of one evaluation; `found` are its sources with their hours."""
    row: dict[str, Any] = {
        "unit": "share",
        "threshold_value": rules["threshold"],
        "n": 0,
        "missing": [],
        "parameters": _parameters(who, rules),
    }
    if rules["has_no_team"]:
        return row | {
            "measured_state": "not applicable",
            "reason": "There is no infrastructure team whose requests could crowd out building.",
            "evidence": "the settings say that no team does infrastructure for others",
        }
    taken = next((each for each in found if each[0]["is_taken"]), None)
    absent = _absent(who)
    if absent is not None or taken is None:
        reason, missing = absent or _NO_HOURS
        return row | {"measured_state": "insufficient", "reason": reason, "missing": [missing]}
    source, hours = taken
    share = _primary(hours)
    row |= {
        "n": hours.weeks,
        **_shown(share, hours.people),
        "coverage": round(min(hours.classified_share, hours.tracked_share), 9),
        "coverage_text": f"{_percent(hours.classified_share)} of the tracked hours have a class, "
        f"{_percent(hours.tracked_share)} of the team's working hours are tracked",
        "evidence": _evidence(source, who),
    }
    return row | _judged(hours, share, source, rules)


def _absent(who: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is not there at all, and what to connect."""
    if not who["teams"]:
        return (
            "It is not known which team is the infrastructure team.",
            _NO_TEAM,
        )
    if not who["all_tickets"]:
        return ("No tickets are known.", "a ticket system, such as Jira, or a file of tickets")
    if not who["people"]:
        return (
            "No member of the infrastructure team is known.",
            _NO_MEMBERS,
        )
    return None


def _judged(
    hours: Hours, found: Estimate | None, taken: Mapping[str, Any], rules: Mapping[str, Any]
) -> dict[str, Any]:
    """State and reason where hours are known."""
    if hours.weeks < rules["least_weeks"]:
        return {
            "measured_state": "insufficient",
            "reason": f"Hours are known of {hours.weeks} weeks so far; "
            f"{rules['least_weeks']} are needed.",
        }
    if found is None:
        return {
            "measured_state": "insufficient",
            "reason": "No hours of requests or building are known, so they have no share.",
            "missing": ["the class of tickets: labels, types or epics under requests"],
        }
    told = _told(hours, found, rules)
    gaps = _gaps(hours, taken, rules)
    direction = "above" if found.value > rules["threshold"] else "below"
    if gaps:
        return {
            "measured_state": "insufficient",
            "direction": direction,
            "reason": f"{told} That is not enough to judge by: "
            f"{'; '.join(reason for reason, _ in gaps)}.",
            "missing": [missing for _, missing in gaps],
        }
    state = found.state(rules["threshold"])
    limit = _percent(rules["threshold"])
    if state == "crossed":
        return {"measured_state": state, "reason": f"{told} That is more than {limit}."}
    if state == "clear":
        return {"measured_state": state, "reason": f"{told} That is less than {limit}."}
    return {
        "measured_state": state,
        "direction": direction,
        "reason": f"{told} Too close to {limit} to call.",
    }


def _told(hours: Hours, found: Estimate, rules: Mapping[str, Any]) -> str:
    span = f"over {hours.weeks} weeks"
    if hours.people < _SMALLEST_SHOWN:
        side = "above" if found.value > rules["threshold"] else "at or below"
        return (
            f"The share of requests in the hours of requests and building lies {side} the "
            f"threshold {span}; of one or two people it is not shown."
        )
    return (
        f"{_percent(found.value)} of the infrastructure team's hours of requests and building went "
        f"to requests (95 %: {_percent(found.low)} to {_percent(found.high)}) {span}."
    )


def _gaps(
    hours: Hours, taken: Mapping[str, Any], rules: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What is known too little of, each with what to connect."""
    gaps = []
    if hours.tracked_share < rules["tracked_share"]:
        known, least = _percent(hours.tracked_share), _percent(rules["tracked_share"])
        told = f"only {known} of the team's working hours are tracked ({least} are needed)"
        gaps.append((told, _MORE_HOURS))
    if hours.classified_share < rules["classified_share"]:
        known, least = _percent(hours.classified_share), _percent(rules["classified_share"])
        told = f"only {known} of the tracked hours have a class ({least} are needed)"
        gaps.append((told, _MORE_CLASSES))
    if taken["skips_progress"]:
        skipped, kind = _percent(taken["straight_share"]), taken["straight_class"]
        told = f"{skipped} of the resolved tickets of the class {kind} were never in progress"
        gaps.append((told, _NO_HOURS[1]))
    return gaps


def _evidence(taken: Mapping[str, Any], who: Mapping[str, Any]) -> str:
    """Where the hours come from, and what stands in for what is not known."""
    told = f"hours from {_NAMES[taken['source']]}"
    if who["is_assigned"]:
        told += "; members are not known, so whoever is assigned tickets of the projects counts"
    return told


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _parameters(who: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    names = ("threshold", "weeks", "least_weeks", "classified_share", "tracked_share")
    more = ("straight_to_done_share", "active_days", "text_probability")
    kept = {name: rules[name] for name in (*names, *more)}
    return json.dumps({"infrastructure_team": who["teams"] or [], **kept}, sort_keys=True)
