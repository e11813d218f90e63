"""Costs through APIs against the package genai-prices: every listing that was read in it, at any workload."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price
from genai_prices.types import TieredPrices
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core.cost import api_usd_per_request
from llmcompare.core.options import token_prices
from llmcompare.core.records import ApiOffer
from llmcompare.core.workload import Workload

PACKAGE = "genai-prices 0.2.3"
REFERENCES = {
    "mistral/codestral": "codestral-latest",
    "mistral/magistral-small": "magistral-small-2507",
    "mistral/mistral-medium-3-1": "mistral-medium-2508",
    "mistral/pixtral-large": "pixtral-large-latest",
} | {
    f"fireworks/{name}": f"accounts/fireworks/models/{name}"
    for name in (
        "llama-v3p1-8b-instruct", "llama4-maverick-instruct-basic", "qwen2p5-vl-72b-instruct", "qwen3-235b-a22b",
        "qwen3p6-plus", "qwen3p7-plus", "qwen3p8-max",
    )
}  # fmt: skip
"""Listings whose row has the package's own name of the model, which its look-up does not know."""
MOVED = {
    "mistral/mistral/magistral-medium-latest": "listed at the price of mistral-medium-3-5, which the package has apart",
    "mistral/mistral/magistral-small-latest": "listed at the price of mistral-small-2603, which the package has apart",
    "mistral/mistral/mistral-large-2407": "the package has one price for all versions of Mistral Large",
    "mistral/mistral/mistral-medium": "listed at the price of mistral-medium-3-5, which the package has apart",
}
"""Listings read in another list whose name the package takes for another model, with the reason."""
MAX_INPUT_TOKENS = 10_000_000


@dataclass(frozen=True)
class Listed:
    """An offer of ours and the same one in the package."""

    offer: ApiOffer
    reference: str
    provider_id: str

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(str(self.offer.as_of)).replace(tzinfo=UTC)

    def usd(self, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """What the package says; its input counts the cached tokens, as ours does."""
        usage = Usage(input_tokens=input_tokens, cache_read_tokens=cached_tokens, output_tokens=output_tokens)
        return float(self._price(usage).total_price)

    def first_step_tokens(self) -> int | None:
        """Where the package's first price step ends."""
        price = self._price(Usage(input_tokens=1)).model_price
        prices = (price.input_mtok, price.cache_read_mtok, price.output_mtok)
        starts = [tier.start for one in prices if isinstance(one, TieredPrices) for tier in one.tiers]
        return min(starts, default=None)

    def _price(self, usage: Usage):
        return calc_price(
            usage, model_ref=self.reference, provider_id=self.provider_id, genai_request_timestamp=self.when
        )


@pytest.fixture(scope="module")
def offers(real_catalog) -> list[ApiOffer]:
    """All rows, history too."""
    names = ", ".join(name for name in ApiOffer.__dataclass_fields__)
    return real_catalog.rows(ApiOffer, f"SELECT {names} FROM api_offers ORDER BY line")


@pytest.fixture(scope="module")
def listed(offers) -> list[Listed]:
    """Every row that was read in the package."""
    return [
        Listed(offer, REFERENCES.get(offer.offer_id, offer.api_model_name), offer.provider)
        for offer in offers
        if PACKAGE in offer.source
    ]


def ours(offer: ApiOffer, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
    workload = Workload(
        requests_per_month=1.0,
        input_tokens=float(input_tokens),
        output_tokens=float(output_tokens),
        cached_input_fraction=cached_tokens / input_tokens,
    )
    return api_usd_per_request(token_prices(offer), workload)


def test_every_row_that_was_read_in_the_package_is_still_found_there(listed):
    # 465 of 465: none is left out.
    assert len(listed) == 465
    assert len({one.offer.provider for one in listed}) >= 25
    for one in listed:
        assert one.usd(input_tokens=1_000, cached_tokens=0, output_tokens=1_000) > 0, one.offer.offer_id


@settings(max_examples=60)
@given(share=st.floats(0, 1), cached=st.floats(0, 1), output_tokens=st.integers(0, 100_000))
def test_a_request_costs_what_the_package_says_to_a_billionth(listed, share, cached, output_tokens):
    for one in listed:
        longest = one.offer.base_price_max_input_tokens or MAX_INPUT_TOKENS
        input_tokens = max(1, round(share * longest))
        tokens = {
            "input_tokens": input_tokens,
            "cached_tokens": round(cached * input_tokens),
            "output_tokens": output_tokens,
        }
        assert ours(one.offer, **tokens) == pytest.approx(one.usd(**tokens), rel=1e-9, abs=1e-15), one.offer.offer_id


def test_the_step_at_which_a_price_ends_is_that_of_the_package(listed):
    steps = {one.offer.offer_id: one.offer.base_price_max_input_tokens for one in listed}
    assert steps == {one.offer.offer_id: one.first_step_tokens() for one in listed}
    assert sum(step is not None for step in steps.values()) == 20


def test_beyond_its_step_a_list_asks_more_than_our_figure_which_is_why_it_is_left_out(listed):
    for one in listed:
        if (step := one.offer.base_price_max_input_tokens) is not None:
            tokens = {"input_tokens": step + 1, "cached_tokens": 0, "output_tokens": 1_000}
            assert one.usd(**tokens) > ours(one.offer, **tokens) * 1.05, one.offer.offer_id


def test_rows_of_another_list_agree_with_the_package_where_it_has_the_same_model(offers):
    same, other = set(), set()
    for offer in offers:
        if PACKAGE in offer.source:
            continue
        one = Listed(offer, offer.api_model_name.split("/", 1)[-1], offer.provider)
        tokens = {"input_tokens": 1_000, "cached_tokens": 0, "output_tokens": 500}
        try:
            theirs = one.usd(**tokens)
        except LookupError:
            continue
        (same if ours(offer, **tokens) == pytest.approx(theirs, rel=1e-9) else other).add(offer.offer_id)
    assert len(same) >= 10
    assert other == set(MOVED)
