"""Metric cards: value with unit, interval, change against the period before, and a sparkline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import streamlit as st

from dashboards import words
from dashboards.palette import palette

_WIDTH: Final = 200
_HEIGHT: Final = 40
_MARGIN: Final = 6


@dataclass(frozen=True, kw_only=True)
class Card:
    """What one card shows; without a value it says why there is none."""

    label: str
    value: words.Quantity | None
    detail: str
    reason: str = ""
    comparison: words.Comparison | None = None
    history: Sequence[float | None] = ()
    history_words: str = ""
    reference: str = ""
    """Where the value falls among others' answers."""
    goal: "Goal | None" = None


@dataclass(frozen=True)
class Goal:
    """How a value stands to its goal: attained, at risk, missed or not enough data."""

    state: str
    text: str


GOAL_SIGNS: Final = {"attained": "✓", "at risk": "↗", "missed": "▲", "not enough data": "···"}
_GOAL_CLASSES: Final = {"attained": "better", "at risk": "risk", "missed": "worse"}


@dataclass(frozen=True)
class Aside:
    """A smaller number beside the cards."""

    label: str
    value: str
    detail: str = ""


def show(cards: Sequence[Card]) -> None:
    """Show cards side by side, stacked on a phone, all of one height."""
    st.html(f'<div class="ll-cards">{"".join(_card(card) for card in cards)}</div>')


def show_aside(asides: Sequence[Aside]) -> None:
    """Show smaller numbers side by side on one line that wraps."""
    parts = [
        f'<div class="ll-aside"><span class="ll-label">{words.html_text(aside.label)}</span> '
        f"<b>{words.html_text(aside.value)}</b> "
        f'<span class="ll-detail">{words.html_text(aside.detail)}</span></div>'
        for aside in asides
    ]
    st.html(f'<div class="ll-asides">{"".join(parts)}</div>')


def style() -> str:
    """Return the style sheet of cards and page texts, with the colours of both themes."""
    colors = palette()
    return f"""<style>
.stApp {{ font-variant-numeric: tabular-nums; }}
.ll-eyebrow {{ color: {colors.muted}; font-size: .93rem; }}
.ll-answer {{ font-size: 1.85rem; line-height: 1.22; font-weight: 650; letter-spacing: -.01em;
  text-wrap: balance; margin: .1rem 0 .35rem; max-width: 60rem; overflow-wrap: anywhere; }}
.ll-sure {{ color: {colors.muted}; font-size: .95rem; max-width: 60rem; overflow-wrap: anywhere; }}
.ll-title {{ font-size: 1.05rem; font-weight: 650; line-height: 1.3; }}
.ll-sub {{ font-size: .88rem; color: {colors.muted}; line-height: 1.4; margin-top: .15rem; }}
.ll-cards {{ display: grid; gap: .9rem;
  grid-template-columns: repeat(auto-fit, minmax(10.2rem, 1fr)); }}
.ll-card > * {{ min-width: 0; }}
.ll-card {{ border: 1px solid {colors.line}; border-radius: .6rem; padding: .85rem 1rem .8rem;
  display: grid; grid-template-rows: subgrid; grid-row: span 6; row-gap: 0; min-width: 0; }}
.ll-label {{ font-size: .93rem; color: {colors.muted}; }}
.ll-value {{ font-size: 1.95rem; font-weight: 600; line-height: 1.2; margin-top: .15rem;
  white-space: nowrap; }}
.ll-unit {{ font-size: .95rem; font-weight: 400; color: {colors.muted}; }}
.ll-none {{ font-size: 1.05rem; font-weight: 600; color: {colors.muted}; padding: .45rem 0 .1rem; }}
.ll-detail {{ font-size: .84rem; color: {colors.muted}; line-height: 1.35; }}
.ll-change {{ font-size: .88rem; font-weight: 600; margin-top: .3rem; line-height: 1.3; }}
.ll-better {{ color: {colors.clear}; }}
.ll-worse {{ color: {colors.crossed}; }}
.ll-risk {{ color: {colors.trending}; }}
.ll-unclear, .ll-unknown {{ color: {colors.muted}; font-weight: 400; }}
.ll-spark {{ height: 2.6rem; margin-top: .55rem; background: {colors.primary}; }}
.ll-held {{ border-top: 1px solid {colors.line}; margin-top: .6rem; padding-top: .5rem; }}
.ll-signals {{ list-style: none; padding: 0 !important; margin: 0 !important; }}
.ll-signals li {{ padding: .3rem 0; margin: 0 !important; font-size: .95rem;
  border-top: 1px solid {colors.line}; }}
.ll-card code, .ll-signals code {{ font-size: .88em; }}
.ll-goal {{ font-size: .84rem; font-weight: 600; line-height: 1.35; margin-top: .2rem; }}
.ll-asides {{ display: flex; flex-wrap: wrap; gap: .35rem 1.8rem; margin: -.2rem .1rem .1rem; }}
.ll-aside {{ font-size: .93rem; }}
@media (max-width: 640px) {{
  .ll-answer {{ font-size: 1.45rem; }}
  .ll-cards {{ grid-template-columns: 1fr; }}
  .ll-card {{ grid-template-columns: minmax(0, 1.25fr) minmax(0, 1fr); grid-template-rows: auto;
    grid-row: auto; column-gap: 1rem; }}
  .ll-card > :not(.ll-spark) {{ grid-column: 1; }}
  .ll-card > .ll-held {{ grid-column: 1 / span 2; }}
  .ll-spark {{ grid-column: 2; grid-row: 1 / span 4; margin: auto 0; }}
}}
@media (min-width: 900px) {{
  [data-testid="stMainBlockContainer"] {{ padding-left: 3.2rem; padding-right: 3.2rem; }}
}}
@media print {{ section[data-testid="stSidebar"] {{ display: none; }} }}
</style>"""


def sparkline(history: Sequence[float | None]) -> str | None:
    """Return a line as an SVG drawing, broken where values are missing; None without two values."""
    known = [value for value in history if value is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    points = [
        None
        if value is None
        else (
            round(_MARGIN + index * (_WIDTH - 2 * _MARGIN) / (len(history) - 1), 1),
            round(_HEIGHT - _MARGIN - (value - low) / spread * (_HEIGHT - 2 * _MARGIN), 1),
        )
        for index, value in enumerate(history)
    ]
    path = ""
    is_open = False
    for index, point in enumerate(points):
        if point is None:
            is_open = False
            continue
        alone = not is_open and (index + 1 == len(points) or points[index + 1] is None)
        path += f"{'L' if is_open else 'M'}{point[0]} {point[1]}" + ("h.1" if alone else "")
        is_open = True
    last = [point for point in points if point is not None][-1]
    pen = 'fill="none" stroke="#000" stroke-linecap="round" vector-effect="non-scaling-stroke"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none"><path d="{path}" stroke-width="1.8" '
        f'stroke-linejoin="round" {pen}/><path d="M{last[0]} {last[1]}h.01" stroke-width="6.5" '
        f"{pen}/></svg>"
    )


def _card(card: Card) -> str:
    """Return a card of six rows, some of them empty, so that those of neighbours line up."""
    if card.value is None:
        shown = '<div class="ll-none">··· not enough data</div>'
    else:
        shown = (
            f'<div class="ll-value">{words.html_text(card.value.number)} '
            f'<span class="ll-unit">{words.html_text(card.value.unit)}</span></div>'
        )
    change = "<div></div>"
    if card.comparison is not None and card.value is not None:
        text = words.html_text(card.comparison.short)
        change = f'<div class="ll-change ll-{card.comparison.outcome}">{text}</div>'
    detail = card.detail if card.value is not None else card.reason
    drawing = sparkline(card.history)
    spark = (
        "<div></div>"
        if drawing is None
        else f'<div class="ll-spark" role="img" aria-label="{words.html_text(card.history_words)}"'
        f" style=\"mask:url('data:image/svg+xml,{quote(drawing)}') 0 0/100% 100% no-repeat\">"
        "</div>"
    )
    return (
        f'<div class="ll-card"><div class="ll-label">{words.html_text(card.label)}</div>{shown}'
        f'<div class="ll-detail">{words.html_text(detail)}</div>{change}{spark}'
        f"{_held_against(card)}</div>"
    )


def _held_against(card: Card) -> str:
    """Return the foot of a card: others' answers and the goal."""
    lines = []
    if card.reference:
        lines.append(f'<div class="ll-detail">{words.html_text(card.reference)}</div>')
    if card.goal is not None:
        outcome = _GOAL_CLASSES.get(card.goal.state, "unknown")
        text = words.html_text(f"{GOAL_SIGNS[card.goal.state]} {card.goal.text}")
        lines.append(f'<div class="ll-goal ll-{outcome}">{text}</div>')
    return f'<div class="ll-held">{"".join(lines)}</div>' if lines else "<div></div>"
