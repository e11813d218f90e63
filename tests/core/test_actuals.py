"""A forecast against what came: each cause has its part, the parts add up, and what is not known is not told apart."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import actuals_words as words
from llmcompare.core.actuals import Actual, GpuForecast, TokenForecast, difference, shares
from llmcompare.core.bill import implied_requests_per_month
from llmcompare.core.cost import TokenPrices, api_usd_per_request
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError

GPT_4O = TokenPrices(input_usd_per_mtok=2.5, output_usd_per_mtok=10, cached_input_usd_per_mtok=1.25)
PLAN = Workload(requests_per_month=1_000_000, input_tokens=1_000, output_tokens=300)
API = TokenForecast(label="today's API", usd=5_500, workload=PLAN, prices=GPT_4O)
GPUS = GpuForecast(label="renting 2 × H100", usd=4_380, workload=PLAN, gpu_hours=1_460)
AS_PLANNED = Actual(month="2026-10", usd=5_500, requests=1e6, input_tokens=1e9, output_tokens=3e8, cached_tokens=0)


def parts(found):
    return {part.factor.name: part.usd for part in found.parts}


def test_a_fifth_more_requests_alone_are_a_fifth_more_of_the_bill():
    found = difference(API, replace(AS_PLANNED, usd=6_600, requests=1.2e6, input_tokens=1.2e9, output_tokens=3.6e8))
    assert (found.usd, found.fraction) == (1_100, pytest.approx(0.2))
    assert parts(found) == pytest.approx(
        {"requests": 1_100, "input tokens": 0, "cached share": 0, "output tokens": 0, "price": 0}, abs=1e-9
    )
    assert "$1,100 (20%) more than the forecast of $5,500" in words.headline(found)
    assert "volume (requests)" in words.headline(found)


def test_each_cause_by_itself_is_found():
    longer = difference(API, replace(AS_PLANNED, usd=6_500, output_tokens=4e8))
    assert (longer.usd_of("mix"), longer.usd_of("price")) == (pytest.approx(1_000), pytest.approx(0, abs=1e-9))
    cached = difference(API, replace(AS_PLANNED, usd=4_875, cached_tokens=5e8))
    assert parts(cached)["cached share"] == pytest.approx(-625)
    cheaper = difference(API, replace(AS_PLANNED, usd=4_400))
    assert (cheaper.usd_of("price"), cheaper.usd_of("volume")) == (pytest.approx(-1_100), 0)
    assert "Price: −$1,100. 80.0% of the list price instead of 100.0%." in list(words.sentences(cheaper))


def test_two_causes_share_what_only_both_together_bring():
    # Twice the requests and twice the price: 5,500 becomes 22,000, and neither alone explains the 5,500 on top.
    found = difference(API, replace(AS_PLANNED, usd=22_000, requests=2e6, input_tokens=2e9, output_tokens=6e8))
    assert (found.usd_of("volume"), found.usd_of("price")) == (pytest.approx(8_250), pytest.approx(8_250))


def test_rented_gpus_have_price_and_speed_apart_where_hours_are_known():
    hours = Actual(month="2026-10", usd=4_380, requests=1e6, input_tokens=1e9, output_tokens=3e8, gpu_hours=1_460)
    assert difference(GPUS, hours).usd == 0
    slower = difference(GPUS, replace(hours, usd=5_256, gpu_hours=1_752))
    assert (slower.usd_of("speed"), slower.usd_of("price")) == (pytest.approx(876), pytest.approx(0, abs=1e-9))
    dearer = difference(GPUS, replace(hours, usd=5_256))
    assert (dearer.usd_of("price"), dearer.usd_of("speed")) == (pytest.approx(876), pytest.approx(0, abs=1e-9))
    unknown = difference(GPUS, replace(hours, usd=5_256, gpu_hours=None))
    assert unknown.usd_of("together") == pytest.approx(876)
    assert "price and speed are in one" in " ".join(unknown.notes)


def test_what_is_not_given_is_not_told_apart():
    bill_alone = difference(API, Actual(month="2026-10", usd=6_000))
    assert parts(bill_alone) == {"all causes": 500}
    assert "no cause can be told" in " ".join(words.sentences(bill_alone))
    assert "most of it" not in words.headline(bill_alone)
    without_tokens = difference(API, Actual(month="2026-10", usd=6_600, requests=1.2e6))
    assert parts(without_tokens) == pytest.approx({"requests": 1_100, "cost of a request": 0}, abs=1e-9)
    planned = replace(API, workload=replace(PLAN, cached_input_fraction=0.4), usd=5_000)
    assert "share is taken as forecast" in " ".join(difference(planned, replace(AS_PLANNED, cached_tokens=None)).notes)


def test_a_month_as_forecast_says_so_and_a_longer_month_is_mentioned():
    found = difference(API, AS_PLANNED)
    assert words.headline(found) == "October 2026 cost $5,500, as forecast for today's API."
    assert "The forecast is for 730 hours; October 2026 has 744." in list(words.sentences(found))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"month": "10/2026"}, "month is '10/2026': write it as 2026-11"),
        ({"usd": 0.0}, "usd of 2026-10 is 0"),
        ({"usd": float("nan")}, "usd of 2026-10 is nan"),
        ({"requests": -1.0}, "requests of 2026-10 is -1"),
        ({"requests": 0.0}, "requests of 2026-10 is 0"),
        ({"cached_tokens": 2e9}, "cached_tokens of 2026-10 is above input_tokens"),
        ({"input_tokens": 0.0, "output_tokens": 0.0}, "both 0"),
        ({"requests": 10.0}, "input_tokens of 2026-10 is above 10 million per request"),
        ({"gpu_hours": 0.0}, "gpu_hours of 2026-10 is 0"),
    ],
)
def test_a_month_that_cannot_be_is_a_sentence(wrong, said):
    with pytest.raises(InputError, match=said.replace("/", "/")):
        replace(AS_PLANNED, **wrong)


def test_a_bill_of_4000_usd_pays_for_727_273_requests_of_0_0055_usd():
    usd = api_usd_per_request(GPT_4O, PLAN)
    assert implied_requests_per_month(usd_per_month=4_000, usd_per_request=usd) == pytest.approx(727_272.7, abs=0.1)
    with pytest.raises(InputError, match="costs nothing"):
        implied_requests_per_month(usd_per_month=4_000, usd_per_request=0)


# --- laws -------------------------------------------------------------------------------------------------------------

AMOUNT = st.floats(0.01, 1e6)
FIGURES = st.lists(AMOUNT, min_size=4, max_size=4)


def cost(figures):
    return figures[0] * (figures[1] + 3 * figures[2]) / figures[3]


@given(before=FIGURES, after=FIGURES)
def test_the_shares_add_up_to_the_whole_change(before, after):
    whole = cost(after) - cost(before)
    assert sum(shares(cost, before, after)) == pytest.approx(whole, rel=1e-9, abs=1e-9 * (cost(after) + cost(before)))


@given(before=FIGURES, after=FIGURES, kept=st.integers(0, 3))
def test_a_figure_that_does_not_change_has_no_share(before, after, kept):
    after = [*after[:kept], before[kept], *after[kept + 1 :]]
    assert shares(cost, before, after)[kept] == 0


@given(before=FIGURES, after=FIGURES)
def test_the_way_back_has_the_same_shares_with_the_other_sign(before, after):
    size = cost(before) + cost(after)
    there, back = shares(cost, before, after), shares(cost, after, before)
    assert there == pytest.approx([-one for one in back], rel=1e-6, abs=1e-6 * size)


MONTHS = st.builds(
    Actual, month=st.just("2026-10"), usd=st.floats(1, 1e7), requests=st.none() | st.floats(1e5, 1e9),
    input_tokens=st.none() | st.floats(1, 1e11), output_tokens=st.none() | st.floats(0, 1e11),
    gpu_hours=st.none() | st.floats(1, 1e6),
)  # fmt: skip


@given(actual=MONTHS, forecast=st.sampled_from([API, GPUS]), share=st.none() | st.floats(0, 1))
def test_the_parts_of_any_month_add_up_to_its_difference(actual, forecast, share):
    if share is not None and actual.input_tokens is not None:
        actual = replace(actual, cached_tokens=share * actual.input_tokens)
    found = difference(forecast, actual)
    # Parts that cancel may be far larger than both bills.
    size = found.actual_usd + found.forecast_usd + sum(abs(part.usd) for part in found.parts)
    assert sum(part.usd for part in found.parts) == pytest.approx(found.usd, abs=1e-12 * size)
    assert sum(found.usd_of(cause) for cause in words.CAUSES) == pytest.approx(found.usd, abs=1e-12 * size)
    assert words.headline(found)
    assert list(words.sentences(found))
    assert len(words.difference_table([found]).rows) == 1


@given(requests=st.floats(1e3, 1e9), given_tokens=st.floats(0, 1e5), made=st.floats(1, 1e5), share=st.floats(0, 1))
def test_a_month_that_is_the_forecast_has_no_parts(requests, given_tokens, made, share):
    plan = Workload(
        requests_per_month=requests, input_tokens=given_tokens, output_tokens=made, cached_input_fraction=share
    )
    usd = requests * api_usd_per_request(GPT_4O, plan)
    came = Actual(
        month="2026-10", usd=usd, requests=requests, input_tokens=requests * given_tokens,
        output_tokens=requests * made, cached_tokens=requests * given_tokens * share * (1 - 1e-12),
    )  # fmt: skip
    found = difference(TokenForecast(label="x", usd=usd, workload=plan, prices=GPT_4O), came)
    assert [part.usd for part in found.parts] == pytest.approx([0] * 5, abs=1e-9 * usd)
