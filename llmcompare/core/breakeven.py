"""Where the monthly cost curves of two options cross, and how far their bands move each crossing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmcompare.core import steps
from llmcompare.core.curves import CostCurve, Curve, CurveBand
from llmcompare.core.smooth import points_on_grid, sign_at_least_volume, smooth_search_end
from llmcompare.core.steps import Crossing as Crossing
from llmcompare.core.units import count_text, usd_text

INTERVALS_FOUND = 40
"""Crossings that get an interval, the first ones; later ones lie within a replica of each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossings:
    """All crossings of two curves in order of volume, or the reason why there is none."""

    points: tuple[Crossing, ...]
    reason: str | None
    """Why they never cross; None when they do."""
    searched_to_requests_per_month: float | None
    """None when the search is complete: nothing crosses beyond the last point."""


def crossings(
    first: Curve, second: Curve, *, names: tuple[str, str] = ("the first option", "the second option")
) -> Crossings:
    """All volumes above 0 at which the two cost the same or a step straddles; names are for the reason alone.

    Exact for two CostCurves. With a smooth curve the search runs on a grid, as `smooth.points_on_grid` says.

    >>> from llmcompare.core.curves import ReplicaGroup
    >>> hundred = ReplicaGroup(usd_per_replica_month=2_160, requests_per_replica_month=100)
    >>> machine, api = CostCurve(groups=(hundred,)), CostCurve(usd_per_request=25)
    >>> [(round(p.requests_per_month, 1), p.kind) for p in crossings(machine, api).points[:4]]
    [(86.4, 'equal'), (100.0, 'jump'), (172.8, 'equal'), (200.0, 'jump')]
    """
    if first == second:
        return _never("the two cost the same at every volume")
    found, searched_to = _search(first, second)
    points = tuple(found)
    reason = None if points else _never_because(first, second, names, searched_to)
    return Crossings(points=points, reason=reason, searched_to_requests_per_month=searched_to)


def _search(first: Curve, second: Curve) -> tuple[Iterator[Crossing], float | None]:
    """The crossings, found as they are asked for, and where the search ends if it is not complete."""
    if isinstance(first, CostCurve) and isinstance(second, CostCurve):
        end, complete = steps.search_end(first, second)
        return steps.points_between_steps(first, second, end=end), None if complete else end
    end = smooth_search_end(first, second)
    return points_on_grid(first, second, end=end), end


def first_volume_where_no_dearer(first: Curve, second: Curve) -> float | None:
    """Smallest number of monthly requests at which the first option costs no more than the second.

    None if there is none, or none within the volumes that a search covers.
    """
    if _sign_at_once(first, second) <= 0:
        return 0.0
    if isinstance(first, CostCurve) and isinstance(second, CostCurve) and _is_always_above(first, second):
        return None
    found, _ = _search(first, second)
    for point in found:
        if point.kind == "equal" or point.cheaper_after == "first":
            return point.requests_per_month
    return None


def _is_always_above(first: CostCurve, second: CostCurve) -> bool:
    """Whether the second is a straight line below the first one's cost with full replicas, so below it everywhere."""
    steeper = first.usd_per_request_at_scale > second.usd_per_request
    return not second.groups and steeper and steps.floor_usd(first) >= steps.floor_usd(second)


def _sign_at_once(first: Curve, second: Curve) -> float:
    if isinstance(first, CostCurve) and isinstance(second, CostCurve):
        return steps.sign_at_once(first, second)
    return sign_at_least_volume(first, second)


def _never(reason: str) -> Crossings:
    return Crossings(points=(), reason=reason, searched_to_requests_per_month=None)


def _never_because(first: Curve, second: Curve, names: tuple[str, str], searched_to: float | None) -> str:
    sign = _sign_at_once(first, second)
    if sign == 0:
        return "the two cost the same at every volume"
    cheap, dear = (second, first) if sign > 0 else (first, second)
    cheap_name, dear_name = names[::-1] if sign > 0 else names
    if searched_to is not None:
        end = f"{count_text(searched_to)} requests a month, the end of the search"
        return f"{cheap_name} is cheaper at every volume up to {end}"
    if isinstance(dear, CostCurve) and isinstance(cheap, CostCurve) and dear.groups and not cheap.groups:
        return (
            f"even with every replica full, {dear_name} costs {usd_text(dear.usd_per_request_at_scale)} per request, "
            f"and {cheap_name} costs {usd_text(cheap.usd_per_request_at_scale)}"
        )
    return f"{cheap_name} is cheaper at every volume"


# --- bands ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingInterval:
    """One crossing at middle prices, and where the same crossing lies at both ends of the bands.

    The same is: of the same kind, in the same direction, with the same numbers of replicas. A crossing that is not
    there at an end has vanished: one option then stays cheaper through these replicas.
    """

    crossing: Crossing
    at_best_requests_per_month: float | None
    """With the first option at its cheapest and the second at its dearest; None where it vanishes."""
    at_worst_requests_per_month: float | None
    """The other way round."""

    @property
    def low_requests_per_month(self) -> float:
        """Smallest volume of those that exist."""
        return min(self._volumes)

    @property
    def high_requests_per_month(self) -> float:
        """Largest volume of those that exist."""
        return max(self._volumes)

    @property
    def _volumes(self) -> list[float]:
        ends = (self.at_best_requests_per_month, self.at_worst_requests_per_month)
        return [self.crossing.requests_per_month, *(volume for volume in ends if volume is not None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCrossings:
    """Where two options with bands cross."""

    middle: Crossings
    """Of the middle curves."""
    intervals: tuple[CrossingInterval, ...]
    """Of the first crossings."""
    earliest: float | None
    """First volume at which the first option is no dearer, at its cheapest against the other's dearest."""
    latest: float | None
    """The same at its dearest against the other's cheapest; None when it then never pays."""


def band_crossings(
    first: CurveBand[Curve],
    second: CurveBand[Curve],
    *,
    names: tuple[str, str] = ("the first option", "the second option"),
) -> BandCrossings:
    """All crossings of the middle curves, the first of them with their intervals."""
    middle = crossings(first.mid, second.mid, names=names)
    found = _with_identity(first.mid, second.mid, middle.points[:INTERVALS_FOUND])
    most = max((identity.replicas for identity in found), default=0)
    at_best = _with_identity(first.low, second.high, _search(first.low, second.high)[0], most_replicas=most)
    at_worst = _with_identity(first.high, second.low, _search(first.high, second.low)[0], most_replicas=most)
    return BandCrossings(
        middle=middle,
        intervals=tuple(
            CrossingInterval(
                crossing=crossing,
                at_best_requests_per_month=_volume(at_best.get(identity)),
                at_worst_requests_per_month=_volume(at_worst.get(identity)),
            )
            for identity, crossing in found.items()
        ),
        earliest=first_volume_where_no_dearer(first.low, second.high),
        latest=first_volume_where_no_dearer(first.high, second.low),
    )


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a crossing keeps when prices and capacities move a little."""

    kind: str
    cheaper_after: str
    first_replicas: int
    second_replicas: int
    place: int
    """Of several with the same replicas."""

    @property
    def replicas(self) -> int:
        return self.first_replicas + self.second_replicas


def _with_identity(
    first: Curve, second: Curve, points: Iterable[Crossing], *, most_replicas: int | None = None
) -> dict[_Identity, Crossing]:
    """Crossings by what they are, as long as no more replicas run in all."""
    found: dict[_Identity, Crossing] = {}
    seen: Counter[tuple[str, str, int, int]] = Counter()
    for point in points:
        one, other = (_running(curve, point.requests_per_month) for curve in (first, second))
        if most_replicas is not None and one + other > most_replicas:
            break
        what = (point.kind, point.cheaper_after, one, other)
        found[_Identity(*what, place=seen[what])] = point
        seen[what] += 1
    return found


def _running(curve: Curve, requests_per_month: float) -> int:
    return curve.replicas_of_all_groups(requests_per_month) if isinstance(curve, CostCurve) else 0


def _volume(crossing: Crossing | None) -> float | None:
    return None if crossing is None else crossing.requests_per_month
