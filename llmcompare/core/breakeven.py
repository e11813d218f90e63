"""Where two monthly cost curves cross, with the steps of whole replicas taken as they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from llmcompare.core.cost import CostCurve
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
class _Piece:
    """A stretch of volume (start, end] on which both curves are straight."""

    start: float
    end: float
    first_replicas: int
    second_replicas: int


def crossings(
    first: CostCurve, second: CostCurve, *, names: tuple[str, str] = ("the first option", "the second option")
) -> Crossings:
    """All volumes above 0 at which the two cost the same or a step straddles; names are for the reason alone.

    >>> machine = CostCurve(usd_per_replica_month=2_160, requests_per_replica_month=100)
    >>> api = CostCurve(usd_per_request=25)
    >>> [(round(p.requests_per_month, 1), p.kind) for p in crossings(machine, api).points[:4]]
    [(86.4, 'equal'), (100, 'jump'), (172.8, 'equal'), (200, 'jump')]
    """
    if first == second:
        return _never("the two cost the same at every volume")
    end, complete = _search_end(first, second)
    points = tuple(_points(first, second, end))
    searched_to = None if complete else end
    reason = None if points else _never_because(first, second, names, searched_to)
    return Crossings(points=points, reason=reason, searched_to_requests_per_month=searched_to)


def first_volume_where_no_dearer(first: CostCurve, second: CostCurve) -> float | None:
    """Smallest number of monthly requests at which the first option costs no more than the second.

    None if there is none, or none within the volumes that a search covers.
    """
    if _sign_after(first, second, _first_piece(first, second), 0.0) <= 0:
        return 0.0
    if second.requests_per_replica_month is None and first.usd_per_request_at_scale > second.usd_per_request:
        # The second is a straight line below the first one's rate with full replicas, so below the first everywhere.
        return None
    end, _ = _search_end(first, second)
    for point in _points(first, second, end):
        if point.kind == "equal" or point.cheaper_after == "first":
            return point.requests_per_month
    return None


def _never(reason: str) -> Crossings:
    return Crossings(points=(), reason=reason, searched_to_requests_per_month=None)


def _never_because(first: CostCurve, second: CostCurve, names: tuple[str, str], searched_to: float | None) -> str:
    sign = _sign_after(first, second, _first_piece(first, second), 0.0)
    if sign == 0:
        return "the two cost the same at every volume"
    cheap, dear = (second, first) if sign > 0 else (first, second)
    cheap_name, dear_name = names[::-1] if sign > 0 else names
    if searched_to is not None:
        end = f"{count_text(searched_to)} requests a month, the end of the search"
        return f"{cheap_name} is cheaper at every volume up to {end}"
    if dear.requests_per_replica_month is not None and cheap.requests_per_replica_month is None:
        return (
            f"even with every replica full, {dear_name} costs {usd_text(dear.usd_per_request_at_scale)} per request, "
            f"and {cheap_name} costs {usd_text(cheap.usd_per_request_at_scale)}"
        )
    return f"{cheap_name} is cheaper at every volume"


def _search_end(first: CostCurve, second: CostCurve) -> tuple[float, bool]:
    """Volume beyond which nothing can cross, and whether the search reaches it.

    A curve lies between its rate at scale x volume and that plus one replica, so two curves with different rates
    part for good where the gap between the rates has eaten the dearer replica.
    """
    capacities = [c.requests_per_replica_month for c in (first, second) if c.requests_per_replica_month is not None]
    if not capacities:
        return 1.0, True
    gap = abs(first.usd_per_request_at_scale - second.usd_per_request_at_scale)
    dearest_replica = max(first.usd_per_replica_month, second.usd_per_replica_month)
    if gap <= TOLERANCE * max(first.usd_per_request_at_scale, second.usd_per_request_at_scale):
        return REPEATS_SHOWN * max(capacities), False
    end = dearest_replica / gap * (1 + TOLERANCE) + max(capacities)
    furthest = MAX_REPLICAS_SEARCHED * min(capacities)
    return min(end, furthest), end <= furthest


def _points(first: CostCurve, second: CostCurve, end: float) -> Iterator[Crossing]:
    pieces = list(_pieces(first, second, end))
    for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
        left = _difference(first, second, piece, piece.end)
        right = left if following is None else _sign_after(first, second, following, piece.end)
        equal_at = _equal_at(first, second, piece)
        if equal_at is not None:
            slope = first.usd_per_request - second.usd_per_request
            yield Crossing(
                requests_per_month=equal_at,
                kind="equal",
                usd_per_month=first.usd_with(piece.first_replicas, equal_at),
                cheaper_after=_cheaper(right if equal_at == piece.end and right else slope),
            )
        if left * right < 0:
            yield Crossing(
                requests_per_month=piece.end,
                kind="jump",
                usd_per_month=_usd_of_the_steady_one(first, second, piece, following),
                cheaper_after=_cheaper(right),
            )


def _sign_after(first: CostCurve, second: CostCurve, piece: _Piece, start: float) -> float:
    """Positive where the first costs more just after the start of a piece; of equal costs the slopes tell."""
    return _difference(first, second, piece, start) or first.usd_per_request - second.usd_per_request


def _cheaper(first_minus_second: float) -> Literal["first", "second", "same"]:
    if first_minus_second == 0:
        return "same"
    return "first" if first_minus_second < 0 else "second"


def _pieces(first: CostCurve, second: CostCurve, end: float) -> Iterator[_Piece]:
    piece = _first_piece(first, second)
    while True:
        yield piece
        if piece.end >= end:
            return
        piece = _piece_after(first, second, piece)


def _first_piece(first: CostCurve, second: CostCurve) -> _Piece:
    ends = [c.requests_per_replica_month for c in (first, second) if c.requests_per_replica_month is not None]
    # Two straight lines through 0 have one piece; any end serves.
    return _Piece(
        start=0.0, end=min(ends, default=1.0), first_replicas=first.replicas(0), second_replicas=second.replicas(0)
    )


def _piece_after(first: CostCurve, second: CostCurve, piece: _Piece) -> _Piece:
    first_full = _full_at(first, piece.first_replicas)
    second_full = _full_at(second, piece.second_replicas)
    steps_first = first_full is not None and first_full <= piece.end * (1 + TOLERANCE)
    steps_second = second_full is not None and second_full <= piece.end * (1 + TOLERANCE)
    first_replicas = piece.first_replicas + steps_first
    second_replicas = piece.second_replicas + steps_second
    ends = [_full_at(first, first_replicas), _full_at(second, second_replicas)]
    return _Piece(
        start=piece.end,
        end=min(full for full in ends if full is not None),
        first_replicas=first_replicas,
        second_replicas=second_replicas,
    )


def _full_at(curve: CostCurve, replicas: int) -> float | None:
    return None if curve.requests_per_replica_month is None else curve.requests_per_replica_month * replicas


def _difference(first: CostCurve, second: CostCurve, piece: _Piece, requests: float) -> float:
    """First minus second in USD; float noise counts as 0."""
    one = first.usd_with(piece.first_replicas, requests)
    other = second.usd_with(piece.second_replicas, requests)
    return 0.0 if abs(one - other) <= TOLERANCE * max(one, other) else one - other


def _equal_at(first: CostCurve, second: CostCurve, piece: _Piece) -> float | None:
    """Volume of equal cost on the piece; its end where both coincide all along; None where they differ."""
    slope = first.usd_per_request - second.usd_per_request
    head_start = first.usd_with(piece.first_replicas, 0) - second.usd_with(piece.second_replicas, 0)
    if slope == 0:
        return piece.end if head_start == 0 and piece.first_replicas else None
    requests = -head_start / slope
    if abs(requests - piece.end) <= TOLERANCE * piece.end:
        return piece.end
    return requests if piece.start * (1 + TOLERANCE) < requests < piece.end else None


def _usd_of_the_steady_one(first: CostCurve, second: CostCurve, piece: _Piece, following: _Piece | None) -> float:
    first_steps = following is not None and following.first_replicas > piece.first_replicas
    if first_steps:
        return second.usd_with(piece.second_replicas, piece.end)
    return first.usd_with(piece.first_replicas, piece.end)
