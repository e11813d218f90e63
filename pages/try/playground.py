"""Playground: one prompt through models side by side, on this machine or behind an endpoint."""

import streamlit as st

from llmcompare.services import formats, playground, runs
from llmcompare.ui import frame, playground_ask
from llmcompare.ui import playground as parts
from llmcompare.ui import playground_history as history
from llmcompare.ui.handover import take_model
from llmcompare.ui.person import person

st.title("Playground")
st.caption(
    "One prompt, two to six models side by side, on this machine or behind an endpoint: what they say, how fast, "
    "in how much memory, for how much money."
)

models = runs.local_models()
usable = [model for model in models if model.problem is None]
take_model(usable, "slot_1")
second = formats.second_format(models)
if second is not None:
    parts.follow_format(second)
if second is not None and not second.ended.is_set():
    # Drawn now, the second choice would stay at the first model when the second one is there.
    st.caption(
        "A second format of the demo model is made first, so that there is something to compare. It takes seconds."
    )
else:
    if not usable:
        st.info(
            "There is no model file yet: `make install` brings the demo model, or put a .gguf file into var/models. "
            "Models behind an endpoint can be asked without one.",
            icon=":material/info:",
        )
    history.show_taken()
    plan = playground_ask.compose(usable)
    if plan is not None:
        parts.show_from_now_on(playground.start(plan, person=person()))
run_id = parts.current_run_id()
if run_id:
    chosen = parts.show_run(run_id)
    following = parts.pick_next(run_id, usable)
    if following is not None:
        parts.show_from_now_on(playground.start(following, person=person()))
        st.rerun()
    history.show_links(run_id, chosen, frame.PAGES / "try/arena.py", frame.PAGES / "share/report.py")
history.show(frame.PAGES / "try/playground.py")
parts.show_models(models)
