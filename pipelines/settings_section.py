"""What every table of the settings file has in common."""

import re

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the settings file: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def regular_expression(value: str | None) -> str | None:
    """The same text; raises where it is no regular expression that the models can run."""
    if value is None:
        return None
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from error
    _check_runs(value)
    return value


def _check_runs(value: str) -> None:
    """DuckDB's expressions take linear time, and know no look-around and no back-references."""
    import duckdb

    try:
        duckdb.execute("select regexp_matches('', $pattern)", {"pattern": value}).fetchall()
    except duckdb.Error as error:
        told = str(error).partition(": ")[2].strip() or str(error)
        raise ValueError(f"this regular expression cannot be used: {told}") from error
