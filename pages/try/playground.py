"""Playground: one prompt through local models, side by side."""

import streamlit as st

from llmcompare.services import formats, playground, runs
from llmcompare.ui import frame
from llmcompare.ui import playground as parts
from llmcompare.ui.person import person

st.title("Playground")
st.caption("One prompt, two to four quantised models on this machine: what they say, how fast, in how much memory.")

models = runs.local_models()
usable = [model for model in models if model.problem is None]
second = formats.second_format(models)
if second is not None:
    parts.follow_format(second)
if second is not None and not second.ended.is_set():
    # Drawn now, the second choice would stay at the first model when the second one is there.
    st.caption(
        "A second format of the demo model is made first, so that there is something to compare. It takes seconds."
    )
elif usable:
    plan = parts.compose(usable)
    if plan is not None:
        parts.show_from_now_on(playground.start(plan, person=person()))
else:
    st.info(
        "There is no model file yet: `make install` brings the demo model, or put a .gguf file into var/models.",
        icon=":material/info:",
    )
run_id = parts.current_run_id()
if run_id:
    parts.show_run(run_id)
parts.show_history(frame.PAGES / "try/playground.py", frame.PAGES / "share/report.py", run_id)
parts.show_models(models)
