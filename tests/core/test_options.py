"""Token-priced APIs as an option: chosen provider, own prices, requests that can wait; and the laws of all three."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core import tiers, words
from llmcompare.core.comparison import compare
from llmcompare.core.cost import TokenPrices, api_usd_per_request, price_band
from llmcompare.core.options import PriceBook, api_option, today_option
from llmcompare.core.records import ApiOffer, Capacity, Gpu, GpuOffer, Model
from llmcompare.core.scenario import Scenario
from llmcompare.core.workload import Workload
from llmcompare.errors import UnknownIdError

FROM = {"as_of": "2026-11-01", "source": "https://s.example"}
MODEL = Model(
    model_id="tiny-7b", family="qwen", generation="Tiny", display_name="Tiny 7B", params_total_billion=7.6,
    released_on=None, license_id=None, context_native_tokens=None, context_extended_tokens=None, row_id="models:1",
    **FROM,
)  # fmt: skip
GPU = Gpu(
    gpu_id="h100", name="NVIDIA H100", vendor="NVIDIA", gpu_class="datacenter", memory_gb=80.0, row_id="gpus:1", **FROM
)
MEASURED = Capacity(
    record_id="them-1", model_id="tiny-7b", measured_model_id="tiny-7b", gpu_id="h100", gpu_count=1, engine="vllm",
    engine_version=None, weight_format="bf16", scenario="offline-max-throughput", concurrency=None,
    input_tokens=1_000.0, output_tokens=1_000.0, output_tokens_per_s=4_000.0, measured_by="them", row_id="t:1", **FROM,
)  # fmt: skip
RENTED = GpuOffer(
    provider="alpha", offer_name="one", gpu_id="h100", gpu_count=1, billing="on-demand", region="global",
    usd_per_gpu_hour=2.0, row_id="gpu_prices:1", **FROM,
)  # fmt: skip


def offer(provider: str, given: float = 0.2, made: float = 0.6, **changed: object) -> ApiOffer:
    values = {
        "api_model_name": "tiny", "model_id": "tiny-7b", "family": "qwen", "variant": "standard",
        "cached_input_usd_per_mtok": None, "context_tokens": None, "row_id": f"api_prices:{provider}", **FROM,
    }  # fmt: skip
    return ApiOffer(provider=provider, input_usd_per_mtok=given, output_usd_per_mtok=made, **values | changed)


TODAY = offer("openai", 2.5, 10.0, api_model_name="gpt-4o", model_id=None, family="proprietary",
              batch_discount_fraction=0.5, row_id="api_prices:today")  # fmt: skip
QUESTION = Scenario(model="tiny-7b", requests_per_month=1e6, input_tokens=1_000, output_tokens=1_000)


def book(*offers: ApiOffer) -> PriceBook:
    return PriceBook(
        model=MODEL, api_offers=(*offers, TODAY), gpu_offers=[RENTED], gpus={"h100": GPU}, capacities=[MEASURED]
    )


THREE = book(offer("alpha"), offer("beta", 0.3, 0.9, batch_discount_fraction=0.5), offer("gamma", 0.5, 1.5))


def usd(scenario: Scenario, rows: PriceBook = THREE) -> tuple[float, float, float]:
    option, missing = api_option(rows, scenario)
    assert missing is None, missing
    return option.usd_per_month.low, option.usd_per_month.mid, option.usd_per_month.high


def missing(scenario: Scenario, rows: PriceBook = THREE) -> str:
    option, reason = api_option(rows, scenario)
    assert option is None
    return reason


def test_a_chosen_provider_alone_makes_the_figure():
    assert usd(QUESTION) == pytest.approx((800, 1_200, 2_000))
    assert usd(replace(QUESTION, api_provider="gamma")) == pytest.approx((2_000, 2_000, 2_000))


def test_a_provider_that_nobody_knows_is_named_with_close_ones():
    with pytest.raises(UnknownIdError, match="API provider 'gama' is not in the catalogue: did you mean gamma"):
        api_option(THREE, replace(QUESTION, api_provider="gama"))


def test_a_provider_without_a_price_of_the_model_is_a_sentence_that_names_those_with_one():
    reason = missing(replace(QUESTION, api_provider="openai"))
    assert reason == "openai lists no price for Tiny 7B; these do: alpha, beta, gamma"


def test_a_provider_without_the_variant_is_a_sentence():
    rows = book(offer("alpha"), offer("beta", variant="fp8"))
    assert "only as fp8" in missing(replace(QUESTION, api_provider="beta"), rows)


def test_own_prices_replace_the_list():
    own = replace(QUESTION, own_input_usd_per_mtok=0.1, own_output_usd_per_mtok=0.4)
    assert usd(own) == pytest.approx((500, 500, 500))
    comparison = compare(THREE, own, fingerprint="x")
    assert "$500 a month, your price." in words.api_sentence(comparison.api)
    # What is in no table is no row behind the figures.
    assert {row.row_id for row in comparison.rows_used} == {"models:1", "gpus:1", "gpu_prices:1", "t:1",
                                                            "api_prices:today"}  # fmt: skip


def test_own_prices_serve_a_model_that_nobody_lists():
    own = replace(QUESTION, own_input_usd_per_mtok=0.1, own_output_usd_per_mtok=0.4)
    assert usd(own, book()) == pytest.approx((500, 500, 500))


def test_an_own_cached_price_counts_for_the_cached_share():
    own = replace(
        QUESTION,
        own_input_usd_per_mtok=0.1,
        own_cached_input_usd_per_mtok=0.02,
        own_output_usd_per_mtok=0.4,
        cached_input_fraction=0.5,
    )
    # 500 x 0.1 + 500 x 0.02 + 1,000 x 0.4, a thousand times over.
    assert usd(own) == pytest.approx((460, 460, 460))


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"own_input_usd_per_mtok": 0.1}, "needs both figures"),
        ({"own_output_usd_per_mtok": 0.1}, "needs both figures"),
        ({"own_cached_input_usd_per_mtok": 0.1}, "needs both figures"),
        ({"own_input_usd_per_mtok": 0.0, "own_output_usd_per_mtok": 0.0}, "is 0 for input and output"),
        (
            {"own_input_usd_per_mtok": 0.1, "own_cached_input_usd_per_mtok": 0.2, "own_output_usd_per_mtok": 1.0},
            "cached input, 0.2 USD, is above that of input, 0.1 USD",
        ),
    ],
)
def test_own_prices_that_cannot_be_used_are_a_sentence(own, says):
    assert says in missing(replace(QUESTION, **own))


def test_requests_that_can_wait_pay_the_batch_price_where_there_is_one_and_the_result_says_where_not():
    # alpha and gamma list none; beta charges half: 1,200 x (1 - 0.4 x 0.5).
    half = replace(QUESTION, batch_fraction=0.4)
    assert usd(half) == pytest.approx((800, 960, 2_000))
    option, _ = api_option(THREE, half)
    assert option.without_batch_price_count == 2
    assert "2 of 3 list no batch price, so requests that can wait are charged the full one." in words.api_sentence(
        option
    )
    assert api_option(THREE, QUESTION)[0].without_batch_price_count == 0


def test_the_bill_of_today_knows_batch_prices_too_unless_it_was_typed_in():
    half = replace(QUESTION, batch_fraction=0.4)
    assert today_option(THREE, half).usd_per_month == pytest.approx(12_500 * 0.8)
    assert today_option(THREE, replace(half, today_usd_per_month=4_000)).usd_per_month == 4_000
    without = replace(THREE, api_offers=[replace(TODAY, batch_discount_fraction=None)])
    assert today_option(without, half).batch_price_missing
    assert not today_option(without, QUESTION).batch_price_missing


def test_a_batch_discount_comes_off_the_cached_price_only_where_the_provider_says_so():
    # 2,000 tokens in, half of them cached, at 3.00 and 0.30; 1,000 out at 15.00; all of it in batches at half price.
    rag = Workload(requests_per_month=1, input_tokens=2_000, output_tokens=1_000, cached_input_fraction=0.5)
    prices = TokenPrices(
        input_usd_per_mtok=3, cached_input_usd_per_mtok=0.3, output_usd_per_mtok=15, batch_discount_fraction=0.5
    )
    apart = api_usd_per_request(prices, rag, batch_fraction=1)
    assert apart == pytest.approx((1_000 * 1.5 + 1_000 * 0.3 + 1_000 * 7.5) / 1e6)
    together = api_usd_per_request(replace(prices, cached_in_batch="both"), rag, batch_fraction=1)
    assert together == pytest.approx((1_000 * 1.5 + 1_000 * 0.15 + 1_000 * 7.5) / 1e6)
    # A cached price above the batch price of input: nobody pays more for a token because it was cached.
    dear = replace(prices, cached_input_usd_per_mtok=2.0)
    assert api_usd_per_request(dear, rag, batch_fraction=1) == pytest.approx((2_000 * 1.5 + 1_000 * 7.5) / 1e6)


def test_what_cached_input_costs_in_batches_is_listed_as_an_assumption_where_it_matters():
    def names(**changed: float) -> set[str]:
        return {a.name for a in words.assumptions(compare(THREE, replace(QUESTION, **changed), fingerprint="x"))}

    assert "cached input in batches" in names(batch_fraction=0.5, cached_input_fraction=0.5)
    assert "cached input in batches" not in names(batch_fraction=0.5) | names(cached_input_fraction=0.5)


def test_a_listing_whose_price_holds_for_shorter_requests_only_is_left_out_and_counted():
    rows = book(offer("alpha", base_price_max_input_tokens=32_000), offer("beta", 0.3, 0.9))
    assert usd(QUESTION, rows) == pytest.approx((800, 1_000, 1_200))
    long = replace(QUESTION, input_tokens=40_000)
    option, _ = api_option(rows, long)
    assert [priced.offer.provider for priced in option.offers] == ["beta"]
    assert "price holds for shorter requests only: 1 listing." in words.api_sentence(option)
    assert "hold for shorter requests only" in missing(long, book(offer("alpha", base_price_max_input_tokens=32_000)))


def test_todays_bill_beyond_the_step_of_its_list_is_called_a_lower_bound():
    today = replace(TODAY, base_price_max_input_tokens=32_000)
    rows = replace(THREE, api_offers=[today])
    for input_tokens, beyond in ((32_000, False), (32_001, True)):
        comparison = compare(rows, replace(QUESTION, input_tokens=input_tokens), fingerprint="x")
        assert comparison.today.beyond_base_price is beyond
        assert any("lower bound" in sentence for sentence in words.option_sentences(comparison)) is beyond


shares = st.floats(0, 1)
price = st.floats(0.001, 100)
workloads = st.builds(
    Workload,
    requests_per_month=st.just(1.0),
    input_tokens=st.floats(1, 100_000),
    output_tokens=st.floats(0, 10_000),
    thinking_tokens=st.floats(0, 10_000),
    cached_input_fraction=shares,
)


@st.composite
def token_prices(draw) -> TokenPrices:
    given = draw(price)
    return TokenPrices(
        input_usd_per_mtok=given,
        output_usd_per_mtok=draw(price),
        cached_input_usd_per_mtok=draw(st.none() | shares.map(lambda share: share * given)),
        batch_discount_fraction=draw(st.none() | st.floats(0.01, 0.99)),
        cached_in_batch=draw(st.sampled_from([None, "both", "cached", "batch"])),
    )


@given(prices=token_prices(), workload=workloads, some=shares, more=shares)
def test_a_request_never_costs_more_because_more_of_them_can_wait(prices, workload, some, more):
    low, high = sorted((some, more))
    fewer = api_usd_per_request(prices, workload, batch_fraction=low)
    assert api_usd_per_request(prices, workload, batch_fraction=high) <= fewer * (1 + 1e-9)


@given(prices=token_prices(), workload=workloads, share=shares)
def test_no_request_costs_less_than_the_whole_discount_takes_off(prices, workload, share):
    full = api_usd_per_request(prices, workload)
    off = share * (prices.batch_discount_fraction or 0)
    assert api_usd_per_request(prices, workload, batch_fraction=share) >= full * (1 - off) * (1 - 1e-9)


def others(comparison) -> list[object]:
    """Everything but the bills of APIs."""
    return [
        (d.usd_per_month, d.requests_per_s, d.curves, d.usd_per_gpu_hour, d.utilisation_fraction)
        for d in comparison.deployments
    ] + [comparison.rented_missing]


@settings(max_examples=60)
@given(cached=shares, batch=shares, requests=st.floats(1, 1e9), data=st.data())
def test_cached_and_waiting_shares_change_the_bills_of_apis_alone(cached, batch, requests, data):
    rows = book(*(
        offer(name, *data.draw(st.tuples(price, price)), cached_input_usd_per_mtok=0.0005,
              batch_discount_fraction=data.draw(st.sampled_from([None, 0.5])))
        for name in ("alpha", "beta")
    ))  # fmt: skip
    plain = replace(QUESTION, requests_per_month=requests)
    before = compare(rows, plain, fingerprint="x")
    for changed in (replace(plain, cached_input_fraction=cached), replace(plain, batch_fraction=batch)):
        after = compare(rows, changed, fingerprint="x")
        assert others(after) == others(before)
        assert after.api.usd_per_month.mid <= before.api.usd_per_month.mid * (1 + 1e-9)
        assert after.today.usd_per_month <= before.today.usd_per_month * (1 + 1e-9)


@settings(max_examples=60)
@given(
    listed=st.lists(st.tuples(price, price), min_size=1, max_size=6),
    wider=st.tuples(st.floats(0.1, 1), st.floats(1, 10)),
    batch=shares,
)
def test_a_wider_price_band_never_narrows_an_interval(listed, wider, batch):
    # Two more providers, one below and one above all others.
    offers = [offer(f"p{number}", *prices) for number, prices in enumerate(listed)]
    low, high = min(g + m for g, m in listed), max(g + m for g, m in listed)
    outer = [offer("low", low * wider[0] / 2, low * wider[0] / 2), offer("high", high * wider[1], high * wider[1])]
    asked = replace(QUESTION, batch_fraction=batch)
    narrow, wide = (compare(book(*rows), asked, fingerprint="x") for rows in (offers, [*offers, *outer]))
    assert wide.api.usd_per_month.low <= narrow.api.usd_per_month.low * (1 + 1e-9)
    assert wide.api.usd_per_month.high >= narrow.api.usd_per_month.high * (1 - 1e-9)
    for inner, outer_pair in zip(narrow.pairs, wide.pairs, strict=True):
        assert (inner.first, inner.second) == (outer_pair.first, outer_pair.second)
        if inner.earliest is not None:
            assert outer_pair.earliest is not None
            assert outer_pair.earliest <= inner.earliest * (1 + 1e-9)
        if outer_pair.latest is not None:
            assert inner.latest is not None
            assert inner.latest <= outer_pair.latest * (1 + 1e-9)


@given(prices=st.lists(price, min_size=1, max_size=9), more=st.lists(price, max_size=9))
def test_more_prices_never_narrow_a_band(prices, more):
    one, other = price_band(prices), price_band([*prices, *more])
    assert other.low <= one.low
    assert other.high >= one.high


def test_hours_without_requests_count_when_the_cheapest_to_rent_is_chosen_for_a_volume():
    larger = replace(GPU, gpu_id="h200", row_id="gpus:2")
    rows = replace(
        THREE,
        gpus={"h100": GPU, "h200": larger},
        gpu_offers=[RENTED, replace(RENTED, gpu_id="h200", usd_per_gpu_hour=3.8, row_id="gpu_prices:2")],
        capacities=[MEASURED, replace(MEASURED, gpu_id="h200", output_tokens_per_s=8_000.0, record_id="them-2")],
    )
    days = ",".join(["1"] * 12 + ["0"] * 12)
    asked = replace(QUESTION, traffic="own", hourly_profile=days, running="profile", target_utilisation_fraction=1.0)
    (renting,) = (way for way in tiers.ways(compare(rows, asked, fingerprint="x")) if way.key == "rented")
    # Six requests/s by day: two H100 by day and one by night at 2 USD, or one H200 all day at 3.80.
    assert renting.usd_per_month(3 * 730 * 3_600).mid == pytest.approx(2 * 1.5 * 730)
