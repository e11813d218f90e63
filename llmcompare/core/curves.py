"""Monthly cost as a function of monthly requests: a fixed sum, a rate per request, and whole replicas by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.cost import Band
from llmcompare.core.scenario import Running
from llmcompare.core.traffic import Traffic
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_MONTH
from llmcompare.errors import InputError

Floats = NDArray[np.float64]

FULL_TOLERANCE = 1e-12
"""Relative; by how much rounding may carry a full replica over the edge: k x capacity / capacity can be k + 1e-16."""


def whole(filled: float) -> int:
    """Whole replicas that serve as much as so many full ones.

    >>> whole(2.0000000000000004), whole(2.001)
    (2, 3)
    """
    return ceil(filled * (1 - FULL_TOLERANCE))


def whole_at(filled: Floats) -> Floats:
    """The same for many at once."""
    return np.ceil(filled * (1 - FULL_TOLERANCE))


class Curve(Protocol):
    """Monthly cost as a function of monthly requests, which never falls with volume."""

    def usd_per_month(self, requests_per_month: float) -> float:
        """US dollars for a month with this many requests."""
        ...

    def usd_at(self, requests_per_month: Floats) -> Floats:
        """The same for many volumes at once."""
        ...


CurveT = TypeVar("CurveT", bound=Curve, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveBand(Generic[CurveT]):
    """Monthly cost over volume at the favourable, the middle and the unfavourable end of prices and capacity."""

    low: CurveT
    mid: CurveT
    high: CurveT

    def usd_per_month(self, requests_per_month: float) -> Band:
        """Cost of the three curves at one volume."""
        low, mid, high = (curve.usd_per_month(requests_per_month) for curve in (self.low, self.mid, self.high))
        return Band(low=low, mid=mid, high=high)

    def usd_at(self, requests_per_month: Floats) -> tuple[Floats, Floats, Floats]:
        """The same, low, mid and high, for many volumes at once."""
        return (
            self.low.usd_at(requests_per_month),
            self.mid.usd_at(requests_per_month),
            self.high.usd_at(requests_per_month),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaGroup:
    """The replicas that run in some hours of the month, all alike."""

    usd_per_replica_month: float
    """US dollars of one replica for its hours of a month."""
    requests_per_replica_month: float
    """Monthly volume, over all hours, up to which one replica is enough in these hours."""

    def needed(self, requests_per_month: float) -> int:
        """Whole replicas that serve this volume in these hours."""
        return whole(requests_per_month / self.requests_per_replica_month)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCurve:
    """Monthly cost as a function of monthly requests: a fixed sum, a rate per request and whole replicas.

    A curve with replicas pays for at least `min_replicas`, so with the default it is never free when idle.

    >>> weekdays = ReplicaGroup(usd_per_replica_month=1_000, requests_per_replica_month=100)
    >>> nights = ReplicaGroup(usd_per_replica_month=2_000, requests_per_replica_month=400)
    >>> curve = CostCurve(fixed_usd_per_month=50, usd_per_request=2, groups=(weekdays, nights))
    >>> curve.replicas(300), curve.usd_per_month(300)
    (3, 5650)
    """

    fixed_usd_per_month: float = 0.0
    usd_per_request: float = 0.0
    groups: tuple[ReplicaGroup, ...] = ()
    min_replicas: int = 1
    """Of each group, however little it has to serve."""
    spare_replicas: int = 0
    """Of each group, beyond what the volume needs."""

    def replicas(self, requests_per_month: float) -> int:
        """Whole replicas in the busiest hours at this volume; 0 for a curve without replicas."""
        if not self.groups:
            return 0
        busiest = min(self.groups, key=lambda group: group.requests_per_replica_month)
        return self._running(busiest, requests_per_month)

    def replicas_of_all_groups(self, requests_per_month: float) -> int:
        """Whole replicas added up over the groups: it tells the stretches between steps apart."""
        return sum(self._running(group, requests_per_month) for group in self.groups)

    def usd_per_month(self, requests_per_month: float) -> float:
        """US dollars for a month with this many requests."""
        usd = self.fixed_usd_per_month + self.usd_per_request * requests_per_month
        return usd + sum(g.usd_per_replica_month * self._running(g, requests_per_month) for g in self.groups)

    def _running(self, group: ReplicaGroup, requests_per_month: float) -> int:
        return max(self.min_replicas, group.needed(requests_per_month)) + self.spare_replicas

    def usd_at(self, requests_per_month: Floats) -> Floats:
        """The same for many volumes at once."""
        usd = self.fixed_usd_per_month + self.usd_per_request * requests_per_month
        for group in self.groups:
            needed = whole_at(requests_per_month / group.requests_per_replica_month)
            usd = usd + group.usd_per_replica_month * (np.maximum(self.min_replicas, needed) + self.spare_replicas)
        return usd

    def edges(self, *, end: float) -> Floats:
        """Volumes above 0 up to the end at which a replica is full: just behind them the cost steps up. In order."""
        return np.unique(np.concatenate([np.empty(0), *(edges for _, edges in self.steps(end=end))]))

    def steps(self, *, end: float) -> list[tuple[ReplicaGroup, Floats]]:
        """Of each group, the volumes up to the end at which its running replicas are full."""
        # The last full replica may lie a rounding before the end.
        last = [floor(end / group.requests_per_replica_month * (1 + FULL_TOLERANCE)) for group in self.groups]
        return [
            (group, group.requests_per_replica_month * np.arange(self.first_step, full + 1, dtype=float))
            for group, full in zip(self.groups, last, strict=True)
        ]

    @property
    def first_step(self) -> int:
        """Full replicas of a group behind which it steps up first."""
        return max(1, self.min_replicas)

    @property
    def usd_of_one_each(self) -> float:
        """US dollars a month of one replica in every group: one replica around the clock."""
        return sum(group.usd_per_replica_month for group in self.groups)

    @property
    def usd_per_request_at_scale(self) -> float:
        """US dollars per request when every replica is full and the fixed sum is spread over endless requests."""
        return self.usd_per_request + sum(
            group.usd_per_replica_month / group.requests_per_replica_month for group in self.groups
        )


def rented_curve(
    *,
    usd_per_gpu_hour: float,
    gpus_per_replica: int,
    requests_per_s: float,
    target_utilisation_fraction: float = 1.0,
    hours: Sequence[tuple[float, float]] = ((1.0, 1.0),),
    min_replicas: int = 1,
    spare_replicas: int = 0,
    cost_factor: float = 1.0,
) -> CostCurve:
    """Whole replicas of whole GPUs, paid for every hour that they run whether busy or not.

    hours: how the month is divided, as pairs of a share of its hours and the rate to be served in them over the mean
    rate of the month; `paid_hours` makes them. Each pair has its own number of replicas. cost_factor: hours paid over
    hours used, above 1 for machines that are interrupted.

    >>> curve = rented_curve(usd_per_gpu_hour=4.0, gpus_per_replica=2, requests_per_s=10)
    >>> curve.usd_per_month(26_280_000), curve.usd_per_month(26_280_001)
    (5840.0, 11680.0)
    >>> days_only = ((0.25, 4.0), (0.75, 0.0))
    >>> curve = rented_curve(
    ...     usd_per_gpu_hour=4.0, gpus_per_replica=2, requests_per_s=10, hours=days_only, min_replicas=0
    ... )
    >>> curve.usd_per_month(26_280_000)  # four replicas for a quarter of the month
    5840.0
    """
    for name, value in (
        ("usd_per_gpu_hour", usd_per_gpu_hour),
        ("gpus_per_replica", gpus_per_replica),
        ("requests_per_s", requests_per_s),
        ("cost_factor", cost_factor),
    ):
        if not value > 0:
            raise InputError(f"{name} is {value:g}: give a number above 0.")
    if not 0 < target_utilisation_fraction <= 1:
        raise InputError(
            f"target_utilisation_fraction is {target_utilisation_fraction:g}: give a share above 0, at most 1."
        )
    usd_per_replica_month = usd_per_gpu_hour * gpus_per_replica * HOURS_PER_MONTH * cost_factor
    requests_per_replica_month = requests_per_s * target_utilisation_fraction * SECONDS_PER_MONTH
    quiet_share = sum(share for share, rate in hours if rate == 0)
    return CostCurve(
        # Hours without a request keep the same replicas at every volume.
        fixed_usd_per_month=usd_per_replica_month * quiet_share * (min_replicas + spare_replicas),
        groups=tuple(
            ReplicaGroup(
                usd_per_replica_month=usd_per_replica_month * share,
                requests_per_replica_month=requests_per_replica_month / rate,
            )
            for share, rate in hours
            if rate > 0
        ),
        min_replicas=min_replicas,
        spare_replicas=spare_replicas,
    )


def paid_hours(spread: Traffic, running: Running) -> tuple[tuple[float, float], ...]:
    """The hours of a month as rented_curve takes them: pairs of a share and the rate that the replicas must serve.

    always-on: the peak all month. profile: every hour its own rate. scheduled: the busiest hours at the peak and all
    others at the busiest of those, divided where that is cheapest.

    >>> office = Traffic(hourly=(3.0,) * 42 + (0.5,) * 84 + (0.0,) * 42, peak_to_mean=2)
    >>> paid_hours(office, "always-on")
    ((1.0, 6.0),)
    >>> paid_hours(office, "scheduled")
    ((0.25, 6.0), (0.75, 1.0))
    >>> paid_hours(office, "profile")
    ((0.25, 6.0), (0.5, 1.0), (0.25, 0.0))
    """
    levels = [(share, rate * spread.peak_to_mean) for share, rate in spread.levels]
    if running == "always-on" or len(levels) == 1:
        return ((1.0, levels[0][1]),)
    if running == "profile":
        return tuple(levels)
    peak = levels[0][1]
    divided = [
        ((busy, peak), (1 - busy, levels[count][1]))
        for count in range(1, len(levels))
        if (busy := sum(share for share, _ in levels[:count])) < 1
    ]
    return min(divided, key=lambda pair: sum(share * rate for share, rate in pair))
