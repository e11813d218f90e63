"""Hardware: which machines hold a model, how fast it is there, and how sure that is."""

import streamlit as st

from llmcompare.services import calibration, fit, hardware, hardware_chosen
from llmcompare.ui import frame, machine
from llmcompare.ui import hardware as parts
from llmcompare.ui.safe import plain

facts, scenario = frame.facts(), frame.scenario()
st.title("Hardware")
view = parts.pick_view()
if view == parts.WHERE:
    model = fit.subject(facts, scenario.model)
    answer = st.container()
    use, streams = parts.pick_use(model)
    limits = hardware.Limits(ttft_ms=scenario.ttft_limit_ms, tpot_ms=scenario.tpot_limit_ms)
    gpus = parts.pick_gpus(facts, scenario.billing)
    places = hardware.places(facts, model, use, gpus=gpus, billing=scenario.billing)
    output_tokens = hardware.written_tokens(use, scenario.output_tokens)
    served = hardware.served(facts, model, use, places, output_tokens=output_tokens, streams=streams, limits=limits)
    chosen = hardware_chosen.chosen_answer(scenario, model, places, served)
    for number, said in enumerate(filter(None, (chosen, hardware.answer(model, use, served, limits)))):
        answer.markdown(plain(said) if number else f"#### {plain(said)}")
    answer.caption(plain(hardware.basis_of_answer(served)))
    parts.show_places(model, use, places)
    family = facts.model(scenario.model).family
    parts.show_served(model, use, served, family=family, output_tokens=output_tokens)
    parts.show_parts(model, use)
elif view == parts.WHAT:
    parts.show_what_runs(facts, scenario.output_tokens)
elif view == parts.ACCURACY:
    parts.show_accuracy(calibration.scatter_rows(facts), facts.calibration)
else:
    machine.show_machine()
