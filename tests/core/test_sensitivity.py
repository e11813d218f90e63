"""Tornado and two-way map: orders and widths that hold for every result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.sensitivity import Bar, Input, tornado, two_way

coordinates = st.floats(-1e3, 1e3)
widths = st.floats(0, 1e3)


@st.composite
def inputs(draw):
    """Up to six inputs with their weights in a weighted sum."""
    names = [f"input {number}" for number in range(draw(st.integers(1, 6)))]
    found = []
    for name in names:
        mid = draw(coordinates)
        found.append(Input(name=name, low=mid - draw(widths), mid=mid, high=mid + draw(widths)))
    return found, {name: draw(coordinates) for name in names}


def weighted(weights):
    return lambda values: sum(weights[name] * value for name, value in values.items())


@given(case=inputs())
def test_bars_come_with_the_widest_swing_first_and_every_input_once(case):
    found, weights = case
    bars = tornado(weighted(weights), found)
    assert sorted(bar.input.name for bar in bars) == [one.name for one in found]
    swings = [bar.swing for bar in bars]
    assert swings == sorted(swings, reverse=True)


@given(case=inputs())
def test_of_a_weighted_sum_a_bar_is_as_wide_as_its_weight_times_its_range(case):
    found, weights = case
    for bar in tornado(weighted(weights), found):
        wide = abs(weights[bar.input.name]) * (bar.input.high - bar.input.low)
        assert bar.swing == pytest.approx(wide, rel=1e-6, abs=1e-6)


@given(case=inputs(), more=widths)
def test_a_wider_band_never_narrows_a_bar(case, more):
    found, weights = case
    first, *rest = found
    wider = Input(name=first.name, low=first.low - more, mid=first.mid, high=first.high + more)
    before = {bar.input.name: bar.swing for bar in tornado(weighted(weights), found)}
    after = {bar.input.name: bar.swing for bar in tornado(weighted(weights), [wider, *rest])}
    assert after[first.name] >= before[first.name] - 1e-6
    assert {name: after[name] for name in after if name != first.name} == {
        name: before[name] for name in before if name != first.name
    }


@given(case=inputs())
def test_an_input_without_a_range_moves_nothing(case):
    found, weights = case
    fixed = [Input(name=one.name, low=one.mid, mid=one.mid, high=one.mid) for one in found]
    assert {bar.swing for bar in tornado(weighted(weights), fixed)} == {0}


def test_an_input_that_decides_whether_there_is_a_result_comes_first_and_keeps_its_gap():
    def result(values):
        return None if values["price"] > 5 else values["price"] + 100 * values["volume"]

    price, volume = Input(name="price", low=1, mid=3, high=9), Input(name="volume", low=0, mid=1, high=2)
    first, second = tornado(result, [volume, price])
    assert first == Bar(input=price, at_low=101, at_mid=103, at_high=None)
    assert first.swing is None
    assert second.swing == 200


def test_where_nothing_gives_a_result_no_input_matters():
    (bar,) = tornado(lambda values: None, [Input(name="price", low=1, mid=2, high=3)])
    assert (bar.at_low, bar.at_mid, bar.at_high, bar.swing) == (None, None, None, 0)


@given(xs=st.lists(coordinates, max_size=8), ys=st.lists(coordinates, max_size=8))
def test_the_map_holds_the_result_of_every_pair(xs, ys):
    rows = two_way(lambda x, y: None if x == y else x - 2 * y, xs, ys)
    assert len(rows) == len(ys)
    for y, row in zip(ys, rows, strict=True):
        assert row == tuple(None if x == y else x - 2 * y for x in xs)
