"""Fine-tuning with the real catalogue: where it runs, what it costs, what it is set against."""

import json

import pytest

from llmcompare.core.finetune import Tuning
from llmcompare.core.scenario import Scenario
from llmcompare.services import finetune, fit

MODEL = "llama-3.1-8b-instruct"


@pytest.fixture(scope="module")
def plans(real_facts):
    return finetune.plans(real_facts, fit.subject(real_facts, MODEL), Tuning(method="LoRA"), billing="on-demand")


def test_every_method_has_its_gpus_cheapest_first_and_each_holds_it(real_facts, plans):
    for one in plans:
        assert one.sites
        assert [site.usd.mid for site in one.sites] == sorted(site.usd.mid for site in one.sites)
        for site in one.sites:
            assert site.memory.total_bytes <= fit.usable_bytes(site.gpu)
            assert site.usd.low <= site.usd.mid <= site.usd.high
            assert site.offers


def test_full_tuning_of_8b_needs_more_than_one_80_gb_card_and_qlora_fits_a_16_gb_card(plans):
    full, _, qlora = plans
    assert full.memory.total_bytes > 80 * 2**30
    assert min(site.gpu.memory_gb for site in qlora.sites if site.gpu_count == 1) == 16


def test_the_arithmetic_gives_the_figures_when_it_is_done_again(real_facts, plans):
    model = fit.subject(real_facts, MODEL)
    for one in plans:
        for line in finetune.arithmetic(model, one):
            for part in line.split("; "):
                if part.count(" = ") < 2:
                    continue
                _, formula, result = part.split(" = ")
                value = formula.replace(" bytes", "").replace("×", "*").replace("÷", "/").replace(",", "")
                shown = result.split()[0].replace(",", "")
                scale = 2**30 if result.endswith("GiB") else 1
                assert eval(value) / scale == pytest.approx(float(shown), rel=0.01)  # noqa: S307


def test_a_longer_prompt_and_a_larger_model_are_priced_and_the_run_is_set_against_both(real_facts, plans):
    once = plans[1].sites[0].usd
    scenario = Scenario(model=MODEL)
    found = finetune.alternatives(
        real_facts, scenario, once=once, example_tokens=500, few_shots=5, larger="llama-3.3-70b-instruct"
    )
    longer, larger = found.others
    assert longer.usd_per_month.mid > found.tuned_usd_per_month.mid
    assert larger.usd_per_month.mid > found.tuned_usd_per_month.mid
    saved = longer.usd_per_month.mid - found.tuned_usd_per_month.mid
    assert longer.paid_back.months == pytest.approx(once.mid / saved)


def test_larger_models_are_of_the_family_priced_and_larger(real_facts):
    found = finetune.larger_models(real_facts, MODEL)
    priced = {offer.model_id for offer in real_facts.api_offers}
    assert "llama-3.3-70b-instruct" in found
    for name in found:
        model = real_facts.models[name]
        assert model.family == "llama"
        assert model.params_total_billion > 8.03
        assert name in priced


def test_the_command_prints_what_the_page_shows(command, plans, real_facts):
    ran = command("finetune", "--model", MODEL, "--json")
    found = json.loads(ran.out)
    assert ran.exit_code == 0
    assert found["answer"] == finetune.answer(fit.subject(real_facts, MODEL), plans)
    assert [one["method"] for one in found["methods"]] == ["full", "LoRA", "QLoRA"]
    assert found["methods"][1]["sites"][0]["usd"]["mid"] == plans[1].sites[0].usd.mid


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--examples", "0"], "examples is 0: give a number from 1"),
        (["--larger", "gpt-9"], "gpt-9"),
        (["--few-shots", "-1"], "few_shots is -1: give 0 or more"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(command, flags, said):
    ran = command("finetune", "--model", MODEL, *flags)
    assert ran.exit_code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
