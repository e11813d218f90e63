"""Serverless workers by formula: published arithmetic, limits, laws, and what an offer bills."""

from itertools import product
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.serverless import (
    Billed,
    Fleet,
    all_at_once,
    billed_request_s,
    billed_workers,
    bounds,
    busy_share_where_equal,
    one_at_a_time,
    one_worker,
    several_workers,
)
from llmcompare.core.serverless_simulation import simulate
from llmcompare.core.units import SECONDS_PER_HOUR
from llmcompare.errors import InputError

seconds = st.floats(0.01, 1_000)
timeouts = st.floats(0, 10_000)
rates = st.floats(1e-9, 100)


def fleet(service_s: float, timeout_s: float, cold_start_s: float, slots: int = 1) -> Fleet:
    return Fleet(service_s=service_s, cold_start_s=cold_start_s, idle_timeout_s=timeout_s, requests_per_worker=slots)


@pytest.mark.parametrize(
    ("rate", "service_s", "timeout_s", "cold_start_s"), [(0.05, 2, 5, 60), (0.2, 4, 60, 10), (0.001, 30, 0, 120)]
)
def test_one_request_at_a_time_is_up_and_cold_as_the_formulas_say(rate, service_s, timeout_s, cold_start_s):
    load = rate * service_s
    stays = exp(rate * timeout_s) + rate * cold_start_s
    found = one_at_a_time(fleet(service_s, timeout_s, cold_start_s), requests_per_s=rate)
    assert found.up == pytest.approx(1 - (1 - load) / stays)
    assert found.cold_fraction == pytest.approx((1 + rate * cold_start_s) * (1 - load) / stays)
    assert found.busy == load


@pytest.mark.parametrize(
    ("rate", "service_s", "timeout_s", "cold_start_s"), [(0.05, 2, 5, 60), (3, 4, 60, 10), (0.001, 30, 0, 120)]
)
def test_all_requests_at_once_are_up_and_cold_as_the_formulas_say(rate, service_s, timeout_s, cold_start_s):
    cycle = cold_start_s + (exp(rate * (service_s + timeout_s)) - 1) / rate
    found = all_at_once(fleet(service_s, timeout_s, cold_start_s), requests_per_s=rate)
    assert found.up == pytest.approx(rate * cycle / (1 + rate * cycle))
    assert found.cold_fraction == pytest.approx((1 + rate * cold_start_s) / (1 + rate * cycle))


def test_with_hardly_a_request_each_pays_for_a_start_an_answer_and_an_idle_time():
    rate = 1e-9
    for formula in (one_at_a_time, all_at_once):
        found = formula(fleet(2, 5, 60), requests_per_s=rate)
        assert found.up == pytest.approx(rate * (60 + 2 + 5))
        assert found.cold_fraction == pytest.approx(1)
        assert found.cold_wait_s == pytest.approx(60)
    assert one_at_a_time(fleet(2, 5, 60), requests_per_s=0).cold_fraction == 1


def test_with_ever_more_requests_nothing_overflows_and_the_worker_never_goes_down():
    found = all_at_once(fleet(2, 1_000, 60), requests_per_s=1e6)
    assert found.up == 1
    assert found.cold_fraction == 0
    assert one_at_a_time(fleet(1e-7, 1e9, 60), requests_per_s=9e6).up == 1


def test_without_a_cold_start_nobody_waits_for_one():
    assert one_at_a_time(fleet(2, 5, 0), requests_per_s=0.1).cold_wait_s == 0


@given(service_s=seconds, timeout_s=timeouts, cold_start_s=timeouts, load=st.floats(0, 0.999))
def test_the_states_of_one_worker_add_up_to_no_more_than_one(service_s, timeout_s, cold_start_s, load):
    found = one_at_a_time(fleet(service_s, timeout_s, cold_start_s), requests_per_s=load / service_s)
    assert min(found.setup, found.busy, found.idle) >= 0
    assert found.up <= 1 + 1e-12
    assert 0 <= found.cold_fraction <= 1


@given(service_s=seconds, cold_start_s=timeouts, timeout_s=timeouts, longer_s=timeouts, load=st.floats(1e-6, 0.99))
def test_a_longer_idle_timeout_is_dearer_and_meets_fewer_cold_starts(
    service_s, cold_start_s, timeout_s, longer_s, load
):
    rate = load / service_s
    for formula in (one_at_a_time, all_at_once):
        short = formula(fleet(service_s, timeout_s, cold_start_s), requests_per_s=rate)
        long = formula(fleet(service_s, timeout_s + longer_s, cold_start_s), requests_per_s=rate)
        assert long.up >= short.up - 1e-12
        assert long.cold_fraction <= short.cold_fraction + 1e-12


@given(service_s=seconds, timeout_s=timeouts, cold_start_s=timeouts, load=st.floats(1e-6, 0.99))
def test_any_number_of_slots_lies_between_one_and_endless_and_equals_them_at_the_ends(
    service_s, timeout_s, cold_start_s, load
):
    rate = load / service_s
    one = one_at_a_time(fleet(service_s, timeout_s, cold_start_s), requests_per_s=rate)
    endless = all_at_once(fleet(service_s, timeout_s, cold_start_s), requests_per_s=rate)
    for slots in (2, 8, 64):
        found = one_worker(fleet(service_s, timeout_s, cold_start_s, slots), requests_per_s=rate)
        # An interpolation: it may leave the interval by what it is wrong.
        assert endless.up * 0.97 <= found.up <= one.up * 1.03
    many = one_worker(fleet(service_s, timeout_s, cold_start_s, 100_000), requests_per_s=rate)
    assert many.up == pytest.approx(endless.up, rel=1e-3, abs=1e-9)
    alone = several_workers(
        fleet(service_s, timeout_s, cold_start_s), requests_per_s=np.array([rate]), max_workers=np.ones(1)
    )
    assert float(alone.up[0]) == pytest.approx(one.up, rel=1e-6, abs=1e-12)
    assert float(alone.setup[0]) == pytest.approx(one.setup, rel=1e-6, abs=1e-12)


@given(
    service_s=seconds,
    timeout_s=timeouts,
    cold_start_s=timeouts,
    rate=rates,
    slots=st.integers(1, 1_000),
    most=st.floats(1, 1e5),
)
def test_several_workers_hold_all_requests_and_are_no_more_than_allowed(
    service_s, timeout_s, cold_start_s, rate, slots, most
):
    most = max(most, rate * service_s / slots / 0.9)
    found = several_workers(
        fleet(service_s, timeout_s, cold_start_s, slots), requests_per_s=np.array([rate]), max_workers=np.array([most])
    )
    parts = [float(part[0]) for part in (found.setup, found.busy, found.idle, found.starts_per_s)]
    assert all(np.isfinite(part) and part >= -1e-9 for part in parts)
    assert found.busy[0] >= rate * service_s / slots * (1 - 1e-9)
    assert found.up[0] <= most * (1 + 1e-9)


def test_one_worker_that_cannot_keep_up_is_refused_with_its_load():
    with pytest.raises(InputError, match="1.5 requests at once"):
        one_at_a_time(fleet(30, 5, 60), requests_per_s=0.05)
    with pytest.raises(InputError, match="one worker with 4 slots"):
        one_worker(fleet(30, 5, 60, 4), requests_per_s=0.2)


@pytest.mark.parametrize("field", ["service_s", "cold_start_s", "idle_timeout_s", "requests_per_worker"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_a_fleet_that_cannot_be_is_refused_by_name(field, value):
    if field == "requests_per_worker":
        value = 0
    values = {"service_s": 1, "cold_start_s": 1, "idle_timeout_s": 1} | {field: value}
    with pytest.raises(InputError, match=field):
        Fleet(**values)


# --- against simulation -----------------------------------------------------------------------------------------------

GRID = [
    (rate, service_s, timeout_s, cold_start_s)
    for service_s, (timeout_s, cold_start_s), load in product(
        (0.5, 8), ((0, 20), (5, 60), (60, 60), (300, 10)), (0.01, 0.2, 0.7)
    )
    if (rate := load / service_s) and rate * timeout_s < 15
]
ENOUGH_REQUESTS = 600_000
NOISE_SE = 3


def simulated(one: Fleet, rate: float, **how):
    hours = min(ENOUGH_REQUESTS / rate / SECONDS_PER_HOUR, 73_000)
    return simulate(one, requests_per_s=[rate], hours=hours, max_workers=1, seed=5, **how)


@pytest.mark.parametrize(("rate", "service_s", "timeout_s", "cold_start_s"), GRID)
@pytest.mark.parametrize("slots", [1, 1_000_000])
def test_billed_seconds_agree_with_simulation_within_2_percent_and_cold_share_within_3_standard_errors(
    rate, service_s, timeout_s, cold_start_s, slots
):
    one = fleet(service_s, timeout_s, cold_start_s, slots)
    formula = (one_at_a_time if slots == 1 else all_at_once)(one, requests_per_s=rate)
    seen = simulated(one, rate)
    assert seen.time.up == pytest.approx(formula.up, rel=0.02)
    for setup, idle in product((0, 1), (True, False)):
        billed = Billed(setup_fraction=setup, idle=idle)
        by_formula = billed_workers(formula, billed, fleet=one, requests_per_s=rate)
        assert billed_workers(seen.time, billed, fleet=one, requests_per_s=rate) == pytest.approx(by_formula, rel=0.02)
    assert seen.cold_fraction == pytest.approx(
        formula.cold_fraction, abs=NOISE_SE * seen.cold_fraction_se + 20 / seen.requests
    )
    if seen.cold_fraction * seen.requests > 1_000:
        assert seen.wait_mean_s == pytest.approx(formula.cold_wait_s, rel=0.03)


@pytest.mark.parametrize("rounding_s", [1, 60])
@pytest.mark.parametrize(("rate", "timeout_s"), [(0.02, 5), (0.1, 60), (0.3, 5)])
def test_lives_rounded_up_cost_half_a_unit_each(rate, timeout_s, rounding_s):
    one = fleet(2, timeout_s, 61.3)
    formula = one_at_a_time(one, requests_per_s=rate)
    billed = Billed(rounding_s=rounding_s)
    seen = simulated(one, rate, rounding_s=rounding_s)
    by_simulation = seen.rounded_life_s / (seen.hours * SECONDS_PER_HOUR)
    by_formula = billed_workers(formula, billed, fleet=one, requests_per_s=rate)
    # A lone request's life is always the same, so its rounding is not half a unit but anything up to a whole one.
    assert by_formula == pytest.approx(by_simulation, rel=0.02, abs=formula.starts_per_s * rounding_s / 2)
    assert by_simulation >= seen.time.up


def test_a_minimum_lengthens_the_lives_that_are_shorter():
    one, rate = fleet(2, 5, 10), 1e-4
    seen = simulated(one, rate, minimum_s=100)
    formula = one_at_a_time(one, requests_per_s=rate)
    by_formula = billed_workers(formula, Billed(minimum_s=100), fleet=one, requests_per_s=rate)
    assert by_formula == pytest.approx(rate * 100, rel=0.02)
    assert seen.rounded_life_s / (seen.hours * SECONDS_PER_HOUR) == pytest.approx(by_formula, rel=0.02)


def test_where_idle_time_is_free_each_request_is_rounded_up_by_itself():
    one = fleet(2.3, 5, 60)
    found = one_at_a_time(one, requests_per_s=0.1)
    free = Billed(setup_fraction=0, idle=False, rounding_s=1)
    assert billed_workers(found, free, fleet=one, requests_per_s=0.1) == pytest.approx(0.3)
    assert billed_request_s(2.3, Billed(idle=False, minimum_s=10, rounding_s=4)) == 12
    only_idle = Billed(setup_fraction=0, idle=False, execution=False)
    assert billed_workers(found, only_idle, fleet=one, requests_per_s=0.1) == 0


@pytest.mark.parametrize("slots", [1, 4, 16])
@pytest.mark.parametrize("most", [2, 3, 8])
@pytest.mark.parametrize("load", [0.03, 0.3, 0.7])
def test_several_workers_lie_between_the_bounds_and_near_the_approximation(slots, most, load):
    one = fleet(10, 60, 60, slots)
    rate = load * most * slots / one.service_s
    seen = simulate(one, requests_per_s=[rate], hours=300_000 / rate / SECONDS_PER_HOUR, max_workers=most, seed=1)
    low, high = bounds(one, requests_per_s=rate, max_workers=most)
    assert low * 0.99 <= seen.time.up <= high
    found = several_workers(one, requests_per_s=np.array([rate]), max_workers=np.array([float(most)]))
    assert float(found.up[0]) == pytest.approx(seen.time.up, rel=0.15)


# --- published arithmetic ---------------------------------------------------------------------------------------------


def test_a_flex_worker_of_an_h100_wins_only_below_80_percent_busy_time():
    # RunPod, USD per hour: flex 4.18, active 3.35.
    assert round(busy_share_where_equal(flex_usd_per_hour=4.18, active_usd_per_hour=3.35), 2) == 0.8


def test_five_seconds_on_an_a100_flex_worker_cost_a_third_of_a_cent(real_facts):
    (flex,) = [
        offer
        for offer in real_facts.serverless_offers
        if (offer.provider, offer.offer_name, offer.gpu_id) == ("runpod", "serverless flex worker", "a100-sxm-80gb")
    ]
    assert round(flex.usd_per_gpu_hour / SECONDS_PER_HOUR * 5, 4) == 0.0038
