"""Where two curves cross of which at least one is no straight line: a search on a grid of volumes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from llmcompare.core.curves import CostCurve, Curve, Floats
from llmcompare.core.steps import MAX_REPLICAS_SEARCHED, TOLERANCE, Crossing, cheaper

LEAST_REQUESTS_PER_MONTH = 1.0
MOST_REQUESTS_PER_MONTH = 1e12
POINTS_PER_DECADE = 100
"""Neighbours are 2.3% apart."""
JUST_BEHIND = 1 + 1e-9
"""Of a full replica: the next one runs."""
SAME_USD = 1e-6
"""Relative; where two costs differ by more at a change of sides, one of them has jumped."""


def smooth_search_end(first: Curve, second: Curve) -> float:
    """Where the search of points_on_grid ends: MOST_REQUESTS_PER_MONTH, or earlier at too many replicas."""
    ends = [
        (MAX_REPLICAS_SEARCHED + curve.first_step - 1) * min(group.requests_per_replica_month for group in curve.groups)
        for curve in (first, second)
        if isinstance(curve, CostCurve) and curve.groups
    ]
    return min([MOST_REQUESTS_PER_MONTH, *ends])


def sign_at_least_volume(first: Curve, second: Curve) -> float:
    """Positive where the first costs more at the least volume of the search, 0 where both cost the same."""
    at = np.array([LEAST_REQUESTS_PER_MONTH])
    return float(_difference(first.usd_at(at), second.usd_at(at))[0])


def points_on_grid(first: Curve, second: Curve, *, end: float) -> Iterator[Crossing]:
    """All crossings from one request a month up to the end, in order of volume.

    Looks for changes of side on a logarithmic grid of 100 volumes per decade and at both sides of every step, and
    narrows each down to a relative 1e-12. Two crossings of smooth curves within 2.3% of volume may stay unseen. Relies
    on costs that never fall with volume: where one option costs more at a volume than the other at the next, nothing
    crosses between the two, and the steps there need no look.
    """
    volumes, is_edge = _volumes(first, second, end)
    behind = np.where(is_edge, volumes * JUST_BEHIND, volumes)
    first_usd, second_usd = first.usd_at(volumes), second.usd_at(volumes)
    left = _difference(first_usd, second_usd)
    right = np.where(is_edge, _difference(first.usd_at(behind), second.usd_at(behind)), left)
    # A step that lands on the other curve: the next volume tells which is cheaper from there.
    following = np.append(left[1:], 0.0)
    right = np.where(right == 0, following, right)
    before = np.append(0.0, right[:-1])
    # Of a stretch of equal costs the ends are named, not every volume.
    meets = (left == 0) & ((before != 0) | (right != 0))
    for index in np.flatnonzero((before * left < 0) | meets | (left * right < 0)):
        if before[index] * left[index] < 0:
            yield _between(first, second, float(behind[index - 1]), float(volumes[index]), float(left[index]))
        if left[index] == 0:
            yield Crossing(
                requests_per_month=float(volumes[index]),
                kind="equal",
                usd_per_month=float(first_usd[index]),
                cheaper_after=cheaper(float(right[index])),
            )
        if left[index] * right[index] < 0:
            yield _jump(first, second, float(volumes[index]), float(behind[index]), float(right[index]))


def _volumes(first: Curve, second: Curve, end: float) -> tuple[Floats, NDArray[np.bool_]]:
    """The grid and the steps that matter, in order, and which of them are steps."""
    start = min(LEAST_REQUESTS_PER_MONTH, end / 2)
    grid = np.geomspace(start, end, int(np.log10(end / start) * POINTS_PER_DECADE) + 2)
    stepped = [curve.edges(end=end) for curve in (first, second) if isinstance(curve, CostCurve) and curve.groups]
    if not stepped:
        return grid, np.zeros(len(grid), dtype=bool)
    edges = np.sort(np.concatenate(stepped))
    edges = edges[_may_cross(first, second, grid)[np.searchsorted(grid, edges)]]
    # Replicas of several groups that are full at the same volume, to rounding, are one step.
    edges = edges[np.append(np.diff(edges) > (JUST_BEHIND - 1) * edges[1:], True)[: len(edges)]]
    beside = np.searchsorted(edges, grid / JUST_BEHIND**2) < np.searchsorted(edges, grid * JUST_BEHIND**2)
    volumes = np.concatenate([grid[~beside], edges])
    order = np.argsort(volumes)
    return volumes[order], order >= len(volumes) - len(edges)


def _may_cross(first: Curve, second: Curve, grid: Floats) -> NDArray[np.bool_]:
    """Per place of the grid whether costs that rise from the place before to here may meet."""
    first_usd, second_usd = first.usd_at(grid), second.usd_at(grid)
    first_apart = first_usd[:-1] > second_usd[1:] * JUST_BEHIND
    second_apart = second_usd[:-1] > first_usd[1:] * JUST_BEHIND
    # The edges before the first and behind the last place are always looked at.
    return np.concatenate([[True], ~(first_apart | second_apart), [True]])


def _difference(first_usd: Floats, second_usd: Floats) -> Floats:
    """First minus second; float noise counts as 0."""
    largest = np.maximum(np.abs(first_usd), np.abs(second_usd))
    return np.where(np.abs(first_usd - second_usd) <= TOLERANCE * largest, 0.0, first_usd - second_usd)


def _between(first: Curve, second: Curve, start: float, end: float, left_of_end: float) -> Crossing:
    """The change of sides between two volumes with no step of replicas between them."""

    def difference(requests: float) -> float:
        return first.usd_per_month(requests) - second.usd_per_month(requests)

    at = float(brentq(difference, start, end, xtol=TOLERANCE * start))
    usd, other_usd = first.usd_per_month(at), second.usd_per_month(at)
    return Crossing(
        requests_per_month=at,
        kind="equal" if abs(usd - other_usd) <= SAME_USD * max(usd, other_usd) else "jump",
        usd_per_month=usd,
        cheaper_after=cheaper(left_of_end),
    )


def _jump(first: Curve, second: Curve, at: float, behind: float, right: float) -> Crossing:
    """At a full replica; the cost told is that of the option which does not step."""
    first_rise, second_rise = (curve.usd_per_month(behind) - curve.usd_per_month(at) for curve in (first, second))
    steady = first if first_rise < second_rise else second
    return Crossing(
        requests_per_month=at, kind="jump", usd_per_month=steady.usd_per_month(at), cheaper_after=cheaper(right)
    )
