"""Crossings of every kind of curve against a brute-force search, and what bands leave of them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from llmcompare.core.breakeven import band_crossings, crossings, first_volume_where_no_dearer
from llmcompare.core.curves import CostCurve, Curve, CurveBand, ReplicaGroup, paid_hours, rented_curve
from llmcompare.core.traffic import Traffic


@dataclass(frozen=True)
class Opaque:
    """A curve of which the search knows nothing but its cost."""

    curve: CostCurve

    def usd_per_month(self, requests_per_month: float) -> float:
        return self.curve.usd_per_month(requests_per_month)

    def usd_at(self, requests_per_month: np.ndarray) -> np.ndarray:
        return self.curve.usd_at(requests_per_month)


@dataclass(frozen=True)
class Power:
    """A smooth curve that rises fast and then slowly: fixed + scale x volume ^ exponent."""

    fixed: float
    scale: float
    exponent: float

    def usd_per_month(self, requests_per_month: float) -> float:
        return self.fixed + self.scale * requests_per_month**self.exponent

    usd_at = usd_per_month


def groups_of(price_and_capacity: list[tuple[int, int]]) -> tuple[ReplicaGroup, ...]:
    return tuple(
        ReplicaGroup(usd_per_replica_month=price, requests_per_replica_month=capacity)
        for price, capacity in price_and_capacity
    )


whole_curves = st.builds(
    CostCurve,
    fixed_usd_per_month=st.integers(0, 40),
    usd_per_request=st.integers(0, 12),
    groups=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9)), max_size=3).map(groups_of),
    min_replicas=st.integers(0, 3),
    spare_replicas=st.integers(0, 2),
)


def usd_in_parts(curve: CostCurve, volumes: np.ndarray, parts: int) -> np.ndarray:
    """`parts` times the cost of volume / parts requests, in whole numbers."""
    usd = int(curve.fixed_usd_per_month) * parts + int(curve.usd_per_request) * volumes
    for group in curve.groups:
        needed = -(-volumes // (int(group.requests_per_replica_month) * parts))
        running = np.maximum(curve.min_replicas, needed) + curve.spare_replicas
        usd = usd + int(group.usd_per_replica_month) * parts * running
    return usd


def brute_force(first: CostCurve, second: CostCurve, *, parts: int, end: int) -> list[tuple[float, str]]:
    """Every volume on a grid that holds all steps and all meetings, at which the costs are equal or change sides."""
    volumes = np.arange(1, end * parts + 2, dtype=np.int64)
    difference = usd_in_parts(first, volumes, parts) - usd_in_parts(second, volumes, parts)
    here, behind = difference[:-1], difference[1:]
    found = np.flatnonzero((here == 0) | (np.sign(here) * np.sign(behind) < 0))
    return [((int(index) + 1) / parts, "equal" if here[index] == 0 else "jump") for index in found]


@settings(max_examples=3_000)
@given(first=whole_curves, second=whole_curves)
@example(first=CostCurve(groups=groups_of([(12, 4)]), spare_replicas=1), second=CostCurve(usd_per_request=3))
@example(first=CostCurve(fixed_usd_per_month=10), second=CostCurve(usd_per_request=4))
@example(first=CostCurve(groups=groups_of([(1, 9), (1, 9)]), min_replicas=3), second=CostCurve(usd_per_request=1))
def test_fixed_sums_groups_fewest_and_spare_replicas_cross_where_brute_force_finds_it(first, second):
    slope = abs(first.usd_per_request - second.usd_per_request)
    assume(slope != 0)
    end = 40
    found = crossings(first, second)
    points = [point for point in found.points if point.requests_per_month <= end]
    expected = brute_force(first, second, parts=4 * slope, end=end)
    assert [(pytest.approx(x, rel=1e-9), kind) for x, kind in expected] == [
        (point.requests_per_month, point.kind) for point in points
    ]
    assert found.searched_to_requests_per_month is None or found.searched_to_requests_per_month >= end or expected == []


@settings(max_examples=1_000)
@given(first=whole_curves, second=whole_curves)
def test_options_without_a_rate_per_request_jump_where_brute_force_finds_it(first, second):
    first, second = replace(first, usd_per_request=0), replace(second, usd_per_request=0)
    end = 40
    jumps = [x for x, kind in brute_force(first, second, parts=4, end=end) if kind == "jump"]
    found = [p.requests_per_month for p in crossings(first, second).points if p.kind == "jump"]
    assert [x for x in found if x <= end] == pytest.approx(jumps)


@settings(max_examples=1_000)
@given(curve=whole_curves, volume=st.integers(1, 400).map(lambda tenths: tenths / 10))
def test_many_volumes_at_once_cost_what_each_costs(curve, volume):
    volumes = np.array([volume, *curve.edges(end=40)])
    assert curve.usd_at(volumes) == pytest.approx([curve.usd_per_month(x) for x in volumes.tolist()], rel=1e-12)


@settings(max_examples=400)
@given(first=whole_curves, fixed=st.integers(0, 40), rate=st.integers(0, 12))
def test_the_search_on_a_grid_finds_what_the_exact_one_finds(first, fixed, rate):
    assume(first.usd_per_request != rate)
    second = CostCurve(fixed_usd_per_month=fixed, usd_per_request=rate)
    exact = [p for p in crossings(first, second).points if 1.03 < p.requests_per_month < 40]
    volumes = [p.requests_per_month for p in exact]
    # Pairs that are nearer than its resolution it may miss.
    assume(all(other > one * 1.05 for one, other in zip(volumes, volumes[1:], strict=False)))
    found = [p for p in crossings(first, Opaque(second)).points if 1.03 < p.requests_per_month < 40]
    assert [(pytest.approx(p.requests_per_month, rel=1e-8), p.kind, p.cheaper_after) for p in found] == [
        (p.requests_per_month, p.kind, p.cheaper_after) for p in exact
    ]


def crosses(first: Curve, second: Curve) -> list[float]:
    return [point.requests_per_month for point in crossings(first, second).points]


@settings(max_examples=500)
@given(fixed=st.floats(0.1, 1e5), scale=st.floats(0.01, 100), exponent=st.floats(0.3, 0.95), rate=st.floats(1e-6, 1))
def test_a_smooth_curve_meets_a_straight_line_where_its_formula_says(fixed, scale, exponent, rate):
    smooth, line = Power(fixed, scale, exponent), CostCurve(usd_per_request=rate)
    found = crossings(smooth, line)
    assert found.searched_to_requests_per_month == 1e12
    # Concave above 0 against a line through 0: they meet once.
    if smooth.usd_per_month(1) <= rate or smooth.usd_per_month(1e12) >= rate * 1e12:
        assert len(found.points) == 0
    else:
        (point,) = found.points
        at = point.requests_per_month
        assert (point.kind, point.cheaper_after) == ("equal", "first")
        assert smooth.usd_per_month(at) == pytest.approx(rate * at, rel=1e-9)
        assert first_volume_where_no_dearer(smooth, line) == at


@settings(max_examples=300)
@given(
    smooth=st.builds(Power, st.floats(0, 1e3), st.floats(0.1, 50), st.floats(0.4, 0.95)),
    price=st.floats(1, 1e4),
    capacity=st.floats(10, 1e5),
)
def test_a_smooth_curve_and_a_machine_keep_sides_between_two_crossings(smooth, price, capacity):
    machine = CostCurve(groups=(ReplicaGroup(usd_per_replica_month=price, requests_per_replica_month=capacity),))
    found = crossings(smooth, machine)
    end = found.searched_to_requests_per_month
    edges = [1.0, *(p.requests_per_month for p in found.points), end][:60]
    for start, stop in zip(edges, edges[1:], strict=False):
        grid = np.geomspace(start, stop, 40)[1:-1]
        costs = [(smooth.usd_per_month(x), machine.usd_per_month(x)) for x in grid.tolist()]
        sides = {one < other for one, other in costs if abs(one - other) > 1e-6 * max(one, other)}
        assert len(sides) <= 1 or stop / start < 1.05
    for point in found.points:
        one, other = smooth.usd_per_month(point.requests_per_month), machine.usd_per_month(point.requests_per_month)
        if point.kind == "equal":
            assert one == pytest.approx(other, rel=1e-9)
        else:
            behind = machine.usd_per_month(point.requests_per_month * (1 + 1e-9))
            assert (other - one) * (behind - one) < 0


def test_two_smooth_curves_that_never_cross_say_how_far_the_search_went():
    never = crossings(Power(10, 1, 0.5), Power(5, 1, 0.5), names=("one", "the other"))
    assert never.reason == "the other is cheaper at every volume up to 1T requests a month, the end of the search"


def test_a_jump_of_a_curve_that_is_not_known_to_jump_is_no_point_of_equal_cost():
    machine = CostCurve(groups=groups_of([(10, 100)]))
    (point, *_) = crossings(Opaque(machine), CostCurve(fixed_usd_per_month=15)).points
    assert (round(point.requests_per_month, 6), point.kind) == (100, "jump")


# --- hours of their own -----------------------------------------------------------------------------------------------


def test_following_the_profile_costs_the_mean_and_always_on_costs_the_peak():
    # A quarter of the hours at three times the mean rate, the rest at a third of it; one replica serves the mean rate.
    traffic = Traffic(hourly=(3.0,) * 42 + (1 / 3,) * 126)
    curves = {
        running: rented_curve(
            usd_per_gpu_hour=1, gpus_per_replica=1, requests_per_s=1, hours=paid_hours(traffic, running)
        )
        for running in ("always-on", "scheduled", "profile")
    }
    month = 730 * 3600
    assert curves["always-on"].usd_per_month(month) == pytest.approx(3 * 730)
    assert curves["profile"].usd_per_month(month) == pytest.approx(0.25 * 3 * 730 + 0.75 * 1 * 730)
    assert curves["scheduled"].usd_per_month(month) == pytest.approx(0.25 * 3 * 730 + 0.75 * 1 * 730)
    assert {curve.replicas(month) for curve in curves.values()} == {3}


hourly = st.lists(st.one_of(st.just(0.0), st.floats(0.01, 10)), min_size=168, max_size=168).filter(any)


@settings(max_examples=150)
@given(hourly=hourly, peak=st.floats(1, 3), requests=st.floats(1, 1e9), fewest=st.integers(0, 3))
def test_a_finer_timetable_never_costs_more(hourly, peak, requests, fewest):
    mean = sum(hourly) / 168
    traffic = Traffic(hourly=tuple(weight / mean for weight in hourly), peak_to_mean=peak)
    always, scheduled, profile = (
        rented_curve(
            usd_per_gpu_hour=2, gpus_per_replica=1, requests_per_s=3, min_replicas=fewest,
            hours=paid_hours(traffic, running),
        ).usd_per_month(requests)
        for running in ("always-on", "scheduled", "profile")
    )  # fmt: skip
    assert profile <= scheduled * (1 + 1e-9) <= always * (1 + 2e-9)


@given(hourly=hourly)
def test_the_hours_of_every_timetable_are_the_whole_month(hourly):
    mean = sum(hourly) / 168
    traffic = Traffic(hourly=tuple(weight / mean for weight in hourly))
    for running in ("always-on", "scheduled", "profile"):
        hours = paid_hours(traffic, running)
        assert sum(share for share, _ in hours) == pytest.approx(1)
        assert sum(share * rate for share, rate in hours) >= 1 - 1e-9
        assert max(rate for _, rate in hours) == traffic.peak


# --- bands ------------------------------------------------------------------------------------------------------------


def band(machine_usd: tuple[float, float, float], capacity: tuple[float, float, float]) -> CurveBand:
    low, mid, high = (
        CostCurve(groups=(ReplicaGroup(usd_per_replica_month=price, requests_per_replica_month=full),))
        for price, full in zip(machine_usd, reversed(capacity), strict=True)
    )
    return CurveBand(low=low, mid=mid, high=high)


def api_band(low: float, mid: float, high: float) -> CurveBand:
    return CurveBand(
        **{end: CostCurve(usd_per_request=rate) for end, rate in (("low", low), ("mid", mid), ("high", high))}
    )


def test_the_interval_of_a_crossing_is_redone_by_hand():
    # 2,160 USD (1,800 to 2,400) a machine of 100 against 25 (24 to 30) a request: 86.4 at the middle,
    # 1,800 / 30 = 60 at best, 2,352 / 24 = 98 at worst.
    found = band_crossings(band((1_800, 2_160, 2_352), (100, 100, 100)), api_band(24, 25, 30))
    first, step, second = found.intervals[:3]
    assert (first.at_best_requests_per_month, first.at_worst_requests_per_month) == (60, 98)
    assert (first.low_requests_per_month, first.high_requests_per_month) == (60, 98)
    assert (step.crossing.kind, step.crossing.requests_per_month) == ("jump", 100)
    # With two machines 3,600 / 30 = 120 at best and 4,704 / 24 = 196 at worst.
    assert (second.at_best_requests_per_month, second.at_worst_requests_per_month) == (120, 196)
    assert (found.earliest, found.latest) == (60, 98)


def test_a_crossing_that_vanishes_at_one_end_says_so():
    found = band_crossings(band((1_800, 2_160, 2_600), (100, 100, 100)), api_band(24, 25, 30))
    (first, *_) = found.intervals
    assert first.at_worst_requests_per_month is None
    assert (first.low_requests_per_month, first.high_requests_per_month) == (60, pytest.approx(86.4))
    assert found.latest is None


spread = st.floats(1, 2)


@st.composite
def bands(draw):
    """A machine and an API of a like order of cost, both with a band and with a wider one."""
    price, capacity = draw(st.floats(1, 1e4)), draw(st.floats(10, 1e6))
    rate = price / capacity * draw(st.floats(0.5, 20))
    one, two, three, more = (draw(spread) for _ in range(4))
    narrow = (
        band((price / one, price, price * one), (capacity / two, capacity, capacity * two)),
        api_band(rate / three, rate, rate * three),
    )
    wide = (
        band((price / one / more, price, price * one * more), (capacity / two / more, capacity, capacity * two * more)),
        api_band(rate / three / more, rate, rate * three * more),
    )
    return narrow, wide


def infinite(volume: float | None) -> float:
    return float("inf") if volume is None else volume


@settings(max_examples=500)
@given(both=bands())
def test_a_wider_price_band_never_narrows_the_interval_of_the_first_crossing(both):
    (machine, api), (wide_machine, wide_api) = both
    narrow, wide = band_crossings(machine, api), band_crossings(wide_machine, wide_api)
    assert infinite(wide.earliest) <= infinite(narrow.earliest) * (1 + 1e-9)
    assert infinite(wide.latest) >= infinite(narrow.latest) * (1 - 1e-9)
    for inner, outer in zip(narrow.intervals, wide.intervals, strict=True):
        assert inner.crossing == outer.crossing
        if inner.crossing.kind == "equal" and outer.at_best_requests_per_month is not None:
            assert outer.low_requests_per_month <= inner.low_requests_per_month * (1 + 1e-9)
        if inner.crossing.kind == "equal" and outer.at_worst_requests_per_month is not None:
            assert outer.high_requests_per_month >= inner.high_requests_per_month * (1 - 1e-9)


@settings(max_examples=300)
@given(both=bands())
def test_an_interval_holds_its_crossing_and_its_ends_are_crossings_at_the_ends(both):
    (machine, api), _ = both
    found = band_crossings(machine, api)
    at_best, at_worst = crosses(machine.low, api.high), crosses(machine.high, api.low)
    for one in found.intervals:
        assert one.low_requests_per_month <= one.crossing.requests_per_month <= one.high_requests_per_month
        assert one.at_best_requests_per_month in (None, *at_best)
        assert one.at_worst_requests_per_month in (None, *at_worst)


def test_bands_without_width_have_intervals_without_width():
    found = band_crossings(band((2_160,) * 3, (100,) * 3), api_band(25, 25, 25))
    assert len(found.intervals) == len(found.middle.points) == 13
    assert all(one.low_requests_per_month == one.high_requests_per_month for one in found.intervals)
