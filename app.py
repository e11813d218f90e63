"""Launches the dashboard: `make run`, or `streamlit run app.py`."""

import streamlit as st
from starlette.middleware import Middleware

from llmcompare.ui import at_once, live, warm_up
from llmcompare.ui.person import PageHeaders

at_once.send_at_once()
# Before the first visitor comes, who would wait for it.
warm_up.run()
app = st.App("llmcompare/ui/main.py", routes=[live.route], middleware=[Middleware(PageHeaders)])
