"""What holds for every price, volume and request shape."""

from dataclasses import replace
from math import inf, isclose, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.cost import Band, MeasuredCapacity, TokenPrices, api_usd_per_request, price_band, requests_per_s
from llmcompare.core.curves import CostCurve, rented_curve
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError

usd = st.floats(1e-4, 1e4)
rate = st.floats(1e-3, 1e5)
share = st.floats(0.01, 1)
volume = st.floats(1e-3, 1e12)
tokens = st.floats(1, 1e6)

curves = st.builds(
    rented_curve,
    usd_per_gpu_hour=usd,
    gpus_per_replica=st.integers(1, 64),
    requests_per_s=rate,
    target_utilisation_fraction=share,
)
measurements = st.builds(MeasuredCapacity, output_tokens_per_s=rate, input_tokens=tokens, output_tokens=tokens)
workloads = st.builds(
    Workload,
    requests_per_month=volume,
    input_tokens=tokens,
    output_tokens=tokens,
    cached_input_fraction=st.floats(0, 1),
    thinking_tokens=st.floats(0, 1e5),
)
token_prices = st.builds(
    TokenPrices,
    input_usd_per_mtok=usd,
    output_usd_per_mtok=usd,
    cached_input_usd_per_mtok=st.one_of(st.none(), usd),
)


@given(curve=curves, requests=st.sampled_from([5e-324, 1e-300, 1e-9, 1.0]))
def test_nothing_is_free_when_idle(curve, requests):
    assert curve.usd_per_month(requests) >= curve.usd_of_one_each > 0


@given(curve=curves, requests=st.tuples(volume, volume))
def test_the_monthly_cost_of_a_machine_never_falls_with_volume(curve, requests):
    assert curve.usd_per_month(min(requests)) <= curve.usd_per_month(max(requests))


@given(curve=curves, replicas=st.integers(1, 5_000))
def test_a_full_replica_is_no_more_than_full_and_the_next_request_needs_another(curve, replicas):
    full = replicas * curve.groups[0].requests_per_replica_month
    assert curve.replicas(full) == replicas
    assert curve.replicas(full * (1 + 1e-9)) == replicas + 1


@given(curve=curves, requests=volume)
def test_the_replicas_serve_the_volume_and_one_less_would_not(curve, requests):
    capacity, replicas = curve.groups[0].requests_per_replica_month, curve.replicas(requests)
    assert replicas * capacity >= requests * (1 - 1e-9)
    assert replicas == 1 or (replicas - 1) * capacity < requests


@given(curve=curves, requests=volume)
def test_a_request_never_costs_less_than_on_full_replicas(curve, requests):
    assert curve.usd_per_month(requests) / requests >= curve.usd_per_request_at_scale * (1 - 1e-9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("usd_per_gpu_hour", 0.0),
        ("usd_per_gpu_hour", nan),
        ("gpus_per_replica", 0),
        ("requests_per_s", -1.0),
        ("target_utilisation_fraction", 0.0),
        ("target_utilisation_fraction", 1.01),
        ("target_utilisation_fraction", nan),
    ],
)
def test_a_machine_that_cannot_be_is_refused_by_name_and_value(name, value):
    good = {
        "usd_per_gpu_hour": 2.0,
        "gpus_per_replica": 1,
        "requests_per_s": 1.0,
        "target_utilisation_fraction": 0.7,
    }
    with pytest.raises(InputError, match=rf"{name} is {value:g}:"):
        rented_curve(**(good | {name: value}))


@given(values=st.lists(usd, min_size=1, max_size=30), order=st.randoms())
def test_a_price_band_is_ordered_holds_every_price_and_does_not_care_for_their_order(values, order):
    shuffled = values.copy()
    order.shuffle(shuffled)
    band = price_band(values)
    assert band == price_band(shuffled)
    assert band.low <= band.mid <= band.high
    assert band.low == min(values)
    assert band.high == max(values)
    assert sum(value <= band.mid for value in values) >= len(values) / 2 <= sum(value >= band.mid for value in values)


def test_a_band_of_no_price_is_refused():
    with pytest.raises(InputError, match="no price"):
        price_band([])


@given(measured=measurements, workload=workloads)
def test_a_capacity_band_is_ordered(measured, workload):
    band = requests_per_s(measured, workload)
    assert 0 < band.low <= band.mid * (1 + 1e-12)
    assert band.mid <= band.high * (1 + 1e-12)


@given(measured=measurements, requests=volume, cached=st.floats(0, 1))
def test_a_workload_of_the_measured_shape_gets_the_measured_rate_without_a_spread(measured, requests, cached):
    same = Workload(
        requests_per_month=requests,
        input_tokens=measured.input_tokens,
        output_tokens=measured.output_tokens,
        cached_input_fraction=cached,
    )
    expected = pytest.approx(measured.output_tokens_per_s / measured.output_tokens, rel=1e-9)
    band = requests_per_s(measured, same)
    assert [band.low, band.mid, band.high] == [expected] * 3


@given(measured=measurements, workload=workloads, ratio=st.floats(0, 1))
def test_a_capacity_band_holds_the_rate_of_every_machine_whose_input_tokens_are_no_slower(measured, workload, ratio):
    # An output token takes b, an input token ratio x b, with b such that the machine gives the measured rate.
    requests_measured = measured.output_tokens_per_s / measured.output_tokens
    b = 1 / requests_measured / (ratio * measured.input_tokens + measured.output_tokens)
    serves = 1 / (b * (ratio * workload.input_tokens + workload.billed_output_tokens))
    band = requests_per_s(measured, workload)
    assert band.low * (1 - 1e-9) <= serves <= band.high * (1 + 1e-9)


def test_requests_without_output_are_bounded_by_all_tokens_alike():
    measured = MeasuredCapacity(output_tokens_per_s=4_000, input_tokens=1_000, output_tokens=1_000)
    band = requests_per_s(measured, Workload(requests_per_month=1, input_tokens=500, output_tokens=0))
    assert band == Band(low=16, mid=16, high=16)


@given(prices=token_prices, workload=workloads)
def test_a_cheaper_cached_price_never_raises_the_bill(prices, workload):
    without = replace(prices, cached_input_usd_per_mtok=None)
    half = replace(prices, cached_input_usd_per_mtok=prices.input_usd_per_mtok / 2)
    assert api_usd_per_request(half, workload) <= api_usd_per_request(without, workload)


@given(prices=token_prices, workload=workloads)
def test_the_bill_of_a_request_is_the_sum_of_its_three_parts(prices, workload):
    cached = prices.cached_input_usd_per_mtok
    cached = prices.input_usd_per_mtok if cached is None else cached
    share_cached = workload.cached_input_fraction
    parts = (
        workload.input_tokens * (1 - share_cached) * prices.input_usd_per_mtok / 1e6,
        workload.input_tokens * share_cached * cached / 1e6,
        (workload.output_tokens + workload.thinking_tokens) * prices.output_usd_per_mtok / 1e6,
    )
    assert api_usd_per_request(prices, workload) == pytest.approx(sum(parts), rel=1e-9)


@given(prices=token_prices, workload=workloads)
def test_without_a_cached_price_the_cached_share_changes_nothing(prices, workload):
    without = replace(prices, cached_input_usd_per_mtok=None)
    uncached = replace(workload, cached_input_fraction=0.0)
    assert isclose(api_usd_per_request(without, workload), api_usd_per_request(without, uncached), rel_tol=1e-9)


def test_a_curve_without_replicas_has_none():
    assert CostCurve(usd_per_request=1).replicas(1e12) == 0


good_workload = {"requests_per_month": 1e6, "input_tokens": 1_000.0, "output_tokens": 300.0}


@pytest.mark.parametrize("value", [0.0, -1.0, nan, inf, -inf, 1e13])
def test_a_volume_that_cannot_be_is_refused_by_name_and_value(value):
    with pytest.raises(InputError, match=rf"requests_per_month is {value:g}".replace("+", r"\+")):
        Workload(**(good_workload | {"requests_per_month": value}))


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "thinking_tokens"])
@pytest.mark.parametrize("value", [-1.0, nan, inf, 1e9])
def test_token_counts_that_cannot_be_are_refused_by_name_and_value(name, value):
    with pytest.raises(InputError, match=rf"{name} is {value:g}".replace("+", r"\+")):
        Workload(**(good_workload | {name: value}))


@pytest.mark.parametrize("value", [-0.01, 1.01, nan, inf])
def test_a_cached_share_outside_0_to_1_is_refused_by_name_and_value(value):
    with pytest.raises(InputError, match=rf"cached_input_fraction is {value:g}"):
        Workload(**(good_workload | {"cached_input_fraction": value}))


def test_a_request_without_any_token_is_refused():
    with pytest.raises(InputError, match="input_tokens and output_tokens are both 0"):
        Workload(requests_per_month=1, input_tokens=0, output_tokens=0)
