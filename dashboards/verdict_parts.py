"""Parts of the verdict's page: how sure it is, what to do, what to connect, its parameters."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import frame, views_index, words
from dashboards.frame import Page
from dashboards.threshold_lines import LINES, PAGES
from pipelines import threshold_words, verdict_words
from pipelines.thresholds import TITLES

_VIEWS: Final = Path(__file__).parent / "views"


def heading(page: Page, verdict: Mapping[str, Any]) -> None:
    """Show the answer in one sentence, since when it holds, and how sure it is."""
    frame.heading(
        page,
        verdict["sentence"],
        verdict_words.sure(verdict),
        parts=[
            f"evaluated to {threshold_words.day(verdict['evaluated_on'])}",
            "the whole organisation",
        ],
    )


def warnings(verdict: Mapping[str, Any]) -> None:
    """Show what somebody should know beside the answer."""
    if verdict["warnings"]:
        told = "".join(f"<li>{words.html_text(each)}</li>" for each in verdict["warnings"])
        st.html(f'<ul class="ll-signals">{told}</ul>')


def links() -> None:
    """Show a link to the page behind each threshold that has one."""
    pages = {view.title: view for view in views_index.found(_VIEWS)}
    known = [pages[title] for title in PAGES.values() if title in pages]
    if not known:
        return
    with st.container(horizontal=True, gap="medium"):
        for view in known:
            st.page_link(view.path, label=f"{view.title}: every case", icon=view.icon)


def advice(verdict: Mapping[str, Any]) -> None:
    """Show what to do, and what to leave, in an organisation of this size."""
    title = "What to do at this size"
    if verdict["size"] is None:
        frame.card(title, verdict_words.NO_SIZE)
        return
    box = frame.card(title, verdict_words.size(verdict))
    text = words.html_text
    box.html(
        '<dl class="ll-advice">'
        f"<dt>✓ Do</dt><dd>{text(verdict['advice'])}</dd>"
        f"<dt>✕ Avoid</dt><dd>{text(verdict['avoid'])}</dd>"
        f"<dt>Then</dt><dd>{text(verdict_words.AFTER_A_LAUNCH)}</dd></dl>"
    )


def missing(
    verdict: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, is_open: bool
) -> None:
    """Show what to connect, with the lines to add, so that every threshold has a state."""
    if not verdict["missing"]:
        return
    box = frame.card(
        "What is missing, and what to connect",
        "Missing data is never taken for a threshold that is not crossed.",
    )
    box.html(
        '<ul class="ll-signals">'
        + "".join(f"<li>··· {words.html_with_settings(each)}</li>" for each in verdict["missing"])
        + "</ul>"
    )
    lines = {
        row["threshold"]: LINES[row["threshold"]]
        for row in rows
        if row["threshold"] in LINES and row["missing"]
    }
    with box.expander("The lines to add to leadline.toml", expanded=is_open):
        for threshold, text in lines.items():
            st.markdown(f"**{words.plain(TITLES[threshold])}**")
            st.code(text, language="toml")
        if is_open:
            st.markdown("**Repositories, changes and deployments**")
            for name in ("github", "deployments"):
                st.code(frame.CONNECT[name], language="toml")
        st.markdown(
            "Then run `leadline sync` and `leadline build`; `leadline doctor` says what each "
            "source gives."
        )


def evidence(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Show the four thresholds as a table, with what each rests on; return its rows."""
    table = pl.DataFrame(
        [
            {
                "threshold": row["title"],
                "state": threshold_words.signed(row["state"]),
                "value": " ".join(threshold_words.value(row["threshold"], row["value"]))
                if row["value"] is not None
                else None,
                "interval": threshold_words.interval(
                    row["threshold"], row["ci_low"], row["ci_high"]
                ),
                "limit": _limit(row),
                "n": threshold_words.sample(row["threshold"], row["n"])
                if row["value"] is not None and row["n"] is not None
                else None,
                "other definitions": row["sensitivity_text"],
            }
            for row in rows
        ],
        infer_schema_length=None,
    )
    box = frame.card("What the answer rests on", "One row a threshold, as measured at this date.")
    box.dataframe(
        table,
        hide_index=True,
        column_order=[name for name in table.columns if not table[name].is_null().all()],
        placeholder="–",
        alt="The four thresholds with state, value, interval, limit and reason.",
    )
    return table


def parameters(page: Page, verdict: Mapping[str, Any]) -> None:
    """Show the parameters and versions the verdict was made with."""
    given, versions = json.loads(verdict["parameters"]), json.loads(verdict["versions"])
    with st.expander("Parameters and versions of this verdict"):
        rows = [
            {
                "threshold": TITLES[threshold],
                "parameter": name.replace("_", " "),
                "value": _text(value),
            }
            for threshold, own in given.items()
            for name, value in (own or {}).items()
        ]
        if rows:
            st.dataframe(pl.DataFrame(rows), hide_index=True, alt="Parameters by threshold.")
        else:
            st.markdown("No threshold was measured, so there are no parameters.")
        known = page.queries.definitions(list(versions))
        titles = dict(known.select("name", "title").iter_rows())
        st.caption(
            words.plain(
                "Definitions: "
                + ", ".join(f"{titles[name]} (version {versions[name]})" for name in titles)
            )
        )


def style() -> str:
    """Return the style of these parts."""
    return """<style>
.ll-advice { margin: 0 !important; padding: 0 !important; font-size: .97rem; line-height: 1.45; }
.ll-advice dt { font-weight: 650; margin: .55rem 0 0 !important; }
.ll-advice dd { margin: .1rem 0 0 !important; }
</style>"""


def _limit(row: Mapping[str, Any]) -> str | None:
    told = threshold_words.limit(row["threshold"], row["threshold_value"])
    return told and told.removeprefix("limit ")


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
