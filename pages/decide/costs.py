"""Costs: what every way to serve the workload costs, over volume, part by part, and every price behind it."""

import streamlit as st

from llmcompare.core import words
from llmcompare.services import costs
from llmcompare.ui import costs as parts
from llmcompare.ui import frame, show
from llmcompare.ui.owned import own_machine
from llmcompare.ui.prices import your_prices
from llmcompare.ui.safe import plain
from llmcompare.ui.serverless import bursty
from llmcompare.ui.sweep import all_deployments

facts = frame.facts()
comparison = costs.compare(facts, frame.scenario())

st.title("Costs")
view = parts.pick_view()
if view == parts.OVER_VOLUME:
    st.markdown(f"#### {plain(words.headline(comparison))}")
    st.caption(plain(f"{comparison.model.display_name}: {words.workload_text(comparison)}"))
    show.stale(comparison)
    parts.show_over_volume(facts, comparison)
elif view == parts.EVERY:
    all_deployments(facts, comparison)
elif view == parts.BURSTY:
    bursty(facts, comparison)
elif view == parts.OWN:
    own_machine(facts, comparison)
elif view == parts.PRICES:
    your_prices()
