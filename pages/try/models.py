"""Models: which fit this machine, fetched from the Hub, checked, and what is at hand."""

import streamlit as st

from llmcompare.ui import at_hand, downloads, frame
from llmcompare.ui import models as parts

facts = frame.facts()
st.title("Models")
st.caption(
    "Model files for this machine: which fit, how fast they should be, fetched from the Hugging Face Hub, checked."
)
downloads.show_downloads()
view = parts.pick_view()
if view == parts.CHOOSE:
    answer = st.container()
    here = parts.pick_here()
    chosen = parts.choose(facts, here)
    with answer:
        parts.show_answer(chosen, here)
    parts.show_formats(chosen)
    parts.show_repository(facts, here, chosen)
elif view == parts.SEARCH:
    here = parts.pick_here()
    parts.show_search()
    parts.show_repository(facts, here, None)
else:
    at_hand.show_at_hand()
    at_hand.show_cached()
    at_hand.show_any_file()
