"""Deployments as arrays say what deployments one by one say, and a sweep's money is the scalar money."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.cost import Band
from llmcompare.core.curves import paid_hours, rented_curve
from llmcompare.core.sweep import Rules, filled_replicas, rented_usd_per_month, replicas, saving
from llmcompare.core.traffic import traffic

RUNNING = ("always-on", "scheduled", "profile")


@st.composite
def rules(draw) -> Rules:
    spread = traffic(draw(st.sampled_from(["flat", "business-hours"])), peak_to_mean=draw(st.floats(1, 4)))
    return Rules(
        requests_per_month=draw(st.floats(1, 1e10)),
        target_utilisation_fraction=draw(st.floats(0.05, 1)),
        hours=paid_hours(spread, draw(st.sampled_from(RUNNING))),
        min_replicas=draw(st.integers(0, 3)),
        spare_replicas=draw(st.integers(0, 2)),
    )


def swept(rule: Rules, *, price: float, gpus: int, rate: float, factor: float = 1.0) -> float:
    arrays = [np.array([value], dtype=float) for value in (price, gpus, rate, factor)]
    return float(
        rented_usd_per_month(
            rule, usd_per_gpu_hour=arrays[0], gpus=arrays[1], requests_per_s=arrays[2], cost_factor=arrays[3]
        )[0]
    )


@given(rule=rules(), price=st.floats(0.05, 50), gpus=st.sampled_from([1, 2, 4, 8]), rate=st.floats(0.001, 1e4))
def test_the_cost_of_many_at_once_is_the_cost_of_each_curve(rule, price, gpus, rate):
    curve = rented_curve(
        usd_per_gpu_hour=price,
        gpus_per_replica=gpus,
        requests_per_s=rate,
        target_utilisation_fraction=rule.target_utilisation_fraction,
        hours=rule.hours,
        min_replicas=rule.min_replicas,
        spare_replicas=rule.spare_replicas,
        cost_factor=1.1,
    )
    assert swept(rule, price=price, gpus=gpus, rate=rate, factor=1.1) == pytest.approx(
        curve.usd_per_month(rule.requests_per_month), rel=1e-9
    )
    busiest = int(replicas(rule, np.array([rate]))[0])
    assert busiest == curve.replicas(rule.requests_per_month)
    assert filled_replicas(rule, np.array([rate]))[0] <= busiest + 1e-9


@given(rule=rules(), rate=st.floats(0.001, 1e4), factor=st.floats(1, 10))
def test_a_faster_replica_or_a_lower_price_never_costs_more(rule, rate, factor):
    slow = swept(rule, price=2, gpus=1, rate=rate)
    assert swept(rule, price=2, gpus=1, rate=rate * factor) <= slow * (1 + 1e-12)
    assert swept(rule, price=2 / factor, gpus=1, rate=rate) <= slow * (1 + 1e-12)


@given(bill=st.floats(1, 1e6), cost=st.tuples(*[st.floats(1, 1e6)] * 3).map(sorted))
def test_a_saving_is_least_where_the_cost_is_highest(bill, cost):
    found = saving(bill, Band(low=cost[0], mid=cost[1], high=cost[2]))
    assert found.low <= found.mid <= found.high
    assert found.mid == bill - cost[1]
