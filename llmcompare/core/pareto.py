"""Which options nobody should pass over."""

from collections.abc import Sequence


def on_front(costs: Sequence[float], qualities: Sequence[float]) -> list[bool]:
    """For each option, whether no other is at least as cheap and at least as good, and better in one of both.

    >>> on_front([1.0, 2.0, 2.0, 3.0], [50, 60, 55, 60])
    [True, True, False, False]
    """
    options = list(zip(costs, qualities, strict=True))
    return [
        not any(
            cost <= own_cost and quality >= own_quality and (cost < own_cost or quality > own_quality)
            for cost, quality in options
        )
        for own_cost, own_quality in options
    ]
