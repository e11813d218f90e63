"""Where two monthly cost curves cross, with the steps of whole replicas taken as they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import Literal

import numpy as np

from llmcompare.core.cost import CostCurve, Floats, ReplicaGroup
from llmcompare.core.units import count_text, usd_text

MAX_REPLICAS_SEARCHED = 2_000
"""Curves that nearly run side by side cross at almost every replica; past this many the search says that it stopped."""
REPEATS_SHOWN = 20
"""Replicas searched when both curves rise alike for ever, so that the pattern repeats without end."""
TOLERANCE = 1e-12
"""Relative; float noise of k x capacity is about 1e-16 per operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A volume at which two options cost the same, or at which a step of replicas carries one past the other."""

    requests_per_month: float
    kind: Literal["equal", "jump"]
    """equal: both cost the same here. jump: left and right costs of a step straddle the other option."""
    usd_per_month: float
    """Cost of both where equal; of the option that does not jump where a jump."""
    cheaper_after: Literal["first", "second", "same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossings:
    """All crossings of two curves in order of volume, or the reason why there is none."""

    points: tuple[Crossing, ...]
    reason: str | None
    """Why they never cross; None when they do."""
    searched_to_requests_per_month: float | None
    """None when the search is complete: nothing crosses beyond the last point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """Stretches of volume (start, end] on which both curves are straight, in order; arrays of one length."""

    start: Floats
    end: Floats
    first_usd: Floats
    """Cost of the first curve there without its rate per request; one more entry, for behind the last piece."""
    second_usd: Floats


def crossings(
    first: CostCurve, second: CostCurve, *, names: tuple[str, str] = ("the first option", "the second option")
) -> Crossings:
    """All volumes above 0 at which the two cost the same or a step straddles; names are for the reason alone.

    >>> hundred = ReplicaGroup(usd_per_replica_month=2_160, requests_per_replica_month=100)
    >>> machine, api = CostCurve(groups=(hundred,)), CostCurve(usd_per_request=25)
    >>> [(round(p.requests_per_month, 1), p.kind) for p in crossings(machine, api).points[:4]]
    [(86.4, 'equal'), (100.0, 'jump'), (172.8, 'equal'), (200.0, 'jump')]
    """
    if first == second:
        return _never("the two cost the same at every volume")
    end, complete = _search_end(first, second)
    points = tuple(_points(first, second, _pieces(first, second, end)))
    searched_to = None if complete else end
    reason = None if points else _never_because(first, second, names, searched_to)
    return Crossings(points=points, reason=reason, searched_to_requests_per_month=searched_to)


def first_volume_where_no_dearer(first: CostCurve, second: CostCurve) -> float | None:
    """Smallest number of monthly requests at which the first option costs no more than the second.

    None if there is none, or none within the volumes that a search covers.
    """
    if _sign_at_once(first, second) <= 0:
        return 0.0
    above = first.usd_per_request_at_scale > second.usd_per_request and _floor_usd(first) >= _floor_usd(second)
    if not second.groups and above:
        # The second is a straight line below the first one's cost with full replicas, so below the first everywhere.
        return None
    end, _ = _search_end(first, second)
    for point in _points(first, second, _pieces(first, second, end)):
        if point.kind == "equal" or point.cheaper_after == "first":
            return point.requests_per_month
    return None


def _never(reason: str) -> Crossings:
    return Crossings(points=(), reason=reason, searched_to_requests_per_month=None)


def _never_because(first: CostCurve, second: CostCurve, names: tuple[str, str], searched_to: float | None) -> str:
    sign = _sign_at_once(first, second)
    if sign == 0:
        return "the two cost the same at every volume"
    cheap, dear = (second, first) if sign > 0 else (first, second)
    cheap_name, dear_name = names[::-1] if sign > 0 else names
    if searched_to is not None:
        end = f"{count_text(searched_to)} requests a month, the end of the search"
        return f"{cheap_name} is cheaper at every volume up to {end}"
    if dear.groups and not cheap.groups:
        return (
            f"even with every replica full, {dear_name} costs {usd_text(dear.usd_per_request_at_scale)} per request, "
            f"and {cheap_name} costs {usd_text(cheap.usd_per_request_at_scale)}"
        )
    return f"{cheap_name} is cheaper at every volume"


def _floor_usd(curve: CostCurve) -> float:
    """The curve runs above this + its rate at scale x volume, and at most one step of each group above."""
    return curve.fixed_usd_per_month + curve.spare_replicas * curve.usd_of_one_each


def _ceiling_usd(curve: CostCurve) -> float:
    return _floor_usd(curve) + curve.first_step * curve.usd_of_one_each


def _search_end(first: CostCurve, second: CostCurve) -> tuple[float, bool]:
    """Volume beyond which nothing can cross, and whether the search reaches it.

    A curve lies between two lines with its rate at scale, one step of each group apart. So two curves with different
    rates part for good where the gap between the rates has eaten what the dearer one was ahead by.
    """
    steep, flat = sorted((first, second), key=lambda curve: -curve.usd_per_request_at_scale)
    gap = steep.usd_per_request_at_scale - flat.usd_per_request_at_scale
    parallel = gap <= TOLERANCE * steep.usd_per_request_at_scale
    capacities = [group.requests_per_replica_month for curve in (first, second) for group in curve.groups]
    if not capacities:
        ahead = 0.0 if parallel else max(0.0, _floor_usd(flat) - _floor_usd(steep)) / gap
        return 1.0 + 2 * ahead, True
    if parallel:
        return REPEATS_SHOWN * max(capacities), False
    end = max(0.0, _ceiling_usd(flat) - _floor_usd(steep)) / gap * (1 + TOLERANCE) + max(capacities)
    most_replicas = MAX_REPLICAS_SEARCHED + max(first.first_step, second.first_step) - 1
    furthest = most_replicas * min(capacities)
    return min(end, furthest), end <= furthest


def _pieces(first: CostCurve, second: CostCurve, end: float) -> _Pieces:
    """All pieces up to the end; replicas of both curves that are full at the same volume end one piece."""
    steps = [curve.steps(end=end) for curve in (first, second)]
    edges = np.concatenate([np.array([end]), *(edges for of_curve in steps for _, edges in of_curve)])
    edges.sort()
    ends = edges[np.append(np.diff(edges) > TOLERANCE * edges[1:], True)]
    first_usd, second_usd = (
        _usd_of_replicas(curve, of_curve, ends) for curve, of_curve in zip((first, second), steps, strict=True)
    )
    return _Pieces(start=np.append(0.0, ends[:-1]), end=ends, first_usd=first_usd, second_usd=second_usd)


def _usd_of_replicas(curve: CostCurve, steps: list[tuple[ReplicaGroup, Floats]], ends: Floats) -> Floats:
    """Cost of a curve at volume 0 with the replicas of each piece, and with those behind the last."""
    usd = np.full(len(ends) + 1, curve.fixed_usd_per_month)
    by_price = sorted(steps, key=lambda step: step[0].usd_per_replica_month)
    # Whole replicas of one price are counted before they are priced: summing prices would add up rounding errors.
    for price, of_price in groupby(by_price, key=lambda step: step[0].usd_per_replica_month):
        edges = [edges for _, edges in of_price]
        piece = np.searchsorted(ends * (1 + 2 * TOLERANCE), np.concatenate(edges))
        started = np.cumsum(np.bincount(piece + 1, minlength=len(usd)))
        usd += price * (started + len(edges) * (curve.first_step + curve.spare_replicas))
    return usd


def _points(first: CostCurve, second: CostCurve, pieces: _Pieces) -> Iterator[Crossing]:
    slope = first.usd_per_request - second.usd_per_request
    left = _differences(first, second, pieces.first_usd[:-1], pieces.second_usd[:-1], pieces.end)
    right = _differences(first, second, pieces.first_usd[1:], pieces.second_usd[1:], pieces.end)
    # Of equal costs the slopes tell which is cheaper just behind.
    right = np.where(right == 0, slope, right)
    equal = _equal_volumes(first, second, pieces)
    for index in np.flatnonzero(~np.isnan(equal) | (left * right < 0)):
        piece_end, equal_at, behind = float(pieces.end[index]), float(equal[index]), float(right[index])
        first_usd, second_usd = float(pieces.first_usd[index]), float(pieces.second_usd[index])
        if not isnan(equal_at):
            yield Crossing(
                requests_per_month=equal_at,
                kind="equal",
                usd_per_month=first_usd + first.usd_per_request * equal_at,
                cheaper_after=_cheaper(behind if equal_at == piece_end and behind else slope),
            )
        if left[index] * right[index] < 0:
            first_steps = pieces.first_usd[index + 1] > first_usd
            steady, usd = (second, second_usd) if first_steps else (first, first_usd)
            yield Crossing(
                requests_per_month=piece_end,
                kind="jump",
                usd_per_month=usd + steady.usd_per_request * piece_end,
                cheaper_after=_cheaper(behind),
            )


def _sign_at_once(first: CostCurve, second: CostCurve) -> float:
    """Positive where the first costs more just above no requests; of equal costs the slopes tell."""
    one, other = _ceiling_usd(first), _ceiling_usd(second)
    same = abs(one - other) <= TOLERANCE * max(one, other)
    return first.usd_per_request - second.usd_per_request if same else one - other


def _cheaper(first_minus_second: float) -> Literal["first", "second", "same"]:
    if first_minus_second == 0:
        return "same"
    return "first" if first_minus_second < 0 else "second"


def _differences(first: CostCurve, second: CostCurve, first_usd: Floats, second_usd: Floats, at: Floats) -> Floats:
    """First minus second in USD at some volumes; float noise counts as 0."""
    one = first_usd + first.usd_per_request * at
    other = second_usd + second.usd_per_request * at
    return np.where(np.abs(one - other) <= TOLERANCE * np.maximum(one, other), 0.0, one - other)


def _equal_volumes(first: CostCurve, second: CostCurve, pieces: _Pieces) -> Floats:
    """Volume of equal cost on each piece; its end where both coincide all along; NaN where they differ."""
    slope = first.usd_per_request - second.usd_per_request
    head_start = _differences(first, second, pieces.first_usd[:-1], pieces.second_usd[:-1], np.zeros_like(pieces.end))
    if slope == 0:
        return np.where(head_start == 0, pieces.end, np.nan)
    requests = -head_start / slope
    at_end = np.abs(requests - pieces.end) <= TOLERANCE * pieces.end
    inside = (pieces.start * (1 + TOLERANCE) < requests) & (requests < pieces.end)
    return np.where(at_end, pieces.end, np.where(inside, requests, np.nan))
