"""What a reply cost, against figures worked out by hand, and what is not priced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.cost import TokenPrices
from llmcompare.core.facts import ReplyFact
from llmcompare.core.reply_price import ReplyPrice, reply_seconds, reply_usd

LISTED = TokenPrices(input_usd_per_mtok=0.4, output_usd_per_mtok=2.0, cached_input_usd_per_mtok=0.1)


def reply(**known):
    said = {"reply_id": "r", "run_id": "r", "slot": 0, "model": "m", "ended_at": "", "text": "", "end": "end"}
    return ReplyFact(**(said | {"error": None} | known))


def price(tokens=None, usd_per_hour=None):
    return ReplyPrice(label="", tokens=tokens, usd_per_hour=usd_per_hour)


def test_cached_tokens_have_their_own_price():
    # 800 x 0.4 + 200 x 0.1 + 500 x 2.0 = 1,340 millionths.
    got = reply_usd(reply(prompt_tokens=1000, reused_tokens=200, generated_tokens=500), price(LISTED))
    assert got == pytest.approx(0.00134)


def test_a_machine_by_the_hour_costs_the_time_of_the_reply():
    # 1 s to the first token, 99 more at 33 a second: 4 s of 3,600 at 1.80 USD.
    timed = reply(ttft_ms=1000, generated_tokens=100, generation_tokens_per_s=33)
    assert reply_seconds(timed) == pytest.approx(4)
    assert reply_usd(timed, price(usd_per_hour=1.8)) == pytest.approx(0.002)


@pytest.mark.parametrize("known", [{}, {"prompt_tokens": 9}, {"generated_tokens": 9}, {"ttft_ms": 5.0}])
def test_what_was_not_counted_has_no_price_rather_than_a_low_one(known):
    assert reply_usd(reply(**known), price(LISTED)) is None
    assert reply_usd(reply(**known), price(usd_per_hour=1.0)) is None


@given(prompt=st.integers(0, 10_000), generated=st.integers(1, 10_000), cached=st.floats(0, 1))
def test_a_cache_never_makes_a_reply_dearer_where_cached_input_is_cheaper(prompt, generated, cached):
    without = reply(prompt_tokens=prompt, generated_tokens=generated)
    with_cache = reply(prompt_tokens=prompt, generated_tokens=generated, reused_tokens=int(prompt * cached))
    assert reply_usd(with_cache, price(LISTED)) <= reply_usd(without, price(LISTED)) * (1 + 1e-9)
