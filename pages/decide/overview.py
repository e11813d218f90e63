"""Overview: what this answers, quality against cost, age of the data."""

from datetime import date

import streamlit as st

from llmcompare import figures
from llmcompare.core import freshness, quality, words
from llmcompare.services import costs, overview
from llmcompare.services.counting import same_text
from llmcompare.ui import frame, inputs, show
from llmcompare.ui.safe import plain

facts, scenario = frame.facts(), frame.scenario()
comparison = costs.compare(facts, scenario)

st.title("Which open-weight model, at what cost?")
st.markdown(
    "Llama, Mistral or Qwen: on which deployment, for your workload, at what cost, and how sure is that? "
    "Describe the workload in the sidebar. Every figure leads to its source and date."
)
with st.container(border=True):
    st.markdown(f"**{plain(words.headline(comparison))}**")
    st.caption(plain(words.workload_text(comparison)))
    show.stale(comparison)
    st.page_link(frame.PAGES / "decide/costs.py", label="See the costs over volume and where they cross")
    st.page_link(frame.PAGES / "decide/advisor.py", label="Compare all models and deployments for a need")

st.subheader("Quality against cost")
cell = inputs.pick_score_cell(overview.score_cells(facts))
result = overview.quality_against_cost(facts, scenario, cell)
show.sentences(*quality.sentences(result), *same_text(facts, scenario))
show.chart(
    figures.quality_against_cost(result), key="quality_against_cost", description=" ".join(quality.sentences(result))
)
scores = quality.quality_table(result)
prices = freshness.marked(quality.price_table(result), today=date.today())
st.caption(plain(f"Scores {show.as_of(scores).lower()} Prices {show.as_of(prices).lower()}"))
behind = st.expander("Data behind the chart", key="behind_chart", bind="query-params")
if behind.open:
    with behind:
        show.table(scores, key="scores")
        st.markdown("The API prices behind it:")
        show.table(prices, key="prices")

st.subheader("Age of the prices")
for column, age in zip(st.columns(2), overview.ages(facts, date.today()), strict=True):
    column.metric(age.kind, age.median_text, border=True)
    column.caption(plain(age.detail))
