"""Serverless workers of thousands of deployments at once: the same formulas, computed on a grid and read between.

What a deployment's workers do follows from a few figures: the volume, the seconds of a request alone and with all slots
taken, the cold start, the idle timeout, and how many requests a worker takes at once. So the states of workers are
computed at steps of volume and of seconds, once for all models and GPUs, and every deployment reads its own between.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import floor, log10
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.serverless import (
    Billed,
    Fleet,
    Floats,
    WorkerTime,
    billed_workers,
    several_workers,
    shared_service_s,
)
from llmcompare.core.serverless_curve import Hours, allowed_workers
from llmcompare.core.units import SECONDS_PER_MONTH

VOLUME_STEPS = 8
"""To a factor of ten, as of SECONDS_STEPS."""
SECONDS_STEPS = 8
RATIO_STEPS = 9
"""From a request that is alone in its worker to one that shares it with as many as there are slots."""
LEAST_S = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """What the table is made for: one kind of worker, and how the requests come."""

    cold_start_s: float
    idle_timeout_s: float
    requests_per_worker: int
    hours: Hours
    """Share of the month's hours with a rate, and this rate over the mean rate."""
    peak: float
    target_utilisation_fraction: float

    def most(self, requests_per_month: float, full_s: Floats) -> Floats:
        """Most workers that are allowed, where a request takes so long with all slots taken."""
        load = requests_per_month * self.peak * full_s / SECONDS_PER_MONTH
        return allowed_workers(load / (self.requests_per_worker * self.target_utilisation_fraction))

    def fleet(self, service_s: float) -> Fleet:
        """The workers, for requests that take so long."""
        return Fleet(
            service_s=service_s,
            cold_start_s=self.cold_start_s,
            idle_timeout_s=self.idle_timeout_s,
            requests_per_worker=self.requests_per_worker,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Steps of seconds that a table reaches over, first and last."""

    first: int
    last: int

    @property
    def alone_s(self) -> Floats:
        """Seconds of a request alone, at every step."""
        return np.asarray(10.0 ** (np.arange(self.first, self.last + 1) / SECONDS_STEPS))


def span_of(alone_s: Floats) -> Span:
    """The steps around these seconds, with room for predictions that turn out three times off."""
    known = alone_s[np.isfinite(alone_s)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (1.0, 1.0)
    return Span(
        first=floor(SECONDS_STEPS * log10(max(low / 3, LEAST_S))), last=floor(SECONDS_STEPS * log10(high * 3)) + 1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Means over a month at one volume, by seconds alone and by how much longer a full worker takes."""

    time: WorkerTime[Floats]
    cold: Floats
    """Share of the requests that meet a cold start: a formula for one worker, for several the most it can be."""
    wait_s: Floats
    """For a start, on average over all requests, those that find a worker included."""


@lru_cache(maxsize=1_024)
def states(workers: Workers, span: Span, step: int) -> States:
    """At one step of volume."""
    alone = span.alone_s[:, None]
    full = alone * _ratios(workers.requests_per_worker)[None, :]
    volume = 10.0 ** (step / VOLUME_STEPS)
    shares, rates = np.array(workers.hours).T
    per_s = np.broadcast_to(volume / SECONDS_PER_MONTH * rates, (*full.shape, len(rates)))
    most = workers.most(volume, full)
    service = shared_service_s(
        alone_s=alone[..., None],
        full_s=full[..., None],
        requests_per_worker=workers.requests_per_worker,
        requests_per_s=per_s,
    )
    time = several_workers(
        workers.fleet(1.0),
        requests_per_s=per_s,
        max_workers=np.broadcast_to(most[..., None], per_s.shape),
        service_s=np.broadcast_to(service, per_s.shape),
    )
    met, waited_s = _cold(workers, time, per_s=per_s, service_s=service, most=most[..., None])
    return States(
        time=time.each(lambda by_hour: by_hour @ shares),
        cold=met @ (shares * rates),
        wait_s=waited_s @ (shares * rates),
    )


def _cold(
    workers: Workers, time: WorkerTime[Floats], *, per_s: Floats, service_s: Floats, most: Floats
) -> tuple[Floats, Floats]:
    """Share of the requests that meet a cold start, and the seconds that a request waits for one on average over all.

    Of several workers those that come while all are down or the first one starts, by the formula for endless slots, and
    at most all that come while a further one starts. The latter wait until a slot is free.
    """
    cold_start_s, slots = workers.cold_start_s, workers.requests_per_worker
    meanwhile, rate = per_s * cold_start_s, np.maximum(per_s, 1e-30)
    none_stays = np.exp(-per_s * (service_s + workers.idle_timeout_s))
    endless = (1 + meanwhile) * none_stays / (1 + meanwhile * none_stays)
    alone = np.minimum(1.0, (1 + meanwhile) * time.starts_per_s / rate)
    first = np.where(most > 1, np.minimum(endless, alone), alone)
    further = -np.expm1(-np.maximum((1 + meanwhile) * time.starts_per_s / rate - first, 0.0)) * (most > 1)
    # The first request waits for the whole start, later ones for half of it and behind those before them.
    start_s = cold_start_s * (1 + meanwhile / 2) / (1 + meanwhile)
    behind_s = service_s * meanwhile * ((slots == 1) + meanwhile / 2) / (slots * (1 + meanwhile))
    waited_s = first * (start_s + behind_s) + further * np.minimum(cold_start_s, service_s / slots)
    return np.minimum(1.0, first + (1 - first) * further), waited_s


@lru_cache(maxsize=64)
def _ratios(most: int) -> Floats:
    return np.geomspace(1.0, most, RATIO_STEPS) if most > 1 else np.array([1.0, 2.0])


@lru_cache(maxsize=1_024)
def log_billed(workers: Workers, billed: Billed, span: Span, requests_per_month: float) -> Floats:
    """Logarithm of the mean number of workers that are billed, on the grid of the span, at any volume."""
    step, part = _between(requests_per_month)
    ends = [np.log(_billed(states(workers, span, at), workers, billed, span, at)) for at in (step, step + 1)]
    return np.asarray((1 - part) * ends[0] + part * ends[1])


def _billed(found: States, workers: Workers, billed: Billed, span: Span, step: int) -> Floats:
    per_s = 10.0 ** (step / VOLUME_STEPS) / SECONDS_PER_MONTH
    rows = []
    for at, seconds in enumerate(span.alone_s.tolist()):
        part = found.time.each(itemgetter(at))
        fleet = workers.fleet(seconds)
        rows.append(billed_workers(part, billed, fleet=fleet, requests_per_s=np.full(part.busy.shape, per_s)))
    return np.asarray(np.maximum(np.array(rows), 1e-300))


def cold(workers: Workers, span: Span, requests_per_month: float) -> tuple[Floats, Floats]:
    """Share of the requests that meet a cold start, and the mean wait of all, on the grid of the span."""
    step, part = _between(requests_per_month)
    one, other = states(workers, span, step), states(workers, span, step + 1)
    return (
        np.asarray((1 - part) * one.cold + part * other.cold),
        np.asarray((1 - part) * one.wait_s + part * other.wait_s),
    )


def _between(requests_per_month: float) -> tuple[int, float]:
    at = VOLUME_STEPS * log10(requests_per_month)
    return floor(at), at - floor(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where deployments stand on the grid of a span: between which steps, and how far."""

    row: NDArray[np.intp]
    row_part: Floats
    column: NDArray[np.intp]
    column_part: Floats


def position(requests_per_worker: int, span: Span, *, alone_s: Floats, full_s: Floats) -> Position:
    """Of deployments by the seconds of their requests."""
    ratios = _ratios(requests_per_worker)
    across = np.log(np.clip(full_s / alone_s, 1.0, ratios[-1])) / np.log(ratios[1] / ratios[0])
    down = SECONDS_STEPS * np.log10(alone_s) - span.first
    row = np.clip(np.floor(down), 0, span.last - span.first - 1).astype(np.intp)
    column = np.clip(np.floor(across), 0, len(ratios) - 2).astype(np.intp)
    return Position(row=row, row_part=down - row, column=column, column_part=across - column)


def read(table: Floats, at: Position) -> Floats:
    """A table between its steps: straight lines, beyond the ends as at the ends."""
    (row, column), (down, across) = (at.row, at.column), (at.row_part, at.column_part)
    above = (1 - across) * table[row, column] + across * table[row, column + 1]
    below = (1 - across) * table[row + 1, column] + across * table[row + 1, column + 1]
    return np.asarray((1 - down) * above + down * below)
