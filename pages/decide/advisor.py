"""Advisor: which deployment fits a need best, how sure that is, why each other one is out, and what would change it."""

import streamlit as st

from llmcompare.services import advice
from llmcompare.ui import advisor as parts
from llmcompare.ui import frame

facts, scenario = frame.facts(), frame.scenario()
st.title("Advisor")
answer = st.container()
need = parts.pick_need(facts, scenario)
found = advice.advise(facts, scenario, need)
with answer:
    parts.show_answer(facts, found)
st.subheader("How likely each model is the best")
parts.show_chances(found)
st.subheader("The best of each way to serve")
parts.show_kinds(facts, found)
st.subheader("When to choose which family")
parts.show_path(found)
st.subheader("What would change the answer")
parts.show_changes(facts, found)
parts.show_rows(facts, found)
