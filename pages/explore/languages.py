"""Languages: the same text in each family, as tokens and money, and who names or tests the language."""

import streamlit as st

from llmcompare.services import languages
from llmcompare.ui import frame
from llmcompare.ui import languages as parts

facts = frame.facts()
st.title("Languages")
asked = parts.pick_text(facts, frame.scenario())
found = languages.counted(facts, asked)
answer = st.container()
parts.show_tokens(found, asked)
models = languages.of_models(facts, asked, parts.pick_models(facts, asked))
with answer:
    parts.show_answer(asked, found, models)
parts.show_models(facts, asked, models)
parts.show_every_language(facts, asked)
parts.show_rows(facts, asked, found, models)
