"""Serverless workers read from a table: the same money and waits as one deployment at a time, and laws for all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core.records import GpuOffer, ServerlessTerms
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import Fleet, all_at_once, one_at_a_time
from llmcompare.core.serverless_curve import ServerlessCurve, levels, plan_usd_per_month
from llmcompare.core.serverless_field import ServerlessField
from llmcompare.core.serverless_option import plans_of
from llmcompare.core.serverless_simulation import simulate
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_MONTH

volumes = st.floats(3, 6.5).map(lambda power: 10**power)
seconds = st.floats(0.3, 30)
ONE = np.zeros(1, dtype=np.intp)


def offer(provider, usd):
    return GpuOffer(
        provider=provider, offer_name="worker", gpu_id="h100", gpu_count=1, billing="serverless-per-second",
        region="global", usd_per_gpu_hour=usd, row_id=f"gpu_prices:{provider}", as_of="2026-11-01", source="a test",
    )  # fmt: skip


def terms(provider, timeout_s):
    return ServerlessTerms(
        provider=provider, offer_kind="worker", offer_name=None, use_as="scales to zero", bills_setup="yes",
        bills_idle="yes", bills_execution="yes", idle_timeout_default_s=timeout_s, minimum_s=None, rounding_s=None,
        cold_start_low_s=None, cold_start_high_s=None, cold_start_note=None, note="", row_id=f"t:{provider}",
        as_of=None, source="a test",
    )  # fmt: skip


OFFERS = [offer("alpha", 2.0), offer("beta", 3.0), offer("gamma", 7.0)]
TERMS = [terms("alpha", 5.0), terms("beta", 60.0), terms("gamma", 180.0)]


def field(scenario, alone_s, full_s, *, offers=OFFERS):
    plans = plans_of(scenario, offers, TERMS, gpus_per_worker=1)
    return ServerlessField(
        offered=(plans,), of=np.zeros(len(alone_s), dtype=np.intp), alone_s=np.array(alone_s), full_s=np.array(full_s),
        scenario=scenario,
    )  # fmt: skip


def alone_of(scenario, alone_s, full_s, end="mid"):
    """What each provider bills by the curve of one deployment, cheapest first."""
    plans = plans_of(scenario, OFFERS, TERMS, gpus_per_worker=1)
    curve = ServerlessCurve(
        plans=plans, end=end, alone_s=alone_s, full_s=full_s, hours=levels(scenario.spread.levels),
        peak=scenario.spread.peak, target_utilisation_fraction=scenario.target_utilisation_fraction,
    )  # fmt: skip
    return sorted(plan_usd_per_month(curve, plan, scenario.requests_per_month) for plan in plans), curve


@settings(max_examples=40, deadline=None)
@given(volume=volumes, alone_s=seconds, slots=st.sampled_from([1, 8, 30]), more=st.floats(1, 4))
def test_the_table_gives_each_deployment_the_cost_that_it_has_alone(volume, alone_s, slots, more):
    """Within 2% where one worker is enough; where another one is just allowed the table goes over the step."""
    scenario = Scenario(requests_per_month=volume, requests_per_worker=slots)
    full_s = alone_s * min(more, slots)
    alone, curve = alone_of(scenario, alone_s, full_s)
    found = field(scenario, [alone_s], [full_s]).usd(ONE, volume)[0]
    near = 0.02 if volume < 0.5 * curve.requests_per_worker_month else 0.4
    assert found == pytest.approx(alone[1], rel=near)


@pytest.mark.parametrize(("slots", "formula"), [(1, one_at_a_time), (10_000, all_at_once)])
@pytest.mark.parametrize("per_s", [0.001, 0.01, 0.05])
def test_one_worker_is_billed_and_cold_as_the_closed_formulas_say(slots, formula, per_s):
    scenario = Scenario(
        requests_per_month=per_s * SECONDS_PER_MONTH, requests_per_worker=slots, idle_timeout_s=5, cold_start_s=60
    )
    found = field(scenario, [2.0], [2.0], offers=OFFERS[:1])
    known = formula(Fleet(service_s=2, cold_start_s=60, idle_timeout_s=5), requests_per_s=per_s)
    usd = found.usd(ONE, scenario.requests_per_month)[0]
    assert usd == pytest.approx(known.up * 2.0 * HOURS_PER_MONTH, rel=0.01)
    fraction, wait_s = found.cold(ONE, scenario.requests_per_month)
    assert fraction[0] == pytest.approx(known.cold_fraction, abs=0.01)
    assert wait_s[0] == pytest.approx(known.cold_fraction * known.cold_wait_s, abs=1)


@pytest.mark.parametrize(
    ("slots", "per_s", "service_s", "traffic"),
    [(1, 0.05, 4.0, "flat"), (8, 0.2, 10.0, "flat"), (8, 0.1, 6.0, "business-hours"), (4, 1.5, 8.0, "flat")],
)
def test_the_table_agrees_with_a_simulated_month(slots, per_s, service_s, traffic):
    """Billed seconds of one worker within 5%, of several within the 14% of the approximation; the mean wait too."""
    scenario = Scenario(
        requests_per_month=per_s * SECONDS_PER_MONTH, requests_per_worker=slots, idle_timeout_s=30, cold_start_s=40,
        traffic=traffic,
    )  # fmt: skip
    found = field(scenario, [service_s], [service_s], offers=OFFERS[:1])
    _, curve = alone_of(scenario, service_s, service_s)
    most = curve.max_workers(scenario.requests_per_month)
    fleet = Fleet(service_s=service_s, cold_start_s=40, idle_timeout_s=30, requests_per_worker=slots)
    # A week as the sum of its hours, each with its own rate.
    parts = [
        (share, rate, simulate(fleet, requests_per_s=[rate * per_s], hours=400, max_workers=most, seed=3))
        for share, rate in levels(scenario.spread.levels)
    ]
    billed = sum(share * seen.time.up for share, _, seen in parts)
    near = 0.05 if most == 1 else 0.14
    usd = found.usd(ONE, scenario.requests_per_month)[0]
    assert usd == pytest.approx(billed * 2.0 * HOURS_PER_MONTH, rel=near)
    fraction, wait_s = found.cold(ONE, scenario.requests_per_month)
    met = sum(share * rate * seen.cold_fraction for share, rate, seen in parts)
    waited_s = sum(share * rate * seen.cold_fraction * (seen.wait_mean_s or 0) for share, rate, seen in parts)
    assert wait_s[0] == pytest.approx(waited_s, abs=2)
    if most == 1:
        assert fraction[0] == pytest.approx(met, abs=0.03)
    else:
        assert fraction[0] >= met - 0.03


@settings(max_examples=25, deadline=None)
@given(volume=volumes, alone_s=seconds, factor=st.floats(1.1, 3))
def test_a_slower_request_or_a_dearer_worker_never_costs_less(volume, alone_s, factor):
    scenario = Scenario(requests_per_month=volume)
    two = field(scenario, [alone_s, alone_s * factor], [2 * alone_s, 2 * alone_s * factor])
    usd = two.usd(np.arange(2), volume)
    # Over a step of the workers allowed the table may fall by a rounding of its own.
    assert usd[1] >= usd[0] * 0.99
    dearer = [replace(one, usd_per_gpu_hour=one.usd_per_gpu_hour * factor) for one in OFFERS]
    other = field(scenario, [alone_s], [2 * alone_s], offers=dearer)
    assert other.usd(ONE, volume)[0] == pytest.approx(usd[0] * factor)


@settings(max_examples=25, deadline=None)
@given(volume=volumes, alone_s=seconds, cold_start_s=st.floats(1, 300))
def test_the_ends_enclose_the_middle_and_a_share_of_requests_is_a_share(volume, alone_s, cold_start_s):
    scenario = Scenario(requests_per_month=volume, cold_start_s=cold_start_s)
    found = field(scenario, [alone_s], [3 * alone_s])
    low, mid, high = (found.usd(ONE, volume, end=end)[0] for end in ("low", "mid", "high"))
    assert 0 < low <= mid <= high
    fraction, wait_s = found.cold(ONE, volume)
    assert 0 <= fraction[0] <= 1
    assert wait_s[0] >= 0


@settings(max_examples=25, deadline=None)
@given(volume=volumes, alone_s=seconds, timeout_s=st.floats(1, 300))
def test_a_longer_idle_timeout_meets_fewer_cold_starts(volume, alone_s, timeout_s):
    short, long = (
        field(Scenario(requests_per_month=volume, idle_timeout_s=one), [alone_s], [alone_s])
        for one in (timeout_s, 2 * timeout_s)
    )
    assert long.cold(ONE, volume)[0][0] <= short.cold(ONE, volume)[0][0] + 0.01


def test_draws_of_the_speed_are_rows_and_a_quicker_request_is_no_dearer():
    scenario = Scenario(requests_per_month=100_000)
    found = field(scenario, [5.0, 9.0], [10.0, 30.0])
    speed = np.array([[0.5, 0.5], [1.0, 1.0], [2.0, 2.0]])
    usd = found.usd(np.arange(2), 100_000, speed=speed)
    assert usd.shape == (3, 2)
    assert (np.diff(usd, axis=0) <= 0).all()
    assert usd[1] == pytest.approx(found.usd(np.arange(2), 100_000))


def test_of_two_providers_the_middle_is_their_mean():
    found = field(Scenario(requests_per_month=10_000, idle_timeout_s=5), [5.0], [5.0], offers=OFFERS[:2])
    low, mid, high = (found.usd(ONE, 10_000, end=end)[0] for end in ("low", "mid", "high"))
    assert mid == pytest.approx((low + high) / 2)
    assert high == pytest.approx(1.5 * low)
