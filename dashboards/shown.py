"""The log of verdicts that people were shown: appended to landing, once a verdict."""

import logging
from datetime import datetime
from pathlib import Path

import streamlit as st

from dashboards import session
from dashboards.frame import Page
from pipelines.verdict_log import VerdictShown, note

_log = logging.getLogger(__name__)


def remember(page: Page, verdict: VerdictShown) -> None:
    """Note that the verdict of an evaluation was shown, unless that is the last thing noted."""
    _note(str(session.data_folder()), verdict.subject, verdict.value, page.now)


# Once a process and verdict.
@st.cache_resource(show_spinner=False, max_entries=64)
def _note(data: str, subject: str, value: str, _now: datetime) -> bool:
    trouble = note(Path(data), VerdictShown(subject, value), author="page Verdict", now=_now)
    if trouble is not None:
        _log.warning("%s", trouble)
    return trouble is None
