"""Costs: monthly cost over volume, where the options cross, and every price behind it."""

import streamlit as st

from llmcompare import figures
from llmcompare.core import tables, words
from llmcompare.reports.report import cost_description
from llmcompare.services import costs
from llmcompare.ui import frame, show
from llmcompare.ui.safe import plain

comparison = costs.compare(frame.facts(), frame.scenario())
api_prices, gpu_prices = tables.api_price_table(comparison), tables.gpu_price_table(comparison)
deployments, today = tables.deployment_table(comparison), tables.today_table(comparison)

st.title("Costs")
st.markdown(f"#### {plain(words.headline(comparison))}")
st.caption(plain(f"{comparison.model.display_name}: {words.workload_text(comparison)}"))
show.chart(figures.cost_curves(comparison), key="cost_curves", description=cost_description(comparison))
st.caption(plain(words.as_of_text(row.as_of for row in comparison.rows_used)))

left, right = st.columns(2)
with left:
    st.subheader("What each option costs")
    show.sentences(*words.option_sentences(comparison))
with right:
    st.subheader("Where they cross")
    show.sentences(*map(words.crossing_sentences, comparison.pairs))

st.subheader("Behind the figures")
names = ["Curves", "API prices", "GPU prices", "Deployments", "Today's API", "Assumptions"]
curves_tab, api_tab, gpu_tab, deployments_tab, today_tab, assumptions_tab = st.tabs(names)
with curves_tab:
    show.table(tables.curve_table(comparison), key="curves")
with api_tab:
    show.table(api_prices, key="api_prices")
with gpu_tab:
    show.table(gpu_prices, key="gpu_prices")
with deployments_tab:
    st.caption("Cheapest first at this workload. Choose another one under Rented GPUs, Measurement.")
    show.table(deployments, key="deployments")
with today_tab:
    show.table(today, key="today_prices")
with assumptions_tab:
    show.assumptions(words.assumptions(comparison))
