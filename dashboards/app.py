"""The dashboard's entry point: which build is shown, the filters, the pages.

Pages are the files in `views/`, found by name: each one declares TITLE, ICON, GROUP and ORDER and
runs from top to bottom. Started by `leadline serve`; see `dashboards/serve.py`.
"""

from collections import defaultdict
from pathlib import Path

import streamlit as st

from dashboards import cards, filters, frame, session, views_index
from pipelines.reader import RebuildNeededError

HERE = Path(__file__).parent

st.set_page_config(
    page_title="Leadline",
    page_icon=str(HERE / "static" / "leadline.png"),
    layout="wide",
)
st.html(cards.style())

sections = defaultdict(list)
for view in views_index.found(HERE / "views"):
    sections[view.group].append(
        st.Page(
            view.path,
            title=view.title,
            icon=view.icon,
            default=view.is_first,
        )
    )
page = st.navigation(dict(sections), expanded=True)

try:
    opened = session.open_current()
except RebuildNeededError as error:
    session.say_rebuild_needed(error)
    st.stop()
if opened is None:
    session.say_no_build()
    st.stop()

asked = frame.asked_view()
if asked is not None:
    st.switch_page(asked[0], query_params=asked[1])
frame.publish(filters.show(opened, title=page.title))
page.run()
