"""Fine-tuning: memory, hours and cost of full tuning, LoRA and QLoRA, next to a longer prompt or a larger model."""

import streamlit as st

from llmcompare.services import finetune, fit
from llmcompare.ui import finetune as parts
from llmcompare.ui import frame, show
from llmcompare.ui.safe import plain

facts, scenario = frame.facts(), frame.scenario()
st.title("Fine-tuning")
model = fit.subject(facts, scenario.model)
answer = st.container()
run = parts.pick_run()
found = finetune.plans(facts, model, run, billing=scenario.billing)
first, *others = finetune.answer_sentences(model, found)
answer.markdown(f"#### {plain(first)}")
if others:
    answer.markdown(plain(" ".join(others)))
answer.caption(plain(f"{model.name}, {scenario.billing} prices: change both in the sidebar."))
parts.show_methods(model, found)
parts.show_alternatives(facts, scenario, run, found)

show.behind(
    {"GPUs that hold it": lambda: finetune.plan_table(found)},
    {"Assumptions": lambda: show.assumptions(finetune.assumptions(run))},
    key="ft_behind",
)
