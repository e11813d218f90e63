"""A month of requests on serverless workers, one after the other, from a seed.

It checks the formulas of `core.serverless`, and answers what they cannot: cold starts of several workers, percentiles
of the waits, the most workers at once. The loop itself is compiled (`core.serverless_kernel`), at its first use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.serverless import Fleet, WorkerTime
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR
from llmcompare.errors import InputError

MAX_REQUESTS = 60_000_000
"""In one simulation: a few seconds."""
FIRST_ROOM = 1 << 10
MOST_ROOM = 1 << 22
"""Requests under way or waiting at once; beyond it the workers will never catch up."""
BATCHES = 73
"""Stretches over which cold starts are counted apart: ten hours of a month each."""
BINS_PER_COLD_START, WAIT_BINS = 1_000, 20_000
"""Waits are counted to a thousandth of a cold start, up to twenty of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What happened in one simulation."""

    hours: float
    requests: int
    starts: int
    peak_workers: int
    """Most workers at once, those that start included."""
    setup_s: float
    """Worker-seconds from a start until the worker is ready."""
    busy_s: float
    """Worker-seconds with at least one request."""
    idle_s: float
    """Worker-seconds of ready workers without a request."""
    rounded_life_s: float
    """Worker-seconds from start to stop, each life brought to the minimum and rounded up."""
    cold_fraction: float
    """Requests that waited while a worker started."""
    cold_fraction_se: float
    """Standard error, from the spread between stretches of the month."""
    queued_fraction: float
    """Requests that waited for a slot while no worker started, because as many as are allowed were up."""
    wait_mean_s: float | None
    """Of the requests that met a cold start; None when none did."""
    wait_p50_s: float | None
    wait_p95_s: float | None
    seed: int

    @property
    def time(self) -> WorkerTime[float]:
        """The same as mean numbers of workers, as the formulas give them."""
        seconds = self.hours * SECONDS_PER_HOUR
        return WorkerTime(
            setup=self.setup_s / seconds,
            busy=self.busy_s / seconds,
            idle=self.idle_s / seconds,
            starts_per_s=self.starts / seconds,
        )


def simulate(
    fleet: Fleet,
    *,
    requests_per_s: Sequence[float],
    hours: float = HOURS_PER_MONTH,
    max_workers: int | None = None,
    minimum_s: float = 0.0,
    rounding_s: float = 0.0,
    settle_fraction: float = 0.0,
    seed: int = 0,
) -> Simulated:
    """Poisson arrivals at hourly rates, which repeat until the hours are over. Raises InputError.

    A request goes to the most recently used ready worker with a free slot. Where there is none it waits, first come,
    first served, and a worker is started unless the workers that start already have slots for all that wait. A worker
    goes down when it had no request for the idle timeout. It begins with every worker down; settle_fraction is the part
    of the time at the beginning whose cold starts are not counted.
    """
    rates = np.asarray(requests_per_s, dtype=np.float64)
    _check(fleet, rates, hours=hours, max_workers=max_workers)
    # Here, not above: the compiler takes a quarter of a second to import, and few sessions simulate.
    from llmcompare.core import serverless_kernel

    end_s = hours * SECONDS_PER_HOUR
    bin_s = max(fleet.cold_start_s, 1e-9) / BINS_PER_COLD_START
    room = FIRST_ROOM
    while True:
        batches, bins = np.zeros((BATCHES, 2), np.int64), np.zeros(WAIT_BINS + 1, np.int64)
        seconds, counts = serverless_kernel.loop(
            np.random.default_rng(seed),
            rates,
            end_s,
            fleet.service_s,
            fleet.cold_start_s,
            fleet.idle_timeout_s,
            fleet.requests_per_worker,
            np.iinfo(np.int64).max if max_workers is None else max_workers,
            minimum_s,
            rounding_s,
            batches,
            bins,
            bin_s,
            room,
            room,
        )
        if seconds[0] == end_s:
            kept = batches[round(settle_fraction * BATCHES) :]
            return _counted(seconds, counts, kept, bins, bin_s=bin_s, hours=hours, seed=seed)
        # The same arrivals once more with more room. A start with everything down shows soon how much is needed.
        room *= 4
        if room > MOST_ROOM:
            raise InputError(
                f"more than {MOST_ROOM // 4:,} requests are under way at once: give a lower volume, or more workers."
            )


def _check(fleet: Fleet, rates: NDArray[np.float64], *, hours: float, max_workers: int | None) -> None:
    if rates.size == 0 or not np.isfinite(rates).all() or (rates < 0).any() or not rates.any():
        raise InputError("requests_per_s must hold a rate above 0, and none below: give one number per hour.")
    if not 0 < hours <= 100 * HOURS_PER_MONTH:
        raise InputError(f"hours is {hours:g}: give a number above 0, at most {100 * HOURS_PER_MONTH:,}.")
    mean = float(rates.mean())
    if mean * hours * SECONDS_PER_HOUR > MAX_REQUESTS:
        raise InputError(
            f"{mean * hours * SECONDS_PER_HOUR:.3g} requests are more than a simulation takes: give a volume "
            f"that makes at most {MAX_REQUESTS:.3g}, or fewer hours."
        )
    if max_workers is not None and mean * fleet.service_s >= max_workers * fleet.requests_per_worker:
        raise InputError(
            f"max_workers is {max_workers}, {max_workers * fleet.requests_per_worker} requests at once, and "
            f"{mean * fleet.service_s:.3g} are asked for: give more."
        )


def _counted(
    seconds: NDArray[np.float64],
    counts: NDArray[np.int64],
    batches: NDArray[np.int64],
    bins: NDArray[np.int64],
    *,
    bin_s: float,
    hours: float,
    seed: int,
) -> Simulated:
    _, setup_s, idle_s, life_s, rounded_s, waited_s = map(float, seconds)
    requests, starts, peak, _, queued, served = map(int, counts)
    waits = np.cumsum(bins)

    def percentile(fraction: float) -> float | None:
        return float((np.searchsorted(waits, fraction * served) + 0.5) * bin_s) if served else None

    came, met = batches.sum(axis=0)
    share = float(met) / max(1, int(came))
    residuals = batches[:, 1] - share * batches[:, 0]
    spread = float((residuals**2).sum()) * len(batches) / (len(batches) - 1)
    return Simulated(
        hours=hours,
        requests=requests,
        starts=starts,
        peak_workers=peak,
        setup_s=setup_s,
        busy_s=life_s - setup_s - idle_s,
        idle_s=idle_s,
        rounded_life_s=rounded_s,
        cold_fraction=share,
        cold_fraction_se=sqrt(spread) / max(1, int(came)),
        queued_fraction=queued / max(1, requests),
        wait_mean_s=waited_s / served if served else None,
        wait_p50_s=percentile(0.5),
        wait_p95_s=percentile(0.95),
        seed=seed,
    )
