"""Prices of replies as text, for links and the command line, and in the report of a run."""

import json
from dataclasses import replace
from datetime import date

import pytest

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.core.scenario import Scenario
from llmcompare.engines.endpoints import Endpoint
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.reports.html import html
from llmcompare.reports.run_report import run_report
from llmcompare.services import price_choices, reply_prices
from llmcompare.services.plans import Plan
from llmcompare.services.reply_prices import PriceChoice

MODELS = ("qwen3-4b.gguf", "second.gguf")
SLOTS = tuple(json.dumps({"model": name}) for name in MODELS)
RUN = RunFact(
    run_id="run-1", person=None, asked_at="2026-11-26T12:00:00+00:00", prompt="Why?", system=None,
    scheduling="in-turn", temperature=0.0, top_p=1.0, max_tokens=64, seed=0, context_tokens=4096, models=MODELS,
)  # fmt: skip
REPLIES = tuple(
    ReplyFact(
        reply_id=f"r{slot}",
        run_id="run-1",
        slot=slot,
        model=name,
        ended_at="2026-11-26T12:00:01",
        text="Blue.",
        end="end",
        error=None,
        prompt_tokens=400,
        generated_tokens=100,
        reply_ms=3600.0 * (slot + 1),
        engine="e",
    )  # fmt: skip
    for slot, name in enumerate(MODELS)
)


@pytest.mark.parametrize(
    "text", ["none", "api:groq/llama-3.3-70b-versatile", "gpu:1 × a, b: c", "deployment:rented", "usd-per-hour:1.5"]
)
def test_a_choice_and_its_text_are_the_same(text):
    assert price_choices.text_of(price_choices.choice_from(text)) == text


@pytest.mark.parametrize("text", ["", "rented", "api:", "usd-per-hour:cheap", "usd-per-hour:-1", "usd-per-hour:nan"])
def test_a_text_that_is_no_price_is_refused_with_a_sentence(text):
    with pytest.raises(InputError, match="price is"):
        price_choices.choice_from(text)


def test_one_price_is_for_all_and_several_are_one_for_each():
    one = price_choices.choices_from(["deployment:rented"], slots=3)
    assert one == [PriceChoice(kind="deployment", name="rented")] * 3
    assert price_choices.texts_of(one) == ["deployment:rented"]
    each = price_choices.choices_from(["none", "usd-per-hour:2"], slots=2)
    assert [choice.overrides for choice in each] == [True, True]
    assert price_choices.texts_of(each) == ["none", "usd-per-hour:2"]
    with pytest.raises(InputError, match="2 prices are given for 3 models"):
        price_choices.choices_from(["none", "none"], slots=3)


def test_a_name_that_the_catalogue_does_not_have_is_refused_before_anything_runs(real_facts):
    for kind in ("api", "gpu", "deployment"):
        with pytest.raises(UnknownIdError, match="nobody's"):
            reply_prices.require_known(real_facts, price_choices.choice_from(f"{kind}:nobody's"))
    reply_prices.require_known(real_facts, price_choices.choice_from("deployment:rented"))


def test_prices_are_looked_up_where_one_is_chosen_or_a_provider_lists_its_own():
    here = Endpoint(preset_id="vllm", base_url="http://127.0.0.1:8000/v1", model="m")
    groq = Endpoint(preset_id="groq", base_url="https://api.groq.com/openai/v1", model="m")
    nothing = [PriceChoice()]
    assert not price_choices.needs_prices(Plan(prompt="Why?", models=(here,)), nothing)
    assert price_choices.needs_prices(Plan(prompt="Why?", models=(groq,)), nothing)
    assert price_choices.needs_prices(Plan(prompt="Why?", models=(here,)), [PriceChoice(kind="USD an hour")])


def report(real_facts, *texts, scenario=None):
    scenario = scenario or Scenario()
    chosen = price_choices.choices_from(texts, slots=2)
    costs = price_choices.costs_of(RUN, REPLIES, chosen, facts=real_facts, scenario=scenario)
    flags = price_choices.flags(chosen, scenario)
    return run_report(RUN, REPLIES, running=False, made_on=date(2026, 11, 26), costs=costs, price_flags=flags)


def prices(made):
    (found,) = [section for section in made.sections if section.heading == "Price of each reply"]
    return found


def test_the_report_of_a_run_holds_what_each_reply_cost_with_its_rows_and_the_command(real_facts):
    made = report(real_facts, "usd-per-hour:1.8")
    assert prices(made).sentences == (
        "qwen3-4b.gguf: 0.00180 USD: a machine at 1.8 USD an hour, given by you.",
        "second.gguf: 0.00360 USD: a machine at 1.8 USD an hour, given by you.",
        "Cheapest: qwen3-4b.gguf.",
    )
    assert [row[2] for row in prices(made).tables[0].rows] == pytest.approx([0.0018, 0.0036])
    assert " --price usd-per-hour:1.8 --json" in made.command
    assert "0.00360 USD: a machine" in html(made)


def test_a_reply_without_a_price_says_why_in_the_report_and_the_rows_of_the_others_are_its_sources(real_facts):
    made = report(real_facts, "deployment:rented", scenario=Scenario(requests_per_month=2e6))
    known, unknown = prices(made).sentences
    assert "with Qwen3 4B" in known
    assert unknown.startswith("second.gguf: no price at a deployment of its model: the catalogue has no model")
    assert prices(made).tables[0].rows[1][2:5] == (None, None, None)
    assert len(made.sources) > 1
    assert "--price deployment:rented --requests-per-month 2000000" in made.command


def test_what_the_options_of_the_command_cannot_say_is_left_out_of_it(real_facts):
    made = report(real_facts, "deployment:rented", scenario=Scenario(engine="vllm"))
    assert "--price" not in made.command


def test_without_a_choice_the_report_has_no_prices(real_facts):
    assert prices(report(real_facts)).empty
    plain = replace(RUN, slots=SLOTS)
    assert prices(run_report(plain, REPLIES, running=False, made_on=date(2026, 11, 26))).empty


def test_the_report_of_a_later_turn_holds_what_was_said_before_and_whole_replies():
    before = [("Hello?", [(MODELS[0], "Yes."), (MODELS[1], "")])]
    made = run_report(
        RUN, REPLIES, running=False, made_on=date(2026, 11, 26), before=before, texts=["Dark Blue.", "Blue."]
    )
    asked, said = made.sections[:2]
    assert [(quote.title, quote.text) for quote in asked.quotes] == [
        ("Turn 1", "Hello?"), ("Turn 1, qwen3-4b.gguf", "Yes."), ("Turn 1, second.gguf", "—"), ("Prompt", "Why?"),
    ]  # fmt: skip
    assert [quote.text for quote in said.quotes] == ["Dark Blue.", "Blue."]
