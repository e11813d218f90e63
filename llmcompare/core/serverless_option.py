"""Serverless GPUs as an option of a comparison: what every provider's offer costs over volume."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Literal

import numpy as np

from llmcompare.core.cost import Band
from llmcompare.core.records import Gpu, GpuOffer, ServerlessTerms
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import Billed, Fleet, Floats, WorkerTime, billed_workers, several_workers
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_MONTH
from llmcompare.errors import UnknownIdError

ASSUMED_IDLE_TIMEOUT_S = 60.0
"""Assumption, where neither the user nor the provider says it: what two of the providers set."""
POINTS_PER_DECADE = 16
VOLUMES: Floats = 10.0 ** (np.arange(10 * POINTS_PER_DECADE + 1) / POINTS_PER_DECADE)
"""Monthly requests at which costs are computed; between them a power law, below and above proportional to volume."""
STEPS_KEPT = 24
"""Workers up to which each one more is a step of the curve; beyond, the steps are smaller than other errors."""

HOUR_LEVELS = 8
"""Different hourly rates that are told apart; more are drawn together, neighbour with neighbour."""

End = Literal["low", "mid", "high"]
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
        """Its workers, for requests of this length."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessCurve:
    """Monthly cost as a function of monthly requests: the cheapest, the median or the dearest provider's.

    It rises smoothly but where one more worker is allowed.
    """

    plans: tuple[ServerlessPlan, ...]
    end: End
    service_s: float
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
        volumes, usd = _grid(self)
        inside = np.clip(requests_per_month, VOLUMES[0], VOLUMES[-1])
        found = np.exp(np.interp(np.log(inside), volumes, usd))
        return np.asarray(found * requests_per_month / inside)

    def max_workers(self, requests_per_month: float) -> int:
        """Most workers that are allowed: as many as the busiest time needs at the planned share of capacity."""
        return ceil(float(self.most(np.array([requests_per_month]))[0]))

    def most(self, requests_per_month: Floats) -> Floats:
        """The same for many volumes, in fractions where there are many workers."""
        needed = requests_per_month / self.requests_per_worker_month
        # A product n x capacity divided by the capacity can come out as n + 1e-16: that is still n workers.
        return np.maximum(1.0, np.where(needed < STEPS_KEPT, np.ceil(needed * (1 - 1e-12)), needed))

    @property
    def requests_per_worker_month(self) -> float:
        """Monthly volume for which one worker is enough."""
        load_of_one_request = self.peak * self.service_s / SECONDS_PER_MONTH
        return self.plans[0].requests_per_worker * self.target_utilisation_fraction / load_of_one_request

    def steps(self) -> list[float]:
        """Monthly volumes at which the workers allowed are full, each with a point just past it."""
        full = (self.requests_per_worker_month * np.arange(1, STEPS_KEPT)).tolist()
        return [volume for edge in full for volume in (edge, edge * (1 + 1e-9))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessCurves:
    """The curves at the favourable, the middle and the unfavourable end of prices, terms and service times."""

    low: ServerlessCurve
    mid: ServerlessCurve
    high: ServerlessCurve

    def usd_per_month(self, requests_per_month: float) -> Band:
        """Cost of the three curves at one volume."""
        low, mid, high = (c.usd_per_month(requests_per_month) for c in (self.low, self.mid, self.high))
        return Band(low=low, mid=mid, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessOption:
    """A model on serverless workers that go down when nobody asks."""

    gpu: Gpu
    gpus_per_worker: int
    engine: str
    weight_format: str | None
    service_s: Band
    """Of one request, with as many at once as a worker takes."""
    service_basis: str
    """Where that comes from."""
    plans: tuple[ServerlessPlan, ...]
    """One per provider, cheapest first at this workload."""
    curves: ServerlessCurves
    usd_per_month: Band
    max_workers: int
    """At this workload, in the middle."""

    @property
    def offers(self) -> tuple[GpuOffer, ...]:
        """The price rows used."""
        return tuple(plan.offer for plan in self.plans)

    @property
    def terms(self) -> tuple[ServerlessTerms, ...]:
        """The rows with terms used."""
        return tuple(plan.terms for plan in self.plans if plan.terms is not None)

    @property
    def middle(self) -> ServerlessPlan:
        """The provider in the middle at this workload, the cheaper one of two."""
        return self.plans[(len(self.plans) - 1) // 2]

    @property
    def label(self) -> str:
        """As the table and the chart name it."""
        form = f" · {self.weight_format}" if self.weight_format else ""
        return f"{self.gpus_per_worker} × {self.gpu.name} · {self.engine}{form}"

    @property
    def short(self) -> str:
        """GPUs alone, for sentences."""
        return f"{self.gpus_per_worker} × {self.gpu.name.removeprefix(f'{self.gpu.vendor} ')}"

    @property
    def basis(self) -> str:
        """How the cost comes about."""
        plan = self.middle
        at_once = "one request at a time" if plan.requests_per_worker == 1 else f"{plan.requests_per_worker} at once"
        workers = "one worker" if self.max_workers == 1 else f"up to {self.max_workers} workers"
        how = "a formula" if self.max_workers == 1 else "an approximation between bounds"
        return (
            f"{workers}, {at_once}, {self.service_s.mid:.3g} s a request ({self.service_basis}), cold start "
            f"{plan.cold_start_s:g} s; the workers' time is from {how}"
        )


def serverless_option(
    scenario: Scenario,
    *,
    gpu: Gpu,
    gpus_per_worker: int,
    engine: str,
    weight_format: str | None,
    service_s: Band,
    service_basis: str,
    offers: Sequence[GpuOffer],
    terms: Sequence[ServerlessTerms],
) -> tuple[ServerlessOption | None, str | None]:
    """The deployment on serverless GPUs of every provider that lists them, or why there is none.

    offers and terms: all rows of the catalogue. Raises UnknownIdError for a provider that has none.
    """
    chosen, providers = scenario.serverless_provider, sorted({offer.provider for offer in offers})
    if chosen is not None and chosen not in providers:
        raise UnknownIdError("provider of serverless GPUs", chosen, providers)
    fitting = [o for o in offers if o.gpu_id == gpu.gpu_id and o.gpu_count <= gpus_per_worker]
    plans = tuple(_plans(scenario, fitting, terms, gpus_per_worker=gpus_per_worker))
    if not plans:
        who = chosen or "no provider"
        verb = "does not list" if chosen else "lists"
        return None, f"{who} {verb} serverless workers with {gpu.name} that go down when idle"

    def curve(end: End, seconds: float) -> ServerlessCurve:
        return ServerlessCurve(
            plans=plans,
            end=end,
            service_s=seconds,
            hours=levels(scenario.spread.levels),
            peak=scenario.spread.peak,
            target_utilisation_fraction=scenario.target_utilisation_fraction,
        )

    curves = ServerlessCurves(
        low=curve("low", service_s.low), mid=curve("mid", service_s.mid), high=curve("high", service_s.high)
    )
    requests = scenario.requests_per_month

    def cost(plan: ServerlessPlan) -> tuple[float, str]:
        return plan_usd_per_month(curves.mid, plan, requests), plan.offer.row_id

    return ServerlessOption(
        gpu=gpu,
        gpus_per_worker=gpus_per_worker,
        engine=engine,
        weight_format=weight_format,
        service_s=service_s,
        service_basis=service_basis,
        plans=tuple(
            sorted(plans, key=lambda plan: (plan_usd_per_month(curves.mid, plan, requests), plan.offer.row_id))
        ),
        curves=curves,
        usd_per_month=curves.usd_per_month(requests),
        max_workers=curves.mid.max_workers(requests),
    ), None


def _plans(
    scenario: Scenario, offers: Iterable[GpuOffer], terms: Sequence[ServerlessTerms], *, gpus_per_worker: int
) -> Iterable[ServerlessPlan]:
    """The cheapest offer of each provider whose workers go down when idle; its terms, where there are any."""
    found: dict[str, ServerlessPlan] = {}
    for offer in sorted(offers, key=lambda offer: (offer.usd_per_gpu_hour, offer.row_id)):
        known = [row for row in terms if row.provider == offer.provider]
        own = [row for row in known if row.use_as == "scales to zero" and row.offer_name in (None, offer.offer_name)]
        if (known and not own) or offer.provider in found or scenario.serverless_provider not in (None, offer.provider):
            continue
        read = own[0].idle_timeout_default_s if own else None
        asked = scenario.idle_timeout_s
        timeout_s = next(seconds for seconds in (asked, read, ASSUMED_IDLE_TIMEOUT_S) if seconds is not None)
        found[offer.provider] = ServerlessPlan(
            offer=offer,
            terms=own[0] if own else None,
            usd_per_worker_hour=offer.usd_per_gpu_hour * gpus_per_worker,
            cold_start_s=scenario.cold_start_s,
            idle_timeout_s=timeout_s,
            idle_timeout_is_assumed=asked is None and read is None,
            requests_per_worker=scenario.requests_per_worker,
        )
    return found.values()


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


# --- curves -----------------------------------------------------------------------------------------------------------


def plan_usd_per_month(curve: ServerlessCurve, plan: ServerlessPlan, requests_per_month: float) -> float:
    """US dollars a month of one provider at one volume, under what the curve assumes."""
    return float(_plan_usd(curve, plan, np.array([requests_per_month]))[0])


def worker_time(curve: ServerlessCurve, plan: ServerlessPlan, requests_per_month: Floats) -> WorkerTime[Floats]:
    """Mean numbers of workers over the month by state, at many volumes."""
    rates = requests_per_month / SECONDS_PER_MONTH
    return _time(plan.fleet(curve.service_s), curve.hours, rates.tobytes(), curve.most(requests_per_month).tobytes())


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
        fleet=plan.fleet(curve.service_s),
        requests_per_s=requests_per_month / SECONDS_PER_MONTH,
    )
    return workers * plan.usd_per_worker_hour * HOURS_PER_MONTH


@lru_cache(maxsize=256)
def _time(fleet: Fleet, hours: Hours, requests_per_s: bytes, most: bytes) -> WorkerTime[Floats]:
    """Mean numbers of workers over the month, kept: providers with the same idle timeout differ in price alone."""
    shares, rates = np.array(hours).T
    by_hour = np.outer(np.frombuffer(requests_per_s), rates)
    workers = np.broadcast_to(np.frombuffer(most)[:, None], by_hour.shape)
    time = several_workers(fleet, requests_per_s=by_hour, max_workers=workers)
    return WorkerTime(
        setup=time.setup @ shares,
        busy=time.busy @ shares,
        idle=time.idle @ shares,
        starts_per_s=time.starts_per_s @ shares,
    )
