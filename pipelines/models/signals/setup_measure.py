"""Whether setting up a new service takes more than a day: the share, its interval, the state."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from pipelines.estimates import exact_interval
from pipelines.setup_decision import LEAST, WINDOWS, Known, Measure, Share, decide, state_of
from pipelines.thresholds import MEASURE, SETUP_TIME, VARIANT

TABLES = {
    "setup_measure": """
        One row per evaluation: the share of set-ups that took more than one business day, of those
        begun in the 180 days before it (365 where fewer than 6 were decided), and the state.
        key: threshold, evaluated_at
        not null: measured_state, reason, missing
        check: measured_state in ('crossed', 'clear', 'not applicable', 'insufficient')
        check: value is null or value between 0 and 1
        check: coverage is null or coverage between 0 and 1
        check: measured_state <> 'not applicable' or evidence is not null
    """,
    "setup_variant": """
        One row per evaluation and alternative definition of a set-up's length: on the 24-hour
        clock, to the first production deployment, and of the portal's run alone.
        key: threshold, evaluated_at, variant
        not null: state
    """,
}

INPUTS = {
    "counts": """
        select evaluated_at, window_days,
            count(*) as cases,
            count(*) filter (where is_counted) as n,
            count(*) filter (where is_over) as over,
            count(*) filter (where is_counted and (is_over or is_requested)) as sure,
            count(*) filter (where state = 'ready' and elapsed_us <= 86400000000) as quick,
            count(*) filter (where state = 'open') as open_over,
            count(*) filter (where state = 'young') as young,
            count(*) filter (where state = 'unknown') as unknown,
            count(*) filter (where is_requested) as requested,
            count(*) filter (where is_service) as services,
            count(*) filter (where is_service and has_core_sources) as seen,
            count(is_over_24h) as n_24h,
            count(*) filter (where is_over_24h) as over_24h,
            count(is_over_production) as n_production,
            count(*) filter (where is_over_production) as over_production,
            count(is_over_task) as n_task,
            count(*) filter (where is_over_task) as over_task
        from setup_standing
        where window_days > 0
        group by evaluated_at, window_days
    """,
    "evidence": """
        select v.*, k.zone, s.day_us / 3600e6 as day_hours
        from setup_evidence as v
        cross join input.clock as k
        cross join input.setup as s
    """,
    "legs": "select evaluated_at, window_days, leg from setup_leg_use where is_used",
}

_VARIANTS = {
    "24h": "24-hour clock",
    "production": "to the first production deployment",
    "task": "the portal's run alone",
}
_COUNTS = (
    *("cases", "n", "over", "sure", "quick", "open_over", "young", "unknown", "requested"),
    *("services", "seen"),
    *(f"{what}_{name}" for name in _VARIANTS for what in ("n", "over")),
)
_MEASURE = {**MEASURE, "window_days": pl.Int64, "legs": pl.List(pl.String)}
_KEYS = ["evaluated_at", "window_days"]


def model(
    counts: pl.DataFrame, evidence: pl.DataFrame, legs: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Decide each evaluation on its own; nothing of a later moment is known to it."""
    rows = _chosen(counts, evidence, legs)
    bounds = {
        "": exact_interval(rows["over"], rows["n"]),
        "sure": exact_interval(rows["over"], rows["sure"]),
        **{name: exact_interval(rows[f"over_{name}"], rows[f"n_{name}"]) for name in _VARIANTS},
    }
    measures: list[Measure] = []
    variants: list[tuple[object, ...]] = []
    for place, row in enumerate(rows.iter_rows(named=True)):
        shares = {
            name: Share(found["ci_low"][place], found["ci_high"][place])
            for name, found in bounds.items()
        }
        measure = decide(Known(**{name: row[name] for name in Known.__slots__}), shares)
        measures.append(measure)
        variants += _variants(row, measure, shares)
    numbers = ("value", "ci_low", "ci_high")
    return {
        "setup_measure": pl.DataFrame(measures, schema=_MEASURE, orient="row").with_columns(
            pl.col(*numbers, "coverage").round_sig_figs(9)
        ),
        "setup_variant": pl.DataFrame(variants, schema=dict(VARIANT), orient="row").with_columns(
            pl.col(*numbers).round_sig_figs(9)
        ),
    }


def _chosen(counts: pl.DataFrame, evidence: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """One row an evaluation: the shorter window where it decides enough, else the longer."""
    windows = pl.DataFrame({"window_days": list(WINDOWS)})
    used = legs.group_by(_KEYS).agg(optional_legs=pl.col("leg").sort())
    rows = (
        evidence.join(windows, how="cross")
        .join(counts.cast({"window_days": pl.Int64}), on=_KEYS, how="left")
        .join(used.cast({"window_days": pl.Int64}), on=_KEYS, how="left")
        .with_columns(pl.col(name).fill_null(0) for name in _COUNTS)
    )
    is_short = pl.col("window_days") == WINDOWS[0]
    is_enough = (is_short & (pl.col("n") >= LEAST)).any().over("evaluated_at")
    return rows.filter(is_short == is_enough).sort("evaluated_at")


def _variants(
    row: Mapping[str, Any], measure: Measure, shares: Mapping[str, Share]
) -> Iterator[tuple[object, ...]]:
    """What other lengths would say; nothing where none could be measured."""
    # A length that cannot be clear for want of sources cannot be by another definition either.
    may_clear = not measure.missing and measure.measured_state != "insufficient"
    for name, words in _VARIANTS.items():
        n, over = row[f"n_{name}"], row[f"over_{name}"]
        if not n:
            continue
        share = shares[name]
        state = state_of(share, n, may_clear=may_clear)
        if measure.measured_state == "not applicable" or (n < LEAST and over == 0 and may_clear):
            state = measure.measured_state
        yield (SETUP_TIME, measure.evaluated_at, words, over / n, share.low, share.high, n, state)
