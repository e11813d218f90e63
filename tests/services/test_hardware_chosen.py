"""The machine that is chosen in the sidebar, first on the Hardware page."""

import pytest

from llmcompare.core.memory import Use
from llmcompare.core.scenario import Scenario
from llmcompare.services import fit, hardware
from llmcompare.services.hardware_chosen import chosen_answer

CARD = "rtx-4090-24gb"
AT_8K = Use(context_tokens=8192)


def found(facts, **asked):
    scenario = Scenario(**asked)
    model = fit.subject(facts, scenario.model)
    places = hardware.places(
        facts, model, AT_8K, gpus=hardware.priced_gpus(facts, "on-demand"), billing="on-demand"
    )  # fmt: skip
    served = hardware.served(facts, model, AT_8K, places, output_tokens=300)
    return chosen_answer(scenario, model, places, served), served


def test_without_a_choice_there_is_nothing_to_say(real_facts):
    assert found(real_facts)[0] is None
    assert found(real_facts, owned_gpu=CARD)[0] is None, "an own machine is compared elsewhere, unless all stays on it"


def test_the_machine_that_is_at_hand_is_said_with_its_speed_and_its_room(real_facts):
    chosen = {"engine": "tensorrt-llm", "weight_format": "bf16"}
    said, served = found(real_facts, model="qwen3-8b", owned_gpu=CARD, data_place="here", **chosen)
    (one,) = [
        one for one in served
        if (one.place.gpu.gpu_id, one.place.format_name, one.engine) == (CARD, "bf16", "tensorrt-llm")
    ]  # fmt: skip
    assert said.startswith("Qwen3 8B (hybrid thinking) on 1 × RTX 4090 24GB, bf16, tensorrt-llm, as chosen: ")
    assert hardware.rate_in_words(one.speeds.decode_tokens_per_s) in said
    assert f"room for {one.place.largest_context_tokens:,} tokens of context" in said
    assert "the machine has" not in said


def test_a_machine_with_too_few_cards_is_told_so(real_facts):
    said, _ = found(
        real_facts, model="llama-3.3-70b-instruct", owned_gpu=CARD, data_place="here", weight_format="bf16"
    )  # fmt: skip
    assert said.endswith("; it takes 8 of them, and the machine has 1.")


@pytest.mark.parametrize("weight_format", ["bf16", None])
def test_the_chosen_gpu_to_rent_is_said_with_the_cheapest_of_what_fits(real_facts, weight_format):
    said, served = found(real_facts, model="qwen3-8b", gpu=CARD, weight_format=weight_format)
    there = [one for one in served if one.place.gpu.gpu_id == CARD]
    first = next(one for one in there if weight_format in (None, one.place.format_name))
    assert hardware.label(first) in said


def test_a_gpu_that_cannot_hold_the_model_is_said_to(real_facts):
    said, _ = found(real_facts, model="llama-3.1-405b-instruct", gpu="t4-16gb", weight_format="bf16")
    assert said == "Llama 3.1 405B Instruct does not fit on the chosen T4 16GB, not even on 8 of them."
