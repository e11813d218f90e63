"""Families: who may be used for a need and why the others may not; licences, sizes, frameworks, communities."""

import streamlit as st

from llmcompare.services import families
from llmcompare.ui import families as parts
from llmcompare.ui import frame

facts, scenario = frame.facts(), frame.scenario()
st.title("Families")
found = families.assessed(facts, parts.pick_need(facts))
parts.show_answer(found, scenario)
view = parts.pick_view()
if view == parts.LICENCES:
    parts.show_licences(facts, found)
elif view == parts.GENERATIONS:
    parts.show_generations(facts, found)
elif view == parts.FRAMEWORKS:
    parts.show_frameworks(facts)
elif view == parts.COMMUNITY:
    parts.show_community(facts)
else:
    parts.show_left(found)
