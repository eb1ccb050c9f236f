"""The states of the four thresholds over time, and the verdict they give."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from pipelines.thresholds import NEEDS, TITLES
from pipelines.verdict import (
    CLEAR,
    CROSSED,
    INSUFFICIENT,
    TRENDING,
    Measured,
    State,
    answer,
    changed_by,
    first_sufficient,
    is_by_headcount_only,
    sensitivity,
    size,
    states,
)
from pipelines.verdict_words import flip, sensitivity_text, sentence, standing_text, warnings

TABLES = {
    "threshold_state": """
        One row per threshold and evaluation, from the first evaluation at which any threshold
        could be judged: its state after hysteresis, hold and forecast, and how sure it is. value,
        unit, ci_low, ci_high, threshold_value, n: as measured at measured_at, which is earlier
        than evaluated_at only where crossed is held for want of data. since: the first evaluation
        of this state in one go. standing: why the state is not that of the measure. sensitivity:
        whether alternative definitions give the same. trend: when it will be crossed, or why that
        is not known. parameters: JSON.
        key: threshold, evaluated_at
        not null: evaluated_on, title, state, measured_state, since, measured_at, reason, missing
        check: threshold in ('setup_time', 'shared_infrastructure', 'configuration', 'requests')
        check: state in ('crossed', 'trending', 'clear', 'not applicable', 'insufficient')
        check: standing is null or standing in ('entering', 'leaving', 'held')
        check: sensitivity is null or sensitivity in ('holds', 'unsure', 'flips')
        check: since <= evaluated_at and measured_at <= evaluated_at
        check: measured_at = evaluated_at or standing = 'held'
        check: state <> 'crossed' or measured_state = 'crossed' or standing is not null
        check: state not in ('clear', 'trending') or measured_state in ('clear', 'trending')
    """,
    "verdict": """
        One row per evaluation, oldest first: the answer, in one sentence, and what to do. crossed,
        trending, insufficient: the thresholds of these states; warnings: sentences to know beside
        the answer; missing: what to connect, as threshold and thing. flips: which answer it
        would be under which other definitions. size, advice, avoid: by the number of engineers.
        parameters, versions: JSON. The last row is the verdict of today.
        key: evaluated_at
        not null: evaluated_on, next_evaluation_on, answer, sentence, since, crossed, trending
        not null: insufficient, warnings, missing, flips, is_headcount_only, parameters, versions
        check: answer in ('platform engineering', 'devops', 'undecided')
        check: (answer = 'platform engineering') = (len(crossed) > 0)
        check: answer <> 'devops' or len(insufficient) = 0
        check: answer <> 'undecided' or len(insufficient) > 0
        check: (engineers is null) = (advice is null)
        check: since <= evaluated_at
    """,
}

INPUTS = {
    "evaluations": "select evaluated_on, evaluated_at from input.evaluation",
    "measures": "select * from threshold_measure",
    "variants": "select threshold, evaluated_at, variant, state from threshold_variant",
    "forecasts": """
        select threshold, evaluated_at, weeks, horizon, probability, weeks_low, weeks_middle,
            weeks_high, is_warned, words, reason as no_forecast
        from threshold_forecast
    """,
    "engineers": "select evaluated_at, engineers from engineer_count",
}

EVERY = timedelta(weeks=4)

_INSTANT = pl.Datetime("us", "UTC")
_TEXTS = pl.List(pl.String)
_STATE: Mapping[str, Any] = {
    "threshold": pl.String,
    "evaluated_at": _INSTANT,
    "evaluated_on": pl.Date,
    "title": pl.String,
    "state": pl.String,
    "measured_state": pl.String,
    "since": _INSTANT,
    "since_on": pl.Date,
    "standing": pl.String,
    "standing_text": pl.String,
    "measured_at": _INSTANT,
    "measured_on": pl.Date,
    "value": pl.Float64,
    "unit": pl.String,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "threshold_value": pl.Float64,
    "n": pl.Int64,
    "direction": pl.String,
    "reason": pl.String,
    "evidence": pl.String,
    "missing": _TEXTS,
    "coverage": pl.Float64,
    "coverage_text": pl.String,
    "sensitivity": pl.String,
    "sensitivity_text": pl.String,
    "trend": pl.String,
    "probability": pl.Float64,
    "weeks_low": pl.Float64,
    "weeks_middle": pl.Float64,
    "weeks_high": pl.Float64,
    "horizon": pl.Int64,
    "parameters": pl.String,
}
_VERDICT: Mapping[str, Any] = {
    "evaluated_at": _INSTANT,
    "evaluated_on": pl.Date,
    "next_evaluation_on": pl.Date,
    "answer": pl.String,
    "sentence": pl.String,
    "since": _INSTANT,
    "since_on": pl.Date,
    "crossed": _TEXTS,
    "trending": _TEXTS,
    "insufficient": _TEXTS,
    "is_headcount_only": pl.Boolean,
    "warnings": _TEXTS,
    "missing": _TEXTS,
    "flips": _TEXTS,
    "engineers": pl.Int64,
    "size": pl.String,
    "advice": pl.String,
    "avoid": pl.String,
    "parameters": pl.String,
    "versions": pl.String,
}
_SHOWN = ("value", "unit", "ci_low", "ci_high", "threshold_value", "n", "direction")


def model(
    evaluations: pl.DataFrame,
    measures: pl.DataFrame,
    variants: pl.DataFrame,
    forecasts: pl.DataFrame,
    engineers: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Replay every evaluation, and give the states and verdicts from the first sufficient one."""
    rows = {threshold: _rows(threshold, evaluations, measures, forecasts) for threshold in TITLES}
    histories = {
        threshold: [
            Measured(
                row["evaluated_at"],
                row["measured_state"],
                # What is measured without something it needs is not measured.
                None if row["missing"] else row["direction"],
                is_warned=bool(row["is_warned"]),
            )
            for row in found
        ]
        for threshold, found in rows.items()
    }
    alternatives = _alternatives(variants)
    told = {
        threshold: _told(threshold, rows[threshold], states(threshold, history), alternatives)
        for threshold, history in histories.items()
    }
    first = first_sufficient(histories)
    # Where nothing could ever be judged, the last evaluation says what is missing.
    start = max(evaluations.height - 1, 0) if first is None else first
    sizes = dict(engineers.iter_rows())
    verdicts: list[dict[str, Any]] = []
    for place in range(start, evaluations.height):
        now = {threshold: told[threshold][place] for threshold in TITLES}
        own = {threshold: alternatives.get((threshold, _at(now)), {}) for threshold in TITLES}
        verdicts.append(_verdict(now, own, sizes.get(_at(now)), verdicts[-1] if verdicts else None))
    shown = [row for found in told.values() for row in found[start:]]
    return {
        "threshold_state": _table(shown, _STATE),
        "verdict": _table(verdicts, _VERDICT),
    }


def _rows(
    threshold: str, evaluations: pl.DataFrame, measures: pl.DataFrame, forecasts: pl.DataFrame
) -> list[dict[str, Any]]:
    """What was measured and forecast at every evaluation; where nothing was, that it is missing."""
    return (
        evaluations.sort("evaluated_at")
        .join(
            measures.filter(threshold=threshold).drop("threshold"),
            on="evaluated_at",
            how="left",
            maintain_order="left",
        )
        .join(
            forecasts.filter(threshold=threshold).drop("threshold"),
            on="evaluated_at",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            measured_state=pl.col("measured_state").fill_null(INSUFFICIENT),
            reason=pl.col("reason").fill_null("Nothing has measured it."),
            missing=pl.col("missing").fill_null([NEEDS[threshold]]),
        )
        .to_dicts()
    )


def _alternatives(variants: pl.DataFrame) -> dict[tuple[str, Any], dict[str, str]]:
    """The states under alternative definitions, by threshold and moment."""
    found: dict[tuple[str, Any], dict[str, str]] = {}
    for threshold, at, variant, state in variants.sort("variant").iter_rows():
        found.setdefault((threshold, at), {})[variant] = state
    return found


def _told(
    threshold: str,
    rows: Sequence[dict[str, Any]],
    found: Sequence[State],
    alternatives: Mapping[tuple[str, Any], Mapping[str, str]],
) -> list[dict[str, Any]]:
    """The rows of `threshold_state`."""
    at = {row["evaluated_at"]: row for row in rows}
    told = []
    for row, state in zip(rows, found, strict=True):
        measured, since = at[state.measured_at], at[state.since]
        others = alternatives.get((threshold, state.at), {})
        kind = sensitivity(row["measured_state"], others)
        told.append(
            {
                **row,
                **{name: measured[name] for name in _SHOWN},
                "threshold": threshold,
                "title": TITLES[threshold],
                "state": state.name,
                "since": state.since,
                "since_on": since["evaluated_on"],
                "standing": state.standing,
                "standing_text": standing_text(
                    state.standing,
                    measured_on=measured["evaluated_on"],
                    next_on=row["evaluated_on"] + EVERY,
                ),
                "measured_at": state.measured_at,
                "measured_on": measured["evaluated_on"],
                "sensitivity": kind,
                "sensitivity_text": sensitivity_text(row["measured_state"], others, kind),
                "trend": _trend(row),
            }
        )
    return told


def _trend(row: Mapping[str, Any]) -> str | None:
    """When it will be crossed, or why that is not known; what is not clear is not on its way."""
    if row["measured_state"] == CROSSED:
        return "beyond the limit already"
    if row["measured_state"] != CLEAR:
        return None
    return str(row["words"] or row["no_forecast"] or "") or None


def _verdict(
    rows: Mapping[str, dict[str, Any]],
    alternatives: Mapping[str, Mapping[str, str]],
    engineers: int | None,
    before: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The verdict of one evaluation."""
    names = {threshold: row["state"] for threshold, row in rows.items()}
    found = answer(names)
    now = next(iter(rows.values()))
    stays = before is not None and before["answer"] == found
    fitting = size(engineers)
    return {
        "evaluated_at": now["evaluated_at"],
        "evaluated_on": now["evaluated_on"],
        "next_evaluation_on": now["evaluated_on"] + EVERY,
        "answer": found,
        "sentence": sentence(found, rows),
        "since": before["since"] if stays and before else now["evaluated_at"],
        "since_on": before["since_on"] if stays and before else now["evaluated_on"],
        **{
            state: [threshold for threshold, name in names.items() if name == state]
            for state in (CROSSED, TRENDING, INSUFFICIENT)
        },
        "is_headcount_only": is_by_headcount_only(names),
        "warnings": warnings(rows),
        "missing": [
            f"{TITLES[threshold]}: {each}"
            for threshold, row in rows.items()
            if row["state"] == INSUFFICIENT or row["standing"] is not None
            for each in row["missing"]
        ],
        "flips": [
            flip(changed, threshold, variant)
            for threshold, own in alternatives.items()
            for variant, other in own.items()
            if (changed := changed_by(names, threshold, other))
        ],
        "engineers": engineers if fitting else None,
        "size": fitting.name if fitting else None,
        "advice": fitting.do if fitting else None,
        "avoid": fitting.avoid if fitting else None,
        "parameters": json.dumps(
            {
                threshold: json.loads(row["parameters"]) if row["parameters"] else None
                for threshold, row in rows.items()
            },
            sort_keys=True,
        ),
        "versions": json.dumps(_versions(), sort_keys=True),
    }


def _versions() -> dict[str, int]:
    """The versions of the definitions that a verdict rests on: of what it is made from."""
    from pipelines.catalog import models
    from pipelines.metric_definitions import DEFINITIONS

    known = models()
    found, waiting = set(), ["verdict"]
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found.add(name)
            waiting += known[name].depends_on
    return {d.name: d.version for d in DEFINITIONS if d.model in found}


def _at(rows: Mapping[str, dict[str, Any]]) -> Any:
    return next(iter(rows.values()))["evaluated_at"]


def _table(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    kept = [{name: row[name] for name in schema} for row in rows]
    return pl.DataFrame(kept, schema=dict(schema), orient="row").with_columns(
        pl.col(pl.Float64).round_sig_figs(9)
    )
