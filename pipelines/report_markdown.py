"""The report as Markdown: the same words, and the history as lines of signs."""

import json
import re

from pipelines import threshold_words, verdict_words
from pipelines.report import Report, Row
from pipelines.report_html import ANSWER_STATES
from pipelines.thresholds import TITLES

_SIGNS = {"crossed": "▲", "trending": "↗", "clear": "✓", "not applicable": "✓", "insufficient": "·"}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~$@])")


def markdown(report: Report) -> str:
    """The document."""
    if report.verdict is None:
        return (
            f"# {verdict_words.NO_VERDICT}\n\n{verdict_words.NO_EVALUATION}\n\n"
            f"{_text(verdict_words.footer(report))}\n"
        )
    return "\n".join(_lines(report, report.verdict)) + "\n"


def _lines(report: Report, verdict: Row) -> list[str]:
    day = threshold_words.day(verdict["evaluated_on"])
    first = threshold_words.day(report.verdicts[0]["evaluated_on"])
    return [
        f"# {_text(verdict['sentence'])}",
        "",
        f"{_text(report.organisation)}, evaluated to {day}. {_text(verdict_words.sure(verdict))}.",
        "",
        "## The four thresholds",
        "",
        *(line for row in report.today for line in _threshold(row)),
        *_listed("What to know beside it", verdict["warnings"]),
        "## How it came to this",
        "",
        f"▲ crossed, ↗ trending, ✓ clear, · not enough data; every four weeks from {first}.",
        "",
        "```text",
        *_history(report),
        "```",
        "",
        *_advice(verdict),
        *_listed("What is missing, and what to connect", verdict["missing"]),
        *_parameters(verdict),
        "## Definitions",
        "",
        *(
            line
            for title, words in report.definitions.items()
            for line in (f"### {_text(title)}", "", _text(words), "")
        ),
        _text(verdict_words.footer(report)),
    ]


def _threshold(row: Row) -> list[str]:
    sign = threshold_words.SIGNS[row["state"]]
    told = "no value"
    if row["value"] is not None:
        number, unit = threshold_words.value(row["threshold"], row["value"])
        limit = threshold_words.limit(row["threshold"], row["threshold_value"])
        told = f"{number} {unit}" + (f" ({limit})" if limit else "")
    return [
        f"### {_text(row['title'])}: {sign} {_text(threshold_words.since(row))}",
        "",
        f"**{_text(told)}.** {_text(threshold_words.detail(row))}",
        "",
        *(f"- {name}: {_text(known)}" for name, known in threshold_words.confidence(row)),
        "",
    ]


def _history(report: Report) -> list[str]:
    answers = "".join(_SIGNS[ANSWER_STATES[each["answer"]]] for each in report.verdicts)
    rows = [
        ("Verdict", answers),
        *(
            (TITLES[threshold], "".join(_SIGNS[row["state"]] for row in rows))
            for threshold, rows in report.states.items()
        ),
    ]
    width = max(len(name) for name, _ in rows)
    return [f"{name.ljust(width)}  {signs}" for name, signs in rows]


def _advice(verdict: Row) -> list[str]:
    if verdict["size"] is None:
        return ["## What to do at this size", "", verdict_words.NO_SIZE, ""]
    return [
        "## What to do at this size",
        "",
        f"{verdict_words.size(verdict)}.",
        "",
        f"- Do: {verdict['advice']}",
        f"- Avoid: {verdict['avoid']}",
        f"- {verdict_words.AFTER_A_LAUNCH}",
        "",
    ]


def _listed(title: str, parts: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {_text(part)}" for part in parts), ""] if parts else []


def _parameters(verdict: Row) -> list[str]:
    rows = [
        f"| {TITLES[threshold]} | {_text(name)} | "
        f"{_text(value if isinstance(value, str) else json.dumps(value))} |"
        for threshold, own in json.loads(verdict["parameters"]).items()
        for name, value in (own or {}).items()
    ]
    versions = ", ".join(
        f"{_text(name)} version {version}"
        for name, version in json.loads(verdict["versions"]).items()
    )
    table = ["| threshold | parameter | value |", "| --- | --- | --- |", *rows, ""] if rows else []
    return ["## Parameters and versions", "", *table, f"Definitions: {versions}.", ""]


def _text(text: object) -> str:
    """Text that Markdown shows letter by letter."""
    printable = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return _MARKUP.sub(r"\\\1", printable)
