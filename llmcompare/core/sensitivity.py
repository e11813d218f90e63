"""What a result hangs on: each input alone between its ends, and two inputs together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One quantity that the result depends on, with its range, all in one unit."""

    name: str
    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The result at both ends of one input, the others at their middle. None where there is no result."""

    input: Input
    at_low: float | None
    at_mid: float | None
    at_high: float | None

    @property
    def swing(self) -> float | None:
        """Largest less smallest result; None where there is a result at one place and none at another."""
        results = [value for value in (self.at_low, self.at_mid, self.at_high) if value is not None]
        if not results:
            return 0.0
        return max(results) - min(results) if len(results) == 3 else None


def tornado(value_of: Callable[[Mapping[str, float]], float | None], inputs: Sequence[Input]) -> tuple[Bar, ...]:
    """One bar per input, the widest swing first; before all others those that decide whether there is a result.

    value_of takes the value of every input by name.

    >>> area = lambda sides: sides["width"] * sides["height"]
    >>> bars = tornado(area, [Input(name="width", low=2, mid=3, high=4), Input(name="height", low=1, mid=5, high=6)])
    >>> [(bar.input.name, bar.at_low, bar.at_mid, bar.at_high) for bar in bars]
    [('height', 3, 15, 18), ('width', 10, 15, 20)]
    """
    middle = {one.name: one.mid for one in inputs}
    at_mid = value_of(middle)
    bars = [
        Bar(
            input=one,
            at_low=value_of(middle | {one.name: one.low}),
            at_mid=at_mid,
            at_high=value_of(middle | {one.name: one.high}),
        )
        for one in inputs
    ]
    return tuple(sorted(bars, key=lambda bar: -inf if bar.swing is None else -bar.swing))


def two_way(
    value_of: Callable[[float, float], float | None], xs: Sequence[float], ys: Sequence[float]
) -> tuple[tuple[float | None, ...], ...]:
    """The result at every pair of two inputs: one row per y, in it one result per x.

    >>> two_way(lambda x, y: x - y, (1, 2, 3), (10, 20))
    ((-9, -8, -7), (-19, -18, -17))
    """
    return tuple(tuple(value_of(x, y) for x in xs) for y in ys)
