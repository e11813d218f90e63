"""Guide, checked: the statements of a buying guide, each with a verdict computed now, its rows and its arithmetic."""

import streamlit as st

from llmcompare.services import claims
from llmcompare.ui import frame, guide

found = claims.checked(frame.facts())
st.title("Guide, checked")
guide.show_answer(found)
guide.show_statements(guide.pick(found))
