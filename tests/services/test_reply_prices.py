"""A reply priced at listings, rented GPUs and deployments of the real catalogue, with the arithmetic and the rows."""

import json
import re
from dataclasses import replace

import pytest

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.core.reply_price import cheapest
from llmcompare.core.scenario import Scenario
from llmcompare.errors import UnknownIdError
from llmcompare.services import costs, reply_prices
from llmcompare.services.own_model import model_asked
from llmcompare.services.reply_prices import PriceChoice

SCENARIO = Scenario(requests_per_month=2_000_000)
RUN = RunFact(
    run_id="r", person=None, asked_at="2026-11-26T12:00:00+00:00", prompt="Why?", system=None, scheduling="in-turn",
    temperature=0.0, top_p=1.0, max_tokens=64, seed=0, context_tokens=4096,
    models=("Llama-3.3-70B-Instruct-Q4_K_M.gguf",),
)  # fmt: skip


def reply(**known):
    said = {"reply_id": "r", "run_id": "r", "slot": 0, "model": RUN.models[0], "ended_at": "", "text": "Blue."}
    measured = {"prompt_tokens": 400, "generated_tokens": 100, "reply_ms": 3600.0}
    return ReplyFact(**(said | {"end": "end", "error": None} | measured | known))


def cost(real_facts, kind, name=None, *, of=None, scenario=SCENARIO, run=RUN, **more):
    choice = PriceChoice(kind=kind, name=name, **more)
    return reply_prices.cost_of(run, of or reply(), choice, facts=real_facts, scenario=scenario)


def calculated(line):
    """The result of the numbers in a line, which stand between its last colon and the equals sign."""
    numbers, result = re.fullmatch(r".*?:? ?([^:]*) = ([\d.]+) [^=]*", line).groups()
    numbers = numbers.replace("×", "*").replace("−", "-").replace(" s ", " ")
    numbers = re.sub(r"⌈([^⌉]*)⌉", r"-(-(\1) // 1)", numbers)
    assert re.fullmatch(r"[\d. +*/()-]+", numbers), numbers
    return eval(numbers), float(result)  # noqa: S307 - digits and signs alone


def test_nothing_chosen_is_no_price(real_facts):
    assert cost(real_facts, "none") is None


def test_a_rented_machine_is_paid_whole_for_the_time_of_the_reply(real_facts):
    name, offer = next(item for item in reply_prices.rentals(real_facts).items() if item[1].gpu_count > 1)
    found = cost(real_facts, "rented GPU", name)
    # 3.6 s are a thousandth of an hour.
    assert found.usd.low == found.usd.high == pytest.approx(offer.usd_per_gpu_hour * offer.gpu_count / 1000)
    assert [row.row_id for row in found.rows] == [offer.row_id]
    assert "for this reply alone" in found.label


@pytest.mark.parametrize("key", ["api", "rented", "serverless", "today"])
def test_a_deployment_charges_its_month_over_the_requests_like_the_reply(real_facts, key):
    found = cost(real_facts, "deployment", key)
    asked = Scenario(requests_per_month=2_000_000, input_tokens=400, output_tokens=100)
    option = next(one for one in costs.compare(real_facts, asked).options if one.key == key)
    assert found.usd.mid * 2_000_000 == pytest.approx(option.curves.mid.usd_per_month(2_000_000))
    assert found.usd.low <= found.usd.mid <= found.usd.high
    assert found.rows
    assert "one of 2M such requests a month" in found.label


def asked(model, endpoint=None):
    """A run of one slot, of a file or of a model at a server."""
    where = {"model": model} if endpoint is None else {"endpoint": endpoint | {"model": model}}
    return replace(RUN, models=(model,), slots=(json.dumps(where),))


HERE = {"preset_id": "vllm", "base_url": "http://127.0.0.1:8000/v1"}


@pytest.mark.parametrize(
    ("run", "model_id"),
    [
        (asked("SmolLM2-135M-Instruct.Q4_1.gguf"), "smollm2-135m-instruct"),
        (asked("SmolLM2-135M-Instruct.Q8_0-from-Q4_1.gguf"), "smollm2-135m-instruct"),
        (asked("Meta-Llama-3.1-8B-Instruct-Q4_K_M-00001-of-00002.gguf"), "llama-3.1-8b-instruct"),
        (asked("Qwen3-4B-UD-Q4_K_XL.gguf"), "qwen3-4b"),
        (asked("mistral-7b-instruct-v0.3.gguf"), "mistral-7b-instruct-v0.3"),
        (asked("meta-llama/Llama-3.1-8B-Instruct", HERE), "llama-3.1-8b-instruct"),
        (asked("qwen3-8b", HERE), "qwen3-8b"),
        (
            asked("llama-3.1-8b-instant", {"preset_id": "groq", "base_url": "https://api.groq.com/openai/v1"}),
            "llama-3.1-8b-instruct",
        ),
        (asked("second.gguf"), None),
        (asked("llama3.1:8b", HERE), None),
        (replace(RUN, slots=None), "llama-3.3-70b-instruct"),
    ],
)
def test_the_model_of_a_slot_is_known_by_its_whole_name_alone(real_facts, run, model_id):
    found = model_asked(real_facts, run, 0)
    assert (found and found.model_id) == model_id


def test_a_reply_is_priced_at_a_deployment_of_its_own_model_and_not_of_the_sidebars(real_facts):
    scenario = Scenario(
        requests_per_month=2_000_000, gpu="h100-sxm-80gb", own_output_tokens_per_s=9.0, own_usd_per_gpu_hour=1.0
    )
    found = cost(real_facts, "deployment", "rented", run=asked("qwen3-4b", HERE), scenario=scenario)
    assert "with Qwen3 4B" in found.label
    # A measured rate of 9 tokens/s is the other model's: with it 2 million requests would take hundreds of GPUs.
    assert found.usd.high * 2_000_000 < 3 * 730 * 1.0
    today = cost(real_facts, "deployment", "today", run=asked("second.gguf"))
    assert today.label.startswith("today's API, one of 2M")


def test_a_model_that_the_catalogue_does_not_know_has_no_price_at_a_deployment_and_that_is_said(real_facts):
    found = cost(real_facts, "deployment", "rented", run=asked("second.gguf"))
    assert found.usd is None
    assert found.how == ("the catalogue has no model of the name 'second.gguf', so what serving it costs is not known",)


@pytest.mark.parametrize(("kind", "key"), [("deployment", "api"), ("deployment", "rented"), ("USD an hour", None)])
def test_every_line_of_the_arithmetic_can_be_typed_into_a_calculator(real_facts, kind, key):
    found = cost(real_facts, kind, key, usd_per_hour=1.8 if key is None else None)
    for line in found.how:
        worked_out, said = calculated(line)
        assert worked_out == pytest.approx(said, rel=1e-6), line
    assert said == pytest.approx(found.usd.mid, rel=1e-6)


def test_an_own_machine_is_a_deployment_once_its_purchase_price_is_given(real_facts):
    assert "no purchase price" in cost(real_facts, "deployment", "owned").how[0]
    bought = Scenario(purchase_usd=30_000, owned_gpu="h100-sxm-80gb", owned_gpu_count=4)
    found = cost(real_facts, "deployment", "owned", scenario=bought)
    assert found.usd.mid > 30_000 / 36 / bought.requests_per_month
    assert any(row.row_id.startswith("gpus:") for row in found.rows)


@pytest.mark.parametrize("kind", ["API listing", "deployment"])
def test_a_reply_whose_tokens_nobody_counted_has_no_price_but_a_reason(real_facts, kind):
    name = "api" if kind == "deployment" else next(iter(reply_prices.listings(real_facts)))
    found = cost(real_facts, kind, name, of=reply(generated_tokens=None))
    assert (found.usd, found.how) == (None, ("its tokens were not counted",))


@pytest.mark.parametrize("kind", ["API listing", "rented GPU", "deployment"])
def test_a_name_of_a_link_that_the_catalogue_does_not_have_is_refused(real_facts, kind):
    with pytest.raises(UnknownIdError, match="nobody's"):
        cost(real_facts, kind, "nobody's")


def test_the_cheapest_is_sure_only_where_bands_do_not_meet(real_facts):
    api, rented = cost(real_facts, "deployment", "api"), cost(real_facts, "deployment", "rented")
    longer = cost(real_facts, "deployment", "api", of=reply(generated_tokens=101))
    assert api.usd.high < rented.usd.low
    assert (cheapest([rented, api]).slots, cheapest([rented, api]).sure) == ((1,), True)
    # The same prices move both: one token more is dearer at every provider.
    assert (cheapest([longer, api]).slots, cheapest([longer, api]).sure) == ((1,), True)
    assert cheapest([api, api]).slots == cheapest([api, None]).slots == ()
