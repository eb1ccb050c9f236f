"""The published references as a table, for charts and for reading beside the numbers."""

import polars as pl

from pipelines.references import bin_frame

TABLES = {
    "reference_bin": """
        One row per report, metric and bin, best bin first: its edges in the unit of the metric
        (low ≤ value < high; no high: open), the share of respondents who gave this answer, and
        which part of them a value in it does better than. Legacy reports have the tiers of this
        metric alone and no shares; stretches that no cell covers are bins of their own.
        key: report_year, metric, ordinal
        not null: label, low, unit, source
        check: high is null or low < high
    """
}

INPUTS: dict[str, str] = {}


def model() -> dict[str, pl.DataFrame]:
    """Put the reports' tables into rows."""
    return {"reference_bin": bin_frame()}
