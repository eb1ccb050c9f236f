"""The definitions beside the numbers: words, parameters and the very SQL that ran."""

import polars as pl

from pipelines.metric_definitions import DEFINITIONS

TABLES = {
    "definition": """
        One row per metric and version: its words, its parameters and the SQL that ran.
        key: name, version
        not null: title, words, sql
    """
}

INPUTS: dict[str, str] = {}


def model() -> dict[str, pl.DataFrame]:
    """Put the definitions together with the text of their models."""
    from pipelines.catalog import text_of

    rows = [
        (d.name, d.version, d.title, d.words, d.parameters, text_of(d.model)) for d in DEFINITIONS
    ]
    schema = {
        "name": pl.String,
        "version": pl.Int64,
        "title": pl.String,
        "words": pl.String,
        "parameters": pl.String,
        "sql": pl.String,
    }
    return {"definition": pl.DataFrame(rows, schema=schema, orient="row")}
