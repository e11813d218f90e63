"""What would change an advice: the smallest change of one figure that gives the first place to another deployment."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from llmcompare.core.advice import (
    CRITERIA,
    GREATEST_WEIGHT,
    POINTS_FOR_HALF_THE_COST,
    POINTS_FOR_TWICE_THE_SPEED,
    Floats,
    Places,
    Weights,
    worth,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The smallest change of one input that gives the first place to another deployment."""

    input: str
    now: float | None
    """None for a limit that is not set."""
    then: float
    winner: int | None
    """Place of the deployment that would be first; None if none would be left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Weights of one criterion, the others as they are, at which one deployment or group is first."""

    input: str
    now: float
    low: float
    high: float
    winner: int
    """Place of the deployment that is first at the end nearest to the weight of now."""

    @property
    def distance(self) -> float:
        """From the weight of now; 0 within."""
        return max(self.low - self.now, self.now - self.high, 0.0)


def spans(of: dict[str, Floats], weights: Weights, places: Places, name: str) -> list[Span]:
    """Which of these deployments is first at each weight of a criterion from 0 to 10, every change exactly.

    The worth of each is a straight line over the weight, so the first places are the upper edge of all lines.
    """
    now, slope = getattr(weights, name), of[name][places]
    start = worth(weights, of)[places] - now * slope
    low, at = 0.0, int(np.lexsort((slope, start))[-1])
    found: list[Span] = []
    while True:
        steeper = np.nonzero(slope > slope[at])[0]
        meets = (start[at] - start[steeper]) / (slope[steeper] - slope[at])
        high = min(GREATEST_WEIGHT, float(meets.min())) if len(meets) else GREATEST_WEIGHT
        found.append(Span(input=f"weight of {name}", now=now, low=low, high=high, winner=int(places[at])))
        if high >= GREATEST_WEIGHT:
            return found
        reached = steeper[meets <= high + 1e-12]
        low, at = high, int(reached[np.argmax(slope[reached])])


def weight_flips(of: dict[str, Floats], weights: Weights, places: Places, groups: Sequence[object]) -> list[Flip]:
    """For each criterion the nearest lower and higher weight at which one of another group than the first is first.

    places: the deployments within the limits, the first of them being first now; groups: the group of each.
    """
    group, found = dict(zip(places.tolist(), groups, strict=True)), list[Flip]()
    for name in CRITERIA:
        others = [one for one in spans(of, weights, places, name) if group[one.winner] != groups[0]]
        below = [one for one in others if one.high <= one.now]
        above = [one for one in others if one.low >= one.now]
        found += [Flip(input=one.input, now=one.now, then=one.high, winner=one.winner) for one in below[-1:]]
        found += [Flip(input=one.input, now=one.now, then=one.low, winner=one.winner) for one in above[:1]]
    return found


def weights_of_groups(
    of: dict[str, Floats], weights: Weights, places: Places, groups: Sequence[str]
) -> dict[str, list[Span]]:
    """For each group of deployments and each criterion, the nearest weights at which one of the group is first.

    places: the deployments within the limits; groups: the group of each of them.
    """
    group, found = dict(zip(places.tolist(), groups, strict=True)), dict[str, list[Span]]()
    for name in CRITERIA:
        joined: dict[str, list[Span]] = {}
        for key, parts in groupby(spans(of, weights, places, name), key=lambda one: group[one.winner]):
            joined.setdefault(key, []).append(_joined(list(parts)))
        for key, runs in joined.items():
            found.setdefault(key, []).append(min(runs, key=lambda one: one.distance))
    return found


def _joined(parts: list[Span]) -> Span:
    nearest = min(parts, key=lambda one: one.distance)
    return Span(
        input=nearest.input, now=nearest.now, low=parts[0].low, high=parts[-1].high, winner=nearest.winner
    )  # fmt: skip


def firsts_as_it_tightens(figure: Floats) -> Places:
    """Who is first, one after the other, while a limit on a figure falls: each is the next one with a smaller figure.

    figure: of deployments in the order of their worth.

    >>> firsts_as_it_tightens(np.array([5.0, 7.0, 3.0, 4.0, 1.0])).tolist()
    [0, 2, 4]
    """
    least = np.minimum.accumulate(figure)
    return np.nonzero(np.concatenate([[True], figure[1:] < least[:-1]]))[0]


def cost_factor_to_lose(gap_points: float, weights: Weights) -> float | None:
    """How many times as dear a deployment may be until it is worth that many points less; None if cost counts nothing.

    >>> cost_factor_to_lose(4.0, Weights())
    2.0
    """
    return None if not weights.cost else float(2 ** (gap_points / (weights.cost * POINTS_FOR_HALF_THE_COST)))


def ability_to_lose(gap_points: float, weights: Weights) -> float | None:
    """How many points of ability less make up for so many points; None if ability counts nothing."""
    return gap_points / weights.ability if weights.ability else None


def speed_factor_to_lose(gap_points: float, weights: Weights) -> float | None:
    """The share of its speed at which a deployment is worth that many points less; None if speed counts nothing.

    >>> speed_factor_to_lose(2.0, Weights())
    0.5
    """
    return None if not weights.speed else float(2 ** (-gap_points / (weights.speed * POINTS_FOR_TWICE_THE_SPEED)))
