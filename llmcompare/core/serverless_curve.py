"""Serverless GPUs over volume: one provider's offer with what is billed of it, and curves over all providers."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil

import numpy as np

from llmcompare.core.cost import End
from llmcompare.core.curves import whole_at
from llmcompare.core.records import GpuOffer, ServerlessTerms
from llmcompare.core.serverless import (
    Billed,
    Fleet,
    Floats,
    WorkerTime,
    billed_workers,
    several_workers,
    shared_service_s,
)
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_MONTH

POINTS_PER_DECADE = 16
VOLUMES: Floats = 10.0 ** (np.arange(10 * POINTS_PER_DECADE + 1) / POINTS_PER_DECADE)
"""Monthly requests at which costs are computed; between them a power law, below and above proportional to volume."""
STEPS_KEPT = 24
"""Workers up to which each one more is a step of the curve; beyond, the steps are smaller than other errors."""

HOUR_LEVELS = 8
"""Different hourly rates that are told apart; more are drawn together, neighbour with neighbour."""

Hours = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessPlan:
    """One provider's cheapest offer for the deployment, with what is billed of it."""

    offer: GpuOffer
    terms: ServerlessTerms | None
    """None where none was read: all of a worker's life is then taken to be billed."""
    usd_per_worker_hour: float
    cold_start_s: float
    idle_timeout_s: float
    idle_timeout_is_assumed: bool
    requests_per_worker: int

    def fleet(self, service_s: float) -> Fleet:
        """Its workers, for requests that take so long."""
        return Fleet(
            service_s=service_s,
            cold_start_s=self.cold_start_s,
            idle_timeout_s=self.idle_timeout_s,
            requests_per_worker=self.requests_per_worker,
        )

    def billed(self, end: End) -> Billed:
        """What is billed. What was not read, and a start that is billed partly, is free at the favourable end alone."""
        setup, idle, execution = self._said

        def is_billed(said: str | None) -> bool:
            return said == "yes" or (said != "no" and end != "low")

        return Billed(
            setup_fraction=float(is_billed(setup)),
            idle=is_billed(idle),
            execution=execution != "no",
            minimum_s=(self.terms.minimum_s if self.terms else None) or 0.0,
            rounding_s=(self.terms.rounding_s if self.terms else None) or 0.0,
        )

    @property
    def _said(self) -> tuple[str | None, str | None, str | None]:
        """Whether a start, idle time and requests are billed, as far as it was read."""
        if self.terms is None:
            return None, None, None
        return self.terms.bills_setup, self.terms.bills_idle, self.terms.bills_execution

    @property
    def not_read(self) -> tuple[str, ...]:
        """What no page of the provider was read to say."""
        names = ("the start", "idle time", "requests")
        return tuple(name for name, said in zip(names, self._said, strict=True) if said is None)


@dataclass(frozen=True, kw_only=True)
class ServerlessCurve:
    """Monthly cost as a function of monthly requests: the cheapest, the median or the dearest provider's.

    It rises smoothly but where one more worker is allowed.
    """

    plans: tuple[ServerlessPlan, ...]
    end: End
    alone_s: float
    """Of a request that has a worker for itself."""
    full_s: float
    """Of a request in a worker whose slots are all taken."""
    hours: Hours
    """Share of the month's hours with a rate, and this rate over the mean rate."""
    peak: float
    """Rate that must be served over the mean rate."""
    target_utilisation_fraction: float

    def usd_per_month(self, requests_per_month: float) -> float:
        """US dollars for a month with this many requests."""
        return float(self.usd_at(np.array([requests_per_month]))[0])

    def usd_at(self, requests_per_month: Floats) -> Floats:
        """The same for many volumes at once."""
        volumes, usd = self._points
        inside = np.clip(requests_per_month, VOLUMES[0], VOLUMES[-1])
        found = np.exp(np.interp(np.log(inside), volumes, usd))
        return np.asarray(found * requests_per_month / inside)

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        # A comparison asks a thousand times: the hash of a curve took a fifth of its time.
        return _grid(self)

    def max_workers(self, requests_per_month: float) -> int:
        """Most workers that are allowed: as many as the busiest time needs at the planned share of capacity."""
        return ceil(float(self.most(np.array([requests_per_month]))[0]))

    def most(self, requests_per_month: Floats) -> Floats:
        """The same for many volumes, in fractions where there are many workers."""
        needed = requests_per_month / self.requests_per_worker_month
        return allowed_workers(needed)

    @property
    def requests_per_worker_month(self) -> float:
        """Monthly volume for which one worker is enough."""
        load_of_one_request = self.peak * self.full_s / SECONDS_PER_MONTH
        return self.plans[0].requests_per_worker * self.target_utilisation_fraction / load_of_one_request

    def service_s(self, requests_per_s: Floats) -> Floats:
        """Of a request at these rates."""
        return shared_service_s(
            alone_s=self.alone_s,
            full_s=self.full_s,
            requests_per_worker=self.plans[0].requests_per_worker,
            requests_per_s=requests_per_s,
        )

    def fleet(self, plan: ServerlessPlan, *, requests_per_s: float) -> Fleet:
        """A provider's workers at one rate."""
        return plan.fleet(float(self.service_s(np.array([requests_per_s]))[0]))

    def busy_rate(self, requests_per_month: float) -> float:
        """Requests per second in the hour of the mean request, which is busier than the mean hour."""
        return requests_per_month / SECONDS_PER_MONTH * sum(share * rate**2 for share, rate in self.hours)

    def steps(self) -> list[float]:
        """Monthly volumes at which the workers allowed are full, each with a point just past it."""
        full = (self.requests_per_worker_month * np.arange(1, STEPS_KEPT)).tolist()
        return [volume for edge in full for volume in (edge, edge * (1 + 1e-9))]


def allowed_workers(needed: Floats) -> Floats:
    """Whole workers for a load in workers, at least one; in fractions where there are many.

    >>> allowed_workers(np.array([0.2, 1.4, 99.5])).tolist()
    [1.0, 2.0, 99.5]
    """
    return np.maximum(1.0, np.where(needed < STEPS_KEPT, whole_at(needed), needed))


def plan_usd_per_month(curve: ServerlessCurve, plan: ServerlessPlan, requests_per_month: float) -> float:
    """US dollars a month of one provider at one volume, under what the curve assumes."""
    return float(_plan_usd(curve, plan, np.array([requests_per_month]))[0])


def worker_time(curve: ServerlessCurve, plan: ServerlessPlan, requests_per_month: Floats) -> WorkerTime[Floats]:
    """Mean numbers of workers over the month by state, at many volumes."""
    shared = plan.fleet(curve.alone_s), curve.full_s, curve.hours
    return _time(*shared, (requests_per_month / SECONDS_PER_MONTH).tobytes(), curve.most(requests_per_month).tobytes())


@lru_cache(maxsize=256)
def _grid(curve: ServerlessCurve) -> tuple[Floats, Floats]:
    """Logarithms of volumes, and of what they cost; never falling, as more requests never cost less."""
    steps = [volume for volume in curve.steps() if VOLUMES[0] < volume < VOLUMES[-1]]
    volumes = np.sort(np.concatenate([VOLUMES, steps]))
    by_plan = np.array([_plan_usd(curve, plan, volumes) for plan in curve.plans])
    # Of two in the middle their mean, as everywhere.
    picked = np.quantile(by_plan, {"low": 0.0, "mid": 0.5, "high": 1.0}[curve.end], axis=0)
    return np.log(volumes), np.log(np.maximum.accumulate(np.maximum(picked, 1e-300)))


def _plan_usd(curve: ServerlessCurve, plan: ServerlessPlan, requests_per_month: Floats) -> Floats:
    workers = billed_workers(
        worker_time(curve, plan, requests_per_month),
        plan.billed(curve.end),
        fleet=plan.fleet(curve.alone_s),
        requests_per_s=requests_per_month / SECONDS_PER_MONTH,
    )
    return workers * plan.usd_per_worker_hour * HOURS_PER_MONTH


@lru_cache(maxsize=256)
def _time(fleet: Fleet, full_s: float, hours: Hours, requests_per_s: bytes, most: bytes) -> WorkerTime[Floats]:
    """Mean numbers of workers over the month, kept: providers with the same idle timeout differ in price alone."""
    shares, rates = np.array(hours).T
    by_hour = np.outer(np.frombuffer(requests_per_s), rates)
    time = several_workers(
        fleet,
        requests_per_s=by_hour,
        max_workers=np.broadcast_to(np.frombuffer(most)[:, None], by_hour.shape),
        service_s=shared_service_s(
            alone_s=fleet.service_s,
            full_s=full_s,
            requests_per_worker=fleet.requests_per_worker,
            requests_per_s=by_hour,
        ),
    )
    return time.each(lambda by_hour: by_hour @ shares)


def levels(hours: Hours) -> Hours:
    """The hours with at most HOUR_LEVELS different rates: neighbours are drawn together, the mean rate stays.

    >>> levels(((0.5, 1.5), (0.5, 0.5)))
    ((0.5, 1.5), (0.5, 0.5))
    >>> [round(rate, 3) for _, rate in levels(tuple((1 / 24, hour / 12.5) for hour in range(1, 25)))]
    [0.16, 0.4, 0.64, 0.88, 1.12, 1.36, 1.6, 1.84]
    """
    if len(hours) <= HOUR_LEVELS:
        return hours
    parts = np.array_split(np.array(sorted(hours, key=lambda hour: hour[1])), HOUR_LEVELS)
    shares = [float(part[:, 0].sum()) for part in parts]
    return tuple((share, float(part[:, 0] @ part[:, 1]) / share) for share, part in zip(shares, parts, strict=True))
