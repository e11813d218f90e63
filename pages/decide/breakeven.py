"""Breakeven: where two options cross, how sure that is, and what it hangs on."""

import streamlit as st

from llmcompare.core import two_options, words
from llmcompare.services import breakeven, costs
from llmcompare.ui import breakeven as parts
from llmcompare.ui import frame
from llmcompare.ui.safe import plain

facts = frame.facts()
comparison = costs.compare(facts, frame.scenario())

st.title("Breakeven")
chosen = parts.pick_pair(comparison)
if chosen is None:
    st.markdown(f"#### {plain(words.headline(comparison))}")
elif chosen[0] == chosen[1]:
    st.info("Choose two different options.", icon=":material/info:")
else:
    answer = st.container()
    curves = st.container()
    st.subheader("What matters most")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with right:
        spread_fraction = parts.pick_spread()
    found = breakeven.breakeven(facts, comparison, *chosen, spread_fraction=spread_fraction)
    with left:
        result = parts.pick_result(found.pair)
    answer.markdown(f"#### {plain(two_options.answer(found.pair))}")
    answer.caption(plain(f"{comparison.model.display_name}: {words.workload_text(comparison)}"))
    with curves:
        parts.show_curves(found.pair)
    parts.show_what_matters(found, result)
    parts.show_map(found)
    parts.show_arithmetic(found.pair)
    parts.show_rows(found)
