"""How settings become rows that models can look things up by."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl


def frame(schema: Mapping[str, Any], rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    """Rows under a schema; typed also where there are none."""
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def handle(account: str) -> str:
    """How an account named in the settings is looked up: e-mail addresses only as a digest."""
    folded = account.strip().casefold()
    if "@" in folded:
        return "email:" + hashlib.sha256(folded.encode()).hexdigest()
    return folded


def glob_pattern(glob: str) -> str:
    """A name of the settings as a regular expression: * matches anything."""
    return ".*".join(re.escape(part) for part in glob.casefold().split("*"))
