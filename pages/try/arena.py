"""Arena: two replies without names, four votes, and ratings with intervals."""

import streamlit as st

from llmcompare.services import runs
from llmcompare.ui import arena, arena_ratings, frame
from llmcompare.ui.safe import plain

models = runs.local_models()
st.title("Arena")
st.caption("Two replies to one prompt, no names: vote for the better one, then see who wrote it.")
answer = st.container()
arena.judge(models, frame.PAGES / "try/arena.py")
st.subheader("Ratings")
found = arena_ratings.pick_votes()
with answer:
    st.markdown(f"**{plain(found.answer)}**")
arena_ratings.show_ratings(found)
arena_ratings.files(found)
