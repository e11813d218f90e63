"""The Advisor page without a browser: it says what the services compute, and every input moves the answer."""

from dataclasses import replace

import pytest

from llmcompare.core import advice_words as words
from llmcompare.core.advice_assumptions import assumptions
from llmcompare.core.capability_scores import CATEGORIES
from llmcompare.core.needs import PRESETS, Need
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import usd_text
from llmcompare.services import advice, advice_out
from llmcompare.services.overview import FAMILIES

PAGE = "decide/advisor"
CARD = "rtx-4090-24gb"
WALK = {"need_languages": "German", "need_hardware": CARD, "need_stays": "true", "requests_per_month": "50000"}
SCENARIO = Scenario(requests_per_month=50_000)
NEED = Need(languages=("German",), hardware=CARD, data_stays_here=True, categories=tuple((c, 1.0) for c in CATEGORIES))


def test_the_page_answers_in_words_first_and_gives_reasons_chances_and_changes(open_app, facts):
    app = open_app(PAGE, **WALK)
    assert app.tracebacks == []
    assert app.errors == ""
    found, names = advice.advise(facts, SCENARIO, NEED), advice_out.gpu_names(facts)
    assert words.headline(found, names) in app.text
    for sentence in words.reasons(found, names):
        assert sentence in app.text
    for sentence in words.kind_sentences(found, names):
        assert sentence in app.text
    for family in FAMILIES:
        assert words.family_sentence(found, family) in app.text
    for flip, line in found.flips:
        assert words.flip_sentence(flip, line, names) in app.text
    for one in found.limit_flips:
        assert words.limit_sentence(one, names) in app.text
    assert app.has("advice_chances")


def test_the_ranking_and_every_model_that_is_out_are_tables_with_sources(open_app, facts):
    app = open_app(PAGE, **WALK)
    ranking = app.reveal("advice_behind", "Ranking").table("Deployments by worth")
    out = app.reveal("advice_behind", "Models that are out").table("Models that are out, and why")
    found = advice.advise(facts, SCENARIO, NEED)
    assert ranking["model"].tolist() == [line.model.display_name for line in found.lines][: len(ranking)]
    assert set(out["model"]) == {one.model.display_name for one in found.out_models}
    assert out["reason"].str.len().min() > 5
    assert ranking["source"].notna().all()
    assumed = app.reveal("advice_behind", "Assumptions").table("Assumptions")
    assert set(assumed["assumption"]) == {one.name for one in assumptions(NEED, SCENARIO)}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_the_shape_of_a_request_and_what_counts(open_app, facts, name):
    app = open_app(PAGE).set("need_preset", name)
    assert app.tracebacks == []
    preset = PRESETS[name]
    assert (app.value("input_tokens"), app.value("output_tokens")) == (preset.input_tokens, preset.output_tokens)
    need = Need(weights=preset.weights, categories=preset.categories_of_all(CATEGORIES))
    scenario = Scenario(input_tokens=preset.input_tokens, output_tokens=preset.output_tokens)
    found = advice.advise(facts, scenario, need)
    assert words.headline(found, advice_out.gpu_names(facts)) in app.text


def test_data_that_stays_without_hardware_is_explained_and_the_rest_of_the_page_stays(open_app):
    app = open_app(PAGE, need_stays="true")
    assert app.tracebacks == []
    assert "no hardware is at hand" in app.errors
    assert app.set("need_hardware", CARD).errors == ""


def test_the_first_place_is_handed_over_to_every_page(open_app, facts):
    app = open_app(PAGE, **WALK)
    best = advice.advise(facts, SCENARIO, NEED).winner
    app.run_of.get_by_key("advice_use").click().run()
    assert app.tracebacks == []
    assert app.value("model") == best.model.model_id
    assert (app.value("owned_gpu"), app.value("owned_gpu_count")) == (CARD, 1)
    assert (app.value("engine"), app.value("weight_format")) == (best.engine, best.weight_format)
    costs = app.open("decide/costs")
    assert costs.tracebacks == []
    assert costs.value("model") == best.model.model_id
    # The limit goes along, and the machine that is paid costs there what it costs here.
    assert costs.value("data_place") == "here"
    assert "The data must stay here, so APIs, serverless and rented GPUs are out: an own machine" in costs.text
    assert usd_text(best.usd_per_month) in costs.text


def test_a_floor_that_nobody_reaches_leaves_a_sentence(open_app, facts):
    app = open_app(PAGE, need_min_ability_percent="99.9")
    assert app.tracebacks == []
    assert "No deployment keeps every limit" in app.text
    found = advice.advise(
        facts, Scenario(), replace(NEED, languages=(), hardware=None, data_stays_here=False, min_ability_percent=99.9)
    )
    assert words.headline(found, {}) in app.text
