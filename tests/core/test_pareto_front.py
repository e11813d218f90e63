"""The Pareto front: who may be passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.pareto import on_front

# Few different values, so that ties are the rule.
options = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=12)


def front(found: list[tuple[int, int]]) -> list[bool]:
    return on_front([cost for cost, _ in found], [quality for _, quality in found])


def beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and one[0] <= other[0] and one[1] >= other[1]


@given(found=options)
def test_nothing_on_the_front_is_beaten_and_all_else_is_beaten_by_something_on_it(found):
    best = [option for option, is_best in zip(found, front(found), strict=True) if is_best]
    for option, is_best in zip(found, front(found), strict=True):
        assert is_best == (not any(beats(other, option) for other in best))


@given(found=options)
def test_the_cheapest_of_the_best_and_the_best_of_the_cheapest_are_on_the_front(found):
    is_best = dict(zip(found, front(found), strict=True))
    assert is_best[min(found, key=lambda option: (-option[1], option[0]))]
    assert is_best[min(found, key=lambda option: (option[0], -option[1]))]


@given(found=options, order=st.randoms())
def test_the_order_of_the_options_never_matters(found, order):
    shuffled = found.copy()
    order.shuffle(shuffled)
    assert dict(zip(found, front(found), strict=True)) == dict(zip(shuffled, front(shuffled), strict=True))


@given(found=options)
def test_equal_options_share_their_place(found):
    assert front(found * 2) == front(found) * 2


def test_lists_of_different_length_are_a_mistake():
    with pytest.raises(ValueError, match="zip"):
        on_front([1.0], [])
