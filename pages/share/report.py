"""Report: preview of the cost comparison, or of a run of the Playground, and the same as one HTML file."""

from datetime import date

import streamlit as st

from llmcompare.reports.report import cost_report, run_report
from llmcompare.services import costs, playground
from llmcompare.ui import frame, show

run_id = st.query_params.get("run")
view = playground.view(run_id) if run_id else None

st.title("Report")
if run_id and view is None:
    st.warning("The run of this link is not in the log here. Below is the cost comparison.", icon=":material/link_off:")
if view is None:
    show.report(cost_report(costs.compare(frame.facts(), frame.scenario()), made_on=date.today()))
else:
    show.report(run_report(view.fact, view.replies, running=view.problem is None, made_on=date.today()))
    st.page_link(frame.PAGES / "share/report.py", label="Show the cost comparison", icon=":material/description:")
