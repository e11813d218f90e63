"""Where two curves cross that are straight between the steps of whole replicas: every stretch is solved exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import Literal

import numpy as np

from llmcompare.core.curves import CostCurve, Floats, ReplicaGroup

MAX_REPLICAS_SEARCHED = 2_000
"""Curves that nearly run side by side cross at almost every replica; past this many the search says that it stopped."""
REPEATS_SHOWN = 20
"""Replicas searched when both curves rise alike for ever, so that the pattern repeats without end."""
TOLERANCE = 1e-12
"""Relative; float noise of k x capacity is about 1e-16 per operation."""

Cheaper = Literal["first", "second", "same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A volume at which two options cost the same, or at which a step of replicas carries one past the other."""

    requests_per_month: float
    kind: Literal["equal", "jump"]
    """equal: both cost the same here. jump: left and right costs of a step straddle the other option."""
    usd_per_month: float
    """Cost of both where equal; of the option that does not jump where a jump."""
    cheaper_after: Cheaper


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """Stretches of volume (start, end] on which both curves are straight, in order; arrays of one length."""

    start: Floats
    end: Floats
    first_usd: Floats
    """Cost of the first curve there without its rate per request; one more entry, for behind the last piece."""
    second_usd: Floats


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


def floor_usd(curve: CostCurve) -> float:
    """The curve runs at least this above its rate at scale x volume."""
    return curve.fixed_usd_per_month + curve.spare_replicas * curve.usd_of_one_each


def ceiling_usd(curve: CostCurve) -> float:
    """Cost just above no requests; the curve runs at most this above its rate at scale x volume."""
    return floor_usd(curve) + curve.first_step * curve.usd_of_one_each


def search_end(first: CostCurve, second: CostCurve) -> tuple[float, bool]:
    """Volume beyond which nothing can cross, and whether the search reaches it.

    A curve lies between two lines with its rate at scale, one step of each group apart. So two curves with different
    rates part for good where the gap between the rates has eaten what the dearer one was ahead by.
    """
    steep, flat = sorted((first, second), key=lambda curve: -curve.usd_per_request_at_scale)
    gap = steep.usd_per_request_at_scale - flat.usd_per_request_at_scale
    parallel = gap <= TOLERANCE * steep.usd_per_request_at_scale
    capacities = [group.requests_per_replica_month for curve in (first, second) for group in curve.groups]
    if not capacities:
        ahead = 0.0 if parallel else max(0.0, floor_usd(flat) - floor_usd(steep)) / gap
        return 1.0 + 2 * ahead, True
    if parallel:
        return REPEATS_SHOWN * max(capacities), False
    end = max(0.0, ceiling_usd(flat) - floor_usd(steep)) / gap * (1 + TOLERANCE) + max(capacities)
    most_replicas = MAX_REPLICAS_SEARCHED + max(first.first_step, second.first_step) - 1
    furthest = most_replicas * min(capacities)
    return min(end, furthest), end <= furthest


def sign_at_once(first: CostCurve, second: CostCurve) -> float:
    """Positive where the first costs more just above no requests; of equal costs the slopes tell."""
    one, other = ceiling_usd(first), ceiling_usd(second)
    same = abs(one - other) <= TOLERANCE * max(one, other)
    return first.usd_per_request - second.usd_per_request if same else one - other


def points_between_steps(first: CostCurve, second: CostCurve, *, end: float) -> Iterator[Crossing]:
    """All crossings up to the end, in order of volume."""
    pieces = _pieces(first, second, end)
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
                cheaper_after=cheaper(behind if equal_at == piece_end and behind else slope),
            )
        if left[index] * right[index] < 0:
            first_steps = pieces.first_usd[index + 1] > first_usd
            steady, usd = (second, second_usd) if first_steps else (first, first_usd)
            yield Crossing(
                requests_per_month=piece_end,
                kind="jump",
                usd_per_month=usd + steady.usd_per_request * piece_end,
                cheaper_after=cheaper(behind),
            )


def cheaper(first_minus_second: float) -> Cheaper:
    """Which costs less, given what the first costs more."""
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
