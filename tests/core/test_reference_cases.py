"""Figures that were published or can be redone by hand, each to 1e-9."""

import pytest

from llmcompare.core.breakeven import crossings, first_volume_where_no_dearer
from llmcompare.core.cost import (
    MeasuredCapacity,
    TokenPrices,
    api_usd_per_request,
    price_band,
    requests_per_s,
    usd_per_mtok,
    usd_per_request,
)
from llmcompare.core.curves import CostCurve, ReplicaGroup, rented_curve
from llmcompare.core.workload import Workload


def near(value: float):
    return pytest.approx(value, rel=1e-9)


def replicated(*, usd: float, requests: float) -> CostCurve:
    return CostCurve(groups=(ReplicaGroup(usd_per_replica_month=usd, requests_per_replica_month=requests),))


def test_a_machine_at_2_70_usd_an_hour_with_200_requests_costs_0_0135_usd_a_request():
    assert usd_per_request(usd_per_hour=2.70, requests_per_hour=200) == near(0.0135)


def test_that_machine_breaks_even_with_0_001_usd_a_request_at_2700_requests_an_hour():
    machine = replicated(usd=2.70 * 730, requests=1e9)
    api = CostCurve(usd_per_request=0.001)
    assert first_volume_where_no_dearer(machine, api) / 730 == near(2_700)
    assert usd_per_request(usd_per_hour=2.70, requests_per_hour=2_700) == near(0.001)
    assert near(13.5) == 2_700 / 200


def test_an_h100_at_3_02_usd_an_hour_has_the_published_cost_per_mtok_by_side_and_over_all():
    input_tokens_per_s, output_tokens_per_s = 6_070.48, 5_595.07
    charged_to_input = usd_per_mtok(usd_per_hour=3.02, tokens_per_s=input_tokens_per_s)
    charged_to_output = usd_per_mtok(usd_per_hour=3.02, tokens_per_s=output_tokens_per_s)
    over_all = usd_per_mtok(usd_per_hour=3.02, tokens_per_s=input_tokens_per_s + output_tokens_per_s)
    assert (round(charged_to_input, 3), round(charged_to_output, 3), round(over_all, 3)) == (0.138, 0.150, 0.072)
    # One machine paid once: the two one-sided rates in parallel give the rate over all.
    assert 1 / (1 / charged_to_input + 1 / charged_to_output) == near(over_all)


def test_a_gpu_at_2_80_usd_an_hour_and_1000_tokens_a_second_breaks_even_full_with_the_cost_that_inferencex_states():
    # github.com/SemiAnalysisAI/InferenceX-app: packages/app/src/lib/chart-utils.test.ts @ 1276c73: 2.8 / 3.6 USD per
    # million tokens, 3,600,000 / 2.8 tokens per USD.
    assert usd_per_mtok(usd_per_hour=2.8, tokens_per_s=1_000) == near(2.8 / 3.6)
    assert 1e6 / usd_per_mtok(usd_per_hour=2.8, tokens_per_s=1_000) == near(3_600_000 / 2.8)
    # Requests of 1,000 tokens, one per second and GPU: the API of that price costs the same when the GPU is full.
    machine = rented_curve(usd_per_gpu_hour=2.8, gpus_per_replica=1, requests_per_s=1)
    api = CostCurve(usd_per_request=2.8 / 3.6 * 1_000 / 1e6)
    assert first_volume_where_no_dearer(machine, api) == near(730 * 3_600)


def test_half_the_utilisation_doubles_the_cost_of_a_token():
    full = usd_per_mtok(usd_per_hour=3.02, tokens_per_s=1_000)
    assert usd_per_mtok(usd_per_hour=3.02, tokens_per_s=1_000, utilisation_fraction=0.5) == near(2 * full)


def test_2160_usd_per_100_mtok_against_25_usd_a_mtok_crosses_five_times_on_flats_and_at_five_jumps():
    started_100_mtok = replicated(usd=2_160, requests=100)
    api = CostCurve(usd_per_request=25)
    found = crossings(started_100_mtok, api)
    in_five = [point for point in found.points if point.requests_per_month <= 500]
    flats = [point for point in in_five if point.kind == "equal"]
    jumps = [point for point in in_five if point.kind == "jump"]
    assert [point.requests_per_month for point in flats] == near([86.4, 172.8, 259.2, 345.6, 432.0])
    assert [point.usd_per_month for point in flats] == near([2_160, 4_320, 6_480, 8_640, 10_800])
    assert [point.cheaper_after for point in flats] == ["first"] * 5
    assert [point.requests_per_month for point in jumps] == near([100, 200, 300, 400, 500])
    assert [point.usd_per_month for point in jumps] == near([2_500, 5_000, 7_500, 10_000, 12_500])
    assert [point.cheaper_after for point in jumps] == ["second"] * 5


def test_beyond_the_last_of_its_crossings_that_machine_stays_cheaper():
    started_100_mtok = replicated(usd=2_160, requests=100)
    found = crossings(started_100_mtok, CostCurve(usd_per_request=25))
    after_five = [(point.requests_per_month, point.kind) for point in found.points if point.requests_per_month > 500]
    assert after_five == [(near(518.4), "equal"), (near(600), "jump"), (near(604.8), "equal")]
    assert found.searched_to_requests_per_month is None


def test_cached_input_halves_nothing_but_the_input_it_covers():
    workload = Workload(requests_per_month=1, input_tokens=1_000, output_tokens=300, cached_input_fraction=0.5)
    prices = TokenPrices(input_usd_per_mtok=0.6, cached_input_usd_per_mtok=0.2, output_usd_per_mtok=1.2)
    assert api_usd_per_request(prices, workload) == near((500 * 0.6 + 500 * 0.2 + 300 * 1.2) / 1e6)


def test_thinking_tokens_are_billed_as_output():
    prices = TokenPrices(input_usd_per_mtok=3, output_usd_per_mtok=15)
    thinking = Workload(requests_per_month=1, input_tokens=1_000, output_tokens=300, thinking_tokens=700)
    assert api_usd_per_request(prices, thinking) == near((1_000 * 3 + 1_000 * 15) / 1e6)


def test_two_gpus_at_4_usd_an_hour_cost_5840_usd_a_month_up_to_the_last_request_of_the_replica():
    curve = rented_curve(usd_per_gpu_hour=4, gpus_per_replica=2, requests_per_s=10)
    assert curve.usd_per_month(1) == curve.usd_per_month(10 * 730 * 3_600) == near(5_840)
    assert curve.usd_per_month(10 * 730 * 3_600 + 1) == near(11_680)


def test_the_median_of_an_even_number_of_providers_lies_between_the_middle_two():
    band = price_band([6.00, 14.24, 8.50, 7.99])
    assert (band.low, band.mid, band.high) == (6.00, near(8.245), 14.24)


def test_4000_output_tokens_a_second_at_1000_to_1000_serve_between_6_4_and_16_requests_of_1000_to_250():
    measured = MeasuredCapacity(output_tokens_per_s=4_000, input_tokens=1_000, output_tokens=1_000)
    band = requests_per_s(measured, Workload(requests_per_month=1, input_tokens=1_000, output_tokens=250))
    assert (band.low, band.mid, band.high) == near((6.4, (6.4 * 16) ** 0.5, 16.0))
