"""Capability: a ranking of models from published scores, how sure it is, and every score behind it."""

import streamlit as st

from llmcompare.services import capability
from llmcompare.ui import capability as parts
from llmcompare.ui import capability_views as views
from llmcompare.ui import frame

facts, scenario = frame.facts(), frame.scenario()
st.title("Capability")
left, right = st.columns([3, 1])
with left:
    chosen = parts.pick_models(facts)
with right:
    category = parts.pick_category()
question = parts.pick_question(facts, category)
ranking = capability.shown(capability.ranked(facts, question), chosen)
parts.show_answer(facts, question, ranking, chosen)
view = parts.pick_view()
if view == parts.FORMATS:
    views.show_formats(facts, chosen)
elif view == parts.CATEGORY:
    views.show_categories(facts, question, chosen)
elif view == parts.CHECK:
    views.show_check(facts, question)
elif ranking is None:
    st.info("No two models have a score in the same cell: let more scores count.", icon=":material/info:")
elif view == parts.SCORES:
    parts.show_scores(facts, ranking, chosen)
elif view == parts.SIZE:
    views.show_size(facts, ranking, chosen)
elif view == parts.TIME:
    views.show_time(facts, ranking, chosen)
elif view == parts.COST:
    views.show_cost(facts, ranking, chosen, scenario)
else:
    parts.show_ranking(facts, ranking, chosen)
parts.show_rows(facts, question, ranking, chosen)
