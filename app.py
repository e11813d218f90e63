"""Launches the dashboard: `make run`, or `streamlit run app.py`."""

import streamlit as st

from llmcompare.ui import warm_up

# Before the first visitor comes, who would wait for it.
warm_up.run()
app = st.App("llmcompare/ui/main.py")
