"""Doubts about prices: errors that public lists really held, the true prices beside them, and laws."""

from collections import defaultdict
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.price_checks import (
    API_PEERS_MOST,
    CHANGED_BY_MOST,
    GPU_PEERS_MOST,
    Compared,
    api_doubts,
    gpu_doubts,
    times_text,
)
from llmcompare.services.doubts import doubts_table

NOTHING = Compared()
LITELLM = "PyPI package litellm 1.82.0: litellm/model_prices_and_context_window_backup.json"
REAL_ERRORS = [
    # USD per million tokens as listed, what other providers asked there, the factor, and where.
    ("Llama 3.1 8B at wandb", 22_000.0, 22_000.0, [0.05, 0.1, 0.1, 0.22], "220,000 times", LITELLM),
    ("Llama 3.3 70B at wandb", 71_000.0, 71_000.0, [0.13, 0.59, 0.71, 0.72, 0.88], "100,000 times",
     "https://github.com/BerriAI/litellm/issues/23503"),
    ("gpt-oss-120b at wandb", 15_000.0, 60_000.0, [0.15, 0.15, 0.15], "100,000 times",
     "https://github.com/BerriAI/litellm/pull/38167"),
    ("Llama 3.1 405B, long, at fireworks", 0.1, 0.1, [0.8, 1.0, 1.79, 2.5, 3.0, 3.5, 4.0], "1/25 of",
     "data/api_prices.csv"),
    ("Qwen3.5 9B at openinfer", 5.0, 0.15, [0.1, 0.17, 0.2], "29.4 times", "PyPI package litellm 1.110.2"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given_usd", "made_usd", "others", "factor", "source"), REAL_ERRORS)
def test_an_error_of_a_public_list_is_doubted_beside_other_providers(name, given_usd, made_usd, others, factor, source):
    doubts = api_doubts(
        input_usd_per_mtok=given_usd,
        output_usd_per_mtok=made_usd,
        input_against=Compared(others=others),
        output_against=NOTHING,
    )
    assert any(factor in doubt and f"the median of {len(others)} other providers" in doubt for doubt in doubts), source


@pytest.mark.parametrize("factor", [8000, 333, 25, 1 / 8000, 1 / 333, 1 / 25])
@pytest.mark.parametrize("true_usd", [0.02, 0.59, 3.5, 15.0])
def test_errors_of_the_sizes_that_lists_hold_are_doubted_against_the_price_before_and_against_others(factor, true_usd):
    wrong = true_usd * factor
    near = [true_usd * share for share in (0.5, 0.9, 1.0, 1.4)]
    for against in (Compared(before=true_usd), Compared(others=near)):
        found = api_doubts(
            input_usd_per_mtok=wrong, output_usd_per_mtok=wrong, input_against=against, output_against=against
        )
        assert len(found) == 2
        assert gpu_doubts(usd_per_gpu_hour=wrong, against=against)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (1e-6, "USD per token"),
        (1e-3, "USD per 1,000 tokens"),
        (1e3, "1,000 times too much"),
        (1e6, "1,000,000 times too much"),
        (1e2, "cents"),
    ],
)
def test_a_slip_of_units_of_tokens_is_named(factor, said):
    against = Compared(before=0.59)
    (doubt, _) = api_doubts(
        input_usd_per_mtok=0.59 * factor,
        output_usd_per_mtok=0.79 * factor,
        input_against=against,
        output_against=Compared(before=0.79),
    )
    assert said in doubt


@pytest.mark.parametrize(
    ("factor", "said"),
    [(1 / 3600, "per second"), (1 / 60, "per minute"), (8, "with 8 GPUs"), (24, "per day"), (730, "per month")],
)
def test_a_slip_of_units_of_time_or_of_the_whole_machine_is_named(factor, said):
    (doubt,) = gpu_doubts(usd_per_gpu_hour=3.99 * factor, against=Compared(before=3.99))
    assert said in doubt


def test_a_factor_that_is_no_slip_is_not_explained():
    (doubt,) = gpu_doubts(usd_per_gpu_hour=3.99 * 12, against=Compared(before=3.99))
    assert doubt == "a GPU-hour at 47.88 USD is 12 times the price before, 3.99"


@pytest.mark.parametrize(
    ("given_usd", "made_usd", "said"),
    [
        # azure_ai, Llama 4 Maverick: 1.41 / 0.35 where Azure asks 0.25 / 1.00 (github.com/BerriAI/litellm/pull/31532).
        (1.41, 0.35, "may be swapped"),
        # together_ai, Qwen3 235B tput: 0.2 / 6.0 in LiteLLM.
        (0.2, 6.0, "is 30 times input"),
        # sambanova, Qwen2 Audio 7B: 0.5 / 100 in LiteLLM.
        (0.5, 100.0, "is 200 times input"),
    ],
)
def test_output_and_input_that_do_not_go_together_are_doubted_without_any_other_price(given_usd, made_usd, said):
    (doubt,) = api_doubts(
        input_usd_per_mtok=given_usd, output_usd_per_mtok=made_usd, input_against=NOTHING, output_against=NOTHING
    )
    assert said in doubt


def test_seven_of_more_than_a_thousand_prices_in_use_are_doubted_and_they_are_the_known_ones(real_facts):
    table = doubts_table(real_facts)
    offers = {row[table.columns.index("offer")] for row in table.rows}
    assert len(real_facts.api_offers) + len(real_facts.gpu_offers) > 1_000
    # Two of them Azure's swapped prices, one the size of a whole factor of 25.
    assert "azure_ai/Llama-4-Maverick-17B-128E-Instruct-FP8" in offers
    assert "fireworks_ai/accounts/fireworks/models/llama-v3p1-405b-instruct-long" in offers
    assert len(offers) < 0.01 * (len(real_facts.api_offers) + len(real_facts.gpu_offers))


def test_no_reading_of_a_gpu_that_is_kept_is_doubted_beside_the_others(real_facts):
    by_gpu = defaultdict(lambda: defaultdict(list))
    for offer in real_facts.gpu_price_history:
        by_gpu[(offer.gpu_id, offer.billing)][offer.provider].append(offer.usd_per_gpu_hour)
    checked = 0
    for by_provider in by_gpu.values():
        for provider, prices in by_provider.items():
            others = [median(found) for name, found in by_provider.items() if name != provider]
            for usd in prices:
                checked += len(others) >= 3
                assert not gpu_doubts(usd_per_gpu_hour=usd, against=Compared(others=others))
    assert checked > 300


usd = st.floats(0.001, 500)


@given(usd=usd, others=st.lists(usd, max_size=2))
def test_fewer_than_three_other_providers_are_no_ground_for_a_doubt(usd, others):
    assert gpu_doubts(usd_per_gpu_hour=usd, against=Compared(others=others)) == ()
    assert not Compared(others=others).is_comparable


@given(before=usd, factor=st.floats(1 / CHANGED_BY_MOST, CHANGED_BY_MOST))
def test_a_move_within_the_limit_is_never_doubted(before, factor):
    assert gpu_doubts(usd_per_gpu_hour=before * factor, against=Compared(before=before)) == ()


@given(others=st.lists(usd, min_size=3, max_size=9), factor=st.floats(1.01, 1000))
def test_what_is_further_from_the_others_than_a_doubted_price_is_doubted_too(others, factor):
    middle = median(others)
    for most, doubts in (
        (GPU_PEERS_MOST, lambda price: gpu_doubts(usd_per_gpu_hour=price, against=Compared(others=others))),
        (
            API_PEERS_MOST,
            lambda price: api_doubts(
                input_usd_per_mtok=price, output_usd_per_mtok=price, input_against=Compared(others=others),
                output_against=NOTHING,
            ),
        ),
    ):  # fmt: skip
        assert doubts(middle * most * factor)
        assert doubts(middle / (most * factor))
        assert not doubts(middle)


@given(factor=st.floats(1e-9, 1e9))
def test_a_factor_is_said_as_times_or_as_a_part(factor):
    text = times_text(factor)
    assert text.endswith(" times") == (factor >= 1)
    number = float(text.removeprefix("1/").split(" ")[0].replace(",", ""))
    assert number == pytest.approx(max(factor, 1 / factor), rel=0.01)
