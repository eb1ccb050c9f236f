"""Where the five metrics stand among the bins of the report that the settings choose."""

import polars as pl

from pipelines.references import HEADLINES, OPEN, places, reports

TABLES = {
    "metric_reference": """
        One row per headline variant of the five metrics, entity, environment and trailing period:
        the bin of its value and of both ends of its interval, and how many per cent of the
        respondents (from, to) a value in this bin does better than. An end that is open has the
        bin "open". The rework rate's interval runs from known to known and unknown together.
        key: metric, variant, entity_type, entity_id, environment, period
        not null: report_year, source
        check: (label is null) <> (reason is null)
        check: (label is null) = (label_low is null) and (label is null) = (label_high is null)
    """
}

INPUTS = {
    "chosen": "select report_year from input.measure",
    "headlines": """
        select m.metric, m.variant, m.entity_type, m.entity_id, m.environment, m.period, m.value,
            m.ci_low, case when m.metric = 'deployment_rework_rate' then u.ci_high
                else m.ci_high end as ci_high, m.reason
        from metric as m
        left join metric as u on u.metric = 'deployment_rework_rate' and u.variant = 'possible'
            and m.metric = u.metric and u.entity_type = m.entity_type
            and u.entity_id = m.entity_id and u.environment = m.environment
            and u.period = m.period and u.period_start = m.period_start
        where m.period <> 'week'
    """,
}

_KEY = ["metric", "variant", "entity_type", "entity_id", "environment", "period"]


def model(chosen: pl.DataFrame, headlines: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Place values and the ends of their intervals, metric by metric."""
    report = reports()[int(chosen["report_year"][0])]
    parts = [
        _placed(headlines, report.year, metric, variant) for metric, variant in HEADLINES.items()
    ]
    rows = pl.concat(parts).with_columns(
        report_year=pl.lit(report.year, pl.Int64),
        source=pl.lit(report.source),
        note=pl.lit(report.note),
    )
    return {"metric_reference": rows.sort(_KEY)}


def _placed(headlines: pl.DataFrame, year: int, metric: str, variant: str) -> pl.DataFrame:
    rows = headlines.filter(metric=metric, variant=variant)
    value, low, high = (
        places(year, metric, rows[end]).select(pl.all().name.prefix(f"{end}_"))
        for end in ("value", "ci_low", "ci_high")
    )
    shown = pl.col("value_label").is_not_null()
    missing = pl.lit(f"the report of {year} has no reference for this metric")
    return pl.concat([rows, value, low, high], how="horizontal").select(
        *_KEY,
        label="value_label",
        label_low=pl.when(shown).then(pl.col("ci_low_label").fill_null(OPEN)),
        label_high=pl.when(shown).then(pl.col("ci_high_label").fill_null(OPEN)),
        percentile_low="value_percentile_low",
        percentile_high="value_percentile_high",
        reason="reason" if metric in reports()[year].bins else missing,
    )
