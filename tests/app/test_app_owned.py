"""The view “Own machine” without a browser: its answer, its two kinds of energy, and what it says to bad input."""

import pytest

from llmcompare.core import owned_words
from llmcompare.core.scenario import Scenario
from llmcompare.services import costs, energy, owned

PAGE = "decide/costs"
LINK = {
    "costs_view": "Own machine",
    "model": "llama-3.1-8b-instruct",
    "purchase_usd": "30000",
    "owned_gpu": "h100-sxm-80gb",
    "requests_per_month": "5000000",
}
SCENARIO = Scenario(
    model="llama-3.1-8b-instruct", purchase_usd=30_000, owned_gpu="h100-sxm-80gb", requests_per_month=5_000_000
)
MODELLED, MEASURED = "Energy over the load, modelled", "Energy over the load, measured"


def test_the_answer_is_what_the_services_reckon(open_app, facts):
    app = open_app(PAGE, **LINK)
    assert not app.tracebacks
    found, _ = owned.option(facts, SCENARIO, costs.compare(facts, SCENARIO).rented)
    assert owned_words.owned_sentence(found) in app.text
    assert owned_words.per_request_sentence(found) in app.text
    assert app.table("The own machine beside the other options")["usd_per_month_mid"][0] == found.usd_per_month.mid


def test_measured_and_modelled_energy_stand_in_two_tables(open_app, facts):
    app = open_app(PAGE, **LINK)
    modelled, measured = app.table(MODELLED), app.table(MEASURED)
    assert set(modelled["method"]) == {"modelled v1"}
    assert len(measured) == len(energy.measured(facts, "llama-3.1-8b-instruct"))
    assert 126 in set(measured["measured_wh_per_mtok"])
    shared = set(modelled) & set(measured)
    assert not any("wh" in name or "tokens_per_s" in name for name in shared)
    assert energy.errors_sentence(energy.errors(facts)) in app.text


def test_without_a_purchase_price_the_page_asks_for_one_and_shows_energy(open_app):
    app = open_app(PAGE, costs_view="Own machine", model="llama-3.3-70b-instruct")
    assert not app.tracebacks
    assert "No purchase price in the data has a source" in app.text
    assert "A million output tokens with their prompts takes" in app.text
    assert MODELLED in app.tables()


def test_a_dirtier_grid_means_more_carbon_and_the_address_keeps_it(open_app):
    app = open_app(PAGE, **LINK, grams_per_kwh="890")
    assert app.value("grams_per_kwh") == 890
    assert "890 g per kWh" in set(app.table("Assumptions")["value"])


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"resale_usd": "40000"}, "resale_usd is 40,000, above the purchase of 30,000"),
        ({"load_w": "500", "idle_w": "600"}, "idle_w is 600 and load_w 500"),
        ({"owned_gpu": "rtx-3090-24gb", "model": "llama-3.1-405b-instruct"}, "No own machine can be reckoned"),
        ({"owned_gpu": "h20-96gb"}, "give load_w, the watts of the machine"),
    ],
)
def test_a_machine_that_cannot_be_gets_a_sentence_and_the_page_stays(open_app, link, sentence):
    app = open_app(PAGE, **LINK | link)
    assert not app.tracebacks
    assert sentence in app.text
    assert "Assumptions" in app.tables()
