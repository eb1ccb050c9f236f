"""Verdicts for pages, made by the product's own model from measures written by hand."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.inputs_frame import frame
from pipelines.models.marts.verdict import model
from pipelines.models.signals.threshold_forecast import model as forecast
from pipelines.thresholds import (
    CONFIGURATION,
    MEASURE,
    REQUESTS,
    SETUP_TIME,
    SHARED_INFRASTRUCTURE,
    VARIANT,
    WEEK,
)

LAST = date(2026, 11, 16)
EVERY = timedelta(weeks=4)
COUNT = 26
_OWN = ["threshold", "evaluated_at", "value", "threshold_value", "measured_state"]


def tables(hostile: str | None = None) -> dict[str, pl.DataFrame]:
    """Two thresholds crossed, one on its way, one without an audit; two years of them."""
    days = [LAST - EVERY * (COUNT - 1 - place) for place in range(COUNT)]
    rows = [
        row
        for place, day in enumerate(days)
        for row in (
            _setup(place, day),
            _shared(place, day, hostile),
            _configuration(day),
            _requests(place, day, hostile),
        )
    ]
    others = [
        {
            "threshold": SETUP_TIME,
            "evaluated_at": _at(LAST),
            "variant": variant,
            "value": 0.8,
            "n": 14,
            "state": "crossed",
        }
        for variant in ("24-hour clock", "to the first production deployment")
    ]
    return _made(days, rows, others)


def no_tables() -> dict[str, pl.DataFrame]:
    """The same tables without a row."""
    return _made([], [], [])


def _made(
    days: list[date], rows: list[dict[str, Any]], others: list[dict[str, Any]]
) -> dict[str, pl.DataFrame]:
    asked = frame(
        {"evaluated_on": pl.Date, "evaluated_at": pl.Datetime("us", "UTC")},
        [(day, _at(day)) for day in days],
    )
    measures = pl.DataFrame(rows, schema=dict(MEASURE), orient="row")
    forecasts = forecast(asked, measures.select(_OWN), _weeks())["threshold_forecast"]
    variants = pl.DataFrame(others, schema=dict(VARIANT), orient="row")
    return model(
        asked,
        measures,
        variants.select("threshold", "evaluated_at", "variant", "state"),
        forecasts.drop("slope", "is_likely").rename({"reason": "no_forecast"}),
        asked.select("evaluated_at", engineers=pl.lit(46, pl.Int64)),
    )


def _at(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo("Europe/Berlin"))


def _setup(place: int, day: date) -> dict[str, Any]:
    share = 0.42 + 0.018 * place
    low, high = max(share - 0.2, 0.05), min(share + 0.14, 0.98)
    state = "crossed" if low > 0.5 else "insufficient"
    return _row(
        SETUP_TIME,
        day,
        value=share,
        unit="share",
        ci_low=low,
        ci_high=high,
        threshold_value=0.5,
        n=14,
        measured_state=state,
        direction=None if state == "crossed" else ("above" if share > 0.5 else "below"),
        reason="12 of 14 new services took more than a working day of 8 hours to be ready; half of "
        "them more than 6.5 working days.",
        coverage=0.93,
        coverage_text="13 of 14 new services with requests, pipelines and deployments in sight",
        parameters='{"confidence": 0.95, "window_days": 180, "working_day_hours": 8}',
    )


def _shared(place: int, day: date, hostile: str | None) -> dict[str, Any]:
    engineers = 21 + place
    return _row(
        SHARED_INFRASTRUCTURE,
        day,
        value=float(engineers),
        unit="engineers",
        ci_low=engineers - 2.0,
        ci_high=engineers + 1.0,
        threshold_value=50.0,
        n=engineers,
        measured_state="clear",
        reason=f"{engineers} engineers work on services of the cluster {hostile or 'prod-eu'}.",
        coverage=0.95,
        coverage_text="95 % of production services mapped to what they run on",
        parameters='{"days": 90, "limit": 50}',
    )


def _configuration(day: date) -> dict[str, Any]:
    return _row(
        CONFIGURATION,
        day,
        unit="audits",
        threshold_value=2.0,
        measured_state="insufficient",
        reason="No audit in the last 12 months.",
        missing=["an audit register, or the results of a scanner over at least 80 % of teams"],
    )


def _requests(place: int, day: date, hostile: str | None) -> dict[str, Any]:
    if place < 6:
        return _row(
            REQUESTS,
            day,
            unit="share",
            threshold_value=0.5,
            measured_state="insufficient",
            reason="The tickets of the infrastructure team do not reach back so far.",
            missing=["tickets of the infrastructure team"],
        )
    share = 0.36 + 0.0125 * (place - 6) + (0.02 if place % 3 == 0 else 0)
    low, high = share - 0.06, share + 0.06
    is_close = low <= 0.5 <= high
    return _row(
        REQUESTS,
        day,
        value=share,
        unit="share",
        ci_low=low,
        ci_high=high,
        threshold_value=0.5,
        n=13,
        measured_state="insufficient" if is_close else "crossed" if low > 0.5 else "clear",
        direction=("above" if share > 0.5 else "below") if is_close else None,
        reason=f"{share:.0%} of the hours of {hostile or 'the infrastructure team'} went to "
        "requests of others in 13 weeks.",
        coverage=0.82,
        coverage_text="82 % of hours classified, 71 % of working time tracked",
        parameters='{"weeks": 13, "confidence": 0.95}',
    )


def _row(threshold: str, day: date, **more: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(MEASURE),
        "threshold": threshold,
        "evaluated_at": _at(day),
        "missing": [],
        **more,
    }


def _weeks() -> pl.DataFrame:
    """An engineer more in three of four weeks; requests a little more every week."""
    rows: list[tuple[object, ...]] = []
    for age in range(1, COUNT * 4):
        week = LAST - timedelta(weeks=age)
        joins, leaves = (1 if age % 4 else 0), (1 if age % 4 == 3 else 0)
        rows.append((SHARED_INFRASTRUCTURE, week, 46.0 - age / 4, 46, joins, leaves))
        wave = 0.03 if age % 2 else -0.03
        rows.append((REQUESTS, week, 0.6 - age * 0.003 + wave, 400, None, None))
    return pl.DataFrame(rows, schema=dict(WEEK), orient="row")
