"""Cards of thresholds: state, value, limit, course, and the three things that say how sure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import polars as pl
import streamlit as st

from dashboards import words
from dashboards.palette import palette
from pipelines import threshold_words

_WIDTH: Final = 220
_HEIGHT: Final = 48
_MARGIN: Final = 5
_CLASSES: Final = {
    "crossed": "crossed",
    "trending": "trending",
    "clear": "clear",
    "not applicable": "clear",
    "insufficient": "unknown",
}


def show(rows: Sequence[Mapping[str, Any]], states: pl.DataFrame) -> None:
    """Show one card a threshold side by side, stacked on a phone, their parts on one height."""
    cards = [_card(row, states.filter(threshold=row["threshold"])) for row in rows]
    st.html(f'{_style()}<div class="ll-thresholds">{"".join(cards)}</div>')


def state_class(state: str) -> str:
    """Return the class that gives a state its colour; its sign and word say it too."""
    return f"ll-state-{_CLASSES[state]}"


def course(values: Sequence[float | None], limit: float | None) -> str | None:
    """Return values over the evaluations as an SVG line with the limit dashed; None without two."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    ends = [*known, *([limit] if limit is not None else [])]
    low, high = min(ends), max(ends)
    spread = (high - low) or 1.0

    def place(value: float) -> float:
        return round(_HEIGHT - _MARGIN - (value - low) / spread * (_HEIGHT - 2 * _MARGIN), 1)

    path, is_open = "", False
    step = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    for index, value in enumerate(values):
        if value is None:
            is_open = False
            continue
        path += f"{'L' if is_open else 'M'}{round(_MARGIN + index * step, 1)} {place(value)}h.01"
        is_open = True
    pen = 'fill="none" stroke="#000" vector-effect="non-scaling-stroke"'
    rule = (
        ""
        if limit is None
        else f'<path d="M0 {place(limit)}H{_WIDTH}" stroke-width="1.2" stroke-dasharray="4 3" '
        f"{pen}/>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none">{rule}<path d="{path}" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" {pen}/></svg>'
    )


def _card(row: Mapping[str, Any], history: pl.DataFrame) -> str:
    """Return a card of six parts, some of them empty, so that those of neighbours line up."""
    text = words.html_text
    state = row["state"]
    standing = f"{threshold_words.SIGNS[state]} {text(threshold_words.since(row))}"
    terms = "".join(
        f"<dt>{text(name)}</dt><dd>{words.html_with_settings(known)}</dd>"
        for name, known in threshold_words.confidence(row)
    )
    told = (
        f'<div class="ll-title">{text(row["title"])}</div>',
        f'<div class="ll-state {state_class(state)}">{standing}</div>',
        _value(row),
        f'<div class="ll-detail">{text(threshold_words.detail(row))}</div>',
        _course(row, history),
        f'<dl class="ll-confidence">{terms}</dl>',
    )
    return f'<div class="ll-card ll-threshold">{"".join(told)}</div>'


def _value(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return f'<div class="ll-none">{words.html_text(threshold_words.no_value(row))}</div>'
    number, unit = threshold_words.value(row["threshold"], row["value"])
    limit = threshold_words.limit(row["threshold"], row["threshold_value"])
    small = f'<div class="ll-detail">{words.html_text(limit)}</div>' if limit else ""
    return (
        f'<div><div class="ll-value">{words.html_text(number)} '
        f'<span class="ll-unit">{words.html_text(unit)}</span></div>{small}</div>'
    )


def _course(row: Mapping[str, Any], history: pl.DataFrame) -> str:
    drawing = course(history["value"].to_list(), row["threshold_value"])
    if drawing is None:
        return "<div></div>"
    label = f"{row['title']}: its value at {words.count(history.height, 'evaluation')}"
    return (
        f'<div class="ll-course {state_class(row["state"])}" role="img" '
        f'aria-label="{words.html_text(label)}, the limit dashed" '
        f"style=\"mask:url('data:image/svg+xml,{quote(drawing)}') 0 0/100% 100% no-repeat\"></div>"
    )


def _style() -> str:
    colors = palette()
    return f"""<style>
.ll-thresholds {{ display: grid; gap: .9rem;
  grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr)); }}
.ll-threshold {{ grid-row: span 6; align-content: start; }}
.ll-state {{ font-weight: 600; font-size: .95rem; line-height: 1.35; margin: .15rem 0 .4rem;
  text-wrap: balance; }}
.ll-state-crossed {{ color: {colors.crossed}; }}
.ll-state-trending {{ color: {colors.trending}; }}
.ll-state-clear {{ color: {colors.clear}; }}
.ll-state-unknown {{ color: {colors.muted}; }}
.ll-threshold .ll-detail {{ overflow-wrap: anywhere; }}
.ll-threshold .ll-value {{ white-space: normal; }}
.ll-course {{ height: 3rem; margin: .7rem 0 .2rem; background: currentColor; }}
.ll-confidence {{ margin: .5rem 0 0 !important; border-top: 1px solid {colors.line};
  padding: .5rem 0 0 !important; font-size: .84rem; line-height: 1.35; }}
.ll-confidence:empty {{ border-top: 0; }}
.ll-confidence dt {{ color: {colors.muted}; font-weight: 400; margin: 0 !important; }}
.ll-confidence dd {{ margin: 0 0 .35rem !important; overflow-wrap: anywhere; }}
@media (max-width: 640px) {{
  .ll-thresholds {{ grid-template-columns: 1fr; }}
  .ll-thresholds .ll-card.ll-threshold {{ display: block; }}
}}
</style>"""
