"""Data: every table with its filter, sources, dates, the rows that join nothing, and the rows of your own."""

import streamlit as st

from llmcompare.ui import frame, inputs
from llmcompare.ui.data import every_table
from llmcompare.ui.prices import rows_of_ones_own

st.title("Data")
if inputs.pick_data_view() == inputs.YOUR_ROWS:
    rows_of_ones_own()
else:
    every_table(frame.facts())
