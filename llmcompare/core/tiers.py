"""The cheapest way to serve a workload at every volume, and where the bands leave that open."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log

import numpy as np

from llmcompare.core.comparison import Comparison
from llmcompare.core.cost import Band
from llmcompare.core.curves import whole_at
from llmcompare.core.phrases import band_text, sentence_start
from llmcompare.core.rented import Deployment
from llmcompare.core.units import count_text

MIN_TOKENS_PER_MONTH = 1e6
MAX_TOKENS_PER_MONTH = 1e11
POINTS_PER_DECADE = 10
MOST_SPELLED_OUT = 4
MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to serve the workload."""

    key: str
    name: str
    usd_per_month: Callable[[float], Band]
    """Of a number of requests per month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Volumes with one answer: the cheapest way at middle prices, and the ways that the bands leave open beside it."""

    from_tokens_per_month: float
    to_tokens_per_month: float
    key: str
    name: str
    open_against: tuple[str, ...]
    """Names of ways that are cheaper where their prices are low and those of the cheapest way high."""
    usd_per_month_from: float
    usd_per_month_to: float
    """Of the cheapest way at both ends, at middle prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    tokens: float
    way: Way
    open_against: tuple[str, ...]
    usd_per_month: float


def tiers(found: Sequence[Way], *, tokens_per_request: float) -> tuple[Tier, ...]:
    """Cheapest way from a million to a hundred billion tokens a month, ten volumes per factor of ten.

    A tier ends half way, on the logarithmic scale, to the first volume with another answer. No tier without any way.
    """
    if not found:
        return ()
    points = [_point(found, tokens, tokens_per_request) for tokens in volumes()]
    groups = [list(group) for _, group in groupby(points, key=lambda point: (point.way.key, point.open_against))]
    edges = [
        MIN_TOKENS_PER_MONTH,
        *((one[-1].tokens * other[0].tokens) ** 0.5 for one, other in zip(groups, groups[1:], strict=False)),
        MAX_TOKENS_PER_MONTH,
    ]
    return tuple(
        Tier(
            from_tokens_per_month=start,
            to_tokens_per_month=end,
            key=group[0].way.key,
            name=group[0].way.name,
            open_against=group[0].open_against,
            usd_per_month_from=group[0].usd_per_month,
            usd_per_month_to=group[-1].usd_per_month,
        )
        for group, start, end in zip(groups, edges, edges[1:], strict=False)
    )


def volumes() -> list[float]:
    """Tokens per month at which the cheapest way is looked for."""
    decades = 5
    return [MIN_TOKENS_PER_MONTH * 10 ** (step / POINTS_PER_DECADE) for step in range(decades * POINTS_PER_DECADE + 1)]


def _point(found: Sequence[Way], tokens: float, tokens_per_request: float) -> _Point:
    costs = [(way.usd_per_month(tokens / tokens_per_request), way) for way in found]
    band, best = min(costs, key=lambda cost: cost[0].mid)
    open_against = tuple(way.name for theirs, way in costs if way is not best and theirs.low < band.high)
    return _Point(tokens=tokens, way=best, open_against=open_against, usd_per_month=band.mid)


def ways(comparison: Comparison) -> list[Way]:
    """The options of a comparison, with whatever deployment is cheapest to rent at each volume."""
    found = [
        Way(key=option.key, name=option.name, usd_per_month=option.curves.usd_per_month)
        for option in comparison.options
        if option.key not in ("rented", "rented_at_scale")
    ]
    if comparison.deployments:
        best = _CheapestDeployment(comparison.deployments)
        found.insert(0, Way(key="rented", name="renting GPUs", usd_per_month=best.usd_per_month))
    return found


class _CheapestDeployment:
    """Finds it for all volumes at once: one at a time took a quarter of a second with 500 deployments."""

    def __init__(self, deployments: Sequence[Deployment]) -> None:
        self._deployments = deployments
        curves = [deployment.curves.mid for deployment in deployments]
        # All have the same hours of the month, so the same number of groups, and the same rules.
        usd = np.array([[group.usd_per_replica_month for group in curve.groups] for curve in curves])
        full_at = np.array([[group.requests_per_replica_month for group in curve.groups] for curve in curves])
        # Hours without requests: there a cheap replica counts, not how much it serves.
        self._quiet_usd = np.array([curve.fixed_usd_per_month for curve in curves])
        self._usd, self._full_at, self._rules = usd, full_at, curves[0]

    def usd_per_month(self, requests_per_month: float) -> Band:
        needed = whole_at(requests_per_month / self._full_at)
        running = np.maximum(needed, self._rules.min_replicas) + self._rules.spare_replicas
        place = int(np.argmin(self._quiet_usd + (self._usd * running).sum(axis=1)))
        return self._deployments[place].curves.usd_per_month(requests_per_month)


def sentences(found: Sequence[Tier]) -> Iterator[str]:
    """Which option is cheapest where, and where that cannot be told."""
    if not found:
        yield "Nothing here has a price."
        return
    runs = [list(group) for _, group in groupby(found, key=lambda tier: tier.key)]
    if len(runs) == 1:
        yield f"At middle prices {runs[0][0].name} is the cheapest at every volume."
    else:
        parts = [
            f"{run[0].name} up to {count_text(run[-1].to_tokens_per_month)}"
            if run is not runs[-1]
            else f"{run[0].name} beyond"
            for run in runs[-MOST_SPELLED_OUT:]
        ]
        skipped = len(runs) - MOST_SPELLED_OUT
        start = (
            f"after {skipped} changes below {count_text(runs[skipped][0].from_tokens_per_month)}, "
            if skipped > 0
            else ""
        )
        yield f"Cheapest at middle prices: {start}{', '.join(parts)} tokens a month."
    left_open = [tier for tier in found if tier.open_against]
    if not left_open:
        yield "No range of prices changes that."
    elif len(left_open) == len(found):
        yield "At no volume can it be told for sure: the ranges of prices and capacity overlap everywhere."
    else:
        sure = [tier for tier in found if not tier.open_against]
        spans = [
            f"{tier.name} from {count_text(tier.from_tokens_per_month)} to {count_text(tier.to_tokens_per_month)}"
            for tier in sure[:MOST_SPELLED_OUT]
        ]
        yield f"Sure despite the ranges of prices: {', '.join(spans)}; elsewhere they overlap."


def growth_sentences(comparison: Comparison) -> Iterator[str]:
    """When growth carries the workload past the crossings that lie ahead, and what is cheapest in a year."""
    growth, now = comparison.scenario.growth_fraction_per_month, comparison.workload.requests_per_month
    if growth == 0:
        return
    later = now * (1 + growth) ** MONTHS_PER_YEAR
    costs = [(option.curves.usd_per_month(later), option.name) for option in comparison.options]
    band, name = min(costs, key=lambda cost: cost[0].mid)
    yield (
        f"At {growth:+.0%} a month there are {count_text(later)} requests a month in a year; cheapest is then {name}, "
        f"{band_text(band)} a month at today's prices."
    )
    for pair in comparison.pairs:
        ahead = [
            (months, point)
            for point in pair.crossings.points
            if (months := months_until(volume=point.requests_per_month, now=now, growth_fraction_per_month=growth))
        ]
        if ahead:
            months, point = min(ahead, key=lambda found: found[0])
            yield f"{sentence_start(pair.first)} and {pair.second} cross in {months:.0f} months."


def months_until(*, volume: float, now: float, growth_fraction_per_month: float) -> float | None:
    """Months until a volume that grows or shrinks by a fraction each month reaches another; None if it never does.

    >>> round(months_until(volume=2_000_000, now=1_000_000, growth_fraction_per_month=0.1), 1)
    7.3
    """
    if volume == now:
        return 0.0
    if growth_fraction_per_month == 0 or (volume > now) != (growth_fraction_per_month > 0):
        return None
    return log(volume / now) / log(1 + growth_fraction_per_month)
