"""Costs: monthly cost over volume, where the options cross, and every price behind it."""

import streamlit as st

from llmcompare import figures
from llmcompare.core import tables, words
from llmcompare.reports.report import cost_description
from llmcompare.services import costs
from llmcompare.ui import frame, show
from llmcompare.ui.safe import plain

comparison = costs.compare(frame.facts(), frame.scenario())

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
behind = {
    "Curves": tables.curve_table,
    "API prices": tables.api_price_table,
    "GPU prices": tables.gpu_price_table,
    "Deployments": tables.deployment_table,
    "Today's API": tables.today_table,
}
for tab, name in zip(
    st.tabs([*behind, "Assumptions"], key="behind", bind="query-params"), [*behind, None], strict=True
):
    if not tab.open:
        continue
    with tab:
        if name is None:
            show.assumptions(words.assumptions(comparison))
        else:
            shown = behind[name](comparison)
            show.table(shown, key=shown.name)
