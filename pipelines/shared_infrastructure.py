"""How many engineers share infrastructure, and whether that crosses the threshold.

The count is exact; what is uncertain is who is one person. So the interval runs from as few
people as the accounts may be to as many, and the state follows from both ends.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from pipelines.identity import LIKELY_SCORE
from pipelines.thresholds import SHARED_INFRASTRUCTURE

DAYS = 90

Row = Mapping[str, Any]


def measures(moments: pl.DataFrame, largest: pl.DataFrame, limit: Row) -> list[dict[str, Any]]:
    """One row per evaluation, as `thresholds.MEASURE`.

    `moments`: rows of the table shared_moment. `largest`: evaluated_on, days, and of the largest
    shared unit then high, low, name, kind, teams. `limit`: the settings of the threshold.
    """
    units = {row["evaluated_on"]: row for row in _of_days(largest, DAYS)}
    parameters = json.dumps(
        {
            **limit,
            "days": DAYS,
            "history_days": DAYS,
            "likely_score": LIKELY_SCORE,
        },
        sort_keys=True,
    )
    return [
        _measure(moment, units.get(moment["evaluated_on"]), limit, parameters)
        for moment in moments.iter_rows(named=True)
    ]


def variants(
    judged: list[dict[str, Any]],
    moments: pl.DataFrame,
    largest: pl.DataFrame,
    connected: pl.DataFrame,
    limit: Row,
) -> list[dict[str, Any]]:
    """The same by other ways to count, as `thresholds.VARIANT`; insufficient as the measure is."""
    by_day = {
        (row["days"], row["evaluated_on"]): row
        for days in (30, 180)
        for row in _of_days(largest, days)
    }
    by_component = {row["evaluated_on"]: row for row in connected.iter_rows(named=True)}
    rows = []
    for measure, moment in zip(judged, moments.iter_rows(named=True), strict=True):
        when, history = moment["evaluated_on"], moment["history_days"]
        found = (
            ("30 days", by_day.get((30, when)), True),
            ("180 days", by_day.get((180, when)), history >= 180),
            ("connected units", by_component.get(when), True),
        )
        for variant, unit, is_known in found:
            is_measured = not measure["missing"] and is_known
            low, high = _bounds(unit) if measure["value"] is not None else (None, None)
            rows.append(
                {
                    "threshold": SHARED_INFRASTRUCTURE,
                    "evaluated_at": moment["evaluated_at"],
                    "variant": variant,
                    "value": high,
                    "ci_low": low,
                    "ci_high": high,
                    "n": moment["people"],
                    "state": _state(low, high, limit["engineers"])
                    if is_measured
                    else "insufficient",
                }
            )
    return rows


def _of_days(largest: pl.DataFrame, days: int) -> Iterator[dict[str, Any]]:
    return largest.filter(pl.col("days") == days).iter_rows(named=True)


def _measure(moment: Row, unit: Row | None, limit: Row, parameters: str) -> dict[str, Any]:
    missing = list(_missing(moment, limit))
    # Without any service on a known unit there is nothing to count, not even nobody.
    low, high = _bounds(unit) if moment["with_unit"] else (None, None)
    state = "insufficient" if missing else _state(low, high, limit["engineers"])
    is_close = state == "insufficient" and not missing
    return {
        "threshold": SHARED_INFRASTRUCTURE,
        "evaluated_at": moment["evaluated_at"],
        "value": high,
        "unit": "engineers",
        "ci_low": low,
        "ci_high": high,
        "threshold_value": float(limit["engineers"]),
        "n": moment["people"],
        "measured_state": state,
        "direction": "above" if is_close else None,
        "reason": _reason(unit, missing, limit, is_close=is_close),
        "missing": missing,
        "evidence": None
        if missing or unit is not None
        else f"no unit is used by {limit['teams']} teams or more",
        "coverage": _coverage(moment),
        "coverage_text": _coverage_text(moment),
        "parameters": parameters,
    }


def _bounds(unit: Row | None) -> tuple[float, float]:
    """As few and as many engineers as the largest shared unit may have; none where none is."""
    return (0.0, 0.0) if unit is None else (float(unit["low"]), float(unit["high"]))


def _state(low: float | None, high: float | None, engineers: int) -> str:
    if low is None or high is None:
        return "insufficient"
    if low >= engineers:
        return "crossed"
    return "clear" if high < engineers else "insufficient"


def _missing(moment: Row, limit: Row) -> Iterator[str]:
    """What is not known well enough, in plain words."""
    if not moment["people"]:
        yield "changes or production deployments by people in the 90 days before"
        return
    if moment["history_days"] < DAYS:
        yield f"90 days of history (there are {moment['history_days']})"
    services = moment["production"]
    if not services:
        yield "deployments to production in the 90 days before"
    elif not moment["with_unit"] or moment["mapped"] < limit["least_mapped"] * services:
        if moment["with_unit"] < services:
            yield f"what {services - moment['with_unit']} of {services} production services run on"
        if moment["with_owner"] < services:
            yield f"the team of {services - moment['with_owner']} of {services} production services"
    if moment["unresolved"] > limit["most_unresolved"] * moment["accounts"]:
        yield f"who is behind {moment['unresolved']} of {moment['accounts']} active accounts"
    if moment["anonymous"] > limit["most_unresolved"] * moment["changes"]:
        yield f"who wrote {moment['anonymous']} of {moment['changes']} changes"


def _reason(unit: Row | None, missing: list[str], limit: Row, *, is_close: bool) -> str:
    if missing:
        return f"Not known well enough: {'; '.join(missing)}."
    if unit is None:
        return f"No unit is used by {limit['teams']} teams or more, so nobody shares any."
    where = f"the {unit['kind']} {unit['name']}, shared by {unit['teams']} teams"
    least = "" if unit["low"] == unit["high"] else f" (at least {unit['low']})"
    if is_close:
        return (
            f"Between {unit['low']} and {unit['high']} engineers work on {where}: whether that is "
            f"{limit['engineers']} depends on which accounts are one person."
        )
    return (
        f"{unit['high']}{least} engineers work on {where}; the threshold is {limit['engineers']}."
    )


def _coverage(moment: Row) -> float | None:
    shares = (
        (moment["mapped"], moment["production"]),
        (moment["accounts"] - moment["unresolved"], moment["accounts"]),
        (moment["changes"] - moment["anonymous"], moment["changes"]),
    )
    known = [part / whole for part, whole in shares if whole]
    return min(known) if known else None


def _coverage_text(moment: Row) -> str:
    return (
        f"{moment['mapped']} of {moment['production']} production services with unit and team, "
        f"{moment['accounts'] - moment['unresolved']} of {moment['accounts']} active accounts "
        "linked to a person"
    )
