"""Drawings of a report as SVG that needs nothing else: strips of states, and a course.

Classes give the colours, so that the document's own style decides; a sign stands wherever a state
begins, so that colour is never alone.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

from pipelines import threshold_words
from pipelines.threshold_words import SIGNS

_WIDTH = 860
_ROW = 44
_BAR = 20
_EVERY = timedelta(weeks=4)


def strips(rows: Sequence[tuple[str, Sequence[str]]], days: Sequence[date]) -> str:
    """Strips of states, one a name, over the days of the evaluations."""
    if not days:
        return ""
    step = _WIDTH / len(days)
    parts = []
    for place, (name, states) in enumerate(rows):
        top = place * _ROW
        parts.append(f'<text class="name" x="0" y="{top + 13}">{escape(name)}</text>')
        for index, state in enumerate(states):
            left = round(index * step, 1)
            told = f"{name}, {threshold_words.day(days[index])}: {threshold_words.in_words(state)}"
            parts.append(
                f'<rect class="{_class(state)}" x="{left}" y="{top + 18}" '
                f'width="{round(step - 1.5, 1)}" height="{_BAR}"><title>{escape(told)}</title>'
                "</rect>"
            )
            if index == 0 or states[index - 1] != state:
                parts.append(
                    f'<text class="sign on-{_class(state)}" x="{left + 3}" y="{top + 33}">'
                    f"{SIGNS[state]}</text>"
                )
    bottom = len(rows) * _ROW + 14
    parts.append(f'<text class="axis" x="0" y="{bottom}">{threshold_words.day(days[0])}</text>')
    last = threshold_words.day(days[-1] + _EVERY)
    parts.append(f'<text class="axis" x="{_WIDTH}" y="{bottom}" text-anchor="end">{last}</text>')
    label = f"States of the verdict and its thresholds at {len(days)} evaluations"
    return (
        f'<svg class="strips" viewBox="0 0 {_WIDTH} {bottom + 6}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def course(values: Sequence[float | None], limit: float | None, *, state: str, label: str) -> str:
    """Values over the evaluations as a line with gaps, the limit dashed; empty without two."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    width, height, margin = 240, 56, 5
    ends = [*known, *([] if limit is None else [limit])]
    low, spread = min(ends), (max(ends) - min(ends)) or 1.0

    def place(value: float) -> float:
        return round(height - margin - (value - low) / spread * (height - 2 * margin), 1)

    path, is_open = "", False
    for index, value in enumerate(values):
        if value is None:
            is_open = False
            continue
        across = round(margin + index * (width - 2 * margin) / (len(values) - 1), 1)
        path += f"{'L' if is_open else 'M'}{across} {place(value)}h.01"
        is_open = True
    rule = "" if limit is None else f'<path class="limit" d="M0 {place(limit)}H{width}"/>'
    return (
        f'<svg class="course {_class(state)}" viewBox="0 0 {width} {height}" role="img" '
        f'preserveAspectRatio="none" aria-label="{escape(label)}">{rule}<path d="{path}"/></svg>'
    )


def _class(state: str) -> str:
    return {"not applicable": "clear", "insufficient": "unknown"}.get(state, state)
