"""Crossings against an exact search that knows nothing of pieces, and against a fine grid of costs."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from llmcompare.core.breakeven import crossings, first_volume_where_no_dearer
from llmcompare.core.curves import CostCurve, ReplicaGroup

small = st.integers(1, 9)
rates = st.integers(1, 20)
prices = st.integers(1, 60)


def stepped(price: float, capacity: float, rate: float = 0.0) -> CostCurve:
    group = ReplicaGroup(usd_per_replica_month=price, requests_per_replica_month=capacity)
    return CostCurve(usd_per_request=rate, groups=(group,))


def scaled(curve: CostCurve, factor: float) -> CostCurve:
    """The same curve in another currency."""
    groups = tuple(replace(g, usd_per_replica_month=g.usd_per_replica_month * factor) for g in curve.groups)
    return CostCurve(usd_per_request=curve.usd_per_request * factor, groups=groups)


def exact_crossings(first: CostCurve, second: CostCurve, *, parts: int, end: float) -> list[tuple[Fraction, str]]:
    """Every volume up to the end at which the difference is 0, or flips right behind a full replica.

    In whole numbers, on a grid of `parts` volumes per request that holds every volume where the difference can meet
    0 or jump, with volumes between them: from one to the next the difference does neither, so nothing is overlooked.
    """
    volumes = np.arange(1, int(end * parts) + 2, dtype=np.int64)
    difference = usd_in_parts(first, volumes, parts) - usd_in_parts(second, volumes, parts)
    here, behind = difference[:-1], difference[1:]
    flips = np.sign(here) * np.sign(behind) < 0
    return [
        (Fraction(int(index) + 1, parts), "equal" if here[index] == 0 else "jump")
        for index in np.flatnonzero((here == 0) | flips)
    ]


def usd_in_parts(curve: CostCurve, volumes: np.ndarray, parts: int) -> np.ndarray:
    """`parts` times the cost of volume / parts requests: rate x volume + price x started replicas."""
    usd = int(curve.usd_per_request) * volumes
    for group in curve.groups:
        full = int(group.requests_per_replica_month) * parts
        usd = usd + int(group.usd_per_replica_month) * parts * -(-volumes // full)
    return usd


@settings(max_examples=1_000)
@given(price=prices, capacity=small, rate=rates)
@example(price=2_160, capacity=100, rate=25)
@example(price=12, capacity=4, rate=3)  # touches at every full replica
@example(price=12, capacity=4, rate=1)  # never
def test_a_machine_and_an_api_cross_where_an_exact_search_finds_it_and_nowhere_else(price, capacity, rate):
    first, second = stepped(price, capacity), CostCurve(usd_per_request=rate)
    found = crossings(first, second)
    if found.searched_to_requests_per_month is not None:
        end = found.searched_to_requests_per_month
    else:
        # The machine has parted from the API for good where the gap has eaten one replica; 3 replicas for good measure.
        gap = Fraction(rate) - Fraction(price, capacity)
        end = (price / gap if gap > 0 else 0) + 3 * capacity
    expected = exact_crossings(first, second, parts=4 * rate, end=end)
    assert [(pytest.approx(float(x), rel=1e-9), kind) for x, kind in expected] == [
        (point.requests_per_month, point.kind) for point in found.points
    ]
    assert (found.reason is None) == bool(expected)


@settings(max_examples=600)
@given(one=st.tuples(prices, small, rates), other=st.tuples(prices, small, rates))
def test_two_machines_that_also_charge_per_request_cross_where_an_exact_search_finds_it(one, other):
    first, second = stepped(*one), stepped(*other)
    slope = abs(one[2] - other[2])
    assume(slope != 0)
    end = 4 * max(one[1], other[1])
    expected = exact_crossings(first, second, parts=4 * slope, end=end)
    found = crossings(first, second)
    complete_to = found.searched_to_requests_per_month or end
    assume(complete_to >= end)
    assert [(pytest.approx(float(x), rel=1e-9), kind) for x, kind in expected] == [
        (point.requests_per_month, point.kind) for point in found.points if point.requests_per_month <= end
    ]


@settings(max_examples=200)
@given(one=st.tuples(prices, small), other=st.tuples(prices, small))
def test_two_machines_without_a_rate_per_request_jump_where_an_exact_search_finds_it(one, other):
    first, second = stepped(*one), stepped(*other)
    assume(first != second)
    end = 4 * max(one[1], other[1])
    expected = exact_crossings(first, second, parts=4, end=end)
    found = [point for point in crossings(first, second).points if point.requests_per_month <= end]
    # Where both cost the same all along a stretch every volume is equal; the stretch is reported by its ends.
    jumps = [pytest.approx(float(x)) for x, kind in expected if kind == "jump"]
    assert [point.requests_per_month for point in found if point.kind == "jump"] == jumps
    equal = {float(x) for x, kind in expected if kind == "equal"}
    assert {point.requests_per_month for point in found if point.kind == "equal"} <= equal


usd_per_month = st.floats(0.01, 1e6)
usd_per_request = st.floats(1e-8, 10)
capacity = st.floats(1, 1e10)
machines = st.builds(stepped, usd_per_month, capacity, st.one_of(st.just(0.0), usd_per_request))
apis = st.builds(CostCurve, usd_per_request=usd_per_request)


@st.composite
def machine_and_api(draw):
    """A machine, and an API of the same order of cost when it is full: pairs drawn apart would hardly ever cross."""
    machine = draw(machines)
    return machine, CostCurve(usd_per_request=machine.usd_per_request_at_scale * draw(st.floats(0.3, 30)))


whole = st.integers(1, 1_000)
round_machines = st.builds(stepped, whole, st.integers(1, 50), st.sampled_from([0.0, 0.25, 1.0, 7.0]))
"""In round numbers: two steps that miss each other by rounding alone are a draw, not a crossing."""
pairs = st.one_of(
    machine_and_api(), machine_and_api().map(lambda pair: pair[::-1]), st.tuples(round_machines, round_machines)
)


def grid_between(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * (index + 0.5) / count for index in range(count)]


@settings(max_examples=250)
@given(pair=pairs)
def test_between_two_crossings_the_cheaper_option_does_not_change(pair):
    first, second = pair
    found = crossings(first, second)
    ends = [point.requests_per_month for point in found.points[:40]]
    complete = found.searched_to_requests_per_month is None and len(found.points) <= 40
    capacities = [group.requests_per_replica_month for curve in pair for group in curve.groups]
    beyond = [3 * (ends[-1] if ends else max(capacities))] if complete else []
    edges = [0.0, *ends, *beyond]
    for start, end in zip(edges, edges[1:], strict=False):
        assert len(signs_between(first, second, start, end)) <= 1, (start, end)


def signs_between(first: CostCurve, second: CostCurve, start: float, end: float) -> set[bool]:
    """Which option is cheaper at 60 volumes between two, those left out where only rounding tells them apart."""
    costs = [(first.usd_per_month(x), second.usd_per_month(x)) for x in grid_between(start, end, 60)]
    return {one < other for one, other in costs if abs(one - other) > 1e-9 * max(one, other)}


def test_a_step_that_lands_exactly_on_the_other_curve_counts_when_the_sides_change_there():
    # Up to 1 request the first is cheaper (2 + 1 against 1 + 3); behind it both cost 4, and then the first is dearer.
    first, second = stepped(1, 1, 2), stepped(3, 2, 1)
    assert [(p.requests_per_month, p.kind) for p in crossings(first, second).points][:1] == [(1, "jump")]


def test_a_search_that_ends_before_the_first_crossing_does_not_say_never():
    # One large machine against thousands of small ones: the first crossing lies past the replicas that are searched.
    large = stepped(2_001, 2_018)
    small_one = stepped(1, 1)
    assert large.usd_per_month(2_002) < small_one.usd_per_month(2_002)
    found = crossings(large, small_one)
    assert found.points or found.searched_to_requests_per_month is not None


@settings(max_examples=250)
@given(pair=pairs)
def test_both_options_cost_the_same_at_every_equal_crossing(pair):
    first, second = pair
    for point in crossings(first, second).points:
        if point.kind == "equal":
            one, other = (curve.usd_per_month(point.requests_per_month) for curve in (first, second))
            assert one == pytest.approx(other, rel=1e-9)
            assert point.usd_per_month == pytest.approx(one, rel=1e-9)


@settings(max_examples=250)
@given(pair=pairs)
def test_at_every_jump_the_costs_left_and_right_straddle_and_the_right_one_is_named(pair):
    first, second = pair
    for point in crossings(first, second).points:
        if point.kind == "jump":
            at, behind = point.requests_per_month, point.requests_per_month * (1 + 1e-9)
            left = first.usd_per_month(at) - second.usd_per_month(at)
            right = first.usd_per_month(behind) - second.usd_per_month(behind)
            assert left * right < 0
            assert point.cheaper_after == ("first" if right < 0 else "second")
            steady = [c for c in (first, second) if c.replicas(at) == c.replicas(behind)]
            assert (
                any(point.usd_per_month == pytest.approx(c.usd_per_month(at), rel=1e-6) for c in steady) or not steady
            )


@settings(max_examples=200)
@given(pair=pairs)
def test_crossings_come_in_order_and_none_is_named_twice(pair):
    volumes = [point.requests_per_month for point in crossings(*pair).points]
    assert all(one < other for one, other in zip(volumes, volumes[1:], strict=False))


@settings(max_examples=200)
@given(pair=machine_and_api())
def test_swapping_the_options_swaps_the_names_and_moves_nothing(pair):
    first, second = pair
    there, back = crossings(first, second), crossings(second, first)
    other_name = {"first": "second", "second": "first", "same": "same"}
    assert [(p.requests_per_month, p.kind, p.cheaper_after) for p in there.points] == [
        (p.requests_per_month, p.kind, other_name[p.cheaper_after]) for p in back.points
    ]


@settings(max_examples=200)
@given(pair=machine_and_api(), power=st.integers(-8, 8))
def test_scaling_all_prices_alike_moves_no_crossing(pair, power):
    # By powers of two, so that scaling itself rounds nothing; cents to euros is then the same law.
    factor = 2.0**power
    before, after = crossings(*pair), crossings(*(scaled(curve, factor) for curve in pair))
    assert [(p.requests_per_month, p.kind) for p in before.points] == [
        (p.requests_per_month, p.kind) for p in after.points
    ]


def pays_from(machine: CostCurve, api: CostCurve) -> float:
    volume = first_volume_where_no_dearer(machine, api)
    return float("inf") if volume is None else volume


@settings(max_examples=250)
@given(pair=machine_and_api(), dearer=st.floats(1, 5))
def test_a_dearer_api_never_raises_the_first_volume_at_which_renting_pays(pair, dearer):
    machine, api = pair
    assume(not api.groups and machine.usd_per_request == 0)
    raised = CostCurve(usd_per_request=api.usd_per_request * dearer)
    assert pays_from(machine, raised) <= pays_from(machine, api) * (1 + 1e-9)


@settings(max_examples=250)
@given(pair=machine_and_api(), dearer=st.floats(1, 5))
def test_a_dearer_gpu_never_lowers_the_first_volume_at_which_renting_pays(pair, dearer):
    machine, api = pair
    assume(not api.groups and machine.usd_per_request == 0)
    raised = scaled(machine, dearer)
    assert pays_from(raised, api) >= pays_from(machine, api) * (1 - 1e-9)


@settings(max_examples=200)
@given(pair=machine_and_api())
def test_renting_pays_at_the_first_volume_named_and_nowhere_before(pair):
    machine, api = pair
    assume(not api.groups and machine.usd_per_request == 0)
    volume = first_volume_where_no_dearer(machine, api)
    before = volume if volume is not None else 5 * machine.groups[0].requests_per_replica_month
    assert all(machine.usd_per_month(x) > api.usd_per_month(x) for x in grid_between(0, before, 200))
    if volume is not None:
        assert machine.usd_per_month(volume) <= api.usd_per_month(volume) * (1 + 1e-9)


def test_an_option_that_never_pays_says_why():
    machine = stepped(100, 10)
    never = crossings(machine, CostCurve(usd_per_request=2), names=("the machine", "the API"))
    assert never.points == ()
    assert never.reason == "even with every replica full, the machine costs $10.00 per request, and the API costs $2.00"


def test_two_options_that_cost_the_same_at_every_volume_do_not_cross():
    api = CostCurve(usd_per_request=2)
    assert crossings(api, CostCurve(usd_per_request=2)).reason == "the two cost the same at every volume"


def test_a_search_that_stopped_says_where():
    # Cost of a full replica and of the API are the same: they touch at every replica, without end.
    touching = crossings(stepped(10, 10), CostCurve(usd_per_request=1))
    assert touching.searched_to_requests_per_month == 200
    assert [point.requests_per_month for point in touching.points] == [10.0 * k for k in range(1, 21)]
