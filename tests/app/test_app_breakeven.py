"""The Breakeven page without a browser: the answer first, every part, any pair, and links."""

import pytest

from llmcompare.core import two_options
from llmcompare.core.scenario import Scenario
from llmcompare.services import breakeven, costs
from llmcompare.ui.breakeven import WORDS

PAGE = "decide/breakeven"
H100 = {"model": "llama-3.1-8b-instruct", "gpu": "h100-sxm-80gb", "capacity_basis": "predicted"}
PARTS = ("pair_curves", "tornado", "saving_map")


def pair_of(facts, first, second, **scenario):
    return two_options.two_options(costs.compare(facts, Scenario(**scenario)), first, second)


def test_the_api_against_one_rented_h100_is_answered_in_one_sentence_with_everything_below(open_app, facts):
    app = open_app(PAGE, **H100)
    pair = pair_of(facts, "api", "rented", **H100)
    assert app.tracebacks == []
    assert app.errors == ""
    assert two_options.answer(pair) in app.text
    assert all(map(app.has, PARTS))
    for sentence in (*two_options.details(pair), *two_options.crossing_sentences(pair)):
        assert sentence in app.text


def test_the_arithmetic_stands_on_the_page_with_its_numbers(open_app, facts):
    text = open_app(PAGE, arithmetic="true", **H100).text
    for _, steps in two_options.arithmetic(pair_of(facts, "api", "rented", **H100)):
        for step in steps:
            assert step.numbers in text


@pytest.mark.parametrize(
    ("first", "second"), [("serverless", "rented"), ("rented", "today"), ("api", "today"), ("api", "serverless")]
)
def test_any_two_options_can_be_compared(open_app, facts, first, second):
    app = open_app(PAGE, first=first, second=second)
    assert app.tracebacks == []
    assert app.errors == ""
    assert two_options.answer(pair_of(facts, first, second)) in app.text
    assert app.has("pair_curves")
    # A link by keys opens the same pair as a choice from the list, which says it in words.
    assert (app.value("first"), app.value("second")) == (WORDS[first], WORDS[second])
    again = open_app(PAGE).set("first", WORDS[first]).set("second", WORDS[second])
    assert two_options.answer(pair_of(facts, first, second)) in again.text


def test_an_own_machine_can_be_compared_once_it_has_a_price(open_app, facts):
    machine = {"purchase_usd": "60000", "owned_gpu_count": "2"}
    app = open_app(PAGE, first="owned", second="rented", breakeven_behind="Inputs", **machine)
    assert app.tracebacks == []
    assert two_options.answer(pair_of(facts, "owned", "rented", purchase_usd=60_000, owned_gpu_count=2)) in app.text
    assert "Purchase of a machine" in set(app.table("What matters most")["input"])


def test_where_they_never_cross_the_saving_comes_first_and_the_page_says_why(open_app):
    app = open_app(PAGE)
    assert app.value("matters_apart") == "Saving a month"
    assert "They never cross at middle prices, so this begins with the saving" in app.text
    assert "GPU price" not in app.text.partition("Moves nothing here")[2].partition("Two inputs")[0]
    assert open_app(PAGE, **H100).value("matters") == "First crossing"


def test_both_results_have_a_tornado_and_never_says_what_to_look_at(open_app):
    app = open_app(PAGE, matters_apart="Saving a month")
    assert app.has("tornado")
    assert "What renting" in app.text
    assert "never pays" in app.text


def test_the_spread_is_an_assumption_that_can_be_changed_and_is_listed(open_app, facts):
    app = open_app(PAGE, spread="50", breakeven_behind="Assumptions")
    listed = app.table("Assumptions")
    assert "50% to both sides" in set(listed["value"])
    wide = breakeven.breakeven(facts, costs.compare(facts, Scenario()), "api", "rented", spread_fraction=0.5)
    app = open_app(PAGE, spread="50", breakeven_behind="Inputs")
    low = dict(zip(app.table("What matters most")["input"], app.table("What matters most")["low"], strict=True))
    assert low["Input tokens"] == wide.knob("input_tokens").band.low == 500


def test_the_sources_of_both_options_are_listed_and_of_no_other(open_app, facts):
    listed = set(open_app(PAGE, breakeven_behind="Sources").table("Rows used")["row_id"])
    comparison = costs.compare(facts, Scenario())
    assert {priced.offer.row_id for priced in comparison.api.offers} <= listed
    assert {offer.row_id for offer in comparison.rented.offers} <= listed
    assert comparison.today.offer.row_id not in listed


def test_the_map_can_have_other_inputs(open_app):
    app = open_app(PAGE, map_x="API price", map_y="Output tokens")
    assert app.tracebacks == []
    assert (app.value("map_x"), app.value("map_y")) == ("API price", "Output tokens")
    assert app.has("saving_map")
    assert "Choose two different inputs." in open_app(PAGE, map_x="API price", map_y="API price").text


def test_the_same_option_twice_is_answered_with_what_to_do(open_app):
    app = open_app(PAGE, first="api", second="api")
    assert "Choose two different options." in app.text
    assert app.tracebacks == []


def test_a_link_to_an_option_that_is_not_there_says_so_and_the_page_goes_on(open_app):
    app = open_app(PAGE, first="owned")
    assert "first 'owned' is not to be had here" in app.warnings
    assert app.has("pair_curves")


def test_a_model_without_any_option_beside_todays_bill_says_so(open_app, facts):
    known = {offer.model_id for offer in facts.api_offers} | set(facts.capacities) | set(facts.shapes)
    app = open_app(PAGE, model=next(model_id for model_id in facts.models if model_id not in known))
    assert app.tracebacks == []
    assert "There is no figure" in app.text
