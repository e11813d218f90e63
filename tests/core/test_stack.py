"""The parts of a cost add up to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_comparison_laws import books, compared, scenarios, thoroughly

from llmcompare.core.cost import TokenPrices, api_usd_per_request
from llmcompare.core.scenario import Scenario
from llmcompare.core.stack import api_parts, in_words, stacks

PRICES = TokenPrices(input_usd_per_mtok=2.5, output_usd_per_mtok=10, cached_input_usd_per_mtok=1.25)


def by_name(parts) -> dict[str, float]:
    return {part.name: part.usd_per_month for part in parts}


def parts_of(scenario: Scenario, prices: TokenPrices = PRICES) -> dict[str, float]:
    usd = api_usd_per_request(prices, scenario.workload, batch_fraction=scenario.batch_fraction)
    return by_name(api_parts(prices, scenario, usd_per_month=usd * scenario.requests_per_month))


def test_gpt_4o_at_its_list_price_is_half_input_and_half_output_for_four_input_tokens_per_output_token():
    assert parts_of(Scenario(input_tokens=1_200, output_tokens=300)) == {"input": 3_000, "output": 3_000}


def test_cached_and_thinking_tokens_have_parts_of_their_own():
    found = parts_of(Scenario(input_tokens=1_000, cached_input_fraction=0.4, output_tokens=100, thinking_tokens=200))
    assert found == pytest.approx({"input": 1_500, "cached input": 500, "output": 1_000, "thinking": 2_000})


def test_what_waiting_saves_is_a_part_below_zero():
    halved = TokenPrices(input_usd_per_mtok=2.5, output_usd_per_mtok=10, batch_discount_fraction=0.5)
    found = parts_of(Scenario(batch_fraction=0.5), halved)
    assert found["batch discount"] == pytest.approx(-0.25 * (found["input"] + found["output"]))


@given(
    scenario=st.builds(
        Scenario,
        input_tokens=st.floats(1, 1e5),
        output_tokens=st.floats(0, 1e4),
        thinking_tokens=st.floats(0, 1e4),
        cached_input_fraction=st.floats(0, 1),
        batch_fraction=st.floats(0, 1),
    ),
    off=st.none() | st.floats(0, 0.9),
)
def test_the_parts_of_an_api_add_up_to_its_bill(scenario, off):
    prices = TokenPrices(input_usd_per_mtok=1.3, output_usd_per_mtok=4.7, batch_discount_fraction=off)
    bill = api_usd_per_request(prices, scenario.workload, batch_fraction=scenario.batch_fraction)
    assert sum(parts_of(scenario, prices).values()) == pytest.approx(bill * scenario.requests_per_month, rel=1e-9)


@thoroughly
@given(book=books(), scenario=scenarios)
def test_the_parts_of_every_option_add_up_and_idle_hours_are_never_free(book, scenario):
    comparison = compared(book, scenario)
    totals = {option.key: option.curves.mid.usd_per_month(scenario.requests_per_month) for option in comparison.options}
    for key, _, parts in stacks(comparison):
        if key != "api":
            assert sum(part.usd_per_month for part in parts) == pytest.approx(totals[key], rel=1e-9)
        assert all(part.usd_per_month > 0 for part in parts if part.name != "batch discount")
        if key in ("rented", "rented_at_scale"):
            found = by_name(parts)
            assert found.get("spare replicas", 0) > 0 or scenario.spare_replicas == 0
            at_most = scenario.target_utilisation_fraction * (1 + 1e-9)
            assert found["GPU hours at work"] <= at_most * totals[key]


@thoroughly
@given(book=books(), scenario=scenarios)
def test_the_parts_are_said_for_those_who_do_not_see_the_chart(book, scenario):
    found = stacks(compared(book, scenario))
    said = in_words(found)
    assert all(name in said and part.name in said for _, name, parts in found for part in parts)
