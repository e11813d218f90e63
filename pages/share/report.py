"""Report: preview of the cost comparison, of a run of the Playground or of votes, and the same as one HTML file."""

from datetime import date

import streamlit as st

from llmcompare.reports.report import cost_report
from llmcompare.services import costs, playground
from llmcompare.ui import arena_ratings, frame, playground_prices, show

run_id = st.query_params.get("run")
view = playground.view(run_id) if run_id else None
votes = arena_ratings.report(st.query_params.get("votes"))

st.title("Report")
if run_id and view is None:
    st.warning("The run of this link is not in the log here. Below is the cost comparison.", icon=":material/link_off:")
if view is not None:
    show.report(playground_prices.report(view))
elif votes is not None:
    show.report(votes)
else:
    show.report(cost_report(costs.compare(frame.facts(), frame.scenario()), made_on=date.today()))
if view is not None or votes is not None:
    st.page_link(frame.PAGES / "share/report.py", label="Show the cost comparison", icon=":material/description:")
