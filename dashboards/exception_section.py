"""A form to allow a team's deviation, or to take that back; kept as a decision in landing."""

import sqlite3
from typing import Final

import polars as pl
import streamlit as st

from dashboards import frame, session, words
from pipelines import decisions
from pipelines.decisions import WITHDRAWN, Choice, DecisionError
from pipelines.landing import LandingError

KIND: Final = "exception"
_KEPT: Final = "exception_kept"


def show(page: frame.Page, cells: pl.DataFrame) -> None:
    """Offer the deviations of today, and the exceptions in force to take back."""
    outliers = cells.filter(pl.col("is_outlier") & ~pl.col("is_excepted"))
    held = decisions.in_force(decisions.history(session.data_folder()), KIND)
    kept = st.session_state.pop(_KEPT, None)
    if kept:
        st.success(words.plain(kept), icon=":material/check:")
    allowing = {
        f"{row['category']}|{row['team']}": words.one_line(f"{row['title']} · {row['team']}")
        for row in outliers.iter_rows(named=True)
    }
    known = dict(cells.select("category", "title").unique().iter_rows())
    taking = {subject: words.one_line(_told(subject, known)) for subject in held}
    options = [(subject, False) for subject in allowing if subject not in held]
    options += [(subject, True) for subject in taking]
    if not options:
        return
    with st.form("exceptions", border=False):
        chosen = st.selectbox(
            "Deviation",
            options,
            index=None,
            format_func=lambda option: (
                f"Take back: {taking[option[0]]}" if option[1] else allowing[option[0]]
            ),
            placeholder="Choose what to allow, or what to take back",
        )
        reason = st.text_input("Reason", max_chars=500, placeholder="shown wherever it is applied")
        author = st.text_input("Your name", max_chars=200, placeholder="kept with the decision")
        is_sent = st.form_submit_button("Keep", icon=":material/check:")
    waiting = sum(each.at > page.build.built_at for each in held.values())
    if waiting:
        told = words.count(waiting, "exception")
        st.caption(f"{told} kept since this build: counted from the next one on.")
    if is_sent:
        _keep(page, chosen, reason=reason.strip(), author=author.strip())


def _told(subject: str, titles: dict[str, str]) -> str:
    category, _, team = subject.partition("|")
    return f"{titles.get(category, category)} · {team}"


def _keep(page: frame.Page, chosen: tuple[str, bool] | None, *, reason: str, author: str) -> None:
    if chosen is None or not author or not (reason or chosen[1]):
        st.warning("Choose a deviation, and write the reason and your name first.")
        return
    subject, is_taken_back = chosen
    choice = Choice(KIND, subject, WITHDRAWN if is_taken_back else reason)
    try:
        decisions.record(session.data_folder(), [choice], author=author, now=page.now)
    except (OSError, sqlite3.Error, LandingError, DecisionError) as error:
        st.error(words.plain(f"Nothing was kept: {error}"))
        return
    st.session_state[_KEPT] = (
        f"Kept, by {author}. It counts from the next build on (leadline build)."
    )
    st.rerun()
