"""The log of verdicts that people were shown: appended to landing, once a verdict."""

import logging
import sqlite3
from datetime import datetime
from pathlib import Path

import streamlit as st

from dashboards import session, verdict_queries
from dashboards.frame import Page
from pipelines.decisions import DecisionError
from pipelines.landing import LandingError
from pipelines.verdict_log import VerdictShown, record

_log = logging.getLogger(__name__)


def remember(page: Page, verdict: VerdictShown) -> None:
    """Note that the verdict of an evaluation was shown, unless that is the last thing noted."""
    if verdict_queries.shown(page.queries, verdict.subject) == verdict.value:
        return
    _append(str(session.data_folder()), verdict.subject, verdict.value, page.now)


# Once a process and verdict: the next build knows of it.
@st.cache_resource(show_spinner=False, max_entries=64)
def _append(data: str, subject: str, value: str, _now: datetime) -> bool:
    try:
        record(Path(data), VerdictShown(subject, value), author="page Verdict", now=_now)
    except (OSError, sqlite3.Error, LandingError, DecisionError) as error:
        # A page that can be read is worth more than a complete log of readers.
        _log.warning("the verdict shown was not noted: %s", error)
        return False
    return True
