"""What people were shown: an append-only log of verdicts, apart from the history made anew."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.decisions import Choice, DecisionError, history, in_force, record
from pipelines.landing import LandingError

KIND = "verdict_shown"


@dataclass(frozen=True, slots=True)
class VerdictShown:
    """A verdict as it was shown: of which evaluation, and its words as JSON."""

    subject: str
    value: str


def shown(verdict: Mapping[str, Any]) -> VerdictShown:
    """The log entry of a row of `verdict`."""
    kept = {name: verdict[name] for name in ("answer", "sentence", "crossed", "versions")}
    return VerdictShown(
        verdict["evaluated_on"].isoformat(), json.dumps(kept, ensure_ascii=False, sort_keys=True)
    )


def note(data: Path, verdict: VerdictShown, *, author: str | None, now: datetime) -> str | None:
    """Append it to the landing of a data folder, unless it is what was noted last of it.

    Gives why it could not be noted, if so: an answer that can be read is worth more than a
    complete log of its readers.
    """
    try:
        before = in_force(history(data), KIND).get(verdict.subject)
        if before is None or before.value != verdict.value:
            record(data, [Choice(KIND, verdict.subject, verdict.value)], author=author, now=now)
    except (OSError, sqlite3.Error, LandingError, DecisionError) as error:
        return f"what was shown was not noted: {error}"
    return None
