"""What a request costs over its context, with the real catalogue."""

import pytest

from llmcompare.core.scenario import Scenario
from llmcompare.services import context_cost, costs


@pytest.fixture(scope="module")
def comparison(real_facts):
    return costs.compare(real_facts, Scenario())


def test_a_longer_context_never_costs_less_and_through_an_api_it_costs_by_the_token(real_facts, comparison):
    found = context_cost.context_costs(real_facts, comparison)
    assert [one.context_tokens for one in found] == [1024 * 2**power for power in range(8)]
    for end in ("low", "mid", "high"):
        api = [getattr(one.api, end) for one in found if one.api]
        rented = [getattr(one.rented, end) for one in found if one.rented]
        assert api == sorted(api)
        assert rented == sorted(rented)
    offers = comparison.api.offers
    cheapest = min(
        (o.offer.input_usd_per_mtok * (65_536 - 300) + o.offer.output_usd_per_mtok * 300) / 1e6
        for o in offers
        if o.offer.context_tokens is None or o.offer.context_tokens >= 65_536
    )
    assert found[6].api.low == pytest.approx(cheapest, rel=1e-9)


def test_a_context_beyond_the_model_has_no_figure_but_a_reason(real_facts):
    short = costs.compare(real_facts, Scenario(model="llama-3-8b-instruct"))
    found = context_cost.context_costs(real_facts, short)
    assert found[0].api is not None
    assert found[-1].api is None
    assert "longer than the context" in found[-1].api_missing


def test_the_sentence_names_how_many_times_dearer_the_longest_is(real_facts, comparison):
    found = context_cost.context_costs(real_facts, comparison)
    said = context_cost.sentence(found, comparison)
    assert f"{found[-1].api.mid / found[0].api.mid:.0f} times one with 1K" in said


def test_the_table_holds_an_empty_cell_where_there_is_no_figure(real_facts):
    short = costs.compare(real_facts, Scenario(model="llama-3-8b-instruct"))
    rows = context_cost.context_costs(real_facts, short)
    table = context_cost.context_table(rows)
    assert table.rows[-1][1] is None
    assert "longer than the context" in table.rows[-1][-1]


def test_a_length_that_the_answer_alone_fills_has_no_figure_but_the_reason(real_facts):
    long_answers = costs.compare(real_facts, Scenario(output_tokens=1_500))
    first, second, *_ = context_cost.context_costs(real_facts, long_answers)
    assert (first.api, first.rented, first.today) == (None, None, None)
    assert second.api is not None
    assert second.rented is not None
    assert context_cost.context_table([first]).rows[0][-1] == "the answer alone is 1,500 tokens"
