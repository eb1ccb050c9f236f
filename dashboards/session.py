"""Which build a visitor sees, opened once per process, and what to say when there is none."""

import os
import sys
from pathlib import Path

import duckdb
import streamlit as st

from dashboards import words
from dashboards.queries import Queries
from pipelines import reader


def data_folder(arguments: list[str] | None = None) -> Path:
    """Return the data folder: after `--data`, else from LEADLINE_DATA, else `.leadline`."""
    given = sys.argv if arguments is None else arguments
    if "--data" in given[:-1]:
        return Path(given[given.index("--data") + 1])
    return Path(os.environ.get("LEADLINE_DATA") or ".leadline")


def open_current() -> Queries | None:
    """Return the published build, looked up anew at every run of the page."""
    path = reader.current_build(data_folder())
    return None if path is None else Queries(_connection(str(path), path.stat().st_mtime_ns))


# Two builds are kept open: pages that are still running on the old one finish undisturbed.
@st.cache_resource(show_spinner=False, max_entries=2)
def _connection(path: str, _written_ns: int) -> duckdb.DuckDBPyConnection:
    return reader.connect(Path(path))


def say_no_build() -> None:
    """Say what to run when nothing has been built yet."""
    st.html(
        '<div class="ll-eyebrow">Leadline</div>'
        '<h1 class="ll-answer">Nothing is built yet</h1>'
        '<div class="ll-sure">Leadline shows what was published last; so far nothing was. '
        "This page fills by itself once a build is published: reload it then.</div>"
    )
    with st.container(border=True):
        st.subheader("What to run", anchor=False)
        st.markdown("With `leadline.toml` in place: pull what the sources have, then build.")
        st.code("leadline sync\nleadline build", language="shell")
        st.markdown("Without settings, on a clone you have at hand:")
        st.code("leadline try path/to/clone", language="shell")
        st.caption(f"Looked in {words.plain(data_folder().absolute())}")


def say_rebuild_needed(error: reader.RebuildNeededError) -> None:
    """Say that the build was made by another version."""
    found = "no version" if error.found is None else f"version {error.found}"
    st.html(
        '<div class="ll-eyebrow">Leadline</div>'
        '<h1 class="ll-answer">Rebuild needed</h1>'
        f'<div class="ll-sure">The published build has {words.html_text(found)} of the tables; '
        f"this dashboard reads version {reader.SCHEMA_VERSION}. Nothing is lost: a build is made "
        "anew from what was received.</div>"
    )
    with st.container(border=True):
        st.subheader("What to run", anchor=False)
        st.code("leadline build", language="shell")
        st.caption(f"Build file: {words.plain(error.path.name)}")
