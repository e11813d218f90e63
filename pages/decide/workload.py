"""Workload: a request log or a bill as figures for every page, and a forecast against what really came."""

import streamlit as st

from llmcompare.services import costs
from llmcompare.ui import frame
from llmcompare.ui import workload as parts
from llmcompare.ui.actuals import forecast_against_actual

facts, scenario = frame.facts(), frame.scenario()

st.title("Workload")
view = parts.pick_view()
if view == parts.LOG:
    parts.from_log(facts, scenario)
elif view == parts.BILL:
    parts.from_bill(facts, scenario)
elif view == parts.ACTUAL:
    forecast_against_actual(facts, costs.compare(facts, scenario))
