"""The report as one HTML document: no scripts, no links to anything outside, light and dark."""

import json
from html import escape

from pipelines import report_drawings, threshold_words, verdict_words
from pipelines.report import Report, Row
from pipelines.thresholds import TITLES

ANSWER_STATES = {
    "platform engineering": "crossed",
    "devops": "clear",
    "undecided": "insufficient",
}

_STYLE = """
:root { color-scheme: light dark;
  --ground: light-dark(#FBFBF9, #0F171E); --raised: light-dark(#F1F3F2, #17212B);
  --line: light-dark(#D9DEDD, #2A3742); --text: light-dark(#17212B, #E6EBEF);
  --muted: light-dark(#56646F, #9FB0BC); --crossed: light-dark(#B83A26, #F08A76);
  --trending: light-dark(#96600F, #E3B04B); --clear: light-dark(#26744A, #6CC495);
  --unknown: light-dark(#5A6B78, #9FB0BC); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 64rem; background: var(--ground);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: .3rem 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .3rem 0; }
.muted, .eyebrow { color: var(--muted); font-size: .95rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr));
  margin-top: 1.2rem; }
.card { border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem;
  break-inside: avoid; min-width: 0; overflow-wrap: anywhere; }
.state { font-weight: 600; font-size: .95rem; }
.state.crossed { color: var(--crossed); } .state.trending { color: var(--trending); }
.state.clear { color: var(--clear); } .state.unknown { color: var(--unknown); }
.value { font-size: 1.9rem; font-weight: 600; line-height: 1.2; margin-top: .4rem; }
.value small { font-size: .95rem; font-weight: 400; color: var(--muted); }
dl { margin: .6rem 0 0; border-top: 1px solid var(--line); padding-top: .5rem; font-size: .88rem; }
dt { color: var(--muted); } dd { margin: 0 0 .3rem; }
svg { display: block; width: 100%; height: auto; }
svg.course { height: 3.5rem; margin-top: .6rem; color: var(--unknown); }
svg.course.crossed { color: var(--crossed); } svg.course.trending { color: var(--trending); }
svg.course.clear { color: var(--clear); }
svg.course path { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round;
  stroke-linecap: round; vector-effect: non-scaling-stroke; }
svg.course path.limit { stroke-width: 1.2; stroke-dasharray: 4 3; }
svg.strips { min-width: 40rem; }
.scroll { overflow-x: auto; }
svg.strips text { font: 13px system-ui, sans-serif; fill: var(--text); }
svg.strips text.axis { fill: var(--muted); }
svg.strips text.sign { font-weight: 700; font-size: 12px; fill: var(--ground); }
svg.strips text.sign.on-unknown { fill: var(--text); }
svg.strips rect.crossed { fill: var(--crossed); }
svg.strips rect.trending { fill: var(--trending); }
svg.strips rect.clear { fill: var(--clear); }
svg.strips rect.unknown { fill: none; stroke: var(--unknown); stroke-dasharray: 2 2; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--muted); font-weight: 400; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem; }
@media print { body { padding: 0; max-width: none; } }
"""
_LEGEND = (
    "▲ crossed, ↗ trending, ✓ clear, dashed: not enough data. Replayed with what was known at each "
    "evaluation."
)
# Not even a forgotten link could load anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(report: Report) -> str:
    """The document."""
    title = f"Verdict · {report.organisation}"
    body = _nothing(report) if report.verdict is None else _told(report, report.verdict)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n{_footer(report)}\n</body>\n</html>\n"
    )


def _nothing(report: Report) -> str:
    return (
        f'<p class="eyebrow">Verdict · {_text(report.organisation)}</p>'
        f"<h1>{_text(verdict_words.NO_VERDICT)}</h1><p>{_text(verdict_words.NO_EVALUATION)}</p>"
    )


def _told(report: Report, verdict: Row) -> str:
    day = threshold_words.day(verdict["evaluated_on"])
    return "\n".join(
        [
            f'<p class="eyebrow">Verdict · {_text(report.organisation)} · evaluated to {day}</p>',
            f"<h1>{_text(verdict['sentence'])}</h1>",
            f'<p class="muted">{_text(verdict_words.sure(verdict))}</p>',
            f'<div class="cards">{"".join(_card(report, row) for row in report.today)}</div>',
            _listed("What to know beside it", verdict["warnings"]),
            "<h2>How it came to this</h2>",
            f'<p class="muted">{_LEGEND}</p>',
            f'<div class="scroll">{_strips(report)}</div>',
            _advice(verdict),
            _listed("What is missing, and what to connect", verdict["missing"]),
            _parameters(verdict),
            "<h2>Definitions</h2>",
            *(
                f"<h3>{_text(title)}</h3><p>{_text(words)}</p>"
                for title, words in report.definitions.items()
            ),
        ]
    )


def _card(report: Report, row: Row) -> str:
    threshold, state = row["threshold"], row["state"]
    shown = {"not applicable": "clear", "insufficient": "unknown"}.get(state, state)
    told = '<p class="value"><small>no value</small></p>'
    if row["value"] is not None:
        number, unit = threshold_words.value(threshold, row["value"])
        limit = threshold_words.limit(threshold, row["threshold_value"]) or ""
        told = (
            f'<p class="value">{_text(number)} <small>{_text(unit)}</small></p>'
            f'<p class="muted">{_text(limit)}</p>'
        )
    terms = "".join(
        f"<dt>{_text(name)}</dt><dd>{_text(known)}</dd>"
        for name, known in threshold_words.confidence(row)
    )
    drawing = report_drawings.course(
        [each["value"] for each in report.states[threshold]],
        row["threshold_value"],
        state=state,
        label=f"{row['title']}: its value at each evaluation, the limit dashed",
    )
    return (
        f'<section class="card"><h3>{_text(row["title"])}</h3>'
        f'<p class="state {shown}">{threshold_words.SIGNS[state]} '
        f"{_text(threshold_words.since(row))}</p>{told}"
        f"<p>{_text(threshold_words.detail(row))}</p>{drawing}<dl>{terms}</dl></section>"
    )


def _strips(report: Report) -> str:
    answers = [ANSWER_STATES[each["answer"]] for each in report.verdicts]
    rows = [
        ("Verdict", answers),
        *(
            (TITLES[threshold], [row["state"] for row in rows])
            for threshold, rows in report.states.items()
        ),
    ]
    return report_drawings.strips(rows, [each["evaluated_on"] for each in report.verdicts])


def _advice(verdict: Row) -> str:
    title = "<h2>What to do at this size</h2>"
    if verdict["size"] is None:
        return f"{title}<p>{_text(verdict_words.NO_SIZE)}</p>"
    return (
        f'{title}<p class="muted">{_text(verdict_words.size(verdict))}</p>'
        f"<p><b>Do:</b> {_text(verdict['advice'])}</p>"
        f"<p><b>Avoid:</b> {_text(verdict['avoid'])}</p>"
        f"<p>{_text(verdict_words.AFTER_A_LAUNCH)}</p>"
    )


def _listed(title: str, parts: list[str]) -> str:
    if not parts:
        return ""
    return f"<h2>{title}</h2><ul>{''.join(f'<li>{_text(part)}</li>' for part in parts)}</ul>"


def _parameters(verdict: Row) -> str:
    rows = "".join(
        f"<tr><td>{_text(TITLES[threshold])}</td><td>{_text(name)}</td>"
        f"<td>{_text(value if isinstance(value, str) else json.dumps(value))}</td></tr>"
        for threshold, own in json.loads(verdict["parameters"]).items()
        for name, value in (own or {}).items()
    )
    versions = ", ".join(
        f"{name} version {version}" for name, version in json.loads(verdict["versions"]).items()
    )
    table = (
        f"<table><tr><th>threshold</th><th>parameter</th><th>value</th></tr>{rows}</table>"
        if rows
        else "<p>No threshold was measured, so there are no parameters.</p>"
    )
    return (
        f"<h2>Parameters and versions</h2>{table}"
        f'<p class="muted">Definitions: {_text(versions)}</p>'
    )


def _footer(report: Report) -> str:
    return f"<footer><p class='muted'>{_text(verdict_words.footer(report))}</p></footer>"


def _text(text: object) -> str:
    """Text that stays text: escaped, without signs that are no letters."""
    return escape("".join(sign if sign.isprintable() else " " for sign in str(text)))
