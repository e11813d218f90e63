"""Launches the dashboard: `make run`, or `streamlit run app.py`."""

import streamlit as st

app = st.App("llmcompare/ui/main.py")
