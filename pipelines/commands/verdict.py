"""`leadline verdict`: the answer on the command line."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.commands.console import note, say
from pipelines.commands.options import AsJson
from pipelines.commands.tables import open_build, plain

if TYPE_CHECKING:
    from pipelines.report import Report


def run(
    as_json: AsJson = False,
) -> None:
    """Tell whether platform engineering is indicated, with the four thresholds.

    The exit code says whether the command worked, never what the answer is.
    """
    from pipelines.report import read

    connection = open_build()
    try:
        report = read(connection)
    finally:
        connection.close()
    say(json.dumps(_record(report), ensure_ascii=False, indent=2) if as_json else _text(report))
    note_shown(report.verdict)


def note_shown(verdict: Mapping[str, Any] | None) -> None:
    """Note in landing that a verdict was shown, once; who showed it is the user."""
    if verdict is None:
        return
    from datetime import UTC, datetime

    from pipelines import verdict_log
    from pipelines.settings import load

    settings = load()
    trouble = verdict_log.note(
        settings.data,
        verdict_log.shown(verdict),
        author=settings.operation.author,
        now=datetime.now(UTC),
    )
    if trouble is not None:
        note(trouble)


def _record(report: "Report") -> dict[str, Any]:
    """The verdict as JSON has it; without one, an answer of null."""
    build = {"as_of": plain(report.as_of), "built_at": plain(report.built_at)}
    if report.verdict is None:
        return {"answer": None, "build": build, "thresholds": []}
    parsed = {name: json.loads(report.verdict[name]) for name in ("parameters", "versions")}
    thresholds = [
        {name: plain(value) for name, value in row.items() if name != "parameters"}
        for row in report.today
    ]
    told = {name: plain(value) for name, value in report.verdict.items()}
    return {**told, **parsed, "build": build, "thresholds": thresholds}


def _text(report: "Report") -> str:
    from pipelines import threshold_words, verdict_words

    verdict = report.verdict
    if verdict is None:
        return f"{verdict_words.NO_VERDICT}. {verdict_words.NO_EVALUATION}"
    lines = [f"{verdict['sentence']}.", verdict_words.sure(verdict), ""]
    for row in report.today:
        sign = threshold_words.SIGNS[row["state"]]
        lines.append(f"{sign:<3} {row['title']}: {threshold_words.since(row)}")
        lines.append(f"    {threshold_words.detail(row)}")
        lines += [f"    {name}: {known}" for name, known in threshold_words.confidence(row)]
    lines += ["", *verdict["warnings"]] if verdict["warnings"] else []
    if verdict["size"] is not None:
        lines += ["", f"At {verdict['engineers']:,} engineers: {verdict['advice']}"]
        lines += [f"Avoid: {verdict['avoid']}"]
    if verdict["missing"]:
        lines += ["", "Missing:", *(f"··· {each}" for each in verdict["missing"])]
    return "\n".join(_printable(line) for line in lines)


def _printable(line: str) -> str:
    """A line without signs that would steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in line)
