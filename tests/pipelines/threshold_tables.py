"""Tables of thresholds made by hand: what was measured at each evaluation, and the weeks before."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from pipelines.inputs_frame import frame
from pipelines.thresholds import MEASURE, SHARED_INFRASTRUCTURE, TITLES, VARIANT, WEEK

FIRST = date(2026, 1, 12)
EVERY = timedelta(weeks=4)


def on(ordinal: int) -> date:
    """The Monday of an evaluation; negative: before the first."""
    return FIRST + ordinal * EVERY


def at(ordinal: int) -> datetime:
    """The moment of an evaluation."""
    return datetime.combine(on(ordinal), time(), UTC)


def evaluations(count: int) -> pl.DataFrame:
    """So many evaluations, oldest first."""
    return frame(
        {"evaluated_on": pl.Date, "evaluated_at": pl.Datetime("us", "UTC")},
        [(on(each), at(each)) for each in range(count)],
    )


def measured(threshold: str, state: str, ordinal: int = 0, **more: Any) -> dict[str, Any]:
    """A row of `threshold_measure` that looks like its state."""
    share = {"crossed": 0.7, "clear": 0.3, "trending": 0.3}.get(state)
    if state == "insufficient" and more.get("direction"):
        share = 0.52 if more["direction"] == "above" else 0.48
    scale = {"configuration": 3.0, "shared_infrastructure": 100.0}.get(threshold, 1.0)
    row = {
        "threshold": threshold,
        "evaluated_at": at(ordinal),
        "value": None if share is None else share * scale,
        "unit": "engineers" if threshold == SHARED_INFRASTRUCTURE else "share",
        "ci_low": None if share is None else (share - 0.1) * scale,
        "ci_high": None if share is None else (share + 0.1) * scale,
        "threshold_value": 50.0 if threshold == SHARED_INFRASTRUCTURE else 0.5,
        "n": None if share is None else 20,
        "measured_state": state,
        "direction": None,
        "reason": f"{TITLES[threshold]} is {state}",
        "missing": [f"what {threshold} needs"]
        if state == "insufficient" and not more.get("direction")
        else [],
        "evidence": "nothing of the kind here" if state == "not applicable" else None,
        "coverage": 0.9,
        "coverage_text": "90 % of what there is",
        "parameters": '{"confidence": 0.95}',
    }
    return {**row, **more}


def measures(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Rows under the schema of `threshold_measure`."""
    return pl.DataFrame(list(rows), schema=dict(MEASURE), orient="row")


def history(**states: str) -> pl.DataFrame:
    """What each threshold measured, evaluation by evaluation, one sign each.

    ▲ crossed, ✓ clear, – not applicable, ↗ trending, · something is missing, < and > too close to
    call with the estimate below and above.
    """
    signs: dict[str, dict[str, Any]] = {
        "▲": {"state": "crossed"},
        "✓": {"state": "clear"},
        "–": {"state": "not applicable"},
        "↗": {"state": "trending"},
        "·": {"state": "insufficient"},
        "<": {"state": "insufficient", "direction": "below"},
        ">": {"state": "insufficient", "direction": "above"},
    }
    return measures(
        [
            measured(threshold, ordinal=ordinal, **signs[sign])
            for threshold, line in states.items()
            for ordinal, sign in enumerate(line)
        ]
    )


def variants(rows: Sequence[dict[str, Any]] = ()) -> pl.DataFrame:
    """Rows under the schema of `threshold_variant`."""
    return pl.DataFrame(list(rows), schema=dict(VARIANT), orient="row")


def weeks(threshold: str, values: Sequence[float | None], until: date, **more: Any) -> pl.DataFrame:
    """Weekly values that end with the week before a Monday; None: no row."""
    rows = [
        {
            "threshold": threshold,
            "week": until - timedelta(weeks=len(values) - place),
            "value": value,
            "n": more.get("n", 1000),
            "joins": more["joins"][place] if "joins" in more else None,
            "leaves": more["leaves"][place] if "leaves" in more else None,
        }
        for place, value in enumerate(values)
        if value is not None
    ]
    return pl.DataFrame(rows, schema=dict(WEEK), orient="row")
