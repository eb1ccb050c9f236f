"""Steps of a walk-through: a sentence each, and what was considered, chosen and rejected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, Literal
from urllib.parse import urlencode

import streamlit as st

from dashboards import words
from dashboards.palette import palette

Verdict = Literal["chosen", "rejected", "seen"]

_SIGNS: Final = {"chosen": "✓", "rejected": "✗", "seen": "·"}
_SPOKEN: Final = {"chosen": "counts", "rejected": "does not count", "seen": "seen"}
_KEPT: Final = ("period", "team", "service", "environment")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that was considered in a step."""

    verdict: Verdict
    moment: str
    what: str
    why: str
    url: str | None = None
    walk: tuple[str, str] | None = None
    """What kind of thing it is and its id, if it has a walk-through of its own."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One part of a whole, drawn as a bar from where the part before it ended."""

    name: str
    start: float
    length: float
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: its question, the answer in a sentence or two, and what was considered."""

    title: str
    text: str
    items: Sequence[Item] = field(default=())
    bars: Sequence[Bar] = field(default=())


def show(steps: Sequence[Step]) -> None:
    """Show steps as a numbered list."""
    st.html(f'{_style()}<ol class="ll-steps">{"".join(_step(step) for step in steps)}</ol>')


def _step(step: Step) -> str:
    parts = [
        f'<div class="ll-title">{words.html_text(step.title)}</div>',
        f'<div class="ll-said">{words.html_text(step.text)}</div>',
    ]
    if step.items:
        rows = "".join(_item(item) for item in step.items)
        parts.append(f'<div class="ll-scroll"><table class="ll-table">{rows}</table></div>')
    if step.bars:
        parts.append(f'<div class="ll-bars">{"".join(_bar(bar) for bar in step.bars)}</div>')
    return f"<li><div>{''.join(parts)}</div></li>"


def _item(item: Item) -> str:
    links = []
    if item.walk is not None:
        links.append(f'<a href="{escape(walk_address(*item.walk))}">its steps</a>')
    link = words.safe_link(item.url)
    if link is not None:
        links.append(f'<a href="{escape(link)}" target="_blank">source</a>')
    return (
        f'<tr class="ll-{item.verdict}"><td><span aria-hidden="true">{_SIGNS[item.verdict]}</span>'
        f'<span class="ll-spoken">{_SPOKEN[item.verdict]}</span></td>'
        f"<td>{words.html_text(item.moment)}</td><td>{words.html_text(item.what)}</td>"
        f"<td>{words.html_text(item.why)}</td><td>{' · '.join(links)}</td></tr>"
    )


def _bar(bar: Bar) -> str:
    return (
        f'<div>{words.html_text(bar.name)}</div><div class="ll-track">'
        f'<div style="margin-left:{bar.start * 100:.2f}%;width:{bar.length * 100:.2f}%"></div>'
        f"</div><div>{words.html_text(bar.value)} "
        f'<span class="ll-detail">{words.html_text(bar.note)}</span></div>'
    )


def walk_address(what: str, identity: str) -> str:
    """Return the address of a walk-through, with the filters of this page."""
    kept = {name: st.query_params[name] for name in _KEPT if name in st.query_params}
    return f"walk_through?{urlencode({what: identity, **kept})}"


def _style() -> str:
    colors = palette()
    return f"""<style>
.ll-steps {{ list-style: none; counter-reset: step; padding: 0 !important;
  margin: 0 !important; max-width: 76rem; }}
.ll-steps > li {{ margin: 0 !important; }}
.ll-steps > li {{ counter-increment: step; display: grid; grid-template-columns: 2.4rem 1fr;
  padding-bottom: 1.35rem; position: relative; }}
.ll-steps > li::before {{ content: counter(step); width: 1.7rem; height: 1.7rem;
  border-radius: 50%; border: 1.5px solid {colors.primary}; color: {colors.primary};
  font-weight: 650; display: grid; place-items: center; background: {colors.ground}; z-index: 1; }}
.ll-steps > li:not(:last-child)::after {{ content: ""; position: absolute; left: .85rem;
  top: 1.7rem; bottom: 0; border-left: 1.5px solid {colors.line}; }}
.ll-steps > li > div {{ min-width: 0; padding-top: .15rem; }}
.ll-said {{ margin-top: .2rem; max-width: 60rem; overflow-wrap: anywhere; }}
.ll-scroll {{ overflow-x: auto; margin-top: .45rem; }}
.ll-table {{ border-collapse: collapse; font-size: .9rem; }}
.ll-table td {{ padding: .28rem .9rem .28rem 0; border-top: 1px solid {colors.line};
  vertical-align: top; text-align: left; }}
.ll-table td:nth-child(2), .ll-table td:last-child {{ white-space: nowrap; }}
.ll-table td:nth-child(3), .ll-table td:nth-child(4) {{ min-width: 11rem; max-width: 30rem;
  overflow-wrap: anywhere; }}
.ll-chosen {{ font-weight: 600; }}
.ll-chosen td:first-child {{ color: {colors.clear}; }}
.ll-rejected {{ color: {colors.muted}; }}
.ll-spoken {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.ll-table a {{ color: {colors.primary}; font-weight: 400; }}
.ll-bars {{ display: grid; grid-template-columns: max-content minmax(3rem, 22rem) max-content;
  gap: .3rem .9rem; align-items: center; font-size: .9rem; margin-top: .5rem; }}
.ll-track {{ background: {colors.raised}; border-radius: .2rem; }}
.ll-track > div {{ height: .85rem; min-width: 2px; border-radius: .2rem;
  background: {colors.primary}; }}
@media (max-width: 640px) {{
  .ll-steps > li {{ grid-template-columns: 2.1rem minmax(0, 1fr); }}
  .ll-table, .ll-table tbody {{ display: block; }}
  .ll-table tr {{ display: grid; grid-template-columns: 1.3rem minmax(0, 1fr);
    border-top: 1px solid {colors.line}; padding: .3rem 0; }}
  .ll-table td {{ border-top: 0; padding: 0; grid-column: 2; }}
  .ll-table td:first-child {{ grid-column: 1; grid-row: 1; }}
  .ll-table td:nth-child(3), .ll-table td:nth-child(4) {{ min-width: 0; }}
}}
</style>"""
