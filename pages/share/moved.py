"""What moved: prices, models and scores that are other ones than on a day."""

from datetime import date

import streamlit as st

from llmcompare.services import moved
from llmcompare.ui import frame
from llmcompare.ui import moved as parts

facts = frame.facts()

st.title("What moved")
found = moved.news(facts, parts.pick_since(facts), today=date.today())
view = parts.pick_view()
if view == parts.CATALOGUE:
    parts.show_catalogue(found)
else:
    parts.show_prices(found, view)
