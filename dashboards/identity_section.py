"""Suggestions of who is one person, with a form to confirm, reject or take back."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import polars as pl
import streamlit as st

from dashboards import frame, session, words
from dashboards.tables import show_table
from pipelines import confirming, decisions
from pipelines.confirming import Suggestion
from pipelines.decisions import DecisionError
from pipelines.landing import LandingError

MOST_SHOWN: Final = 200
_KEPT: Final = "identity_kept"
_ACTIONS: Final = {
    "accepted": "They are one person",
    "rejected": "They are different people",
    "withdrawn": "Take back what was said",
}


def show(page: frame.Page) -> None:
    """Show what waits and a form that appends decisions to landing; no build is touched."""
    history = decisions.history(session.data_folder())
    known = confirming.suggestions(page.queries.connection.cursor(), history)
    waiting = [each for each in known if each.state == "pending"]
    box = frame.card(
        "Who may be one person?",
        f"{words.count(len(waiting), 'suggestion')} by likeness of names, best first. From a score "
        "of 90 on each makes the low bound lower until somebody says what is right.",
    )
    with box:
        kept = st.session_state.pop(_KEPT, None)
        if kept:
            st.success(words.plain(kept), icon=":material/check:")
        changed = sum(each.is_new for each in known)
        if changed:
            told = words.count(changed, "decision")
            st.caption(f"{told} since this build: counted from the next one on.")
        if not known:
            st.markdown("✓ No accounts look like one person.")
            return
        _table(known[:MOST_SHOWN])
        _form(known[:MOST_SHOWN], page)
        st.caption(
            "The same on the command line: `leadline confirm` lists them, `leadline confirm CODE` "
            "confirms, `--reject` rejects. People in leadline.toml win over both."
        )


def _label(each: Suggestion) -> str:
    score = "–" if each.score is None else str(each.score)
    text = f"{each.left_name} = {each.right_name} · {score} · {each.state} · {each.code}"
    return words.one_line(text)


def _table(known: Sequence[Suggestion]) -> None:
    rows = pl.DataFrame(
        [
            (
                *(words.one_line(text) for text in (each.left_name, each.right_name)),
                each.score,
                words.one_line(each.why),
                each.state,
                each.code,
            )
            for each in known
        ],
        schema={
            "one": pl.String,
            "other": pl.String,
            "score": pl.Int64,
            "why": pl.String,
            "state": pl.String,
            "code": pl.String,
        },
        orient="row",
    )
    show_table(
        st,
        rows,
        columns={
            "score": st.column_config.NumberColumn("score", width=70),
            "why": st.column_config.TextColumn("why", width="large"),
            "state": st.column_config.TextColumn("state", width=90),
            "code": st.column_config.TextColumn("code", width=90),
        },
        alt=f"{words.count(rows.height, 'pair')} of accounts with score, reason and state.",
    )


def _form(known: Sequence[Suggestion], page: frame.Page) -> None:
    """Everything can be reached by keyboard: a list to choose from, an action, a name, a button."""
    with st.form("identities", border=False):
        chosen = st.multiselect(
            "Pairs",
            known,
            format_func=_label,
            placeholder="Choose pairs by name or code",
        )
        value = st.radio(
            "What is right",
            list(_ACTIONS),
            format_func=_ACTIONS.__getitem__,
            horizontal=True,
        )
        author = st.text_input("Your name", max_chars=200, placeholder="kept with the decision")
        sent = st.form_submit_button("Keep", icon=":material/how_to_reg:")
    if not sent:
        return
    if not chosen or not author.strip():
        st.warning("Choose pairs and write your name first.")
        return
    try:
        decisions.record(
            session.data_folder(),
            confirming.choices(chosen, value),
            author=author.strip(),
            now=page.now,
        )
    except (OSError, sqlite3.Error, LandingError, DecisionError) as error:
        st.error(words.plain(f"Nothing was kept: {error}"))
        return
    st.session_state[_KEPT] = f"{words.count(len(chosen), 'decision')} kept, by {author.strip()}."
    st.rerun()
