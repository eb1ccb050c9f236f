"""What people were shown: an append-only log of verdicts, apart from the history made anew."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.decisions import Choice
from pipelines.decisions import record as record_decisions

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


def record(data: Path, verdict: VerdictShown, *, author: str | None, now: datetime) -> None:
    """Append it to the landing of a data folder."""
    record_decisions(data, [Choice(KIND, verdict.subject, verdict.value)], author=author, now=now)
