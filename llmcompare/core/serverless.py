"""How much of the time serverless workers are up, who meets a cold start, and what of it an offer bills.

A worker that is down takes its cold start to become ready, answers, waits for its idle timeout and goes down. Requests
come at random (a Poisson process) and all take the same time. Exact for one worker with one slot, and for one worker
without a limit of slots; in between and for several workers an approximation that simulations bear out
(docs/methodology.md says how closely).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammaln

from llmcompare.errors import InputError

Floats = NDArray[np.float64]
Number = TypeVar("Number", float, Floats)

NODES = 64
"""Workers beyond the first that are added up one by one; of more, so many stand for all."""
LEAST_RATE = 1e-30
"""Requests per second that stand for none, so that nothing is divided by 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The workers of one deployment. Raises InputError for a time or a number that cannot be."""

    service_s: float
    """Of one request, with as many requests at once as a worker takes."""
    cold_start_s: float
    """From the request that finds no worker until the new one is ready."""
    idle_timeout_s: float
    """A worker goes down after this long without a request."""
    requests_per_worker: int = 1
    """At once."""

    def __post_init__(self) -> None:
        for name in ("service_s", "cold_start_s", "idle_timeout_s"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name} is {getattr(self, name):g}: give seconds, 0 or more.")
        if self.service_s == 0:
            raise InputError("service_s is 0: a request takes some time.")
        if self.requests_per_worker < 1:
            raise InputError(f"requests_per_worker is {self.requests_per_worker}: give 1 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTime(Generic[Number]):
    """Mean numbers of workers in each state, which are worker-seconds per second."""

    setup: Number
    """Starting."""
    busy: Number
    """With at least one request."""
    idle: Number
    """Ready and without a request."""
    starts_per_s: Number

    @property
    def up(self) -> Number:
        """Workers in any state but down."""
        return self.setup + self.busy + self.idle

    def each(self, change: Callable[[Number], Number]) -> "WorkerTime[Number]":
        """The same done to every figure, such as a mean over hours."""
        return WorkerTime(
            setup=change(self.setup),
            busy=change(self.busy),
            idle=change(self.idle),
            starts_per_s=change(self.starts_per_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWorker(WorkerTime[float]):
    """The same of a single worker, with the requests that meet a cold start."""

    cold_fraction: float
    """Requests that come when the worker is down or starting."""
    cold_wait_s: float
    """Mean wait of these until they are served, behind those before them."""


def one_at_a_time(fleet: Fleet, *, requests_per_s: float) -> OneWorker:
    """One worker that answers one request after the other. Raises InputError where it cannot keep up.

    >>> fleet = Fleet(service_s=2, cold_start_s=60, idle_timeout_s=5)
    >>> found = one_at_a_time(fleet, requests_per_s=0.05)
    >>> round(found.up, 4), round(found.cold_fraction, 4), round(found.cold_wait_s, 2)
    (0.7899, 0.8403, 41.25)
    """
    rate, load = requests_per_s, requests_per_s * fleet.service_s
    if not 0 <= load < 1:
        raise InputError(
            f"{rate:g} requests a second of {fleet.service_s:g} s are {load:g} requests at once: one worker that takes "
            "one at a time cannot keep up."
        )
    # Divided by exp(rate x timeout), which would overflow.
    stays = exp(-rate * fleet.idle_timeout_s)
    down = (1 - load) * stays / (1 + rate * fleet.cold_start_s * stays)
    starting = rate * fleet.cold_start_s * down
    return OneWorker(
        setup=starting,
        busy=load,
        idle=max(0.0, 1 - load - down - starting),
        starts_per_s=rate * down,
        cold_fraction=down + starting,
        cold_wait_s=_cold_wait_s(fleet, rate) * (1 + load),
    )


def all_at_once(fleet: Fleet, *, requests_per_s: float) -> OneWorker:
    """One worker that answers any number of requests at once.

    >>> fleet = Fleet(service_s=2, cold_start_s=60, idle_timeout_s=5)
    >>> found = all_at_once(fleet, requests_per_s=0.05)
    >>> round(found.up, 4), round(found.cold_fraction, 4), round(found.cold_wait_s, 2)
    (0.7737, 0.9052, 37.5)
    """
    rate = requests_per_s
    none_there = exp(-rate * fleet.service_s)
    none_stays = exp(-rate * (fleet.service_s + fleet.idle_timeout_s))
    cycle = 1 + rate * fleet.cold_start_s * none_stays
    down = none_stays / cycle
    return OneWorker(
        setup=rate * fleet.cold_start_s * down,
        busy=(1 - none_there) / cycle,
        idle=(none_there - none_stays) / cycle,
        starts_per_s=rate * down,
        cold_fraction=(1 + rate * fleet.cold_start_s) * down,
        cold_wait_s=_cold_wait_s(fleet, rate),
    )


def one_worker(fleet: Fleet, *, requests_per_s: float) -> OneWorker:
    """One worker with any number of slots: between the two formulas, and equal to them at their ends.

    Raises InputError where it cannot keep up.
    """
    slots, load = fleet.requests_per_worker, requests_per_s * fleet.service_s
    if slots == 1:
        return one_at_a_time(fleet, requests_per_s=requests_per_s)
    if load >= slots:
        raise InputError(f"{load:g} requests at once are more than one worker with {slots} slots keeps up with.")
    time = several_workers(fleet, requests_per_s=np.array([requests_per_s]), max_workers=np.ones(1))
    starts = float(time.starts_per_s[0])
    meanwhile = requests_per_s * fleet.cold_start_s
    return OneWorker(
        setup=float(time.setup[0]),
        busy=float(time.busy[0]),
        idle=float(time.idle[0]),
        starts_per_s=starts,
        cold_fraction=min(1.0, (1 + meanwhile) * starts / requests_per_s) if requests_per_s else 1.0,
        cold_wait_s=_cold_wait_s(fleet, requests_per_s) + _rounds(meanwhile, slots) * fleet.service_s,
    )


def _rounds(meanwhile: float, slots: int) -> float:
    """Services that a request waits for, on average over those that a start has gathered: one for every full worker."""
    places = np.arange(1, int(meanwhile + 10 * meanwhile**0.5 + 10))
    return float((gammainc(places, meanwhile) * (places // slots)).sum()) / (1 + meanwhile)


def shared_service_s(
    *, alone_s: float | Floats, full_s: float | Floats, requests_per_worker: int, requests_per_s: Floats
) -> Floats:
    """Seconds of a request at each rate: longer by the same time for every other request that is there, up to full.

    As many others are there on average as there are requests at once, rate x seconds, and no more than slots.

    >>> how = {"alone_s": 10.0, "full_s": 19.0, "requests_per_worker": 10}  # one second longer for each other request
    >>> [round(float(seconds), 2) for seconds in shared_service_s(**how, requests_per_s=np.array([0.0, 0.2, 2.0]))]
    [10.0, 12.5, 19.0]
    """
    for_each = (full_s - alone_s) / max(1, requests_per_worker - 1)
    return np.minimum(full_s, alone_s / np.maximum(1 - requests_per_s * for_each, 1e-9))


def _cold_wait_s(fleet: Fleet, rate: float) -> float:
    """The first request waits for the whole cold start, those that come meanwhile for half of it on average."""
    meanwhile = rate * fleet.cold_start_s
    return fleet.cold_start_s * (1 + meanwhile / 2) / (1 + meanwhile)


def bounds(fleet: Fleet, *, requests_per_s: float, max_workers: float) -> tuple[float, float]:
    """Fewest and most workers that can be up on average, whichever request goes where.

    At least as many as hold all requests at once, or one whenever one worker without a limit of slots would be up; at
    most all that are allowed.
    """
    load = requests_per_s * fleet.service_s / fleet.requests_per_worker
    return max(load, all_at_once(fleet, requests_per_s=requests_per_s).up), max_workers


def several_workers(
    fleet: Fleet, *, requests_per_s: Floats, max_workers: Floats, service_s: Floats | None = None
) -> WorkerTime[Floats]:
    """Any number of workers with any number of slots, for many rates at once.

    service_s: of a request at each rate; that of the fleet where none is given.

    The first worker stands in the formulas for one worker, with the chance that no request is there taken from as many
    slots as all workers have. Each further one is up when more requests are there than those before it hold, and for
    the idle timeout. While the first worker starts, requests that come start further ones.
    """
    rate = np.maximum(requests_per_s, LEAST_RATE)
    load, most = rate * (fleet.service_s if service_s is None else service_s), np.maximum(max_workers, 1.0)
    slots, meanwhile = fleet.requests_per_worker, rate * fleet.cold_start_s
    stays = np.exp(-rate * fleet.idle_timeout_s)
    empty = _chance_of_none(load, most * slots)
    cycle = 1 + meanwhile * stays * empty ** (1 - 1 / (most * slots))
    down = empty * stays / cycle
    # What only several workers have, where they are allowed.
    several = most > 1
    some = rate[several], load[several], most[several]
    # Those started while the first one starts; the last of them is ready later than the first.
    also, also_until_s = (_put(several, part) for part in _started_meanwhile(fleet, *some))
    further = _further_workers(fleet, *some)
    further_setup, further_busy, further_idle, further_starts = (
        _put(several, part) for part in (further.setup, further.busy, further.idle, further.starts_per_s)
    )
    longer = 1 + rate * also_until_s * down
    starts = rate * down / longer
    rest = 1 - np.minimum(1, starts * (fleet.cold_start_s + also_until_s + fleet.idle_timeout_s)) * (also_until_s > 0)
    setup = starts * (1 + also) * fleet.cold_start_s + rest * further_setup
    idle = empty * (1 - stays) / cycle / longer + starts * also * fleet.idle_timeout_s + rest * further_idle
    first_up = (1 - down) / longer
    up = (
        first_up
        + starts * also * (fleet.cold_start_s + fleet.idle_timeout_s)
        + rest * (further_setup + further_busy + further_idle)
    )
    busy = np.minimum(np.maximum(up - setup - idle, load / slots), most)
    setup = np.minimum(setup, most - busy)
    idle = np.clip(idle, 0, most - busy - setup)
    return WorkerTime(
        setup=setup,
        busy=busy,
        idle=idle,
        starts_per_s=starts * (1 + also) + rest * further_starts,
    )


def _chance_of_none(load: Floats, slots: Floats) -> Floats:
    """That no request is there, of a queue with so many slots (Erlang's formula; the slots may be a fraction)."""
    with np.errstate(divide="ignore", over="ignore"):
        full = np.exp(slots * np.log(load) - load - gammaln(slots + 1)) / np.maximum(1 - load / slots, 0)
        return np.asarray(np.exp(-load) / (gammaincc(slots, load) + full))


def _put(several: NDArray[np.bool_], values: Floats) -> Floats:
    """Values where there are several workers, 0 elsewhere."""
    found = np.zeros(several.shape)
    found[several] = values
    return found


def _started_meanwhile(fleet: Fleet, rate: Floats, load: Floats, most: Floats) -> tuple[Floats, Floats]:
    """Workers started while the first one starts, on average, and seconds until the last of them is started."""
    meanwhile = rate * fleet.cold_start_s
    place, weight = _places(most, np.ones_like(most), most)
    also = (weight * gammainc(place * fleet.requests_per_worker, meanwhile[..., None])).sum(axis=-1)
    also = np.minimum(also, meanwhile / fleet.requests_per_worker)
    # The last of n arrivals comes after n / (n + 1) of the time; of those, only some start a worker.
    until_last = fleet.cold_start_s * np.where(
        meanwhile > 1e-6, 1 + np.expm1(-meanwhile) / np.maximum(meanwhile, 1e-30), meanwhile / 2
    )
    share = np.minimum(1, also * fleet.requests_per_worker / np.maximum(meanwhile, 1e-30))
    return also, until_last * share


def _further_workers(fleet: Fleet, rate: Floats, load: Floats, most: Floats) -> WorkerTime[Floats]:
    """All but the first: worker n + 1 is wanted when at least n workers' slots are taken."""
    slots = fleet.requests_per_worker
    spread = 9 * np.sqrt(load) + 9
    place, weight = _places(most, np.maximum(1, (load - spread) / slots), np.maximum(1, (load + spread) / slots))
    taken, rate, load = place * slots, rate[..., None], load[..., None]
    fits = gammaincc(taken + 1, load)
    wanted_per_s = rate * np.exp(taken * np.log(load) - load - gammaln(taken + 1)) / np.maximum(fits, 1e-300)
    stays_down = fits * np.exp(-wanted_per_s * fleet.idle_timeout_s)
    down = stays_down / (1 + wanted_per_s * fleet.cold_start_s * stays_down)
    starts = weight * wanted_per_s * down
    setup = starts * fleet.cold_start_s
    busy = weight * (1 - fits)
    idle = np.maximum(weight * (1 - down) - setup - busy, 0)
    # Workers below the first place are always busy.
    always = np.maximum(0, place[..., 0] - 1) * (weight.sum(axis=-1) > 0)
    return WorkerTime(
        setup=setup.sum(axis=-1),
        busy=busy.sum(axis=-1) + always,
        idle=idle.sum(axis=-1),
        starts_per_s=starts.sum(axis=-1),
    )


def _places(most: Floats, first: Floats, last: Floats) -> tuple[Floats, Floats]:
    """Numbers of further workers, 1 for the second, with their weights: all of them, or some that stand for all.

    The last of them counts with the fraction that is left.
    """
    each = np.broadcast_to(np.arange(1.0, NODES + 1), (*most.shape, NODES))
    weight = np.clip(most[..., None] - each, 0, 1)
    few = (most <= NODES + 1)[..., None]
    last = np.clip(last, first, most)
    step = (last - first) / (NODES - 1)
    some = first[..., None] + step[..., None] * np.arange(NODES)
    return np.where(few, each, some), np.where(few, weight, np.broadcast_to(step[..., None], weight.shape))


# --- what is billed ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """Which seconds of a worker an offer bills."""

    setup_fraction: float = 1.0
    """Of the seconds of a start."""
    idle: bool = True
    execution: bool = True
    minimum_s: float = 0.0
    """Fewest seconds billed at a time: of a worker's life where idle time is billed, else of a request."""
    rounding_s: float = 0.0
    """These seconds are rounded up to a multiple; 0 for no rounding."""


def billed_workers(time: WorkerTime[Number], billed: Billed, *, fleet: Fleet, requests_per_s: Number) -> Number:
    """Mean number of workers that are billed, which is billed seconds per second.

    Where idle time is billed, a worker's life is one bill: half a unit is added to each for rounding, and what the
    shortest life lacks of the minimum. Else each request is a bill of its own.

    >>> lone = one_at_a_time(Fleet(service_s=2.3, cold_start_s=60, idle_timeout_s=5), requests_per_s=0.001)
    >>> free = Billed(setup_fraction=0, idle=False, rounding_s=1)  # 2.3 s are billed as 3
    >>> fleet = Fleet(service_s=2.3, cold_start_s=60, idle_timeout_s=5)
    >>> round(billed_workers(lone, free, fleet=fleet, requests_per_s=0.001), 6)
    0.003
    """
    workers = billed.setup_fraction * time.setup
    if billed.idle:
        workers = workers + time.idle
    if billed.execution:
        workers = workers + time.busy
    if billed.idle:
        shortest_s = fleet.cold_start_s + fleet.service_s + fleet.idle_timeout_s
        return workers + time.starts_per_s * (billed.rounding_s / 2 + max(0.0, billed.minimum_s - shortest_s))
    if billed.execution:
        lacking_s = billed_request_s(fleet.service_s, billed) - fleet.service_s
        return workers + requests_per_s * (lacking_s / fleet.requests_per_worker)
    return workers


def billed_request_s(service_s: float, billed: Billed) -> float:
    """Seconds billed of a request that is a bill of its own.

    >>> (
    ...     billed_request_s(2.3, Billed(idle=False, rounding_s=0.5)),
    ...     billed_request_s(2.3, Billed(idle=False, minimum_s=5)),
    ... )
    (2.5, 5)
    """
    at_least_s = max(service_s, billed.minimum_s)
    if billed.rounding_s == 0:
        return at_least_s
    # 3.0000000001 seconds are 3 seconds that floats made longer.
    return ceil(at_least_s / billed.rounding_s - 1e-9) * billed.rounding_s


def busy_share_where_equal(*, flex_usd_per_hour: float, active_usd_per_hour: float) -> float:
    """Share of the time that a worker must be billed for an always-on one to cost the same.

    >>> round(busy_share_where_equal(flex_usd_per_hour=4.18, active_usd_per_hour=3.35), 2)
    0.8
    """
    return active_usd_per_hour / flex_usd_per_hour
